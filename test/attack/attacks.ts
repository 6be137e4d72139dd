/** Every attack of the suite, group by group. docs/threat-model.md says which wall each of them tests. */
import { isErrorCode } from '../../host/errors.ts'
import type { Attack } from './attack.ts'
import { capabilityAttacks } from './groups/capability.ts'
import { clientAttacks } from './groups/client.ts'
import { cpuAttacks } from './groups/cpu.ts'
import { descriptionAttacks } from './groups/description.ts'
import { fuelAttacks } from './groups/fuel.ts'
import { growthAttacks } from './groups/growth.ts'
import { instanceAttacks } from './groups/instances.ts'
import { logAttacks } from './groups/log.ts'
import { malformedAttacks } from './groups/malformed.ts'
import { memoryAttacks } from './groups/memory.ts'
import { ownershipAttacks } from './groups/ownership.ts'
import { pointerAttacks } from './groups/pointers.ts'
import { publishAttacks } from './groups/publish.ts'
import { residueAttacks } from './groups/residue.ts'
import { storageLoadAttacks } from './groups/storage-load.ts'

export const allAttacks: readonly Attack[] = [
  ...fuelAttacks,
  ...storageLoadAttacks,
  ...growthAttacks,
  ...instanceAttacks,
  ...cpuAttacks,
  ...memoryAttacks,
  ...pointerAttacks,
  ...logAttacks,
  ...capabilityAttacks,
  ...ownershipAttacks,
  ...residueAttacks,
  ...malformedAttacks,
  ...descriptionAttacks,
  ...publishAttacks,
  ...clientAttacks,
]

/** Until a call has fuel, depth and a cap on its memory, nothing of the host would be left of these. */
const metered: readonly Attack[] = [
  ...fuelAttacks,
  ...storageLoadAttacks,
  ...growthAttacks,
  ...instanceAttacks,
  ...allAttacks.filter(({ name }) => /and scans at every level|ends inside the host|asked for its description$|lies? outside its/.test(name)),
]

export const attacks: readonly Attack[] = isErrorCode('ERR_CALL_FUEL') ? allAttacks : allAttacks.filter((attack) => !metered.includes(attack))
