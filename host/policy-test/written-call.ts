/**
 * A call as it is written in a cell: `write_note($team, "the pipe burst")`. Arguments are JSON, in which
 * `$name` stands for a person or for what an earlier call gave.
 */

export type Written =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'list'; readonly items: readonly Written[] }
  | { readonly kind: 'object'; readonly fields: readonly (readonly [string, Written])[] }

export interface WrittenCall {
  readonly name: string
  readonly args: readonly Written[]
}

/** `at` is an offset into the text. */
export class WrittenError extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** @throws WrittenError */
export function parseCall(text: string): WrittenCall {
  const reader = new WrittenReader(text)
  const name = reader.word('a call is written as in write_note($team, "hello")')
  reader.expect('(')
  const args = reader.until(')', () => reader.value())
  reader.end()
  return { name, args }
}

/** @throws WrittenError */
export function parseWritten(text: string): Written {
  const reader = new WrittenReader(text)
  const value = reader.value()
  reader.end()
  return value
}

class WrittenReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  word(otherwise: string): string {
    const word = this.#match(/[a-z_][a-z0-9_]*/y)
    if (word === undefined) throw new WrittenError(otherwise, this.#at)
    return word
  }

  value(): Written {
    this.#blanks()
    const at = this.#at
    if (this.#take('$')) return { kind: 'name', name: this.word('a name follows the $'), at }
    if (this.#take('[')) return { kind: 'list', items: this.until(']', () => this.value()) }
    if (this.#take('{')) return { kind: 'object', fields: this.until('}', () => this.#field()) }
    const literal = this.#match(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\b(?:true|false|null)\b/y)
    if (literal === undefined) throw new WrittenError('a value is JSON, or $name for a person or for what an earlier call gave', at)
    return { kind: 'value', value: literalOf(literal, at) }
  }

  /** What stands between here and `close`, with commas between. */
  until<T>(close: string, read: () => T): readonly T[] {
    this.#blanks()
    const items: T[] = []
    if (this.#take(close)) return items
    for (;;) {
      items.push(read())
      this.#blanks()
      if (this.#take(close)) return items
      if (!this.#take(',')) throw new WrittenError(`expected , or ${close}`, this.#at)
    }
  }

  expect(character: string): void {
    this.#blanks()
    if (!this.#take(character)) throw new WrittenError(`expected ${character}`, this.#at)
  }

  end(): void {
    this.#blanks()
    if (this.#at < this.#text.length) throw new WrittenError('nothing more is expected here', this.#at)
  }

  #field(): readonly [string, Written] {
    this.#blanks()
    const at = this.#at
    const name = this.#match(/"(?:[^"\\]|\\.)*"/y)
    if (name === undefined) throw new WrittenError('a field is written as in "text": 1', at)
    this.expect(':')
    return [String(literalOf(name, at)), this.value()]
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #blanks(): void {
    while (this.#text[this.#at] === ' ') this.#at++
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found !== undefined) this.#at += found.length
    return found
  }
}

/** An integer that a number cannot hold stays its digits: that is how JSON has a u64. */
function literalOf(text: string, at: number): string | number | boolean | null {
  if (/^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text))) return text
  try {
    return JSON.parse(text) as string | number | boolean | null
  } catch {
    throw new WrittenError(`${text} is no JSON`, at)
  }
}
