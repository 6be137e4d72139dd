/** What is written down in a statement: numbers, texts, truth and null. */
import type { SqlValue } from '../plan/plan.ts'
import type { Value } from '../plan/query.ts'
import type { NodeOf } from './node.ts'
import { StatementError, unsupported } from './statement-error.ts'
import { typed } from './typed.ts'
import type { Typed } from './typed.ts'

export function constant(body: NodeOf<'A_Const'>, at: number | undefined): Typed {
  if (body.isnull === true) return { value: nothing, kind: 'unknown', scalar: undefined, nullable: true, at, open: { kind: 'null' } }
  if (body.boolval !== undefined) return typed(literal(body.boolval.boolval === true ? 1n : 0n), 'bool', at, false)
  if (body.ival !== undefined) return typed(literal(BigInt(body.ival.ival ?? 0)), 'integer', at, false)
  if (body.fval !== undefined) return numeral(body.fval.fval ?? '0', at)
  if (body.sval !== undefined) {
    const text = body.sval.sval ?? ''
    return { value: literal(text), kind: 'unknown', scalar: undefined, nullable: false, at, open: { kind: 'text', text } }
  }
  throw unsupported('bit strings are not taken', at)
}

/** More digits than an int4 has, a fraction or an exponent. */
function numeral(text: string, at: number | undefined): Typed {
  if (!/^-?\d+$/.test(text)) {
    const value = Number(text)
    if (Number.isFinite(value)) return typed(literal(value), 'float', at, false)
    throw new StatementError('ERR_SQL_TYPE', 'this number is no float of 64 bits', at)
  }
  const integer = text.length > 20 ? undefined : BigInt(text)
  if (integer !== undefined && BigInt.asIntN(64, integer) === integer) return typed(literal(integer), 'integer', at, false)
  throw new StatementError('ERR_SQL_TYPE', 'this integer leaves the range of 64 bits', at)
}

export function literal(value: SqlValue): Value {
  return { kind: 'operand', operand: { kind: 'literal', value } }
}

export const nothing: Value = literal(null)
