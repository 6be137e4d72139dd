/** A disk that one database has filled: to drop it needs no room, and gives the others theirs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { FullDisk } from './disk-faults.ts'
import { doorOf } from './doors.ts'
import { HostProcess } from './host-process.ts'
import type { Door, Request } from './requests.ts'
import { tallyComponent } from './tally.ts'

/** What came of the drop, and of calls of another database before and after it: `ok`, or the code that it was refused with. */
export async function dropOnFullDisk(disk: FullDisk): Promise<Readonly<Record<'before' | 'drop' | 'after', string>>> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-crash-'))
  const data = join(folder, 'host')
  const componentFile = join(folder, 'tally.wasm')
  const component = await tallyComponent()
  writeFileSync(componentFile, component)
  disk.prepare(data)
  const host = new HostProcess({ data, shape: 'serving', componentFile, shards: 1, hasSmallLimits: false })
  try {
    const started = await host.opened
    if ('refused' in started) throw new Error(started.refused.message)
    const door = doorOf(host, started, component)
    for (const [number, database] of ['anna', 'bert'].entries()) {
      await outcome(door, { kind: 'create', database })
      await outcome(door, { kind: 'publish', database, number })
      await outcome(door, entering(database, 'first'))
    }
    await outcome(door, { kind: 'fill', database: 'bert', subject: 'sarah', rows: 100, size: 40_000 })
    await disk.begin(host.processId, data)
    const before = await untilRefused(door)
    const drop = await outcome(door, { kind: 'drop', database: 'bert' })
    // The first one may find the disk as it was.
    await outcome(door, entering('anna', 'perhaps'))
    return { before, drop, after: await outcome(door, entering('anna', 'last')) }
  } finally {
    await host.kill()
    disk.clear(data)
    rmSync(folder, { recursive: true })
  }
}

/** The log has some room of its own; then nobody has any. */
async function untilRefused(door: Door): Promise<string> {
  for (let call = 0; ; call++) {
    const found = await outcome(door, entering('anna', `call ${call}`))
    if (found === 'ERR_STORAGE' || call === 1_000) return found
  }
}

function entering(database: string, call: string): Request {
  return { kind: 'enter', database, subject: 'sarah', entering: { call, thing: 'thing', takesAway: false, reads: false, size: 10_000, ending: '' } }
}

async function outcome(door: Door, request: Request): Promise<string> {
  const reply = await door.send(request)
  return 'value' in reply ? 'ok' : reply.refused.code
}
