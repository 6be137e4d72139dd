/**
 * For random policies, rows and statements (joins, aggregates, EXISTS, IN, LIMIT): a row whose absence would change the
 * answer is among those that the statement touched, and a row that the policies hide is not.
 */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import { always, keyOf, nameColumns } from '../../host/plan/plan.ts'
import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'
import { print } from '../../host/plan/printer.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import type { Table } from '../../host/schema/schema.ts'
import { bind } from '../../host/reducer/table-access.ts'
import { compileStatement } from '../../host/sql/compile.ts'
import type { CompiledStatement, SqlTable } from '../../host/sql/compile.ts'
import { loadParser } from '../../host/sql/parse-statement.ts'
import { places } from '../../host/sql/places.ts'
import type { DatabaseFile } from '../../host/storage/database-file.ts'
import { TableWriter } from '../../host/storage/table-writer.ts'
import { ourText } from '../differential/sql-sides.ts'
import { statements } from '../differential/sql-statements.ts'
import { createTable, fileWith } from '../plan/table-fixture.ts'
import { checkedPolicies, contexts, owners, policies, rows, schemaOf, tablesOf } from '../policy/random-policies.ts'

before(() => loadParser())

const open = { operation: 'read', expression: 'true', restrictive: false, check: undefined, in: undefined } as const

const cases = fc.constantFrom(...owners).chain((owner) =>
  fc.record({
    owner: fc.constant(owner),
    policies: policies.map((all) => [open, ...all]),
    stored: rows,
    inner: rows,
    context: contexts,
    statements: fc.array(statements(owner), { minLength: 8, maxLength: 8 }),
  }),
)

interface Asked {
  /** The rows of the answer, or undefined for an error. */
  readonly text: string | undefined
  readonly touched: ReadonlySet<string>
  readonly returned: readonly string[]
  readonly rowCount: number
}

function nameOf(table: Table, key: readonly unknown[]): string {
  return `${table.name} ${key.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))).join(' ')}`
}

function ask(file: DatabaseFile, compiled: CompiledStatement, context: Parameters<typeof bind>[2]): Asked {
  const values: SqlValue[] = []
  values[places.limit] = typeof compiled.limit === 'bigint' ? compiled.limit : 10_000n
  values[places.offset] = typeof compiled.offset === 'bigint' ? compiled.offset : 0n
  file.rowsExaminedLeft = 1_000_000
  const touched = new Set<string>()
  const tableOf = (source: number): Table => compiled.sources[source] ?? assert.fail('a source is numbered')
  const keyIn = (source: number, names: SqlRow): string => nameOf(tableOf(source), names.slice(0, tableOf(source).owner === undefined ? 1 : 2))
  file.meter.onTouch = (source, names) => void touched.add(keyIn(source, names))
  try {
    const found = file.statement(compiled.printed.sql).rows(bind(compiled.printed.operands, values, context))
    const returned = found.flatMap((row) => (compiled.names ?? []).map(({ source, at, count }) => keyIn(source, row.slice(at, at + count))))
    const text = JSON.stringify(
      found.map((row) => row.slice(0, compiled.columns.length)),
      (_name, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
    )
    return { text, touched, returned, rowCount: found.length }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { text: undefined, touched, returned: [], rowCount: 0 }
  } finally {
    file.meter.onTouch = undefined
  }
}

test('what decides an answer was touched, what is hidden was not, and what was returned is named by its row', () => {
  let [influenced, hidden, returned] = [0, 0, 0]
  fc.assert(
    fc.property(cases, ({ owner, policies: described, stored, inner, context, statements: asked }) => {
      const schema = schemaOf(owner)
      const [notes, members] = tablesOf(schema)
      using file = fileWith(notes)
      createTable(file, members)
      const ofNotes = tablePolicies(notes, false, checkedPolicies(schema, described)).inside(undefined)
      const ofMembers = tablePolicies(members, false, [{ description: open, expression: always, check: undefined }]).inside(undefined)
      const tables = new Map<string, SqlTable>([
        ['notes', { table: notes, policies: ofNotes.examined }],
        ['members', { table: members, policies: ofMembers.examined }],
      ])
      const writers = new Map([
        [notes, new TableWriter(file, notes)],
        [members, new TableWriter(file, members)],
      ])
      writers.get(members)?.insert(inner)
      writers.get(notes)?.insert(stored)
      const shown = print({ kind: 'select', table: notes, where: ofNotes.using('read'), order: [], hasLimit: false })
      file.rowsExaminedLeft = 1_000_000
      const visible = new Set(
        file
          .statement(shown.sql)
          .rows(bind(shown.operands, [], context))
          .map((row) => nameOf(notes, keyOf(notes, row))),
      )
      const all: (readonly [Table, SqlRow])[] = [...stored.map((row) => [notes, row] as const), ...inner.map((row) => [members, row] as const)]
      for (const statement of asked) {
        const compiled = compiledOrNot(ourText(statement), tables)
        if (compiled === undefined) continue
        const whole = ask(file, compiled, context)
        for (const name of whole.touched)
          if (name.startsWith('notes ')) assert.ok(visible.has(name), `${name} is hidden and was touched: ${ourText(statement)}`)
        hidden += stored.length - visible.size
        if (whole.text === undefined) continue
        assert.equal(whole.returned.length, compiled.names === undefined ? 0 : whole.rowCount * compiled.outer.size)
        for (const name of whole.returned) assert.ok(whole.touched.has(name), `${name} was returned and not touched: ${ourText(statement)}`)
        returned += whole.returned.length
        for (const [table, row] of all) {
          const name = nameOf(table, keyOf(table, row))
          if (table === members && described.some(({ expression }) => expression.includes('exists'))) continue
          writers.get(table)?.delete(row)
          const without = ask(file, compiled, context)
          writers.get(table)?.insert([row])
          if (without.text === undefined || without.text === whole.text) continue
          influenced++
          assert.ok(whole.touched.has(name), `without ${name} the answer is another, and it was not touched: ${ourText(statement)}`)
        }
      }
    }),
    { numRuns: 60 },
  )
  assert.ok(influenced > 30 && hidden > 30 && returned > 30, `${influenced} rows decided something, ${hidden} were hidden, ${returned} returned`)
})

function compiledOrNot(text: string, tables: ReadonlyMap<string, SqlTable>): CompiledStatement | undefined {
  try {
    return compileStatement(text, { tables })
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}

test('a row is named by its owner and id, and by its subject where that is another column', () => {
  const [notes] = tablesOf(schemaOf('person'))
  assert.deepEqual(
    nameColumns(notes).map(({ name }) => name),
    [notes.owner?.name, notes.key.name],
  )
  const [, second] = notes.columns
  assert.equal(nameColumns({ ...notes, subject: second ?? notes.key }).length, second === notes.owner ? 2 : 3)
})
