/** A whole host in a process of its own, for attacks that could end it. Forked by host-process.ts. */
import { startHost } from '../../host/host.ts'
import { INSTANCE_MODES } from '../../host/sandbox/instance-mode.ts'
import type { HostReport } from './host-process.ts'

const [data = '', instances = ''] = process.argv.slice(2)
const report = (message: HostReport): void => void process.send?.(message)

// One shard: attacker and innocent share a thread, the worst of neighbourhoods.
const host = await startHost({
  data,
  port: 0,
  shards: 1,
  instances: INSTANCE_MODES.find((mode) => mode === instances) ?? 'fresh',
  logger: { error: (message, fields) => report({ kind: 'failure', text: `${message} ${JSON.stringify(fields)}` }) },
})
process.on('disconnect', () => void host.close())
report({ kind: 'serving', url: host.url, operatorToken: host.operatorToken })
