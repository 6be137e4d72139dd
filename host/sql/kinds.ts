/** What a value of a statement is: columns have their types, results the nearest of them. */
import type { Scalar, ScalarKind } from '../value-type.ts'

/** `unknown` is a text that was written down, a null or a parameter, until something says what it is. */
export type Kind = Known | 'unknown'
export type Known = ScalarKind

/** The type of a result that is no column's own. */
export const scalarOf: Readonly<Record<Known, Scalar>> = {
  bool: 'bool',
  integer: 'i64',
  float: 'f64',
  text: 'string',
  bytes: 'bytes',
  identity: 'identity',
  timestamp: 'timestamp',
  json: 'json',
}

export const named: Readonly<Record<Kind, string>> = {
  bool: 'a bool',
  integer: 'an integer',
  float: 'a float',
  text: 'a text',
  bytes: 'bytes',
  identity: 'an identity',
  timestamp: 'a time',
  json: 'Json',
  unknown: 'a value of no type',
}

/** What a value can be cast to, as the parser names it. */
export const CASTS: ReadonlyMap<string, Known> = new Map([
  ['pg_catalog.bool', 'bool'],
  ['pg_catalog.int8', 'integer'],
  ['int8', 'integer'],
  ['pg_catalog.float8', 'float'],
  ['float8', 'float'],
  ['text', 'text'],
  ['bytea', 'bytes'],
  ['pg_catalog.timestamptz', 'timestamp'],
  ['timestamptz', 'timestamp'],
])
