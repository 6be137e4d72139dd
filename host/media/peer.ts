/**
 * One caller's end of a conversation, whatever carries it: voice in, voice out with what was heard of it,
 * and messages beside. `livekit-peer.ts` joins a room, `websocket-peer.ts` is a socket of the host's own.
 *
 * Everything that comes from a peer is a stranger's: messages are checked by `parsePeerMessage`, and neither
 * a name nor metadata nor a message says who the caller is. That was settled when the session was opened.
 */
import { z } from 'zod'

import * as limits from '../limits.ts'

/** Samples a second of a caller's voice, and of an agent's; both mono, 16 bits. */
export const inputRate = 16_000
export const outputRate = 24_000

export interface PeerEvents {
  /** The caller is there and hears what is played. */
  ready(): void
  /** Samples at `inputRate`, as they come. */
  audio(samples: Int16Array): void
  message(message: PeerMessage): void
  /** For good: a peer that may come back says nothing. */
  left(reason: 'hung_up' | 'gone' | 'never_came' | 'room_lost'): void
}

export interface Peer {
  /** Whether a voice can be carried: otherwise words are typed and read. */
  readonly hasAudio: boolean
  /** Samples at `outputRate`; resolves when there is room for more. */
  play(samples: Int16Array): Promise<void>
  /** Resolves when all that was given has been played. */
  drained(): Promise<void>
  /** What was not played yet is never played. */
  clear(): void
  /** Milliseconds that were played since the peer began. */
  readonly playedMs: number
  send(message: SessionMessage): void
  close(): Promise<void>
}

const peerMessage = z.discriminatedUnion('type', [
  /** The page has subscribed to the agent's voice. */
  z.strictObject({ type: z.literal('ready') }),
  /** Typed words. */
  z.strictObject({ type: z.literal('say'), text: z.string().trim().min(1).max(limits.saidSizeMax) }),
  /** The first sound of a turn's answer was heard. */
  z.strictObject({ type: z.literal('hearing'), turn: z.int().min(0).max(1_000_000) }),
  z.strictObject({ type: z.literal('hang_up') }),
])
export type PeerMessage = z.infer<typeof peerMessage>

/** Undefined for what is no message: a stranger learns nothing, and the session goes on. */
export function parsePeerMessage(bytes: Uint8Array): PeerMessage | undefined {
  if (bytes.length > limits.peerMessageBytesMax) return undefined
  try {
    return peerMessage.safeParse(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))).data
  } catch {
    return undefined
  }
}

export type SessionState = 'waiting' | 'listening' | 'thinking' | 'speaking' | 'ended'

/** Milliseconds since the caller stopped speaking; absent is what did not happen. */
export interface TurnTimes {
  readonly endpoint?: number
  readonly transcript?: number
  readonly recall?: number
  readonly commit?: number
  readonly firstToken?: number
  readonly firstAudio?: number
  readonly heard?: number
  /** What recall and commit took together, and its share of the whole turn. */
  readonly memory?: number
  readonly memoryShare?: number
}

export type SessionMessage =
  | { readonly type: 'session'; readonly session: string; readonly agent: string; readonly hasAudio: boolean; readonly note?: string }
  | { readonly type: 'state'; readonly state: SessionState }
  | { readonly type: 'caller'; readonly turn: number; readonly text: string }
  | {
      readonly type: 'agent'
      readonly turn: number
      readonly text: string
      readonly isDone: boolean
      readonly heard?: string
      readonly isInterrupted?: boolean
    }
  | { readonly type: 'recall'; readonly turn: number; readonly ms: number; readonly isLate: boolean; readonly rows: unknown }
  | { readonly type: 'tool'; readonly turn: number; readonly tool: string; readonly arguments: unknown; readonly result: unknown; readonly failed: boolean }
  | { readonly type: 'times'; readonly turn: number; readonly times: TurnTimes }
  | { readonly type: 'problem'; readonly message: string }
  | { readonly type: 'ended'; readonly reason: string }
