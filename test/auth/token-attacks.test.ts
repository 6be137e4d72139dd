/** ATTACKS 86 to 88: every token here is one that somebody else's verifier has taken. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'

import { CompactEncrypt } from 'jose'

import { mintDatabaseToken } from '../../host/auth/mint-token.ts'
import { generateKey, newKeyRing, publicKey, signingKey } from '../../host/auth/signing-key.ts'
import { TokenVerifier } from '../../host/auth/verify-token.ts'
import * as limits from '../../host/limits.ts'
import { encode, plainHeader, SetClock, signRaw, trusted } from './auth-fixture.ts'

const clock = new SetClock()
const ring = newKeyRing()
const key = signingKey(ring)
const payload = { iss: ring.issuer, aud: ring.issuer, sub: 'sarah', exp: clock.seconds + 60 }
const good = JSON.stringify(payload)

function verify(token: string): Promise<unknown> {
  return new TokenVerifier(clock).verify(token, trusted('database', ring))
}

async function refuses(token: string, code = 'ERR_TOKEN_INVALID'): Promise<void> {
  await assert.rejects(verify(token), { code })
}

test('the fixture writes tokens that are taken when nothing is wrong with them', async () => {
  await verify(signRaw(key, plainHeader(ring), good))
})

test('alg none is refused, with and without a signature', async () => {
  for (const alg of ['none', 'None', 'nOnE', '']) {
    const header = JSON.stringify({ alg, kid: key.kid })
    await refuses(`${encode(header)}.${encode(good)}.`)
    await refuses(signRaw(key, header, good))
  }
})

test('HS256 with the public key as its secret is refused', async () => {
  const input = `${encode(JSON.stringify({ alg: 'HS256', kid: key.kid }))}.${encode(good)}`
  for (const secret of [key.x, Buffer.from(key.x, 'base64url'), JSON.stringify(publicKey(key))]) {
    await refuses(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)
    await refuses(`${input}.${createHmac('sha512', secret).update(input).digest('base64url')}`)
  }
})

test('a key that the token brings along is not used', async () => {
  const own = generateKey()
  for (const extra of [{ jwk: publicKey(own) }, { jku: 'http://127.0.0.1:9/keys' }, { x5u: 'http://127.0.0.1:9/cert' }, { x5c: ['MIIB'] }]) {
    await refuses(signRaw(own, JSON.stringify({ alg: 'EdDSA', kid: key.kid, ...extra }), good))
    await refuses(signRaw(own, JSON.stringify({ alg: 'EdDSA', kid: own.kid, ...extra }), good))
  }
})

test('critical, compressed and unencoded headers are refused even under a good signature', async () => {
  for (const extra of [{ crit: ['exp'], exp: 1 }, { crit: [] }, { b64: false, crit: ['b64'] }, { zip: 'DEF' }, { typ: 'JWT' }, { jwk: publicKey(key) }]) {
    await refuses(signRaw(key, JSON.stringify({ alg: 'EdDSA', kid: key.kid, ...extra }), good))
  }
})

test('a kid is looked for in the list of keys and nowhere else', async () => {
  for (const kid of ['../../../dev/null', "x' UNION SELECT 1 --", '', '__proto__', 'constructor', 'x'.repeat(2_000), 0, null, ['a'], { a: 1 }]) {
    await refuses(signRaw(key, JSON.stringify({ alg: 'EdDSA', kid }), good))
  }
  await refuses(signRaw(key, JSON.stringify({ alg: 'EdDSA' }), good))
})

test('a claim or header that stands there twice is refused', async () => {
  await refuses(signRaw(key, plainHeader(ring), good.replace('"sub":"sarah"', '"sub":"sarah","sub":"admin"')))
  await refuses(signRaw(key, plainHeader(ring), good.replace('"sub":"sarah"', '"sub":"sarah","s\\u0075b":"admin"')))
  await refuses(signRaw(key, plainHeader(ring).replace('{', '{"alg":"none",'), good))
})

test('a JWE is refused', async () => {
  const sealed = await new CompactEncrypt(Buffer.from(good)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(new Uint8Array(32))
  await refuses(sealed)
})

test('a token before its time, without an end, or with times that are no numbers is refused', async () => {
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, nbf: clock.seconds + 1 })))
  await verify(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, nbf: clock.seconds })))
  const { exp: _exp, ...endless } = payload
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify(endless)))
  for (const exp of ['9999999999', null, true, [], {}]) await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, exp })))
  await refuses(signRaw(key, plainHeader(ring), good.replace(/"exp":\d+/, '"exp":1e999')))
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, exp: clock.seconds })), 'ERR_TOKEN_EXPIRED')
})

test('issuer, audience and subject must each be what this database wrote', async () => {
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, iss: 'other' })), 'ERR_TOKEN_AUDIENCE')
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, aud: 'other' })), 'ERR_TOKEN_AUDIENCE')
  await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, iss: [ring.issuer] })))
  for (const sub of [7, null, ['sarah'], { toString: 'sarah' }]) await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, sub })))
})

test("a token signed by another database's key is refused", async () => {
  await refuses(signRaw(signingKey(newKeyRing()), plainHeader(ring), good))
})

test('claims that could not reach a call are refused under a good signature', async () => {
  for (const claims of [{ nested: { a: 1 } }, { list: [1] }, { empty: null }, { 'a b': 'x' }, { role: '\0' }, { rights: 'act-for' }]) {
    await refuses(signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, ...claims })))
  }
  await refuses(signRaw(key, plainHeader(ring), good.replace('{', '{"__proto__":{"role":"admin"},')))
})

test('numbers and booleans among the claims become their text', async () => {
  const token = signRaw(key, plainHeader(ring), JSON.stringify({ ...payload, age: 41, member: true }))
  const principal = await new TokenVerifier(clock).verify(token, trusted('database', ring))
  assert.deepEqual(principal.kind === 'database' && principal.claims, { age: '41', member: 'true' })
})

test('no changed, cut or overlong token is taken', async () => {
  const token = await mintDatabaseToken(ring, { subject: 'sarah', ttlSeconds: 60, claims: {}, rights: [] }, clock)
  for (let index = 0; index < token.length; index += 7) {
    await assert.rejects(verify(token.slice(0, index)), { code: 'ERR_TOKEN_INVALID' })
    const changed = token[index] === 'A' ? 'B' : 'A'
    await assert.rejects(verify(token.slice(0, index) + changed + token.slice(index + 1)))
  }
  for (const text of ['', '.', '..', '...', 'a.b.c', `${token}=`, `${token} `, ` ${token}`, `${token}\n`, token.replaceAll('.', '..'), 'é'.repeat(50)]) {
    await refuses(text)
  }
  await refuses(token + 'A'.repeat(limits.tokenSizeBytesMax))
})
