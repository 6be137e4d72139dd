/**
 * Random policies as an author could write them: texts over one table with a column of every type, and
 * over one that policies may look into. Values are few of each type, so that comparisons are true often,
 * with the extremes of each and texts that sort unlike their UTF-16.
 */
import fc from 'fast-check'

import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import type { CheckedPolicy } from '../../host/policy/check-policies.ts'
import { checkPolicies } from '../../host/policy/check-policies.ts'
import type { PolicyDescription } from '../../host/schema/description.ts'
import { emptySchema, planSchema } from '../../host/schema/schema.ts'
import type { Schema, Table } from '../../host/schema/schema.ts'
import { ASSURANCES } from '../../host/identity.ts'
import { moduleJson, parse } from '../schema/description-fixture.ts'
import type { Json } from '../schema/description-fixture.ts'
import { contextOf } from '../plan/table-fixture.ts'

export const people = [0x11, 0x22, 0x33].map((byte) => Buffer.alloc(32, byte))

/** Columns by the kind of their values: what can be compared with what. */
export const columnsOf = {
  bool: [
    ['flag', 'bool'],
    ['maybe', 'bool?'],
  ],
  integer: [
    ['small', 'u8'],
    ['big', 'i64?'],
    ['count', 'u64'],
  ],
  float: [
    ['score', 'f64'],
    ['ratio', 'f64?'],
  ],
  text: [
    ['word', 'string'],
    ['remark', 'string?'],
  ],
  identity: [
    ['person', 'identity'],
    ['friend', 'identity?'],
  ],
  timestamp: [
    ['at', 'timestamp'],
    ['until', 'timestamp?'],
  ],
} as const
export type Kind = keyof typeof columnsOf
const kinds = Object.keys(columnsOf) as Kind[]

const texts = ['', 'a', 'ab', 'B', 'é', 'e\u0301', '\uffff', '\u{10000}', '\ud7ff', "it's", '%_', '\\', '\u{1f600}a']
const timestamps = ['1970-01-01T00:00:00Z', '2026-11-22T09:30:00.000001Z', '1969-12-31T23:59:59Z']
const values: Readonly<Record<Kind, readonly SqlValue[]>> = {
  bool: [0n, 1n],
  integer: [0n, 1n, 2n, 255n],
  float: [0, 0.1, -1.5, 1.5, 5e-324, 1.7976931348623157e308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 9007199254740992],
  text: texts,
  identity: people,
  timestamp: [0n, 1795339800000001n, -1000000n],
}
const extremes: Readonly<Record<string, readonly SqlValue[]>> = {
  'i64?': [-(2n ** 63n), -1n, 2n ** 63n - 1n, 2n ** 53n + 1n, 2n ** 53n],
  u64: [2n ** 63n - 1n, 2n ** 53n + 1n],
}

export const columns: readonly { readonly name: string; readonly type: string; readonly kind: Kind }[] = kinds.flatMap((kind) =>
  columnsOf[kind].map(([name, type]) => ({ name, type, kind })),
)

export function columnValue({ type, kind }: (typeof columns)[number]): fc.Arbitrary<SqlValue> {
  const some = fc.constantFrom(...values[kind], ...(extremes[type] ?? []), ...(type.endsWith('?') ? [null, null] : []))
  return kind === 'text' ? fc.oneof({ weight: 4, arbitrary: some }, anyText) : some
}

/** All text that a row can hold. */
const anyText = fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => text.isWellFormed() && !text.includes('\0'))

/** `notes`, which the policies are of, and `members`, which they may look into. */
export const owners = [null, 'person'] as const
export function schemaOf(owner: (typeof owners)[number]): Schema {
  return planSchema(emptySchema, parse(moduleOf(owner, []))).schema
}

export function moduleOf(owner: (typeof owners)[number], policies: readonly Json[]): Json {
  const shared = { autoIncrement: false, clustered: [], uniques: [] }
  const all = columns.map(({ name, type }) => ({ name, type }))
  return moduleJson({
    tables: [
      { ...shared, name: 'notes', columns: [{ name: 'id', type: 'u64' }, ...all], key: 'id', owner, indexes: [], policies },
      {
        ...shared,
        name: 'members',
        columns: [{ name: 'number', type: 'u64' }, ...all],
        key: 'number',
        owner: null,
        indexes: kinds.map((kind) => ({ columns: [columnsOf[kind][0][0]] })),
        readableByPolicies: true,
      },
    ],
    reducers: [],
  })
}

export const rows: fc.Arbitrary<SqlRow[]> = fc
  .array(fc.tuple(...columns.map(columnValue)), { minLength: 1, maxLength: 10 })
  .map((all) => all.map((row, index): SqlRow => [BigInt(index + 1), ...row]))

export const contexts: fc.Arbitrary<PolicyContext> = fc
  .record({
    sender: fc.constantFrom(...people),
    actor: fc.constantFrom(...people),
    assurance: fc.constantFrom(...ASSURANCES),
    channel: fc.constantFrom('process', 'http', 'a', ''),
    claims: fc.record({ role: fc.constantFrom(...texts), word: fc.constantFrom('a', 'B') }, { requiredKeys: [] }),
  })
  .map(({ sender, ...rest }) => contextOf(sender, rest))

// ---- expressions ---------------------------------------------------------------------------------

