/** Holds the host's own book against the folders of the databases, and these against each other. */
import { HostError } from '../errors.ts'
import { laneOf } from '../lane.ts'
import type { CatalogueFile } from '../storage/catalogue-file.ts'
import { databaseFolder } from '../storage/data-folder.ts'
import { readDatabaseNote } from '../storage/database-note.ts'
import { firstKept, hexOf } from '../storage/log-history.ts'
import type { DatabaseId } from '../storage/system-tables.ts'
import { finding } from './finding.ts'
import type { Finding } from './finding.ts'
import type { FolderHistory } from './folder-history.ts'

/** Which database each folder is, by its note. */
export type FolderNotes = ReadonlyMap<string, DatabaseId | BadNote>

interface BadNote {
  readonly what: string
  readonly todo: string
}

export function isGood(note: DatabaseId | BadNote | undefined): note is DatabaseId {
  return note !== undefined && 'uid' in note
}

export function readNotes(data: string, names: readonly string[]): FolderNotes {
  return new Map(names.map((name) => [name, readNote(databaseFolder(data, name))]))
}

function readNote(folder: string): DatabaseId | BadNote {
  try {
    const todo = 'restore it from a backup: without it no host opens the database'
    return readDatabaseNote(folder) ?? { what: 'the note of which database this is, database.json, is missing', todo }
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const [what = '', ...todo] = error.message.split(': ')
    return { what, todo: todo.join(': ') }
  }
}

/** What can be said without the book. */
export function checkFolders(notes: FolderNotes): readonly Finding[] {
  const found: Finding[] = []
  const first = new Map<string, string>()
  for (const [name, note] of notes) {
    const file = `databases/${name}/database.json`
    if (!isGood(note)) {
      found.push(finding('catalogue', name, file, note.what, note.todo))
      continue
    }
    const other = first.get(hexOf(note.uid))
    first.set(hexOf(note.uid), other ?? name)
    if (other === undefined) continue
    found.push(
      finding('catalogue', name, file, `it is the same database as ${other}`, 'move the copy out of the data folder: two of one history spoil each other'),
    )
  }
  return found
}

export function checkCatalogue(catalogue: CatalogueFile, folder: FolderHistory, notes: FolderNotes): readonly Finding[] {
  const dropping = new Set(catalogue.drops())
  const entries = new Map(catalogue.databases().map((entry) => [entry.name, entry]))
  const missing = [...entries.keys()].filter((name) => !notes.has(name) && !dropping.has(name))
  const unknown = [...notes.keys()].filter((name) => !entries.has(name) && !dropping.has(name))
  return [
    ...missing.map((name) =>
      finding('catalogue', name, `databases/${name}`, 'the database is listed, and its folder is not there', 'restore its folder from a backup'),
    ),
    ...unknown.map((name) =>
      finding(
        'catalogue',
        name,
        `databases/${name}`,
        'the folder is there, and the database is not listed',
        'if its creation was broken off, create it again; otherwise restore host.sqlite from a backup',
      ),
    ),
    ...[...entries.values()].flatMap(({ name, tenant }) => tenantFinding(name, tenant, notes.get(name))),
    ...laneFindings(catalogue, folder, notes),
  ]
}

/** What a host was about to remove when it ended. */
export function dropNotes(catalogue: CatalogueFile): readonly string[] {
  return catalogue.drops().map((name) => `${name} was being dropped: the next start finishes that`)
}

function tenantFinding(name: string, tenant: string, note: DatabaseId | BadNote | undefined): readonly Finding[] {
  if (!isGood(note) || note.tenant === tenant) return []
  const what = `the folder is of a database of tenant ${note.tenant}, and the listed one is ${tenant}'s`
  return [finding('catalogue', name, `databases/${name}/database.json`, what, 'restore the folder of the listed database from a backup')]
}

/** The name of a database, and the number of lanes, say in which its records are. */
function laneFindings(catalogue: CatalogueFile, { lanes }: FolderHistory, notes: FolderNotes): readonly Finding[] {
  const count = catalogue.storedLaneCount
  if (count === undefined) return []
  return [...notes].flatMap(([name, note]) => {
    const found = isGood(note) ? lanes.find(({ log }) => firstKept(log, note.uid) !== undefined) : undefined
    if (found === undefined || found.lane === laneOf(name, count)) return []
    const what = `its records are in log ${found.lane}, and a database of this name looks in log ${laneOf(name, count)}`
    return [finding('catalogue', name, `databases/${name}`, what, 'restore host.sqlite, which says how many logs there are, from a backup of this folder')]
  })
}
