/**
 * From a stream of samples to utterances: where one begins, and where it ends because its speaker is silent
 * for a while. A little of what came before is kept, since the first sound of a word is quiet.
 */
import * as limits from '../limits.ts'
import { EnergyVad, frameMs, frameSamples } from './energy-vad.ts'

export interface Utterance {
  readonly samples: Int16Array
  /** As `performance.now()` counts: when its last sound came, and when it was known to be the last. */
  readonly speechEndMs: number
  readonly endpointMs: number
}

export interface EndpointerEvents {
  began(): void
  ended(utterance: Utterance): void
}

export class Endpointer {
  readonly #events: EndpointerEvents
  readonly #vad = new EnergyVad()
  readonly #silenceMs: number
  #rest = new Int16Array(0)
  #frames: Int16Array[] = []
  #voicedInRow = 0
  #silentInRow = 0
  #isSpeaking = false
  #lastVoiceMs = 0
  /** Frames stop when a line is cut or muted: silence nobody sends is silence too. */
  #starved: NodeJS.Timeout | undefined

  constructor(events: EndpointerEvents, silenceMs: number = limits.endpointSilenceMs) {
    this.#events = events
    this.#silenceMs = silenceMs
  }

  get isSpeaking(): boolean {
    return this.#isSpeaking
  }

  push(samples: Int16Array): void {
    const all = new Int16Array(this.#rest.length + samples.length)
    all.set(this.#rest)
    all.set(samples, this.#rest.length)
    let start = 0
    for (; start + frameSamples <= all.length; start += frameSamples) this.#frame(all.slice(start, start + frameSamples))
    this.#rest = all.slice(start)
  }

  /** What was begun ends here, as when its speaker is gone. */
  flush(): void {
    if (this.#isSpeaking) this.#end()
    this.close()
  }

  close(): void {
    clearTimeout(this.#starved)
    this.#frames = []
    this.#isSpeaking = false
  }

  #frame(frame: Int16Array): void {
    const isVoice = this.#vad.isVoice(frame)
    this.#frames.push(frame)
    this.#voicedInRow = isVoice ? this.#voicedInRow + 1 : 0
    this.#silentInRow = isVoice ? 0 : this.#silentInRow + 1
    if (isVoice) this.#lastVoiceMs = performance.now()
    if (!this.#isSpeaking) return this.#wait()
    clearTimeout(this.#starved)
    if (this.#silentInRow * frameMs >= this.#silenceMs || this.#frames.length * frameMs >= limits.utteranceMsMax) return this.#end()
    this.#starved = setTimeout(() => this.#end(), this.#silenceMs + limits.framesLateMsMax)
  }

  #wait(): void {
    if (this.#voicedInRow * frameMs >= limits.voiceStartMs) {
      this.#isSpeaking = true
      this.#events.began()
    } else if (this.#frames.length * frameMs > limits.preRollMs) this.#frames.shift()
  }

  #end(): void {
    clearTimeout(this.#starved)
    const samples = new Int16Array(this.#frames.length * frameSamples)
    this.#frames.forEach((frame, index) => samples.set(frame, index * frameSamples))
    this.#frames = []
    this.#isSpeaking = false
    this.#voicedInRow = 0
    this.#events.ended({ samples, speechEndMs: this.#lastVoiceMs, endpointMs: performance.now() })
  }
}
