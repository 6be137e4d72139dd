/** Expressions of the tree to values with kinds. What a value is decides what can be done with it: nothing is converted behind anybody's back but integers to floats. */
import type { Node } from 'libpg-query'

import type { Login } from '../identity.ts'
import * as limits from '../limits.ts'
import type { Operator } from '../plan/plan.ts'
import type { Branch, Selection, Value, ValueFunction } from '../plan/query.ts'
import { EXTRACTED, TRUNCATED } from '../time-fields.ts'
import { kindOf } from '../value-type.ts'
import { aggregateKinds, AGGREGATES } from './aggregates.ts'
import { constant, literal, nothing } from './constants.ts'
import { FUNCTIONS, INSTEAD } from './functions.ts'
import type { FunctionShape } from './functions.ts'
import { CASTS, named } from './kinds.ts'
import type { Known } from './kinds.ts'
import { allowed, asNode, bodyOf, locationOf, opened, stringOf } from './node.ts'
import type { NodeOf } from './node.ts'
import { places } from './places.ts'
import { findColumn, shown } from './scope.ts'
import type { Scope } from './scope.ts'
import { StatementError, unsupported } from './statement-error.ts'
import { alike, as, typed } from './typed.ts'
import type { ParameterKinds, Typed } from './typed.ts'

/** What the whole statement shares. */
export interface StatementState {
  readonly parameters: ParameterKinds
  /** Logins whose identities are looked up when it runs, in the order of their places. */
  readonly logins: Login[]
  nodes: number
  depth: number
  /** Compiles what stands in an `exists` or `in`; gives its columns too. */
  subquery(select: NodeOf<'SelectStmt'>, outer: Scope, at: number | undefined): { readonly query: Selection; readonly columns: readonly Typed[] }
}

/** Whether aggregates may stand here, and why not. */
export type AggregatePlace = 'allowed' | 'in WHERE' | 'in JOIN' | 'in GROUP BY' | 'in another aggregate' | 'in a subquery'

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
])
const ARITHMETIC: ReadonlyMap<string, ValueFunction> = new Map([
  ['+', '_add'],
  ['-', '_subtract'],
  ['*', '_multiply'],
  ['/', '_divide'],
  ['%', '_modulo'],
])

export class Expressions {
  readonly #state: StatementState
  readonly #scope: Scope
  readonly #aggregates: AggregatePlace

  constructor(state: StatementState, scope: Scope, aggregates: AggregatePlace) {
    this.#state = state
    this.#scope = scope
    this.#aggregates = aggregates
  }

