/**
 * The life of one call, top to bottom. It runs inside the transaction of its batch, on the thread
 * that owns the database's file; nothing of it leaves before the batch is on disk.
 */
import { HostError } from '../errors.ts'
import { rowsExaminedPerCallMax } from '../limits.ts'
import { PackedReader } from '../packed-bytes.ts'
import { unpackValue } from '../row-codec.ts'
import type { ReducerDescription } from '../schema/description.ts'
import type { ActiveModule } from './active-module.ts'
import { CallBudget } from './call-budget.ts'
import { drawSeed, packContext } from './call-context.ts'
import type { Caller } from './call-context.ts'
import { CallLog } from './call-log.ts'
import { CallTable } from './call-table.ts'
import type { Database } from './database.ts'
import { RandomIds } from './random-ids.ts'
import { RowOperations } from './row-operations.ts'
import type { RowOperationRecord } from './row-operations.ts'

export interface CallRequest {
  /** The reducer's number in the description of the running module. */
  readonly reducer: number
  readonly caller: Caller
  /** Packed for this module's signature. */
  readonly args: Uint8Array
}

export interface CallResult {
  /** The packed result. */
  readonly result: Uint8Array
  readonly operations: readonly RowOperationRecord[]
  /** Units of fuel burnt (docs/fuel.md); 0 where the guest's runner does not count. */
  readonly fuel: number
}

/**
 * @throws HostError what the module, its policies or its limits refused. Then nothing of the call is
 *   left; the batch it runs in goes on.
 */
export function runCall(database: Database, module: ActiveModule, request: CallRequest): CallResult {
  const reducer = module.description.reducers[request.reducer]
  if (reducer === undefined) throw new HostError('ERR_REDUCER_UNKNOWN', `the module has no reducer ${request.reducer}`)

  const { caller } = request
  const { limits } = database
  const operations = new RowOperations(database.file, database.nextIds, limits.rowOperations)
  database.file.rowsExaminedLeft = rowsExaminedPerCallMax
  const seed = drawSeed()
  const scope = {
    policy: { ...caller, reducer: reducer.name },
    operations,
    nextIds: database.nextIds,
    randomIds: new RandomIds(seed),
    budget: new CallBudget(limits),
    writer: database.rowWriter,
  }
  const tables = reducer.tables.map(({ table, mode }) => new CallTable(database.access(module, table), mode, scope))

  const context = database.contextWriter
  context.reset()
  packContext(context, { ...caller, timestamp: database.callTime(), seed })

  const log = new CallLog(reducer.name, limits.logBytes)
  try {
    const outcome = module.guest.run({
      reducer: request.reducer,
      context: context.view(),
      tables,
      args: request.args,
      limits,
      log: (level, message) => log.write(level, message),
    })
    if (outcome.kind === 'failed') throw new HostError('ERR_CALL_FAILED', outcome.message)
    if (outcome.kind === 'trapped') throw outcome.error
    checkResult(module, reducer, outcome.result)
    operations.keep()
    database.nextIds.keep()
    return { result: outcome.result, operations: operations.records, fuel: outcome.fuel ?? 0 }
  } catch (error) {
    operations.undo()
    database.nextIds.giveBack()
    if (error instanceof HostError && error.code !== 'ERR_CALL_FAILED') log.add('error', `${error.code}: ${error.message}`)
    throw error
  } finally {
    database.keepLog(log.lines())
  }
}

/** A reducer that gives nonsense must not have happened; a query's reader finds out by itself. */
function checkResult(module: ActiveModule, reducer: ReducerDescription, result: Uint8Array): void {
  if (reducer.kind === 'query') return
  const reader = new PackedReader(result, 'ERR_RESULT_MALFORMED')
  unpackValue(reader, reducer.result, module.layouts)
  reader.end()
}
