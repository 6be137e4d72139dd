/** Attacks on publishing: by those who may not, in a race, under load, and with the power cut. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import { componentSizeBytesMax } from '../../../host/limits.ts'
import type { Reply } from '../../api/http-client.ts'
import { bounded, denied, refused, survived } from '../attack.ts'
import type { ActAttack, Attack } from '../attack.ts'
import { verdictOf } from '../arena.ts'
import type { Arena } from '../arena.ts'
import { attackingGuest } from '../guest.ts'
import { HostProcess } from '../host-process.ts'

const act = (name: string, number: number, expected: ActAttack['expected'], run: ActAttack['act']): ActAttack => ({
  kind: 'act',
  group: 'publish',
  name,
  number,
  expected,
  act: run,
})

/** A module that answers which one it is. */
function moduleNumber(number: number): Promise<Uint8Array> {
  const body = `(call $keep) (i32.store (i32.const 1500) (i32.const ${number})) (call $answer (i32.const 1500) (i32.const 4))`
  return attackingGuest({ reducers: [{ name: 'which', tables: [{ table: 'notes', mode: 'write' }], result: 'u32', body }] })
}

/** Publishes to a database with a module as somebody who may not; the old module must stay. */
function stranger(name: string, expected: ActAttack['expected'], tokenOf: (arena: Arena, database: string) => Promise<string | undefined>): Attack {
  return act(name, 74, expected, async (arena) => {
    const { database } = await arena.attacker({ reducers: [] })
    const token = await tokenOf(arena, database)
    const reply = await put(arena, database, await moduleNumber(2), token)
    assert.equal(await arena.version(database), 1)
    return verdictOf(reply)
  })
}

function put(arena: Arena, database: string, body: Uint8Array, token?: string, headers: Record<string, string> = {}): Promise<Reply> {
  return arena.host.request('PUT', `/v1/databases/${database}/module`, { body, headers, ...(token === undefined ? {} : { token }) })
}

async function tenantToken(arena: Arena, tenant: string, roles: readonly string[]): Promise<string> {
  const token = arena.host.operator
  if (tenant !== 'default') await arena.host.request('POST', '/v1/tenants', { token, body: { name: tenant } })
  const { body } = await arena.host.request('POST', `/v1/tenants/${tenant}/tokens`, { token, body: { subject: 'mallory', roles, ttlSeconds: 60 } })
  return body.token
}

const strangers: readonly Attack[] = [
  stranger('publishes without a token', denied('ERR_TOKEN_MISSING'), async () => undefined),
  stranger('publishes with a token of its own making', denied('ERR_TOKEN_INVALID'), async () => forged()),
  stranger('publishes with a token of a person', denied('ERR_RIGHT_MISSING'), (arena, database) => arena.token(database, 'sarah')),
  stranger('publishes with a token of a person who may act for others', denied('ERR_RIGHT_MISSING'), (arena, database) =>
    arena.token(database, 'agent', ['act-for']),
  ),
  stranger('publishes as an auditor', denied('ERR_RIGHT_MISSING'), (arena) => tenantToken(arena, 'default', ['auditor'])),
  stranger('publishes as an admin who is no publisher', denied('ERR_RIGHT_MISSING'), (arena) => tenantToken(arena, 'default', ['admin'])),
  stranger('publishes as a publisher of another tenant', denied('ERR_DATABASE_UNKNOWN'), (arena) => tenantToken(arena, 'acme', ['publisher'])),
]

