/** Phase 5: the module description (docs/module-description.md), all that the host knows of a module. */
import type { ModelColumn, ModelField, ModelPolicy, ModelReducer, ModelTable, ModuleModel } from './model.ts'

export function manifestJson(moduleName: string, model: ModuleModel): string {
  return JSON.stringify({
    format: 1,
    sdk: 'assemblyscript',
    module: moduleName,
    records: model.records.map(({ name, fields }) => ({ name, fields: fields.map(describeField) })),
    tables: model.tables.map(describeTable),
    reducers: model.reducers.map(describeReducer),
    ...(model.agents.length > 0 ? { agents: model.agents } : {}),
  })
}

function describeTable(table: ModelTable): object {
  return {
    name: table.name,
    columns: table.columns.map(describeColumn),
    key: table.key.name,
    autoIncrement: table.isAutoIncrement,
    owner: table.owner?.name ?? null,
    ...(table.isOwnerSettable ? { ownerSettable: true } : {}),
    ...(table.subject === undefined ? {} : { subject: table.subject.name }),
    ...(table.isStrictlyAudited ? { audit: 'strict' } : {}),
    ...(table.policies.length > 0 ? { policies: table.policies.map(describePolicy) } : {}),
    ...(table.isReadableByPolicies ? { readableByPolicies: true } : {}),
    clustered: table.clustered,
    uniques: table.uniques,
    indexes: table.indexes,
  }
}

/** What is not said is not written: undefined members are left out of JSON. */
function describePolicy({ operation, expression, check, isRestrictive, reducers }: ModelPolicy): object {
  return { operation, expression, check, restrictive: isRestrictive || undefined, in: reducers }
}

function describeColumn(column: ModelColumn): object {
  const described = describeField(column)
  return column.default === undefined ? described : { ...described, default: JSON.parse(column.default.json) }
}

function describeField({ name, type }: ModelField): object {
  return { name, type: type.format }
}

function describeReducer({ name, kind, parameters, result }: ModelReducer): object {
  return {
    name,
    kind,
    tables: parameters.flatMap((one) => (one.kind === 'handle' ? [{ table: one.handle.table, mode: one.handle.mode }] : [])),
    params: parameters.flatMap((one) => (one.kind === 'value' ? [{ name: one.name, type: one.type.format }] : [])),
    result: result.format,
  }
}
