/** A @table class: its columns, its key, its owner and what its rows are found by. */
import type { Node } from 'assemblyscript'

import { columnDefault } from './check-default.ts'
import { exposeName, refuseDoubles } from './check-names.ts'
import { refuseClassShape } from './check-shape.ts'
import type { DeclaredClass, DeclaredField, Decorator, ModelColumn, ModelTable } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { isStatic, literalOf, objectOf, textOf } from './syntax.ts'
import { COLUMN_TYPES, columnType } from './wire-type.ts'

const KEY_TYPES = 'an integer, bool, string, Uint8Array, Identity or Timestamp, not nullable'

/** The table, or undefined when nothing can stand in for what is wrong with it. */
export function checkTable(declared: DeclaredClass, name: string, problems: Problems): ModelTable | undefined {
  return new TableCheck(declared, name, problems).run()
}

interface CheckedField extends DeclaredField {
  readonly column: ModelColumn
}

class TableCheck {
  readonly #declared: DeclaredClass
  readonly #name: string
  readonly #problems: Problems
  readonly #fields: readonly CheckedField[]

  constructor(declared: DeclaredClass, name: string, problems: Problems) {
    this.#declared = declared
    this.#name = name
    this.#problems = problems
    this.#fields = declared.fields.filter((field) => !isStatic(field.node)).map((field) => ({ ...field, column: this.#column(field) }))
  }

