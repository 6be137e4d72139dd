/** Names that leave the module: snake_case, sayable in SQL, and no two alike. */
import type { Node } from 'assemblyscript'

import { isName, isParameterName, RESERVED_PREFIX, RESERVED_WORDS, snakeCase } from '../../host/schema/names.ts'
import type { Problems } from './problems.ts'

export interface ExposedName {
  readonly name: string
  readonly written: string
  readonly node: Node
}

/** The host's name for what the author wrote as `written`; `where` begins the message. */
export function exposeName(written: string, node: Node, where: string, problems: Problems): ExposedName {
  const name = snakeCase(written)
  if (!isName(name)) problems.error(node, `${where}: ${whyNoName(name)}`)
  return { name, written, node }
}

export function exposeParameterName(written: string, node: Node, where: string, problems: Problems): ExposedName {
  const name = snakeCase(written)
  if (!isParameterName(name)) problems.error(node, `${where}: ${whyNoName(name)}`)
  return { name, written, node }
}

function whyNoName(name: string): string {
  if (name.startsWith(RESERVED_PREFIX)) return `${name} begins as SQLite's own tables do; choose another name`
  return RESERVED_WORDS.has(name)
    ? `${name} is a word that PostgreSQL reserves; choose another name`
    : `${JSON.stringify(name)} is not a name; allowed: a letter, then letters, digits and _, at most 63`
}

/** `what` is plural: "tables", "columns of Turn". */
export function refuseDoubles(what: string, names: readonly ExposedName[], problems: Problems): void {
  const first = new Map<string, ExposedName>()
  for (const exposed of names) {
    const other = first.get(exposed.name)
    if (other === undefined) first.set(exposed.name, exposed)
    else problems.error(exposed.node, `${exposed.written}: two ${what} would be called ${exposed.name}, this and ${other.written}`)
  }
}
