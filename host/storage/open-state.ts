/**
 * Opens the state file of a database at the end of its history, however it was left:
 *
 *   closed      the sum fits: nothing to do
 *   killed      within the same start of the machine everything written is there; the sum fits, the WAL has
 *               checksums; what the log has beyond is replayed
 *   power loss  the WAL is not to be trusted; if the sum fits, the log is replayed from the last checkpoint
 *   damaged, or lost   rebuilt from the newest snapshot that is intact, or from nothing, and the log
 *
 * Where the log does not have what is needed, the database is refused, and no other one.
 */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'

import { HostError } from '../errors.ts'
import type { LogHead } from '../log/commit-log.ts'
import type { LoggedRecord } from '../log/record.ts'
import { applyRecords } from './apply-records.ts'
import { bootId } from './boot-id.ts'
import { DatabaseFile } from './database-file.ts'
import { sumFile } from './durable-file.ts'
import { isSameSum } from './page-sum.ts'
import type { FileSum } from './page-sum.ts'
import { loadHead } from './head.ts'
import { Snapshots } from './snapshots.ts'
import { StateFile, stateFilePath } from './state-file.ts'
import { readMarks, writeMarks } from './state-marks.ts'
import { checkSystemTables, createSystemTables, loadDatabaseId } from './system-tables.ts'
import type { DatabaseId } from './system-tables.ts'

/** What the log has of one database. */
export interface History {
  readonly head: LogHead | undefined
  /** Records are lost of which nobody knows whose they were, after the last one that is known to be this database's. */
  readonly hasLostRecords: boolean
  /** The records after this position, in order. */
  read(after: bigint): AsyncIterable<readonly LoggedRecord[]>
}

export type StateCondition = 'new' | 'closed' | 'killed' | 'power loss' | 'damaged' | 'missing'

/** What an opening found, and what it did about it. */
export interface StateReport {
  readonly condition: StateCondition
  readonly isRebuilt: boolean
  readonly recordsReplayed: number
  /** How many records the file has that the log has lost: they are safe in the file, and a snapshot is made at once. */
  readonly recordsAhead: bigint
}

export interface OpenedState {
  readonly state: StateFile
  readonly report: StateReport
}

export interface OpenStateOptions {
  readonly id: DatabaseId
  readonly history: History
  /** The database is being made. One that is known to have been made is never made anew. */
  readonly isCreation: boolean
}

/** @throws HostError ERR_STORAGE, ERR_LOG_DAMAGED when its history cannot be had whole: then its files are as good as they were. */
export async function openState(folder: string, { id, history, isCreation }: OpenStateOptions): Promise<OpenedState> {
  const found = await examine(folder, history, isCreation)
  const { condition, sum } = found
  // What is not in the file is to be in the log, and of what the log has lost nobody knows whose it was.
  if (history.hasLostRecords && condition !== 'closed' && condition !== 'new') {
    noteMissingRecords(folder)
    throw lostRecords()
  }
  const reused = sum === undefined ? undefined : await reuse(folder, { ...found, sum, id, history })
  if (reused !== undefined) return opened(folder, reused, { condition, isRebuilt: false }, history)
  const why = sum === undefined ? condition : 'damaged'
  const rebuilt = await rebuild(folder, id, { condition: why, least: found.position, history })
  return opened(folder, rebuilt, { condition: why, isRebuilt: why !== 'new' }, history)
}

interface Candidate {
  readonly file: DatabaseFile
  /** Of the file without its WAL, and the record up to which that has come at least. */
  readonly sum: FileSum
  readonly position: bigint
  readonly recordsReplayed: number
}

function opened(
  folder: string,
  { file, sum, position: start, recordsReplayed }: Candidate,
  report: Pick<StateReport, 'condition' | 'isRebuilt'>,
  history: History,
): OpenedState {
  const state = taken(folder, file, sum, start)
  const { position } = loadHead(file)
  // What a snapshot has may be gone from the log; what neither has is in this file alone.
  const kept = history.head?.position ?? state.snapshotPosition
  const recordsAhead = position > kept ? position - kept : 0n
  return { state, report: { ...report, recordsReplayed, recordsAhead } }
}

function taken(folder: string, file: DatabaseFile, sum: FileSum, position: bigint): StateFile {
  try {
    return new StateFile(folder, file, sum, position)
  } catch (error) {
    file.close()
    throw error
  }
}

interface Found {
  readonly condition: StateCondition
  /** When its bytes may be used. */
  readonly sum?: FileSum
  /** How far it had come at least. */
  readonly position: bigint
}

async function examine(folder: string, { head }: History, isCreation: boolean): Promise<Found> {
  const path = stateFilePath(folder)
  const marks = readMarks(folder)
  if (marks === undefined) {
    const isNew = isCreation && head === undefined && isUnused(path)
    return { condition: isNew ? 'new' : existsSync(path) ? 'damaged' : 'missing', position: 0n }
  }
  if (marks.isMissingRecords === true) throw lostRecords()
  const { position } = marks
  if (!existsSync(path)) return { condition: 'missing', position }
  const boot = bootId()
  const isSameBoot = boot !== undefined && marks.boot === boot
  const condition = marks.phase === 'clean' ? 'closed' : isSameBoot ? 'killed' : 'power loss'
  // A file that was closed has nothing in its WAL, and what a power loss left there is not to be trusted.
  if (condition !== 'killed') forgetWal(path)
  if (condition === 'killed' && marks.phase === 'checkpoint') endMove(path)
  const sum = await sumFile(path)
  return isSameSum(sum, marks) ? { condition, sum, position } : { condition: 'damaged', position }
}

