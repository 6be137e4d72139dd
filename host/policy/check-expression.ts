/**
 * Tree to condition: every name becomes a column of the catalogue, every comparison is between values of
 * one type, and every look into another table is one that an index serves. What passes here can run, and
 * nothing that depends on a row's values can go wrong later.
 */
import { isClaimName, RESERVED_CLAIMS } from '../claim-names.ts'
import { parseTimestamp } from '../clock.ts'
import { ASSURANCES } from '../identity.ts'
import { always, and, indexColumns, never, or, physicalColumns, storedIndexes } from '../plan/plan.ts'
import type { Condition, Exists, Expression, SqlValue } from '../plan/plan.ts'
import { snakeCase } from '../schema/names.ts'
import type { Column, Table } from '../schema/schema.ts'
import { kindOf } from '../value-type.ts'
import type { ScalarKind } from '../value-type.ts'
import { parseExpression } from './parse.ts'
import { ExpressionError } from './syntax.ts'
import type { Syntax } from './syntax.ts'

/** Gives a table that policies may look into, or says in an ExpressionError why it is none. */
export type TableLookup = (name: string, at: number) => Table

/** @throws ExpressionError */
export function readExpression(text: string, table: Table, lookup: TableLookup): Condition {
  return new ExpressionCheck([{ name: table.name, table, alias: undefined }], lookup).condition(parseExpression(text))
}

/** A table whose columns can be named, by `name`; the plan knows it by its alias. */
interface Scope {
  readonly name: string
  readonly table: Table
  readonly alias: string | undefined
}

/** What can be compared with what. A literal adapts to the other side. */
type Kind = ScalarKind | 'assurance' | 'null'

interface Value {
  readonly kind: Kind
  readonly expression: Expression
  /** A value that was written down, which may become one of another kind. */
  readonly isLiteral: boolean
  readonly at: number
}

const CONTEXT: ReadonlyMap<string, { readonly kind: Kind; readonly expression: Expression }> = new Map([
  ['sender', { kind: 'identity', expression: { kind: 'sender' } }],
  ['actor', { kind: 'identity', expression: { kind: 'actor' } }],
  ['assurance', { kind: 'assurance', expression: { kind: 'assurance' } }],
  ['channel', { kind: 'text', expression: { kind: 'channel' } }],
])
/** As in `ctx.sender`: for a table that has a column of that name. */
const CONTEXT_NAME = 'ctx'

class ExpressionCheck {
  /** The row's own table first, then those that are looked into, the innermost last. */
  readonly #scopes: readonly Scope[]
  readonly #lookup: TableLookup

  constructor(scopes: readonly Scope[], lookup: TableLookup) {
    this.#scopes = scopes
    this.#lookup = lookup
  }

