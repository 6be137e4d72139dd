import assert from 'node:assert/strict'
import test from 'node:test'

import { mintDatabaseToken, mintHostToken } from '../../host/auth/mint-token.ts'
import { newKeyRing, removeKey, rotateKeys, signingKey } from '../../host/auth/signing-key.ts'
import { TokenVerifier } from '../../host/auth/verify-token.ts'
import * as limits from '../../host/limits.ts'
import { SetClock, trusted } from './auth-fixture.ts'

const sarah = { subject: 'sarah', ttlSeconds: 3_600, claims: {}, rights: [] }

test('a database token says who its bearer is in that database', async () => {
  const clock = new SetClock()
  const ring = newKeyRing()
  const token = await mintDatabaseToken(ring, { ...sarah, claims: { role: 'nurse' }, rights: ['act-for'] }, clock)
  assert.deepEqual(await new TokenVerifier(clock).verify(token, trusted('database', ring)), {
    kind: 'database',
    login: { issuer: ring.issuer, subject: 'sarah' },
    assurance: 'signed',
    claims: { role: 'nurse' },
    rights: ['act-for'],
    expiresAt: clock.seconds + 3_600,
  })
})

test('a host token carries the roles of one tenant', async () => {
  const clock = new SetClock()
  const ring = newKeyRing()
  const token = await mintHostToken(ring, { subject: 'ada', tenant: 'acme', roles: ['publisher', 'auditor'], ttlSeconds: 60 }, clock)
  assert.deepEqual(await new TokenVerifier(clock).verify(token, trusted('host', ring)), {
    kind: 'host',
    subject: 'ada',
    tenant: 'acme',
    roles: ['publisher', 'auditor'],
    expiresAt: clock.seconds + 60,
  })
})

test('an operator has no tenant, and every other role has one', async () => {
  const clock = new SetClock()
  const ring = newKeyRing()
  const request = { subject: 'op', ttlSeconds: 60 }
  await assert.rejects(mintHostToken(ring, { ...request, tenant: 'acme', roles: ['operator'] }, clock), { code: 'ERR_REQUEST_MALFORMED' })
  await assert.rejects(mintHostToken(ring, { ...request, tenant: undefined, roles: ['admin'] }, clock), { code: 'ERR_REQUEST_MALFORMED' })
  await assert.rejects(mintHostToken(ring, { ...request, tenant: 'acme', roles: [] }, clock), { code: 'ERR_REQUEST_MALFORMED' })
})

test('a token is refused in the second it expires, also when it was verified before', async () => {
  const clock = new SetClock()
  const ring = newKeyRing()
  const verifier = new TokenVerifier(clock)
  const token = await mintDatabaseToken(ring, sarah, clock)
  clock.seconds += 3_599
  await verifier.verify(token, trusted('database', ring))
  clock.seconds += 1
  await assert.rejects(verifier.verify(token, trusted('database', ring)), { code: 'ERR_TOKEN_EXPIRED' })
  await assert.rejects(new TokenVerifier(clock).verify(token, trusted('database', ring)), { code: 'ERR_TOKEN_EXPIRED' })
})

test('a token of one database is worth nothing at another or at the host', async () => {
  const clock = new SetClock()
  const [a, b] = [newKeyRing(), newKeyRing()]
  const verifier = new TokenVerifier(clock)
  const token = await mintDatabaseToken(a, sarah, clock)
  await assert.rejects(verifier.verify(token, trusted('database', b)), { code: 'ERR_TOKEN_AUDIENCE' })
  await assert.rejects(verifier.verify(token, trusted('host', b)), { code: 'ERR_TOKEN_AUDIENCE' })
})

test("a token that was verified as a database's is not remembered as the host's", async () => {
  const clock = new SetClock()
  const ring = newKeyRing()
  const verifier = new TokenVerifier(clock)
  const token = await mintDatabaseToken(ring, sarah, clock)
  await verifier.verify(token, trusted('database', ring))
  await assert.rejects(verifier.verify(token, trusted('host', ring)), { code: 'ERR_TOKEN_INVALID' })
})

test('older keys verify until they are removed, and then also remembered tokens are refused', async () => {
  const clock = new SetClock()
  const before = newKeyRing()
  const verifier = new TokenVerifier(clock)
  const token = await mintDatabaseToken(before, sarah, clock)
  const rotated = rotateKeys(before)
  await verifier.verify(token, trusted('database', rotated))
  const without = removeKey(rotated, signingKey(before).kid)
  await assert.rejects(verifier.verify(token, trusted('database', without)), { code: 'ERR_TOKEN_INVALID' })
})

test('reserved and unreadable claims are not signed', async () => {
  const clock = new SetClock()
  const refused = [
    { iss: 'other' },
    { rights: 'act-for' },
    { roles: 'operator' },
    { tenant: 'acme' },
    { act: 'x' },
    { constructor: '\0' },
    { 'two words': 'x' },
    { role: '\ud800' },
    { role: 'x'.repeat(limits.claimSizeBytesMax + 1) },
    Object.fromEntries([['__proto__', 'x']]),
    Object.fromEntries(Array.from({ length: limits.claimsMax + 1 }, (_, index) => [`c${index}`, 'x'])),
  ]
  for (const claims of refused) {
    await assert.rejects(mintDatabaseToken(newKeyRing(), { ...sarah, claims }, clock), { code: 'ERR_REQUEST_MALFORMED' }, JSON.stringify(claims))
  }
})

test('a subject that could forge a log line, an endless life and an unknown right are not signed', async () => {
  const clock = new SetClock()
  const refused = [
    { subject: '' },
    { subject: 'x'.repeat(256) },
    { subject: 'sarah\n{"level":"info"}' },
    { subject: '\u001b[2J' },
    { subject: '\u202egro' },
    { ttlSeconds: 0 },
    { ttlSeconds: 1.5 },
    { ttlSeconds: Number.NaN },
    { ttlSeconds: limits.tokenTtlSecondsMax + 1 },
    { rights: ['publish'] },
    { rights: ['act-for', 'act-for'] },
  ]
  for (const change of refused) {
    await assert.rejects(mintDatabaseToken(newKeyRing(), { ...sarah, ...change }, clock), { code: 'ERR_REQUEST_MALFORMED' }, JSON.stringify(change))
  }
})

test('a token that no request could carry is not signed', async () => {
  const claims = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`c${index}`, 'x'.repeat(limits.claimSizeBytesMax)]))
  await assert.rejects(mintDatabaseToken(newKeyRing(), { ...sarah, claims }, new SetClock()), { code: 'ERR_REQUEST_TOO_LARGE' })
})
