/** remembrancer publish <file-or-folder>: a component, built first where a folder is given, to a running host. */
import { readFile, stat } from 'node:fs/promises'

import type { Command } from 'commander'

import { usage } from '../exit-code.ts'
import { sizeText, timeText } from '../grant-text.ts'
import { connect, hostCommand } from '../host-command.ts'
import { publishComponent, publishLines } from '../publishing.ts'
import { requireDatabase } from '../target.ts'
import type { TargetOptions } from '../target.ts'
import type { Terminal } from '../terminal.ts'

interface PublishOptions extends TargetOptions {
  readonly dryRun?: boolean
}

/** The first bytes of every Wasm file. */
const WASM_MAGIC = Buffer.from('\0asm')

export function publishCommand(terminal: Terminal): Command {
  return hostCommand('publish', 'put a module into a database of a running host')
    .argument('<file-or-folder>', 'a component, or the folder of a module to build')
    .option('--dry-run', 'check and say what would change, store nothing')
    .action(async (source: string, options: PublishOptions) => {
      const { client, target } = connect(options)
      const database = requireDatabase(target)
      const component = await readComponent(source)
      const isDryRun = options.dryRun === true
      const begin = performance.now()
      const report = await publishComponent(client, { database, component, isDryRun })
      const [first = '', ...rest] = publishLines(report, { database, isDryRun })
      terminal.note(`${first}  ${sizeText(component.length)} in ${timeText(performance.now() - begin)}`)
      for (const line of rest) terminal.note(line)
      terminal.result(report, [])
    })
}

async function readComponent(source: string): Promise<Uint8Array> {
  const found = await stat(source).catch(() => undefined)
  if (found === undefined) throw usage(`there is no file or folder ${source}`)
  if (!found.isDirectory()) return readComponentFile(source)
  const { buildModule } = await import('../../module/build.ts')
  return (await buildModule(source, { optimize: true })).component
}

/** A host would refuse it as well, without knowing what the file is beside. */
async function readComponentFile(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file)
  if (bytes.subarray(0, WASM_MAGIC.length).equals(WASM_MAGIC)) return bytes
  throw usage(`${file} is no Wasm component: publish the module's folder, or the file that remembrancer build wrote`)
}
