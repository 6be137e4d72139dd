/** Both sides of the comparison: the host's own tables and handles, and PostgreSQL's row-level security. */
import { HostError } from '../../host/errors.ts'
import { defaultLimits } from '../../host/database-limits.ts'
import * as limits from '../../host/limits.ts'
import { PackedWriter } from '../../host/packed-bytes.ts'
import type { SqlRow } from '../../host/plan/plan.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import { CallBudget } from '../../host/reducer/call-budget.ts'
import { CallTable } from '../../host/reducer/call-table.ts'
import { PlanCache } from '../../host/reducer/plan-cache.ts'
import { RandomIds } from '../../host/reducer/random-ids.ts'
import { BatchOperations, CallOperations } from '../../host/reducer/row-operations.ts'
import { TableAccess } from '../../host/reducer/table-access.ts'
import { scopeOf } from '../reducer/row-scope.ts'
import type { Schema } from '../../host/schema/schema.ts'
import type { DatabaseFile } from '../../host/storage/database-file.ts'
import { NextIds } from '../../host/storage/next-ids.ts'
import { packRow, packSqlValue } from '../../host/storage/row-image.ts'
import { keyColumns } from '../../host/plan/plan.ts'
import { createTable, fileWith } from '../plan/table-fixture.ts'
import { checkedPolicies, columns, owners, people, schemaOf, tablesOf } from '../policy/random-policies.ts'
import type { PostgresClient } from './postgres-client.ts'
import type { Question, QuestionSet, Write } from './questions.ts'
import { columnType, createPolicy, literal, ownerPolicies, settings } from './translate.ts'

/** One answer a case: the ids that are seen, then what came of each write. */
export type Answers = readonly string[]

const freshId = 1_000n

/** The row that a write is about, and the row that it would leave. */
function rowsOf(set: QuestionSet, { target, values }: Write): { readonly old: SqlRow; readonly new_: SqlRow } {
  const old = set.stored[target] ?? [freshId, ...values]
  const id = old[0] ?? freshId
  // The owner is part of the key, so an update names the one that is stored.
  const named = columns.map(({ name }, index) => (name === set.owner ? (old[index + 1] ?? null) : (values[index] ?? null)))
  return { old, new_: [id, ...named] }
}

// ---- the host --------------------------------------------------------------------------------------

export class OurSide implements Disposable {
  readonly #schemas = new Map<QuestionSet['owner'], { readonly schema: Schema; readonly file: DatabaseFile }>()

  constructor() {
    for (const owner of owners) {
      const schema = schemaOf(owner)
      const [notes, members] = tablesOf(schema)
      const file = fileWith(notes)
      createTable(file, members)
      this.#schemas.set(owner, { schema, file })
    }
  }

  answers(set: QuestionSet): Answers {
    const known = this.#schemas.get(set.owner)
    if (known === undefined) throw new Error('both kinds of table are there')
    const { schema, file } = known
    const [notes, members] = tablesOf(schema)
    const shared = { file, plans: new PlanCache(), version: { schema: 1, policy: 1 } }
    const access = new TableAccess({ ...shared, table: notes, policies: tablePolicies(notes, set.isSettable, checkedPolicies(schema, set.policies)) })
    const inner = new TableAccess({ ...shared, table: members, policies: tablePolicies(members, false, []) })
    file.begin()
    try {
      inner.writer.insert(set.inner)
      access.writer.insert(set.stored)
      return set.questions.flatMap((question) => [
        this.#seen(access, question.context),
        ...question.writes.map((write) => this.#written(access, file, set, question, write)),
      ])
    } finally {
      file.rollback()
    }
  }

  /** A table with an owner is read owner by owner: without one a scan is about the sender's own rows. */
  #seen(access: TableAccess, context: PolicyContext): string {
    const { owner } = access.table
    const scans = owner === undefined ? [[]] : people.map((value) => [{ column: owner, operator: '=' as const, value }])
    const ids = scans.flatMap((terms) => access.scan({ direction: 'ascending', limit: undefined, terms }, 1_000, scopeOf(context)).map(([id]) => id as bigint))
    return ids.toSorted((left, right) => Number(left - right)).join()
  }

