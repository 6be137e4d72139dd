/** A running module as /schema shows it: its description, its types as text, and its grants apart. */
import { grantsOf, policyLines } from '../../publish/grants.ts'
import type { FieldDescription, ReducerDescription, TableDescription } from '../../schema/description.ts'
import { formatValueType } from '../../value-type.ts'
import type { RunningModule } from '../database-facts.ts'

export function moduleSchema({ version, hash, description }: RunningModule): Record<string, unknown> {
  return {
    module: description.module,
    version,
    hash,
    records: description.records.map(({ name, fields }) => ({ name, fields: fields.map(field) })),
    tables: description.tables.map(table),
    reducers: description.reducers.map(reducer),
    grants: grantsOf(description),
    policies: policyLines(description),
  }
}

function table(entry: TableDescription): Record<string, unknown> {
  const columns = entry.columns.map((column) => ({
    ...field(column),
    ...(column.default === undefined ? {} : { default: column.default }),
  }))
  return { ...entry, owner: entry.owner ?? null, columns }
}

function reducer({ name, kind, params, result }: ReducerDescription): Record<string, unknown> {
  return { name, kind, params: params.map(field), result: formatValueType(result) }
}

function field({ name, type }: Pick<FieldDescription, 'name' | 'type'>): Record<string, unknown> {
  return { name, type: formatValueType(type) }
}
