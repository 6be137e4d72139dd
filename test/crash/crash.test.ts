/** A share of `npm run crash`: hosts that are killed, damaged folders, publish storms and failing disks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runCycles } from './cycles.ts'
import { diskFaults, FullDisk } from './disk-faults.ts'
import { Endurance } from './faults.ts'
import { runFlips } from './flips.ts'
import { dropOnFullDisk } from './full-disk.ts'
import { runStorm } from './storm.ts'

/** Another one each time: what it finds is found again by its number. */
const seed = Math.trunc(Math.random() * 1_000_000)

function problems(): { readonly found: string[]; readonly onProblem: (what: string) => void } {
  const found: string[] = []
  return { found, onProblem: (what) => found.push(what) }
}

test('hosts that are killed at any moment have lost nothing, done nothing twice and nothing by half', { timeout: 300_000 }, async (context) => {
  const { found, onProblem } = problems()
  const { passed, acknowledged } = await runCycles({ cycles: 8, seed, sizeMb: 0, onProblem })
  context.diagnostic(`seed ${seed}: ${passed} hosts killed, ${acknowledged} answers`)
  assert.deepEqual(found, [])
  assert.equal(passed, 8)
})

test('a data folder with a file that is damaged gives back every database whole, or refuses it by name', { timeout: 300_000 }, async (context) => {
  const { found, onProblem } = problems()
  const { passed, fates } = await runFlips({ flips: 40, seed, onProblem })
  context.diagnostic(`seed ${seed}: ${[...fates].map(([kind, { whole, refused }]) => `${kind} ${whole}/${refused}`).join(', ')}`)
  assert.deepEqual(found, [])
  assert.equal(passed, 40)
})

test('versions follow each other while hosts are killed, and each call runs in one', { timeout: 300_000 }, async (context) => {
  const { found, onProblem } = problems()
  const { passed, kills } = await runStorm({ upgrades: 30, seed, onProblem })
  context.diagnostic(`seed ${seed}: ${passed} publishes, ${kills} hosts killed`)
  assert.deepEqual(found, [])
  assert.ok(passed >= 30)
})

test('a host whose disk fails for a while goes on reading, tells whoever writes, and afterwards goes on as before', { timeout: 300_000 }, async (context) => {
  using endurance = await Endurance.begin(seed)
  for (const fault of diskFaults) {
    const missing = process.env['CI'] === 'true' ? undefined : fault.missing()
    await context.test(fault.name, { skip: missing ?? false }, async () => assert.deepEqual(await endurance.endure(fault), []))
  }
  assert.deepEqual(await endurance.end(), [])
})

const fullDisk = new FullDisk()

test('a database that has filled the disk can be dropped, and then the others go on', { timeout: 60_000, skip: fullDisk.missing() ?? false }, async () => {
  assert.deepEqual(await dropOnFullDisk(fullDisk), { before: 'ERR_STORAGE', drop: 'ok', after: 'ok' })
})
