/**
 * A disk for tests of the log. It knows what was synced and what was not: after a power loss any part of what
 * was not may be there, in pieces of a sector or a page. A sync that fails has lost, perhaps, what it was asked to
 * keep, and a later one does not bring it back. A plan makes an operation fail; reading fails
 * where a page is `unreadable`.
 */
import type { LogFile, LogFiles } from '../../host/log/log-files.ts'
import type { Random } from '../fuzz/random.ts'

/** Of a disk, as files are read. */
export const pageBytes = 4_096

export type DiskOperation = 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'unlink' | 'syncFolder'

/**
 * `error`: nothing is done. `late-error`: it is done, and an error reported. `short`: half of a write.
 * `short-error`: the same, and the next write fails. `crash`: half done, and nothing after it.
 */
export type DiskFault = 'error' | 'late-error' | 'short' | 'short-error' | 'crash'

interface WriteChange {
  readonly position: number
  readonly bytes: Buffer
}

/** A write, or a new size. */
type Change = WriteChange | number

interface NameChange {
  readonly path: string
  /** Undefined: the name goes. */
  readonly node: Node | undefined
}

/** Bytes that grow, with zeros where nothing was written. */
class Content {
  #room: Buffer
  #size: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#room = Buffer.from(bytes)
    this.#size = bytes.length
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size)
  }

  apply(change: Change): void {
    if (typeof change === 'number') {
      this.#grow(change)
      if (change < this.#size) this.#room.fill(0, change, this.#size)
      this.#size = change
      return
    }
    const end = change.position + change.bytes.length
    this.#grow(end)
    change.bytes.copy(this.#room, change.position)
    this.#size = Math.max(this.#size, end)
  }

  #grow(sizeBytes: number): void {
    if (sizeBytes <= this.#room.length) return
    const room = Buffer.alloc(sizeBytes * 2)
    this.#room.copy(room)
    this.#room = room
  }
}

/** What a file is, whatever its names. */
class Node {
  content = new Content()
  durable = new Content()
  /** What the next sync makes durable. */
  unsynced: Change[] = []
  /** Where the disk gives nothing: offsets of pages. */
  readonly unreadable = new Set<number>()
  /** What a failed sync was asked for: on the disk or not, and no sync will tell. */
  lost: Change[] = []

  apply(change: Change): void {
    this.content.apply(change)
    this.unsynced.push(change)
  }
}

export class SimDisk implements LogFiles {
  /** Asked before each operation that changes something. */
  plan: (operation: DiskOperation, index: number) => DiskFault | undefined = () => undefined
  capacityBytes = Number.POSITIVE_INFINITY
  isCrashed = false
  operations = 0
  bytesRead = 0
  readonly names = new Map<string, Node>()
  readonly #durableNames = new Map<string, Node>()
  #unsyncedNames: (readonly NameChange[])[] = []
  #nextWriteFails = false

  makeFolder(): void {
    this.#assertAlive()
  }

  list(folder: string): readonly string[] {
    this.#assertAlive()
    return [...this.names.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1))
  }

  open(path: string, how: 'read' | 'update' | 'create'): LogFile {
    this.#assertAlive()
    const found = this.names.get(path)
    if (how !== 'create') {
      if (found === undefined) throw fileError('ENOENT')
      return this.#file(found)
    }
    if (found !== undefined) throw fileError('EEXIST')
    const node = new Node()
    this.#do('create', () => this.#rename([{ path, node }]))
    return this.#file(node)
  }

  rename(from: string, to: string): void {
    const node = this.names.get(from)
    if (node === undefined) throw fileError('ENOENT')
    this.#do('rename', () =>
      this.#rename([
        { path: to, node },
        { path: from, node: undefined },
      ]),
    )
  }

  unlink(path: string): void {
    this.#assertAlive()
    if (!this.names.has(path)) throw fileError('ENOENT')
    this.#do('unlink', () => this.#rename([{ path, node: undefined }]))
  }

  syncFolder(): void {
    this.#do('syncFolder', () => {
      for (const change of this.#unsyncedNames) for (const { path, node } of change) setName(this.#durableNames, path, node)
      this.#unsyncedNames = []
    })
  }

  get usedBytes(): number {
    return [...new Set(this.names.values())].reduce((sum, node) => sum + node.content.bytes.length, 0)
  }

  /** The same files for the next process, after a kill of this one: the system still writes what it was given. */
  afterKill(): SimDisk {
    const disk = new SimDisk()
    for (const [path, node] of this.names) disk.#adopt(path, node.content.bytes)
    return disk
  }

  /** The files after a power loss. */
  afterPowerLoss(random: Random): SimDisk {
    const names = new Map(this.#durableNames)
    for (const change of this.#unsyncedNames) if (isTrue(random, 0.5)) for (const { path, node } of change) setName(names, path, node)
    const disk = new SimDisk()
    for (const [path, node] of names) disk.#adopt(path, contentAfterPowerLoss(node, random))
    return disk
  }

  /** From now on the disk does not give this page of the file, or gives it again. */
  spoil(path: string, pageOffset: number, isUnreadable = true): void {
    const pages = this.names.get(path)?.unreadable
    if (isUnreadable) pages?.add(pageOffset)
    else pages?.delete(pageOffset)
  }

  /** Another content for a file, as if by somebody else. */
  replace(path: string, content: Buffer): void {
    this.#adopt(path, content)
  }

  #adopt(path: string, content: Buffer): void {
    const node = new Node()
    node.content = new Content(content)
    node.durable = new Content(content)
    this.names.set(path, node)
    this.#durableNames.set(path, node)
  }

  #rename(changes: readonly NameChange[]): void {
    for (const { path, node } of changes) setName(this.names, path, node)
    this.#unsyncedNames.push(changes)
  }

  #file(node: Node): LogFile {
    return {
      get sizeBytes() {
        return node.content.bytes.length
      },
      read: (into, position) => {
        this.#assertAlive()
        const size = node.content.bytes.subarray(position).copy(into.subarray(0, readableBytes(node, position, into.length)))
        this.bytesRead += size
        return size
      },
      write: (bytes, position) => this.#write(node, bytes, position),
      truncate: (sizeBytes) => this.#do('truncate', () => node.apply(sizeBytes)),
      sync: () =>
        this.#do(
          'sync',
          () => sync(node),
          () => {
            node.lost.push(...node.unsynced)
            node.unsynced = []
          },
        ),
      close: () => undefined,
    }
  }

  #write(node: Node, bytes: Uint8Array, position: number): number {
    const fault = this.#nextWriteFails ? 'error' : this.#fault('write')
    this.#nextWriteFails = fault === 'short-error'
    if (fault === 'error') throw fileError('EIO')
    const room = Math.max(this.capacityBytes - this.usedBytes, 0)
    const fits = Math.min(bytes.length, Math.max(node.content.bytes.length - position, 0) + room)
    if (fits === 0) throw fileError('ENOSPC')
    const size = fault === 'short' || fault === 'short-error' || fault === 'crash' ? Math.ceil(fits / 2) : fits
    node.apply({ position, bytes: Buffer.from(bytes.subarray(0, size)) })
    if (fault === 'crash') this.#crash()
    if (fault === 'late-error') throw fileError('EIO')
    return size
  }

  #do(operation: DiskOperation, work: () => void, onError: () => void = () => undefined): void {
    const fault = this.#fault(operation)
    if (fault === 'crash') this.#crash()
    if (fault === 'late-error') work()
    if (fault === 'error' || fault === 'late-error') {
      onError()
      throw fileError('EIO')
    }
    work()
  }

  #fault(operation: DiskOperation): DiskFault | undefined {
    this.#assertAlive()
    this.operations += 1
    return this.plan(operation, this.operations - 1)
  }

  #crash(): never {
    this.isCrashed = true
    throw fileError('EIO')
  }

  #assertAlive(): void {
    if (this.isCrashed) throw fileError('EIO')
  }
}

