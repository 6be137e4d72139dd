/**
 * The words of one answer and what was heard of them. The text grows while it is made; parts of it, a sentence
 * or two each, become sound; and of what was played the words follow from its length.
 */
import { outputRate } from './peer.ts'

interface Part {
  readonly start: number
  readonly end: number
  samples: number
  isComplete: boolean
}

/** Letters that a voice speaks in a second, for a part whose sound is not all there. */
const lettersPerSecond = 15
/** A part ends with a sentence; a long one at a comma, and one without end at a space. */
const sentenceEnd = /[.!?…][)"'”’]*\s/g
const longPart = 160
const longestPart = 300

export class SpokenText {
  readonly #parts: Part[] = []
  #text = ''

  /** All that was to be said. */
  get intended(): string {
    return this.#text
  }

  add(text: string): void {
    this.#text += text
  }

  /** The next part that can be spoken, or undefined when its end is not there yet. */
  nextPart(isLast: boolean): { readonly index: number; readonly text: string } | undefined {
    const start = this.#parts.at(-1)?.end ?? 0
    const rest = this.#text.slice(start)
    const length = isLast ? rest.length : partLength(rest)
    if (length === 0) return undefined
    this.#parts.push({ start, end: start + length, samples: 0, isComplete: false })
    return { index: this.#parts.length - 1, text: rest.slice(0, length) }
  }

  /** Sound of a part was made. */
  sounded(index: number, samples: number): void {
    const part = this.#parts[index]
    if (part !== undefined) part.samples += samples
  }

  complete(index: number): void {
    const part = this.#parts[index]
    if (part !== undefined) part.isComplete = true
  }

  /** The words that were heard when so much was played: a prefix of what was to be said, ending with a word. */
  heard(playedMs: number): string {
    let left = (playedMs * outputRate) / 1_000
    for (const part of this.#parts) {
      const length = part.end - part.start
      const whole = part.isComplete ? part.samples : Math.max(part.samples, (length / lettersPerSecond) * outputRate)
      if (!part.isComplete || left < part.samples) return this.#wordsTo(part.start, Math.floor((length * Math.min(left, whole)) / Math.max(whole, 1)))
      left -= part.samples
    }
    return this.#text.slice(0, this.#parts.at(-1)?.end ?? 0).trimEnd()
  }

  #wordsTo(start: number, length: number): string {
    const end = start + length
    const isWordEnd = end >= this.#text.length || /\s/.test(this.#text.charAt(end)) || end === 0
    const text = this.#text.slice(0, end)
    return (isWordEnd ? text : text.slice(0, Math.max(text.search(/\s\S*$/), 0))).trimEnd()
  }
}

function partLength(rest: string): number {
  sentenceEnd.lastIndex = 0
  // Very short sentences are spoken with the next one, but for the first: it is to be heard soon.
  const sentence = sentenceEnd.exec(rest)
  if (sentence !== null) return sentence.index + sentence[0].length
  if (rest.length < longPart) return 0
  const comma = rest.lastIndexOf(', ', longPart)
  if (comma > 0) return comma + 2
  return rest.length < longestPart ? 0 : Math.max(rest.lastIndexOf(' ', longestPart), 1)
}
