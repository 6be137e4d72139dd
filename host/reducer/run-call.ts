/**
 * The life of one call, top to bottom. It runs inside the transaction of its batch, on the thread
 * that owns the database's file; nothing of it leaves before the batch is on disk.
 */
import { HostError } from '../errors.ts'
import { rowsExaminedPerCallMax } from '../limits.ts'
import { PackedReader } from '../packed-bytes.ts'
import { unpackValue } from '../row-codec.ts'
import { handleTagBits } from '../sandbox/handle-table.ts'
import type { ReducerKind } from '../protocol/shard-protocol.ts'
import type { ReducerDescription } from '../schema/description.ts'
import { callDigestOf, callKeyOf } from '../storage/call-results.ts'
import type { RowOperation } from '../storage/row-operation.ts'
import type { ActiveModule } from './active-module.ts'
import { CallBudget } from './call-budget.ts'
import { drawSeed, packContext } from './call-context.ts'
import type { Caller, CallMoment } from './call-context.ts'
import { CallLog } from './call-log.ts'
import { CallTable } from './call-table.ts'
import type { Touched } from '../access-log/touched.ts'
import type { Database } from './database.ts'
import { RandomIds } from './random-ids.ts'
import { recorded } from './recorded.ts'
import { CallOperations } from './row-operations.ts'

export interface CallRequest {
  /** The reducer's number in the description of the running module. */
  readonly reducer: number
  readonly caller: Caller
  /** Packed for this module's signature. */
  readonly args: Uint8Array
  /** Of its caller's choice: a reducer that has run under it does not run again. */
  readonly id?: string | undefined
  /** The moment of a recorded call, to run it again as it was; a new one when left out. */
  readonly moment?: CallMoment
}

export interface CallResult {
  /** The packed result. */
  readonly result: Uint8Array
  /** The version of the module that packed it: an earlier one, when the call ran before. */
  readonly version: number
  readonly operations: readonly RowOperation[]
  /** Units of fuel burnt (docs/fuel.md); 0 where the guest's runner does not count. */
  readonly fuel: number
}

/**
 * A call of a reducer with an id that has run: what it gave then. Any other call runs.
 *
 * @throws HostError ERR_CALL_ID for another call under an id that was used, and what `runCall` throws.
 */
export function runOnce(database: Database, module: ActiveModule, request: CallRequest): CallResult {
  const reducer = module.description.reducers[request.reducer]
  if (request.id === undefined || reducer === undefined || !isWriter(reducer.kind)) return runCall(database, module, request)
  const key = callKeyOf({ ...request.caller, id: request.id })
  const digest = callDigestOf(reducer.name, request.args)
  const moment = request.moment ?? { timestamp: database.callTime(), seed: drawSeed() }
  const before = database.calls.find(key, digest, moment.timestamp)
  if (before !== undefined) {
    const again = {
      event: 'call',
      name: reducer.name,
      caller: request.caller,
      timestamp: moment.timestamp,
      details: { again: 'the result of an earlier call' },
    } as const
    return recorded(database, module, again, () => ({ ...before, operations: [], fuel: 0 }))
  }
  const outcome = runCall(database, module, { ...request, moment }, key)
  database.calls.add({ key, digest, at: moment.timestamp, version: module.version, result: outcome.result })
  return outcome
}

/**
 * A reducer's call that succeeds leaves its record in the batch.
 *
 * The same request at the same moment, over the same rows, with the same module and limits, ends the
 * same: in result, row operations, log, fuel and error.
 *
 * @throws HostError what the module, its policies or its limits refused, with the `fuel` in its detail
 *   that was burnt till then. Nothing of the call is left; the batch it runs in goes on.
 */
