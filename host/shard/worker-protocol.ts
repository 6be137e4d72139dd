/** The heads of the frames between the main thread and a shard's worker. */
import type { ErrorDetail } from '../errors.ts'
import type { LogLimits } from '../log-limits.ts'
import type { ShardLanes } from './shard-core.ts'
import type { ShardEvent, ShardMethod } from '../protocol/shard-protocol.ts'
import type { InstanceMode } from '../sandbox/instance-mode.ts'

export interface ShardWorkerData {
  readonly data: string
  readonly lanes: ShardLanes
  readonly instances: InstanceMode
  readonly logLimits: LogLimits
}

export interface RequestHead {
  readonly id: number
  readonly database: string
  /** `ping` is answered at once: it asks whether the worker still turns. */
  readonly method: ShardMethod | 'stop' | 'ping'
  readonly head: unknown
}

export type AnswerHead =
  | { readonly kind: 'answer'; readonly id: number; readonly head: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly code: string; readonly message: string; readonly detail: ErrorDetail; readonly stack?: string }
  | { readonly kind: 'event'; readonly event: ShardEvent }
