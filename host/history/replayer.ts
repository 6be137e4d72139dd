/**
 * One record after the other, over the state that it found: a call runs again with the module that ran, its
 * caller, its arguments and its moment. What it gives is compared with the record, byte for byte, and thrown
 * away; then the record is applied and the next one follows. So a call that comes out otherwise spoils no later one.
 *
 * A publish is applied and not run again, its `init` reducers neither: their moments are in no record.
 */
import { HostError } from '../errors.ts'
import { RecordBatch } from '../log/record-batch.ts'
import type { LoggedRecord } from '../log/record.ts'
import { resume } from '../publish/publish.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import type { CallMoment } from '../reducer/call-context.ts'
import { Database } from '../reducer/database.ts'
import { runCall } from '../reducer/run-call.ts'
import type { CallResult } from '../reducer/run-call.ts'
import { FUEL_SCHEDULE_VERSION } from '../sandbox/fuel-schedule.ts'
import type { DatabaseFile } from '../storage/database-file.ts'
import { RecordApplier } from '../storage/record-applier.ts'
import { PayloadReader } from '../storage/record-payload.ts'
import type { RecordedCall } from '../storage/record-payload.ts'
import { differencesOf } from './difference.ts'
import type { Difference } from './difference.ts'
import { isCall } from './shown-record.ts'
import type { CallRecord } from './shown-record.ts'

export interface ReplayFindings {
  /** Calls that were run again. */
  readonly calls: number
  readonly callsDiffering: number
  /** Of these the prices were others than this host's, so that their fuel says nothing. */
  readonly callsWithoutFuel: number
  /** Records of other kinds, which were applied. */
  readonly otherRecords: number
  readonly first: ReplayedDifference | null
  /** The record before which the replay had to end, and why. */
  readonly stopped: { readonly position: string; readonly why: string } | null
  /** Of running a call, and of applying a record. */
  readonly microsPerCall: number
  readonly microsPerRecord: number
}

/** The first call that came out otherwise, and in what. */
export interface ReplayedDifference {
  readonly position: string
  readonly id: string | null
  readonly reducer: string
  readonly differences: readonly Difference[]
}

/** Over the file of a state that nobody else has; its records come one after the other. */
export class Replayer {
  readonly #file: DatabaseFile
  readonly #applier: RecordApplier
  readonly #records = new RecordBatch()
  #database: Database
  #calls = 0
  #callsDiffering = 0
  #callsWithoutFuel = 0
  #otherRecords = 0
  #first: ReplayedDifference | null = null
  #stopped: ReplayFindings['stopped'] = null
  #callMs = 0
  #applyMs = 0

  private constructor(file: DatabaseFile, database: Database) {
    this.#file = file
    this.#applier = new RecordApplier(file)
    this.#database = database
  }

  static async over(file: DatabaseFile): Promise<Replayer> {
    return new Replayer(file, await opened(file))
  }

  get callsDiffering(): number {
    return this.#callsDiffering
  }

  /** The position of the record that comes next. */
  get next(): bigint {
    return this.#applier.position + 1n
  }

  /** There is no way past the next record. The first reason counts. */
  end(why: string): void {
    this.#stopped ??= { position: String(this.next), why }
  }

  /** False when the history does not go on. */
  async step(record: LoggedRecord): Promise<boolean> {
    if (isCall(record)) this.#compare(record)
    else this.#otherRecords++
    if (!this.#apply(record)) return false
    // Modules, limits and keys are read when a database is opened; people and rows are asked for.
    if (record.head.kind === 'call' || record.head.kind === 'identity') return true
    this.#database.module?.guest.close?.()
    this.#database = await opened(this.#file)
    return true
  }

  #apply(record: LoggedRecord): boolean {
    const start = performance.now()
    try {
      this.#file.savepoint('publish')
      this.#applier.applyInOpen([record])
      this.#file.release('publish')
      // A commit takes longer than all the rest of a record.
      if (this.#applier.position % recordsPerCommit === 0n) this.#file.commit()
      return true
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      this.end(`it cannot be applied to the state before it: ${error.cause instanceof Error ? error.cause.message : error.message}`)
      return false
    } finally {
      this.#applyMs += performance.now() - start
    }
  }

  report(): ReplayFindings {
    const records = this.#calls + this.#otherRecords
    return {
      calls: this.#calls,
      callsDiffering: this.#callsDiffering,
      callsWithoutFuel: this.#callsWithoutFuel,
      otherRecords: this.#otherRecords,
      first: this.#first,
      stopped: this.#stopped,
      microsPerCall: this.#calls === 0 ? 0 : (this.#callMs * 1_000) / this.#calls,
      microsPerRecord: records === 0 ? 0 : (this.#applyMs * 1_000) / records,
    }
  }

  #compare(record: CallRecord): void {
    const payload = new PayloadReader(record.sections)
    const { call } = payload
    const module = this.#module(call, record)
    const start = performance.now()
    const differences = this.#run(record, module, payload)
    this.#callMs += performance.now() - start
    this.#calls++
    if (differences.length === 0) return
    this.#callsDiffering++
    this.#first ??= { position: String(record.head.position), id: call.id === '' ? null : call.id, reducer: call.reducer, differences }
  }

  #run({ head }: CallRecord, module: ActiveModule, payload: PayloadReader): readonly Difference[] {
    this.#records.reset()
    this.#database.journal.begin(this.#records, head.epoch)
    this.#file.savepoint('publish')
    try {
      const outcome = this.#call(payload.call, module, { timestamp: head.timestamp, seed: head.seed })
      if ('refused' in outcome) return [{ what: 'ending', recorded: 'a result', replayed: outcome.refused }]
      const isPriced = head.fuelSchedule === FUEL_SCHEDULE_VERSION
      if (!isPriced) this.#callsWithoutFuel++
      return differencesOf(module, payload, { fuel: isPriced ? head.fuel : undefined, outcome })
    } finally {
      this.#database.undoTo('publish')
      this.#database.journal.rollback()
      this.#database.takeLog()
    }
  }

  #call({ reducer, caller, args }: RecordedCall, module: ActiveModule, moment: CallMoment): CallResult | { readonly refused: string } {
    const number = module.description.reducers.findIndex(({ name }) => name === reducer)
    try {
      return runCall(this.#database, module, { reducer: number, caller, args, moment })
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { refused: `${error.code} ${error.message}` }
    }
  }

  /** @throws HostError ERR_LOG_DAMAGED for a record of another module than was published last before it. */
  #module({ version }: RecordedCall, { head }: CallRecord): ActiveModule {
    const { module } = this.#database
    if (module?.version === version && module.hash === Buffer.from(head.moduleHash).toString('hex')) return module
    throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} names another module than was published last before it`)
  }
}

const recordsPerCommit = 256n

/** Its time is that of each record: it never asks a clock. */
async function opened(file: DatabaseFile): Promise<Database> {
  const database = new Database({ file, clock: { now: () => 0n } })
  await resume(database)
  return database
}
