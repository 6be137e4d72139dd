/** What the shard's door asks of a database's access log: reports, exports and checkpoints. Each leaves a record itself. */
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { AccessIndex } from '../access-log/access-index.ts'
import { signCheckpoint } from '../access-log/checkpoint.ts'
import type { Checkpoint } from '../access-log/checkpoint.ts'
import { ExportWriter, signFooter } from '../access-log/export.ts'
import { formatTimestamp } from '../clock.ts'
import { assert } from '../errors.ts'
import * as limits from '../limits.ts'
import type { ShardAnswer, ShardRequest } from '../protocol/shard-protocol.ts'
import { disclose } from '../reducer/disclose.ts'
import { reportAccess } from '../reducer/report-access.ts'
import type { OpenDatabase } from './open-databases.ts'

interface Answer<H> {
  readonly head: H
  readonly body: Uint8Array
}

/** In small parts, so that nobody waits for an index that is far behind. */
export async function bringUp(index: AccessIndex): Promise<void> {
  while (!index.step(limits.accessIndexedAtOnce)) await nextTurn()
}

export async function report({ database, queue }: OpenDatabase, request: ShardRequest<'access'>): Promise<Answer<ShardAnswer<'access'>>> {
  const { accessIndex } = database
  assert(accessIndex !== undefined, 'a database that answers has an access log')
  await bringUp(accessIndex)
  const found = await queue.run(() => reportAccess(database, accessIndex, request))
  return { head: {}, body: Buffer.from(JSON.stringify(found)) }
}

export async function recordDisclosure({ database, queue }: OpenDatabase, request: ShardRequest<'disclose'>): Promise<ShardAnswer<'disclose'>> {
  const { accessIndex } = database
  assert(accessIndex !== undefined, 'a database that answers has an access log')
  // A voice names no reads, and waits for no index.
  if (request.reads.length > 0) await bringUp(accessIndex)
  await queue.run(() => disclose(database, accessIndex, request))
  return {}
}

/** Of what is on the disk: a checkpoint that a power loss could overtake would accuse nobody of something. */
export async function checkpoint({ database, queue, access }: OpenDatabase, { by }: ShardRequest<'checkpoint'>): Promise<Checkpoint> {
  await queue.run(() => database.note({ event: 'checkpoint', name: 'signed', outcome: '', who: undefined, by }))
  access.sync()
  const uid = Buffer.from(database.uid).toString('hex')
  const head = access.head(uid)
  assert(head !== undefined, 'a record was just written')
  const place = { database: uid, position: String(head.position), chain: Buffer.from(head.chain).toString('hex'), at: formatTimestamp(database.callTime()) }
  return signCheckpoint(database.keyRing, place)
}

/** A part of an export: lines of records from a position on, as many as fit one answer. */
export async function exportPart(
  { database, queue, access }: OpenDatabase,
  { name, after, by, purpose }: ShardRequest<'accessExport'>,
): Promise<Answer<ShardAnswer<'accessExport'>>> {
  const uid = Buffer.from(database.uid).toString('hex')
  const isFirst = after === null
  if (isFirst) await queue.run(() => database.note({ event: 'export', name: 'access_log', outcome: '', who: undefined, by, purpose }))
  const writer = new ExportWriter(database.uid)
  const lines = isFirst ? [writer.head(name, database.callTime())] : []
  let sizeBytes = 0
  let last = after ?? '0'
  let chain = ''
  for await (const chunk of access.read(database.uid, BigInt(last))) {
    for (const record of chunk) {
      if (record.head.position <= BigInt(last)) continue
      const line = writer.record(record)
      lines.push(line)
      sizeBytes += line.length
      last = String(record.head.position)
      chain = Buffer.from(record.chainAfter).toString('hex')
    }
    if (sizeBytes >= limits.accessExportPartBytes) break
  }
  const end = access.head(uid)?.position ?? 0n
  return { head: { database: uid, last, chain, count: lines.length - (isFirst ? 1 : 0), isEnd: BigInt(last) >= end }, body: Buffer.from(lines.join('')) }
}

export function exportFooter({ database }: OpenDatabase, { facts }: ShardRequest<'accessFooter'>): string {
  return signFooter(database.keyRing, { ...facts, at: formatTimestamp(database.callTime()) })
}
