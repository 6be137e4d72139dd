/**
 * The parser's tree, node by node and field by field: what is not asked for by name is refused, so that
 * nothing of a statement is ever passed over in silence. The tree leaves out what is false, zero or empty.
 */
import type { Node } from 'libpg-query'

import { StatementError, unsupported } from './statement-error.ts'

export type NodeKind = Node extends infer N ? (N extends unknown ? keyof N : never) : never
export type NodeOf<K extends NodeKind> = Extract<Node, Record<K, unknown>>[K]

export interface Kinded {
  readonly kind: NodeKind
  readonly body: object
}

/** The kind of a node, and what is in it. */
export function opened(node: Node): Kinded {
  const [entry] = Object.entries(node)
  if (entry === undefined) throw new StatementError('ERR_SQL_UNSUPPORTED', 'this statement has a part that is empty')
  return { kind: entry[0] as NodeKind, body: entry[1] }
}

export function asNode<K extends NodeKind>(node: Node | undefined, kind: K): NodeOf<K> | undefined {
  return node !== undefined && kind in node ? (node as unknown as Record<K, NodeOf<K>>)[kind] : undefined
}

/** @throws StatementError when the node has a field that is not among `fields`. */
export function allow(body: object, fields: readonly string[], what: string, advice: string, at?: number): void {
  for (const field of Object.keys(body)) {
    if (field === 'location' || fields.includes(field)) continue
    throw new StatementError('ERR_SQL_UNSUPPORTED', `${what} with ${words(field)} is not taken: ${advice}`, at ?? locationOf(body))
  }
}

export function locationOf(body: object): number | undefined {
  const location = 'location' in body ? body.location : 0
  return typeof location === 'number' && location >= 0 ? location : undefined
}

/** `lockingClause` as people write: locking clause. */
function words(field: string): string {
  return field.replaceAll('_', ' ').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** The text of a String node. */
export function stringOf(node: Node | undefined): string {
  return asNode(node, 'String')?.sval ?? ''
}

/** The body, when it has nothing but these fields. */
export function allowed<T extends object>(body: T, fields: readonly string[]): T {
  allow(body, fields, 'this', 'docs/sql.md says what is')
  return body
}

/** Of a node that must be of this kind. */
export function bodyOf<K extends Parameters<typeof asNode>[1]>(node: Node, kind: K): NodeOf<K> {
  const body = asNode(node, kind)
  if (body === undefined) throw unsupported('this part of the statement is not taken', undefined)
  return body
}
