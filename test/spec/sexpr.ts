/**
 * Reads the script level of a .wast file: lists, words and strings, each with the place where it
 * stands, so that the text of a module is handed on to the assembler as it is written.
 */
export type Sexpr = List | Word | Text

export interface List {
  readonly kind: 'list'
  readonly items: readonly Sexpr[]
  readonly start: number
  readonly end: number
}

export interface Word {
  readonly kind: 'word'
  readonly word: string
}

/** A string's bytes, as the file's UTF-8 and its escapes give them. */
export interface Text {
  readonly kind: 'text'
  readonly bytes: Uint8Array
}

const SKIPPED = /(?:\s|;;[^\n]*)*/y
const WORD = /[^\s()";]+/y
const STRING = /"(?:[^"\\]|\\.)*"/sy

export function readScript(source: string): readonly List[] {
  const reader = new SexprReader(source)
  const lists: List[] = []
  for (let next = reader.read(); next !== undefined; next = reader.read()) if (next.kind === 'list') lists.push(next)
  return lists
}

/** The word at the head of a list, or undefined. */
export function headOf(expression: Sexpr | undefined): string | undefined {
  const head = expression?.kind === 'list' ? expression.items[0] : undefined
  return head?.kind === 'word' ? head.word : undefined
}

class SexprReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** The next expression, or undefined at the end of the list or file. */
  read(): Sexpr | undefined {
    this.#skip()
    const character = this.#source[this.#at]
    if (character === undefined || character === ')') return undefined
    if (character === '(') return this.#list()
    if (character === '"') return { kind: 'text', bytes: unescape(this.#take(STRING).slice(1, -1)) }
    return { kind: 'word', word: this.#take(WORD) }
  }

  #list(): List {
    const start = this.#at++
    const items: Sexpr[] = []
    for (let next = this.read(); next !== undefined; next = this.read()) items.push(next)
    this.#at += 1
    return { kind: 'list', items, start, end: this.#at }
  }

  #skip(): void {
    this.#take(SKIPPED)
    if (!this.#source.startsWith('(;', this.#at)) return
    for (let depth = 0; depth > 0 || this.#source.startsWith('(;', this.#at);) {
      if (this.#at >= this.#source.length) return
      const isOpen = this.#source.startsWith('(;', this.#at)
      const isClose = this.#source.startsWith(';)', this.#at)
      depth += isOpen ? 1 : isClose ? -1 : 0
      this.#at += isOpen || isClose ? 2 : 1
    }
    this.#skip()
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found = ''] = pattern.exec(this.#source) ?? []
    if (found === '' && pattern !== SKIPPED) throw new Error(`no expression at ${this.#at}: ${this.#source.slice(this.#at, this.#at + 40)}`)
    this.#at += found.length
    return found
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\' }

function unescape(text: string): Uint8Array {
  const parts: Buffer[] = []
  for (const [part] of text.matchAll(/\\u\{[0-9a-fA-F]+\}|\\[0-9a-fA-F]{2}|\\.|[^\\]+/gs)) parts.push(unescapePart(part))
  return new Uint8Array(Buffer.concat(parts))
}

function unescapePart(part: string): Buffer {
  if (!part.startsWith('\\')) return Buffer.from(part)
  if (part.startsWith('\\u')) return Buffer.from(String.fromCodePoint(Number.parseInt(part.slice(3, -1), 16)))
  const escape = ESCAPES[part.slice(1)]
  return escape === undefined ? Buffer.from(part.slice(1), 'hex') : Buffer.from(escape)
}
