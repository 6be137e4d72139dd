/** npm run voice:e2e [name…]: every case, or those whose name holds one of the words. */
import { dispose } from '@livekit/rtc-node'

import { has } from './case-tools.ts'
import { cases } from './cases.ts'

const wanted = process.argv.slice(2)
let passed = 0
let failed = 0
let skipped = 0
for (const one of cases) {
  const { name, needs } = one
  if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue
  const missing = needs.filter((program) => !has(program))
  if (missing.length > 0) {
    skipped += 1
    console.log(`skipped  ${name}: ${missing.join(', ')} not here (npm run peers)`)
    continue
  }
  const begin = performance.now()
  try {
    const figures = await one.run()
    passed += 1
    console.log(`ok       ${name}  (${((performance.now() - begin) / 1_000).toFixed(1)} s)\n         ${figures}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED   ${name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
}
await dispose()
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
if (failed > 0) process.exitCode = 1
