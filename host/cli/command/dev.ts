/** remembrancer dev <folder>: a host, and the module in it published anew on each save. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'

import type { Command } from 'commander'

import { readVoiceConfig } from '../../media/provider/profile.ts'
import type { VoiceConfig } from '../../media/provider/profile.ts'
import { usage } from '../exit-code.ts'
import { confirm } from '../confirm.ts'
import { command } from '../host-command.ts'
import { parsePort } from '../port.ts'
import { endOnSignal } from '../signals.ts'
import type { Terminal } from '../terminal.ts'

interface DevCommandOptions {
  readonly port?: number
  readonly data?: string
  readonly reset?: boolean
  readonly yes?: boolean
  readonly voice?: VoiceConfig
}

export function devCommand(terminal: Terminal): Command {
  return command('dev', 'run a host and publish the module on each save')
    .argument('[folder]', 'the folder with its index.ts', '.')
    .option('--port <n>', 'the port; the usual one, or any free one when that is taken', parsePort)
    .option('--data <folder>', 'the data folder; <folder>/.remembrancer/data when left out')
    .option('--reset', 'drop the data first')
    .option('--yes', 'do not ask')
    .option('--voice <file>', 'providers of speech and language (docs/voice.md); without it an agent is talked to by text', readVoiceConfig)
    .action(async (folder: string, options: DevCommandOptions) => {
      if (!existsSync(path.join(folder, 'index.ts'))) throw usage(`${folder} holds no index.ts: give a module's folder, or make one with remembrancer new`)
      const data = options.data ?? path.join(folder, '.remembrancer', 'data')
      if (options.reset === true) await reset(data, options.yes === true)
      const { startDev } = await import('../dev/dev-session.ts')
      const session = await startDev(terminal, { folder: path.resolve(folder), data, port: options.port, voice: options.voice })
      await endOnSignal(() => session.close())
    })
}

async function reset(data: string, isConfirmed: boolean): Promise<void> {
  if (!existsSync(data)) return
  if (!existsSync(path.join(data, 'operator.token'))) throw usage(`${data} is no data folder of a host: it stays as it is`)
  await confirm(`Drop all data in ${data}?`, isConfirmed)
  await rm(data, { recursive: true })
}
