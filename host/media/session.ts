/**
 * One conversation, from the first word to the last. It listens, thinks and speaks; each change is a call of
 * the agent's hooks with the caller as sender and the agent's profile as actor.
 *
 *   a voice ─► endpointer ─► transcription ─► recall ─► model ⇄ tools ─► sentences ─► voice
 *                                        └► caller_turn                     └► agent_turn, turn_measured
 *
 * What is said is recorded in true order, exactly once, and no answer waits for it: the recall comes first,
 * and the words of the running session are known here. Whoever speaks ends the answer; what they heard of
 * it by then is what is kept of it.
 */
import { formatTimestamp } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { AgentVoice } from './agent-voice.ts'
import { Endpointer } from './endpointer.ts'
import type { Utterance } from './endpointer.ts'
import type { Peer, PeerEvents, PeerMessage, SessionMessage, SessionState } from './peer.ts'
import type { Disclosures } from './ports.ts'
import type { ChatMessage } from './provider/chat.ts'
import type { BeforeSending, SessionProviders } from './provider/providers.ts'
import type { Recollection, SessionMemory } from './session-memory.ts'
import { shownValue } from './shown-value.ts'
import { Thinking } from './thinking.ts'
import { TurnLedger, timesAsArguments } from './turn-ledger.ts'

export interface SessionOptions {
  readonly id: string
  readonly database: string
  readonly agent: string
  /** As hooks and tables know it. */
  readonly transport: string
  readonly memory: SessionMemory
  readonly providers: SessionProviders
  readonly disclosures: Disclosures
  readonly clock: Clock
  /** Told to the page at the start: what is missing for a voice. */
  readonly note?: string | undefined
  readonly onFailure: (what: string, error: unknown) => void
}

export type EndReason = 'hung_up' | 'gone' | 'never_came' | 'room_lost' | 'idle' | 'too_long' | 'provider_failed' | 'memory_failed' | 'host_stopped'

/** What the caller said; absent for a greeting. */
interface Question {
  readonly turn: number
  readonly ledger: TurnLedger
  readonly said?: string
}

/** An answer, or what is said instead of one: then the session goes on, or ends with a reason. */
type Purpose = { readonly kind: 'answer' } | { readonly kind: 'apology' } | { readonly kind: 'farewell'; readonly reason: EndReason }

interface Reply {
  readonly question: Question
  readonly purpose: Purpose
  readonly voice: AgentVoice
  readonly ending: AbortController
}

type Make = (voice: AgentVoice, signal: AbortSignal) => Promise<void>

const apology = 'I am sorry, something went wrong on my side. Could you say that again, please?'
const farewell = 'I am sorry, I cannot go on right now. Please call again in a little while. Goodbye.'

export class Session {
  readonly id: string
  readonly #options: SessionOptions
  readonly #ending = new AbortController()
  readonly #endpointer: Endpointer
  readonly #thinking: Thinking
  readonly #history: ChatMessage[] = []
  #peer: Peer | undefined
  #state: SessionState = 'waiting'
  #turn = 0
  #reply: Reply | undefined
  /** What a sound kept from being answered: if it was no word, the answer follows after all. */
  #unanswered: Question | undefined
  #answers = 0
  /** Ledgers of turns whose first sound was not reported yet. */
  readonly #ledgers = new Map<number, TurnLedger>()
  /** What was said waits for what was said before it. */
  #heardSoFar: Promise<void> = Promise.resolve()
  #waitingUtterances = 0
  #failuresInRow = 0
  #idle: NodeJS.Timeout | undefined
  readonly #oldest: NodeJS.Timeout
  #hasStarted = false
  #ended: Promise<void> | undefined
  readonly #whenEnded = Promise.withResolvers<EndReason>()

  constructor(options: SessionOptions) {
    this.id = options.id
    this.#options = options
    this.#endpointer = new Endpointer({ began: () => this.#voiceBegan(), ended: (utterance) => this.#voiceEnded(utterance) }, options.providers.endpointMs)
    const { memory, providers } = options
    this.#thinking = new Thinking({ memory, providers, disclosing: (turn, reads) => this.#disclosing(turn, reads), tell: (message) => this.#send(message) })
    this.#oldest = setTimeout(() => void this.end('too_long'), limits.sessionTimeMsMax)
  }

  get state(): SessionState {
    return this.#state
  }

  /** Its end could not be written. */
  get isUnrecorded(): boolean {
    return this.#options.memory.isLost
  }

