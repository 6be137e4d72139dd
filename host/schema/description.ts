/**
 * A module's own description of itself (docs/module-description.md): hostile JSON on the way in,
 * frozen and cross-checked data on the way out. Everything the host knows of a module's tables,
 * reducers and grants comes from here.
 */
import { z } from 'zod'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { printable } from '../printable.ts'
import { fromJson } from '../protocol/json-values.ts'
import type { ReducerKind, TableMode } from '../protocol/shard-protocol.ts'
import { PackedWriter } from '../packed-bytes.ts'
import { packValue } from '../row-codec.ts'
import type { Layouts } from '../row-codec.ts'
import { formatValueType, parseValueType } from '../value-type.ts'
import type { ScalarType, ValueType } from '../value-type.ts'
import { agentProblems, SESSION_EVENTS } from './agent.ts'
import type { AgentDescription } from './agent.ts'
import { ACCESS_LOG_TABLE, isName, isParameterName } from './names.ts'

export interface ColumnDescription {
  readonly name: string
  readonly type: ScalarType
  /** In the JSON form of docs/api.md; undefined when none was declared. */
  readonly default: unknown
}

export interface IndexDescription {
  readonly columns: readonly string[]
}

export interface UniqueDescription extends IndexDescription {
  readonly global: boolean
}

export const POLICY_OPERATIONS = ['read', 'insert', 'update', 'delete', 'all'] as const
export type PolicyOperation = (typeof POLICY_OPERATIONS)[number]

/** As its author wrote it: what the expressions mean is checked against the schema (host/policy). */
export interface PolicyDescription {
  readonly operation: PolicyOperation
  /** Of stored rows; for an insert, of the new one. */
  readonly expression: string
  /** Of the row that a write leaves; `expression` when undefined. */
  readonly check: string | undefined
  /** Narrows what the others admit; otherwise it widens. */
  readonly restrictive: boolean
  /** The reducers inside of which it holds; everywhere when undefined. */
  readonly in: readonly string[] | undefined
}

export interface TableDescription {
  readonly name: string
  readonly columns: readonly ColumnDescription[]
  readonly key: string
  readonly autoIncrement: boolean
  readonly owner: string | undefined
  /** An insert may name another owner than the sender, where a policy admits it. */
  readonly ownerSettable: boolean
  /** The column that says whose data a row is; the owner where there is none. */
  readonly subject: string | undefined
  readonly audit: 'strict' | undefined
  readonly policies: readonly PolicyDescription[]
  /** Policies of other tables may look into this one, whatever its own policies say. */
  readonly readableByPolicies: boolean
  readonly clustered: readonly string[]
  readonly uniques: readonly UniqueDescription[]
  readonly indexes: readonly IndexDescription[]
}

export interface FieldDescription {
  readonly name: string
  readonly type: ValueType
}

export interface ReducerDescription {
  readonly name: string
  readonly kind: ReducerKind
  readonly tables: readonly { readonly table: string; readonly mode: TableMode }[]
  readonly params: readonly FieldDescription[]
  readonly result: ValueType
}

export interface ModuleDescription {
  readonly sdk: string
  readonly module: string
  readonly records: readonly { readonly name: string; readonly fields: readonly FieldDescription[] }[]
  readonly tables: readonly TableDescription[]
  readonly reducers: readonly ReducerDescription[]
  readonly agents: readonly AgentDescription[]
}

const name = z.string().refine(isName, 'not a snake_case name, or a word PostgreSQL reserves')
const valueType = z
  .string()
  .max(140)
  .transform((text, context): ValueType => {
    const type = parseValueType(text)
    if (type !== undefined) return type
    context.addIssue(`${JSON.stringify(text)} is not a type`)
    return z.NEVER
  })
const columnType = valueType.transform((type, context): ScalarType => {
  if (type.kind === 'scalar') return type
  context.addIssue(`a column cannot be ${formatValueType(type)}`)
  return z.NEVER
})
const column = z.strictObject({ name, type: columnType, default: z.unknown().optional() })
const policy = z.strictObject({
  operation: z.enum(POLICY_OPERATIONS),
  expression: z.string().min(1).max(limits.policySizeMax),
  check: z.string().min(1).max(limits.policySizeMax).optional(),
  restrictive: z.boolean().optional(),
  in: z.array(name).min(1).max(limits.reducersMax).optional(),
})
const columnNames = z.array(name).max(limits.scanTermsMax)
const table = z.strictObject({
  name,
  columns: z.array(column).min(1).max(limits.columnsMax),
  key: name,
  autoIncrement: z.boolean(),
  owner: name.nullable(),
  ownerSettable: z.boolean().optional(),
  subject: name.optional(),
  audit: z.literal('strict').optional(),
  policies: z.array(policy).max(limits.policiesPerTableMax).optional(),
  readableByPolicies: z.boolean().optional(),
  clustered: columnNames,
  uniques: z.array(z.strictObject({ columns: columnNames.min(1), global: z.boolean() })).max(limits.indexesPerTableMax),
  indexes: z.array(z.strictObject({ columns: columnNames.min(1) })).max(limits.indexesPerTableMax),
})
const field = z.strictObject({ name: z.string().refine(isParameterName, 'not a snake_case name'), type: valueType })
const reducer = z.strictObject({
  name,
  kind: z.enum(['reducer', 'query', 'init', 'hook']),
  tables: z.array(z.strictObject({ table: name, mode: z.enum(['read', 'append', 'write']) })).max(limits.handlesPerCallMax),
  params: z.array(field).max(limits.fieldsMax),
  result: valueType,
})
const agent = z.strictObject({
  name,
  prompt: name,
  greeting: name.optional(),
  tools: z.array(z.strictObject({ name, description: z.string().max(limits.toolDescriptionSizeMax) })).max(limits.toolsPerAgentMax),
  hooks: z.partialRecord(z.enum(SESSION_EVENTS), name),
})
const description = z.strictObject({
  format: z.literal(1),
  sdk: z.string().max(100),
  module: name,
  records: z.array(z.strictObject({ name, fields: z.array(field).min(1).max(limits.fieldsMax) })).max(limits.recordsMax),
  tables: z.array(table).max(limits.tablesMax),
  reducers: z.array(reducer).max(limits.reducersMax),
  agents: z.array(agent).max(limits.agentsMax).optional(),
})

