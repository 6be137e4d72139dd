/** Where things are in a data folder (docs/architecture.md, On disk). */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The host's own book, and its lock on the folder. */
export function cataloguePath(data: string): string {
  return join(data, 'host.sqlite')
}

export function databaseFolder(data: string, name: string): string {
  return join(data, 'databases', name)
}

export function laneFolder(data: string, lane: number): string {
  return join(data, 'log', String(lane))
}

/** The table of a database's access log, derived from the log of its lane. */
export function accessIndexPath(folder: string): string {
  return join(folder, 'access.sqlite')
}

/** The access log of the same lane. */
export function accessFolder(data: string, lane: number): string {
  return join(data, 'access', String(lane))
}

/** The names of the databases that have a folder, sorted. */
export function databaseFolders(data: string): readonly string[] {
  return foldersIn(join(data, 'databases')).sort()
}

/** The numbers of the lanes that have a log, in their order. */
export function laneFolders(data: string): readonly number[] {
  return numbersIn(join(data, 'log'))
}

/** The same of those that have an access log. */
export function accessFolders(data: string): readonly number[] {
  return numbersIn(join(data, 'access'))
}

function numbersIn(folder: string): readonly number[] {
  return foldersIn(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((left, right) => left - right)
}

/** Also one that has lost its book. */
export function isDataFolder(data: string): boolean {
  return existsSync(cataloguePath(data)) || (existsSync(join(data, 'databases')) && existsSync(join(data, 'log')))
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
}
