/**
 * One sum for the content of each table of a file, the host's own among them, and one for what the tables and
 * indexes are: two files with the same sums hold the same, however their pages lie.
 */
import { createHash } from 'node:crypto'

import * as limits from '../limits.ts'
import { PackedWriter } from '../packed-bytes.ts'
import type { SqlRow } from '../plan/plan.ts'
import type { DatabaseFile } from './database-file.ts'

/** By the names of the tables, hex; that of the definitions has the name `(schema)`. */
export type TableSums = ReadonlyMap<string, string>

export function tableSums(file: DatabaseFile): TableSums {
  const definitions = file.statement('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').rows([])
  const tables = definitions.filter(([type, name]) => type === 'table' && !String(name).startsWith('sqlite_')).map(([, name]) => String(name))
  return new Map([['(schema)', sumOf(definitions)], ...tables.map((table) => [table, sumOf(rowsOf(file, table))] as const)])
}

/** The names of the tables whose content is not the same. */
export function differingTables(left: TableSums, right: TableSums): readonly string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((table) => left.get(table) !== right.get(table))
}

/** In the order of the primary key: that of the pages could be an index's. */
function rowsOf(file: DatabaseFile, table: string): Iterable<SqlRow> {
  const key = file.statement('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk').rows([table])
  const order = key.length === 0 ? 'rowid' : key.map(([name]) => quoted(String(name))).join(', ')
  return file.statement(`SELECT * FROM ${quoted(table)} ORDER BY ${order}`).each([])
}

/** Of a table that is in the file. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function sumOf(rows: Iterable<SqlRow>): string {
  const hash = createHash('sha256')
  const writer = new PackedWriter('ERR_STORAGE', limits.recordPayloadBytesMax)
  for (const row of rows) {
    writer.reset()
    packAny(writer, row)
    hash.update(writer.view())
  }
  return hash.digest('hex')
}

/** Every value with its type, so that no two rows have the same bytes. */
function packAny(writer: PackedWriter, row: SqlRow): void {
  writer.u32(row.length)
  for (const value of row) {
    if (value === null) writer.u8(0)
    else if (typeof value === 'bigint') {
      writer.u8(1)
      writer.i64(value)
    } else if (typeof value === 'number') {
      writer.u8(2)
      writer.f64(value)
    } else if (typeof value === 'string') {
      writer.u8(3)
      writer.string(value)
    } else {
      writer.u8(4)
      writer.bytes(value)
    }
  }
}
