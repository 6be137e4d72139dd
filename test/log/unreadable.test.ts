/**
 * Pages of the last segment that the disk does not give to the next host: the records in them are lost to it by name,
 * and no other; unless they may be the last ones, which nobody can know without them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FileLog } from '../../host/log/file-log.ts'
import { LogView } from '../../host/log/log-view.ts'
import { StoppedClock } from '../storage/folder.ts'
import { lineOf, recordsOf, Writer } from './driver-suite.ts'
import { uid } from './records.ts'
import { pageBytes, SimDisk } from './sim-disk.ts'

const [sarah, bob] = [uid(1), uid(2)]
const segment = '/log/00000000000000000001.log'

function openLog(disk: SimDisk): FileLog {
  return new FileLog({ folder: '/log', lock: () => ({ [Symbol.dispose]: () => undefined }), clock: new StoppedClock(), files: disk })
}

async function linesOf(log: FileLog): Promise<readonly string[]> {
  return (await recordsOf(log)).map((record) => lineOf(record))
}

/** A log that was killed, with 60 batches in one segment. */
async function killedLog(): Promise<{ readonly disk: SimDisk; readonly lines: readonly string[]; readonly endOffset: number }> {
  const disk = new SimDisk()
  const log = openLog(disk)
  await log.acquire()
  const writer = new Writer(log)
  for (let index = 0; index < 60; index++) writer.append(`${index} ${'-'.repeat((index * 131) % 1_500)}`, ...(index % 2 === 0 ? [sarah] : [bob, sarah]))
  return { disk: disk.afterKill(), lines: await linesOf(log), endOffset: log.segments().at(-1)?.sizeBytes ?? 0 }
}

test('a page that the disk does not give costs the records in it, or the log is not taken when it may be its end', async (context) => {
  const { disk, lines, endOffset } = await killedLog()
  const content = disk.open(segment, 'read')
  const bytes = Buffer.alloc(content.sizeBytes)
  content.read(bytes, 0)
  const fates = { taken: 0, refused: 0 }
  // The first page is the header of the segment.
  for (let page = pageBytes; page < bytes.length; page += pageBytes) {
    const spoiled = disk.afterKill()
    spoiled.spoil(segment, page)
    const log = openLog(spoiled)
    const tenure = await log.acquire().catch((error: { code: string; message: string }) => error)
    if (!('heads' in tenure)) {
      assert.deepEqual([tenure.code, /EIO at 00000000000000000001\.log/.test(tenure.message)], ['ERR_STORAGE', true])
      // Nothing was changed: the disk gives it again, and everything is there.
      spoiled.spoil(segment, page, false)
      const again = openLog(spoiled)
      await again.acquire()
      assert.deepEqual(
        (await recordsOf(again)).map((record) => lineOf(record)),
        lines,
      )
      fates.refused++
      continue
    }
    assert.equal(tenure.nextSequence, BigInt(lines.length + 1))
    if (page > endOffset) {
      assert.deepEqual([tenure.damage, await linesOf(log)], [[], lines])
      continue
    }
    fates.taken++
    const lost = tenure.damage.reduce((count, { firstSequence, lastSequence }) => count + Number(lastSequence - firstSequence) + 1, 0)
    assert.ok(lost > 0 && lost < 20)
    // Whoever needs the segment is told so, and whoever looks is told where.
    await assert.rejects(recordsOf(log), { code: 'ERR_STORAGE' })
    await log.release()
    assert.ok((await LogView.open('/log', 0n, spoiled).check()).some(({ what }) => what === 'the disk does not give these bytes (EIO)'))
    spoiled.spoil(segment, page, false)
    const later = openLog(spoiled)
    await later.acquire()
    assert.deepEqual(await linesOf(later), lines)
  }
  context.diagnostic(`${fates.taken} of ${fates.taken + fates.refused} pages cost a few records`)
  assert.ok(fates.taken >= 8)
  assert.ok(fates.refused >= 1 && fates.refused <= 2)
})
