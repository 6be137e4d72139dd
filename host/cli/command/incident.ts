/** remembrancer incident --between A B: what was going on, and what became of it. */
import type { Command } from 'commander'

import { parseTimestamp, systemClock } from '../../clock.ts'
import type { DatabaseIncident, Incident, IncidentCall } from '../../history/incident.ts'
import { usage } from '../exit-code.ts'
import { folderCommand, requireDataFolder } from '../history-command.ts'
import type { FolderOptions } from '../history-command.ts'
import { counted } from '../replay-text.ts'
import type { Terminal } from '../terminal.ts'
import { tableLines } from '../value-text.ts'

interface IncidentOptions extends FolderOptions {
  readonly between: readonly string[]
}

export function incidentCommand(terminal: Terminal): Command {
  return folderCommand('incident', 'what was in flight between two times, and what became of it')
    .requiredOption('--between <times...>', 'two times, as 2026-11-27T09:00:00Z')
    .action(async ({ data, between }: IncidentOptions) => {
      const [from, to] = between.map((text) => parseTimestamp(text))
      if (from === undefined || to === undefined || between.length !== 2 || from > to)
        throw usage('--between takes two times, the earlier one first, as 2026-11-27T09:00:00Z')
      const folder = requireDataFolder(data)
      const { incidentBetween } = await import('../../history/incident.ts')
      const incident = await incidentBetween(folder, [from, to], systemClock.now())
      terminal.result(incident, incidentLines(incident))
    })
}

function incidentLines({ restarts, databases }: Incident): readonly string[] {
  return [
    ...restarts.map(({ lastRecord, firstRecord }) => `the host stopped after ${lastRecord} and answered again at ${firstRecord}`),
    ...(databases.length === 0 ? ['nobody called'] : databases.flatMap(databaseLines)),
  ]
}

function databaseLines({ name, people, sessions, done, refused, undone, last, withoutRecord }: DatabaseIncident): readonly string[] {
  const codes = Object.entries(refused).map(([code, times]) => `${times} × ${code}`)
  return [
    '',
    `${name}: ${counted(done, 'call')} and reads done, ${codes.length === 0 ? 'none refused' : `refused: ${codes.join(', ')}`}`,
    `  people    ${people.join(', ')}`,
    ...(sessions.length === 0 ? [] : [`  sessions  ${sessions.join(', ')}`]),
    ...(undone.length === 0 ? ['  cut off   none: whatever was done is in the log'] : ['  cut off, and not happened:', ...callLines(undone)]),
    ...withoutRecord.map((positions) => `  without a record of who read: positions ${positions}; remembrancer calls shows who changed what`),
    '  the last before each stop:',
    ...callLines(last),
  ]
}

function callLines(calls: readonly IncidentCall[]): readonly string[] {
  return calls.length === 0 ? [] : tableLines(calls.map((call) => ({ ...call, at: call.at.slice(0, 23) }))).map((line) => `    ${line}`)
}