  /** A value that is true, false or unknown. */
  condition(node: Node | undefined): Typed {
    const value = this.value(node)
    if (value.kind === 'unknown' || value.kind === 'bool') return as(value, 'bool', this.#state.parameters)
    throw new StatementError('ERR_SQL_TYPE', `this is ${named[value.kind]} and neither true nor false: compare it with something`, value.at)
  }

  /** @throws StatementError */
  value(node: Node | undefined): Typed {
    if (node === undefined) throw unsupported('this statement has a part that is empty', undefined)
    const { kind, body } = opened(node)
    const at = locationOf(body)
    const { depth } = this.#state
    if (depth >= limits.sqlDepthMax) throw unsupported(`expressions nest at most ${limits.sqlDepthMax} deep: write it flatter`, at)
    if (++this.#state.nodes > limits.sqlNodesMax) throw unsupported('the statement is too large: give values as parameters, or split it', at)
    this.#state.depth = depth + 1
    try {
      return this.#valueOf(node, kind, at)
    } finally {
      this.#state.depth = depth
    }
  }

  #valueOf(node: Node, kind: string, at: number | undefined): Typed {
    switch (kind) {
      case 'ColumnRef':
        return this.#column(bodyOf(node, 'ColumnRef'), at)
      case 'ParamRef':
        return this.#parameter(bodyOf(node, 'ParamRef'), at)
      case 'A_Const':
        return constant(bodyOf(node, 'A_Const'), at)
      case 'A_Expr':
        return this.#expression(bodyOf(node, 'A_Expr'), at)
      case 'BoolExpr':
        return this.#joined(bodyOf(node, 'BoolExpr'), at)
      case 'NullTest': {
        const { arg, nulltesttype } = allowed(bodyOf(node, 'NullTest'), ['arg', 'nulltesttype'])
        const test: Value = { kind: 'is-null', operand: this.#read(arg).value }
        return typed(nulltesttype === 'IS_NOT_NULL' ? { kind: 'not', term: test } : test, 'bool', at, false)
      }
      case 'BooleanTest':
        return this.#truthTest(bodyOf(node, 'BooleanTest'), at)
      case 'CaseExpr':
        return this.#case(bodyOf(node, 'CaseExpr'), at)
      case 'CoalesceExpr': {
        const { args } = allowed(bodyOf(node, 'CoalesceExpr'), ['args'])
        const all = this.#alike(this.#list(args, at))
        if (all.values.length === 1) return all.values[0] ?? typed(nothing, all.kind, at)
        return typed(
          { kind: 'coalesce', args: all.values.map(({ value }) => value) },
          all.kind,
          at,
          all.values.every(({ nullable }) => nullable),
        )
      }
      case 'FuncCall':
        return this.#call(bodyOf(node, 'FuncCall'), at)
      case 'SubLink':
        return this.#subLink(bodyOf(node, 'SubLink'), at)
      case 'TypeCast':
        return this.#cast(bodyOf(node, 'TypeCast'), at)
      case 'SQLValueFunction':
        throw unsupported('a statement knows no user and no time of its own: write sender(), and give times as parameters', at)
      case 'MinMaxExpr':
        throw unsupported('greatest and least are not taken: write CASE WHEN a > b THEN a ELSE b END', at)
      default:
        throw unsupported(`${kind} is not taken in a client's statement: docs/sql.md says what is`, at)
    }
  }

  /** A login's identity says of itself whether anybody has it: it is compared with those of rows, and not read. */
  #read(node: Node | undefined): Typed {
    const value = this.value(node)
    if (value.isLogin === true) throw unsupported('identity(…) is compared with a column by = or <> or IN, and nothing else', value.at)
    return value
  }

  #list(nodes: readonly Node[] | undefined, at: number | undefined): readonly Typed[] {
    if (nodes === undefined || nodes.length === 0) throw unsupported('this list is empty', at)
    if (nodes.length > limits.sqlItemsMax) throw unsupported(`a list has at most ${limits.sqlItemsMax} members`, at)
    return nodes.map((node) => this.#read(node))
  }

  #alike(values: readonly Typed[]): ReturnType<typeof alike> {
    return alike(values, this.#state.parameters)
  }

  #column(body: NodeOf<'ColumnRef'>, at: number | undefined): Typed {
    const { fields = [] } = allowed(body, ['fields'])
    if (fields.some((field) => 'A_Star' in field)) throw unsupported('* stands alone in the list, or in count(*)', at)
    const names = fields.map(stringOf)
    if (names.length > 2) throw new StatementError('ERR_SQL_NAME', 'a column is written alone or with its table: table.column', at)
    const [qualifier, name = ''] = names.length === 2 ? names : [undefined, names[0]]
    const { source, column } = findColumn(this.#scope, qualifier, name, at)
    const { scalar, nullable } = column.type
    return { value: { kind: 'column', column, alias: source.alias }, kind: kindOf[scalar], scalar, nullable, at, open: undefined }
  }

  #parameter(body: NodeOf<'ParamRef'>, at: number | undefined): Typed {
    const { number = 0 } = allowed(body, ['number'])
    if (number < 1 || number > limits.sqlParametersMax) throw unsupported(`parameters are $1 to $${limits.sqlParametersMax}`, at)
    const index = number - 1
    this.#state.parameters.note(index)
    const value: Value = { kind: 'operand', operand: { kind: 'numbered', ordinal: index } }
    const kind = this.#state.parameters.known(index)
    if (kind !== undefined) return typed(value, kind, at)
    return { value, kind: 'unknown', scalar: undefined, nullable: true, at, open: { kind: 'parameter', index } }
  }

