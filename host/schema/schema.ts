/**
 * A database's schema: the tables of its module with their permanent numbers. Names are labels;
 * numbers are what stored formats refer to, and a number once given is never given again.
 */
import { assert } from '../errors.ts'
import type { Layouts } from '../row-codec.ts'
import type { ScalarType } from '../value-type.ts'
import type { ModuleDescription, TableDescription } from './description.ts'

export interface Column {
  readonly id: number
  readonly name: string
  readonly type: ScalarType
  /** What rows stored before the column have, in JSON form; undefined when none was declared. */
  readonly default: unknown
}

export type UniqueScope = 'owner' | 'global'

export interface Index {
  readonly id: number
  readonly columns: readonly Column[]
  readonly unique: UniqueScope | undefined
}

export interface Table {
  readonly id: number
  readonly name: string
  /** In the order of the module's declaration: the order of a row image. */
  readonly columns: readonly Column[]
  readonly key: Column
  readonly autoIncrement: boolean
  readonly owner: Column | undefined
  /** Whose data a row is, for the access log; the owner's where no column says it. */
  readonly subject?: Column
  /** `strict`: what the access log says of this table is on the disk before an answer leaves. */
  readonly audit?: 'strict'
  readonly clustered: readonly Column[]
  readonly indexes: readonly Index[]
}

export interface Schema {
  /** Counts the changes of this database's schema; 0 is the empty schema before the first publish. */
  readonly version: number
  readonly tables: readonly Table[]
  /** The next table and column number; numbers of dropped things are not given again. */
  readonly nextId: number
}

export const emptySchema: Schema = { version: 0, tables: [], nextId: 1 }

export type SchemaChange =
  | { readonly kind: 'create-table'; readonly table: Table }
  | { readonly kind: 'add-column'; readonly table: Table; readonly column: Column }
  | { readonly kind: 'create-index'; readonly table: Table; readonly index: Index }

export interface SchemaPlan {
  readonly schema: Schema
  readonly changes: readonly SchemaChange[]
  /** What the new module wants that would lose or reinterpret stored rows, and what it would need. */
  readonly refused: readonly string[]
}

/**
 * What it takes to get from the stored schema to a module's. New tables, new indexes and new columns
 * with a default (or nullable) are automatic; everything else is refused with its reason.
 */
export function planSchema(current: Schema, description: ModuleDescription): SchemaPlan {
  const planner = new SchemaPlanner(current)
  const tables = description.tables.map((table) => planner.table(table))
  for (const table of current.tables) {
    if (!description.tables.some((entry) => entry.name === table.name)) {
      planner.refused.push(`table ${table.name} is gone from the module: its rows would be lost; keep the class, or drop the database`)
    }
  }
  // The order of columns is the order of a row image, so a change of order is a version too.
  const isSame = JSON.stringify(tables) === JSON.stringify(current.tables)
  const version = isSame ? current.version : current.version + 1
  return {
    schema: { version, tables, nextId: planner.nextId },
    changes: planner.changes,
    refused: planner.refused,
  }
}

class SchemaPlanner {
  readonly changes: SchemaChange[] = []
  readonly refused: string[] = []
  nextId: number
  readonly #current: Schema

  constructor(current: Schema) {
    this.#current = current
    this.nextId = current.nextId
  }

