/** Reading AssemblyScript's syntax tree: the few questions that more than one phase asks. */
import {
  ArrayLiteralExpression,
  MethodDeclaration,
  NamedTypeNode,
  ObjectLiteralExpression,
  StringLiteralExpression,
  TemplateLiteralExpression,
} from 'assemblyscript'
import type { ClassDeclaration, DeclarationStatement, Node, TypeNode } from 'assemblyscript'

/** Bits of CommonFlags, an enum that exists only while assemblyscript itself is compiled. */
const EXPORT = 1 << 1
const STATIC = 1 << 5
const READONLY = 1 << 6
const CONSTRUCTOR = 1 << 19

/**
 * `@default` and `{ in: … }` cannot be parsed, because these are keywords: the compiler reads every file
 * with names of the same length in their place.
 */
export const KEYWORD_ALIASES: ReadonlyMap<string, string> = new Map([
  ['@default', '@_efault'],
  ['in', '_n'],
])
export const DEFAULT_NAME = '_efault'
export const IN_NAME = '_n'

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

/** The text of the doc comment above a declaration, in one line. */
export function commentAbove(node: DeclarationStatement): string {
  const before = node.range.source.text.slice(0, node.name.range.start)
  const found = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:@\w+(?:\([^)]*\))?\s*)*(?:export\s+)?(?:function|class)\s+$/.exec(before)
  return (found?.[1] ?? '')
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim()
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
  // Over several lines, with nothing put in.
  if (node instanceof TemplateLiteralExpression) return node.expressions.length === 0 ? node.parts[0] : undefined
  const text = textOf(node).replace(/\s|(?<=\d)_(?=\d)/g, '')
  if (text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?(\d+|0x[0-9a-f]+)$/i.test(text)) return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

/** The members of `{ name: literal, … }`, or undefined when it is something else. */
export function objectOf(node: Node): ReadonlyMap<string, Literal | undefined> | undefined {
  const members = membersOf(node)
  return members === undefined ? undefined : new Map([...members].map(([name, value]) => [name, literalOf(value)]))
}

/** The members of `{ name: … }` as they stand there. */
export function membersOf(node: Node): ReadonlyMap<string, Node> | undefined {
  if (!(node instanceof ObjectLiteralExpression)) return undefined
  return new Map(node.names.flatMap((name, index): [string, Node][] => (node.values[index] === undefined ? [] : [[name.text, node.values[index]]])))
}

/** The texts of `["a", "b"]`, or undefined when it is something else. */
export function textsOf(node: Node): readonly string[] | undefined {
  if (!(node instanceof ArrayLiteralExpression)) return undefined
  const texts = node.elementExpressions.map(literalOf)
  return texts.every((text) => typeof text === 'string') ? texts : undefined
}
