import assert from 'node:assert/strict'
import test from 'node:test'

import { LogBook } from '../../host/api/log-book.ts'
import * as limits from '../../host/limits.ts'
import type { LogEntry } from '../../host/protocol/shard-protocol.ts'

function entry(seq: number, message = `message ${seq}`): LogEntry {
  return { seq, at: '2026-11-22T09:30:00.000000Z', level: 'info', reducer: 'remember_turn', message }
}

function seqs(ndjson: string): number[] {
  return ndjson
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).seq)
}

test('a late reader gets the kept entries after the one it names', () => {
  const book = new LogBook()
  book.append('claims', [entry(1), entry(2), entry(3)])
  assert.deepEqual(seqs(book.read('claims', 0)), [1, 2, 3])
  assert.deepEqual(seqs(book.read('claims', 2)), [3])
  assert.deepEqual(seqs(book.read('claims', 3)), [])
  assert.equal(book.read('other', 0), '')
})

test('a reader who knows a count from before a restart gets what there is', () => {
  const book = new LogBook()
  book.append('claims', [entry(1), entry(2)])
  assert.deepEqual(seqs(book.read('claims', 700)), [1, 2])
})

test('only so many entries and so many bytes are kept', () => {
  const book = new LogBook()
  for (let seq = 1; seq <= limits.logEntriesKept + 5; seq++) book.append('many', [entry(seq)])
  assert.equal(seqs(book.read('many', 0)).length, limits.logEntriesKept)
  assert.equal(seqs(book.read('many', 0))[0], 6)
  for (let seq = 1; seq <= 500; seq++) book.append('long', [entry(seq, 'x'.repeat(limits.logMessageBytesMax))])
  assert.ok(book.read('long', 0).length <= limits.logBytesKept)
  assert.equal(seqs(book.read('long', 0)).at(-1), 500)
})

test('a message can neither move a cursor nor begin a line nor turn the writing', () => {
  const book = new LogBook()
  const nasty = 'a\u001b[2J\r\nforged {"seq":9}\u0085\u2028\u202egro\u2066\u009b31m\u0000\ud800é👩‍🚀'
  book.append('claims', [entry(1, nasty)])
  const line = book.read('claims', 0)
  assert.equal(line.split('\n').length, 2)
  assert.equal(JSON.parse(line).message, 'a\\u001b[2J\\u000d\\u000aforged {"seq":9}\\u0085\\u2028\\u202egro\\u2066\\u009b31m\\u0000\\ud800é👩‍🚀')
})

test('a follower gets what was kept, then every new entry, until it leaves', () => {
  const book = new LogBook()
  book.append('claims', [entry(1)])
  let seen = ''
  const leave = book.follow('claims', 0, { write: (lines) => (seen += lines), end: () => undefined })
  book.append('claims', [entry(2), entry(3)])
  book.append('other', [entry(4)])
  leave()
  book.append('claims', [entry(5)])
  assert.deepEqual(seqs(seen), [1, 2, 3])
})

test('a database has only so many followers', () => {
  const book = new LogBook()
  const follow = () => book.follow('claims', 0, { write: () => undefined, end: () => undefined })
  const [first] = Array.from({ length: limits.logFollowersMax }, follow)
  assert.throws(follow, { code: 'ERR_BUSY' })
  first?.()
  follow()
})

test('a dropped database ends its followers', () => {
  const book = new LogBook()
  let ended = 0
  book.follow('claims', 0, { write: () => undefined, end: () => ended++ })
  book.follow('other', 0, { write: () => undefined, end: () => ended++ })
  book.drop('claims')
  assert.equal(ended, 1)
  book.close()
  assert.equal(ended, 2)
})