  #joined(body: NodeOf<'BoolExpr'>, at: number | undefined): Typed {
    const { boolop, args = [] } = allowed(body, ['boolop', 'args'])
    if (args.length > limits.sqlItemsMax) throw unsupported(`a condition joins at most ${limits.sqlItemsMax} terms`, at)
    const terms = args.map((arg) => this.condition(arg).value)
    const [first] = terms
    if (first === undefined) throw unsupported('this condition is empty', at)
    if (boolop === 'NOT_EXPR') return typed({ kind: 'not', term: first }, 'bool', at)
    return typed({ kind: boolop === 'AND_EXPR' ? 'and' : 'or', terms }, 'bool', at)
  }

  #truthTest(body: NodeOf<'BooleanTest'>, at: number | undefined): Typed {
    const { arg, booltesttype = '' } = allowed(body, ['arg', 'booltesttype'])
    const { value } = this.condition(arg)
    if (booltesttype.endsWith('UNKNOWN')) {
      const test: Value = { kind: 'is-null', operand: value }
      return typed(booltesttype === 'IS_UNKNOWN' ? test : { kind: 'not', term: test }, 'bool', at, false)
    }
    const wanted = booltesttype.endsWith('TRUE')
    const test: Value = { kind: 'coalesce', args: [wanted ? value : { kind: 'not', term: value }, literal(0n)] }
    return typed(booltesttype.startsWith('IS_NOT') ? { kind: 'not', term: test } : test, 'bool', at, false)
  }

  #case(body: NodeOf<'CaseExpr'>, at: number | undefined): Typed {
    const { arg, args = [], defresult } = allowed(body, ['arg', 'args', 'defresult'])
    if (args.length > limits.sqlItemsMax) throw unsupported(`a CASE has at most ${limits.sqlItemsMax} branches`, at)
    const subject = arg === undefined ? undefined : this.#read(arg)
    const whens: Value[] = []
    const results: Typed[] = []
    for (const one of args) {
      const { expr, result } = allowed(bodyOf(one, 'CaseWhen'), ['expr', 'result'])
      whens.push(subject === undefined ? this.condition(expr).value : this.#compare(subject, '=', this.#read(expr), at).value)
      results.push(this.#read(result))
    }
    const otherwise = defresult === undefined ? undefined : this.#read(defresult)
    const { kind, values } = this.#alike(otherwise === undefined ? results : [...results, otherwise])
    const branches = whens.map((when, index): Branch => ({ when, result: values[index]?.value ?? nothing }))
    return typed({ kind: 'case', branches, otherwise: otherwise === undefined ? undefined : values.at(-1)?.value }, kind, at)
  }

  // ---- operators ---------------------------------------------------------------------------------

  #expression(body: NodeOf<'A_Expr'>, at: number | undefined): Typed {
    const { kind, name = [], lexpr, rexpr } = allowed(body, ['kind', 'name', 'lexpr', 'rexpr'])
    const operator = name.map(stringOf).join('.')
    switch (kind) {
      case 'AEXPR_OP':
        return this.#operator(operator, lexpr, rexpr, at)
      case 'AEXPR_IN':
        return negatedIf(operator === '<>', this.#in(this.value(lexpr), asNode(rexpr, 'List')?.items, at))
      case 'AEXPR_LIKE': {
        const [text, pattern] = [this.#text(lexpr), this.#text(rexpr)]
        return negatedIf(operator === '!~~', typed({ kind: 'call', name: '_like', args: [text, pattern] }, 'bool', at))
      }
      case 'AEXPR_BETWEEN':
      case 'AEXPR_NOT_BETWEEN': {
        const [value, [low, high]] = [this.#read(lexpr), this.#list(asNode(rexpr, 'List')?.items, at)]
        if (low === undefined || high === undefined) throw unsupported('BETWEEN takes two values', at)
        const terms = [this.#compare(value, '>=', low, at).value, this.#compare(value, '<=', high, at).value]
        return negatedIf(kind === 'AEXPR_NOT_BETWEEN', typed({ kind: 'and', terms }, 'bool', at))
      }
      case 'AEXPR_NULLIF': {
        const all = this.#alike([this.#read(lexpr), this.#read(rexpr)])
        const [left, right] = all.values
        if (left === undefined || right === undefined) throw unsupported('nullif takes two values', at)
        const when = this.#compare(left, '=', right, at).value
        return typed({ kind: 'case', branches: [{ when, result: nothing }], otherwise: left.value }, all.kind, at)
      }
      case 'AEXPR_DISTINCT':
      case 'AEXPR_NOT_DISTINCT':
        throw unsupported('IS DISTINCT FROM is not taken: write a = b, and a IS NULL beside it', at)
      case 'AEXPR_ILIKE':
        throw unsupported('ILIKE is not taken: write lower(a) LIKE lower(b)', at)
      default:
        throw unsupported('this operator is not taken: docs/sql.md says which are', at)
    }
  }

  #text(node: Node | undefined): Value {
    return as(this.#read(node), 'text', this.#state.parameters).value
  }

  #operator(operator: string, lexpr: Node | undefined, rexpr: Node | undefined, at: number | undefined): Typed {
    if (lexpr === undefined) return this.#prefix(operator, rexpr, at)
    const comparison = OPERATORS.get(operator)
    if (comparison !== undefined) return this.#compare(this.value(lexpr), comparison, this.value(rexpr), at)
    if (operator === '||') return typed({ kind: 'call', name: '_concat', args: [this.#text(lexpr), this.#text(rexpr)] }, 'text', at)
    const name = ARITHMETIC.get(operator)
    if (name === undefined) throw unsupported(`the operator ${shown(operator)} is not taken: docs/sql.md says which are`, at)
    const given = [this.#read(lexpr), this.#read(rexpr)]
    const { kind, values } = given.every((one) => one.kind === 'unknown')
      ? { kind: 'integer' as const, values: given.map((one) => as(one, 'integer', this.#state.parameters)) }
      : this.#alike(given)
    if (kind !== 'integer' && kind !== 'float') throw new StatementError('ERR_SQL_TYPE', `${operator} takes numbers, and this is ${named[kind]}`, at)
    if (name === '_modulo' && kind === 'float') throw new StatementError('ERR_SQL_TYPE', '% takes integers', at)
    return typed({ kind: 'call', name, args: values.map(({ value }) => value) }, kind, at)
  }

  #prefix(operator: string, node: Node | undefined, at: number | undefined): Typed {
    if (operator !== '+' && operator !== '-') throw unsupported(`the operator ${shown(operator)} is not taken: docs/sql.md says which are`, at)
    const value = this.#read(node)
    const number = value.kind === 'unknown' ? as(value, 'integer', this.#state.parameters) : value
    if (!isNumber(number)) throw new StatementError('ERR_SQL_TYPE', `${operator} stands before numbers, and this is ${named[number.kind]}`, at)
    if (operator === '+') return number
    const { value: inner } = number
    if (inner.kind === 'operand' && inner.operand.kind === 'literal' && typeof inner.operand.value === 'number') {
      return typed(literal(-inner.operand.value + 0), 'float', at, false)
    }
    return typed({ kind: 'call', name: '_negate', args: [inner] }, number.kind === 'float' ? 'float' : 'integer', at)
  }

  #compare(left: Typed, operator: Operator, right: Typed, at: number | undefined): Typed {
    refuseLogin([left, right], operator === '=' || operator === '<>', at)
    const { kind, values } = this.#alike([left, right])
    if (kind === 'json') throw new StatementError('ERR_SQL_TYPE', 'Json has no order and no equality: only IS NULL can be asked of it', at)
    const [first, second] = values
    if (first === undefined || second === undefined) throw unsupported('this comparison has one side', at)
    return typed({ kind: 'compare', left: first.value, operator, right: second.value }, 'bool', at)
  }

  #in(operand: Typed, items: readonly Node[] | undefined, at: number | undefined): Typed {
    if (items === undefined || items.length > limits.sqlItemsMax) throw unsupported(`IN takes a list of at most ${limits.sqlItemsMax} values`, at)
    const given = items.map((item) => this.value(item))
    for (const item of given) refuseLogin([operand, item], true, at)
    const { kind, values } = this.#alike([operand, ...given])
    if (kind === 'json') throw new StatementError('ERR_SQL_TYPE', 'Json has no order and no equality: only IS NULL can be asked of it', at)
    const [first, ...rest] = values
    return typed({ kind: 'in', operand: first?.value ?? nothing, items: rest.map(({ value }) => value) }, 'bool', at)
  }

  #subLink(body: NodeOf<'SubLink'>, at: number | undefined): Typed {
    const { subLinkType, subselect, testexpr } = allowed(body, ['subLinkType', 'subselect', 'testexpr'])
    const select = asNode(subselect, 'SelectStmt')
    if (select === undefined) throw unsupported('a subquery is a SELECT', at)
    if (subLinkType === 'EXISTS_SUBLINK') {
      return typed({ kind: 'exists', query: this.#state.subquery(select, this.#scope, at).query }, 'bool', at, false)
    }
    if (subLinkType !== 'ANY_SUBLINK') throw unsupported('a subquery stands in EXISTS (…) or IN (…): send others as statements of their own', at)
    const operand = this.#read(testexpr)
    const { query, columns } = this.#state.subquery(select, this.#scope, at)
    if (columns.length !== 1) throw unsupported('the subquery of an IN has one column', at)
    const { kind, values } = this.#alike([operand, ...columns])
    const [first, column] = values
    if (kind === 'json' || first === undefined || column === undefined) throw new StatementError('ERR_SQL_TYPE', 'Json has no equality', at)
    return typed({ kind: 'in-query', operand: first.value, query, column: column.value }, 'bool', at)
  }

  #cast(body: NodeOf<'TypeCast'>, at: number | undefined): Typed {
    const { arg, typeName } = allowed(body, ['arg', 'typeName'])
    const { names = [] } = typeName === undefined ? {} : allowed(typeName, ['names', 'typemod'])
    const kind = CASTS.get(names.map(stringOf).join('.'))
    if (kind === undefined) throw unsupported('values are cast to boolean, bigint, double precision, text, bytea or timestamptz only', at)
    const value = this.#read(arg)
    if (value.kind === 'float' && kind === 'integer') return typed({ kind: 'call', name: '_integer', args: [value.value] }, 'integer', at)
    return as(value, kind, this.#state.parameters)
  }

  // ---- functions ---------------------------------------------------------------------------------

  #call(body: NodeOf<'FuncCall'>, at: number | undefined): Typed {
    const fields = allowed(body, ['funcname', 'args', 'agg_star', 'agg_distinct', 'funcformat'])
    const { funcname = [], args = [], agg_star: isStar = false, agg_distinct: isDistinct = false, funcformat } = fields
    const names = funcname.map(stringOf)
    // What the grammar itself calls by a full name: EXTRACT (year FROM at).
    if (names.length > 1 && !(funcformat === 'COERCE_SQL_SYNTAX' && names.length === 2 && names[0] === 'pg_catalog')) {
      throw new StatementError('ERR_SQL_NAME', 'functions are written without a schema', at)
    }
    const name = names.at(-1) ?? ''
    if (AGGREGATES.has(name)) return this.#aggregate(name, args, isStar, isDistinct, at)
    if (isStar || isDistinct) throw unsupported(`${shown(name)} is no aggregate`, at)
    if (name === 'sender') return this.#sender(args, at)
    if (name === 'identity') return this.#identity(args, at)
    if (name === 'date_trunc' || name === 'extract' || name === 'date_part') return this.#timePart(name, args, at)
    const shape = FUNCTIONS.get(name)
    if (shape === undefined) throw unknownFunction(name, at)
    return this.#function(name, shape, args, at)
  }

  #function(name: string, shape: FunctionShape, nodes: readonly Node[], at: number | undefined): Typed {
    const { args, required = args.length } = shape
    if (nodes.length < required || nodes.length > args.length) {
      throw new StatementError('ERR_SQL_TYPE', `${name} takes ${args.length === required ? '' : `${required} or `}${args.length} of: ${args.join(', ')}`, at)
    }
    const values = nodes.map((node, index) => this.#argument(node, args[index] ?? 'text', name))
    const extra = shape.extra === undefined ? [] : [literal(shape.extra)]
    const [first] = values
    const result = shape.result === 'number' ? (first?.kind === 'float' ? 'float' : 'integer') : shape.result
    return typed({ kind: 'call', name: shape.call, args: [...values.map(({ value }) => value), ...extra] }, result, at)
  }

  #argument(node: Node, wanted: Known | 'number', name: string): Typed {
    const value = this.#read(node)
    if (wanted !== 'number') {
      if (name.includes('length') && value.kind === 'bytes') return value
      return as(value, wanted, this.#state.parameters)
    }
    const number = value.kind === 'unknown' ? as(value, 'integer', this.#state.parameters) : value
    if (isNumber(number)) return number
    throw new StatementError('ERR_SQL_TYPE', `${name} takes a number, and this is ${named[number.kind]}`, value.at)
  }

  #sender(args: readonly Node[], at: number | undefined): Typed {
    if (args.length > 0) throw new StatementError('ERR_SQL_TYPE', 'sender() takes nothing', at)
    return typed({ kind: 'operand', operand: { kind: 'sender' } }, 'identity', at, false)
  }

  #identity(args: readonly Node[], at: number | undefined): Typed {
    const [issuer, subject] = args.map((arg) => asNode(arg, 'A_Const')?.sval?.sval)
    if (args.length !== 2 || issuer === undefined || subject === undefined) {
      throw new StatementError('ERR_SQL_TYPE', "identity takes two texts that are written down: identity('issuer', 'subject')", at)
    }
    if (this.#state.logins.length >= limits.sqlItemsMax) throw unsupported(`a statement names at most ${limits.sqlItemsMax} logins`, at)
    this.#state.logins.push({ issuer, subject })
    const ordinal = places.login + this.#state.logins.length - 1
    return { ...typed({ kind: 'operand', operand: { kind: 'numbered', ordinal } }, 'identity', at, false), isLogin: true }
  }

  #timePart(name: string, args: readonly Node[], at: number | undefined): Typed {
    const [fieldNode, timeNode, ...more] = args
    const field = asNode(fieldNode, 'A_Const')?.sval?.sval?.toLowerCase()
    const fields = name === 'date_trunc' ? TRUNCATED : EXTRACTED
    if (field === undefined || timeNode === undefined || more.length > 0 || !fields.has(field)) {
      throw new StatementError('ERR_SQL_TYPE', `${name} takes one of ${[...fields].join(', ')}, and a time`, at)
    }
    const time = as(this.#read(timeNode), 'timestamp', this.#state.parameters)
    const call = name === 'date_trunc' ? '_date_trunc' : '_extract'
    const kind = name === 'date_trunc' ? 'timestamp' : field === 'second' || field === 'epoch' ? 'float' : 'integer'
    return typed({ kind: 'call', name: call, args: [literal(field), time.value] }, kind, at)
  }

  #aggregate(name: string, args: readonly Node[], isStar: boolean, isDistinct: boolean, at: number | undefined): Typed {
    if (this.#aggregates !== 'allowed')
      throw unsupported(`${name} cannot stand ${this.#aggregates}${this.#aggregates === 'in WHERE' ? ': write HAVING' : ''}`, at)
    if (isStar) {
      if (name !== 'count') throw new StatementError('ERR_SQL_TYPE', `${name} takes a value, as in ${name}(column)`, at)
      return typed({ kind: 'aggregate', name: 'count', argument: undefined, isDistinct: false }, 'integer', at, false)
    }
    const [node, ...more] = args
    if (node === undefined || more.length > 0) throw new StatementError('ERR_SQL_TYPE', `${name} takes one value`, at)
    const argument = new Expressions(this.#state, this.#scope, 'in another aggregate').#read(node)
    const { kind, result } = aggregateKinds(name, argument)
    const given = as(argument, kind, this.#state.parameters)
    const call = AGGREGATES.get(name) ?? 'count'
    return typed({ kind: 'aggregate', name: call, argument: given.value, isDistinct }, result, at, name !== 'count')
  }
}

function isNumber({ kind }: Typed): boolean {
  return kind === 'integer' || kind === 'float'
}

function negatedIf(isNegated: boolean, value: Typed): Typed {
  return isNegated ? { ...value, value: { kind: 'not', term: value.value } } : value
}

/** Two of them compared, or one with what somebody wrote down, would tell who has been here. */
function refuseLogin(sides: readonly Typed[], isEquality: boolean, at: number | undefined): void {
  if (!sides.some((side) => side.isLogin)) return
  if (isEquality && sides.some((side) => side.value.kind === 'column')) return
  throw unsupported('identity(…) is compared with a column by = or <> or IN, and nothing else', at)
}

function unknownFunction(name: string, at: number | undefined): StatementError {
  const instead = INSTEAD.get(name)
  return new StatementError('ERR_SQL_NAME', `there is no function ${shown(name)}: ${instead ?? `there is ${[...FUNCTIONS.keys()].join(', ')}`}`, at)
}
