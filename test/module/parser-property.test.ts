import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import { HostError } from '../../host/errors.ts'
import { checkStructure } from '../../host/module/check-component.ts'
import { guestComponent, INITIALIZE } from './guests.ts'

let component: Uint8Array

before(async () => {
  component = await guestComponent({ more: INITIALIZE })
})

/** Accepts or refuses; anything else that is thrown is a crash of the parser. */
function survives(bytes: Uint8Array): boolean {
  try {
    checkStructure(bytes)
    return true
  } catch (error) {
    return error instanceof HostError && error.message.length < 1_000
  }
}

test('no flipped bytes crash or stall the parser', () => {
  const flips = fc.array(fc.tuple(fc.nat(component.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 8 })
  const started = performance.now()
  fc.assert(
    fc.property(flips, (changes) => {
      const changed = component.slice()
      for (const [offset, mask] of changes) changed[offset] = (changed[offset] ?? 0) ^ mask
      return survives(changed)
    }),
    { numRuns: 3_000 },
  )
  assert.ok(performance.now() - started < 20_000)
})

test('no bytes cut out or put in crash the parser', () => {
  const edit = fc.tuple(fc.nat(component.length), fc.nat(64), fc.uint8Array({ maxLength: 64 }))
  fc.assert(
    fc.property(edit, ([offset, cut, put]) => survives(Buffer.concat([component.subarray(0, offset), put, component.subarray(offset + cut)]))),
    { numRuns: 2_000 },
  )
})

test('no random bytes behind a header crash the parser', () => {
  const header = component.subarray(0, 8)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => survives(Buffer.concat([header, bytes])) && survives(bytes)),
    { numRuns: 2_000 },
  )
})
