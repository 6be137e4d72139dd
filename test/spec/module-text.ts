/**
 * The text of a module as the assembler of jco's tools takes it. That one writes an abbreviated table,
 * `(table funcref (elem $f))`, in a form of later versions, and refuses characters that could deceive a
 * reader; both are put in other words here, so that modules of 1.0 come out as modules of 1.0.
 */
import { headOf } from './sexpr.ts'
import type { List, Sexpr } from './sexpr.ts'

export function moduleText(source: string, list: List): string {
  let text = ''
  let at = list.start
  for (const item of list.items) {
    const written = item.kind === 'list' && headOf(item) === 'table' ? writtenOut(item) : undefined
    if (item.kind !== 'list' || written === undefined) continue
    text += source.slice(at, item.start) + written
    at = item.end
  }
  return (text + source.slice(at, list.end)).replace(/[^\0-\x7f]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function writtenOut({ items }: List): string | undefined {
  const elements = items.at(-1)
  if (elements?.kind !== 'list' || headOf(elements) !== 'elem') return undefined
  const functions = wordsOf(elements.items.slice(1))
  const head = items.slice(1, -1)
  if (functions === undefined || head.some((item) => item.kind === 'list' && headOf(item) !== 'export')) return undefined
  const id = head.find((item) => item.kind === 'word' && item.word.startsWith('$'))
  const name = id?.kind === 'word' ? id.word : ''
  return `(table ${name} ${functions.length} ${functions.length} funcref) (elem (i32.const 0) ${functions.join(' ')})`
}

function wordsOf(items: readonly Sexpr[]): readonly string[] | undefined {
  const words = items.flatMap((item) => (item.kind === 'word' ? [item.word] : []))
  return words.length === items.length ? words : undefined
}
