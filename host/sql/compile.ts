/**
 * A client's SELECT to a plan, under the policies of whoever may run it. PostgreSQL's parser has read it;
 * what of its tree is taken, and what it means, is decided here and in the files beside.
 */
import type { Node } from 'libpg-query'

import { HostError } from '../errors.ts'
import type { Login } from '../identity.ts'
import * as limits from '../limits.ts'
import { keyColumns, withExpressions } from '../plan/plan.ts'
import type { Condition, Operand } from '../plan/plan.ts'
import { print } from '../plan/printer.ts'
import type { Printed } from '../plan/printer.ts'
import { childrenOf, partsOf } from '../plan/query.ts'
import type { Query, Selection, Source, Value } from '../plan/query.ts'
import { nearNames } from '../near-names.ts'
import type { Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'
import { arrange, weightsOf } from './arrange.ts'
import type { Arranged } from './arrange.ts'
import { Expressions } from './expressions.ts'
import type { AggregatePlace, StatementState } from './expressions.ts'
import type { Known } from './kinds.ts'
import { allow, asNode, locationOf, opened, stringOf } from './node.ts'
import type { NodeOf } from './node.ts'
import { parseStatement } from './parse-statement.ts'
import { places } from './places.ts'
import { columnValue, defaultName, hasAggregate, keyOf, namedTarget, refuseOutside, settled, totalOrder } from './result-list.ts'
import type { Sorted, Target } from './result-list.ts'
import { rowNames } from './row-names.ts'
import type { RowName } from './row-names.ts'
import { shown } from './scope.ts'
import { shownStatement } from './shown-statement.ts'
import type { Scope } from './scope.ts'
import { pointedAt, StatementError, unsupported } from './statement-error.ts'
import { as, ParameterKinds, resultScalar } from './typed.ts'
import type { Typed } from './typed.ts'

/** A table that statements may name, and the policies of reading it. */
export interface SqlTable {
  readonly table: Table
  readonly policies: Condition
}

export interface ResultColumn {
  readonly name: string
  readonly type: Scalar
}

export interface CompiledStatement {
  /** For the access log: without its literals. */
  readonly shown: string
  readonly printed: Printed
  /** The statement that says how this one is gone about. */
  explained(): Printed
  readonly parameters: readonly Known[]
  readonly logins: readonly Login[]
  readonly columns: readonly ResultColumn[]
  /** Rows wanted and rows passed over: written down, or the index of a parameter; undefined when not said. */
  readonly limit: RowCount
  readonly offset: RowCount
  /** Each once, in the order of the numbers that touched rows come with. */
  readonly sources: readonly Table[]
  /** The numbers of those whose rows the answer is made of; rows of the others only decide something. */
  readonly outer: ReadonlySet<number>
  /** Where behind the columns of a row of the answer stands what names the rows that it was made of; undefined where it was made of many. */
  readonly names: readonly RowName[] | undefined
}

export type RowCount = bigint | { readonly parameter: number } | undefined

export interface CompileOptions {
  readonly tables: ReadonlyMap<string, SqlTable>
}

/**
 * The parser must have been loaded.
 *
 * @throws HostError ERR_SQL_SYNTAX, ERR_SQL_UNSUPPORTED, ERR_SQL_NAME, ERR_SQL_TYPE, with the line and a caret where there is a place.
 */
export function compileStatement(text: string, options: CompileOptions): CompiledStatement {
  try {
    return new StatementCompiler(options).compile(text, parseStatement(text))
  } catch (error) {
    throw error instanceof StatementError ? pointedAt(text, error) : error
  }
}

const SETS = 'UNION, INTERSECT and EXCEPT are not taken: send each SELECT by itself, or join conditions on one table by OR, AND and NOT IN (SELECT …)'

const ADVICE: Readonly<Record<string, string>> = {
  withClause: 'WITH is not taken: select from the tables themselves, with EXISTS or IN (SELECT …) where one depends on another, or send several statements',
  larg: SETS,
  rarg: SETS,
  valuesLists: 'VALUES is not taken: write SELECT … FROM a table',
  lockingClause: 'a statement only reads: leave FOR UPDATE and its like away',
  intoClause: 'a statement only reads: leave INTO away',
  windowClause: 'window functions are not taken: select the rows in their order',
}

class StatementCompiler implements StatementState {
  readonly parameters = new ParameterKinds()
  readonly logins: Login[] = []
  nodes = 0
  depth = 0
  readonly #options: CompileOptions
  readonly #sources: Table[] = []

  constructor(options: CompileOptions) {
    this.#options = options
  }

  compile(text: string, statement: Node): CompiledStatement {
    const select = asNode(statement, 'SelectStmt')
    if (select === undefined)
      throw unsupported(`a client's statement is a SELECT and changes nothing: rows change by reducers (this is ${opened(statement).kind})`, undefined)
    const { query, ...made } = new SelectCompiler(this, select, undefined).whole()
    return {
      ...made,
      shown: shownStatement(text),
      printed: print(query),
      explained: () => print({ ...query, isExplained: true }),
      parameters: this.parameters.all(),
      logins: this.logins,
      sources: this.#sources,
    }
  }

  subquery(select: NodeOf<'SelectStmt'>, outer: Scope, at: number | undefined): { readonly query: Selection; readonly columns: readonly Typed[] } {
    return new SelectCompiler(this, select, outer).inner(at)
  }

  table(name: string, at: number | undefined): SqlTable & { readonly number: number } {
    const { tables } = this.#options
    const found = tables.get(name)
    if (found === undefined) {
      const near = nearNames(name, [...tables.keys()])
      throw new StatementError(
        'ERR_SQL_NAME',
        `there is no table ${shown(name)}: ${near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there is ${[...tables.keys()].join(', ')}`}`,
        at,
      )
    }
    if (this.#sources.length >= limits.sqlTablesMax) throw unsupported(`a statement names at most ${limits.sqlTablesMax} tables`, at)
    return { ...found, number: this.#sources.push(found.table) - 1 }
  }
}

class SelectCompiler {
  readonly #statement: StatementCompiler
  readonly #select: NodeOf<'SelectStmt'>
  readonly #scope: { readonly sources: (Arranged & { readonly number: number })[]; readonly outer: Scope | undefined }
  readonly #conjuncts: Value[] = []

  constructor(statement: StatementCompiler, select: NodeOf<'SelectStmt'>, outer: Scope | undefined) {
    this.#statement = statement
    this.#select = select
    this.#scope = { sources: [], outer }
  }

  // ---- a whole statement ---------------------------------------------------------------------------

  whole(): Pick<CompiledStatement, 'columns' | 'limit' | 'offset' | 'outer' | 'names'> & { readonly query: Query } {
    this.#allow([
      'distinctClause',
      'targetList',
      'fromClause',
      'whereClause',
      'groupClause',
      'havingClause',
      'sortClause',
      'limitCount',
      'limitOffset',
      'limitOption',
      'op',
    ])
    this.#from()
    const targets = this.#targets('allowed')
    if (targets.length === 0) throw unsupported('a statement selects at least one column', undefined)
    const columns = targets.map(({ value }) => settled(value, this.#statement.parameters))
    const groups = this.#groups(targets)
    const having = this.#select.havingClause === undefined ? undefined : this.#expressions('allowed').condition(this.#select.havingClause)
    const isDistinct = this.#isDistinct()
    const sorted = this.#order(targets)
    const all = [...columns, ...sorted.map(({ value }) => value), ...(having === undefined ? [] : [having])]
    const isGrouped = groups.length > 0 || having !== undefined || all.some(({ value }) => hasAggregate(value))
    if (isGrouped) this.#refuseUngrouped(all, groups)
    if (isDistinct) refuseOutside(sorted, columns)
    const order = totalOrder(sorted, isDistinct ? columns : isGrouped ? groups : this.#keys())
    const values = [...all, ...groups].map(({ value }) => value)
    const { limit, offset } = this.#limits()
    const named = isGrouped || isDistinct ? undefined : rowNames(this.#scope.sources, columns.length)
    return {
      query: {
        kind: 'query',
        sources: this.#arranged(values),
        columns: [...columns.map(({ value }) => value), ...(named?.values ?? [])],
        isDistinct,
        groups: groups.map(({ value }) => value),
        having: having?.value,
        order: isGrouped && groups.length === 0 ? [] : order,
        limit: numbered(places.limit),
        offset: offset === undefined ? undefined : numbered(places.offset),
        isExplained: false,
      },
      columns: columns.map((column, index) => ({ name: targets[index]?.name ?? '', type: resultScalar(column) })),
      limit,
      offset,
      outer: new Set(this.#scope.sources.map(({ number }) => number)),
      names: named?.names,
    }
  }

  /** What stands in an EXISTS or an IN: rows of tables, and conditions on them. */
  inner(at: number | undefined): { readonly query: Selection; readonly columns: readonly Typed[] } {
    allow(this.#select, ['targetList', 'fromClause', 'whereClause', 'limitOption', 'op'], 'a subquery', 'it has SELECT, FROM and WHERE', at)
    this.#refuseSets()
    this.#from()
    if (this.#scope.sources.length === 0) throw unsupported('a subquery has a FROM', at)
    const columns = this.#targets('in a subquery').map(({ value }) => value)
    return { query: { sources: this.#arranged(columns.map(({ value }) => value)) }, columns }
  }

  #allow(fields: readonly string[]): void {
    this.#refuseSets()
    allow(this.#select, fields, 'SELECT', 'docs/sql.md says what is', undefined)
  }

  #refuseSets(): void {
    for (const field of Object.keys(this.#select)) {
      const advice = ADVICE[field]
      if (advice !== undefined) throw unsupported(advice, undefined)
    }
    if (this.#select.op !== undefined && this.#select.op !== 'SETOP_NONE') throw unsupported(SETS, undefined)
    if (this.#select.limitOption === 'LIMIT_OPTION_WITH_TIES') throw unsupported('WITH TIES is not taken: write LIMIT', undefined)
  }

  #expressions(place: AggregatePlace): Expressions {
    return new Expressions(this.#statement, this.#scope, place)
  }

  // ---- from and where ------------------------------------------------------------------------------

  #from(): void {
    const { fromClause = [], whereClause } = this.#select
    if (fromClause.length > 1) throw unsupported('tables are joined by JOIN … ON, not by a comma', undefined)
    for (const item of fromClause) this.#fromItem(item)
    if (whereClause === undefined) return
    if (this.#scope.sources.length === 0) throw unsupported('WHERE stands behind a FROM', undefined)
    this.#addCondition(whereClause, 'in WHERE')
  }

  #fromItem(item: Node | undefined): void {
    const table = asNode(item, 'RangeVar')
    if (table !== undefined) return this.#addTable(table)
    const join = asNode(item, 'JoinExpr')
    if (join === undefined) throw unsupported('FROM takes tables and JOIN: subqueries and functions there are not taken', undefined)
    const { jointype, larg, rarg, quals } = join
    allow(join, ['jointype', 'larg', 'rarg', 'quals'], 'JOIN', 'write JOIN … ON …')
    if (jointype !== 'JOIN_INNER')
      throw unsupported(
        'LEFT, RIGHT and FULL JOIN are not taken: JOIN gives the pairs, and a second statement with NOT EXISTS (SELECT …) the rows without one',
        undefined,
      )
    if (this.#statement.depth++ > limits.sqlDepthMax) throw unsupported('too many joins in each other', undefined)
    this.#fromItem(larg)
    this.#fromItem(rarg)
    this.#statement.depth--
    if (quals === undefined) throw unsupported('a join says by what: JOIN … ON a.column = b.column', undefined)
    this.#addCondition(quals, 'in JOIN')
  }

  #addTable(range: NodeOf<'RangeVar'>): void {
    const at = locationOf(range)
    const { schemaname, catalogname, relname = '', alias } = range
    if (schemaname !== undefined || catalogname !== undefined)
      throw new StatementError('ERR_SQL_NAME', "tables are written without a schema; there are the module's own only", at)
    allow(range, ['relname', 'inh', 'relpersistence', 'alias'], 'a table', 'write its name, and a short one behind AS')
    if (range.inh !== true) throw unsupported('ONLY is not taken: tables have no children', at)
    if (alias !== undefined) allow(alias, ['aliasname'], 'an alias', 'columns keep their names', at)
    const { table, policies, number } = this.#statement.table(relname, at)
    const name = alias?.aliasname ?? relname
    if (this.#scope.sources.some((source) => source.name === name))
      throw new StatementError('ERR_SQL_NAME', `${shown(name)} stands twice in FROM: give one another name with AS`, at)
    const own = `_t${number}`
    this.#scope.sources.push({
      name,
      table,
      alias: own,
      number,
      policies: withExpressions(policies, (one) => (one.kind === 'column' && one.alias === undefined ? { ...one, alias: own } : one)),
    })
  }

  #addCondition(node: Node, place: AggregatePlace): void {
    const add = (value: Value): void => {
      if (value.kind === 'and') value.terms.forEach(add)
      else this.#conjuncts.push(value)
    }
    add(this.#expressions(place).condition(node).value)
  }

  /** The sources in their order, with what they cost: `values` are all that the statement computes of their rows. */
  #arranged(values: readonly Value[]): readonly Source[] {
    const outer = new Set<string>()
    for (let around = this.#scope.outer; around !== undefined; around = around.outer) for (const { alias } of around.sources) outer.add(alias)
    const parts = [...values, ...this.#conjuncts].flatMap((value) => [...partsOf(value)])
    return arrange(this.#scope.sources, this.#conjuncts, outer).map((source) => {
      const number = this.#scope.sources.find(({ alias }) => alias === source.alias)?.number ?? 0
      return { ...source, weights: weightsOf(source.alias, parts), rowBytes: parts.length * limits.sqlExpressionBytes, touch: number }
    })
  }

  // ---- the list ------------------------------------------------------------------------------------

  #targets(place: AggregatePlace): readonly Target[] {
    const { targetList = [] } = this.#select
    const targets = targetList.flatMap((node) => this.#target(node, place))
    if (targets.length > limits.sqlItemsMax) throw unsupported(`a statement selects at most ${limits.sqlItemsMax} columns`, undefined)
    return targets
  }

  #target(node: Node, place: AggregatePlace): readonly Target[] {
    const target = asNode(node, 'ResTarget')
    if (target === undefined) throw unsupported('this is no column of a list', undefined)
    allow(target, ['name', 'val'], 'a column', 'write an expression, and its name behind AS')
    const fields = asNode(target.val, 'ColumnRef')?.fields ?? []
    if (fields.some((field) => 'A_Star' in field)) return this.#star(fields, locationOf(target))
    const value = this.#expressions(place).value(target.val)
    if (value.isLogin === true) throw unsupported('identity(…) is compared with a column by = or <> or IN, and nothing else', value.at)
    return [{ name: target.name ?? defaultName(target.val), isNamed: target.name !== undefined, value }]
  }

  #star(fields: readonly Node[], at: number | undefined): readonly Target[] {
    const qualifier = fields.length > 1 ? stringOf(fields[0]) : undefined
    const sources = this.#scope.sources.filter((source) => qualifier === undefined || source.name === qualifier)
    if (sources.length === 0 || fields.length > 2)
      throw new StatementError('ERR_SQL_NAME', qualifier === undefined ? '* needs a FROM' : `no table ${shown(qualifier)} in FROM`, at)
    return sources.flatMap(({ table, alias }) =>
      table.columns.map((column): Target => ({ name: column.name, isNamed: false, value: columnValue(column, alias, at) })),
    )
  }

  #isDistinct(): boolean {
    const { distinctClause } = this.#select
    if (distinctClause === undefined) return false
    if (distinctClause.some((node) => Object.keys(node).length > 0)) throw unsupported('DISTINCT ON is not taken: write GROUP BY', undefined)
    return true
  }

  /** By position, by the name of a column of the list, or by an expression. PostgreSQL takes a table's column before the list's. */
  #groups(targets: readonly Target[]): readonly Typed[] {
    const { groupClause = [] } = this.#select
    return groupClause.map((node) => {
      const at = opened(node).body
      const listed = this.#position(node, targets) ?? (this.#isColumn(node) ? undefined : namedTarget(node, targets))
      const value = listed ?? this.#expressions('in GROUP BY').value(node)
      if (value.kind === 'json') throw new StatementError('ERR_SQL_TYPE', 'Json is no group: it has no equality', value.at)
      if (hasAggregate(value.value)) throw unsupported('an aggregate is no group', locationOf(at))
      return settled(value, this.#statement.parameters)
    })
  }

  #isColumn(node: Node): boolean {
    const name = stringOf(asNode(node, 'ColumnRef')?.fields?.[0])
    return this.#scope.sources.some(({ table }) => table.columns.some((column) => column.name === name))
  }

  /** A whole number that stands alone is a place in the list. */
  #position(node: Node, targets: readonly Target[]): Typed | undefined {
    const constant = asNode(node, 'A_Const')
    if (constant === undefined) return undefined
    const place = constant.ival === undefined ? undefined : (constant.ival.ival ?? 0)
    const target = place === undefined ? undefined : targets[place - 1]
    if (target === undefined) throw new StatementError('ERR_SQL_NAME', `the list has places 1 to ${targets.length}`, locationOf(constant))
    return target.value
  }

  #order(targets: readonly Target[]): readonly Sorted[] {
    const { sortClause = [] } = this.#select
    return sortClause.map((node) => {
      const sort = asNode(node, 'SortBy')
      if (sort?.node === undefined) throw unsupported('this order is not taken', undefined)
      allow(sort, ['node', 'sortby_dir', 'sortby_nulls'], 'ORDER BY', 'write ASC or DESC, NULLS FIRST or LAST')
      const listed = this.#position(sort.node, targets) ?? namedTarget(sort.node, targets)
      const value = settled(listed ?? this.#expressions('allowed').value(sort.node), this.#statement.parameters)
      if (value.kind === 'json') throw new StatementError('ERR_SQL_TYPE', 'Json has no order', value.at)
      if (value.isLogin === true) throw unsupported('identity(…) is no order', value.at)
      const isDescending = sort.sortby_dir === 'SORTBY_DESC'
      const first = sort.sortby_nulls === 'SORTBY_NULLS_FIRST' || (sort.sortby_nulls !== 'SORTBY_NULLS_LAST' && isDescending)
      return { value, isDescending, nulls: first ? 'first' : 'last' }
    })
  }

  #keys(): readonly Typed[] {
    return this.#scope.sources.flatMap(({ table, alias }) => keyColumns(table).map((column) => columnValue(column, alias, undefined)))
  }

  #refuseUngrouped(values: readonly Typed[], groups: readonly Typed[]): void {
    const known = new Set(groups.map(({ value }) => keyOf(value)))
    const own = new Set(this.#scope.sources.map(({ alias }) => alias))
    const check = (value: Value, at: number | undefined): void => {
      if (value.kind === 'aggregate' || known.has(keyOf(value))) return
      if (value.kind === 'column' && own.has(value.alias)) {
        throw new StatementError('ERR_SQL_NAME', `${value.column.name} is in no aggregate and in no group: add it to GROUP BY`, at)
      }
      for (const child of childrenOf(value)) check(child, at)
    }
    for (const { value, at } of values) check(value, at)
  }

  #limits(): { readonly limit: RowCount; readonly offset: RowCount } {
    const { limitCount, limitOffset } = this.#select
    return { limit: this.#rowCount(limitCount), offset: this.#rowCount(limitOffset) }
  }

  #rowCount(node: Node | undefined): RowCount {
    if (node === undefined) return undefined
    const constant = asNode(node, 'A_Const')
    // LIMIT ALL is LIMIT NULL.
    if (constant?.isnull === true) return undefined
    const value = this.#expressions('in WHERE').value(node)
    const { open, at } = value
    if (open?.kind === 'parameter') {
      as(value, 'integer', this.#statement.parameters)
      return { parameter: open.index }
    }
    if (value.value.kind === 'operand' && value.value.operand.kind === 'numbered' && value.kind === 'integer') return { parameter: value.value.operand.ordinal }
    const { value: literal } = value
    if (literal.kind === 'operand' && literal.operand.kind === 'literal' && typeof literal.operand.value === 'bigint' && literal.operand.value >= 0n)
      return literal.operand.value
    throw new StatementError('ERR_SQL_TYPE', 'LIMIT and OFFSET take a whole number, 0 or more, or a parameter', at)
  }
}

function numbered(ordinal: number): Operand {
  return { kind: 'numbered', ordinal }
}

/** For what cannot be prepared after all. */
export function refusedBySqlite(cause: unknown): HostError {
  return new HostError('ERR_SQL_UNSUPPORTED', 'the statement is too large or too deep to run: write it simpler', { cause })
}
