/** Modules whose every instance is dear: each call makes a fresh one. */
import assert from 'node:assert/strict'

import { bounded, refused } from '../attack.ts'
import type { Attack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena } from '../arena.ts'
import { othersShare } from '../siege.ts'
import { attackingGuest } from '../guest.ts'
import type { GuestShape } from '../guest.ts'

/** Each call of such a module may take so long on average, and longer where others share the machine. */
const CALL_MS_MAX = 50
const CALLS = 30

function dear(name: string, number: number, shape: Omit<GuestShape, 'reducers'>): Attack {
  return {
    kind: 'act',
    group: 'memory',
    number,
    name,
    expected: bounded(),
    act: async (arena) => {
      const attacker = await arena.attacker({ ...shape, reducers: [] })
      const started = performance.now()
      for (let call = 0; call < CALLS; call += 1) assert.equal(verdictOf(await attacker.call('idle')), 'ok')
      const callMs = (performance.now() - started) / CALLS
      assert.ok(callMs <= CALL_MS_MAX * othersShare(), `a call takes ${callMs.toFixed(1)} ms`)
      return 'ok'
    },
  }
}

/** More of something than a module may have, because each instance makes all of it anew. */
function crowded(name: string, more: string): Attack {
  return {
    kind: 'publish',
    group: 'memory',
    number: 10,
    name,
    expected: refused('ERR_COMPONENT_CORE'),
    component: () => attackingGuest({ reducers: [], more }),
  }
}

/** How many memories attackers use up before somebody else needs one. */
const GROWING_CALLS = 4_400
const AT_ONCE = 40

async function growAndLeave(arena: Arena): Promise<void> {
  const attacker = await arena.attacker({ reducers: [{ name: 'grow', body: '(drop (memory.grow (i32.const 1)))' }] })
  for (let done = 0; done < GROWING_CALLS; done += AT_ONCE) {
    const replies = await Promise.all(Array.from({ length: AT_ONCE }, () => attacker.call('grow')))
    assert.deepEqual([...new Set(replies.map(verdictOf))], ['ok'])
  }
}

export const instanceAttacks: readonly Attack[] = [
  dear('starts with 16 MiB of memory at every call', 13, { memory: '(memory (export "memory") 256)' }),
  dear('fills a table of 20,000 elements at every call', 16, {
    tableSize: 20_000,
    more: `(func $idleToo) (elem (i32.const 2) ${'$idleToo '.repeat(19_998)})`,
  }),
  dear('has 9,900 globals', 10, { more: '(global (mut i64) (i64.const 1))'.repeat(9_900) }),
  dear('has 9,900 data segments', 10, { more: '(data (i32.const 65000) "x")'.repeat(9_900) }),
  dear('has 19,900 functions', 9, { more: '(func)'.repeat(19_900) }),
  dear('has four megabytes of data', 10, { memory: '(memory (export "memory") 70)', more: `(data (i32.const 131072) "${'x'.repeat(4_000_000)}")` }),
  crowded('has 90,000 globals', '(global (mut i64) (i64.const 1))'.repeat(90_000)),
  crowded('has 90,000 data segments', '(data (i32.const 65000) "x")'.repeat(90_000)),
  crowded('has 90,000 functions', '(func)'.repeat(90_000)),
  {
    kind: 'act',
    group: 'memory',
    number: 15,
    name: 'uses up more memories than may live, and a newcomer needs one',
    expected: bounded(),
    act: async (arena) => {
      await growAndLeave(arena)
      const database = await arena.createDatabase()
      // Of another size than any that lies ready.
      const component = await attackingGuest({ reducers: [], memory: '(memory (export "memory") 7 77)' })
      assert.equal(verdictOf(await arena.publish(database, component)), 'ok')
      return verdictOf(await (await arena.client(database, 'sarah')).call('idle'))
    },
  },
]
