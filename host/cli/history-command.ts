/** Commands that read a data folder themselves, whether a host runs on it or not: their common flags. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'

import { systemClock } from '../clock.ts'
import { checkDatabaseName } from '../database-name.ts'
import { FolderHistory } from '../history/folder-history.ts'
import type { DatabaseHistory } from '../history/folder-history.ts'
import { isDataFolder } from '../storage/data-folder.ts'
import { usage } from './exit-code.ts'
import { command } from './host-command.ts'

export interface FolderOptions {
  readonly data: string
}

export interface HistoryOptions extends FolderOptions {
  readonly database?: string
}

export function folderCommand(name: string, description: string): Command {
  return command(name, description).requiredOption('--data <folder>', 'the data folder of the host')
}

export function historyCommand(name: string, description: string): Command {
  return folderCommand(name, description).addOption(new Option('--database <name>', 'the database').env('REMEMBRANCER_DATABASE'))
}

/** @throws HostError ERR_USAGE, ERR_DATABASE_*, ERR_STORAGE, ERR_LOG_DAMAGED */
export function openHistory({ data, database }: HistoryOptions): DatabaseHistory {
  if (!database) throw usage('which database? Name it with --database or REMEMBRANCER_DATABASE')
  return FolderHistory.open(requireDataFolder(data), systemClock.now()).database(checkDatabaseName(database))
}

export function requireDataFolder(data: string): string {
  if (isDataFolder(data)) return data
  throw usage(`${data} is no data folder of a host: it has no host.sqlite`)
}

/** A place in a database's history, counted from 1. */
export function parsePosition(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('a position is a whole number, counted from 1')
}
