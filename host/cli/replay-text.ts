/** What a replay found, in a few lines: whether all agreed, what did not, and what it took. */
import type { Difference } from '../history/difference.ts'
import type { ReplayReport } from '../history/replay.ts'
import type { ReplayedDifference } from '../history/replayer.ts'
import type { ShownOperation } from '../history/shown-record.ts'
import { jsonText, rowLines } from './call-text.ts'

export function replayLines(report: ReplayReport): readonly string[] {
  const {
    database,
    from,
    to,
    calls,
    callsDiffering,
    callsWithoutFuel,
    otherRecords,
    first,
    stopped,
    recordsRebuilt,
    rebuildMs,
    microsPerCall,
    microsPerRecord,
  } = report
  const range = from === to ? `record ${from}` : `records ${from} to ${to}`
  return [
    `${counted(calls, 'call')} of ${database} run again (${range}): ${callsDiffering === 0 ? 'all as recorded' : `${callsDiffering} came out otherwise`}`,
    ...(first === null ? [] : differenceLines(first)),
    ...(stopped === null ? [] : [`ended before record ${stopped.position}: ${stopped.why}`]),
    ...(callsWithoutFuel === 0 ? [] : [`  the fuel of ${counted(callsWithoutFuel, 'call')} was not compared: other prices held then`]),
    ...(otherRecords === 0 ? [] : [`  ${counted(otherRecords, 'other record')} applied and not run again`]),
    `  state before ${from}: ${counted(recordsRebuilt, 'record')} in ${rebuildMs.toFixed(0)} ms`,
    `  ${microsPerCall.toFixed(0)} µs a call, and ${microsPerRecord.toFixed(0)} µs to apply a record`,
  ]
}

function differenceLines({ position, reducer, id, differences }: ReplayedDifference): readonly string[] {
  return [
    `the first is ${reducer} at ${position}${id === null ? '' : `, id ${id}`}`,
    ...differences.flatMap((difference) => detailLines(difference).map((line) => `  ${line}`)),
  ]
}

function detailLines(difference: Difference): readonly string[] {
  switch (difference.what) {
    case 'operation':
      return [
        `row operation ${difference.operation + 1} recorded: ${operationName(difference.recorded)}`,
        ...operationLines(difference.recorded),
        `row operation ${difference.operation + 1} replayed: ${operationName(difference.replayed)}`,
        ...operationLines(difference.replayed),
      ]
    case 'ending':
      return ['recorded: a result', `replayed: ${difference.replayed}`]
    default:
      return [`${difference.what} recorded: ${jsonText(difference.recorded)}`, `${difference.what} replayed: ${jsonText(difference.replayed)}`]
  }
}

function operationName(operation: ShownOperation | null): string {
  return operation === null ? 'none' : `${operation.kind} ${operation.table}`
}

function operationLines(operation: ShownOperation | null): readonly string[] {
  return operation === null ? [] : rowLines(operation).map((line) => `  ${line}`)
}

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
