/** Module descriptions as their JSON: the claims line with one table, and what a test changes in it. */
import { HostError } from '../../host/errors.ts'
import { parseDescription } from '../../host/schema/description.ts'
import type { ModuleDescription } from '../../host/schema/description.ts'

export type Json = Readonly<Record<string, unknown>>

export interface TableJson {
  readonly name: string
  readonly columns: readonly Json[]
  readonly key: string
  readonly autoIncrement: boolean
  readonly owner: string | null
  readonly clustered: readonly string[]
  readonly uniques: readonly Json[]
  readonly indexes: readonly Json[]
  readonly policies?: readonly Json[]
  readonly ownerSettable?: boolean
  readonly subject?: string
  readonly audit?: string
}

export const turns: TableJson = {
  name: 'turns',
  columns: [
    { name: 'id', type: 'u64' },
    { name: 'caller', type: 'identity' },
    { name: 'role', type: 'string' },
    { name: 'content', type: 'string' },
    { name: 'at', type: 'timestamp' },
  ],
  key: 'id',
  autoIncrement: true,
  owner: 'caller',
  clustered: [],
  uniques: [],
  indexes: [],
}

export const rememberTurn = {
  name: 'remember_turn',
  kind: 'reducer',
  tables: [{ table: 'turns', mode: 'append' }],
  params: [{ name: 'content', type: 'string' }],
  result: 'void',
}

export function moduleJson(changes: Json = {}): Json {
  return { format: 1, sdk: 'test', module: 'claims', records: [], tables: [turns], reducers: [rememberTurn], ...changes }
}

export function withTable(changes: Partial<TableJson>): Json {
  return moduleJson({ tables: [{ ...turns, ...changes }] })
}

export function withColumn(column: Json): Json {
  return withTable({ columns: [...turns.columns, column] })
}

export function bytesOf(json: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(json))
}

export function parse(json: unknown): ModuleDescription {
  return parseDescription(bytesOf(json))
}

/** What is wrong with a description, or undefined when it is taken. */
export function problemOf(json: unknown): string | undefined {
  try {
    parse(json)
    return undefined
  } catch (error) {
    if (error instanceof HostError && error.code === 'ERR_DESCRIPTION') return error.message
    throw error
  }
}
