/** Aggregates: what each is to SQLite, what it takes and what it gives. */
import type { AggregateFunction } from '../plan/query.ts'
import { named } from './kinds.ts'
import type { Known } from './kinds.ts'
import { StatementError } from './statement-error.ts'
import type { Typed } from './typed.ts'

export const AGGREGATES: ReadonlyMap<string, AggregateFunction> = new Map([
  ['count', 'count'],
  ['min', 'min'],
  ['max', 'max'],
  ['sum', '_sum'],
  ['avg', '_average'],
])

export function aggregateKinds(name: string, { kind, at }: Typed): { readonly kind: Known; readonly result: Known } {
  const known = kind === 'unknown' ? 'text' : kind
  const isOrdered = known === 'integer' || known === 'float' || known === 'text' || known === 'timestamp'
  if (name === 'count') {
    if (known === 'json') throw new StatementError('ERR_SQL_TYPE', 'Json is not counted: write count(*)', at)
    return { kind: known, result: 'integer' }
  }
  if (name === 'min' || name === 'max') {
    if (!isOrdered) throw new StatementError('ERR_SQL_TYPE', `${name} takes numbers, texts and times, and this is ${named[known]}`, at)
    return { kind: known, result: known }
  }
  if (known !== 'integer' && known !== 'float') throw new StatementError('ERR_SQL_TYPE', `${name} takes numbers, and this is ${named[known]}`, at)
  return { kind: known, result: name === 'avg' ? 'float' : known }
}
