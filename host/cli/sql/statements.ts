/**
 * A text that comes in lines, cut where PostgreSQL's own psql would: at a semicolon that stands in no string, no
 * quoted name and no comment. What a statement means is the host's to say.
 */

/** In what a text ends, when it does not end in a statement: what a prompt shows. */
export type Inside = 'nothing' | 'statement' | 'quotes' | 'comment'

export interface Cut {
  /** Each without its semicolon. One that has nothing but comments is none. */
  readonly statements: readonly string[]
  /** Behind the last semicolon. */
  readonly rest: string
  readonly inside: Inside
}

/** What ends a string, a name or a comment, or undefined for one that goes on to the end of the text. */
const openings: readonly (readonly [opening: RegExp, end: (opened: string) => RegExp, inside: Inside])[] = [
  [/--[^\n]*/y, () => /(?=\n)|$/y, 'statement'],
  [/[eE]'/y, () => /(?:[^'\\]|\\[^]|'')*'/y, 'quotes'],
  [/'/y, () => /(?:[^']|'')*'/y, 'quotes'],
  [/"/y, () => /(?:[^"]|"")*"/y, 'quotes'],
  [/\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/y, (opened) => new RegExp(`[^]*?${opened.replaceAll('$', String.raw`\$`)}`, 'y'), 'quotes'],
]

export function cutStatements(text: string): Cut {
  const statements: string[] = []
  let start = 0
  let hasWords = false
  let at = 0
  const rest = (inside: Inside): Cut => ({ statements, rest: text.slice(start), inside })
  while (at < text.length) {
    if (text.startsWith('/*', at)) {
      const end = endOfComment(text, at)
      if (end === undefined) return rest('comment')
      at = end
      continue
    }
    const opened = openingAt(text, at)
    if (opened !== undefined) {
      if (opened.end === undefined) return rest(opened.inside)
      hasWords ||= opened.inside === 'quotes'
      at = opened.end
    } else if (text[at] === ';') {
      if (hasWords) statements.push(text.slice(start, at).trim())
      start = at + 1
      at = start
      hasWords = false
    } else {
      hasWords ||= /\S/.test(text[at] ?? '')
      // A word as a whole: in it neither a dollar nor an e begins anything.
      at += /^[A-Za-z_0-9$\u0080-\uffff]+/.exec(text.slice(at, at + 64))?.[0].length ?? 1
    }
  }
  return rest(hasWords ? 'statement' : 'nothing')
}

function openingAt(text: string, at: number): { readonly end: number | undefined; readonly inside: Inside } | undefined {
  for (const [opening, endOf, inside] of openings) {
    opening.lastIndex = at
    const [opened] = opening.exec(text) ?? []
    if (opened === undefined) continue
    const end = endOf(opened)
    end.lastIndex = at + opened.length
    const found = end.exec(text)
    return { end: found === null ? undefined : end.lastIndex, inside }
  }
  return undefined
}

/** PostgreSQL's comments nest. */
function endOfComment(text: string, start: number): number | undefined {
  const marks = /\/\*|\*\//g
  marks.lastIndex = start
  let depth = 0
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return undefined
}
