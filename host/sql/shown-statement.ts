/**
 * A client's statement as the access log keeps it: its words without its literals and comments, which may hold what
 * rows say. Literals and numbers become `?`; names stay, quoted ones too.
 */

/** One token at the place where the search stands; what none of these takes is passed on as it is. */
const token =
  /--[^\n]*|(?<open>\/\*)|[eE]'(?:[^'\\]|\\[^]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$|"(?:[^"]|"")*(?:"|$)|\$\d+|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\.?\d[\w.]*|\s+|[^]/gy

export function shownStatement(text: string): string {
  let shown = ''
  token.lastIndex = 0
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [word] = found
    const { open, tag } = found.groups ?? {}
    if (open !== undefined) token.lastIndex = endOfComment(text, token.lastIndex)
    else if (tag !== undefined) token.lastIndex = endOfDollars(text, `$${tag}$`, token.lastIndex)
    shown += open !== undefined ? ' ' : tag !== undefined ? '?' : shownWord(word)
    if (token.lastIndex >= text.length) break
  }
  return shown.replaceAll(/\s+/g, ' ').trim()
}

function shownWord(word: string): string {
  if (word.startsWith('--') || /^\s/.test(word)) return ' '
  return /^(?:[eE]?'|\.?\d)/.test(word) ? '?' : word
}

/** Comments of PostgreSQL lie in each other. */
function endOfComment(text: string, from: number): number {
  const bound = /\/\*|\*\//g
  bound.lastIndex = from
  for (let depth = 1; depth > 0;) {
    const found = bound.exec(text)
    if (found === null) return text.length
    depth += found[0] === '/*' ? 1 : -1
  }
  return bound.lastIndex
}

function endOfDollars(text: string, mark: string, from: number): number {
  const end = text.indexOf(mark, from)
  return end < 0 ? text.length : end + mark.length
}
