/** Two files have the same sums when, and only when, their tables hold the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { DatabaseFile } from '../../host/storage/database-file.ts'
import { differingTables, tableSums } from '../../host/storage/table-sums.ts'
import type { TableSums } from '../../host/storage/table-sums.ts'
import { DataFolder } from './folder.ts'

type Value = string | number | bigint | Uint8Array | null

const definitions = `
  CREATE TABLE "a table" (id INTEGER NOT NULL PRIMARY KEY, value ANY) STRICT;
  CREATE TABLE keyed (key TEXT NOT NULL, owner BLOB NOT NULL, value ANY, PRIMARY KEY (owner, key)) STRICT, WITHOUT ROWID;
  CREATE INDEX keyed_value ON keyed (value);`

function sumsOf(folder: DataFolder, rows: readonly Value[], { more = '' } = {}): TableSums {
  using file = new DatabaseFile({ path: folder.at(`${Math.random()}.sqlite`), create: true })
  file.execute(definitions)
  for (const [index, value] of rows.entries()) {
    file.statement('INSERT INTO "a table" (id, value) VALUES (?, ?)').run([BigInt(index), value])
    file.statement('INSERT INTO keyed (key, owner, value) VALUES (?, ?, ?)').run([`key ${index}`, new Uint8Array([index % 3]), value])
  }
  if (more !== '') file.execute(more)
  return tableSums(file)
}

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string().filter((text) => text.isWellFormed() && !text.includes('\0')),
  fc.double({ noNaN: true }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array(),
  fc.constant(null),
)

test('files with the same rows have the same sums, in whatever order these came and went', () => {
  using folder = new DataFolder()
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), (rows) => {
      const more = "DELETE FROM keyed; INSERT INTO keyed SELECT 'key ' || id, unhex(printf('%02x', id % 3)), value FROM \"a table\" ORDER BY id DESC; VACUUM;"
      assert.deepEqual(differingTables(sumsOf(folder, rows), sumsOf(folder, rows, { more })), [])
    }),
    { numRuns: 15 },
  )
})

test('a value that differs, if only in its type, is another sum of that table alone', () => {
  using folder = new DataFolder()
  for (const [left, right] of [
    ['1', 1n],
    [1n, 1.5],
    ['', null],
    ['a', Buffer.from('a')],
    [0n, null],
  ] as const) {
    assert.deepEqual(differingTables(sumsOf(folder, ['x', left]), sumsOf(folder, ['x', right])), ['a table', 'keyed'])
  }
  assert.deepEqual(differingTables(sumsOf(folder, ['x']), sumsOf(folder, ['x'], { more: "UPDATE keyed SET value = 'y'" })), ['keyed'])
})

test('a row, a table, a column or an index more is seen', () => {
  using folder = new DataFolder()
  const sums = sumsOf(folder, ['x'])
  const changed = (more: string): readonly string[] => differingTables(sums, sumsOf(folder, ['x'], { more }))
  assert.deepEqual(changed('INSERT INTO "a table" (id) VALUES (7)'), ['a table'])
  assert.deepEqual(changed('CREATE TABLE more (id INTEGER)'), ['(schema)', 'more'])
  assert.deepEqual(changed('ALTER TABLE keyed ADD COLUMN other TEXT'), ['(schema)', 'keyed'])
  assert.deepEqual(changed('DROP INDEX keyed_value'), ['(schema)'])
})
