/** remembrancer build <folder>: a module's folder to one component of the fixed world. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { Command } from 'commander'

import type { BuiltModule } from '../../module/build.ts'
import { grantText, sizeText, timeText, timingText } from '../grant-text.ts'
import { grantsOf } from '../../publish/grants.ts'
import { command } from '../host-command.ts'
import { makeFolder } from '../make-folder.ts'
import type { Terminal } from '../terminal.ts'

export function buildCommand(terminal: Terminal): Command {
  return command('build', 'compile a module to one WebAssembly component')
    .argument('<folder>', 'the folder with its index.ts')
    .option('--out <file>', 'where to; <folder>/build/<module>.wasm when left out')
    .action(async (folder: string, { out }: { out?: string }) => {
      const { buildModule } = await import('../../module/build.ts')
      const built = await buildModule(folder, { optimize: true })
      const file = out ?? path.join(folder, 'build', `${built.description.module}.wasm`)
      makeFolder(path.dirname(file))
      await writeFile(file, built.component)
      report(terminal, file, built)
    })
}

function report(terminal: Terminal, file: string, { description, sizeBytes, timings, warnings }: BuiltModule): void {
  const grants = grantsOf(description)
  for (const warning of warnings) terminal.note(warning, 'yellow')
  terminal.note(`built ${description.module}  ${sizeText(sizeBytes)} in ${timeText(timings.totalMs)}  (${timingText(timings)})`)
  terminal.note(`  ${grantText(grants)}`)
  terminal.result({ file, module: description.module, sizeBytes, timings, grants, warnings }, [file])
}