/** As the system reads: up to a page that it does not get, and not at all from there. */
function readableBytes({ unreadable }: Node, position: number, wanted: number): number {
  for (let page = position - (position % pageBytes); page < position + wanted; page += pageBytes) {
    if (!unreadable.has(page)) continue
    if (page <= position) throw fileError('EIO')
    return page - position
  }
  return wanted
}

function sync(node: Node): void {
  for (const change of node.unsynced) {
    node.durable.apply(change)
    node.lost = node.lost.flatMap((lost) => withoutOverwritten(lost, change))
  }
  node.unsynced = []
}

/** What of a lost change may still be on the disk when a later one surely is. */
function withoutOverwritten(lost: Change, later: Change): readonly Change[] {
  if (typeof lost === 'number') return []
  const start = typeof later === 'number' ? later : later.position
  const end = typeof later === 'number' ? Number.POSITIVE_INFINITY : later.position + later.bytes.length
  const lostEnd = lost.position + lost.bytes.length
  const before = { position: lost.position, bytes: lost.bytes.subarray(0, Math.max(start - lost.position, 0)) }
  const after = { position: end, bytes: lost.bytes.subarray(Math.min(Math.max(end - lost.position, 0), lost.bytes.length)) }
  return [...(start > lost.position ? [before] : []), ...(end < lostEnd ? [after] : [])].map((part) => ({
    ...part,
    position: Math.max(part.position, lost.position),
  }))
}

function contentAfterPowerLoss(node: Node, random: Random): Buffer {
  const content = new Content(node.durable.bytes)
  const pieceBytes = random.pick([512, 4_096])
  const share = random.pick([0, 0.5, 0.9, 1])
  for (const change of [...node.lost, ...node.unsynced]) {
    if (typeof change === 'number') {
      if (isTrue(random, share)) content.apply(change)
      continue
    }
    for (const piece of piecesOf(change, pieceBytes)) if (isTrue(random, share)) content.apply(piece)
    // The size may be on the disk where the bytes are not.
    const end = change.position + change.bytes.length
    if (end > content.bytes.length && isTrue(random, share)) content.apply(end)
  }
  return content.bytes
}

function isTrue(random: Random, share: number): boolean {
  return random.u32() < share * 2 ** 32
}

function piecesOf({ position, bytes }: WriteChange, pieceBytes: number): readonly WriteChange[] {
  const pieces: WriteChange[] = []
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + pieceBytes - ((position + at) % pieceBytes))
    pieces.push({ position: position + at, bytes: bytes.subarray(at, end) })
    at = end
  }
  return pieces
}

function setName(names: Map<string, Node>, path: string, node: Node | undefined): void {
  if (node === undefined) names.delete(path)
  else names.set(path, node)
}

function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: by the test`), { code })
}
