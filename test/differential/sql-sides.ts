/** One set of statements asked of both sides: the host's compiler over its own tables, and PostgreSQL with FORCE ROW LEVEL SECURITY. */
import { parseTimestamp } from '../../host/clock.ts'
import { HostError } from '../../host/errors.ts'
import { always } from '../../host/plan/plan.ts'
import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import { tablePolicies } from '../../host/policy/policy.ts'
import { bind } from '../../host/reducer/table-access.ts'
import type { PolicyDescription } from '../../host/schema/description.ts'
import { compileStatement } from '../../host/sql/compile.ts'
import type { ResultColumn } from '../../host/sql/compile.ts'
import { places } from '../../host/sql/places.ts'
import type { DatabaseFile } from '../../host/storage/database-file.ts'
import { TableWriter } from '../../host/storage/table-writer.ts'
import { createTable, fileWith } from '../plan/table-fixture.ts'
import { checkedPolicies, owners, schemaOf, tablesOf } from '../policy/random-policies.ts'
import type { PostgresClient } from './postgres-client.ts'
import { definitions, insertsInto, schemaName } from './differential.ts'
import type { SqlStatement } from './sql-statements.ts'
import { createPolicy, ownerPolicies, settings } from './translate.ts'

export interface SqlSet {
  readonly owner: (typeof owners)[number]
  readonly policies: readonly PolicyDescription[]
  readonly stored: readonly SqlRow[]
  readonly inner: readonly SqlRow[]
  readonly context: PolicyContext
  readonly statements: readonly SqlStatement[]
}

/** Rows one after the other, or `error`. */
export interface SqlAnswer {
  readonly text: string
  readonly columns: readonly ResultColumn[]
}

const field = '\u001f'
const line = '\u001e'

// ---- the host --------------------------------------------------------------------------------------

export class OurSqlSide implements Disposable {
  readonly #files = new Map<SqlSet['owner'], { readonly schema: ReturnType<typeof schemaOf>; readonly file: DatabaseFile }>()

  constructor() {
    for (const owner of owners) {
      const schema = schemaOf(owner)
      const [notes, members] = tablesOf(schema)
      const file = fileWith(notes)
      createTable(file, members)
      this.#files.set(owner, { schema, file })
    }
  }

  answers({ owner, policies, stored, inner, context, statements }: SqlSet): readonly SqlAnswer[] {
    const known = this.#files.get(owner)
    if (known === undefined) throw new Error('both kinds of table are there')
    const { schema, file } = known
    const [notes, members] = tablesOf(schema)
    const open = { operation: 'read', expression: 'true', restrictive: false, check: undefined, in: undefined } as const
    const tables = new Map([
      ['notes', { table: notes, policies: tablePolicies(notes, false, checkedPolicies(schema, policies)).inside(undefined).examined }],
      [
        'members',
        { table: members, policies: tablePolicies(members, false, [{ description: open, expression: always, check: undefined }]).inside(undefined).examined },
      ],
    ])
    file.begin()
    try {
      new TableWriter(file, members).insert(inner)
      new TableWriter(file, notes).insert(stored)
      return statements.map((statement) => {
        const compiled = compileStatement(ourText(statement), { tables })
        const values: SqlValue[] = []
        values[places.limit] = typeof compiled.limit === 'bigint' ? compiled.limit : 10_000n
        values[places.offset] = typeof compiled.offset === 'bigint' ? compiled.offset : 0n
        file.rowsExaminedLeft = 1_000_000
        return {
          columns: compiled.columns,
          text: rowsText(
            () =>
              file
                .statement(compiled.printed.sql)
                .rows(bind(compiled.printed.operands, values, context))
                .map((row) => row.slice(0, compiled.columns.length)),
            compiled.columns,
          ),
        }
      })
    } finally {
      file.rollback()
    }
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.values()) file.close()
  }
}

function rowsText(read: () => readonly SqlRow[], columns: readonly ResultColumn[]): string {
  try {
    return read()
      .map((row) => columns.map(({ type }, index) => valueText(row[index] ?? null, type)).join(field))
      .join(line)
  } catch (error) {
    if (error instanceof HostError && error.code === 'ERR_SQL_VALUE') return 'error'
    throw error
  }
}

function valueText(value: SqlValue, type: string): string {
  if (value === null) return 'NULL'
  if (type === 'bool') return value === 1n ? 'true' : 'false'
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return type === 'f64' ? floatText(Number(value)) : String(value)
}

