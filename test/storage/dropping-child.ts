/**
 * A host that drops the database `anna` of the folder of its first argument. Its second argument says before which of
 * the operations on the disk that this takes it is killed; without one it says which they are, in their order.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

import { HostCatalogue } from '../../host/catalogue.ts'
import { systemClock } from '../../host/clock.ts'
import type { Shard } from '../../host/protocol/shard-protocol.ts'
import { ShardCore } from '../../host/shard/shard-core.ts'

const [data = '', killedAt] = process.argv.slice(2)
const steps: string[] = []
let isCounting = false

function step(name: string): void {
  if (!isCounting) return
  if (steps.length === Number(killedAt)) process.kill(process.pid, 'SIGKILL')
  steps.push(name)
}

function counted<T extends readonly unknown[], R>(name: string, operation: (...args: T) => R): (...args: T) => R {
  return (...args) => {
    step(name)
    return operation(...args)
  }
}

const core = new ShardCore({ data, clock: systemClock, onEvent: () => undefined })
const shard: Shard = {
  send: async (database, method, head, body = new Uint8Array(0)) => {
    const answer = await core.handle(database, method, head, body)
    step('answer')
    return { head: answer.head, body: answer.body ?? new Uint8Array(0) }
  },
  close: () => core.close(),
}
const catalogue = new HostCatalogue(data, systemClock, () => shard)

fs.openSync = counted('open', fs.openSync)
fs.writeSync = counted('write', fs.writeSync) as typeof fs.writeSync
fs.fdatasyncSync = counted('fdatasync', fs.fdatasyncSync)
fs.fsyncSync = counted('fsync', fs.fsyncSync)
fs.unlinkSync = counted('unlink', fs.unlinkSync)
const removeFolder = counted('rmdir', fs.rmdirSync)
/** Folders go file by file, so that each half is seen. */
fs.rmSync = (path): void => {
  for (const entry of fs.readdirSync(String(path), { withFileTypes: true })) {
    const inside = join(String(path), entry.name)
    if (entry.isDirectory()) fs.rmSync(inside)
    else fs.unlinkSync(inside)
  }
  removeFolder(path)
}
syncBuiltinESMExports()

isCounting = true
await catalogue.dropDatabase('anna')
isCounting = false
process.stdout.write(JSON.stringify(steps))
await core.close()
catalogue.close()
