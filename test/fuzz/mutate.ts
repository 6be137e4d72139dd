/** Changes to a component: some in its bytes, most in its structure, all decided by a Random. */
import type { Random } from './random.ts'
import { leavesOf, leb, readComponent, readLeb, writeComponent } from './wasm-tree.ts'
import type { Leaf, Section } from './wasm-tree.ts'

/** One to four changes of `component`; `donor` is where foreign sections come from. */
export function mutateComponent(component: Uint8Array, donor: Uint8Array, random: Random): Uint8Array {
  if (random.chance(10)) return mutateBytes(component, random)
  const tree = readComponent(component)
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    if (random.chance(6)) mutateSections(tree, donor, random)
    else mutateLeaf(random.pick(leavesOf(tree.sections)), random)
  }
  const changed = writeComponent(tree)
  return random.chance(20) ? mutateBytes(changed, random) : changed
}

function mutateSections(tree: { sections: Section[] }, donor: Uint8Array, random: Random): void {
  const siblings = someSiblings(tree, random)
  if (siblings.length === 0) return
  const place = random.below(siblings.length)
  const chosen = siblings[place]
  switch (random.below(5)) {
    case 0:
      siblings.splice(place, 1)
      return
    case 1:
      if (chosen !== undefined) siblings.splice(random.below(siblings.length), 0, chosen)
      return
    case 2:
      siblings.reverse()
      return
    case 3:
      siblings.splice(place, 1, { kind: 'leaf', id: random.below(15), content: chosen?.kind === 'leaf' ? chosen.content : random.bytes(random.below(20)) })
      return
    default:
      siblings.splice(place, 1, random.pick(readComponent(donor).sections))
  }
}

/** The sections of the component, of a core module in it, or the bodies of one of those. */
function someSiblings(tree: { sections: Section[] }, random: Random): Section[] {
  let siblings: Section[] = tree.sections
  while (random.below(3) > 0) {
    const branches = siblings.filter((section) => section.kind !== 'leaf')
    if (branches.length === 0) return siblings
    siblings = random.pick(branches).children
  }
  return siblings
}

function mutateLeaf(leaf: Leaf, random: Random): void {
  if (leaf.content.length === 0) return
  const isBody = leaf.id === -1
  if (isBody && !random.chance(4)) leaf.content = mutateBody(leaf.content, random)
  else leaf.content = random.pick(CONTENT_CHANGES)(leaf.content, random)
}

type Change = (content: Uint8Array, random: Random) => Uint8Array

const CONTENT_CHANGES: readonly Change[] = [mutateBytes, replaceLeb, replaceLeb, replaceName, copyChunk, swapBytes]

const INTERESTING = [0, 1, 2, 3, 7, 0x0b, 0x40, 0x60, 0x70, 0x7f, 0x80, 0xff]

function mutateBytes(content: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(content)
  const at = random.below(changed.length)
  switch (random.below(5)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
      return changed
    case 1:
      changed[at] = random.pick(INTERESTING)
      return changed
    case 2:
      return Buffer.concat([changed.subarray(0, at), random.bytes(1 + random.below(8)), changed.subarray(at)])
    case 3:
      return Buffer.concat([changed.subarray(0, at), changed.subarray(at + 1 + random.below(8))])
    default:
      return random.chance(8) ? changed.subarray(0, at) : changed.map((byte, index) => (index === at ? random.below(256) : byte))
  }
}