/** Within the same start of the machine the WAL has all pages that were to move; the sum tells whether it, and the file, are whole. */
function endMove(path: string): void {
  try {
    using file = new DatabaseFile({ path, create: false, isDurable: false })
    file.checkpoint()
  } catch (error) {
    if (!(error instanceof HostError)) throw error
  }
}

/** A host that was killed while it made a database leaves a file without marks, in which nothing has happened yet. */
function isUnused(path: string): boolean {
  if (!existsSync(path) || statSync(path).size === 0) return true
  using file = new DatabaseFile({ path, create: false, isDurable: false })
  checkSystemTables(file)
  return loadHead(file).position === 0n
}

interface Reusing extends Found {
  readonly sum: FileSum
  readonly id: DatabaseId
  readonly history: History
}

/** Undefined when the file turns out not to be what it should. */
async function reuse(folder: string, { sum, position, id, history }: Reusing): Promise<Candidate | undefined> {
  let file: DatabaseFile | undefined
  try {
    file = new DatabaseFile({ path: stateFilePath(folder), create: false, isDurable: false })
    return { file, sum, ...(await follow(file, id, history)) }
  } catch (error) {
    const isOther = error instanceof HostError && error.code === 'ERR_STORAGE' && !isRefusedByDisk(error)
    // Where the log or the disk is at fault, the file is as good as it was, and whoever mends that finds it so.
    if (file === undefined || isOther) file?.close()
    else await taken(folder, file, sum, position).close()
    if (isOther) return undefined
    throw error
  }
}

interface Rebuilding {
  readonly condition: StateCondition
  /** The record that it must reach, for nothing to be lost. */
  readonly least: bigint
  readonly history: History
}

/** Beside what is there, which goes when all of it has been had. */
async function rebuild(folder: string, id: DatabaseId, { condition, least, history }: Rebuilding): Promise<Candidate> {
  const path = stateFilePath(folder)
  const fresh = `${path}.new`
  const snapshots = new Snapshots(folder)
  if (condition !== 'new' && history.head === undefined && snapshots.list().length === 0) {
    const what = condition === 'missing' ? 'missing' : 'not what was written'
    throw new HostError('ERR_STORAGE', `state.sqlite is ${what}, and neither a snapshot nor the log has anything of it: restore the data folder from a backup`)
  }
  forgetFile(fresh)
  try {
    if ((await snapshots.restore(fresh)) === undefined) beginState(fresh, id)
    const { recordsReplayed } = await bring(fresh, id, { condition, least, history })
    const sum = await sumFile(fresh)
    forgetWal(path)
    renameSync(fresh, path)
    const file = new DatabaseFile({ path, create: false, isDurable: false })
    return { file, sum, position: loadHead(file).position, recordsReplayed }
  } catch (error) {
    forgetFile(fresh)
    throw error
  }
}

/** A file at the beginning of its history. */
export function beginState(path: string, id: DatabaseId): void {
  using file = new DatabaseFile({ path, create: true, isDurable: false })
  createSystemTables(file, id)
}

/** A file without a WAL to the end of its history; all of it is in the file itself then. */
async function bring(path: string, id: DatabaseId, { condition, least, history }: Rebuilding): Promise<Followed> {
  using file = new DatabaseFile({ path, create: false, isDurable: false })
  const followed = await follow(file, id, history)
  const isBehind = loadHead(file).position < least
  if (condition !== 'new' && (history.hasLostRecords || isBehind)) throw lostRecords()
  file.checkpoint()
  return followed
}

interface Followed {
  readonly position: bigint
  readonly recordsReplayed: number
}

/** To the end of what the log has; says where it started. A file that has more lost nothing: the log did. */
async function follow(file: DatabaseFile, { uid, tenant }: DatabaseId, history: History): Promise<Followed> {
  checkSystemTables(file)
  const found = loadDatabaseId(file)
  if (Buffer.compare(found.uid, uid) !== 0 || found.tenant !== tenant)
    throw new HostError('ERR_STORAGE', 'the state file is of another database than its folder')
  const { head } = history
  const start = loadHead(file).position
  if (head === undefined) return { position: start, recordsReplayed: 0 }
  if (start < head.position) await applyRecords(file, history.read(start))
  const { position, chain } = loadHead(file)
  if (position < head.position) {
    throw new HostError(
      'ERR_LOG_DAMAGED',
      `the log has lost records ${position + 1n} to ${head.position} of this database, or some of them: remembrancer check shows where`,
    )
  }
  if (position === head.position && Buffer.compare(chain, head.chain) !== 0) {
    throw new HostError('ERR_STORAGE', 'the state file and the log tell two histories')
  }
  return { position: start, recordsReplayed: Number(position - start) }
}

function lostRecords(): HostError {
  return new HostError(
    'ERR_LOG_DAMAGED',
    'the log has lost records that may be of this database: remembrancer check shows where; what to do then is in docs/operations.md',
  )
}

/** So that no later host goes on without them: the log goes on behind what it has lost. */
function noteMissingRecords(folder: string): void {
  const marks = readMarks(folder)
  if (marks !== undefined) writeMarks(folder, { ...marks, isMissingRecords: true })
}

/** By a disk that is full or fails: nothing is wrong with the file. */
function isRefusedByDisk({ cause }: HostError): boolean {
  return cause instanceof Error && 'code' in cause && /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(String(cause.code))
}

function forgetFile(path: string): void {
  forgetWal(path)
  rmSync(path, { force: true })
}

function forgetWal(path: string): void {
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}