export function runCall(database: Database, module: ActiveModule, request: CallRequest, callKey?: Uint8Array): CallResult {
  const reducer = module.description.reducers[request.reducer]
  if (isWriter(reducer?.kind)) database.journal.requireWritable()
  if (reducer === undefined) throw new HostError('ERR_REDUCER_UNKNOWN', `the module has no reducer ${request.reducer}`)

  const { caller, moment = { timestamp: database.callTime(), seed: drawSeed() } } = request
  const work = { event: reducer.kind === 'query' ? 'query' : 'call', name: reducer.name, caller, timestamp: moment.timestamp, fuelOf } as const
  return recorded(database, module, work, (touched) => runReducer(database, module, { ...request, reducer, number: request.reducer, moment, callKey, touched }))
}

function fuelOf({ fuel }: CallResult): number {
  return fuel
}

interface ReducerRun extends Omit<CallRequest, 'reducer'> {
  readonly reducer: ReducerDescription
  readonly number: number
  readonly moment: CallMoment
  readonly callKey: Uint8Array | undefined
  readonly touched: Touched
}

function runReducer(database: Database, module: ActiveModule, { reducer, number, caller, moment, callKey, touched, ...request }: ReducerRun): CallResult {
  const { limits } = database
  const operations = new CallOperations(database.file, database.operations, limits.rowOperations)
  database.file.rowsExaminedLeft = rowsExaminedPerCallMax
  const scope = {
    policy: { ...caller, reducer: reducer.name },
    touched,
    operations,
    nextIds: database.nextIds,
    randomIds: new RandomIds(moment.seed),
    budget: new CallBudget(limits),
    writer: database.rowWriter,
  }
  const tables = reducer.tables.map(({ table, mode }) => new CallTable(database.access(module, table), mode, scope))

  const context = database.contextWriter
  context.reset()
  packContext(context, { ...caller, ...moment })

  const log = new CallLog(reducer.name, limits.logBytes)
  let fuel: number | undefined
  try {
    const outcome = module.guest.run({
      reducer: number,
      context: context.view(),
      tables,
      // A guest sees the numbers of its handles: they belong to the moment, as all that is random does.
      handleTag: Number(BigInt.asUintN(handleTagBits, moment.seed[0])),
      args: request.args,
      limits,
      log: (level, message) => log.write(level, message),
    })
    fuel = outcome.fuel
    if (outcome.kind === 'failed') throw new HostError('ERR_CALL_FAILED', outcome.message)
    if (outcome.kind === 'trapped') throw outcome.error
    checkResult(module, reducer, outcome.result)
    const result = { result: outcome.result, version: module.version, operations: operations.all, fuel: fuel ?? 0 }
    if (isWriter(reducer.kind)) {
      database.journal.add({
        kind: 'call',
        ...moment,
        fuel: result.fuel,
        versions: module.recordVersions,
        payload: {
          call: { reducer: reducer.name, id: request.id ?? '', caller, version: module.version, args: request.args, result: result.result },
          operations: result.operations,
        },
        ...(callKey === undefined ? {} : { callKey }),
      })
    }
    operations.keep()
    operations.note(touched)
    database.nextIds.keep()
    return result
  } catch (error) {
    operations.undo()
    database.nextIds.giveBack()
    if (error instanceof HostError && error.code !== 'ERR_CALL_FAILED') log.add('error', `${error.code}: ${error.message}`)
    throw error instanceof HostError && fuel !== undefined ? error.withDetail({ fuel }) : error
  } finally {
    database.keepLog(log.lines())
  }
}

/** What leaves a record of itself. An `init` is part of its publish's record. */
function isWriter(kind: ReducerKind | undefined): boolean {
  return kind === 'reducer' || kind === 'hook'
}

/** A reducer that gives nonsense must not have happened; a query's reader finds out by itself. */
function checkResult(module: ActiveModule, reducer: ReducerDescription, result: Uint8Array): void {
  if (reducer.kind === 'query') return
  const reader = new PackedReader(result, 'ERR_RESULT_MALFORMED')
  unpackValue(reader, reducer.result, module.layouts)
  reader.end()
}
