/** The sum of a file after a checkpoint is known before it, whatever was written. */
import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'

import Sqlite from 'better-sqlite3'
import fc from 'fast-check'

import { CheckpointSum } from '../../host/storage/checkpoint-sum.ts'
import { sumFile } from '../../host/storage/durable-file.ts'
import { DataFolder } from './folder.ts'

/** One transaction: rows that are inserted, changed and deleted, and whether it is committed. */
const transactions = fc.record({
  insert: fc.integer({ min: 0, max: 60 }),
  sizeBytes: fc.constantFrom(10, 300, 5_000, 40_000),
  change: fc.integer({ min: 0, max: 5 }),
  remove: fc.integer({ min: 0, max: 90 }),
  table: fc.boolean(),
  isCommitted: fc.boolean(),
})
const rounds = fc.array(fc.array(transactions, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 })

function run(
  sqlite: Sqlite.Database,
  { insert, sizeBytes, change, remove, table, isCommitted }: typeof transactions extends fc.Arbitrary<infer T> ? T : never,
): void {
  sqlite.exec('BEGIN')
  for (let row = 0; row < insert; row++) sqlite.prepare('INSERT INTO rows (content) VALUES (randomblob(?))').run(sizeBytes)
  sqlite.prepare('UPDATE rows SET content = zeroblob(?) WHERE id % 7 < ?').run(sizeBytes, change)
  sqlite.prepare('DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY random() LIMIT ?)').run(remove)
  if (table) sqlite.exec('CREATE TABLE IF NOT EXISTS more (x); DROP TABLE more')
  sqlite.exec(isCommitted ? 'COMMIT' : 'ROLLBACK')
}

/** As the host has its state files: a WAL that moves only when it is told to. */
function withRows(path: string): Sqlite.Database {
  const sqlite = new Sqlite(path)
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = OFF')
  sqlite.pragma('wal_autocheckpoint = 0')
  sqlite.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, content BLOB)')
  sqlite.pragma('wal_checkpoint(TRUNCATE)')
  return sqlite
}

test('the sum that a checkpoint will leave is known before a page moves', async () => {
  await fc.assert(
    fc.asyncProperty(rounds, fc.boolean(), async (history, isSecure) => {
      using folder = new DataFolder()
      const path = folder.at('state.sqlite')
      const sqlite = withRows(path)
      sqlite.pragma(`secure_delete = ${isSecure}`)
      // So few that pages of transactions which are rolled back reach the WAL too.
      sqlite.pragma('cache_size = 10')
      const file = openSync(path, 'r')
      let sum = await sumFile(path)
      for (const round of history) {
        using next = new CheckpointSum(file, `${path}-wal`, sum)
        for (const [index, transaction] of round.entries()) {
          run(sqlite, transaction)
          // Some is taken in on the way.
          if (index % 2 === 0) while (next.step());
        }
        while (next.step());
        sum = next.value
        sqlite.pragma('wal_checkpoint(TRUNCATE)')
        assert.deepEqual(await sumFile(path), sum)
      }
      sqlite.close()
      closeSync(file)
    }),
    { numRuns: 60 },
  )
})

test('a WAL that began anew without being cut is followed from its new beginning', async () => {
  using folder = new DataFolder()
  const path = folder.at('state.sqlite')
  const sqlite = withRows(path)
  const file = openSync(path, 'r')
  using next = new CheckpointSum(file, `${path}-wal`, await sumFile(path))
  const insert = sqlite.prepare('INSERT INTO rows (content) VALUES (randomblob(9000))')
  for (let round = 0; round < 3; round++) {
    for (let row = 0; row < 5 - round; row++) insert.run()
    while (next.step());
    sqlite.pragma('wal_checkpoint(PASSIVE)')
    assert.deepEqual(await sumFile(path), next.value)
  }
  sqlite.close()
  closeSync(file)
})
