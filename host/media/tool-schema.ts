/** A reducer as a tool of a language model: the JSON schema of its arguments, from its signature. */
import type { ModuleDescription, ReducerDescription } from '../schema/description.ts'
import type { ScalarType, ValueType } from '../value-type.ts'
import type { AgentDescription } from '../schema/agent.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface Tool {
  readonly name: string
  readonly description: string
  readonly kind: 'reducer' | 'query'
  readonly parameters: JsonSchema
}

export function toolsOf(module: ModuleDescription, agent: AgentDescription): readonly Tool[] {
  return agent.tools.flatMap(({ name, description }) => {
    const reducer = module.reducers.find((one) => one.name === name)
    if (reducer?.kind !== 'reducer' && reducer?.kind !== 'query') return []
    return [{ name, description, kind: reducer.kind, parameters: parametersOf(module, reducer) }]
  })
}

function parametersOf(module: ModuleDescription, { params }: ReducerDescription): JsonSchema {
  return objectOf(
    module,
    params.map(({ name, type }) => ({ name, type })),
    [],
  )
}

type Fields = readonly { readonly name: string; readonly type: ValueType }[]

/** `inside` are the records around it: one that holds itself is any object from the second time on. */
function objectOf(module: ModuleDescription, fields: Fields, inside: readonly string[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ name, type }) => [name, schemaOf(module, type, inside)])),
    required: fields.filter(({ type }) => !isNullable(type)).map(({ name }) => name),
    additionalProperties: false,
  }
}

function schemaOf(module: ModuleDescription, type: ValueType, inside: readonly string[]): JsonSchema {
  switch (type.kind) {
    case 'void':
      return { type: 'null' }
    case 'scalar':
      return scalarSchema(type)
    case 'array':
      return { type: 'array', items: schemaOf(module, type.element, inside) }
    case 'row': {
      const fields = module.tables.find(({ name }) => name === type.table)?.columns ?? []
      return orNull(type.nullable, objectOf(module, fields, inside))
    }
    case 'record': {
      const fields = module.records.find(({ name }) => name === type.record)?.fields ?? []
      return orNull(type.nullable, inside.includes(type.record) ? { type: 'object' } : objectOf(module, fields, [...inside, type.record]))
    }
  }
}

/** What docs/api.md takes for each. */
function scalarSchema({ scalar, nullable }: ScalarType): JsonSchema {
  switch (scalar) {
    case 'bool':
      return orNull(nullable, { type: 'boolean' })
    case 'u8':
    case 'u16':
    case 'u32':
    case 'u64':
      return orNull(nullable, { type: 'integer', minimum: 0 })
    case 'i8':
    case 'i16':
    case 'i32':
    case 'i64':
      return orNull(nullable, { type: 'integer' })
    case 'f32':
    case 'f64':
      return orNull(nullable, { type: 'number' })
    case 'string':
      return orNull(nullable, { type: 'string' })
    case 'bytes':
      return orNull(nullable, { type: 'string', description: 'base64' })
    case 'identity':
      return orNull(nullable, { type: 'string', description: '64 hex digits' })
    case 'timestamp':
      return orNull(nullable, { type: 'string', description: 'RFC 3339, in UTC' })
    case 'json':
      return {}
  }
}

function orNull(nullable: boolean, schema: JsonSchema): JsonSchema {
  return nullable ? { anyOf: [schema, { type: 'null' }] } : schema
}

function isNullable(type: ValueType): boolean {
  return 'nullable' in type && type.nullable
}
