/** Values with their kinds, and what makes them alike: what was written down or left open takes the kind of what is known. */
import type { Value } from '../plan/query.ts'
import type { Scalar } from '../value-type.ts'
import type { Kind, Known } from './kinds.ts'
import { named, scalarOf } from './kinds.ts'
import { parameterValue } from './parameters.ts'
import { StatementError } from './statement-error.ts'

export interface Typed {
  readonly value: Value
  readonly kind: Kind
  /** Of a column its own, which a result shows. */
  readonly scalar: Scalar | undefined
  readonly nullable: boolean
  /** Bytes before it in the text. */
  readonly at: number | undefined
  /** How it can still take a kind. */
  readonly open:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'null' }
    | { readonly kind: 'parameter'; readonly index: number }
    | undefined
  /** It is a login's identity, which may only be compared with those of rows. */
  readonly isLogin?: boolean
}

/** A value of a known kind that can be null unless said otherwise. */
export function typed(value: Value, kind: Known, at: number | undefined, nullable = true): Typed {
  return { value, kind, scalar: undefined, nullable, at, open: undefined }
}

/** The kinds of a statement's parameters, as far as they are known. */
export class ParameterKinds {
  readonly #kinds: (Known | undefined)[] = []

  note(index: number): void {
    this.#kinds[index] ??= undefined
    while (this.#kinds.length <= index) this.#kinds.push(undefined)
  }

  known(index: number): Known | undefined {
    return this.#kinds[index]
  }

  settle(index: number, kind: Known, at: number | undefined): void {
    const before = this.#kinds[index]
    if (before !== undefined && before !== kind) {
      throw new StatementError('ERR_SQL_TYPE', `$${index + 1} is ${named[before]} elsewhere and ${named[kind]} here: use two parameters`, at)
    }
    this.#kinds[index] = kind
  }

  /** One that nothing says anything about is a text, as in PostgreSQL. */
  all(): readonly Known[] {
    return Array.from(this.#kinds, (kind) => kind ?? 'text')
  }
}

/** The same value as one of `kind`. */
export function as(value: Typed, kind: Known, parameters: ParameterKinds): Typed {
  if (value.kind === kind) return value
  if (value.kind === 'integer' && kind === 'float') return asFloat(value)
  const { open, at } = value
  switch (open?.kind) {
    case undefined:
      throw new StatementError('ERR_SQL_TYPE', `this is ${named[value.kind]}, where ${named[kind]} is wanted`, at)
    case 'null':
      return { ...value, kind }
    case 'parameter':
      parameters.settle(open.index, kind, at)
      return { ...value, kind, open: undefined }
    case 'text':
      return { ...typed({ kind: 'operand', operand: { kind: 'literal', value: writtenAs(open.text, kind, at) } }, kind, at, false) }
  }
}

function asFloat(value: Typed): Typed {
  const { value: inner } = value
  if (inner.kind === 'operand' && inner.operand.kind === 'literal' && typeof inner.operand.value === 'bigint') {
    return { ...value, value: { kind: 'operand', operand: { kind: 'literal', value: Number(inner.operand.value) } }, kind: 'float', scalar: undefined }
  }
  return { ...value, value: { kind: 'call', name: '_float', args: [inner] }, kind: 'float', scalar: undefined }
}

/** A text that was written down, as PostgreSQL reads it for a type. */
function writtenAs(text: string, kind: Known, at: number | undefined): bigint | number | string | Uint8Array | null {
  switch (kind) {
    case 'text':
      return text
    case 'bool':
      if (/^(true|false|t|f)$/i.test(text)) return /^t/i.test(text) ? 1n : 0n
      break
    case 'float':
      if (/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
      break
    case 'bytes':
      if (/^\\x([0-9a-f]{2})*$/i.test(text)) return Buffer.from(text.slice(2), 'hex')
      break
    case 'identity':
    case 'integer':
    case 'timestamp':
    case 'json':
      return asParameter(text, kind, at)
  }
  throw new StatementError('ERR_SQL_TYPE', `this text is not ${named[kind]}${kind === 'bytes' ? String.raw`: write '\x0102'` : ''}`, at)
}

function asParameter(text: string, kind: Known, at: number | undefined): bigint | number | string | Uint8Array | null {
  try {
    return parameterValue(kind, text, 'this text')
  } catch (error) {
    throw new StatementError('ERR_SQL_TYPE', error instanceof Error ? error.message : String(error), at)
  }
}

/** All of the values as one kind: integers become floats beside floats, what is open becomes what the others are. */
export function alike(values: readonly Typed[], parameters: ParameterKinds): { readonly kind: Known; readonly values: readonly Typed[] } {
  const kinds = values.map((value) => (value.open?.kind === 'parameter' ? (parameters.known(value.open.index) ?? 'unknown') : value.kind))
  const found = kinds.find((kind): kind is Known => kind !== 'unknown')
  const kind: Known = found === undefined ? 'text' : found === 'integer' && kinds.includes('float') ? 'float' : found
  return { kind, values: values.map((value) => as(value, kind, parameters)) }
}

export function resultScalar({ scalar, kind }: Typed): Scalar {
  return scalar ?? scalarOf[kind === 'unknown' ? 'text' : kind]
}
