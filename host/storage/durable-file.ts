/** Small files that are there whole or not at all, and large ones whose sum is made while they are read. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statfsSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

import * as limits from '../limits.ts'
import { addHash, hashOfPages, pageSizeBytes } from './page-sum.ts'
import type { FileSum } from './page-sum.ts'

/** Bytes that are looked at in one go: about 0.4 ms, after which others have their turn. */
const sliceBytes = 1024 * 1024

/** Replaces the file, on disk when it returns. */
export function writeDurably(path: string, text: string): void {
  replace(path, text, true)
  syncFolder(dirname(path))
}

/** Replaces the file whole; a power loss may take it back, or both. */
export function replaceFile(path: string, text: string): void {
  replace(path, text, false)
}

function replace(path: string, text: string, flush: boolean): void {
  const fresh = `${path}.new`
  writeFileSync(fresh, text, { mode: 0o600, flush })
  renameSync(fresh, path)
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether a copy of so many bytes leaves the disk of this folder some room. */
export function hasRoom(folder: string, sizeBytes: number): boolean {
  return freeBytes(folder) > sizeBytes + limits.diskFreeBytesMin
}

/** What the disk of this folder still takes. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Reads a whole file, slice by slice; with `copyTo`, writes what it read there, durably. */
export async function sumFile(path: string, copyTo?: string): Promise<FileSum> {
  await using source = await open(path, 'r')
  return await sumHandle(source, copyTo)
}

/** The same of a file that stays open: to close another handle of a file that SQLite has open takes its locks away. */
export async function sumHandle(source: FileHandle, copyTo?: string): Promise<FileSum> {
  if (copyTo === undefined) return readThrough(source, async () => undefined)
  await using target = await open(copyTo, 'w', 0o600)
  const found = await readThrough(source, (slice, at) => writeAll(target, slice, at))
  await target.sync()
  return found
}

async function readThrough(source: FileHandle, onSlice: (slice: Buffer, at: number) => Promise<void>): Promise<FileSum> {
  const buffer = Buffer.allocUnsafe(sliceBytes)
  let sizeBytes = 0
  let sum = 0
  for (;;) {
    const slice = await readSlice(source, buffer, sizeBytes)
    if (slice.length === 0) return { sizeBytes, sum }
    sum = addHash(sum, hashOfPages(sizeBytes / pageSizeBytes + 1, slice))
    await onSlice(slice, sizeBytes)
    sizeBytes += slice.length
  }
}

/** Whole pages, but at the end of the file. */
async function readSlice(source: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  let size = 0
  while (size < buffer.length) {
    const { bytesRead } = await source.read(buffer, size, buffer.length - size, position + size)
    if (bytesRead === 0) break
    size += bytesRead
  }
  return buffer.subarray(0, size)
}

async function writeAll(target: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await target.write(bytes, written, bytes.length - written, at + written)
    written += bytesWritten
  }
}
