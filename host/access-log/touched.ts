/**
 * The rows that one call, read or statement has touched: noted while it runs by whoever gets rows from a file, and
 * packed into its record when it ends. Rows are noted by table, owner, subject and key; nothing else of them is kept.
 */
import { hash } from 'node:crypto'

import { accessKeyCharactersMax, accessKeysMax, accessPartsMax, accessTextBytesMax } from '../limits.ts'
import { PackedWriter } from '../packed-bytes.ts'
import type { SqlRow, SqlValue } from '../plan/plan.ts'
import type { Scan } from '../plan/scan.ts'
import type { Table } from '../schema/schema.ts'

/**
 * `returned`: its values went to whoever asked, or into what an answer was computed from. `examined`: it was looked at
 * and decided something. In the order of their numbers, which keep their meaning.
 */
export const TOUCH_MODES = ['returned', 'examined', 'inserted', 'updated', 'deleted'] as const
export type TouchMode = (typeof TOUCH_MODES)[number]

/** Where in a row of a table its key, its owner and its subject stand. */
interface Shape {
  readonly table: Table
  readonly key: number
  /** -1 for a table without. */
  readonly owner: number
  /** -1 where it is the owner. */
  readonly subject: number
}

const shapes = new WeakMap<Table, Shape>()

function shapeOf(table: Table): Shape {
  const known = shapes.get(table)
  if (known !== undefined) return known
  const made = shaped(table)
  shapes.set(table, made)
  return made
}

function shaped(table: Table): Shape {
  const { columns, key, owner, subject } = table
  return {
    table,
    key: columns.indexOf(key),
    owner: owner === undefined ? -1 : columns.indexOf(owner),
    subject: subject === undefined || subject === owner ? -1 : columns.indexOf(subject),
  }
}

/** An owner or a subject: null where the table has none, or the subject is the owner; undefined for rows of anybody. */
type Whose = SqlValue | undefined

interface Part {
  readonly shape: Shape
  readonly mode: TouchMode
  readonly owner: Whose
  readonly subject: Whose
  readonly keys: SqlValue[]
  /** Rows that were counted and not gone through. */
  uncounted: number
  /** Keys may be in it twice. */
  isMixed: boolean
}

export class Touched {
  readonly #parts: Part[] = []
  #isStrict = false
  /** How rows were found: said where there are too many to name. */
  readonly #plans: (() => string)[] = []

  /** Some of it is of a table whose records are on the disk before an answer leaves. */
  get isStrict(): boolean {
    return this.#isStrict
  }

  row(table: Table, mode: TouchMode, row: SqlRow): void {
    const shape = shapeOf(table)
    const part = this.#partOf(shape, mode, shape.owner < 0 ? null : (row[shape.owner] ?? null), shape.subject < 0 ? null : (row[shape.subject] ?? null))
    if (part.keys.length > 0) part.isMixed = true
    part.keys.push(row[shape.key] ?? null)
  }

  /** How the rows that come next were found. */
  foundBy(plan: () => string): void {
    this.#plans.push(plan)
  }

  /** Rows of one owner, each of them once. */
  rows(table: Table, mode: TouchMode, rows: readonly SqlRow[]): void {
    const [first] = rows
    if (first === undefined) return
    const shape = shapeOf(table)
    const owner = shape.owner < 0 ? null : (first[shape.owner] ?? null)
    let part = this.#partOf(shape, mode, owner, shape.subject < 0 ? null : (first[shape.subject] ?? null))
    if (part.keys.length > 0) part.isMixed = true
    for (const row of rows) {
      if (shape.subject >= 0 && !isSame(part.subject, row[shape.subject] ?? null)) part = this.#partOf(shape, mode, owner, row[shape.subject] ?? null)
      part.keys.push(row[shape.key] ?? null)
    }
  }

  /** A row of which only what names it was asked for: its owner where there is one, its key, its subject where it is another. */
  named(table: Table, mode: TouchMode, names: readonly SqlValue[]): void {
    const shape = shapeOf(table)
    let at = 0
    const owner = shape.owner < 0 ? null : (names[at++] ?? null)
    const key = names[at++] ?? null
    const part = this.#partOf(shape, mode, owner, shape.subject < 0 ? null : (names[at] ?? null))
    part.isMixed = true
    part.keys.push(key)
  }

