/** Attacks through a module's log: floods, messages of nothing, and characters that move a cursor. */
import assert from 'node:assert/strict'

import { bounded, trapped } from '../attack.ts'
import type { Attack } from '../attack.ts'
import type { Arena } from '../arena.ts'
import { verdictOf } from '../arena.ts'
import { watBytes } from '../guest.ts'

/** What a log may keep of a module that writes as much as it can: entries, and bytes as they are sent. */
const ENTRIES_MAX = 1_000
const BYTES_MAX = 1.2 * 2 ** 20

async function flooded(arena: Arena, body: string): Promise<string> {
  const attacker = await arena.attacker({ reducers: [{ name: 'flood', body }], more: `(data (i32.const 1024) "${watBytes(Buffer.from(HOSTILE))}")` })
  assert.equal(verdictOf(await attacker.call('flood')), 'ok')
  const { status, body: log } = await arena.host.request('GET', `/v1/databases/${attacker.database}/logs`, { token: arena.host.operator })
  assert.equal(status, 200)
  return log
}

const HOSTILE = 'ok\u001b[2J\u001b]0;owned\u0007\r\n{"level":"error"}\u2028\u0085\u009b31m\u202egnp'

const times = (count: number, message: string): string =>
  `(loop $on (call $write (i32.const 1) ${message}) (br_if $on (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 1))) (i32.const ${count}))))`

function flood(name: string, body: string): Attack {
  return {
    kind: 'act',
    group: 'memory',
    number: 24,
    name,
    expected: bounded(),
    act: async (arena) => {
      const log = await flooded(arena, body)
      const lines = log.trimEnd().split('\n')
      assert.ok(lines.length <= ENTRIES_MAX, `${lines.length} entries`)
      assert.ok(Buffer.byteLength(log) <= BYTES_MAX, `${Buffer.byteLength(log)} bytes`)
      assert.match(lines.at(-1) ?? '', /more messages of this call were dropped/)
      return 'ok'
    },
  }
}

export const logAttacks: readonly Attack[] = [
  flood('logs eight kilobytes two thousand times', times(2_000, '(i32.const 98304) (i32.const 8192)')),
  flood('logs nothing ten thousand times', times(10_000, '(i32.const 0) (i32.const 0)')),
  flood('logs one letter ten thousand times', times(10_000, '(i32.const 1024) (i32.const 1)')),
  {
    kind: 'act',
    group: 'memory',
    number: 25,
    name: 'logs control characters, line ends and a forged entry',
    expected: bounded(),
    act: async (arena) => {
      const log = await flooded(arena, `(call $write (i32.const 1) (i32.const 1024) (i32.const ${Buffer.byteLength(HOSTILE)}))`)
      assert.equal(log.trimEnd().split('\n').length, 1, 'one message made several entries')
      // oxlint-disable-next-line eslint/no-control-regex -- that none is there is the point
      assert.doesNotMatch(log.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
      assert.equal(JSON.parse(log).level, 'info')
      return 'ok'
    },
  },
  {
    kind: 'call',
    group: 'memory',
    number: 66,
    name: 'logs bytes that are no UTF-8',
    expected: trapped('ERR_CALL_TRAPPED'),
    body: '(i32.store (i32.const 1024) (i32.const 0x41c328c3)) (call $write (i32.const 1) (i32.const 1024) (i32.const 4))',
  },
  {
    kind: 'call',
    group: 'memory',
    number: 24,
    name: 'logs at a level that does not exist',
    expected: trapped('ERR_CALL_TRAPPED'),
    body: '(call $write (i32.const 4) (i32.const 1024) (i32.const 1))',
  },
  {
    kind: 'act',
    group: 'memory',
    number: 24,
    name: 'fails with a message of 64 KB',
    expected: trapped('ERR_CALL_FAILED'),
    act: async (arena) => {
      const attacker = await arena.attacker({
        reducers: [{ name: 'go', body: '(memory.fill (i32.const 65536) (i32.const 65) (i32.const 65536)) (call $fail (i32.const 65536) (i32.const 65536))' }],
      })
      const reply = await attacker.call('go')
      assert.equal(reply.body.error.message.length, 4_096)
      return verdictOf(reply)
    },
  },
]