/** @throws HostError ERR_DESCRIPTION with the first few things that are wrong. */
export function parseDescription(bytes: Uint8Array): ModuleDescription {
  if (bytes.length > limits.descriptionSizeBytesMax) refuse([`is ${bytes.length} bytes, at most ${limits.descriptionSizeBytesMax}`])
  const parsed = description.safeParse(parseJson(bytes))
  if (!parsed.success) refuse(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  const { format: _format, ...rest } = parsed.data
  const module: ModuleDescription = {
    ...rest,
    agents: (rest.agents ?? []).map((one) => ({ ...one, greeting: one.greeting })),
    tables: rest.tables.map((entry) => ({
      ...entry,
      owner: entry.owner ?? undefined,
      ownerSettable: entry.ownerSettable ?? false,
      subject: entry.subject,
      audit: entry.audit,
      policies: (entry.policies ?? []).map((one) => ({ ...one, check: one.check, restrictive: one.restrictive ?? false, in: one.in })),
      readableByPolicies: entry.readableByPolicies ?? false,
      columns: entry.columns.map((one) => ({ ...one, default: one.default })),
    })),
  }
  const problems = crossCheck(module)
  if (problems.length > 0) refuse(problems)
  return module
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new HostError('ERR_DESCRIPTION', 'the module description is not UTF-8 JSON: build it again with this SDK', { cause })
  }
}

function refuse(problems: readonly string[]): never {
  // They quote the module, which may hold anything.
  const shown = problems.slice(0, 5).map((problem) => printable(problem.slice(0, 300)))
  throw new HostError('ERR_DESCRIPTION', `the module description is refused: ${shown.join('; ')}`)
}

/** What a shape alone cannot say: names that must exist, be of a kind, or not be doubled. */
function crossCheck(module: ModuleDescription): string[] {
  return [
    ...doubled('table', module.tables),
    ...doubled('record', module.records),
    ...doubled('reducer', module.reducers),
    ...module.tables.flatMap(checkTable),
    ...module.records.flatMap((record) => [
      ...doubled(`field of ${record.name}`, record.fields),
      ...record.fields.flatMap((entry) => checkType(module, `${record.name}.${entry.name}`, entry.type, false)),
    ]),
    ...checkRecordsEnd(module),
    ...module.reducers.flatMap((entry) => checkReducer(module, entry)),
    ...doubled('agent', module.agents),
    ...module.agents.flatMap((one) => agentProblems(one, module).map(({ message }) => `agent ${one.name}: ${message}`)),
  ]
}

function doubled(what: string, entries: readonly { readonly name: string }[]): string[] {
  const names = entries.map((entry) => entry.name)
  return names.filter((entry, index) => names.indexOf(entry) !== index).map((entry) => `two of ${what}: ${entry}`)
}

