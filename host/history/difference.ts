/** What a call that was run again gave otherwise than its record says, so that a person sees it at once. */
import type { ActiveModule } from '../reducer/active-module.ts'
import type { CallResult } from '../reducer/run-call.ts'
import * as limits from '../limits.ts'
import { PackedWriter } from '../packed-bytes.ts'
import { packOperations } from '../storage/record-payload.ts'
import type { PayloadReader } from '../storage/record-payload.ts'
import type { RowOperation } from '../storage/row-operation.ts'
import { showOperation, showResult } from './shown-record.ts'
import type { ShownOperation } from './shown-record.ts'

/** One thing of a call, as it was recorded and as it came out. */
export type Difference =
  | { readonly what: 'ending'; readonly recorded: 'a result'; readonly replayed: string }
  | { readonly what: 'result'; readonly recorded: unknown; readonly replayed: unknown }
  | { readonly what: 'fuel'; readonly recorded: number; readonly replayed: number }
  /** `operation` counts from 0; null is none. */
  | { readonly what: 'operation'; readonly operation: number; readonly recorded: ShownOperation | null; readonly replayed: ShownOperation | null }

const writer = new PackedWriter('ERR_CALL_LIMIT', limits.recordPayloadBytesMax)

/** Byte for byte; without `fuel`, that is not compared. */
export function differencesOf(
  module: ActiveModule,
  payload: PayloadReader,
  { fuel, outcome }: { readonly fuel: number | undefined; readonly outcome: CallResult },
): readonly Difference[] {
  const { reducer, result } = payload.call
  const found: Difference[] = []
  if (Buffer.compare(result, outcome.result) !== 0) found.push(resultDifference(module, reducer, result, outcome.result))
  if (Buffer.compare(payload.operationBytes, packed(outcome.operations)) !== 0) found.push(operationDifference(module, payload, outcome.operations))
  if (fuel !== undefined && fuel !== outcome.fuel) found.push({ what: 'fuel', recorded: fuel, replayed: outcome.fuel })
  return found
}

function packed(operations: readonly RowOperation[]): Uint8Array {
  writer.reset()
  packOperations(writer, operations)
  return writer.view()
}

function resultDifference(module: ActiveModule, name: string, recorded: Uint8Array, replayed: Uint8Array): Difference {
  const reducer = module.description.reducers.find((one) => one.name === name)
  const shown = (result: Uint8Array): unknown => (reducer === undefined ? Buffer.from(result).toString('hex') : showResult(module, reducer, result))
  return { what: 'result', recorded: shown(recorded), replayed: shown(replayed) }
}

function operationDifference(module: ActiveModule, payload: PayloadReader, replayed: readonly RowOperation[]): Difference {
  const writers = new Map(Array.from(module.tables.values(), ({ table, writer: ofTable }) => [table.id, ofTable]))
  const recorded = payload.operations((table) => writers.get(table))
  const first = recorded.findIndex((operation, index) => !isSame(operation, replayed[index]))
  const operation = first < 0 ? recorded.length : first
  const shown = (list: readonly RowOperation[]): ShownOperation | null => {
    const one = list[operation]
    return one === undefined ? null : showOperation(one)
  }
  return { what: 'operation', operation, recorded: shown(recorded), replayed: shown(replayed) }
}

function isSame(left: RowOperation, right: RowOperation | undefined): boolean {
  return right !== undefined && Buffer.compare(Buffer.from(packed([left])), packed([right])) === 0
}
