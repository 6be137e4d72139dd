/**
 * A module's policies under test, in a database that has the module and nothing else: first the isolation of
 * every table, which nobody needs to write, then the cases of the module's sheet.
 */
import { HostError } from '../errors.ts'
import { openOf } from '../local-database.ts'
import type { LocalDatabase } from '../local-database.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import type { OpenDatabase } from '../shard/open-databases.ts'
import { SheetError, World } from './cases.ts'
import type { CaseResult } from './cases.ts'
import { isolationOf, seenByStranger } from './isolation.ts'
import type { Isolation, Leak } from './isolation.ts'
import type { Problem } from './pipe-tables.ts'
import { emptySheet, parseSheet } from './sheet.ts'
import type { Shown } from './sheet.ts'

export interface PolicyReport {
  readonly module: string
  readonly cases: readonly CaseResult[]
  readonly isolation: Isolation & { readonly tables: readonly string[] }
  /** What the sheet calls shown to strangers although nothing of it is. */
  readonly notShown: readonly (Problem & { readonly table: string })[]
  readonly passed: number
  readonly failed: number
}

export interface PolicyTestOptions {
  /** The text of a `policies.test.md`; without one the isolation alone is tested. */
  readonly sheet?: string | undefined
  /** What errors call it. */
  readonly file?: string
}

/** @throws HostError ERR_POLICY_TEST with a line for each thing that is wrong with the sheet. */
export async function testPolicies(database: LocalDatabase, { sheet: text, file = 'policies.test.md' }: PolicyTestOptions): Promise<PolicyReport> {
  const open = openOf(database)
  const module = open.database.requireModule()
  const { sheet, problems } = text === undefined ? { sheet: emptySheet, problems: [] } : parseSheet(text)
  const wrong = [...problems, ...sheet.shown.flatMap((shown) => unknownTable(module, shown))]
  if (wrong.length > 0) throw refused(file, wrong)
  const synthetic = await isolationOf(open, tablesOf(sheet.shown))
  const notShown = await unneeded(open, sheet.shown, synthetic)
  const cases: CaseResult[] = []
  let seen: readonly Leak[] = []
  try {
    const world = await World.open(database, open, sheet)
    seen = seenByStranger(open, tablesOf(sheet.shown))
    for (const one of sheet.cases) cases.push(await world.result(one))
  } catch (error) {
    throw error instanceof SheetError ? refused(file, [error.problem]) : error
  }
  const isolation = { ...synthetic, leaks: [...synthetic.leaks, ...seen] }
  const tables = module.schema.tables.map(({ name }) => name)
  const leaking = new Set(isolation.leaks.map(({ about }) => about)).size
  const failed = cases.filter(({ holds }) => !holds).length + leaking + notShown.length
  const passed = cases.filter(({ holds }) => holds).length + tables.filter((name) => !isolation.leaks.some(({ about }) => about === name)).length
  return { module: module.description.module, cases, isolation: { ...isolation, tables }, notShown, passed, failed }
}

/** The leaks of each table and reducer that has some. */
export function leaksByPlace({ leaks }: Isolation): ReadonlyMap<string, readonly Leak[]> {
  return Map.groupBy(leaks, ({ about }) => about)
}

function tablesOf(shown: readonly Shown[]): ReadonlySet<string> {
  return new Set(shown.map(({ table }) => table))
}

/** What is called shown and is not would let a later leak pass. */
async function unneeded(open: OpenDatabase, shown: readonly Shown[], isolation: Isolation): Promise<PolicyReport['notShown']> {
  const found: (Problem & { readonly table: string })[] = []
  for (const one of shown) {
    const without = await isolationOf(open, tablesOf(shown.filter((other) => other !== one)))
    if (without.leaks.length > isolation.leaks.length) continue
    found.push({ table: one.table, line: one.line, column: one.column, message: `nothing of ${one.table} is shown to strangers: take the line out` })
  }
  return found
}

function unknownTable({ description }: ActiveModule, { table, line, column }: Shown): readonly Problem[] {
  const known = description.tables.map(({ name }) => name)
  return known.includes(table) ? [] : [{ line, column, message: `the module has no table ${table}; it has ${known.join(', ')}` }]
}

function refused(file: string, problems: readonly Problem[]): HostError {
  return new HostError('ERR_POLICY_TEST', problems.map(({ line, column, message }) => `${file}:${line}:${column} ${message}`).join('\n'))
}
