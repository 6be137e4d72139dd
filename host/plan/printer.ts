/**
 * The one place where a plan becomes SQL. Names come from the catalogue and are quoted all the same,
 * values are only bound, and nobody else writes a parenthesis.
 */
import { unreachable } from '../errors.ts'
import type { Column, Index, Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'
import { and, compare, indexColumns, keyColumns, nameColumns, parameter, physicalColumns } from './plan.ts'
import type { Condition, Expression, Operand, Order, SqlValue, Statement } from './plan.ts'
import type { Query, QueryOrder, Selection, Source, Value } from './query.ts'

/** The storage's function that counts the rows a statement examines; none of SQLite's own is called so. */
export const stepFunction = '_step'
/** The same for a client's statement: a row that its policies have let through, with its bytes. */
export const seenFunction = '_seen'
/** Tells whoever keeps account of rows of one that the statement's terms have let through too. */
export const touchFunction = '_touch'

export interface Printed {
  readonly sql: string
  /** Where each bound value comes from, in the order of the question marks. */
  readonly operands: readonly Operand[]
}

export function print(statement: Statement): Printed {
  const printer = new Printer()
  return { sql: printer.statement(statement), operands: printer.operands }
}

class Printer {
  readonly operands: Operand[] = []
  /** The statement's own table, whose columns need its name inside of an `exists`. */
  #own: Table | undefined
  #isInside = false

  statement(statement: Statement): string {
    if ('table' in statement) this.#own = statement.table
    switch (statement.kind) {
      case 'select': {
        const order = statement.order.length > 0 ? ` ORDER BY ${statement.order.map(orderTerm).join(', ')}` : ''
        return `SELECT ${list(statement.table.columns)} FROM ${name(statement.table)}${this.where(statement.where)}${order}${statement.hasLimit ? ` LIMIT ${this.bind(parameter)}` : ''}`
      }
      case 'query':
        return this.query(statement)
      case 'count':
        return `SELECT count(*) FROM (SELECT 1 FROM ${name(statement.table)}${this.where(statement.where)} LIMIT ${this.bind(parameter)})`
      case 'touched-count':
        return `SELECT count(touched) FROM (SELECT ${touchFunction}(0, ${list(statement.names)}) AS touched FROM ${name(statement.table)}${this.where(statement.where)} LIMIT ${this.bind(parameter)})`
      case 'probe':
        return `SELECT ${this.condition(statement.exists)}`
      case 'max-key':
        return `SELECT max(${name(statement.table.key)}) FROM ${name(statement.table)}${this.where(statement.where)}`
      case 'insert':
        return `INSERT INTO ${name(statement.table)} (${list(statement.table.columns)}) VALUES ${Array.from({ length: statement.rowCount }, () => this.row(statement.table)).join(', ')}`
      case 'update':
        return `UPDATE ${name(statement.table)} SET ${statement.table.columns.map((column) => `${name(column)} = ${this.bind(parameter)}`).join(', ')}${this.where(statement.where)}`
      case 'delete':
        return `DELETE FROM ${name(statement.table)}${this.where(statement.where)}`
      case 'create-table':
        return `CREATE TABLE ${name(statement.table)} (${statement.table.columns.map(columnDefinition).join(', ')}, PRIMARY KEY (${list(physicalColumns(statement.table))})) STRICT, WITHOUT ROWID`
      case 'create-index':
        return `CREATE ${statement.index.unique === undefined ? '' : 'UNIQUE '}INDEX ${quote(indexName(statement.index))} ON ${name(statement.table)} (${list(indexColumns(statement.table, statement.index))})`
      case 'add-column':
        return `ALTER TABLE ${name(statement.table)} ADD COLUMN ${columnDefinition(statement.column)} DEFAULT ${literal(statement.literal)}`
      default:
        return unreachable(statement)
    }
  }

  row(table: Table): string {
    return `(${table.columns.map(() => this.bind(parameter)).join(', ')})`
  }

  where(condition: Condition): string {
    return condition.kind === 'true' ? '' : ` WHERE ${this.condition(condition)}`
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'true':
        return '1'
      case 'false':
        return '0'
      case 'unknown':
        return 'NULL'
      case 'holds':
        return this.expression(condition.operand)
      case 'compare':
        return `${this.expression(condition.left)} ${condition.operator} ${this.compared(condition.right)}`
      case 'in':
        return `${this.expression(condition.operand)} IN (${condition.items.map((item) => this.expression(item)).join(', ')})`
      case 'is-null':
        return `${this.expression(condition.operand)} IS NULL`
      case 'not':
        return `NOT (${this.condition(condition.term)})`
      case 'and':
        return this.joined(condition.terms, 'AND', '1')
      case 'or':
        return this.joined(condition.terms, 'OR', '0')
      case 'exists':
        return this.exists(condition)
      case 'examined':
        // As a term beside it the step might come after the condition, or never: CASE forces the order.
        return `CASE WHEN ${stepFunction}() THEN ${this.condition(condition.condition)} END`
      default:
        return unreachable(condition)
    }
  }

  joined(terms: readonly Condition[], word: string, empty: string): string {
    if (terms.length === 0) return empty
    return terms.map((term) => (term.kind === 'and' || term.kind === 'or' ? `(${this.condition(term)})` : this.condition(term))).join(` ${word} `)
  }

  /** A row of the other table is counted before a term can pass it over: as in `selection`, the key is in every index. */
  exists({ table, alias, where }: Extract<Condition, { kind: 'exists' }>): string {
    const wasInside = this.#isInside
    this.#isInside = true
    const terms = where.kind === 'and' ? where.terms : [where]
    const counted = `${stepFunction}(${quote(alias)}.${name(table.key)})`
    const sql = `EXISTS (SELECT 1 FROM ${name(table)} AS ${quote(alias)} WHERE ${counted} AND ${this.joined(terms, 'AND', '1')})`
    this.#isInside = wasInside
    return sql
  }

  /** The plus keeps SQLite from planning the statement again for each bound value (24 → 17 µs). */
  compared(expression: Expression): string {
    return `${expression.kind === 'column' ? '' : '+'}${this.expression(expression)}`
  }

  expression(expression: Expression): string {
    if (expression.kind !== 'column') return this.bind(expression)
    const { column, alias } = expression
    if (alias !== undefined) return `${quote(alias)}.${name(column)}`
    // Inside, a bare name would be taken for a column of the table that is looked into.
    return this.#isInside && this.#own !== undefined ? `${name(this.#own)}.${name(column)}` : name(column)
  }

  query(query: Query): string {
    const list = query.columns.map((column) => this.value(column)).join(', ')
    const parts = [
      `${query.isExplained ? 'EXPLAIN QUERY PLAN ' : ''}SELECT ${query.isDistinct ? 'DISTINCT ' : ''}${list}`,
      this.selection(query),
      query.groups.length === 0 ? '' : `GROUP BY ${query.groups.map((value) => this.value(value)).join(', ')}`,
      // With a count in it, SQLite does not take it for a condition on rows and ask it of hidden ones.
      query.having === undefined ? '' : `HAVING CASE WHEN count(*) >= 0 THEN ${this.value(query.having)} END`,
      query.order.length === 0 ? '' : `ORDER BY ${query.order.map((order) => this.queryOrder(order)).join(', ')}`,
      `LIMIT ${this.bind(query.limit)}`,
      query.offset === undefined ? '' : `OFFSET ${this.bind(query.offset)}`,
    ]
    return parts.filter((part) => part !== '').join(' ')
  }

  /**
   * A cross join is one that SQLite takes in the order in which it is written: terms rely on it. Of the terms of
   * one table those that its index has the columns for come first, in the order of the text, and the key is in
   * every index: so a row is counted before any other term can pass it over.
   */
  selection({ sources }: Selection): string {
    if (sources.length === 0) return ''
    const tables = sources.map(({ table, alias }) => `${name(table)} AS ${quote(alias)}`).join(' CROSS JOIN ')
    const counts = sources.filter(({ isCounted }) => isCounted).map(({ table, alias }) => `${stepFunction}(${quote(alias)}.${name(table.key)})`)
    const terms = sources.flatMap((source) => [
      ...(source.served.kind === 'true' ? [] : [`(${this.condition(source.served)})`]),
      ...source.terms.map((term) => this.value(term)),
    ])
    return `FROM ${tables} WHERE ${[...counts, ...terms, ...sources.map((source) => this.examined(source))].join(' AND ')}`
  }

  /**
   * Asked of the policies, then counted as seen, and only then asked what the client asks. CASE keeps this
   * order where terms joined by AND have none. Each count takes a column, or SQLite would ask it once and not
   * for each row.
   */
  examined({ table, alias, policy, weights, rowBytes, filter, touch }: Source): string {
    const key = `${quote(alias)}.${name(table.key)}`
    const hidden = policy.kind === 'true' ? [] : [this.condition(policy)]
    const bytes = [...weights].map(([column, times]) => `coalesce(octet_length(${quote(alias)}.${name(column)}), 0) * ${times}`)
    const seen = `${seenFunction}(${[...(bytes.length === 0 ? [`octet_length(${key})`] : bytes), rowBytes].join(' + ')})`
    const asked = filter.map((term) => this.value(term))
    const names = nameColumns(table).map((column) => `${quote(alias)}.${name(column)}`)
    const touched = `${touchFunction}(${[touch, ...names].join(', ')})`
    const all = [...hidden, seen, ...asked]
    return `${all.map((one) => `CASE WHEN ${one} THEN`).join(' ')} ${touched}${' END'.repeat(all.length)}`
  }

  /** Each that has parts has parentheses: none relies on what binds closer. */
  value(value: Value): string {
    switch (value.kind) {
      case 'column':
        return `${quote(value.alias)}.${name(value.column)}`
      case 'operand':
        return this.bind(value.operand)
      case 'call':
        return `${value.name}(${this.values(value.args)})`
      case 'aggregate':
        return `${value.name}(${value.isDistinct ? 'DISTINCT ' : ''}${value.argument === undefined ? '*' : this.value(value.argument)})`
      case 'coalesce':
        return `coalesce(${this.values(value.args)})`
      case 'case': {
        const branches = value.branches.map(({ when, result }) => `WHEN ${this.value(when)} THEN ${this.value(result)}`)
        return `CASE ${branches.join(' ')}${value.otherwise === undefined ? '' : ` ELSE ${this.value(value.otherwise)}`} END`
      }
      case 'compare':
        return `(${this.value(value.left)} ${value.operator} ${value.right.kind === 'operand' ? '+' : ''}${this.value(value.right)})`
      case 'in':
        return `(${this.value(value.operand)} IN (${this.values(value.items)}))`
      case 'is-null':
        return `(${this.value(value.operand)} IS NULL)`
      case 'not':
        return `(NOT ${this.value(value.term)})`
      case 'and':
        return `(${value.terms.map((term) => this.value(term)).join(' AND ')})`
      case 'or':
        return `(${value.terms.map((term) => this.value(term)).join(' OR ')})`
      case 'exists':
        return `(EXISTS (SELECT 1 ${this.selection(value.query)}))`
      case 'in-query':
        return `(${this.value(value.operand)} IN (SELECT ${this.value(value.column)} ${this.selection(value.query)}))`
      default:
        return unreachable(value)
    }
  }

  values(values: readonly Value[]): string {
    return values.map((value) => this.value(value)).join(', ')
  }

  queryOrder({ value, isDescending, nulls }: QueryOrder): string {
    return `${this.value(value)}${isDescending ? ' DESC' : ''}${nulls === undefined ? '' : ` NULLS ${nulls.toUpperCase()}`}`
  }

  bind(operand: Operand): string {
    this.operands.push(operand)
    return '?'
  }
}