  /** Resolves when everything of it is closed. */
  get ended(): Promise<EndReason> {
    return this.#whenEnded.promise
  }

  /** What the peer that is made for this session tells. */
  get peerEvents(): PeerEvents {
    return {
      ready: () => this.#start(),
      audio: (samples) => {
        if (this.#hasStarted && this.#options.providers.transcribe !== undefined && this.#state !== 'ended') this.#endpointer.push(samples)
      },
      message: (message) => this.#message(message),
      left: (reason) => void this.end(reason),
    }
  }

  /** One that comes when the session is over is closed again. */
  attach(peer: Peer): void {
    if (this.#state === 'ended') return void peer.close().catch((error: unknown) => this.#options.onFailure('close', error))
    this.#peer = peer
  }

  /** Ends it in order, once: what was said is recorded, the caller is told, and everything is closed. */
  end(reason: EndReason): Promise<void> {
    this.#ended ??= this.#end(reason)
    return this.#ended
  }

  #start(): void {
    if (this.#hasStarted || this.#state === 'ended') return
    this.#hasStarted = true
    const { id, agent, note, transport, memory } = this.#options
    this.#send({ type: 'session', session: id, agent, hasAudio: this.#speaks, ...(note === undefined ? {} : { note }) })
    void memory.write('session_started', { transport }, 'start')
    this.#setState('thinking')
    this.#heardSoFar = this.#heardSoFar.then(() => this.#greet()).catch((error: unknown) => this.#options.onFailure('greeting', error))
  }

  async #greet(): Promise<void> {
    const { memory } = this.#options
    const ledger = this.#openLedger(0, performance.now())
    const [recollection, greeting] = await Promise.all([
      memory.recall(''),
      memory.greeting().catch((error: unknown) => this.#options.onFailure('greeting', error)),
    ])
    ledger.recalled(recollection.tookMs)
    this.#showRecollection(0, recollection)
    if (greeting === undefined || greeting === '' || this.#state === 'ended') return this.#setState('listening')
    this.#answer({ turn: 0, ledger }, { kind: 'answer' }, async (voice) => {
      ledger.mark('firstToken')
      this.#addWords(0, voice, greeting)
    })
  }

  #message(message: PeerMessage): void {
    switch (message.type) {
      case 'ready':
        return this.#start()
      case 'say': {
        this.#start()
        this.#interrupt()
        return this.#hear(performance.now(), async () => message.text)
      }
      case 'hearing':
        return this.#ledgers.get(message.turn)?.mark('heard')
      case 'hang_up':
        return void this.end('hung_up')
    }
  }

