/** A @record class: named values that travel together as a parameter or a result. */
import type { Node } from 'assemblyscript'

import { exposeName, refuseDoubles } from './check-names.ts'
import { refuseClassShape } from './check-shape.ts'
import type { DeclaredClass, ModelField, ModelRecord } from './model.ts'
import type { Problems } from './problems.ts'
import { isStatic, textOf } from './syntax.ts'
import { VALUE_TYPES, valueType } from './wire-type.ts'
import type { KnownClasses } from './wire-type.ts'

export function checkRecord(declared: DeclaredClass, name: string, known: KnownClasses, problems: Problems): ModelRecord {
  const { className, node, source } = declared
  refuseClassShape(declared, problems)
  const instance = declared.fields.filter((field) => !isStatic(field.node))
  const fields = instance.map((field): ModelField => {
    const fieldName = field.node.name.text
    const where = `${className}.${fieldName}`
    for (const decorator of field.decorators) problems.error(decorator.node, `${where}: @${decorator.name} is for columns of a @table`)
    const type = field.node.type === null ? undefined : valueType(field.node.type, known)
    if (type === undefined)
      problems.error(field.node.type ?? field.node, `${where}: ${written(field.node.type)} cannot be in a record; allowed: ${VALUE_TYPES}`)
    const exposed = exposeName(fieldName, field.node.name, where, problems)
    return { fieldName, name: exposed.name, type: type ?? { text: 'bool', format: 'bool' } }
  })
  if (fields.length === 0) problems.error(node.name, `${className}: a record has at least one field`)
  refuseDoubles(
    `fields of ${className}`,
    instance.map((field, index) => ({ name: fields[index]?.name ?? '', written: field.node.name.text, node: field.node.name })),
    problems,
  )
  return { className, name, source, node, fields }
}

function written(node: Node | null): string {
  return node === null ? 'a field without a type' : textOf(node)
}
