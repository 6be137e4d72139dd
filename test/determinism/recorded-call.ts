/** A call as a record of it would stand in a log, and what it came to: all of it text, to pass between processes. */
import type { CallMoment } from '../../host/reducer/call-context.ts'
import { runCall } from '../../host/reducer/run-call.ts'
import type { CallRequest } from '../../host/reducer/run-call.ts'
import type { Database } from '../../host/reducer/database.ts'
import type { RowOperation } from '../../host/storage/row-operation.ts'
import type { LoneDatabase } from '../reducer/lone-database.ts'
import { HostError } from '../../host/errors.ts'
import type { SqlRow, SqlValue } from '../../host/plan/plan.ts'

export interface RecordedCall {
  readonly module: string
  readonly reducer: number
  readonly sender: number
  /** Hex. */
  readonly args: string
  readonly fuelMax: number
  /** Decimal digits: the timestamp and both halves of the seed. */
  readonly moment: readonly [string, string, string]
  readonly outcome: Outcome
}

/** Whatever a log, a caller or a check of the log could look at. */
export interface Outcome {
  /** `ok`, or the code of what ended it. */
  readonly code: string
  readonly message: string
  /** Hex. */
  readonly result: string
  readonly operations: readonly string[]
  readonly fuel: number
  readonly log: readonly string[]
}

/** Makes the call, and commits what it left. */
export function performCall(lone: LoneDatabase, call: Omit<RecordedCall, 'outcome'>): Outcome {
  const [timestamp, ...seed] = call.moment.map(BigInt) as [bigint, bigint, bigint]
  const moment: CallMoment = { timestamp, seed }
  const sender = new Uint8Array(32).fill(call.sender + 1)
  const caller = { sender, actor: sender, assurance: 'signed', channel: 'test', claims: { role: 'agent' } } as const
  const end = lone.batch(() => {
    if (lone.database.limits.fuel !== call.fuelMax) lone.database.setLimits({ fuel: call.fuelMax })
    return endOf(lone.database, { reducer: call.reducer, caller, args: Buffer.from(call.args, 'hex'), moment })
  })
  return { ...end, log: lone.database.takeLog().map(({ level, message }) => `${level} ${message}`) }
}

function endOf(database: Database, request: CallRequest): Omit<Outcome, 'log'> {
  try {
    const { result, operations, fuel } = runCall(database, database.requireModule(), request)
    return { code: 'ok', message: '', result: Buffer.from(result).toString('hex'), operations: operations.map(operationText), fuel }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return { code: error.code, message: error.message, result: '', operations: [], fuel: Number(error.detail['fuel']) }
  }
}

function operationText(operation: RowOperation): string {
  const images = [...('before' in operation ? [operation.before] : []), ...('after' in operation ? [operation.after] : [])]
  return [operation.kind, operation.writer.table.name, ...images.map(rowText)].join(' ')
}

function rowText(row: SqlRow): string {
  return `(${row.map(valueText).join(', ')})`
}

/** Every bit of a value. */
function valueText(value: SqlValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'number') return Buffer.from(new Float64Array([value]).buffer).toString('hex')
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
