/**
 * The frame around a record in a segment of the log (docs/log-format.md): what finds a record again among
 * damaged bytes, says which batch it came with, and tells a damaged frame from a damaged payload, whose
 * database is still known.
 *
 * Every frame begins with the mark of its segment, eight random bytes that nobody outside knows: a payload
 * that holds the image of a frame is never taken for one, nor is a frame of another segment.
 */
import { crc32 } from 'node:zlib'

import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { databaseOf, decodeHead, isPayloadOf, recordHeadBytes, saltBytes, sha256 } from './record.ts'
import type { ByteTarget, LoggedRecord } from './record.ts'

export const frameHeadBytes = 32
/** From the start of a frame to its payload. */
export const payloadOffset = frameHeadBytes + recordHeadBytes
const alignment = 8

const offsets = {
  mark: 0,
  erased: 8,
  crc: 12,
  sequence: 16,
  payloadBytes: 24,
  batchIndex: 28,
  batchCount: 30,
} as const

/** What the checksum covers: from here to the end of the header, which holds the hash of the payload. */
const checkedFrom = offsets.sequence

/**
 * In the one word that no checksum covers, "ERSD". It stands within one sector, so it is there or not: from
 * then on the payload counts as erased, whatever of it has been overwritten.
 */
const erasedWord = 0x44535245

export interface Frame {
  readonly offset: number
  /** With the padding: the next frame begins there. */
  readonly sizeBytes: number
  readonly sequence: bigint
  /** This record's place in its batch, and how many records the batch has. */
  readonly batchIndex: number
  readonly batchCount: number
  readonly payloadBytes: number
  readonly isErased: boolean
}

export function frameBytes(payloadBytes: number): number {
  return Math.ceil((payloadOffset + payloadBytes) / alignment) * alignment
}

export interface FrameOpening {
  readonly payloadBytes: number
  readonly batchIndex: number
}

/** Writes what is known before the log has given the batch its sequences. */
export function openFrame({ view }: ByteTarget, at: number, { payloadBytes, batchIndex }: FrameOpening): void {
  view.setUint32(at + offsets.erased, 0, true)
  view.setUint32(at + offsets.payloadBytes, payloadBytes, true)
  view.setUint16(at + offsets.batchIndex, batchIndex, true)
}

export interface FrameStamp {
  readonly mark: bigint
  readonly sequence: bigint
  readonly batchCount: number
}

/** Writes the rest. May be done again with another stamp. Gives the size of the frame. */
export function closeFrame({ bytes, view }: ByteTarget, at: number, { mark, sequence, batchCount }: FrameStamp): number {
  view.setBigUint64(at + offsets.mark, mark, true)
  view.setBigUint64(at + offsets.sequence, sequence, true)
  view.setUint16(at + offsets.batchCount, batchCount, true)
  view.setUint32(at + offsets.crc, crc32(bytes.subarray(at + checkedFrom, at + payloadOffset)), true)
  return frameBytes(view.getUint32(at + offsets.payloadBytes, true))
}

/** The frame whose head and record header stand here whole, or undefined. Its payload has not been looked at. */
export function frameAt(bytes: Buffer, at: number, mark: bigint): Frame | undefined {
  if (bytes.length - at < payloadOffset || bytes.readBigUInt64LE(at + offsets.mark) !== mark) return undefined
  if (crc32(bytes.subarray(at + checkedFrom, at + payloadOffset)) !== bytes.readUInt32LE(at + offsets.crc)) return undefined
  const payloadBytes = bytes.readUInt32LE(at + offsets.payloadBytes)
  const [batchIndex, batchCount] = [bytes.readUInt16LE(at + offsets.batchIndex), bytes.readUInt16LE(at + offsets.batchCount)]
  if (payloadBytes < saltBytes || payloadBytes > limits.recordPayloadBytesMax || batchIndex >= batchCount) return undefined
  return {
    offset: at,
    sizeBytes: frameBytes(payloadBytes),
    sequence: bytes.readBigUInt64LE(at + offsets.sequence),
    batchIndex,
    batchCount,
    payloadBytes,
    isErased: bytes.readUInt32LE(at + offsets.erased) === erasedWord,
  }
}

/** Whether the payload is the one that was written. One that was erased has no bytes to look at. */
export function isPayloadWhole(bytes: Buffer, frame: Frame): boolean {
  if (frame.isErased) return true
  const payload = payloadOf(bytes, frame)
  return payload.length === frame.payloadBytes && isPayloadOf(headerOf(bytes, frame), payload)
}

/**
 * The record of a frame, copied out of the bytes.
 *
 * @throws HostError ERR_LOG_DAMAGED
 */
export function recordOf(bytes: Buffer, frame: Frame): LoggedRecord {
  if (!isPayloadWhole(bytes, frame)) refuse(frame, `the payload of a record of database ${databaseOf(headerOf(bytes, frame))} is not what was written`)
  const { offset, sequence, payloadBytes, isErased } = frame
  // One copy, of which all that is given are views.
  const copy = Buffer.from(bytes.subarray(offset + frameHeadBytes, offset + payloadOffset + (isErased ? 0 : payloadBytes)))
  const header = copy.subarray(0, recordHeadBytes)
  const decoded = decodeHead(header)
  if (decoded.payloadBytes !== payloadBytes) refuse(frame, 'frame and header do not agree on the payload')
  const sectionsAt = Math.min(recordHeadBytes + saltBytes, copy.length)
  return {
    sequence,
    head: decoded.head,
    chainBefore: decoded.chainBefore,
    chainAfter: sha256(header),
    isErased,
    sections: new Uint8Array(copy.buffer, copy.byteOffset + sectionsAt, copy.length - sectionsAt),
    bytes: copy,
  }
}

/** What an erasure writes, and where in a frame: first the word, and when that is on the disk, zeros over the payload. */
export const erasure = { wordOffset: offsets.erased, word: erasedBytes(), payloadOffset } as const

function erasedBytes(): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(erasedWord)
  return bytes
}

export function headerOf(bytes: Buffer, { offset }: Pick<Frame, 'offset'>): Buffer {
  return bytes.subarray(offset + frameHeadBytes, offset + payloadOffset)
}

function payloadOf(bytes: Buffer, { offset, payloadBytes }: Frame): Buffer {
  return bytes.subarray(offset + payloadOffset, offset + payloadOffset + payloadBytes)
}

function refuse({ sequence }: Frame, what: string): never {
  throw new HostError('ERR_LOG_DAMAGED', `record ${sequence} of the log: ${what}`, { detail: { sequence: sequence.toString() } })
}