  /** So many rows of one owner that nobody went through one by one, as `names` of one of them say; of a table without owners they may be anybody's. */
  counted(table: Table, names: readonly SqlValue[], count: number): void {
    const shape = shapeOf(table)
    const isAnybodys = shape.subject >= 0 || shape.owner < 0
    const part = this.#partOf(shape, 'examined', shape.owner < 0 ? null : (names[0] ?? null), isAnybodys ? undefined : null)
    part.uncounted += count
  }

  #partOf(shape: Shape, mode: TouchMode, owner: Whose, subject: Whose): Part {
    const parts = this.#parts
    // The last one mostly fits: rows come table by table and owner by owner.
    for (let index = parts.length - 1; index >= 0 && index >= parts.length - partsLookedAt; index--) {
      const part = parts[index]
      if (part !== undefined && part.shape === shape && part.mode === mode && isSame(part.owner, owner) && isSame(part.subject, subject)) return part
    }
    const part: Part = { shape, mode, owner, subject, keys: [], uncounted: 0, isMixed: false }
    parts.push(part)
    if (shape.table.audit === 'strict') this.#isStrict = true
    return part
  }

  /** Writes the parts as docs/access-log.md has them. `sender` is whose call it is: mostly the owner of every row. */
  pack(writer: PackedWriter, sender: Uint8Array | undefined): void {
    const parts = this.#parts.length > 1 || this.#parts[0]?.isMixed === true ? settled(this.#parts) : this.#parts
    const keys = parts.reduce((sum, part) => sum + sizeOf(part), 0)
    const isWide = keys > accessKeysMax
    writer.string(isWide ? planText(this.#plans) : '')
    const packed = parts.length > accessPartsMax ? collapsed(parts) : parts
    writer.u32(packed.length)
    for (const part of packed) packPart(writer, part, sender, isWide)
  }
}

const partsLookedAt = 16

function planText(plans: readonly (() => string)[]): string {
  return shortened([...new Set(plans.slice(0, accessPartsMax).map((plan) => plan()))].join('; '))
}

/** A text as a record keeps it: one that is longer says so. */
export function shortened(text: string): string {
  return text.length <= accessTextBytesMax ? text : `${text.slice(0, accessTextBytesMax)}… (${text.length} characters)`
}

/** A scan in words, without its values: they may be what rows say. */
export function scanText(table: Table, { direction, limit, terms }: Scan): string {
  const conditions = terms.map(({ column, operator }) => (operator === 'any' ? `by ${column.name}` : `${column.name} ${operator} …`))
  return [`${table.name} ${direction}`, ...(limit === undefined ? [] : [`limit ${limit}`]), ...conditions].join(', ')
}

function isSame(left: Whose, right: Whose): boolean {
  if (left === right) return true
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array) || left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}

function sizeOf({ keys, uncounted }: Part): number {
  return keys.length + uncounted
}

/** Each key once in a part, and none as merely examined that was returned or written too. */
function settled(parts: readonly Part[]): readonly Part[] {
  const more = keysOfMore(parts)
  return parts.flatMap((part) => {
    const told = part.mode === 'examined' ? more.get(part.shape)?.get(identityOf(part.owner)) : undefined
    if (!part.isMixed && told === undefined) return [part]
    const known = new Set<unknown>()
    const kept: SqlValue[] = []
    for (const key of part.keys) {
      const name = identityOf(key)
      if (known.has(name) || told?.has(name) === true) continue
      known.add(name)
      kept.push(key)
    }
    return kept.length === 0 && part.uncounted === 0 ? [] : [{ ...part, keys: kept }]
  })
}

/** Keys of rows that were more than examined, by table and owner: there may be as many parts as people. */
function keysOfMore(parts: readonly Part[]): ReadonlyMap<Shape, ReadonlyMap<unknown, ReadonlySet<unknown>>> {
  const found = new Map<Shape, Map<unknown, Set<unknown>>>()
  if (!parts.some(({ mode }) => mode === 'examined')) return found
  for (const { shape, mode, owner, keys } of parts) {
    if (mode === 'examined') continue
    const owners = found.get(shape) ?? new Map<unknown, Set<unknown>>()
    const known = owners.get(identityOf(owner)) ?? new Set<unknown>()
    for (const key of keys) known.add(identityOf(key))
    found.set(shape, owners.set(identityOf(owner), known))
  }
  return found
}

