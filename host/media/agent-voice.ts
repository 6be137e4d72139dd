/**
 * One answer as it is spoken: words go in as the model makes them, sentences are made sound one after the
 * other while the one before is played, and an interruption ends all of it at once.
 */
import type { Peer } from './peer.ts'
import { SpokenText } from './spoken-text.ts'

/** Makes a text sound, in pieces as they come. */
export type Speak = (text: string, signal: AbortSignal) => AsyncIterable<Int16Array>

export interface AgentVoiceOptions {
  readonly peer: Peer
  /** Undefined where words are read. */
  readonly speak: Speak | undefined
  readonly signal: AbortSignal
  /** The first sound leaves for the caller. */
  readonly onFirstAudio: () => void
}

export class AgentVoice {
  readonly #options: AgentVoiceOptions
  readonly #text = new SpokenText()
  /** What was played when this answer began. */
  readonly #baseMs: number
  #making: Promise<void> = Promise.resolve()
  #playing: Promise<void> = Promise.resolve()
  #hasSounded = false
  /** All of it was played: no clock has to say so. */
  #isFinished = false
  #failure: unknown

  constructor(options: AgentVoiceOptions) {
    this.#options = options
    this.#baseMs = options.peer.playedMs
  }

  get intended(): string {
    return this.#text.intended
  }

  /** What the caller has heard, or read, by now. */
  get heard(): string {
    if (this.#options.speak === undefined || this.#isFinished) return this.intended
    return this.#text.heard(this.#options.peer.playedMs - this.#baseMs)
  }

  add(text: string): void {
    this.#text.add(text)
    this.#makeParts(false)
  }

  /**
   * Resolves when all of it was played.
   *
   * @throws what the voice could not be made with.
   */
  async end(): Promise<void> {
    this.#makeParts(true)
    await this.#making
    await this.#playing
    if (this.#failure !== undefined) throw this.#failure
    if (this.#options.signal.aborted) return
    if (this.#options.speak !== undefined) await this.#options.peer.drained()
    this.#isFinished = !this.#options.signal.aborted
  }

  #makeParts(isLast: boolean): void {
    const { speak } = this.#options
    if (speak === undefined) return
    for (let part = this.#text.nextPart(isLast); part !== undefined; part = this.#text.nextPart(isLast)) {
      const { index, text } = part
      if (text.trim() === '') this.#text.complete(index)
      else this.#making = this.#making.then(() => this.#make(speak, index, text)).catch((error: unknown) => void (this.#failure ??= error))
    }
  }

  /** The next sentence is made while this one is played. */
  async #make(speak: Speak, index: number, text: string): Promise<void> {
    const { signal } = this.#options
    for await (const samples of speak(text, signal)) {
      if (signal.aborted || this.#failure !== undefined) return
      this.#text.sounded(index, samples.length)
      this.#playing = this.#playing.then(() => this.#play(samples)).catch((error: unknown) => void (this.#failure ??= error))
    }
    this.#text.complete(index)
  }

  async #play(samples: Int16Array): Promise<void> {
    const { peer, signal, onFirstAudio } = this.#options
    if (signal.aborted) return
    if (!this.#hasSounded) onFirstAudio()
    this.#hasSounded = true
    await peer.play(samples)
  }
}
