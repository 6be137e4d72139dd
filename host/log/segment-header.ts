/**
 * The start of a segment: which tenure of the log wrote it, the mark of its frames, and where the segment before
 * it ends. Writing it is what ends that segment: what stands there behind the end never happened. Its fixed part
 * stands twice, in two pages, since without the mark no record of the segment can be found.
 */
import { crc32 } from 'node:zlib'

import { HostError } from '../errors.ts'
import { HeadTable } from './head-table.ts'
import { readAll } from './log-files.ts'
import type { LogFile } from './log-files.ts'

export interface SegmentHeader {
  readonly epoch: bigint
  readonly firstSequence: bigint
  /** The first eight bytes of each frame, random. */
  readonly mark: bigint
  /** Microseconds since 1970; the segment before it was sealed then. */
  readonly createdAt: bigint
  /** The segment before it; undefined for the first one of a log. */
  readonly previous: PreviousSegment | undefined
  readonly framesOffset: number
}

export interface PreviousSegment {
  readonly firstSequence: bigint
  /** Where its last record ends. */
  readonly endOffset: number
  /** The databases of its records; undefined when these bytes are damaged. */
  readonly heads: HeadTable | undefined
}

const magic = Buffer.from('RMBRLOG\n', 'latin1')
export const logFormatVersion = 1
const fixedBytes = 128
const copyOffset = 4_096
const tableOffset = copyOffset + fixedBytes
/** Records begin in a page of their own: no torn write of a record reaches the header. */
const framesAlignment = 4_096

const offsets = {
  magic: 0,
  version: 8,
  framesOffset: 12,
  epoch: 16,
  firstSequence: 24,
  mark: 32,
  createdAt: 40,
  previousFirst: 48,
  previousEnd: 56,
  tableCount: 64,
  tableCrc: 68,
  crc: 124,
} as const

/** The whole start of a segment file, to the first frame. */
export function encodeSegmentHeader(header: Omit<SegmentHeader, 'framesOffset'>): Buffer {
  const table = header.previous?.heads?.encode() ?? Buffer.alloc(0)
  const framesOffset = Math.ceil((tableOffset + table.length) / framesAlignment) * framesAlignment
  const bytes = Buffer.alloc(framesOffset)
  magic.copy(bytes, offsets.magic)
  bytes.writeUInt32LE(logFormatVersion, offsets.version)
  bytes.writeUInt32LE(framesOffset, offsets.framesOffset)
  bytes.writeBigUInt64LE(header.epoch, offsets.epoch)
  bytes.writeBigUInt64LE(header.firstSequence, offsets.firstSequence)
  bytes.writeBigUInt64LE(header.mark, offsets.mark)
  bytes.writeBigInt64LE(header.createdAt, offsets.createdAt)
  bytes.writeBigUInt64LE(header.previous?.firstSequence ?? 0n, offsets.previousFirst)
  bytes.writeBigUInt64LE(BigInt(header.previous?.endOffset ?? 0), offsets.previousEnd)
  bytes.writeUInt32LE(header.previous?.heads?.size ?? 0, offsets.tableCount)
  bytes.writeUInt32LE(crc32(table), offsets.tableCrc)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, offsets.crc)), offsets.crc)
  bytes.copy(bytes, copyOffset, 0, fixedBytes)
  table.copy(bytes, tableOffset)
  return bytes
}

export interface ReadHeader {
  /** Undefined when neither copy is good. */
  readonly header: SegmentHeader | undefined
  /** What was found damaged on the way. */
  readonly damage: readonly { readonly offset: number; readonly sizeBytes: number; readonly what: string }[]
}

/** @throws HostError ERR_LOG_DAMAGED for a segment that a later version wrote, and what the file throws. */
export function readSegmentHeader(file: LogFile): ReadHeader {
  const bytes = readAll(file, Buffer.alloc(tableOffset), 0)
  const copies = [bytes.subarray(0, fixedBytes), bytes.subarray(copyOffset, copyOffset + fixedBytes)]
  const good = copies.find((copy) => isGood(copy))
  const damage = copies.flatMap((copy, index) =>
    isGood(copy) ? [] : [{ offset: index * copyOffset, sizeBytes: fixedBytes, what: `copy ${index + 1} of the segment's header is damaged` }],
  )
  if (good === undefined) return { header: undefined, damage }
  if (good.readUInt32LE(offsets.version) !== logFormatVersion) {
    throw new HostError(
      'ERR_LOG_DAMAGED',
      `the commit log has format version ${good.readUInt32LE(offsets.version)} and this host knows ${logFormatVersion}: use the version that wrote it`,
    )
  }
  const previousFirst = good.readBigUInt64LE(offsets.previousFirst)
  const heads = readTable(file, good)
  if (heads === undefined) {
    const sizeBytes = HeadTable.sizeBytes(good.readUInt32LE(offsets.tableCount))
    damage.push({ offset: tableOffset, sizeBytes, what: 'the list of databases of the segment before is damaged' })
  }
  const header: SegmentHeader = {
    epoch: good.readBigUInt64LE(offsets.epoch),
    firstSequence: good.readBigUInt64LE(offsets.firstSequence),
    mark: good.readBigUInt64LE(offsets.mark),
    createdAt: good.readBigInt64LE(offsets.createdAt),
    previous: previousFirst === 0n ? undefined : { firstSequence: previousFirst, endOffset: Number(good.readBigUInt64LE(offsets.previousEnd)), heads },
    framesOffset: good.readUInt32LE(offsets.framesOffset),
  }
  return { header, damage }
}

/** Where the start of a segment holds nothing: between the two copies of its fixed part, and behind its list of databases. */
export function segmentZeros(file: LogFile): readonly { readonly offset: number; readonly sizeBytes: number }[] {
  const bytes = readAll(file, Buffer.alloc(tableOffset), 0)
  const good = [bytes.subarray(0, fixedBytes), bytes.subarray(copyOffset, copyOffset + fixedBytes)].find((copy) => isGood(copy))
  if (good === undefined) return []
  const tableEnd = tableOffset + HeadTable.sizeBytes(good.readUInt32LE(offsets.tableCount))
  return [
    { offset: fixedBytes, sizeBytes: copyOffset - fixedBytes },
    { offset: tableEnd, sizeBytes: good.readUInt32LE(offsets.framesOffset) - tableEnd },
  ]
}

function isGood(copy: Buffer): boolean {
  return copy.length === fixedBytes && copy.subarray(0, magic.length).equals(magic) && crc32(copy.subarray(0, offsets.crc)) === copy.readUInt32LE(offsets.crc)
}

/** The count was under the checksum of the fixed part, and a file that is shorter than that has lost its table. */
function readTable(file: LogFile, fixed: Buffer): HeadTable | undefined {
  const sizeBytes = HeadTable.sizeBytes(fixed.readUInt32LE(offsets.tableCount))
  if (tableOffset + sizeBytes > file.sizeBytes) return undefined
  const bytes = readAll(file, Buffer.alloc(sizeBytes), tableOffset)
  return bytes.length === sizeBytes && crc32(bytes) === fixed.readUInt32LE(offsets.tableCrc) ? HeadTable.decode(bytes) : undefined
}
