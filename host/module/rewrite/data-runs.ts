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
  const ascending = [...data.keys()].sort((left, right) => startOf(data[left]) - startOf(data[right]))
  const runs: { start: number; end: number; places: number[] }[] = []
  for (const place of ascending) {
    const segment = data[place]
    if (segment === undefined) continue
    const last = runs.at(-1)
    if (last === undefined || segment.offset > last.end + gapBytesMax) runs.push({ start: segment.offset, end: endOf(segment), places: [place] })
    else {
      last.end = Math.max(last.end, endOf(segment))
      last.places.push(place)
    }
  }
  return runs.map(({ start, end, places }) => {
    const run = new Uint8Array(end - start)
    // Where segments overlap, the later one of the module is what stays.
    for (const place of places.sort((left, right) => left - right)) {
      const segment = data[place]
      if (segment !== undefined) run.set(bytes.subarray(segment.bytes.start, segment.bytes.end), segment.offset - start)
    }
    return { offset: start, bytes: run }
  })
}

function startOf(segment: DataSegment | undefined): number {
  return segment?.offset ?? 0
}

function endOf({ offset, bytes }: DataSegment): number {
  return offset + bytes.end - bytes.start
}
