/**
 * Looks at a whole data folder and names what is not as it should be, where, and what can be done. It changes
 * nothing; what only somebody with the folder's lock may open is left out while a host has it.
 *
 *   check-log.ts        every byte of the logs           needs no lock
 *   check-database.ts   snapshots, a rebuild, the state  the state does
 *   check-catalogue.ts  the book against the folders     the book does
 */
import { existsSync } from 'node:fs'

import type { Micros } from '../clock.ts'
import { HostError } from '../errors.ts'
import { CatalogueFile } from '../storage/catalogue-file.ts'
import { cataloguePath, databaseFolders } from '../storage/data-folder.ts'
import { hexOf } from '../storage/log-history.ts'
import { checkCatalogue, checkFolders, dropNotes, isGood, readNotes } from './check-catalogue.ts'
import { checkDatabase } from './check-database.ts'
import type { DatabaseReport } from './check-database.ts'
import { checkLogs } from './check-log.ts'
import { finding } from './finding.ts'
import type { Finding } from './finding.ts'
import { FolderHistory } from './folder-history.ts'

export interface CheckReport {
  /** What is not as it should be. */
  readonly findings: readonly Finding[]
  /** What is as it may be, and good to know. */
  readonly notes: readonly string[]
  /** What was not looked at, and why. */
  readonly leftOut: readonly string[]
  readonly looked: {
    readonly segments: number
    readonly logBytes: number
    readonly databases: number
    readonly snapshots: number
    readonly states: number
  }
}

export interface CheckOptions {
  readonly now: Micros
  readonly onProgress?: (line: string) => void
}

/** @throws HostError ERR_LOG_DAMAGED for a log of a later version, and what the files throw. */
export async function checkFolder(data: string, { now, onProgress = () => undefined }: CheckOptions): Promise<CheckReport> {
  using book = openBook(data)
  const names = databaseFolders(data)
  const folderNotes = readNotes(data, names)
  const folder = FolderHistory.open(data, now)
  const namesByUid = new Map([...folderNotes].flatMap(([name, note]) => (isGood(note) ? [[hexOf(note.uid), name] as const] : [])))
  const findings = [...book.findings, ...(await checkLogs(folder, { now, names: namesByUid, onProgress })), ...checkFolders(folderNotes)]
  const notes: string[] = []
  if (book.catalogue !== undefined) {
    findings.push(...book.catalogue.problems().map((problem) => finding('catalogue', null, 'host.sqlite', problem, 'restore it from a backup')))
    findings.push(...checkCatalogue(book.catalogue, folder, folderNotes))
    notes.push(...dropNotes(book.catalogue))
  }
  const dropping = book.catalogue?.drops() ?? []
  const known = names.filter((name) => isGood(folderNotes.get(name)) && !dropping.includes(name))
  let snapshots = 0
  for (const [index, name] of known.entries()) {
    onProgress(`database ${index + 1} of ${known.length}: ${name}`)
    const found = book.catalogue === undefined ? await checkBesideHost(data, name, now) : await checkDatabase(folder.database(name), true)
    if (found === undefined) continue
    findings.push(...found.findings)
    notes.push(...found.notes)
    snapshots += found.snapshots
  }
  const segments = folder.lanes.flatMap(({ log }) => log.segments())
  return {
    findings,
    notes,
    leftOut: book.leftOut,
    looked: {
      segments: segments.length,
      logBytes: segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      databases: known.length,
      snapshots,
      states: book.catalogue === undefined ? 0 : known.length,
    },
  }
}

/** A host that runs forgets segments and drops databases meanwhile: what is damaged is so the second time too. */
async function checkBesideHost(data: string, name: string, now: Micros): Promise<DatabaseReport | undefined> {
  const once = async (): Promise<DatabaseReport | undefined> => {
    const history = FolderHistory.open(data, now).find(name)
    return history && checkDatabase(history, false)
  }
  const first = await once()
  return first === undefined || first.findings.length === 0 ? first : once()
}

/** The host's own book, which is its lock: whoever has it is alone in the folder. */
interface Book extends Disposable {
  readonly catalogue: CatalogueFile | undefined
  readonly findings: readonly Finding[]
  readonly leftOut: readonly string[]
}

function openBook(data: string): Book {
  const left = (why: string): readonly string[] => [`state files and the list of databases: ${why}`]
  const without = { catalogue: undefined, [Symbol.dispose]: (): void => undefined }
  if (!existsSync(cataloguePath(data))) {
    const todo = 'restore it from a backup: without it a host lists no database'
    return {
      ...without,
      findings: [finding('catalogue', null, 'host.sqlite', 'it is missing', todo)],
      leftOut: left('without host.sqlite nobody can lock the folder'),
    }
  }
  try {
    const catalogue = new CatalogueFile(data, { create: false })
    return { catalogue, findings: [], leftOut: [], [Symbol.dispose]: () => catalogue.close() }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    if (error.code === 'ERR_FOLDER_LOCKED') return { ...without, findings: [], leftOut: left('a host runs on this folder') }
    return {
      ...without,
      findings: [finding('catalogue', null, 'host.sqlite', error.message, 'restore it from a backup')],
      leftOut: left('without host.sqlite nobody can lock the folder'),
    }
  }
}
