/** The times of one turn, taken as they pass and told when the turn is over. */
import type { Clock, Micros } from '../clock.ts'
import type { TurnTimes } from './peer.ts'

export type Moment = 'endpoint' | 'transcript' | 'recall' | 'commit' | 'firstToken' | 'firstAudio' | 'heard'

export class TurnLedger {
  /** When the caller stopped speaking, or sent their words. */
  readonly speechEnd: Micros
  readonly #beginMs: number
  readonly #times = new Map<Moment, number>()
  #recallMs = 0
  #commitMs = 0

  /** `beginMs` as `performance.now()` counts. */
  constructor(clock: Clock, beginMs: number) {
    this.#beginMs = beginMs
    this.speechEnd = clock.now() - BigInt(Math.max(0, Math.round((performance.now() - beginMs) * 1_000)))
  }

  /** The first time counts. */
  mark(moment: Moment, atMs: number = performance.now()): void {
    if (!this.#times.has(moment)) this.#times.set(moment, Math.max(0, atMs - this.#beginMs))
  }

  recalled(tookMs: number): void {
    this.#recallMs = tookMs
    this.mark('recall')
  }

  committed(tookMs: number): void {
    this.#commitMs = tookMs
    this.mark('commit')
  }

  has(moment: Moment): boolean {
    return this.#times.has(moment)
  }

  get times(): TurnTimes {
    const memory = this.#recallMs + this.#commitMs
    const whole = this.#times.get('heard') ?? this.#times.get('firstAudio') ?? this.#times.get('firstToken')
    return {
      ...Object.fromEntries([...this.#times].map(([moment, ms]) => [moment, rounded(ms)])),
      memory: rounded(memory),
      ...(whole === undefined || whole === 0 ? {} : { memoryShare: Math.min(1, memory / whole) }),
    }
  }
}

/** To a microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

/** As the hook `turn_measured` has them. */
export function timesAsArguments({
  endpoint,
  transcript,
  recall,
  commit,
  firstToken,
  firstAudio,
  heard,
  memory,
  memoryShare,
}: TurnTimes): Readonly<Record<string, number | null>> {
  const given = { endpoint, transcript, recall, commit, first_token: firstToken, first_audio: firstAudio, heard, memory, memory_share: memoryShare }
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value ?? null]))
}
