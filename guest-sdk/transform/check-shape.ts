/** What holds for tables and records alike: the transform writes their constructor and their bytes. */
import type { DeclaredClass } from './model.ts'
import type { Problems } from './problems.ts'
import { constructorOf, isReadonly, isStatic } from './syntax.ts'

export function refuseClassShape({ className, kind, node, fields }: DeclaredClass, problems: Problems): void {
  const own = constructorOf(node)
  if (own !== undefined) {
    problems.error(own.name, `${className}: a @${kind} class has no constructor of its own; it gets one that takes ${takes(kind)}`)
  }
  if (node.extendsType !== null) problems.error(node.extendsType, `${className}: a @${kind} class extends no other; write its fields out`)
  if (node.isGeneric) problems.error(node.name, `${className}: a @${kind} class has no type parameters`)
  for (const { node: field } of fields) {
    if (!isStatic(field) && isReadonly(field)) problems.error(field.name, `${className}.${field.name.text}: drop readonly, the row is filled field by field`)
  }
}

function takes(kind: 'table' | 'record'): string {
  return kind === 'table' ? 'the columns in order, without @autoIncrement and @owner' : 'the fields in order'
}