  condition(tree: Syntax): Condition {
    switch (tree.kind) {
      case 'and':
        return and(...tree.terms.map((term) => this.condition(term)))
      case 'or':
        return or(...tree.terms.map((term) => this.condition(term)))
      case 'not':
        return { kind: 'not', term: this.condition(tree.term) }
      case 'is-null':
        return { kind: 'is-null', operand: this.#value(tree.operand).expression }
      case 'compare': {
        const right = this.#value(tree.right)
        const { first, rest } = alike(this.#value(tree.left), [right], tree.at)
        return inOrder({ kind: 'compare', operator: tree.operator, left: first, right: rest[0] ?? right.expression })
      }
      case 'in': {
        const items = tree.items.map((item) => this.#value(item))
        const { first, rest } = alike(this.#value(tree.operand), items, tree.at)
        return { kind: 'in', operand: first, items: rest }
      }
      case 'exists':
        return this.#exists(tree)
      case 'literal':
      case 'name':
      case 'claim':
        return this.#truth(tree)
    }
  }

  /** A value that is itself true or false. */
  #truth(tree: Syntax): Condition {
    const value = this.#value(tree)
    if (tree.kind === 'literal' && value.kind === 'bool') return tree.value === true ? always : never
    if (value.kind === 'null') return { kind: 'unknown' }
    if (value.kind === 'bool') return { kind: 'holds', operand: value.expression }
    throw new ExpressionError(`this is ${named(value.kind)} and neither true nor false: compare it with something`, tree.at)
  }

  #value(tree: Syntax): Value {
    switch (tree.kind) {
      case 'literal':
        return literal(tree.value, tree.at)
      case 'name':
        return this.#named(tree.qualifier, tree.name, tree.at)
      case 'claim':
        return claim(tree.name, tree.at)
      default:
        throw new ExpressionError('a condition is no value to compare: join conditions with and, or, not', tree.at)
    }
  }

  #named(qualifier: string | undefined, name: string, at: number): Value {
    if (qualifier?.toLowerCase() === CONTEXT_NAME) return contextValue(name, at)
    if (qualifier !== undefined) return this.#column(this.#scope(qualifier, at), name, at)
    const [own, inner] = this.#scopes
    if (own === undefined) throw new Error('an expression has the table of its row')
    const isContext = CONTEXT.has(name.toLowerCase())
    if (isContext && this.#scopes.some(({ table }) => columnOf(table, name) !== undefined)) {
      throw new ExpressionError(`${name} is a column and also the call's: write ${own.name}.${name} or ${CONTEXT_NAME}.${name}`, at)
    }
    if (isContext) return contextValue(name, at)
    // SQL would take the innermost table that has the name, which is how `team = team` comes to be true for every row.
    if (inner !== undefined) throw new ExpressionError(`inside exists a column is written with its table: ${this.#choices(name)}`, at)
    return this.#column(own, name, at)
  }

  #choices(name: string): string {
    const having = this.#scopes.filter(({ table }) => columnOf(table, name) !== undefined)
    return (having.length > 0 ? having : this.#scopes).map((scope) => `${scope.name}.${name}`).join(' or ')
  }

  #scope(qualifier: string, at: number): Scope {
    const found = this.#scopes.findLast((scope) => scope.name === snakeCase(qualifier))
    if (found !== undefined) return found
    throw new ExpressionError(`there is no table ${qualifier} here; there is ${[...this.#scopes.map((scope) => scope.name), CONTEXT_NAME].join(', ')}`, at)
  }

  #column({ table, alias }: Scope, name: string, at: number): Value {
    const column = columnOf(table, name)
    if (column === undefined) throw new ExpressionError(`${table.name} has no column ${name}; it has ${table.columns.map((one) => one.name).join(', ')}`, at)
    return { kind: kindOf[column.type.scalar], expression: { kind: 'column', column, alias }, isLiteral: false, at }
  }

  #exists(tree: Extract<Syntax, { kind: 'exists' }>): Condition {
    const table = this.#lookup(snakeCase(tree.table), tree.at)
    const name = snakeCase(tree.alias)
    if (name === CONTEXT_NAME || this.#scopes.some((scope) => scope.name === name)) {
      throw new ExpressionError(`${name} names something else already: write exists(${tree.table} as another_name where …)`, tree.at)
    }
    // No table of a module begins with an underscore, so that the alias is never one.
    const alias = `_${this.#scopes.length}`
    const inner = new ExpressionCheck([...this.#scopes, { name, table, alias }], this.#lookup)
    const exists: Exists = { kind: 'exists', table, alias, where: inner.condition(tree.where) }
    refuseUnserved(exists, tree.at)
    return exists
  }
}

function columnOf(table: Table, name: string): Column | undefined {
  const wanted = snakeCase(name)
  return table.columns.find((column) => column.name === wanted)
}

function contextValue(name: string, at: number): Value {
  const found = CONTEXT.get(name.toLowerCase())
  if (found !== undefined) return { ...found, isLiteral: false, at }
  throw new ExpressionError(`a call has no ${name}; it has ${[...CONTEXT.keys()].join(', ')}, and claim('…')`, at)
}

function claim(name: string, at: number): Value {
  if (RESERVED_CLAIMS.has(name)) throw new ExpressionError(`the claim ${name} has a meaning of its own in a token and reaches no call`, at)
  if (!isClaimName(name)) throw new ExpressionError('no claim can be called so: a letter, then letters, digits and _ . : / -', at)
  return { kind: 'text', expression: { kind: 'claim', name }, isLiteral: false, at }
}

function literal(value: string | bigint | number | boolean | null, at: number): Value {
  const bound = typeof value === 'boolean' ? (value ? 1n : 0n) : value
  return { kind: literalKind(value), expression: { kind: 'literal', value: bound }, isLiteral: true, at }
}

function literalKind(value: string | bigint | number | boolean | null): Kind {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'integer'
  return typeof value === 'number' ? 'float' : 'text'
}

