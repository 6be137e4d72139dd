/** remembrancer serve: one host on one data folder and one port, until it is asked to end. */
import path from 'node:path'

import { Option } from 'commander'
import type { Command } from 'commander'

import { parseBytes } from '../byte-size.ts'
import { parseSeconds } from '../duration.ts'
import { command } from '../host-command.ts'
import { parsePort } from '../port.ts'
import { endOnSignal } from '../signals.ts'
import { startListening } from '../start-listening.ts'
import { defaultPort } from '../target.ts'
import { readVoiceConfig } from '../../media/provider/profile.ts'
import type { VoiceConfig } from '../../media/provider/profile.ts'
import type { InstanceMode } from '../../sandbox/instance-mode.ts'
import { INSTANCE_MODES } from '../../sandbox/instance-mode.ts'
import type { Terminal } from '../terminal.ts'

interface ServeOptions {
  readonly data: string
  readonly port: number
  readonly host: string
  readonly anonymous?: boolean
  readonly instances: InstanceMode
  readonly logSizeMax?: number
  readonly logAgeMax?: number
  readonly accessAgeMax?: number
  readonly voice?: VoiceConfig
}

const openToAll = 'warning: --anonymous on an address that others reach: each of them may call and query, all as one login'

export function serveCommand(terminal: Terminal): Command {
  return command('serve', 'run a host')
    .requiredOption('--data <folder>', 'the data folder; made when it is not there')
    .option('--port <n>', 'the port; 0 is any free one', parsePort, defaultPort)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--anonymous', 'take calls without a token, all as one anonymous login')
    .addOption(new Option('--instances <mode>', 'whether each call gets a fresh instance').choices(INSTANCE_MODES).default('fresh'))
    .option('--log-size-max <size>', 'what the log keeps at most, as in 512MiB; 1GiB when left out', parseBytes)
    .option('--log-age-max <time>', 'how long the log keeps a record, as in 7d; 30d when left out', parseSeconds)
    .option('--access-age-max <time>', 'how long the access log keeps a record, as in 365d; six years when left out', parseSeconds)
    .option('--voice <file>', 'providers of speech and language, and rooms (docs/voice.md)', readVoiceConfig)
    .action(async ({ data, port, host: hostname, anonymous, instances, logSizeMax, logAgeMax, accessAgeMax, voice }: ServeOptions) => {
      const host = await startListening({
        data,
        port,
        hostname,
        allowAnonymous: anonymous === true,
        instances,
        logSizeBytesMax: logSizeMax,
        logAgeSecondsMax: logAgeMax,
        accessAgeSecondsMax: accessAgeMax,
        ...(voice === undefined ? {} : { voice }),
      })
      const operatorTokenFile = path.resolve(data, 'operator.token')
      terminal.result({ url: host.url, operatorTokenFile }, [host.url])
      terminal.note(`the operator's token is in ${operatorTokenFile}`)
      if (anonymous === true && !isLoopback(hostname)) terminal.note(openToAll, 'yellow')
      await endOnSignal(() => host.close())
    })
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
