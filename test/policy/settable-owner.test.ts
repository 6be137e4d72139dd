/** `@owner({ settable: true })`: the back office opens a claim for Sarah, and nobody else does. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { buildModule } from '../../host/module/build.ts'
import { openModule } from '../../host/testing.ts'
import { ModuleFolder } from '../guest-sdk/module-fixture.ts'

using folder = new ModuleFolder({
  'index.ts': `
import { Appender, Context, Identity, Reader } from "remembrancer/guest-sdk";

@table("claims")
@policy("insert", "claim('role') = 'office' and actor = sender")
class Claim {
  @autoIncrement id: u64;
  @owner({ settable: true }) caller: Identity;
  @unique kind: string;
}

@reducer
export function openFor(ctx: Context, claims: Appender<Claim>, caller: Identity, kind: string): u64 {
  const claim = new Claim(kind);
  claim.caller = caller;
  return claims.insert(claim).id;
}

@reducer
export function open(ctx: Context, claims: Appender<Claim>, kind: string): u64 {
  return claims.insert(new Claim(kind)).id;
}

@query
export function claims(ctx: Context, claims: Reader<Claim>): string[] {
  return claims.all().map<string>((claim) => claim.kind);
}
`,
})
const { component } = await buildModule(folder.path, { optimize: false })
const module = await openModule(component)
after(() => module.close())

const office = await module.as('office', { claims: { role: 'office' } })
const sarah = await module.as('sarah')
const bob = await module.as('bob')

test('an insert policy lets the office name the owner, whose row it then is', async () => {
  await office.call('open_for', [sarah.identity, 'water damage'])
  assert.deepEqual([sarah.query('claims'), office.query('claims'), bob.query('claims')], [['water damage'], [], []])
})

test('ids count for the owner of the row, whoever inserts it', async () => {
  assert.equal(await office.call('open', ['its own']), 1n)
  assert.deepEqual([await sarah.call('open', ['storm']), await office.call('open_for', [sarah.identity, 'flood'])], [2n, 3n])
})

test('uniques are within the owner of the row', async () => {
  await assert.rejects(office.call('open_for', [sarah.identity, 'flood']), { code: 'ERR_ROW_DUPLICATE' })
  assert.equal(await office.call('open_for', [bob.identity, 'flood']), 1n)
})

test('for whom no policy opens it, the owner is the sender or nobody', async () => {
  await assert.rejects(bob.call('open_for', [sarah.identity, 'fraud']), { code: 'ERR_ROW_DENIED' })
  assert.equal(await bob.call('open_for', [bob.identity, 'hail']), 2n)
  assert.deepEqual(sarah.rows('claims').length, 3)
})

test('the publish says that the owner can be set', () => {
  assert.deepEqual(module.report.policiesAdded, [
    'claims: all where caller = sender, and an insert may name another owner',
    "claims: insert where claim('role') = 'office' and actor = sender",
  ])
})
