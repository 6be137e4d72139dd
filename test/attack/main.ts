/**
 * `npm run attack [-- words of a name] [--instances reset]`: every attack with what came of it, and at the
 * end what it was to the neighbour.
 */
import { parseArgs } from 'node:util'

import { INSTANCE_MODES } from '../../host/sandbox/instance-mode.ts'
import { attacks } from './attacks.ts'
import { Siege, stallMsMax } from './siege.ts'
import type { Result } from './siege.ts'

const { values, positionals } = parseArgs({ options: { instances: { type: 'string', default: 'fresh' } }, allowPositionals: true })
const instances = INSTANCE_MODES.find((mode) => mode === values.instances)
if (instances === undefined) throw new Error(`--instances is one of ${INSTANCE_MODES.join(', ')}`)
const words = positionals.join(' ')
const chosen = attacks.filter((attack) => attack.name.includes(words))
let failed = 0

await using siege = new Siege(instances)
await siege.start(attacks)
for (const attack of chosen) {
  const result = await siege.carryOut(attack)
  if (result.failure !== undefined) failed += 1
  print(result)
}
const { calls, p50Ms, worstMs, disturbances } = await siege.lift()
if (disturbances.length > 0 || worstMs > stallMsMax()) failed += 1

for (const how of disturbances.slice(0, 20)) console.log(`FAIL the innocent was disturbed: ${how}`)
console.log(
  `the innocent: ${calls} calls, ${disturbances.length} disturbed, p50 ${p50Ms.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms of at most ${stallMsMax()}`,
)
console.log(`${chosen.length + 1 - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

function print({ attack, failure, tookMs, stallMs }: Result): void {
  const { outcome, verdict } = attack.expected
  const what = verdict === 'ok' ? outcome : `${outcome} ${verdict}`
  const times = `${tookMs.toFixed(0)} ms, innocent ${stallMs.toFixed(0)} ms`
  console.log(`${failure === undefined ? 'ok  ' : 'FAIL'} ${attack.group} ${attack.number}: ${attack.name} → ${what} (${times})`)
  if (failure !== undefined) console.log(failure.replaceAll(/^/gm, '       '))
}
