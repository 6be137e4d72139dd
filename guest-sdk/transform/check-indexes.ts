/** What a table's rows are found and ordered by: @clustered, @index and @unique. */
import type { Node } from 'assemblyscript'

import type { DeclaredClass, DeclaredField, Decorator, ModelColumn, ModelTable } from './model.ts'
import { suggestion } from './problems.ts'
import type { Problems } from './problems.ts'
import { literalOf, objectOf, textOf } from './syntax.ts'

export interface CheckedField extends DeclaredField {
  readonly column: ModelColumn
}

export function checkIndexes(
  declared: DeclaredClass,
  fields: readonly CheckedField[],
  problems: Problems,
): Pick<ModelTable, 'clustered' | 'uniques' | 'indexes'> {
  const check = new IndexCheck(declared, fields, problems)
  return { clustered: check.clustered(), uniques: check.uniques(), indexes: check.indexes() }
}

export function marks(field: DeclaredField, name: string): boolean {
  return field.decorators.some((one) => one.name === name)
}

class IndexCheck {
  readonly #declared: DeclaredClass
  readonly #fields: readonly CheckedField[]
  readonly #problems: Problems

  constructor(declared: DeclaredClass, fields: readonly CheckedField[], problems: Problems) {
    this.#declared = declared
    this.#fields = fields
    this.#problems = problems
  }

  clustered(): readonly string[] {
    const { className } = this.#declared
    const [decorator, second] = this.#onClass('clustered')
    if (second !== undefined) this.#problems.error(second.node, `${className}: a table has one physical order, so @clustered stands once`)
    if (decorator === undefined) return []
    const columns = this.#namedColumns(decorator, decorator.args)
    for (const { column } of columns.filter((one) => one.column.type.format.endsWith('?'))) {
      this.#problems.error(decorator.node, `${className}.${column.fieldName}: a nullable column cannot order the table`)
    }
    return columns.map(({ column }) => column.name)
  }

  indexes(): { readonly columns: readonly string[] }[] {
    const several = this.#onClass('index').map((decorator) => this.#namedColumns(decorator, decorator.args))
    const single = this.#onColumns('index').map(({ field, decorator }) => {
      if (decorator.args.length > 0) this.#refuseNames(field, decorator)
      return [this.#indexable(field, field.node.name)]
    })
    return [...several, ...single].map((columns) => ({ columns: columns.map(({ column }) => column.name) }))
  }

  uniques(): { readonly columns: readonly string[]; readonly global: boolean }[] {
    const several = this.#onClass('unique').map((decorator) => {
      const { names, global } = this.#uniqueArguments(decorator)
      return { columns: this.#namedColumns(decorator, names), global }
    })
    const single = this.#onColumns('unique').map(({ field, decorator }) => {
      const { names, global } = this.#uniqueArguments(decorator)
      if (names.length > 0) this.#refuseNames(field, decorator)
      return { columns: [this.#indexable(field, field.node.name)], global }
    })
    return [...several, ...single].map(({ columns, global }) => ({ columns: columns.map(({ column }) => column.name), global }))
  }

  #onClass(name: string): readonly Decorator[] {
    return this.#declared.decorators.filter((decorator) => decorator.name === name)
  }

  #onColumns(name: string): { readonly field: CheckedField; readonly decorator: Decorator }[] {
    return this.#fields.flatMap((field) => field.decorators.filter((one) => one.name === name).map((decorator) => ({ field, decorator })))
  }

  /** Column names, and `{ global: true }` as the last argument. */
  #uniqueArguments({ args }: Decorator): { readonly names: readonly Node[]; readonly global: boolean } {
    const names = args.filter((argument) => literalOf(argument) !== undefined)
    const [option, second] = args.filter((argument) => literalOf(argument) === undefined)
    if (option === undefined) return { names, global: false }
    const members = objectOf(option)
    const global = members?.get('global')
    if (second === undefined && members?.size === 1 && typeof global === 'boolean') return { names, global }
    this.#problems.error(option, `${this.#declared.className}: @unique takes column names and { global: true }, not ${textOf(option)}`)
    return { names, global: false }
  }

  #namedColumns(decorator: Decorator, args: readonly Node[]): CheckedField[] {
    const where = `${this.#declared.className}: @${decorator.name}`
    if (args.length === 0) this.#problems.error(decorator.node, `${where} on a class names columns, @${decorator.name}("at")`)
    const names = args.map((argument) => ({ argument, name: literalOf(argument) }))
    return names.flatMap(({ argument, name }, index) => {
      const field = this.#fields.find(({ column }) => column.fieldName === name)
      const isDoubled = names.findIndex((one) => one.name === name) !== index
      if (field === undefined) this.#problems.error(argument, `${where} names ${textOf(argument)}, no column of it${this.#nearest(name)}`)
      else if (isDoubled) this.#problems.error(argument, `${where} names ${textOf(argument)} twice`)
      return field === undefined ? [] : [this.#indexable(field, argument)]
    })
  }

  #nearest(name: unknown): string {
    const known = this.#fields.map(({ column }) => column.fieldName)
    return `${suggestion(String(name), known)}; allowed: ${known.join(', ')}`
  }

  #indexable(field: CheckedField, node: Node): CheckedField {
    const where = `${this.#declared.className}.${field.column.fieldName}`
    if (/^json\??$/.test(field.column.type.format)) this.#problems.error(node, `${where}: Json has no order and cannot be indexed`)
    if (marks(field, 'owner')) this.#problems.error(node, `${where}: the owner leads every index already; leave it out`)
    return field
  }

  #refuseNames(field: CheckedField, { name, node }: Decorator): void {
    const where = `${this.#declared.className}.${field.column.fieldName}`
    this.#problems.error(node, `${where}: @${name} on a column names no columns; write @${name}("a", "b") on the class for several`)
  }
}