  table(wanted: TableDescription): Table {
    const stored = this.#current.tables.find((table) => table.name === wanted.name)
    if (stored !== undefined) return this.#keep(stored, wanted)
    const table = this.#build(
      wanted,
      this.nextId++,
      wanted.columns.map((column) => ({ ...column, id: this.nextId++ })),
    )
    this.changes.push({ kind: 'create-table', table })
    return table
  }

  #keep(stored: Table, wanted: TableDescription): Table {
    const before = this.refused.length
    const columns = wanted.columns.map((column): Column => {
      const known = stored.columns.find((one) => one.name === column.name)
      return { ...column, id: known?.id ?? this.nextId++ }
    })
    this.#compareShape(stored, wanted)
    for (const column of columns) this.#compareColumn(stored, column)
    for (const column of stored.columns) {
      if (!columns.some((one) => one.id === column.id))
        this.refused.push(`column ${stored.name}.${column.name} is gone: its values would be lost; keep the field`)
    }
    // A refused table may lack what its indexes name; the plan is not carried out anyway.
    if (this.refused.length > before) return stored
    const table = this.#build(wanted, stored.id, columns, stored)
    for (const column of columns) {
      if (!stored.columns.some((one) => one.id === column.id)) this.changes.push({ kind: 'add-column', table, column })
    }
    this.#compareIndexes(stored, table)
    return table
  }

  #compareShape(stored: Table, wanted: TableDescription): void {
    const now = `key ${wanted.key}${wanted.autoIncrement ? ' counted' : ''}, owner ${wanted.owner ?? 'none'}, clustered (${wanted.clustered.join(', ')})`
    const was = `key ${stored.key.name}${stored.autoIncrement ? ' counted' : ''}, owner ${stored.owner?.name ?? 'none'}, clustered (${names(stored.clustered)})`
    if (now !== was) this.refused.push(`table ${stored.name} has ${was} and would get ${now}: every row would have to move; make a new table and copy`)
  }

  #compareColumn(stored: Table, column: Column): void {
    const known = stored.columns.find((one) => one.id === column.id)
    const where = `column ${stored.name}.${column.name}`
    if (known === undefined) {
      if (column.default === undefined && !column.type.nullable)
        this.refused.push(`${where} is new and has no value for the rows that are there: give it @default(…) or make it nullable`)
    } else if (known.type.scalar !== column.type.scalar || known.type.nullable !== column.type.nullable) {
      this.refused.push(
        `${where} is ${known.type.scalar}${known.type.nullable ? '?' : ''} and would become ${column.type.scalar}${column.type.nullable ? '?' : ''}: add a new column and fill it`,
      )
    } else if (JSON.stringify(known.default) !== JSON.stringify(column.default)) {
      this.refused.push(`${where} would change its default: rows that never had a value of their own would change; keep the default`)
    }
  }

  #compareIndexes(stored: Table, table: Table): void {
    const before = new Map(stored.indexes.map((index) => [index.id, index]))
    for (const index of table.indexes) {
      if (before.delete(index.id)) continue
      if (index.unique === undefined) this.changes.push({ kind: 'create-index', table, index })
      else this.refused.push(`table ${table.name} would get a unique (${names(index.columns)}): rows that are there may break it; make a new table and copy`)
    }
    for (const index of before.values()) {
      this.refused.push(`table ${table.name} would lose its ${index.unique === undefined ? 'index' : 'unique'} (${names(index.columns)}); keep it`)
    }
  }

  #build(wanted: TableDescription, id: number, columns: readonly Column[], stored?: Table): Table {
    const column = (name: string): Column => {
      const found = columns.find((one) => one.name === name)
      assert(found !== undefined, `column ${name} was checked by the description`)
      return found
    }
    const index = (list: readonly string[], unique: UniqueScope | undefined): Index => {
      const known = stored?.indexes.find((one) => one.unique === unique && names(one.columns) === list.join(', '))
      return { id: known?.id ?? this.nextId++, columns: list.map(column), unique }
    }
    return {
      id,
      name: wanted.name,
      columns,
      key: column(wanted.key),
      autoIncrement: wanted.autoIncrement,
      owner: wanted.owner === undefined ? undefined : column(wanted.owner),
      ...(wanted.subject === undefined ? {} : { subject: column(wanted.subject) }),
      ...(wanted.audit === undefined ? {} : { audit: wanted.audit }),
      clustered: wanted.clustered.map(column),
      indexes: [
        ...wanted.uniques.map((one) => index(one.columns, one.global ? 'global' : 'owner')),
        ...wanted.indexes.map((one) => index(one.columns, undefined)),
      ],
    }
  }
}

function names(columns: readonly Column[]): string {
  return columns.map((column) => column.name).join(', ')
}

/** One line a change, as a publish prints it. */
export function formatChange(change: SchemaChange): string {
  switch (change.kind) {
    case 'create-table':
      return `create table ${change.table.name}`
    case 'add-column':
      return `add column ${change.table.name}.${change.column.name}`
    case 'create-index':
      return `create index on ${change.table.name} (${names(change.index.columns)})`
  }
}

/** The layouts of a module's rows and records, for the row codec. */
export function layoutsOf(description: ModuleDescription): Layouts {
  const rows = new Map(description.tables.map((table) => [table.name, table.columns]))
  const records = new Map(description.records.map((record) => [record.name, record.fields]))
  return {
    rowFields: (table) => rows.get(table) ?? [],
    recordFields: (record) => records.get(record) ?? [],
  }
}
