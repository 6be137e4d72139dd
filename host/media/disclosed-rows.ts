/** The rows in a query's result, by table and key: what is disclosed when the result is put into a prompt. */
import type { ValueType } from '../value-type.ts'
import type { ModuleDescription } from '../schema/description.ts'
import type { DisclosedRow } from './ports.ts'

/** `value` is JSON of `type`. */
export function disclosedRows(module: ModuleDescription, type: ValueType, value: unknown): readonly DisclosedRow[] {
  const rows: DisclosedRow[] = []
  visit(module, type, value, rows)
  return rows
}

function visit(module: ModuleDescription, type: ValueType, value: unknown, rows: DisclosedRow[]): void {
  if (value === null || value === undefined) return
  switch (type.kind) {
    case 'void':
    case 'scalar':
      return
    case 'array':
      if (Array.isArray(value)) for (const one of value) visit(module, type.element, one, rows)
      return
    case 'record': {
      const fields = module.records.find(({ name }) => name === type.record)?.fields ?? []
      for (const field of fields) visit(module, field.type, memberOf(value, field.name), rows)
      return
    }
    case 'row': {
      const table = module.tables.find(({ name }) => name === type.table)
      if (table !== undefined)
        rows.push({ table: table.name, owner: table.owner === undefined ? null : memberOf(value, table.owner), key: memberOf(value, table.key) })
    }
  }
}

/** A member of what JSON made. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

/** The type of a reducer's result, by its name. */
export function resultType(module: ModuleDescription, reducer: string): ValueType {
  return module.reducers.find(({ name }) => name === reducer)?.result ?? { kind: 'void' }
}
