/** remembrancer calls [list | show]: what the log of a data folder has of calls, with or without its host. */
import { Command, InvalidArgumentError } from 'commander'

import type { ShownRecord } from '../../history/shown-record.ts'
import { callRow, recordLines } from '../call-text.ts'
import { usage } from '../exit-code.ts'
import { historyCommand, openHistory, parsePosition } from '../history-command.ts'
import type { HistoryOptions } from '../history-command.ts'
import { callsListed, callsListedMax } from '../limits.ts'
import type { Terminal } from '../terminal.ts'
import { tableLines } from '../value-text.ts'

export function callsCommand(terminal: Terminal): Command {
  return new Command('calls')
    .description('calls that a data folder has recorded')
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(showCommand(terminal))
}

interface ListOptions extends HistoryOptions {
  readonly from?: bigint
  readonly to?: bigint
  readonly last: number
}

function listCommand(terminal: Terminal): Command {
  return historyCommand('list', 'the last calls, the newest last')
    .option('--from <position>', 'none before this record', parsePosition)
    .option('--to <position>', 'none after this record', parsePosition)
    .option('--last <n>', 'so many at most', parseCount, callsListed)
    .action(async ({ from, to, last, ...options }: ListOptions) => {
      const history = openHistory(options)
      const { listCalls } = await import('../../history/calls.ts')
      const calls = await listCalls(history, { from, to, countMax: last })
      terminal.result({ database: history.name, calls }, calls.length === 0 ? [] : tableLines(calls.map(callRow)))
      if (calls.length === 0) terminal.note(`${history.name} has no calls there`)
      else if (calls.length === last && last < callsListedMax) terminal.note(`the last ${last}: --last shows more of them`)
    })
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= callsListedMax) return count
  throw new InvalidArgumentError(`a number from 1 to ${callsListedMax}`)
}

interface ShowOptions extends HistoryOptions {
  readonly id?: string
}

function showCommand(terminal: Terminal): Command {
  return historyCommand('show', 'one record: who, what, with what result, and which rows it changed')
    .argument('[call]', 'its position, or the id that its caller gave it')
    .option('--id <id>', 'the id, where it looks like a position')
    .action(async (call: string | undefined, { id, ...options }: ShowOptions) => {
      if ((call === undefined) === (id === undefined)) throw usage('which call? Give its position, or its id')
      const history = openHistory(options)
      const { callsWithId, recordAt } = await import('../../history/calls.ts')
      const found: readonly ShownRecord[] =
        call !== undefined && /^\d+$/.test(call) ? [await recordAt(history, parsePosition(call))] : await callsWithId(history, id ?? call ?? '')
      terminal.result(
        { database: history.name, records: found },
        found.flatMap((record, index) => [...(index === 0 ? [] : ['']), ...recordLines(history.name, record)]),
      )
    })
}