const NUMBERS = [0, 1, 2, 3, 16, 127, 128, 255, 256, 1_000, 65_535, 65_536, 100_000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** A number at any place becomes another one, sometimes written longer than need be. */
function replaceLeb(content: Uint8Array, random: Random): Uint8Array {
  const at = random.below(content.length)
  const [value, end] = readLeb(content, at)
  const near = random.chance(2) ? value + random.below(5) - 2 : random.pick(NUMBERS)
  const written = random.chance(8) ? Buffer.concat([leb(near).map((byte) => byte | 0x80), Buffer.from([0])]) : leb(near)
  return Buffer.concat([content.subarray(0, at), written, content.subarray(end)])
}

const NAMES = [
  '',
  '__proto__',
  'constructor',
  'then',
  'call',
  'describe',
  'memory',
  'cabi_realloc',
  '_initialize',
  'table',
  '$imports',
  '0',
  'x"];y[',
  '\u2028',
  '\ufeffcall',
  'y'.repeat(2_000),
]

/** Where a length and as many letters stand, other letters with their own length. */
function replaceName(content: Uint8Array, random: Random): Uint8Array {
  for (let tries = 0; tries < 20; tries += 1) {
    const at = random.below(content.length)
    const length = content[at] ?? 0
    const text = content.subarray(at + 1, at + 1 + length)
    if (length === 0 || text.length < length || text.some((byte) => byte < 0x20 || byte > 0x7e)) continue
    const name = Buffer.from(random.pick(NAMES))
    return Buffer.concat([content.subarray(0, at), leb(name.length), name, content.subarray(at + 1 + length)])
  }
  return content
}

function copyChunk(content: Uint8Array, random: Random): Uint8Array {
  const from = random.below(content.length)
  const to = random.below(content.length)
  return Buffer.concat([content.subarray(0, to), content.subarray(from, from + 1 + random.below(32)), content.subarray(to)])
}

function swapBytes(content: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(content)
  const [left, right] = [random.below(changed.length), random.below(changed.length)]
  ;[changed[left], changed[right]] = [changed[right] ?? 0, changed[left] ?? 0]
  return changed
}

/** Instructions of one type each: any of them may stand for any other of its row. */
const ALIKE: readonly (readonly number[])[] = [
  range(0x46, 0x4f),
  range(0x51, 0x5a),
  range(0x5b, 0x60),
  range(0x61, 0x66),
  range(0x67, 0x69),
  range(0x6a, 0x78),
  range(0x79, 0x7b),
  range(0x7c, 0x8a),
  range(0x8b, 0x91),
  range(0x92, 0x98),
  range(0x99, 0x9f),
  range(0xa0, 0xa6),
  [0x28, 0x2c, 0x2d, 0x2e, 0x2f],
  [0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35],
  [0x36, 0x3a, 0x3b],
  [0x37, 0x3c, 0x3d, 0x3e],
  [0x02, 0x03],
  [0x0c, 0x0d],
  [0x20, 0x22],
]

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** Whole instructions that leave the stack as it was, and some that no module may hold. */
const SNIPPETS: readonly (readonly number[])[] = [
  [0x01],
  [0x00],
  [0x0f],
  [0x41, 0x00, 0x1a],
  [0x3f, 0x00, 0x1a],
  [0x41, 0x01, 0x40, 0x00, 0x1a],
  [0x02, 0x40, 0x0b],
  [0x03, 0x40, 0x0b],
  [0x03, 0x40, 0x0c, 0x00, 0x0b],
  [0x41, 0x01, 0x04, 0x40, 0x05, 0x0b],
  [0x02, 0x40, 0x41, 0x00, 0x0e, 0x01, 0x00, 0x00, 0x0b],
  [0x41, 0x00, 0x41, 0x00, 0x41, 0x20, 0xfc, 0x0b, 0x00],
  [0x41, 0x00, 0x41, 0x08, 0x41, 0x20, 0xfc, 0x0a, 0x00, 0x00],
  [0x43, 0x00, 0x00, 0xc0, 0x7f, 0x43, 0x00, 0x00, 0xc0, 0xff, 0x92, 0xbc, 0x1a],
  [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f, 0xfc, 0x06, 0x1a],
  [0x10, 0x00],
  [0xd0, 0x70, 0x1a],
  [0xfd, 0x0c],
  [0xfe, 0x03, 0x00],
]

/** Most changed bodies should still be valid ones: only those get to the rewriter and to V8. */
function mutateBody(content: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(content)
  if (random.chance(2)) return exchangeAlike(changed, random)
  const at = 1 + random.below(Math.max(1, changed.length - 1))
  if (random.chance(2)) return Buffer.concat([changed.subarray(0, at), Uint8Array.from(random.pick(SNIPPETS)), changed.subarray(at)])
  return random.pick([mutateBytes, replaceLeb, copyChunk])(changed, random)
}

function exchangeAlike(content: Uint8Array, random: Random): Uint8Array {
  for (let tries = 0; tries < 30; tries += 1) {
    const at = random.below(content.length)
    const alike = ALIKE.find((row) => row.includes(content[at] ?? -1))
    if (alike === undefined) continue
    content[at] = random.pick(alike)
    return content
  }
  return content
}
