/**
 * The arguments of a call, by name or by position, to the packed bytes a guest gets: JSON where they come
 * over a wire, JavaScript's own values in process. Every refusal names the reducer, the parameter, what it takes and what came.
 */
import { HostError } from '../errors.ts'
import { fromJson } from '../protocol/json-values.ts'
import { PackedWriter } from '../packed-bytes.ts'
import { packValue } from '../row-codec.ts'
import type { Layouts } from '../row-codec.ts'
import type { FieldDescription, ReducerDescription } from '../schema/description.ts'
import { formatValueType } from '../value-type.ts'
import type { ValueType } from '../value-type.ts'

export type NamedArguments = Readonly<Record<string, unknown>>

/** What packValue takes for a value as it came. */
export type ReadValue = (type: ValueType, value: unknown, layouts: Layouts, path: string) => unknown

/** @throws HostError ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE, ERR_ARGUMENT_RANGE, ERR_ARGUMENTS_TOO_LARGE */
export function packArguments(
  reducer: ReducerDescription,
  args: readonly unknown[] | NamedArguments,
  layouts: Layouts,
  read: ReadValue = fromJson,
): Uint8Array<ArrayBuffer> {
  const values = isList(args) ? byPosition(reducer, args) : byName(reducer, args)
  const writer = new PackedWriter()
  for (const [index, { name, type }] of reducer.params.entries()) {
    const path = `${reducer.name}(${name})`
    packValue(writer, type, read(type, values[index], layouts, path), layouts, path)
  }
  writer.finish()
  return writer.toBytes()
}

/** Array.isArray does not narrow a readonly array. */
function isList(args: readonly unknown[] | NamedArguments): args is readonly unknown[] {
  return Array.isArray(args)
}

function byPosition(reducer: ReducerDescription, args: readonly unknown[]): readonly unknown[] {
  if (args.length === reducer.params.length) return args
  throw wrongCount(reducer, `not ${args.length}`)
}

function byName(reducer: ReducerDescription, args: NamedArguments): readonly unknown[] {
  const names = new Set(reducer.params.map((param) => param.name))
  const unknownNames = Object.keys(args).filter((name) => !names.has(name))
  if (unknownNames.length > 0) throw wrongCount(reducer, `and has no ${list(unknownNames)}`)
  const missing = reducer.params.filter((param) => !Object.hasOwn(args, param.name) && !isNullable(param.type))
  if (missing.length > 0) throw wrongCount(reducer, `and ${list(missing.map((param) => param.name))} is missing`)
  return [...names].map((name) => (Object.hasOwn(args, name) ? args[name] : null))
}

function isNullable(type: ValueType): boolean {
  return type.kind !== 'array' && type.kind !== 'void' && type.nullable
}

function wrongCount(reducer: ReducerDescription, problem: string): HostError {
  const params = reducer.params.map(formatParameter)
  return new HostError(
    'ERR_ARGUMENT_COUNT',
    `${reducer.name} takes ${params.length} ${params.length === 1 ? 'argument' : 'arguments'} (${params.join(', ')}), ${problem}`,
    {
      detail: { parameters: params },
    },
  )
}

function formatParameter({ name, type }: FieldDescription): string {
  return `${name}: ${formatValueType(type)}`
}

function list(names: readonly string[]): string {
  return names
    .slice(0, 5)
    .map((name) => JSON.stringify(name.slice(0, 80)))
    .join(', ')
}
