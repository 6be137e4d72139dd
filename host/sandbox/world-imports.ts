/**
 * What a guest may call, by the names of its world: bytes in, bytes out, each call checked and paid for.
 * Which call is running is asked of the module's adapter (guest-module.ts); the rewriter charges for
 * calling the host at all, what went in, came out and was touched is charged here.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { GuestFailure } from './call-end.ts'
import { bytesPrice, changedRowPrice, countedRowPrice, rowPrice, tablePrice } from './fuel-schedule.ts'
import type { GuestTable } from './handle-table.ts'
import type { Meter } from './meter.ts'
import type { RunningCall } from './running-call.ts'

/** @param enterHost gives the call that an import belongs to; it throws outside of one. */
export function worldImports(enterHost: () => RunningCall, meter: Meter): WebAssembly.Imports {
  return {
    'remembrancer:module/tables@1.0.0': tableImports(enterHost, meter),
    'remembrancer:module/log@1.0.0': {
      write: (level: number, pointer: number, size: number): void => {
        const running = enterHost()
        if (level >>> 0 > 3) throw new HostError('ERR_CALL_TRAPPED', 'the module used a log level that is none')
        const message = running.message(pointer, size, limits.logMessageBytesMax)
        meter.charge(bytesPrice(size >>> 0))
        running.call.log(level, message)
      },
    },
    'remembrancer:module/outcome@1.0.0': {
      fail: (pointer: number, size: number): void => {
        throw new GuestFailure(enterHost().message(pointer, size, limits.failMessageBytesMax))
      },
    },
  }
}

function tableImports(enterHost: () => RunningCall, meter: Meter): WebAssembly.ModuleImports {
  const rows =
    (method: (table: GuestTable, input: Uint8Array) => Uint8Array, rowsPrice: (input: Uint8Array, answer: Uint8Array) => number) =>
    (handle: number, pointer: number, size: number, area: number): void => {
      const running = enterHost()
      const input = running.view(pointer, size)
      const answer = method(running.handles.table(handle), input)
      meter.charge(tablePrice + bytesPrice(input.length + answer.length) + rowsPrice(input, answer))
      running.returnList(area, answer)
    }
  const changes =
    (method: (table: GuestTable, input: Uint8Array) => number) =>
    (handle: number, pointer: number, size: number): number => {
      const running = enterHost()
      const input = running.view(pointer, size)
      const changed = method(running.handles.table(handle), input)
      meter.charge(tablePrice + bytesPrice(input.length) + changedRowPrice * rowCount(input))
      return changed
    }
  return {
    '[method]table.get': rows(
      (table, key) => table.get(key),
      (_key, answer) => rowPrice * rowCount(answer),
    ),
    '[method]table.scan': rows(
      (table, scan) => table.scan(scan),
      (_scan, answer) => rowPrice * rowCount(answer),
    ),
    '[method]table.count': (handle: number, pointer: number, size: number): bigint => {
      const running = enterHost()
      const count = running.handles.table(handle).count(running.view(pointer, size))
      meter.charge(tablePrice + bytesPrice(size) + countedRowPrice * Number(count))
      return count
    },
    '[method]table.insert': rows(
      (table, input) => table.insert(input),
      (input) => changedRowPrice * rowCount(input),
    ),
    '[method]table.update': changes((table, input) => table.update(input)),
    '[method]table.delete': changes((table, keys) => table.delete(keys)),
    '[resource-drop]table': (handle: number): void => enterHost().handles.drop(handle),
  }
}

/** A batch, and a list of keys, begins with the number of its rows: four bytes, little-endian. */
function rowCount(batch: Uint8Array): number {
  if (batch.length < 4) return 0
  const [first, second, third, fourth] = [batch[0] ?? 0, batch[1] ?? 0, batch[2] ?? 0, batch[3] ?? 0]
  return (first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0
}
