/** Reading AssemblyScript's syntax tree: the few questions that more than one phase asks. */
import { MethodDeclaration, NamedTypeNode, ObjectLiteralExpression, StringLiteralExpression } from 'assemblyscript'
import type { ClassDeclaration, DeclarationStatement, Node, TypeNode } from 'assemblyscript'

/** Bits of CommonFlags, an enum that exists only while assemblyscript itself is compiled. */
const EXPORT = 1 << 1
const STATIC = 1 << 5
const READONLY = 1 << 6
const CONSTRUCTOR = 1 << 19

export function isExported(node: DeclarationStatement): boolean {
  return node.is(EXPORT)
}

export function isStatic(node: DeclarationStatement): boolean {
  return node.is(STATIC)
}

export function isReadonly(node: DeclarationStatement): boolean {
  return node.is(READONLY)
}

export function constructorOf(node: ClassDeclaration): MethodDeclaration | undefined {
  return node.members.find((member) => member instanceof MethodDeclaration && member.is(CONSTRUCTOR)) as MethodDeclaration | undefined
}

/** The source text of a node. */
export function textOf(node: Node): string {
  return node.range.source.text.slice(node.range.start, node.range.end)
}

/** The name of a type without arguments, dots or `| null`. */
export function plainName(node: TypeNode): string | undefined {
  return node.isNullable ? undefined : baseName(node)
}

/** The name of a type without arguments or dots; it may be `| null`. */
export function baseName(node: TypeNode): string | undefined {
  return node instanceof NamedTypeNode && node.name.next === null && (node.typeArguments ?? []).length === 0 ? node.name.identifier.text : undefined
}

/** Name and one argument of `Name<Argument>`. */
export function genericOf(node: TypeNode): { readonly name: string; readonly argument: TypeNode } | undefined {
  if (!(node instanceof NamedTypeNode) || node.name.next !== null || node.isNullable) return undefined
  const [argument, second] = node.typeArguments ?? []
  return argument === undefined || second !== undefined ? undefined : { name: node.name.identifier.text, argument }
}

export type Literal = string | bigint | number | boolean | null

/** The value of a literal, or undefined for any other expression. Integers are bigint. */
export function literalOf(node: Node): Literal | undefined {
  if (node instanceof StringLiteralExpression) return node.value
  const text = textOf(node).replace(/\s|(?<=\d)_(?=\d)/g, '')
  if (text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?(\d+|0x[0-9a-f]+)$/i.test(text)) return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

/** The members of `{ name: literal, … }`, or undefined when it is something else. */
export function objectOf(node: Node): ReadonlyMap<string, Literal | undefined> | undefined {
  if (!(node instanceof ObjectLiteralExpression)) return undefined
  return new Map(node.names.map((name, index) => [name.text, valueAt(node, index)]))
}

function valueAt(node: ObjectLiteralExpression, index: number): Literal | undefined {
  const value = node.values[index]
  return value === undefined ? undefined : literalOf(value)
}