/** The last digits of averages differ: PostgreSQL takes them by its decimal numbers. */
function floatText(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(12)).toString() : String(value)
}

// ---- texts -----------------------------------------------------------------------------------------

/** The innermost marks first: they stand in each other. */
function marked(text: string, mark: (kind: string, value: string) => string): string {
  let before = ''
  let now = text
  while (now !== before) {
    before = now
    now = now.replaceAll(/⟨(\w+):([^⟨⟩]*)⟩/g, (_all, kind: string, value: string) => mark(kind, value))
  }
  return now
}

export function ourText({ head, order, tail }: SqlStatement): string {
  const by = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`
  return marked(`${head}${by}${tail}`, (kind, value) => {
    switch (kind) {
      case 't':
        return `'${value}'::timestamptz`
      case 'd':
        // A text that stands among texts only would be one.
        return `coalesce('${value.repeat(32)}', sender())`
      case 'sender':
        return 'sender()'
      case 'sum':
      case 'avg':
        return `${kind}(${value})`
      case 'dyadic':
        return `${value} * 0.25`
      default:
        return value
    }
  })
}

function theirText({ head, order, rest, tail }: SqlStatement): string {
  const all = [...order, ...rest]
  const by = all.length === 0 ? '' : ` ORDER BY ${all.join(', ')}`
  return marked(`${head}${by}${tail}`, (kind, value) => {
    switch (kind) {
      case 'i':
        return `(${value})::bigint`
      case 'f':
        return `(${value})::float8`
      case 't':
        return `(${parseTimestamp(value)})::bigint`
      case 'd':
        return `'\\x${value.repeat(32)}'::bytea`
      case 'sender':
        return "decode(current_setting('app.sender'), 'hex')"
      case 'int':
        return `(${value})::bigint`
      case 'sum':
        return `sum(${value})::bigint`
      case 'avg':
        return `avg(${value})::float8`
      default:
        return `${value}::float8 * 0.25::float8`
    }
  })
}

// ---- PostgreSQL ------------------------------------------------------------------------------------

const asked = `
CREATE FUNCTION public.asked(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE statement INTO answer;
  RETURN coalesce(answer, '');
EXCEPTION WHEN data_exception THEN RETURN 'error';
END $$;`

export class PostgresSqlSide {
  readonly #client: PostgresClient

  private constructor(client: PostgresClient) {
    this.#client = client
  }

  static async prepare(client: PostgresClient): Promise<PostgresSqlSide> {
    await client.values(definitions)
    await client.values(asked)
    return new PostgresSqlSide(client)
  }

  async answers({ owner, policies, stored, inner, context, statements }: SqlSet): Promise<readonly string[]> {
    const script = [
      'BEGIN;',
      `SET LOCAL search_path = ${schemaName(owner)};`,
      ...insertsInto('members', inner),
      ...insertsInto('notes', stored),
      owner === null ? '' : ownerPolicies(false),
      ...policies.map((policy, index) => createPolicy(policy, `policy_${index}`)),
      'SET LOCAL ROLE app;',
      settings(context),
      ...statements.map((statement) => `SELECT public.asked($remembrancer$${rowsAsText(statement)}$remembrancer$);`),
      'ROLLBACK;',
    ]
    const values = await this.#client.values(script.join('\n')).catch(async (error: unknown) => {
      await this.#client.values('ROLLBACK')
      throw error
    })
    return values.slice(1).map((value) => value ?? '')
  }
}

function rowsAsText(statement: SqlStatement): string {
  const names = Array.from({ length: statement.columns }, (_unused, index) => `c${index}`)
  const fields = names.map((name) => `${name}::text`).join(', ')
  return `SELECT string_agg(array_to_string(ARRAY[${fields}], U&'\\001F', 'NULL'), U&'\\001E') FROM (${theirText(statement)}) AS q(${names.join(', ')})`
}

/** Floats in one form. */
export function normalised(text: string, columns: readonly ResultColumn[]): string {
  if (text === '' || text === 'error') return text
  return text
    .split(line)
    .map((row) => {
      const fields = row.split(field)
      if (fields.length !== columns.length) return row
      return fields.map((one, index) => (columns[index]?.type === 'f64' && one !== 'NULL' ? floatText(Number(one)) : one)).join(field)
    })
    .join(line)
}