  #voiceBegan(): void {
    const reply = this.#reply
    this.#interrupt()
    if (reply?.purpose.kind === 'answer' && reply.voice.heard === '') this.#unanswered = reply.question
  }

  #voiceEnded({ samples, speechEndMs, endpointMs }: Utterance): void {
    const { transcribe } = this.#options.providers
    if (transcribe === undefined) return
    this.#hear(speechEndMs, async (ledger, turn) => {
      ledger.mark('endpoint', endpointMs)
      return transcribe(samples, this.#ending.signal, this.#disclosing(turn, []))
    })
  }

  /** One utterance of the caller: its words, the recall, its record, the answer. */
  #hear(speechEndMs: number, words: (ledger: TurnLedger, turn: number) => Promise<string>): void {
    if (this.#waitingUtterances >= limits.historyTurnsMax) return
    this.#waitingUtterances += 1
    this.#heardSoFar = this.#heardSoFar.then(() => this.#hearNext(speechEndMs, words))
  }

  async #hearNext(speechEndMs: number, words: (ledger: TurnLedger, turn: number) => Promise<string>): Promise<void> {
    const turn = this.#turn + 1
    const ledger = this.#openLedger(turn, speechEndMs)
    try {
      const text = await words(ledger, turn)
      ledger.mark('transcript')
      if (text === '') return this.#heardNothing()
      this.#turn = turn
      await this.#hearTurn(turn, text, ledger)
    } catch (error) {
      this.#notUnderstood(error)
    } finally {
      this.#waitingUtterances -= 1
    }
  }

  async #hearTurn(turn: number, text: string, ledger: TurnLedger): Promise<void> {
    const { memory } = this.#options
    this.#send({ type: 'caller', turn, text })
    if (this.#state !== 'ended') this.#setState('thinking')
    const recollection = await memory.recall(text)
    ledger.recalled(recollection.tookMs)
    const written = memory.write('caller_turn', { turn, text }, `${turn}:caller`)
    void written.then((tookMs) => tookMs !== undefined && ledger.committed(tookMs))
    this.#showRecollection(turn, recollection)
    const before = [...this.#history]
    this.#remember({ role: 'user', content: text })
    this.#unanswered = { turn, said: text, ledger }
    // Who speaks on is answered after that; who has gone is not answered.
    if (this.#waitingUtterances > 1 || this.#state === 'ended' || this.#endpointer.isSpeaking) return
    if (memory.isLost) return this.#giveUp('memory_failed')
    this.#unanswered = undefined
    const messages: ChatMessage[] = [...recollection.messages, ...before, { role: 'user', content: text }]
    const question = { turn, said: text, ledger }
    this.#answer(question, { kind: 'answer' }, (voice, signal) => this.#think(question, messages, recollection.reads, voice, signal))
  }

  /** What was taken for a voice was none. */
  #heardNothing(): void {
    const question = this.#unanswered
    this.#unanswered = undefined
    if (question?.said === undefined || this.#state === 'ended' || this.#reply !== undefined)
      return this.#reply === undefined ? this.#setState('listening') : undefined
    const { said } = question
    this.#answer(question, { kind: 'answer' }, async (voice, signal) => {
      const { messages, reads } = await this.#options.memory.recall(said)
      await this.#think(question, [...messages, ...this.#history], reads, voice, signal)
    })
  }

  #notUnderstood(error: unknown): void {
    if (this.#state === 'ended') return
    this.#failed('transcription', error)
    this.#apologize()
  }

  /** Begins an answer; it goes on beside what the caller does. */
  #answer(question: Question, purpose: Purpose, make: Make): void {
    const peer = this.#peer
    if (peer === undefined || this.#state === 'ended') return
    this.#setState('thinking')
    const ending = new AbortController()
    const signal = AbortSignal.any([ending.signal, this.#ending.signal])
    const { speak } = this.#options.providers
    const before = this.#disclosing(question.turn, [])
    const voice = new AgentVoice({
      peer,
      speak: this.#speaks && speak !== undefined ? (text, until) => speak(text, until, before) : undefined,
      signal,
      onFirstAudio: () => {
        question.ledger.mark('firstAudio')
        if (this.#reply === reply) this.#setState('speaking')
      },
    })
    const reply: Reply = { question, purpose, voice, ending }
    this.#reply = reply
    void this.#finish(reply, make, signal)
  }

  async #finish(reply: Reply, make: Make, signal: AbortSignal): Promise<void> {
    const { voice, purpose } = reply
    try {
      await make(voice, signal)
      await voice.end()
      if (purpose.kind === 'answer') this.#failuresInRow = 0
    } catch (error) {
      if (signal.aborted || this.#reply !== reply) return
      this.#failed('answer', error)
      this.#close(reply, false)
      // An apology that cannot be said is not apologized for.
      if (purpose.kind === 'answer') {
        // What of it waits to be said is not said beside the apology.
        reply.ending.abort(new Error('the answer has failed'))
        return this.#apologize()
      }
    }
    if (this.#reply === reply) this.#close(reply, false)
    else if (signal.aborted) return
    if (purpose.kind === 'farewell') return void this.end(purpose.reason)
    this.#setState('listening')
  }

  #think({ turn, ledger }: Question, messages: readonly ChatMessage[], reads: readonly string[], voice: AgentVoice, signal: AbortSignal): Promise<void> {
    const onWords = (text: string): boolean => {
      ledger.mark('firstToken')
      this.#addWords(turn, voice, text)
      return voice.intended.length < limits.answerSizeMax
    }
    return this.#thinking.answer({ turn, messages, reads, onWords, said: () => voice.intended }, signal)
  }

  #addWords(turn: number, voice: AgentVoice, text: string): void {
    voice.add(text)
    this.#send({ type: 'agent', turn, text: voice.intended, isDone: false })
  }

  /** The caller speaks: the answer ends here, and what they heard of it is what it was. */
  #interrupt(): void {
    const reply = this.#reply
    if (reply === undefined) return
    reply.ending.abort(new Error('interrupted'))
    this.#close(reply, true)
    this.#setState('listening')
  }

  #close(reply: Reply, isInterrupted: boolean): void {
    this.#reply = undefined
    const { voice, question } = reply
    const { turn, ledger } = question
    // Read before the queue is cleared: what is in it was not heard.
    const heard = voice.heard
    if (isInterrupted) this.#peer?.clear()
    const { intended } = voice
    this.#send({ type: 'agent', turn, text: intended, isDone: true, heard, isInterrupted })
    if (heard !== '') this.#remember({ role: 'assistant', content: heard })
    // Nothing was uttered by an answer that ended before its first sound.
    if (intended !== '' && (heard !== '' || !isInterrupted)) {
      this.#answers += 1
      void this.#options.memory.write('agent_turn', { turn, intended, heard, interrupted: isInterrupted }, `${turn}:agent:${this.#answers}`)
    }
    this.#measure(turn, ledger)
  }

  #measure(turn: number, ledger: TurnLedger): void {
    if (this.#ledgers.delete(turn)) void this.#tellTimes(turn, ledger)
  }

  /** After the record of what the caller said, so that its time is in it. */
  async #tellTimes(turn: number, ledger: TurnLedger): Promise<void> {
    const { memory } = this.#options
    await memory.settled()
    const { times } = ledger
    this.#send({ type: 'times', turn, times })
    await memory.write('turn_measured', { turn, speech_end: formatTimestamp(ledger.speechEnd), ...timesAsArguments(times) }, `${turn}:times`)
  }

  #openLedger(turn: number, beginMs: number): TurnLedger {
    const ledger = new TurnLedger(this.#options.clock, beginMs)
    this.#ledgers.set(turn, ledger)
    return ledger
  }

  /** Instead of silence. */
  #apologize(): void {
    if (this.#state === 'ended') return
    if (this.#failuresInRow >= limits.failuresInRowMax) return this.#giveUp('provider_failed')
    this.#sayInstead(apology, { kind: 'apology' })
  }

  #giveUp(reason: EndReason): void {
    this.#sayInstead(farewell, { kind: 'farewell', reason })
  }

  /** Words that no model makes. */
  #sayInstead(text: string, purpose: Purpose): void {
    const turn = this.#turn
    const ledger = new TurnLedger(this.#options.clock, performance.now())
    this.#answer({ turn, ledger }, purpose, async (voice) => this.#addWords(turn, voice, text))
  }

  #failed(what: string, error: unknown): void {
    this.#failuresInRow += 1
    this.#options.onFailure(what, error)
    const message = error instanceof HostError ? error.message : 'the host failed'
    this.#send({ type: 'problem', message: `${what}: ${message}` })
  }

  get #speaks(): boolean {
    const { providers } = this.#options
    return this.#peer?.hasAudio === true && providers.speak !== undefined
  }

  #disclosing(turn: number, reads: readonly string[]): BeforeSending {
    const { database, providers, disclosures, memory } = this.#options
    return (service, url) => disclosures.record({ database, caller: memory.caller, turn, profile: providers.name, service, url, reads })
  }

  #showRecollection(turn: number, { tookMs, isLate, shown }: Recollection): void {
    this.#send({ type: 'recall', turn, ms: Math.round(tookMs * 1_000) / 1_000, isLate, rows: shownValue(shown, limits.shownRowsBytesMax) })
  }

  #remember(message: ChatMessage): void {
    this.#history.push(message)
    if (this.#history.length > limits.historyTurnsMax) this.#history.shift()
  }

  #setState(state: SessionState): void {
    if (this.#state === 'ended' || (this.#state === state && state !== 'listening')) return
    this.#state = state
    clearTimeout(this.#idle)
    if (state === 'listening') this.#idle = setTimeout(() => void this.end('idle'), limits.sessionIdleTimeMsMax)
    this.#send({ type: 'state', state })
  }

  #send(message: SessionMessage): void {
    this.#peer?.send(message)
  }

  async #end(reason: EndReason): Promise<void> {
    clearTimeout(this.#oldest)
    // What they were saying when they went was said.
    this.#endpointer.flush()
    this.#interrupt()
    this.#state = 'ended'
    clearTimeout(this.#idle)
    const { memory } = this.#options
    const patience = AbortSignal.timeout(limits.sessionEndTimeMsMax)
    const late = new Promise<void>((resolve) => patience.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([this.#heardSoFar, late])
    this.#ending.abort(new Error('the session has ended'))
    if (this.#hasStarted) {
      void memory.write('session_ended', { reason }, 'end')
      await Promise.race([memory.settled(), late])
    }
    this.#send({ type: 'ended', reason })
    await this.#peer?.close().catch((error: unknown) => this.#options.onFailure('close', error))
    this.#whenEnded.resolve(reason)
  }
}
