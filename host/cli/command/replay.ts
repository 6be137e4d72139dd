/** remembrancer replay: recorded calls run again on a copy of the state before them, and compared with their records. */
import type { Command } from 'commander'

import type { DatabaseHistory } from '../../history/folder-history.ts'
import type { ReplayProgress } from '../../history/replay.ts'
import { EndWith, EXIT_CODES, usage } from '../exit-code.ts'
import { historyCommand, openHistory, parsePosition } from '../history-command.ts'
import type { HistoryOptions } from '../history-command.ts'
import { replayLines } from '../replay-text.ts'
import { endTidilyOnSignal } from '../signals.ts'
import type { Terminal } from '../terminal.ts'

interface ReplayOptions extends HistoryOptions {
  readonly id?: string
}

interface Range {
  readonly from?: bigint
  readonly to?: bigint
}

export function replayCommand(terminal: Terminal): Command {
  return historyCommand('replay', 'run recorded calls again and compare them with their records')
    .argument('[calls]', 'a position, from-to, or the id that a caller gave a call; all that there is when left out')
    .option('--id <id>', 'the id, where it looks like a position')
    .action(async (calls: string | undefined, { id, ...options }: ReplayOptions) => {
      if (calls !== undefined && id !== undefined) throw usage('give either the calls or an id')
      void endTidilyOnSignal()
      const history = openHistory(options)
      const range = id === undefined ? (parseRange(calls) ?? (await rangeOfId(history, calls ?? ''))) : await rangeOfId(history, id)
      const { prepareSandbox } = await import('../../module/sandbox-self-test.ts')
      const { replay } = await import('../../history/replay.ts')
      await prepareSandbox('pinned')
      const report = await replay(history, { ...range, onProgress: (progress) => terminal.progress(progressLine(progress)) })
      terminal.result(report, replayLines(report))
      if (report.callsDiffering > 0 || report.stopped !== null) throw new EndWith(EXIT_CODES.differs)
    })
}

/** `7`, `7-19`, `7-`; undefined for what is an id. */
function parseRange(text: string | undefined): Range | undefined {
  if (text === undefined) return {}
  const [, first, dash, last = ''] = /^(\d+)(?:(-)(\d*))?$/.exec(text) ?? []
  if (first === undefined) return undefined
  const from = parsePosition(first)
  if (dash === undefined) return { from, to: from }
  return last === '' ? { from } : { from, to: parsePosition(last) }
}

async function rangeOfId(history: DatabaseHistory, id: string): Promise<Range> {
  const { callsWithId } = await import('../../history/calls.ts')
  const found = await callsWithId(history, id)
  const [first, ...others] = found.map(({ position }) => position)
  if (first === undefined || others.length > 0)
    throw usage(`${found.length} calls have this id: name one of them by its position, ${[first, ...others].join(', ')}`)
  return { from: BigInt(first), to: BigInt(first) }
}

function progressLine({ position, from, to, callsDiffering }: ReplayProgress): string {
  const done = Number(((position - from + 1n) * 100n) / (to - from + 1n))
  return `replaying: ${done} %, record ${position} of ${to}${callsDiffering === 0 ? '' : `, ${callsDiffering} came out otherwise`}`
}
