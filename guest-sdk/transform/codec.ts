/**
 * Phase 3: what tables and records are in bytes. Each class gets its constructor and the members that
 * guest-sdk/pack.ts, unpack.ts, reader.ts and insert.ts call; each table also gets a class with one
 * Column for each of its columns, behind `where` and `and`.
 */
import { FieldDeclaration } from 'assemblyscript'
import type { ClassDeclaration } from 'assemblyscript'

import { addMembers, addStatements } from './graft.ts'
import type { ModelColumn, ModelField, ModelRecord, ModelTable, ModuleModel } from './model.ts'
import { isStatic } from './syntax.ts'

/** Under names that no author writes: `$` is legal and unusual. */
const IMPORTS = `
import { noIdentity as $noIdentity, Identity as $Identity } from "remembrancer/guest-sdk/identity";
import { pack as $pack } from "remembrancer/guest-sdk/pack";
import { Column as $Column, Selection as $Selection } from "remembrancer/guest-sdk/selection";
import { unpack as $unpack } from "remembrancer/guest-sdk/unpack";
`

export function emitCodec(model: ModuleModel): void {
  for (const source of new Set([...model.tables, ...model.records].map((one) => one.source))) addStatements(source, IMPORTS)
  for (const table of model.tables) {
    dropInitializers(table.node)
    addMembers(table.source, table.node, tableMembers(table))
    addStatements(table.source, columnsClass(table))
  }
  for (const record of model.records) addMembers(record.source, record.node, recordMembers(record))
}

/** A column's initializer is its default; the constructor's parameter repeats it. */
function dropInitializers(node: ClassDeclaration): void {
  for (const member of node.members) {
    if (member instanceof FieldDeclaration && !isStatic(member)) member.initializer = null
  }
}

function tableMembers(table: ModelTable): string {
  const { className, columns, key, owner, isAutoIncrement, isOwnerSettable } = table
  const given = columns.filter((column) => column !== owner && !(isAutoIncrement && column === key))
  const filled = [...(isAutoIncrement ? [`this.${key.fieldName} = 0;`] : []), ...(owner === undefined ? [] : [`this.${owner.fieldName} = $noIdentity();`])]
  return [
    constructorText(
      given.map((column, index) => parameter(column, given.slice(index))),
      [...filled, ...given.map(assign)],
    ),
    codecText(className, columns),
    `__packOwner(owner: $Identity): void { ${owner === undefined ? '' : 'owner.__pack();'} }`,
    owner === undefined ? '' : '__owned(): void {}',
    `__prepare(sender: $Identity): void {
      ${isAutoIncrement ? `this.${key.fieldName} = 0;` : ''}
      ${owner === undefined ? '' : ownerText(owner.fieldName, isOwnerSettable)}
    }`,
    `__assign(id: usize): void { ${isAutoIncrement ? `this.${key.fieldName} = load<u64>(id);` : ''} }`,
    // What Reader<T> knows of T: indexof<T> is the type of its key, valueof<T> the class of its columns.
    `@operator("[]") private __columns(key: ${key.type.text}): $${className}Columns { return unreachable(); }`,
  ].join('\n')
}

/** An owner that the author has set stays, where the table lets it be set. */
function ownerText(fieldName: string, isSettable: boolean): string {
  return `${isSettable ? `if (this.${fieldName} == $noIdentity()) ` : ''}this.${fieldName} = sender;`
}

function recordMembers(record: ModelRecord): string {
  const { className, fields } = record
  return [
    constructorText(
      fields.map((field) => `${field.fieldName}: ${field.type.text}`),
      fields.map(assign),
    ),
    codecText(className, fields),
  ].join('\n')
}

function constructorText(parameters: readonly string[], statements: readonly string[]): string {
  return `constructor(${parameters.join(', ')}) {\n${statements.join('\n')}\n}`
}

/** A default can be left out of `new` where only defaults follow it. */
function parameter(column: ModelColumn, fromHere: readonly ModelColumn[]): string {
  const isOptional = fromHere.every((one) => one.default !== undefined)
  return `${column.fieldName}: ${column.type.text}${isOptional ? ` = ${column.default?.text}` : ''}`
}

function assign({ fieldName }: ModelField): string {
  return `this.${fieldName} = ${fieldName};`
}

function codecText(className: string, fields: readonly ModelField[]): string {
  return `
    __pack(): void {
      ${fields.map(({ fieldName, type }) => `$pack<${type.text}>(this.${fieldName});`).join('\n')}
    }
    __unpack(): ${className} {
      const value = changetype<${className}>(__new(offsetof<${className}>(), idof<${className}>()));
      ${fields.map(({ fieldName, type }) => `value.${fieldName} = $unpack<${type.text}>();`).join('\n')}
      return value;
    }`
}

/** A Selection by another name: `changetype` leads from one to the other, so neither costs a copy. */
function columnsClass({ className, columns }: ModelTable): string {
  const getters = columns.map(
    ({ fieldName, type }, number) =>
      `get ${fieldName}(): $Column<${className}, ${type.text}> {
        return new $Column<${className}, ${type.text}>(changetype<$Selection<${className}>>(this), ${number});
      }`,
  )
  return `@final class $${className}Columns {\n${getters.join('\n')}\n}`
}
