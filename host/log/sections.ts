/**
 * The inside of a record's payload: sections of a tag, a length and bytes. A reader passes over tags that it
 * does not know, so a later version may add some. What the bytes of each tag mean is for the commit path to say.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { PackedReader, PackedWriter } from '../packed-bytes.ts'

/** A tag, once given, keeps its meaning. */
export const SECTION_TAGS = {
  caller: 1,
  call: 2,
  arguments: 3,
  result: 4,
  operations: 5,
  identities: 6,
  module: 7,
  schema: 8,
  meta: 9,
  access: 10,
} as const

export type SectionName = keyof typeof SECTION_TAGS

/** Writes the sections of one record after another; keeps its memory for the next one. */
export class SectionWriter {
  readonly #writer = new PackedWriter('ERR_CALL_LIMIT', limits.recordPayloadBytesMax)

  add(name: SectionName, bytes: Uint8Array): void {
    this.write(name, (writer) => writer.raw(bytes))
  }

  /** A section whose bytes are packed where they will stand. */
  write(name: SectionName, pack: (writer: PackedWriter) => void): void {
    const writer = this.#writer
    writer.u16(SECTION_TAGS[name])
    writer.u16(0)
    const lengthAt = writer.length
    writer.u32(0)
    pack(writer)
    writer.u32At(lengthAt, writer.length - lengthAt - 4)
  }

  /**
   * All sections, valid until the next write.
   *
   * @throws HostError ERR_CALL_LIMIT when they are more than 64 MiB.
   */
  view(): Uint8Array {
    this.#writer.finish()
    return this.#writer.view()
  }

  reset(): void {
    this.#writer.reset()
  }
}

/**
 * The sections by their tags, as views of the bytes, unknown tags among them.
 *
 * @throws HostError ERR_LOG_DAMAGED for bytes that end within a section, and for a tag that comes twice: two
 * readers could take one each.
 */
export function sections(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const reader = new PackedReader(bytes, 'ERR_LOG_DAMAGED')
  const found = new Map<number, Uint8Array>()
  while (reader.remaining > 0) {
    const tag = reader.u16()
    if (reader.u16() !== 0) reader.refuse('bytes that must be zero are not')
    if (found.has(tag)) throw new HostError('ERR_LOG_DAMAGED', `a log record has two sections of tag ${tag}`)
    found.set(tag, reader.bytes())
  }
  return found
}
