/**
 * A condition as a function of a row that is about to be written: the same three-valued logic and the
 * same orders that SQLite applies to stored rows (docs/types.md). Looks into other tables are asked of
 * the storage, with the row's values bound.
 */
import { unreachable } from '../errors.ts'
import { withExpressions } from '../plan/plan.ts'
import type { Condition, Exists, Expression, Operator, SqlRow, SqlValue } from '../plan/plan.ts'
import type { Table } from '../schema/schema.ts'
import { contextValue } from './context.ts'
import type { PolicyContext } from './context.ts'

/** Null is unknown. */
export type Truth = boolean | null

/** Asks the stored rows: `look` has no columns of the row left, only places of `row`. */
export type Look = (look: Exists, row: SqlRow, context: PolicyContext) => boolean

export type Evaluator = (row: SqlRow, context: PolicyContext, look: Look) => Truth

/** A condition of a table is made once, in however many reducers it holds: their number is the module's choice. */
const made = new WeakMap<Condition, Evaluator>()

/** `table` is that of the row, whose columns have no alias in `condition`. */
export function evaluator(condition: Condition, table: Table): Evaluator {
  const known = made.get(condition)
  if (known !== undefined) return known
  const making = make(condition, table)
  made.set(condition, making)
  return making
}

function make(condition: Condition, table: Table): Evaluator {
  switch (condition.kind) {
    case 'true':
      return () => true
    case 'false':
      return () => false
    case 'unknown':
      return () => null
    case 'holds': {
      const operand = valueOf(condition.operand, table)
      return (row, context) => truthOf(operand(row, context))
    }
    case 'compare': {
      const [left, right] = [valueOf(condition.left, table), valueOf(condition.right, table)]
      return (row, context) => compared(left(row, context), condition.operator, right(row, context))
    }
    case 'in': {
      const operand = valueOf(condition.operand, table)
      const items = condition.items.map((item) => valueOf(item, table))
      return (row, context) => {
        const value = operand(row, context)
        return any(items, (item) => compared(value, '=', item(row, context)))
      }
    }
    case 'is-null': {
      const operand = valueOf(condition.operand, table)
      return (row, context) => operand(row, context) === null
    }
    case 'not': {
      const term = evaluator(condition.term, table)
      return (row, context, look) => negated(term(row, context, look))
    }
    case 'and': {
      const terms = condition.terms.map((term) => evaluator(term, table))
      return (row, context, look) => negated(any(terms, (term) => negated(term(row, context, look))))
    }
    case 'or': {
      const terms = condition.terms.map((term) => evaluator(term, table))
      return (row, context, look) => any(terms, (term) => term(row, context, look))
    }
    case 'examined':
      return evaluator(condition.condition, table)
    case 'exists': {
      const look = withRowBound(condition, table)
      return (row, context, ask) => ask(look, row, context)
    }
    default:
      return unreachable(condition)
  }
}

/** True when one is, unknown when none is but one might be. */
function any<T>(terms: readonly T[], truth: (term: T) => Truth): Truth {
  let result: Truth = false
  for (const term of terms) {
    const one = truth(term)
    if (one === true) return true
    if (one === null) result = null
  }
  return result
}

function negated(truth: Truth): Truth {
  return truth === null ? null : !truth
}

function truthOf(value: SqlValue): Truth {
  return value === null ? null : value !== 0n
}

type ValueOf = (row: SqlRow, context: PolicyContext) => SqlValue

function valueOf(expression: Expression, table: Table): ValueOf {
  switch (expression.kind) {
    case 'column':
      return valueAt(table.columns.indexOf(expression.column))
    case 'row':
      return valueAt(expression.ordinal)
    case 'literal':
      return () => expression.value
    case 'parameter':
    case 'numbered':
      throw new Error('a policy has no parameters')
    default:
      return (_row, context) => contextValue(expression, context)
  }
}

function valueAt(ordinal: number): ValueOf {
  if (ordinal < 0) throw new Error('a column of another table is asked of a row')
  return (row) => row[ordinal] ?? null
}

function compared(left: SqlValue, operator: Operator, right: SqlValue): Truth {
  if (left === null || right === null) return null
  const order = orderOf(left, right)
  switch (operator) {
    case '=':
      return order === 0
    case '<>':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
    default:
      return unreachable(operator)
  }
}

/** Both are of one type where the checker has seen them; other pairs are ordered as SQLite does, never equal. */
function orderOf(left: NonNullable<SqlValue>, right: NonNullable<SqlValue>): number {
  if (typeof left === 'string' && typeof right === 'string') return textOrder(left, right)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  const between = classOf(left) - classOf(right)
  return between !== 0 ? between : left < right ? -1 : left > right ? 1 : 0
}

/** Numbers stand before texts, and texts before bytes. */
function classOf(value: NonNullable<SqlValue>): number {
  return typeof value === 'string' ? 1 : value instanceof Uint8Array ? 2 : 0
}

/**
 * The order of UTF-8 bytes, which is that of code points. UTF-16 agrees but for one case: surrogates
 * stand below U+E000 to U+FFFF there, and mean what is above them.
 */
function textOrder(left: string, right: string): number {
  if (left === right) return 0
  const end = Math.min(left.length, right.length)
  let at = 0
  while (at < end && left.charCodeAt(at) === right.charCodeAt(at)) at++
  if (at === end) return left.length - right.length
  return codeOrder(left.charCodeAt(at)) - codeOrder(right.charCodeAt(at))
}

function codeOrder(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x1_0000 : unit
}

/** The same look with each column of the row as its place in the row's values. */
function withRowBound(exists: Exists, table: Table): Exists {
  return { ...exists, where: withExpressions(exists.where, (expression) => placed(expression, table)) }
}

function placed(expression: Expression, table: Table): Expression {
  if (expression.kind !== 'column' || expression.alias !== undefined) return expression
  return { kind: 'row', ordinal: table.columns.indexOf(expression.column) }
}
