/** A @table class: its columns, its key and its owner. */
import { columnDefault } from './check-default.ts'
import { checkIndexes, marks } from './check-indexes.ts'
import type { CheckedField } from './check-indexes.ts'
import { exposeName, refuseDoubles } from './check-names.ts'
import { readPolicies } from './check-policy.ts'
import { refuseClassShape } from './check-shape.ts'
import type { Decorator, DeclaredClass, DeclaredField, ModelColumn, ModelTable } from './model.ts'
import type { Problems } from './problems.ts'
import { isStatic, literalOf, objectOf, textOf } from './syntax.ts'
import { COLUMN_TYPES, columnType } from './wire-type.ts'

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
    const policies = readPolicies(this.#declared, this.#problems)
    if (owner === undefined && policies.length > 0) this.#refuseTellingKeys(key, found.uniques)
    if (owner === undefined && policies.every((policy) => policy.isRestrictive)) {
      this.#problems.warn(node.name, `${className}: no @owner column and no @policy that opens it, so the table is closed`)
    }
    return {
      className,
      name: this.#name,
      source,
      node,
      columns: this.#fields.map(({ column }) => column),
      key: key.column,
      isAutoIncrement: marks(key, 'autoIncrement'),
      owner: owner?.column,
      isOwnerSettable: owner !== undefined && this.#isSettable(owner),
      subject: this.#subject()?.column,
      isStrictlyAudited: this.#isStrictlyAudited(),
      policies,
      isReadableByPolicies: this.#declared.decorators.some((one) => one.name === 'readableByPolicies'),
      ...found,
    }
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
    const [option] = key?.decorators.find((one) => one.name === 'primaryKey')?.args ?? []
    if (key !== undefined && option !== undefined && objectOf(option)?.get('global') === undefined)
      this.#problems.error(option, `${where(this.#declared, key)}: @primaryKey takes { global: true }, not ${textOf(option)}`)
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
    const [owner, second] = this.#fields.filter((field) => marks(field, 'owner'))
    if (owner === undefined) return undefined
    if (second !== undefined)
      this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second @owner; ${owner.column.fieldName} is one already`)
    if (owner.column.type.format !== 'identity') {
      this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: an @owner is an Identity, not ${owner.column.type.text}`)
    }
    if (marks(owner, 'primaryKey'))
      this.#problems.error(owner.node.name, `${where(this.#declared, owner)}: the owner is part of every key; choose another column as @primaryKey`)
    return owner
  }

  #subject(): CheckedField | undefined {
    const [subject, second] = this.#fields.filter((field) => marks(field, 'subject'))
    if (subject === undefined) return undefined
    if (second !== undefined)
      this.#problems.error(second.node.name, `${where(this.#declared, second)}: a second @subject; ${subject.column.fieldName} is one already`)
    if (!/^(?:identity|string|[ui]\d+)\??$/.test(subject.column.type.format)) {
      this.#problems.error(
        subject.node.name,
        `${where(this.#declared, subject)}: a @subject is an Identity, a string or an integer, not ${subject.column.type.text}`,
      )
    }
    return subject
  }

  #isStrictlyAudited(): boolean {
    const decorator = this.#declared.decorators.find((one) => one.name === 'audit')
    if (decorator === undefined) return false
    const [option, second] = decorator.args
    if (option !== undefined && second === undefined && literalOf(option) === 'strict') return true
    this.#problems.error(decorator.node, `${this.#declared.className}: @audit takes "strict": the access log is on the disk before an answer leaves`)
    return false
  }

  #isSettable(owner: CheckedField): boolean {
    const decorator = owner.decorators.find((one) => one.name === 'owner')
    const [option, second] = decorator?.args ?? []
    if (option === undefined) return false
    const members = objectOf(option)
    const settable = members?.get('settable')
    if (second === undefined && members?.size === 1 && typeof settable === 'boolean') return settable
    this.#problems.error(option, `${where(this.#declared, owner)}: @owner takes { settable: true }, not ${textOf(option)}`)
    return false
  }

  /** Without an owner a key and a unique reach over everybody's rows, so that a refusal tells of hidden ones: said aloud or not done. */
  #refuseTellingKeys(key: CheckedField, uniques: ModelTable['uniques']): void {
    const tells = 'reaches over the rows of everybody, so that a refusal tells of rows that the caller may not see'
    const decorator = key.decorators.find((one) => one.name === 'primaryKey')
    if (decorator !== undefined && !isGlobal(decorator)) {
      this.#problems.error(
        decorator.node,
        `${where(this.#declared, key)}: without an @owner the key ${tells}; write @primaryKey({ global: true }), or @autoIncrement for random ids`,
      )
    }
    for (const unique of uniques.filter((one) => !one.global)) {
      this.#problems.error(
        this.#declared.node.name,
        `${this.#declared.className}: without an @owner the unique (${unique.columns.join(', ')}) ${tells}; write { global: true } if it may`,
      )
    }
  }
}

function isGlobal({ args: [option] }: Decorator): boolean {
  return option !== undefined && objectOf(option)?.get('global') === true
}

function where(declared: DeclaredClass, field: CheckedField): string {
  return `${declared.className}.${field.column.fieldName}`
}
