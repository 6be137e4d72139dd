/** Every attack of the suite, group by group. docs/threat-model.md says which wall each of them tests. */
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

export const attacks: readonly Attack[] = [
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
