/** A call as a record of it would stand in a log, and what it came to: all of it text, to pass between processes. */
import type { CallMoment } from '../../host/reducer/call-context.ts'
import { runCall } from '../../host/reducer/run-call.ts'
import type { CallRequest } from '../../host/reducer/run-call.ts'
import type { Database } from '../../host/reducer/database.ts'
import type { RowOperationRecord } from '../../host/reducer/row-operations.ts'
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
export function performCall(database: Database, call: Omit<RecordedCall, 'outcome'>): Outcome {
  const [timestamp, ...seed] = call.moment.map(BigInt) as [bigint, bigint, bigint]
  const moment: CallMoment = { timestamp, seed }
  const sender = new Uint8Array(32).fill(call.sender + 1)
  const caller = { sender, actor: sender, assurance: 'signed', channel: 'test', claims: { role: 'agent' } } as const
  if (database.limits.fuel !== call.fuelMax) database.setLimits({ fuel: call.fuelMax })
  const end = endOf(database, { reducer: call.reducer, caller, args: Buffer.from(call.args, 'hex'), moment })
  database.commit()
  return { ...end, log: database.takeLog().map(({ level, message }) => `${level} ${message}`) }
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

function operationText(record: RowOperationRecord): string {
  const images = [...('before' in record ? [record.before] : []), ...('after' in record ? [record.after] : [])]
  return [record.kind, record.access.table.name, ...images.map(rowText)].join(' ')
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
