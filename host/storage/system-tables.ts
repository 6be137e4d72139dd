/**
 * The tables that the host itself keeps in each database's file: what makes the file complete by
 * itself. Their names begin with an underscore, which no table of a module can.
 */
import { HostError } from '../errors.ts'
import type { DatabaseFile } from './database-file.ts'

/** Changes when a stored format does; a host refuses what a later one wrote. */
const formatVersion = 1n

const statements = `
CREATE TABLE _meta (key TEXT NOT NULL PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE _modules (
  version INTEGER NOT NULL PRIMARY KEY, hash TEXT NOT NULL, core BLOB NOT NULL, fuel_schedule INTEGER NOT NULL, description BLOB NOT NULL,
  schema_version INTEGER NOT NULL, policy_version INTEGER NOT NULL, published_at INTEGER NOT NULL, published_by TEXT NOT NULL) STRICT;
CREATE TABLE _schemas (version INTEGER NOT NULL PRIMARY KEY, schema TEXT NOT NULL) STRICT;
CREATE TABLE _last_ids (
  table_id INTEGER NOT NULL, owner BLOB NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (table_id, owner)) STRICT, WITHOUT ROWID;
CREATE TABLE _identities (identity BLOB NOT NULL PRIMARY KEY, minted_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE _logins (
  issuer TEXT NOT NULL, subject TEXT NOT NULL, identity BLOB NOT NULL, own_identity BLOB,
  PRIMARY KEY (issuer, subject)) STRICT, WITHOUT ROWID;
CREATE INDEX _logins_identity ON _logins (identity);
CREATE TABLE _login_events (
  seq INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
  before BLOB, after BLOB NOT NULL, by TEXT NOT NULL) STRICT;
`

/**
 * Makes the system tables of a new file and checks those of an old one.
 *
 * @throws HostError ERR_STORAGE for a file that another program or a later host wrote, or that lost what it held.
 */
export function prepareSystemTables(file: DatabaseFile, create: boolean): void {
  const isEmpty = file.statement('SELECT 1 FROM sqlite_schema LIMIT 1').row([]) === undefined
  if (isEmpty && create) {
    file.transaction(() => {
      file.execute(statements)
      setMeta(file, 'format', formatVersion)
    })
  }
  if (file.statement("SELECT 1 FROM sqlite_schema WHERE name = '_meta'").row([]) === undefined) {
    throw new HostError('ERR_STORAGE', 'the database file is empty or of another program: restore it from a backup')
  }
  const found = meta(file, 'format')
  if (found !== formatVersion) {
    throw new HostError('ERR_STORAGE', `the database file has format ${String(found)}, this host knows ${formatVersion}: use the release that wrote it`)
  }
}

export function meta(file: DatabaseFile, key: string): bigint | string | undefined {
  const value = file.statement('SELECT value FROM _meta WHERE key = ?').row([key])?.[0]
  return typeof value === 'bigint' || typeof value === 'string' ? value : undefined
}

export function setMeta(file: DatabaseFile, key: string, value: bigint | string): void {
  file.statement('INSERT INTO _meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run([key, value])
}
