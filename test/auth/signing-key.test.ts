import assert from 'node:assert/strict'
import test from 'node:test'

import { calculateJwkThumbprint } from 'jose'

import { issuerState, newKeyRing, removeKey, rotateKeys, signingKey } from '../../host/auth/signing-key.ts'
import * as limits from '../../host/limits.ts'

test('every issuer is another one, with a key of its own', () => {
  const [one, other] = [newKeyRing(), newKeyRing()]
  assert.notEqual(one.issuer, other.issuer)
  assert.notEqual(signingKey(one).kid, signingKey(other).kid)
})

test("a key's kid is its RFC 7638 thumbprint", async () => {
  const key = signingKey(newKeyRing())
  assert.equal(key.kid, await calculateJwkThumbprint({ ...key }))
})

test('what is shown of an issuer holds no private key', () => {
  const ring = newKeyRing()
  const shown = JSON.stringify(issuerState(ring))
  assert.equal(shown.includes(signingKey(ring).d), false)
  assert.deepEqual(Object.keys(issuerState(ring).keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
})

test('after a rotation the new key signs and the old one is still listed', () => {
  const before = newKeyRing()
  const after = rotateKeys(before)
  assert.equal(after.issuer, before.issuer)
  assert.notEqual(signingKey(after).kid, signingKey(before).kid)
  assert.deepEqual(after.keys.slice(1), before.keys)
})

test('a removed key is gone, and the key that signs cannot be removed', () => {
  const before = newKeyRing()
  const rotated = rotateKeys(before)
  assert.deepEqual(removeKey(rotated, signingKey(before).kid).keys, [signingKey(rotated)])
  assert.throws(() => removeKey(rotated, signingKey(rotated).kid), { code: 'ERR_KEY_IN_USE' })
  assert.throws(() => removeKey(rotated, "../../etc/passwd' OR 1=1"), { code: 'ERR_KEY_UNKNOWN' })
})

test('keys that nobody removes stop further rotations', () => {
  let ring = newKeyRing()
  while (ring.keys.length < limits.keysPerIssuerMax) ring = rotateKeys(ring)
  assert.throws(() => rotateKeys(ring), { code: 'ERR_KEY_LIMIT' })
})
