/**
 * Reads hostile bytes: every length, count and integer is checked before it is believed, and an error
 * names the byte at which it stood and what was expected there. Component and core module decoders
 * (component.ts, core-module.ts, instructions.ts) read through this and nothing else.
 */
import { HostError } from '../errors.ts'
import { moduleNameBytesMax, sectionEntriesMax } from '../limits.ts'

// Without ignoreBOM a name that starts with U+FEFF would compare equal to the name without it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class BinaryReader {
  readonly bytes: Uint8Array
  readonly end: number
  #offset: number

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes
    this.end = end
    this.#offset = offset
  }

  /** Where the next byte is read, counted from the start of `bytes`. */
  get offset(): number {
    return this.#offset
  }

  get atEnd(): boolean {
    return this.#offset === this.end
  }

  u8(expected: string): number {
    const byte = this.peek(expected)
    this.#offset += 1
    return byte
  }

  peek(expected: string): number {
    const byte = this.#offset < this.end ? this.bytes[this.#offset] : undefined
    if (byte === undefined) throw this.malformed(`${expected}, found the end`)
    return byte
  }

  /** LEB128, at most five bytes, nothing in the unused bits. */
  u32(expected: string): number {
    const first = this.u8(expected)
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8(expected)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    const last = this.u8(expected)
    if (last > 0x0f) throw this.malformed(`${expected} as an unsigned 32-bit integer`)
    return (value | (last << 28)) >>> 0
  }

  /** A signed LEB128 that must be a type's index: what s33 stands for where no value type is written. */
  typeIndex(expected: string): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8(expected)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if ((byte & 0x40) !== 0 || value > 0xffff_ffff) break
        return value
      }
    }
    throw this.malformed(`${expected} as the index of a type`)
  }

  /** A signed LEB128 of `bits` bits, given back as its low 32: offsets and addresses need no more. */
  signed(bits: 32 | 64, expected: string): number {
    let low = 0
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.u8(expected)
      if (shift < 32) low |= (byte & 0x7f) << shift
      if (byte >= 0x80) continue
      if (bits - shift < 7 && !isSignExtension(byte, bits - shift)) break
      return shift < 25 && (byte & 0x40) !== 0 ? low | (-1 << (shift + 7)) : low
    }
    throw this.malformed(`${expected} as a signed ${bits}-bit integer`)
  }

  /** How many entries follow. Each takes a byte at least, so a count never costs more than its file. */
  count(expected: string): number {
    const start = this.#offset
    const count = this.u32(`the number of ${expected}`)
    if (count > sectionEntriesMax || count > this.end - this.#offset) {
      throw malformedAt(start, `at most ${Math.min(sectionEntriesMax, this.end - this.#offset)} ${expected}, found ${count}`)
    }
    return count
  }

  skip(sizeBytes: number, expected: string): void {
    if (sizeBytes > this.end - this.#offset) {
      throw this.malformed(`${sizeBytes} bytes of ${expected}, found ${this.end - this.#offset}`)
    }
    this.#offset += sizeBytes
  }

  /** A reader over the next `sizeBytes` bytes, which this one steps over. Offsets stay absolute. */
  part(sizeBytes: number, expected: string): BinaryReader {
    const start = this.#offset
    this.skip(sizeBytes, expected)
    return new BinaryReader(this.bytes, start, this.#offset)
  }

  /** A reader over a size and that many bytes. */
  sized(expected: string): BinaryReader {
    return this.part(this.u32(`the size of ${expected}`), expected)
  }

  name(expected: string): string {
    const start = this.#offset
    const part = this.sized(expected)
    const sizeBytes = part.end - part.offset
    if (sizeBytes > moduleNameBytesMax) {
      throw malformedAt(start, `${expected} of at most ${moduleNameBytesMax} bytes, found ${sizeBytes}`)
    }
    try {
      return utf8.decode(this.bytes.subarray(part.offset, part.end))
    } catch {
      throw malformedAt(start, `${expected} in UTF-8`)
    }
  }

  expectEnd(what: string): void {
    if (!this.atEnd) throw this.malformed(`the end of ${what}, found ${this.end - this.#offset} more bytes`)
  }

  malformed(expected: string): HostError {
    return malformedAt(this.#offset, expected)
  }
}

/** `expected` reads on after "expected": what should have stood there, and what stood there instead. */
export function malformedAt(offset: number, expected: string): HostError {
  return new HostError('ERR_COMPONENT_MALFORMED', `byte ${offset} of the upload: expected ${expected}`, {
    detail: { offset, expected },
  })
}

/** A name from an upload, for a message: printable ASCII only, so that no terminal or log is steered by it. */
export function quoteName(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 80)}…` : name
  return `"${shown.replace(/[^ !#-[\]-~…]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)}"`
}

/** The last byte of a signed LEB128 carries `bits` bits; those above must repeat the sign. */
function isSignExtension(byte: number, bits: number): boolean {
  const above = byte >> (bits - 1)
  return above === 0 || above === 0x7f >> (bits - 1)
}