  #written(access: TableAccess, file: DatabaseFile, set: QuestionSet, { context }: Question, write: Write): string {
    const nextIds = new NextIds(file)
    const operations = new CallOperations(file, new BatchOperations(file), limits.rowOperationsPerCallMax)
    const scope = {
      ...scopeOf(context),
      operations,
      nextIds,
      randomIds: new RandomIds([1n, 2n]),
      budget: new CallBudget(defaultLimits),
      writer: new PackedWriter(),
    }
    const table = new CallTable(access, 'write', scope)
    const { old, new_ } = rowsOf(set, write)
    const bytes = new PackedWriter()
    bytes.u32(1)
    try {
      switch (write.kind) {
        case 'insert':
          packRow(bytes, access.table.columns, [freshId, ...write.values])
          table.insert(bytes.view())
          return '1'
        case 'update':
          packRow(bytes, access.table.columns, new_)
          return String(table.update(bytes.view()))
        case 'delete':
          for (const column of keyColumns(access.table)) packSqlValue(bytes, column.type, old[access.table.columns.indexOf(column)] ?? null)
          return String(table.delete(bytes.view()))
      }
    } catch (error) {
      if (error instanceof HostError && error.code === 'ERR_ROW_DENIED') return 'denied'
      throw error
    } finally {
      operations.undo()
    }
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#schemas.values()) file.close()
  }
}

// ---- PostgreSQL ------------------------------------------------------------------------------------

export const definitions = `
CREATE ROLE app;
GRANT app TO postgres;
${owners
  .map((owner) => {
    const all = columns.map(({ name, type }) => `${name} ${columnType(type)}`).join(', ')
    const schema = schemaName(owner)
    return `CREATE SCHEMA ${schema} AUTHORIZATION app; SET search_path = ${schema};
CREATE TABLE notes (id bigint PRIMARY KEY, ${all}); ALTER TABLE notes OWNER TO app; ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE TABLE members (number bigint PRIMARY KEY, ${all}); ALTER TABLE members OWNER TO app;`
  })
  .join('\n')}
-- What came of a statement, undone again.
CREATE FUNCTION public.tried(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS changed = ROW_COUNT;
  RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = changed::text;
EXCEPTION
  WHEN SQLSTATE 'P0099' THEN RETURN SQLERRM;
  WHEN insufficient_privilege THEN RETURN 'denied';
END $$;`

export function schemaName(owner: QuestionSet['owner']): string {
  return owner === null ? 'ownerless' : 'owned'
}

export class PostgresSide {
  readonly #client: PostgresClient

  private constructor(client: PostgresClient) {
    this.#client = client
  }

  static async prepare(client: PostgresClient): Promise<PostgresSide> {
    await client.values(definitions)
    return new PostgresSide(client)
  }

  async answers(set: QuestionSet): Promise<Answers> {
    const script = [
      'BEGIN;',
      `SET LOCAL search_path = ${schemaName(set.owner)};`,
      ...insertsInto('members', set.inner),
      ...insertsInto('notes', set.stored),
      set.owner === null ? '' : ownerPolicies(set.isSettable),
      ...set.policies.map((policy, index) => createPolicy(policy, `policy_${index}`)),
      'SET LOCAL ROLE app;',
      ...set.questions.flatMap((question) => [
        settings(question.context),
        "SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM notes;",
        ...question.writes.map((write) => `SELECT public.tried($remembrancer$${statement(set, write)}$remembrancer$);`),
      ]),
      'ROLLBACK;',
    ]
    const values = await this.#client.values(script.join('\n')).catch(async (error: unknown) => {
      await this.#client.values('ROLLBACK')
      throw error
    })
    // The first of each question are its settings.
    const each = 2 + (set.questions[0]?.writes.length ?? 0)
    return values.filter((_value, index) => index % each !== 0).map((value) => value ?? 'null')
  }
}

export function insertsInto(table: string, all: readonly SqlRow[]): readonly string[] {
  return all.map((row) => `INSERT INTO ${table} VALUES (${idOf(row)}, ${valuesText(row.slice(1))});`)
}

function idOf([id]: SqlRow): bigint {
  if (typeof id === 'bigint') return id
  throw new Error('a row begins with its id')
}

function valuesText(values: SqlRow): string {
  return columns.map(({ type }, index) => literal(values[index] ?? null, type)).join(', ')
}

function statement(set: QuestionSet, write: Write): string {
  const { old, new_ } = rowsOf(set, write)
  const place = columns.findIndex(({ name }) => name === set.owner)
  const where = `id = ${idOf(old)}${place < 0 ? '' : ` AND person = ${literal(old[place + 1] ?? null, 'identity')}`}`
  switch (write.kind) {
    case 'insert':
      return `INSERT INTO notes VALUES (${freshId}, ${valuesText(write.values)})`
    case 'update':
      return `UPDATE notes SET (${columns.map(({ name }) => name).join(', ')}) = ROW (${valuesText(new_.slice(1))}) WHERE ${where}`
    case 'delete':
      return `DELETE FROM notes WHERE ${where}`
  }
}