/** The values as what the first of them that was not written down is; `at` is where they are compared. */
function alike(first: Value, rest: readonly Value[], at: number): { readonly first: Expression; readonly rest: readonly Expression[] } {
  const all = [first, ...rest]
  const kind = (all.find((value) => !value.isLiteral) ?? all.find((value) => value.kind !== 'null'))?.kind ?? 'null'
  if (kind === 'json') throw new ExpressionError('Json has no order and no equality: only is null can be asked of it', at)
  return { first: adapted(first, kind), rest: rest.map((value) => adapted(value, kind)) }
}

function adapted(value: Value, kind: Kind): Expression {
  if (value.kind === kind || value.kind === 'null') return value.expression
  const { expression, at } = value
  const written = value.isLiteral && expression.kind === 'literal' ? adaptedLiteral(expression.value, kind, at) : undefined
  if (written !== undefined) return { kind: 'literal', value: written }
  throw new ExpressionError(`${named(value.kind)} cannot be compared with ${named(kind)}${hint(kind)}`, at)
}

/** What a written value is as `kind`, or undefined when it is none. */
function adaptedLiteral(value: SqlValue, kind: Kind, at: number): SqlValue | undefined {
  if (kind === 'float' && typeof value === 'bigint') return floatOf(value, at)
  if (typeof value !== 'string') return undefined
  if (kind === 'timestamp') {
    const micros = parseTimestamp(value)
    if (micros === undefined) throw new ExpressionError('a time is written as in 2026-11-22T09:30:00Z', at)
    return micros
  }
  if (kind !== 'assurance') return undefined
  const rank = ASSURANCES.findIndex((one) => one === value)
  if (rank < 0) throw new ExpressionError(`an assurance is one of ${ASSURANCES.join(', ')}`, at)
  return BigInt(rank)
}

function floatOf(value: bigint, at: number): number {
  if (BigInt(Number(value)) === value) return Number(value)
  throw new ExpressionError('this integer is no f64: write it as a float', at)
}

function named(kind: Kind): string {
  const names: Readonly<Record<Kind, string>> = {
    bool: 'a bool',
    integer: 'an integer',
    float: 'a float',
    text: 'a text',
    bytes: 'bytes',
    identity: 'an identity',
    timestamp: 'a time',
    json: 'Json',
    assurance: 'an assurance',
    null: 'null',
  }
  return names[kind]
}

function hint(kind: Kind): string {
  if (kind === 'identity') return ': identities are those of columns, sender and actor'
  return kind === 'timestamp' ? ": a time is written as in '2026-11-22T09:30:00Z'" : ''
}

const TURNED = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

/** A column stands on the left of what is bound: so an index can serve it, and the printer's plus its right side. */
function inOrder(condition: Extract<Condition, { kind: 'compare' }>): Condition {
  const { left, operator, right } = condition
  return right.kind === 'column' && left.kind !== 'column' ? { kind: 'compare', left: right, operator: TURNED[operator], right: left } : condition
}

/** A look that walks a whole table for each row that is examined would cost, and tell, how large it is. */
function refuseUnserved({ table, alias, where }: Exists, at: number): void {
  const known = new Set(termsOf(where).flatMap((term) => knownColumns(term, alias)))
  const lists = [physicalColumns(table), ...storedIndexes(table).map((index) => indexColumns(table, index))]
  if (lists.some(([first]) => first !== undefined && known.has(first))) return
  const named = [...known].map((column) => column.name)
  const advice = named.length === 0 ? `one of its columns equal to something` : `an @index over ${named.join(' or ')}`
  throw new ExpressionError(`no index of ${table.name} serves this: it needs ${advice}`, at)
}

function termsOf(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? condition.terms.flatMap(termsOf) : [condition]
}

/** The columns of the table that a term ties to values from outside of it. */
function knownColumns(term: Condition, alias: string): readonly Column[] {
  const own = (expression: Expression): Column | undefined => (expression.kind === 'column' && expression.alias === alias ? expression.column : undefined)
  if (term.kind === 'in') {
    const column = own(term.operand)
    return column !== undefined && term.items.every((item) => own(item) === undefined) ? [column] : []
  }
  if (term.kind !== 'compare' || term.operator !== '=') return []
  const [left, right] = [own(term.left), own(term.right)]
  if (left !== undefined && right !== undefined) return []
  return [left, right].filter((column) => column !== undefined)
}
