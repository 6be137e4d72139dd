/**
 * The one place where rows are got for anybody: whatever a call, a host-side read or a client's statement does runs
 * inside of `recorded`, which alone makes the account of touched rows that every way to a row asks for. What it gave,
 * or how it was refused, is in the access log before anybody learns of it: written at once, or, within a batch, by the
 * batch before it answers.
 */
import type { AccessEvent } from '../access-log/access-record.ts'
import { shortened, Touched } from '../access-log/touched.ts'
import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import type { ActiveModule } from './active-module.ts'
import type { Caller } from './call-context.ts'
import type { Database } from './database.ts'

export interface RecordedWork<T> {
  readonly event: AccessEvent
  /** Of the reducer, the table or the statement; asked for at the end. */
  readonly name: string | (() => string)
  readonly caller: Caller
  readonly timestamp: Micros
  readonly details?: Readonly<Record<string, string>>
  readonly fuelOf?: (result: T) => number
}

/** @throws HostError ERR_STORAGE when the record could not be written, and what `work` threw. */
export function recorded<T>(database: Database, module: ActiveModule, work: RecordedWork<T>, run: (touched: Touched) => T): T {
  const touched = new Touched()
  let result: T
  try {
    result = run(touched)
  } catch (error) {
    // A bug of ours is an outcome too.
    const outcome = error instanceof HostError ? error.code : 'ERR_INTERNAL'
    const fuel = error instanceof HostError ? error.detail['fuel'] : undefined
    leave(database, module, work, { touched, outcome, fuel: typeof fuel === 'number' ? fuel : 0 })
    throw error
  }
  leave(database, module, work, { touched, outcome: '', fuel: work.fuelOf?.(result) ?? 0 })
  return result
}

interface Ending {
  readonly touched: Touched
  readonly outcome: string
  readonly fuel: number
}

function leave(
  database: Database,
  module: ActiveModule,
  { event, name, caller, timestamp, details }: Omit<RecordedWork<never>, 'fuelOf'>,
  { touched, outcome, fuel }: Ending,
): void {
  const { trail, journal } = database
  if (trail === undefined) return
  trail.add(
    {
      event,
      name: shortened(typeof name === 'string' ? name : name()),
      outcome,
      who: caller,
      version: module.version,
      asOf: journal.head.position,
      touched,
      ...(details && { details }),
    },
    { timestamp, fuel, ...module.recordVersions },
  )
  // What a batch did is answered when its records are written.
  if (journal.isOpen) return
  const failure = trail.write()
  if (failure !== undefined) throw failure
}
