/** A @table class: its columns, its key and its owner. */
import { columnDefault } from './check-default.ts'
import { checkIndexes, marks } from './check-indexes.ts'
import type { CheckedField } from './check-indexes.ts'
import { exposeName, refuseDoubles } from './check-names.ts'
import { refuseClassShape } from './check-shape.ts'
import type { DeclaredClass, DeclaredField, ModelColumn, ModelTable } from './model.ts'
import type { Problems } from './problems.ts'
import { isStatic, textOf } from './syntax.ts'
import { COLUMN_TYPES, columnType } from './wire-type.ts'

const SETTABLE = '@owner({ settable: true }) comes with a later version; the host fills the owner from the sender'
const KEY_TYPES = 'an integer, bool, string, Uint8Array, Identity or Timestamp, not nullable'

/** The table, or undefined when nothing can stand in for what is wrong with it. */
export function checkTable(declared: DeclaredClass, name: string, problems: Problems): ModelTable | undefined {
  return new TableCheck(declared, name, problems).run()
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
    const found = checkIndexes(this.#declared, this.#fields, this.#problems)
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
    else if (second !== undefined)
      this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second key; ${key.column.fieldName} is one already`)
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
    if (second !== undefined)
      this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second @owner; ${owner.column.fieldName} is one already`)
    if (owner.column.type.format !== 'identity') {
      this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: an @owner is an Identity, not ${owner.column.type.text}`)
    }
    if (marks(owner, 'primaryKey'))
      this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: the owner is part of every key; choose another column as @primaryKey`)
    const settable = owner.decorators.find((one) => one.name === 'owner' && one.args.length > 0)
    if (settable !== undefined) this.#problems.error(settable.node, `${where(this.#declared, owner)}: ${SETTABLE}`)
    return owner
  }
}

function where(declared: DeclaredClass, field: CheckedField): string {
  return `${declared.className}.${field.column.fieldName}`
}
