/** The words of an expression: names, literals and signs, each with its place. */
import { ExpressionError } from './syntax.ts'

export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'literal'; readonly value: string | bigint | number; readonly at: number }
  | { readonly kind: 'end'; readonly at: number }

const SPACE = /[ \t\r\n]+/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_.])/y
const TEXT = /'(?:[^']|'')*'/y
const SIGN = /<>|!=|<=|>=|[=<>(),.]/y

/** What other languages write, and what is written here. */
const HABITS: ReadonlyMap<string, string> = new Map([
  ['==', '='],
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
  ['"', "a text in single quotes, 'so'"],
])

const i64Min = -(2n ** 63n)
const i64Max = 2n ** 63n - 1n

/** @throws ExpressionError where something is no part of the language. */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = skipSpace(text, 0); at < text.length;) {
    const { token, end } = tokenAt(text, at)
    tokens.push(token)
    at = skipSpace(text, end)
  }
  return [...tokens, { kind: 'end', at: text.length }]
}

function skipSpace(text: string, at: number): number {
  return at + (match(SPACE, text, at) ?? '').length
}

function tokenAt(text: string, at: number): { readonly token: Token; readonly end: number } {
  const word = match(WORD, text, at)
  if (word !== undefined) return { token: { kind: 'word', text: word, at }, end: at + word.length }
  const number = match(NUMBER, text, at)
  if (number !== undefined) return { token: { kind: 'literal', value: numberOf(number, at), at }, end: at + number.length }
  const quoted = match(TEXT, text, at)
  if (quoted !== undefined) return { token: { kind: 'literal', value: textOf(quoted, at), at }, end: at + quoted.length }
  const habit = [...HABITS].find(([written]) => text.startsWith(written, at))
  const sign = habit === undefined || text.startsWith('!=', at) ? match(SIGN, text, at) : undefined
  if (sign !== undefined) return { token: { kind: 'sign', text: sign === '!=' ? '<>' : sign, at }, end: at + sign.length }
  if (habit !== undefined) throw new ExpressionError(`${habit[0]} is not written here: write ${habit[1]}`, at)
  if (text[at] === "'") throw new ExpressionError('a text that does not end', at)
  throw new ExpressionError('this is no part of an expression', at)
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function numberOf(text: string, at: number): bigint | number {
  if (!/^-?\d+$/.test(text)) {
    const value = Number(text)
    if (Number.isFinite(value)) return value
    throw new ExpressionError('a number larger than any f64', at)
  }
  const value = BigInt(text)
  if (value >= i64Min && value <= i64Max) return value
  throw new ExpressionError('an integer outside of −2^63 to 2^63 − 1', at)
}

function textOf(quoted: string, at: number): string {
  const text = quoted.slice(1, -1).replaceAll("''", "'")
  if (text.isWellFormed() && !text.includes('\0')) return text
  throw new ExpressionError('a text with U+0000 or a lone surrogate, which no row can hold', at)
}