/** In whose scope: `m` is a row of members, else only the row itself can be named. */
type Scope = 'row' | 'look'

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function literalText(kind: Kind): fc.Arbitrary<string> {
  switch (kind) {
    case 'bool':
      return fc.constantFrom('true', 'false')
    case 'integer':
      return fc.constantFrom('0', '1', '2', '255', '-1', '300', '9223372036854775807', '-9223372036854775808', '9007199254740993')
    case 'float':
      return fc.constantFrom('0.0', '0.1', '-1.5', '1.5', '5e-324', '1.7976931348623157e308', '1', '9007199254740992')
    case 'text':
      return fc.constantFrom(...texts).map(quoted)
    case 'timestamp':
      return fc.constantFrom(...timestamps).map(quoted)
    case 'identity':
      return fc.constantFrom('sender', 'actor', 'ctx.sender')
  }
}

function columnText(kind: Kind, scope: Scope): fc.Arbitrary<string> {
  const names = columnsOf[kind].map(([name]) => name)
  return scope === 'row' ? fc.constantFrom(...names, `notes.${names[0]}`) : fc.constantFrom(...names.flatMap((name) => [`m.${name}`, `notes.${name}`]))
}

function operandText(kind: Kind, scope: Scope): fc.Arbitrary<string> {
  const context = kind === 'text' ? [fc.constantFrom("claim('role')", "claim('word')", "claim('absent')", 'channel')] : []
  const some = fc.oneof({ weight: 4, arbitrary: columnText(kind, scope) }, { weight: 3, arbitrary: literalText(kind) }, ...context)
  return fc.oneof({ weight: 12, arbitrary: some }, { weight: 1, arbitrary: fc.constant('null') })
}

function predicate(scope: Scope): fc.Arbitrary<string> {
  const operator = fc.constantFrom('=', '<>', '!=', '<', '<=', '>', '>=')
  const ofKind = fc.constantFrom(...kinds).chain((kind) => {
    const operand = operandText(kind, scope)
    return fc.oneof(
      { weight: 6, arbitrary: fc.tuple(columnText(kind, scope), operator, operand).map((parts) => parts.join(' ')) },
      { weight: 1, arbitrary: fc.tuple(operand, operator, columnText(kind, scope)).map((parts) => parts.join(' ')) },
      { weight: 2, arbitrary: fc.tuple(columnText(kind, scope), fc.constantFrom('is null', 'IS NOT NULL')).map((parts) => parts.join(' ')) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(columnText(kind, scope), fc.constantFrom('in', 'not in'), fc.array(operand, { minLength: 1, maxLength: 3 }))
          .map(([column, word, items]) => `${column} ${word} (${items.join(', ')})`),
      },
    )
  })
  const assurance = fc.tuple(fc.constant('assurance'), operator, fc.constantFrom(...ASSURANCES.map(quoted), 'null')).map((parts) => parts.join(' '))
  const truth = fc.oneof(columnText('bool', scope), fc.constantFrom('true', 'false', 'null'))
  return fc.oneof({ weight: 10, arbitrary: ofKind }, { weight: 1, arbitrary: assurance }, { weight: 1, arbitrary: truth })
}

function conditionText(scope: Scope, depth: number): fc.Arbitrary<string> {
  const leaf = predicate(scope)
  if (depth === 0) return leaf
  const term = conditionText(scope, depth - 1)
  const inner = term.map((text) => `(${text})`)
  const joined = (word: string): fc.Arbitrary<string> => fc.array(fc.oneof(leaf, inner), { minLength: 2, maxLength: 3 }).map((terms) => terms.join(` ${word} `))
  const look = fc
    .tuple(fc.constantFrom(...kinds), conditionText('look', depth - 1))
    .chain(([kind, more]) => servedTerm(kind).map((served) => `exists(members as m where ${served} and (${more}))`))
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 2, arbitrary: joined('and') },
    { weight: 2, arbitrary: joined('or') },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf, leaf).map(([one, two, three]) => `${one} or ${two} and ${three}`) },
    { weight: 2, arbitrary: inner.map((text) => `not ${text}`) },
    ...(scope === 'row' ? [{ weight: 3, arbitrary: look }] : []),
  )
}

/** What an index of members serves: its column equal to something that is not of members. */
function servedTerm(kind: Kind): fc.Arbitrary<string> {
  const [[column]] = columnsOf[kind]
  return fc
    .oneof(
      columnText(kind, 'row').map((text) => (text.includes('.') ? text : `notes.${text}`)),
      literalText(kind),
    )
    .map((other) => `m.${column} = ${other}`)
}

export const expressions: fc.Arbitrary<string> = conditionText('row', 3)

export const policies: fc.Arbitrary<PolicyDescription[]> = fc.array(
  fc.record({
    operation: fc.constantFrom('read', 'update', 'all', 'all', 'insert', 'delete'),
    expression: expressions,
    restrictive: fc.constantFrom(false, false, false, true),
    check: fc.constant(undefined),
    in: fc.constant(undefined),
  }),
  { minLength: 1, maxLength: 4 },
)

/** The policies of `notes` as the host reads them. */
export function checkedPolicies(schema: Schema, descriptions: readonly PolicyDescription[]): readonly CheckedPolicy[] {
  const tables = [
    { name: 'notes', policies: descriptions, readableByPolicies: false },
    { name: 'members', policies: [], readableByPolicies: true },
  ]
  const { policies: checked, problems } = checkPolicies({ tables, reducers: [] }, schema)
  if (problems.length > 0) throw new Error(`${problems.map(({ message }) => message).join()} in ${JSON.stringify(descriptions)}`)
  return checked.get('notes') ?? []
}

export function tablesOf(schema: Schema): readonly [notes: Table, members: Table] {
  const [notes, members] = schema.tables
  if (notes === undefined || members === undefined) throw new Error('the schema has two tables')
  return [notes, members]
}
