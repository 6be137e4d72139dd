/** remembrancer new <folder>: a module that remembers what a caller said, with its test. */
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import type { Command } from 'commander'

import { usage } from '../exit-code.ts'
import { command } from '../host-command.ts'
import { makeFolder } from '../make-folder.ts'
import { packageSpec } from '../new/package-spec.ts'
import { projectFiles } from '../new/project-files.ts'
import type { Terminal } from '../terminal.ts'

export function newCommand(terminal: Terminal): Command {
  return command('new', 'begin a module in an empty folder')
    .argument('<folder>')
    .action((folder: string) => {
      refuseNonEmpty(folder)
      const name = projectName(folder)
      const files = projectFiles({ name, packageSpec: packageSpec(path.resolve(folder)) })
      makeFolder(folder)
      for (const [file, text] of files) writeFileSync(path.join(folder, file), text, { flag: 'wx' })
      if (name !== path.basename(path.resolve(folder))) terminal.note(`the module is called ${name}: a name has a to z, 0 to 9 and -`)
      terminal.note(`made ${name}: ${[...files.keys()].join(', ')}`)
      terminal.note(`next: cd ${shellWord(folder)} && npm install && npx remembrancer dev`)
      terminal.result({ folder, name, files: [...files.keys()] }, [])
    })
}

function refuseNonEmpty(folder: string): void {
  if (entriesOf(folder).length > 0) throw usage(`${folder} is not empty: name a folder that is new or empty`)
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw usage(`${folder} is no folder`)
  }
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** The folder's name as npm takes it. */
function projectName(folder: string): string {
  const name = path
    .basename(path.resolve(folder))
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
  if (name !== '') return name.slice(0, 63)
  throw usage(`${folder} gives the module no name: use letters a to z in it`)
}