/** What equal keys, or equal owners, have in common. */
function identityOf(key: Whose): unknown {
  return key instanceof Uint8Array ? Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1') : key
}

/** Of anybody: too many to tell apart. */
function collapsed(parts: readonly Part[]): readonly Part[] {
  const found = new Map<string, Part>()
  for (const part of parts) {
    const name = `${part.shape.table.id} ${part.mode}`
    const known = found.get(name)
    if (known === undefined) found.set(name, { ...part, owner: undefined, subject: undefined, keys: [...part.keys] })
    else {
      for (const key of part.keys) known.keys.push(key)
      known.uncounted += part.uncounted
    }
  }
  return [...found.values()]
}

// ---- bytes ---------------------------------------------------------------------------------------

/** Whose a row is, in one byte, and what follows it. */
export const WHOSE = { none: 0, sender: 1, owner: 2, identity: 3, text: 4, anybody: 5 } as const
/** How a part's keys stand. */
export const KEYS = { steps: 0, integers: 1, texts: 2, digest: 3, none: 4 } as const

function packPart(writer: PackedWriter, part: Part, sender: Uint8Array | undefined, isWide: boolean): void {
  const { table } = part.shape
  writer.u32(table.id)
  writer.string(table.name)
  writer.u8(TOUCH_MODES.indexOf(part.mode))
  packWhose(writer, part.owner, sender)
  if (part.subject === null && part.shape.owner >= 0) writer.u8(WHOSE.owner)
  else packWhose(writer, part.subject, sender)
  writer.u32(sizeOf(part))
  if (part.uncounted > 0) writer.u8(KEYS.none)
  else if (isWide) packDigest(writer, part.keys)
  else packKeys(writer, part.keys)
}

function packWhose(writer: PackedWriter, whose: Whose, sender: Uint8Array | undefined): void {
  if (whose === null) return writer.u8(WHOSE.none)
  if (whose === undefined) return writer.u8(WHOSE.anybody)
  if (sender !== undefined && isSame(whose, sender)) return writer.u8(WHOSE.sender)
  if (whose instanceof Uint8Array) {
    writer.u8(WHOSE.identity)
    return writer.raw(whose)
  }
  writer.u8(WHOSE.text)
  writer.string(keyText(whose))
}

/** Ids of rows that were read together mostly follow each other: a byte for each. */
function packKeys(writer: PackedWriter, keys: readonly SqlValue[]): void {
  if (keys.every(isSmall)) {
    writer.u8(KEYS.steps)
    let before = 0
    for (const key of keys) {
      const id = Number(key)
      packStep(writer, id - before)
      before = id
    }
  } else if (keys.every((key) => typeof key === 'bigint')) {
    writer.u8(KEYS.integers)
    for (const key of keys) writer.i64(key)
  } else {
    writer.u8(KEYS.texts)
    for (const key of keys) writer.string(keyText(key))
  }
}

const smallMax = 2n ** 51n

function isSmall(key: SqlValue): key is bigint {
  return typeof key === 'bigint' && key < smallMax && key > -smallMax
}

/** Zigzag, then seven bits a byte: 0 and 1 apart are 1 and 2. */
function packStep(writer: PackedWriter, step: number): void {
  let left = step < 0 ? -step * 2 - 1 : step * 2
  while (left > 127) {
    writer.u8((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  writer.u8(left)
}

/** As reports show it; one that is longer than a name is told by its hash. */
function keyText(key: SqlValue): string {
  const text = key instanceof Uint8Array ? Buffer.from(key.buffer, key.byteOffset, key.length).toString('hex') : String(key)
  return text.length <= accessKeyCharactersMax ? text : `sha256:${hash('sha256', text, 'hex')}`
}

/** Of the keys as they would have stood there. */
function packDigest(writer: PackedWriter, keys: readonly SqlValue[]): void {
  const packed = new PackedWriter('ERR_CALL_LIMIT', digestedBytesMax)
  packKeys(packed, keys)
  writer.u8(KEYS.digest)
  writer.raw(hash('sha256', packed.view(), 'buffer'))
}

/** 100,000 keys of the longest kind that a row may have would be more, and are then cut by the row limits of a call. */
const digestedBytesMax = 64 * 1024 * 1024
