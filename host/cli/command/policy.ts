/** remembrancer policy test [folder]: who may see what in a module, tried in a host of its own. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Command } from 'commander'

import { EndWith, EXIT_CODES, usage } from '../exit-code.ts'
import { command } from '../host-command.ts'
import { policyLines } from '../policy-text.ts'
import type { Terminal } from '../terminal.ts'

interface TestOptions {
  readonly cases?: string
}

export function policyCommand(terminal: Terminal): Command {
  const policy = command('policy', 'the policies of a module')
  policy.addCommand(
    command('test', 'try who sees what: cases of policies.test.md, and that nobody learns of rows of another')
      .argument('[folder]', 'the folder of a module; this one when left out', '.')
      .option('--cases <file>', 'other cases than <folder>/policies.test.md')
      .action(async (folder: string, { cases }: TestOptions) => {
        const file = cases ?? path.join(folder, 'policies.test.md')
        if ((await stat(path.join(folder, 'index.ts')).catch(() => undefined)) === undefined) throw usage(`${folder} is no module's folder: it has no index.ts`)
        const sheet = await readSheet(file, cases !== undefined)
        const { openModule } = await import('../../testing.ts')
        await using module = await openModule(path.resolve(folder))
        const report = await module.testPolicies({ sheet, file })
        terminal.result(report, policyLines(report, sheet === undefined ? undefined : file))
        if (report.failed > 0) throw new EndWith(EXIT_CODES.differs)
      }),
  )
  return policy
}

/** Without a sheet the isolation is tested all the same. */
async function readSheet(file: string, isRequired: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isRequired || !(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw usage(`${file} cannot be read: ${String(error)}`)
    return undefined
  }
}