  run(): ModelTable | undefined {
    const { className, node, source } = this.#declared
    refuseClassShape(this.#declared, this.#problems)
    refuseDoubles(
      `columns of ${className}`,
      this.#fields.map(({ column, node: field }) => ({ name: column.name, written: column.fieldName, node: field.name })),
      this.#problems,
    )
    const key = this.#key()
    const owner = this.#owner()
    const found = { clustered: this.#clustered(), uniques: this.#uniques(), indexes: this.#indexes() }
    if (key === undefined) return undefined
    const columns = this.#fields.map(({ column }) => column)
    return { className, name: this.#name, source, node, columns, key: key.column, isAutoIncrement: marks(key, 'autoIncrement'), owner: owner?.column, ...found }
  }

  #column(field: DeclaredField): ModelColumn {
    const fieldName = field.node.name.text
    const where = `${this.#declared.className}.${fieldName}`
    const type = field.node.type === null ? undefined : columnType(field.node.type)
    if (type === undefined) {
      const written = field.node.type === null ? 'a field without a type' : textOf(field.node.type)
      this.#problems.error(field.node.type ?? field.node.name, `${where}: ${written} is not a column type; allowed: ${COLUMN_TYPES}`)
    }
    const { name } = exposeName(fieldName, field.node.name, where, this.#problems)
    const known = type ?? { text: 'bool', format: 'bool' }
    return { fieldName, name, type: known, default: type === undefined ? undefined : columnDefault(field, where, known, this.#problems) }
  }

  #key(): CheckedField | undefined {
    const { className, node } = this.#declared
    const keys = this.#fields.filter((field) => marks(field, 'autoIncrement') || marks(field, 'primaryKey'))
    const [key, second] = keys
    if (key === undefined) this.#problems.error(node.name, `${className}: no key; give one column @autoIncrement (a u64 that the host counts) or @primaryKey`)
    else if (second !== undefined) this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second key; ${key.column.fieldName} is one already`)
    else this.#keyType(key)
    return key
  }

  #keyType(key: CheckedField): void {
    const { format, text } = key.column.type
    if (marks(key, 'autoIncrement') && format !== 'u64') {
      this.#problems.error(key.node.name, `${where(this.#declared, key)}: @autoIncrement counts in u64, not in ${text}`)
    } else if (/^(f32|f64|json)$|\?$/.test(format)) {
      this.#problems.error(key.node.name, `${where(this.#declared, key)}: ${text} cannot be a key; allowed: ${KEY_TYPES}`)
    }
    if (key.column.default !== undefined) this.#problems.error(key.node.name, `${where(this.#declared, key)}: a key has no default`)
  }

  #owner(): CheckedField | undefined {
    const { className, node } = this.#declared
    const [owner, second] = this.#fields.filter((field) => marks(field, 'owner'))
    if (owner === undefined) {
      this.#problems.warn(node.name, `${className}: no @owner column, so the table is closed until policies open it`)
      return undefined
    }
    if (second !== undefined) this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second @owner; ${owner.column.fieldName} is one already`)
    if (owner.column.type.format !== 'identity') {
      this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: an @owner is an Identity, not ${owner.column.type.text}`)
    }
    if (marks(owner, 'primaryKey')) this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: the owner is part of every key; choose another column as @primaryKey`)
    this.#refuseArguments(owner, 'owner', '@owner({ settable: true }) comes with a later version; the host fills the owner from the sender')
    return owner
  }

  #clustered(): readonly string[] {
    const [decorator, second] = this.#declared.decorators.filter((one) => one.name === 'clustered')
    if (second !== undefined) this.#problems.error(second.node, `${this.#declared.className}: a table has one physical order, so @clustered stands once`)
    if (decorator === undefined) return []
    const columns = this.#namedColumns(decorator, decorator.args)
    for (const { column } of columns.filter((one) => one.column.type.format.endsWith('?'))) {
      this.#problems.error(decorator.node, `${this.#declared.className}.${column.fieldName}: a nullable column cannot order the table`)
    }
    return columns.map(({ column }) => column.name)
  }

  #indexes(): { readonly columns: readonly string[] }[] {
    const composite = this.#declared.decorators.filter((one) => one.name === 'index').map((one) => this.#namedColumns(one, one.args))
    for (const field of this.#fields) this.#refuseArguments(field, 'index', '@index on a column takes no arguments; write @index("a", "b") on the class for several columns')
    const single = this.#fields.filter((field) => marks(field, 'index')).map((field) => [this.#indexable(field, field.node.name)])
    return [...composite, ...single].map((columns) => ({ columns: columns.map(({ column }) => column.name) }))
  }

  #uniques(): { readonly columns: readonly string[]; readonly global: boolean }[] {
    const composite = this.#declared.decorators
      .filter((one) => one.name === 'unique')
      .map((one) => ({ columns: this.#namedColumns(one, one.args.filter((argument) => literalOf(argument) !== undefined)), global: this.#isGlobal(one) }))
    const single = this.#fields.flatMap((field) => {
      const decorator = field.decorators.find((one) => one.name === 'unique')
      return decorator === undefined ? [] : [{ columns: [this.#indexable(field, field.node.name)], global: this.#isGlobal(decorator) }]
    })
    return [...composite, ...single].map(({ columns, global }) => ({ columns: columns.map(({ column }) => column.name), global }))
  }

  /** `{ global: true }` as the last argument. */
  #isGlobal(decorator: Decorator): boolean {
    const options = decorator.args.filter((argument) => literalOf(argument) === undefined)
    const [option] = options
    if (option === undefined) return false
    const members = objectOf(option)
    const global = members?.get('global')
    if (options.length > 1 || members?.size !== 1 || typeof global !== 'boolean') {
      this.#problems.error(option, `${this.#declared.className}: @unique takes column names and { global: true }, not ${textOf(option)}`)
      return false
    }
    return global
  }

  #namedColumns(decorator: Decorator, args: readonly Node[]): CheckedField[] {
    const { className } = this.#declared
    if (args.length === 0) this.#problems.error(decorator.node, `${className}: @${decorator.name} on a class names columns, @${decorator.name}("at")`)
    const names = args.map((argument) => ({ argument, name: literalOf(argument) }))
    return names.flatMap(({ argument, name }, index) => {
      const field = this.#fields.find(({ column }) => column.fieldName === name)
      if (field === undefined) {
        this.#problems.error(argument, `${className}: @${decorator.name} names ${textOf(argument)}, no column of it${this.#nearest(name)}`)
        return []
      }
      if (names.findIndex((one) => one.name === name) !== index) this.#problems.error(argument, `${className}: @${decorator.name} names ${textOf(argument)} twice`)
      return [this.#indexable(field, argument)]
    })
  }

  #nearest(name: unknown): string {
    const known = this.#fields.map(({ column }) => column.fieldName)
    return `${suggestion(String(name), known)}; allowed: ${known.join(', ')}`
  }

  #indexable(field: CheckedField, node: Node): CheckedField {
    const isJson = /^json\??$/.test(field.column.type.format)
    if (isJson) this.#problems.error(node, `${where(this.#declared, field)}: Json has no order and cannot be indexed`)
    if (marks(field, 'owner')) this.#problems.error(node, `${where(this.#declared, field)}: the owner leads every index already; leave it out`)
    return field
  }

  #refuseArguments(field: CheckedField, name: string, message: string): void {
    const decorator = field.decorators.find((one) => one.name === name && one.args.length > 0)
    if (decorator !== undefined) this.#problems.error(decorator.node, `${where(this.#declared, field)}: ${message}`)
  }
}

function marks(field: DeclaredField, name: string): boolean {
  return field.decorators.some((one) => one.name === name)
}

function where(declared: DeclaredClass, field: CheckedField): string {
  return `${declared.className}.${field.column.fieldName}`
}
