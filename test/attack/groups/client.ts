/** Attacks by a client that needs no module of its own: somebody else's token, and values that are none. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'

import { bounded, denied, survived } from '../attack.ts'
import type { ActAttack, Attack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena, Client } from '../arena.ts'

const act = (name: string, number: number, expected: ActAttack['expected'], run: ActAttack['act']): ActAttack => ({
  kind: 'act',
  group: 'capability',
  name,
  number,
  expected,
  act: run,
})

async function listener(arena: Arena): Promise<Client> {
  return arena.attacker({
    reducers: [
      { name: 'hear_text', params: ['string'], body: '' },
      { name: 'hear_number', params: ['u64'], body: '' },
      { name: 'hear_float', params: ['f64'], body: '' },
      { name: 'start', kind: 'init', body: '' },
    ],
  })
}

const hears = (name: string, number: number, expected: ActAttack['expected'], reducer: string, value: unknown): Attack =>
  act(name, number, expected, async (arena) => verdictOf(await (await listener(arena)).call(reducer, [value])))

/** Names that are each as long as may be, all but the last letters of what will be asked for. */
const LONG_NAMES = Array.from({ length: 480 }, (_, index) => `${'a'.repeat(50)}${String(index).padStart(4, '0')}`)

export const clientAttacks: readonly Attack[] = [
  act('calls with a token of another database', 88, denied('ERR_TOKEN_AUDIENCE'), async (arena) => {
    const [here, there] = [await listener(arena), await listener(arena)]
    const path = `/v1/databases/${here.database}/call/hear_text`
    return verdictOf(await arena.host.request('POST', path, { token: there.token, body: { args: ['x'] } }))
  }),
  act('calls with a token whose signature it has changed', 87, denied('ERR_TOKEN_INVALID'), async (arena) => {
    const { database, token } = await listener(arena)
    const changed = token.slice(0, -8) + (token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA')
    return verdictOf(await arena.host.request('POST', `/v1/databases/${database}/call/hear_text`, { token: changed, body: { args: ['x'] } }))
  }),
  act('calls as nobody', 87, denied('ERR_TOKEN_MISSING'), async (arena) => {
    const { database } = await listener(arena)
    return verdictOf(await arena.host.request('POST', `/v1/databases/${database}/call/hear_text`, { body: { args: ['x'] } }))
  }),
  act('calls what only the host may run', 54, denied('ERR_REDUCER_HOST_ONLY'), async (arena) => verdictOf(await (await listener(arena)).call('start'))),
  act('reads the log of a module as a person', 53, denied('ERR_RIGHT_MISSING'), async (arena) => {
    const { database, token } = await listener(arena)
    return verdictOf(await arena.host.request('GET', `/v1/databases/${database}/logs`, { token }))
  }),
  hears('sends half of a surrogate pair', 66, denied('ERR_ARGUMENT_RANGE'), 'hear_text', '\ud800'),
  hears('sends U+0000', 66, denied('ERR_ARGUMENT_RANGE'), 'hear_text', 'a\0b'),
  hears('sends an integer past 2^63 - 1', 68, denied('ERR_ARGUMENT_RANGE'), 'hear_number', '9223372036854775808'),
  hears('sends an integer that JSON has rounded', 68, denied('ERR_ARGUMENT_RANGE'), 'hear_number', 2 ** 53),
  hears('sends a text where a number belongs', 67, denied('ERR_ARGUMENT_TYPE'), 'hear_float', 'NaN'),
  act('names a hundred and fifty thousand arguments that nobody takes', 19, denied('ERR_ARGUMENT_COUNT'), async (arena) => {
    const wide = { name: 'wide', params: Array.from({ length: 200 }, () => 'u32?'), body: '' }
    const { database, token } = await arena.attacker({ reducers: [wide] })
    const args = Object.fromEntries(Array.from({ length: 150_000 }, (_, index) => [`k${index}`, 0]))
    return verdictOf(await arena.host.request('POST', `/v1/databases/${database}/call/wide`, { token, body: { args } }))
  }),
  act('asks two hundred times for a reducer that almost exists', 11, bounded(), async (arena) => {
    const { database, token } = await arena.attacker({
      reducers: [],
      description: { tables: [], records: [], reducers: LONG_NAMES.map((name) => ({ name, kind: 'reducer', tables: [], params: [], result: 'void' })) },
    })
    const path = `/v1/databases/${database}/call/${'a'.repeat(49)}b0000`
    const replies = await Promise.all(Array.from({ length: 200 }, () => arena.host.request('POST', path, { token, body: {} })))
    assert.deepEqual(new Set(replies.map(verdictOf)), new Set(['ERR_REDUCER_UNKNOWN']))
    return 'ok'
  }),
  act('opens two hundred sockets and says nothing', 83, survived(), async (arena) => {
    const sockets = Array.from({ length: 200 }, () => connect(arena.host.port, '127.0.0.1').on('error', () => undefined))
    try {
      return verdictOf(await arena.host.request('GET', '/v1/health'))
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  }),
]
