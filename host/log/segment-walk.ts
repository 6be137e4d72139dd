/**
 * Walks over the frames of a segment and around what is damaged in it. After bytes that are no frame it looks
 * for the next place, a multiple of eight, where a whole frame of this segment with a later sequence begins.
 */
import { frameAt, payloadOffset } from './frame.ts'
import type { Frame } from './frame.ts'
import { readAll } from './log-files.ts'
import type { ReadableFile } from './log-files.ts'

/** What of a segment is walked over. */
export interface WalkRange {
  readonly file: ReadableFile
  readonly mark: bigint
  readonly offset: number
  readonly endOffset: number
  readonly firstSequence: bigint
  /** The walk ends before it. Undefined where it is not known: then bytes after the last frame are no gap. */
  readonly nextSequence: bigint | undefined
}

export type Step = FrameStep | GapStep

export interface FrameStep {
  readonly kind: 'frame'
  /** In the file; the frame's own offset is one in `bytes`. */
  readonly offset: number
  readonly frame: Frame
  /** Valid until the next step. The file may end before the payload does. */
  readonly bytes: Buffer
}

/** Bytes that are no frame, where these records were. There may be none of either. */
export interface GapStep {
  readonly kind: 'gap'
  readonly offset: number
  readonly sizeBytes: number
  readonly firstSequence: bigint
  readonly lastSequence: bigint
}

export function* walk(range: WalkRange): Generator<Step> {
  const endOffset = Math.min(range.endOffset, range.file.sizeBytes)
  const window = new Window(range.file, endOffset)
  const limit = range.nextSequence ?? 2n ** 64n
  let at = range.offset
  let expected = range.firstSequence
  while (at < endOffset && expected < limit) {
    const step = frameStep(window, at, range.mark)
    if (step?.frame.sequence === expected) {
      yield step
      at += step.frame.sizeBytes
      expected += 1n
      continue
    }
    const next = nextFrame(window, at, range.mark, expected)
    if (next === undefined || next.sequence >= limit) break
    yield { kind: 'gap', offset: at, sizeBytes: next.offset - at, firstSequence: expected, lastSequence: next.sequence - 1n }
    at = next.offset
    expected = next.sequence
  }
  if (range.nextSequence === undefined || expected >= range.nextSequence) return
  const offset = Math.min(at, endOffset)
  yield { kind: 'gap', offset, sizeBytes: endOffset - offset, firstSequence: expected, lastSequence: range.nextSequence - 1n }
}

function frameStep(window: Window, offset: number, mark: bigint): FrameStep | undefined {
  const frame = frameAt(window.view(offset, payloadOffset), 0, mark)
  if (frame === undefined) return undefined
  return { kind: 'frame', offset, frame, bytes: window.view(offset, frame.sizeBytes) }
}

interface FoundFrame {
  readonly offset: number
  readonly sequence: bigint
}

/** The next frame at or after this offset whose sequence is this or a later one. */
function nextFrame(window: Window, from: number, mark: bigint, sequence: bigint): FoundFrame | undefined {
  const markBytes = Buffer.alloc(8)
  markBytes.writeBigUInt64LE(mark)
  for (let at = from; at < window.endOffset;) {
    const bytes = window.view(at, payloadOffset)
    const found = bytes.indexOf(markBytes)
    if (found < 0) {
      // A mark that begins in these bytes and ends in the next ones is not missed.
      at += Math.max(bytes.length - (markBytes.length - 1), 1)
      continue
    }
    at += found
    const frame = at % 8 === 0 ? frameAt(window.view(at, payloadOffset), 0, mark) : undefined
    if (frame !== undefined && frame.sequence >= sequence) return { offset: at, sequence: frame.sequence }
    at += 1
  }
  return undefined
}

const windowBytes = 1024 * 1024

/** A part of the file in memory, which moves along with the walk. */
class Window {
  readonly endOffset: number
  readonly #file: ReadableFile
  #room: Buffer
  #start = 0
  #bytes: Buffer = Buffer.alloc(0)

  constructor(file: ReadableFile, endOffset: number) {
    this.#file = file
    this.#room = Buffer.allocUnsafe(Math.min(windowBytes, endOffset))
    this.endOffset = endOffset
  }

  /** The bytes from this offset on: as many as are wanted, and more where they are at hand; fewer at the end. */
  view(offset: number, wanted: number): Buffer {
    const end = Math.min(offset + wanted, this.endOffset)
    if (offset < this.#start || end > this.#start + this.#bytes.length) this.#load(offset, end - offset)
    return this.#bytes.subarray(offset - this.#start)
  }

  #load(offset: number, wanted: number): void {
    if (wanted > this.#room.length) this.#room = Buffer.allocUnsafe(wanted)
    const size = Math.min(this.#room.length, this.endOffset - offset)
    this.#bytes = readAll(this.#file, this.#room.subarray(0, Math.max(size, 0)), offset)
    this.#start = offset
  }
}
