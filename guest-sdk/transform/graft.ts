/**
 * Generated source into a parsed program: the text is parsed on its own and its nodes are moved over,
 * so no generated syntax tree is ever built by hand.
 */
import { ClassDeclaration, Parser } from 'assemblyscript'
import type { Source, Statement } from 'assemblyscript'

/** Sources that no author wrote: a compiler's message about one has no line that its author could find. */
const generated = new WeakSet<Source>()

export function isGenerated(source: Source): boolean {
  return generated.has(source)
}

export function addStatements(source: Source, text: string): void {
  source.statements.push(...parseStatements(source, text))
}

/** Adds the members of `text`, written as the inside of a class body. */
export function addMembers(source: Source, target: ClassDeclaration, text: string): void {
  const [parsed] = parseStatements(source, `class ${target.name.text} {\n${text}\n}`)
  if (!(parsed instanceof ClassDeclaration)) throw new Error('generated members are not a class body')
  target.members.push(...parsed.members)
}

/** The compiler looks a node's file up by its path, so the nodes say that they are of `source`. */
export function parseStatements(source: Source, text: string): Statement[] {
  const parser = new Parser()
  parser.parseFile(text, source.normalizedPath, false)
  const [problem] = parser.diagnostics
  const [parsed] = parser.sources
  if (problem !== undefined || parsed === undefined) throw new Error(`generated source does not parse: ${problem?.message}\n${text}`)
  generated.add(parsed)
  return parsed.statements
}
