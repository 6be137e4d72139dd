/**
 * The data of a module as few pieces as it can be. A compiler writes a segment for each text and table,
 * dozens in a small module, and an instance pays for every one of them. Segments that lie near each
 * other become one run: the memory below is zero, so zeros between them change nothing.
 */
import type { CoreModule, DataSegment } from '../core-module.ts'

export interface DataRun {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Zeros that are copied rather than begin another run: a run takes 15 bytes of code, and as long as 500 bytes of data. */
const gapBytesMax = 64

/** What the segments leave in a memory of zeros, in ascending order; one that ends outside of it stays outside. */
export function dataRuns({ bytes, data }: CoreModule): readonly DataRun[] {
  const ascending = data.map((segment, place) => ({ ...segment, place })).sort((left, right) => left.offset - right.offset)
  const groups: { start: number; end: number; segments: (DataSegment & { readonly place: number })[] }[] = []
  for (const segment of ascending) {
    const end = segment.offset + segment.bytes.end - segment.bytes.start
    const last = groups.at(-1)
    if (last === undefined || segment.offset > last.end + gapBytesMax) groups.push({ start: segment.offset, end, segments: [segment] })
    else {
      last.end = Math.max(last.end, end)
      last.segments.push(segment)
    }
  }
  return groups.map(({ start, end, segments }) => {
    const run = new Uint8Array(end - start)
    // Where segments overlap, the later one of the module is what stays.
    for (const segment of segments.sort((left, right) => left.place - right.place)) {
      run.set(bytes.subarray(segment.bytes.start, segment.bytes.end), segment.offset - start)
    }
    return { offset: start, bytes: run }
  })
}
