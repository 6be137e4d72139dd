/** Timestamps as text, the edges of their range, and the one clock that reads the time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { formatTimestamp, parseTimestamp, seconds, systemClock, timestampMax, timestampMin } from '../host/clock.ts'

test('every timestamp comes back from its text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: timestampMin, max: timestampMax }), (micros) => {
      assert.equal(parseTimestamp(formatTimestamp(micros)), micros)
    }),
    { numRuns: 500 },
  )
})

test('texts sort as their moments do', () => {
  const moment = fc.bigInt({ min: timestampMin, max: timestampMax })
  fc.assert(fc.property(moment, moment, (left, right) => assert.equal(formatTimestamp(left) < formatTimestamp(right), left < right)))
})

test('a timestamp is written in UTC with six digits', () => {
  assert.equal(formatTimestamp(0n), '1970-01-01T00:00:00.000000Z')
  assert.equal(formatTimestamp(1n), '1970-01-01T00:00:00.000001Z')
  assert.equal(formatTimestamp(-1n), '1969-12-31T23:59:59.999999Z')
})

test('the range is years 1 to 9999', () => {
  assert.equal(formatTimestamp(timestampMin), '0001-01-01T00:00:00.000000Z')
  assert.equal(formatTimestamp(timestampMax), '9999-12-31T23:59:59.999999Z')
  assert.equal(parseTimestamp('0000-12-31T23:59:59.999999Z'), undefined)
})

test('a zone that carries a time out of the range is refused', () => {
  assert.equal(parseTimestamp('0001-01-01T00:00:00+00:01'), undefined)
  assert.equal(parseTimestamp('9999-12-31T23:59:59-00:01'), undefined)
})

test('a text in any zone is the same moment', () => {
  const noon = parseTimestamp('2026-11-22T12:00:00Z')
  assert.equal(parseTimestamp('2026-11-22T13:00:00+01:00'), noon)
  assert.equal(parseTimestamp('2026-11-22t04:30:00.0-07:30'), noon)
  assert.equal(parseTimestamp('2026-11-22T12:00:00.000001z'), (noon ?? 0n) + 1n)
})

test('a text that names no moment is refused', () => {
  const nonsense = [
    '',
    'now',
    '2026-11-22',
    '2026-11-22T12:00Z',
    '2026-11-22 12:00:00Z',
    '2026-11-22T12:00:00',
    '2026-11-22T12:00:00.Z',
    '2026-11-22T12:00:00.1234567Z',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:59:60Z',
    '2026-01-01T00:00:00+24:00',
    '+02026-01-01T00:00:00Z',
    '2026-11-22T12:00:00Z\n',
    '٢٠٢٦-11-22T12:00:00Z',
  ]
  for (const text of nonsense) assert.equal(parseTimestamp(text), undefined, text)
})

test('29 February is a day of leap years', () => {
  assert.notEqual(parseTimestamp('2028-02-29T00:00:00Z'), undefined)
})

test('tokens count whole seconds', () => {
  assert.equal(seconds({ now: () => 1_999_999n }), 1)
})

test('the system clock counts microseconds and stays at the wall clock', () => {
  const before = BigInt(Date.now()) * 1_000n
  const now = systemClock.now()
  assert.ok(now - before > -50_000n && now - before < 50_000n, `${now - before} µs apart`)
})

test('the system clock follows when the wall clock jumps, as after a sleep of the machine', (context) => {
  systemClock.now()
  const hour = 3_600_000
  context.mock.method(
    Date,
    'now',
    (
      (real) => () =>
        real() + hour
    )(Date.now),
  )
  const apart = systemClock.now() - BigInt(Date.now()) * 1_000n
  assert.ok(apart > -50_000n && apart < 50_000n, `${apart} µs apart`)
})