const keyScalars: ReadonlySet<string> = new Set(['bool', 'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'string', 'bytes', 'identity', 'timestamp'])

const subjectScalars: ReadonlySet<string> = new Set(['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'u64', 'i64', 'string', 'identity'])

function checkTable(entry: TableDescription): string[] {
  const problems = doubled(`column of ${entry.name}`, entry.columns)
  if (entry.name === ACCESS_LOG_TABLE) problems.push(`${ACCESS_LOG_TABLE} is the host's own table: choose another name`)
  const columns = new Map(entry.columns.map((one) => [one.name, one]))
  const key = columns.get(entry.key)
  if (key === undefined || key.type.nullable || !keyScalars.has(key.type.scalar)) problems.push(`${entry.name}.${entry.key} cannot be a key`)
  if (entry.autoIncrement && key?.type.scalar !== 'u64') problems.push(`${entry.name}.${entry.key} counts itself and is not u64`)
  const owner = entry.owner === undefined ? undefined : columns.get(entry.owner)
  if (entry.owner !== undefined && (owner === undefined || owner.type.nullable || owner.type.scalar !== 'identity')) {
    problems.push(`${entry.name}.${entry.owner} cannot be an owner: it is not an identity`)
  }
  const policiesSize = entry.policies.reduce((sum, { expression, check = '' }) => sum + expression.length + check.length, 0)
  if (policiesSize > limits.policiesSizePerTableMax) {
    problems.push(`the policies of ${entry.name} are ${policiesSize} characters together, at most ${limits.policiesSizePerTableMax}`)
  }
  const subject = entry.subject === undefined ? undefined : columns.get(entry.subject)
  if (entry.subject !== undefined && (subject === undefined || !subjectScalars.has(subject.type.scalar))) {
    problems.push(`${entry.name}.${entry.subject} cannot be a subject: it is no identity, string or integer`)
  }
  if (entry.ownerSettable && entry.owner === undefined) problems.push(`${entry.name} has no owner that could be set`)
  if (entry.owner === entry.key) problems.push(`${entry.name}: the owner cannot be the key as well`)
  for (const one of entry.clustered) {
    if (columns.get(one)?.type.nullable) problems.push(`${entry.name}.${one} cannot order the table: it is nullable`)
  }
  for (const list of [entry.clustered, ...entry.uniques.map((one) => one.columns), ...entry.indexes.map((one) => one.columns)]) {
    problems.push(...checkColumnList(entry, columns, list))
  }
  problems.push(...checkIndexesDiffer(entry), ...entry.columns.flatMap((one) => checkDefault(entry, one)))
  return problems
}

function checkIndexesDiffer(entry: TableDescription): string[] {
  const indexes = [
    ...entry.uniques.map((one) => `unique (${one.columns.join(', ')})${one.global ? ' global' : ''}`),
    ...entry.indexes.map((one) => `index (${one.columns.join(', ')})`),
  ]
  return doubled(
    `index of ${entry.name}`,
    indexes.map((one) => ({ name: one })),
  )
}

/** A default is a value of its column: SQL would take what the row format could not give back. */
function checkDefault(entry: TableDescription, column: ColumnDescription): string[] {
  if (column.default === undefined) return []
  const where = `the default of ${entry.name}.${column.name}`
  try {
    packValue(new PackedWriter(), column.type, fromJson(column.type, column.default, noLayouts, where), noLayouts, where)
    return []
  } catch (error) {
    if (error instanceof HostError) return [error.message]
    throw error
  }
}

const noLayouts: Layouts = { rowFields: () => [], recordFields: () => [] }

function checkColumnList(entry: TableDescription, columns: ReadonlyMap<string, ColumnDescription>, list: readonly string[]): string[] {
  if (new Set(list).size !== list.length) return [`${entry.name}: (${list.join(', ')}) names a column twice`]
  return list
    .filter((one) => !columns.has(one) || one === entry.owner || columns.get(one)?.type.scalar === 'json')
    .map((one) => `${entry.name}.${one} cannot be indexed: no such column, its owner, or json`)
}

function checkReducer(module: ModuleDescription, entry: ReducerDescription): string[] {
  const problems = [
    ...doubled(`parameter of ${entry.name}`, entry.params),
    ...doubled(
      `table of ${entry.name}`,
      entry.tables.map((one) => ({ name: one.table })),
    ),
    ...entry.params.flatMap((one) => checkType(module, `${entry.name}(${one.name})`, one.type, false)),
    ...checkType(module, `${entry.name}()`, entry.result, true),
  ]
  for (const { table: tableName, mode } of entry.tables) {
    if (!module.tables.some((one) => one.name === tableName)) problems.push(`${entry.name} takes ${tableName}, no table of this module`)
    if (entry.kind === 'query' && mode !== 'read') problems.push(`${entry.name} is a query and may only read ${tableName}`)
  }
  if (entry.kind === 'init' && entry.params.length > 0) problems.push(`${entry.name} runs at the first publish and cannot take arguments`)
  return problems
}

function checkType(module: ModuleDescription, where: string, type: ValueType, isResult: boolean): string[] {
  switch (type.kind) {
    case 'scalar':
      return []
    case 'void':
      return isResult ? [] : [`${where} cannot be void`]
    case 'row':
      return module.tables.some((one) => one.name === type.table) ? [] : [`${where}: no table ${type.table}`]
    case 'record':
      return module.records.some((one) => one.name === type.record) ? [] : [`${where}: no record ${type.record}`]
    case 'array':
      return checkType(module, where, type.element, false)
  }
}

/** A record that holds itself without an array or a null between would have no end. */
function checkRecordsEnd(module: ModuleDescription): string[] {
  const records = new Map(module.records.map((record) => [record.name, record]))
  const ended = new Set<string>()
  const open = new Set<string>()
  const endless = (recordName: string): boolean => {
    if (ended.has(recordName)) return false
    if (open.has(recordName)) return true
    open.add(recordName)
    const found = (records.get(recordName)?.fields ?? []).some(({ type }) => type.kind === 'record' && !type.nullable && endless(type.record))
    open.delete(recordName)
    if (!found) ended.add(recordName)
    return found
  }
  return module.records.filter((record) => endless(record.name)).map((record) => `record ${record.name} contains itself`)
}
