/** Carries out what a publish changes in the tables of a file, in the open transaction. */
import { storedIndexes } from '../plan/plan.ts'
import type { SqlValue } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import { fromJson } from '../protocol/json-values.ts'
import { layoutsOf } from '../schema/schema.ts'
import type { Column, SchemaChange, Table } from '../schema/schema.ts'
import type { DatabaseFile } from './database-file.ts'
import { toSqlValue } from './row-image.ts'

export function carryOut(file: DatabaseFile, change: SchemaChange): void {
  switch (change.kind) {
    case 'create-table':
      file.execute(print(change).sql)
      for (const index of storedIndexes(change.table)) file.execute(print({ kind: 'create-index', table: change.table, index }).sql)
      return
    case 'create-index':
      file.execute(print(change).sql)
      return
    case 'add-column':
      file.execute(print({ ...change, literal: defaultValue(change.table, change.column) }).sql)
  }
}

function defaultValue(table: Table, column: Column): SqlValue {
  const where = `the default of ${table.name}.${column.name}`
  return toSqlValue(column.type, fromJson(column.type, column.default ?? null, noLayouts, where), where)
}

const noLayouts = layoutsOf({ sdk: '', module: '', records: [], tables: [], reducers: [], agents: [] })
