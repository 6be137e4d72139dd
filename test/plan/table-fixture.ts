/** Tables as a publish makes them, without a module: a schema of one table and its file. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DatabaseFile } from '../../host/storage/database-file.ts'
import { storedIndexes } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import { PlanCache } from '../../host/reducer/plan-cache.ts'
import { TableAccess } from '../../host/reducer/table-access.ts'
import { planSchema, emptySchema } from '../../host/schema/schema.ts'
import type { Table } from '../../host/schema/schema.ts'
import { parse, turns, withTable } from '../schema/description-fixture.ts'
import type { Json, TableJson } from '../schema/description-fixture.ts'

/** The claims line's turns with what a test changes in them. */
export function tableOf(changes: Partial<TableJson> = {}): Table {
  const [table] = planSchema(emptySchema, parse({ ...withTable(changes), reducers: [] })).schema.tables
  if (table === undefined) throw new Error('a schema of one table has it')
  return table
}

export function turnsWith(...columns: readonly Json[]): readonly Json[] {
  return [...turns.columns, ...columns]
}

const folder = mkdtempSync(join(tmpdir(), 'remembrancer-plan-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
let files = 0

/** A file with this table and its indexes. */
export function fileWith(table: Table): DatabaseFile {
  const file = new DatabaseFile({ path: join(folder, `${files++}.sqlite`), create: true })
  createTable(file, table)
  return file
}

export function createTable(file: DatabaseFile, table: Table): void {
  file.execute(print({ kind: 'create-table', table }).sql)
  for (const index of storedIndexes(table)) file.execute(print({ kind: 'create-index', table, index }).sql)
}

/** The table as calls reach it: each row is its owner's, and there are no other policies. */
export function accessOf(file: DatabaseFile, table: Table): TableAccess {
  return new TableAccess({ file, table, policies: tablePolicies(table, false, []), plans: new PlanCache(), version: { schema: 1, policy: 1 } })
}

/** A call of somebody for themselves. */
export function contextOf(sender: Uint8Array, changes: Partial<PolicyContext> = {}): PolicyContext {
  return { sender, actor: sender, assurance: 'none', channel: 'process', claims: {}, reducer: undefined, ...changes }
}
