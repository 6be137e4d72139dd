/**
 * The one place where a plan becomes SQL. Names come from the catalogue and are quoted all the same,
 * values are only bound, and nobody else writes a parenthesis.
 */
import { unreachable } from '../errors.ts'
import type { Column, Index, Table } from '../schema/schema.ts'
import type { Scalar } from '../value-type.ts'
import { indexColumns, keyColumns, parameter, physicalColumns } from './plan.ts'
import type { Condition, Operand, Order, SqlValue, Statement } from './plan.ts'

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

  statement(statement: Statement): string {
    switch (statement.kind) {
      case 'select': {
        const order = statement.order.length > 0 ? ` ORDER BY ${statement.order.map(orderTerm).join(', ')}` : ''
        return `SELECT ${list(statement.table.columns)} FROM ${name(statement.table)}${this.where(statement.where)}${order}${statement.hasLimit ? ` LIMIT ${this.bind(parameter)}` : ''}`
      }
      case 'count':
        return `SELECT count(*) FROM (SELECT 1 FROM ${name(statement.table)}${this.where(statement.where)} LIMIT ${this.bind(parameter)})`
      case 'max-key':
        return `SELECT max(${name(statement.table.key)}) FROM ${name(statement.table)}${this.where(statement.where)}`
      case 'insert':
        return `INSERT INTO ${name(statement.table)} (${list(statement.table.columns)}) VALUES (${statement.table.columns.map(() => this.bind(parameter)).join(', ')})`
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

  where(condition: Condition): string {
    return condition.kind === 'true' ? '' : ` WHERE ${this.condition(condition)}`
  }

  condition(condition: Condition): string {
    switch (condition.kind) {
      case 'true':
        return '1'
      case 'false':
        return '0'
      case 'compare':
        // The plus keeps SQLite from planning the statement again for each bound value (24 → 17 µs).
        return `${name(condition.column)} ${condition.operator} +${this.bind(condition.operand)}`
      case 'is-null':
        return `${name(condition.column)} IS NULL`
      case 'and':
        return this.joined(condition.terms, 'AND', '1')
      case 'or':
        return this.joined(condition.terms, 'OR', '0')
      default:
        return unreachable(condition)
    }
  }

  joined(terms: readonly Condition[], word: string, empty: string): string {
    if (terms.length === 0) return empty
    return terms.map((term) => (term.kind === 'and' || term.kind === 'or' ? `(${this.condition(term)})` : this.condition(term))).join(` ${word} `)
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
  return { kind: 'and', terms: keyColumns(table).map((column) => ({ kind: 'compare', column, operator: '=', operand: parameter })) }
}