/** PostgreSQL's places for nulls: last when ascending, first when descending. */
function orderTerm({ column, isDescending }: Order): string {
  const nulls = column.type.nullable ? (isDescending ? ' NULLS FIRST' : ' NULLS LAST') : ''
  return `${name(column)}${isDescending ? ' DESC' : ''}${nulls}`
}

function columnDefinition(column: Column): string {
  return `${name(column)} ${storageClass(column.type.scalar)}${column.type.nullable ? '' : ' NOT NULL'}`
}

function storageClass(scalar: Scalar): 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB' {
  switch (scalar) {
    case 'bool':
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
    case 'u64':
    case 'i64':
    case 'timestamp':
      return 'INTEGER'
    case 'f32':
    case 'f64':
      return 'REAL'
    case 'string':
    case 'json':
      return 'TEXT'
    case 'bytes':
    case 'identity':
      return 'BLOB'
    default:
      return unreachable(scalar)
  }
}

/** ALTER TABLE takes no bound values: the only literals that are ever printed, all from our own codec. */
function literal(value: SqlValue): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'number') return `x'${Buffer.from(value).toString('hex')}'`
  if (!Number.isFinite(value)) return value > 0 ? '9e999' : '-9e999'
  return value.toString()
}

function list(columns: readonly Column[]): string {
  return columns.map(name).join(', ')
}

/** No module's table can be called so: tables and indexes share their names in SQLite. */
function indexName(index: Index): string {
  return `_index_${index.id}`
}

function name(named: Column | Table): string {
  return quote(named.name)
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}

/** The condition that names one row by its key. */
export function keyCondition(table: Table): Condition {
  return and(...keyColumns(table).map((column) => compare(column, '=')))
}
