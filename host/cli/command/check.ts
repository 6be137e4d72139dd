/** remembrancer check: a whole data folder, looked at without changing it. */
import type { Command } from 'commander'

import { systemClock } from '../../clock.ts'
import { checkLines } from '../check-text.ts'
import { EndWith, EXIT_CODES } from '../exit-code.ts'
import { folderCommand, requireDataFolder } from '../history-command.ts'
import type { FolderOptions } from '../history-command.ts'
import { endTidilyOnSignal } from '../signals.ts'
import type { Terminal } from '../terminal.ts'

export function checkCommand(terminal: Terminal): Command {
  return folderCommand('check', 'hold log, snapshots and state files against each other, and say what is wrong').action(async ({ data }: FolderOptions) => {
    void endTidilyOnSignal()
    const folder = requireDataFolder(data)
    const { checkFolder } = await import('../../history/check.ts')
    const report = await checkFolder(folder, { now: systemClock.now(), onProgress: (line) => terminal.progress(line) })
    terminal.result(report, checkLines(report))
    if (report.findings.length > 0) throw new EndWith(EXIT_CODES.differs)
  })
}
