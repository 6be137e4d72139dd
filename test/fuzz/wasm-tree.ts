/**
 * A component as a tree of sections, so that a mutation deep inside leaves every size around it right and
 * gets past the first checks. Reads leniently and with nothing of the host's: what is tested does not help.
 */

export interface Leaf {
  readonly kind: 'leaf'
  readonly id: number
  content: Uint8Array
}

/** A core module inside a component, or a list of function bodies inside a core module. */
export interface Branch {
  readonly kind: 'core' | 'code'
  readonly id: number
  children: Leaf[] | (Leaf | Branch)[]
}

export type Section = Leaf | Branch

const HEADER_SIZE = 8
const CORE_MODULE = 1
const CODE = 10

export interface WasmTree {
  readonly header: Uint8Array
  sections: Section[]
}

export function readComponent(bytes: Uint8Array): WasmTree {
  const leaves = readLeaves(bytes, HEADER_SIZE)
  return { header: bytes.subarray(0, HEADER_SIZE), sections: leaves.map((leaf) => (leaf.id === CORE_MODULE ? readCore(leaf) : leaf)) }
}

function readCore({ id, content }: Leaf): Section {
  const leaves = readLeaves(content, HEADER_SIZE)
  return { kind: 'core', id, children: leaves.map((leaf) => (leaf.id === CODE ? readCode(leaf) : leaf)) }
}

/** One child a function body, in order; their number is written anew. */
function readCode({ id, content }: Leaf): Section {
  const children: Leaf[] = []
  let [, offset] = readLeb(content, 0)
  while (offset < content.length) {
    const [size, start] = readLeb(content, offset)
    children.push({ kind: 'leaf', id: -1, content: content.slice(start, start + size) })
    offset = start + size
  }
  return { kind: 'code', id, children }
}

function readLeaves(bytes: Uint8Array, from: number): Leaf[] {
  const leaves: Leaf[] = []
  let offset = from
  while (offset < bytes.length) {
    const id = bytes[offset] ?? 0
    const [size, start] = readLeb(bytes, offset + 1)
    leaves.push({ kind: 'leaf', id, content: bytes.slice(start, start + size) })
    offset = start + size
  }
  return leaves
}

export function writeComponent({ header, sections }: WasmTree): Uint8Array {
  return Buffer.concat([header, ...sections.map(writeSection)])
}

function writeSection(section: Section): Uint8Array {
  const content = writeContent(section)
  const frame = section.id < 0 ? leb(content.length) : Buffer.concat([Buffer.from([section.id]), leb(content.length)])
  return Buffer.concat([frame, content])
}

const CORE_HEADER = Buffer.from('\0asm\x01\0\0\0', 'latin1')

function writeContent(section: Section): Uint8Array {
  switch (section.kind) {
    case 'leaf':
      return section.content
    case 'core':
      return Buffer.concat([CORE_HEADER, ...section.children.map(writeSection)])
    case 'code':
      return Buffer.concat([leb(section.children.length), ...section.children.map(writeSection)])
  }
}

/** Every leaf, wherever it is. */
export function leavesOf(sections: readonly Section[]): Leaf[] {
  return sections.flatMap((section) => (section.kind === 'leaf' ? [section] : leavesOf(section.children)))
}

export function leb(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value >>> 0
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80)
    left >>>= 7
  }
  return Uint8Array.from([...bytes, left])
}

/** The value and where it ends. */
export function readLeb(bytes: Uint8Array, offset: number): [value: number, end: number] {
  let value = 0
  let at = offset
  for (let shift = 0; at < bytes.length; shift += 7) {
    const byte = bytes[at] ?? 0
    at += 1
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  return [value, at]
}