function forged(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ iss: 'host', aud: 'host', sub: 'operator', roles: ['operator'], exp: 9_999_999_999 })}.`
}

/** The host answers before it has read everything; a client that still writes may lose the answer with the connection. */
async function putWhole(arena: Arena, database: string, bytes: Uint8Array): ReturnType<typeof put> {
  for (let tries = 1; ; tries++) {
    try {
      return await put(arena, database, bytes, arena.host.operator)
    } catch (error) {
      if (tries === 10) throw error
    }
  }
}

const uploads: readonly Attack[] = [
  act('uploads more than eight megabytes', 63, refused('ERR_COMPONENT_TOO_LARGE'), async (arena) =>
    verdictOf(await putWhole(arena, await arena.createDatabase(), new Uint8Array(componentSizeBytesMax + 1))),
  ),
  act('uploads a compressed body', 63, denied('ERR_REQUEST_MALFORMED'), async (arena) =>
    verdictOf(await put(arena, await arena.createDatabase(), new Uint8Array(100), arena.host.operator, { 'content-encoding': 'gzip' })),
  ),
  act('uploads under another content type', 63, denied('ERR_REQUEST_MALFORMED'), async (arena) =>
    verdictOf(await put(arena, await arena.createDatabase(), new Uint8Array(100), arena.host.operator, { 'content-type': 'text/html' })),
  ),
  act('publishes to a path outside the data folder', 79, denied('ERR_DATABASE_NAME'), async (arena) =>
    verdictOf(await put(arena, encodeURIComponent('../../etc'), await moduleNumber(1), arena.host.operator)),
  ),
  act('creates a database of a look-alike name', 79, denied('ERR_DATABASE_NAME'), async (arena) =>
    verdictOf(await arena.host.request('POST', '/v1/databases', { token: arena.host.operator, body: { name: 'innоcent' } })),
  ),
  act('publishes a module without the table that holds rows', 75, refused('ERR_SCHEMA_CHANGE'), async (arena) => {
    const attacker = await arena.attacker({ reducers: [] })
    const before = await attacker.countNotes()
    const reply = await arena.publish(attacker.database, await attackingGuest({ reducers: [], description: { tables: [], reducers: [] } }))
    assert.equal(await attacker.countNotes(), before)
    return verdictOf(reply)
  }),
  act('publishes a module whose init traps', 76, refused('ERR_CALL_TRAPPED'), async (arena) => {
    const database = await arena.createDatabase()
    const start = { name: 'start', kind: 'init', tables: [{ table: 'notes', mode: 'write' }], body: '(call $keep) (unreachable)' } as const
    const reply = await arena.publish(database, await attackingGuest({ reducers: [start] }))
    assert.equal(await arena.version(database), 0)
    return verdictOf(reply)
  }),
]

const races: readonly Attack[] = [
  act('publishes eight modules to one database at once', 80, bounded(), async (arena) => {
    const database = await arena.createDatabase()
    const components = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(moduleNumber))
    const replies = await Promise.all(components.map((component) => arena.publish(database, component)))
    assert.deepEqual(
      replies.map(verdictOf),
      replies.map(() => 'ok'),
    )
    const versions = replies.map((reply): number => reply.body.version)
    assert.deepEqual(new Set(versions), new Set([1, 2, 3, 4, 5, 6, 7, 8]))
    const { body } = await (await arena.client(database, 'mallory')).call('which')
    assert.deepEqual({ version: body.version, result: body.result }, { version: 8, result: versions.indexOf(8) + 1 })
    return 'ok'
  }),
  act('publishes forty modules at once', 80, bounded(), async (arena) => {
    const database = await arena.createDatabase()
    const component = await moduleNumber(1)
    const verdicts = (await Promise.all(Array.from({ length: 40 }, () => arena.publish(database, component)))).map(verdictOf)
    assert.ok(verdicts.every((verdict) => verdict === 'ok' || verdict === 'ERR_BUSY'))
    assert.ok(verdicts.includes('ok'))
    assert.equal(await arena.version(database), 1)
    return 'ok'
  }),
  act('swaps the module under a hundred calls', 77, bounded(), async (arena) => {
    const database = await arena.createDatabase()
    assert.equal(verdictOf(await arena.publish(database, await moduleNumber(1))), 'ok')
    const attacker = await arena.client(database, 'mallory')
    const next = await moduleNumber(2)
    const published = arena.publish(database, next)
    const replies: Reply[] = []
    for (let round = 0; round < 10; round += 1) replies.push(...(await Promise.all(Array.from({ length: 10 }, () => attacker.call('which')))))
    assert.equal(verdictOf(await published), 'ok')
    assert.deepEqual([...new Set(replies.map(verdictOf))], ['ok'])
    assert.ok(
      replies.every(({ body }) => body.result === body.version),
      'a call ran half in one version',
    )
    assert.equal((await attacker.call('which')).body.result, 2)
    assert.equal(await attacker.countNotes(), '101')
    return 'ok'
  }),
]

/** A host of its own dies between the upload's first byte and the answer; afterwards there is the old module or the new one, and every acknowledged row. */
const kill = act('kills the host in the middle of a publish', 81, survived(), async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-killed-'))
  try {
    await using host = new HostProcess(folder, 'fresh')
    await host.start()
    const token = host.operator
    await host.request('POST', '/v1/databases', { token, body: { name: 'claims' } })
    const publish = async (number: number): Promise<Reply> =>
      host.request('PUT', '/v1/databases/claims/module', { token: host.operator, body: await moduleNumber(number) })
    assert.equal((await publish(1)).body.version, 1)
    let kept = 0
    let version = 1
    for (const delayMs of [3, 12, 30]) {
      const { token: person } = (
        await host.request('POST', '/v1/databases/claims/tokens', { token: host.operator, body: { subject: 'sarah', ttlSeconds: 60 } })
      ).body
      assert.equal((await host.request('POST', '/v1/databases/claims/call/which', { token: person, body: {} })).body.result, version)
      kept += 1
      const publishing = publish(version + 1).catch(() => undefined)
      await setTimeout(delayMs)
      await host.kill()
      const acknowledged = (await publishing)?.body.version
      await host.start()
      const after = (await host.request('POST', '/v1/databases/claims/call/which', { token: person, body: {} })).body
      kept += 1
      assert.ok(after.version === after.result && (after.version === version || after.version === version + 1), JSON.stringify(after))
      if (acknowledged !== undefined) assert.equal(after.version, acknowledged)
      version = after.version
      assert.equal((await host.request('POST', '/v1/databases/claims/query/count_notes', { token: person, body: {} })).body.result, String(kept))
    }
    return 'ok'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

export const publishAttacks: readonly Attack[] = [...strangers, ...uploads, ...races, kill]
