/**
 * The tables that the host itself keeps in each database's file: what makes the file complete by
 * itself. Their names begin with an underscore, which no table of a module can.
 */
import { hash } from 'node:crypto'

import { HostError } from '../errors.ts'
import { firstChain } from '../log/record.ts'
import type { DatabaseFile } from './database-file.ts'
import { storeHead } from './head.ts'

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
CREATE TABLE _calls (
  day INTEGER NOT NULL, call_key BLOB NOT NULL, digest BLOB NOT NULL, version INTEGER NOT NULL, result BLOB NOT NULL,
  PRIMARY KEY (day, call_key)) STRICT, WITHOUT ROWID;
CREATE TABLE _head (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, chain BLOB NOT NULL, timestamp INTEGER NOT NULL) STRICT;
`

/** Which database this is: what its records in the log are known by, whatever it is called. */
export interface DatabaseId {
  /** 16 random bytes, drawn when the database was made. */
  readonly uid: Uint8Array
  readonly tenant: string
}

export const databaseUidSizeBytes = 16

/** The tenant as a record's header has it. */
export function tenantId(tenant: string): Uint8Array {
  return hash('sha256', tenant, 'buffer').subarray(0, 16)
}

/** Makes the system tables of a new file, which is at the beginning of its history. */
export function createSystemTables(file: DatabaseFile, { uid, tenant }: DatabaseId): void {
  file.transaction(() => {
    file.execute(statements)
    setMeta(file, 'format', formatVersion)
    setMeta(file, 'uid', Buffer.from(uid).toString('hex'))
    setMeta(file, 'tenant', tenant)
    storeHead(file, { position: 0n, chain: firstChain(uid), timestamp: 0n })
  })
}

/** @throws HostError ERR_STORAGE for a file that another program or a later host wrote, or that lost what it held. */
export function checkSystemTables(file: DatabaseFile): void {
  if (file.statement("SELECT 1 FROM sqlite_schema WHERE name = '_meta'").row([]) === undefined) {
    throw new HostError('ERR_STORAGE', 'the database file is empty or of another program: restore it from a backup')
  }
  const found = meta(file, 'format')
  if (found !== formatVersion) {
    throw new HostError('ERR_STORAGE', `the database file has format ${String(found)}, this host knows ${formatVersion}: use the release that wrote it`)
  }
}

export function loadDatabaseId(file: DatabaseFile): DatabaseId {
  const uid = meta(file, 'uid')
  const tenant = meta(file, 'tenant')
  if (typeof uid !== 'string' || !/^[0-9a-f]{32}$/.test(uid) || typeof tenant !== 'string') {
    throw new HostError('ERR_STORAGE', 'the database file does not say which database it is: it is damaged')
  }
  return { uid: Buffer.from(uid, 'hex'), tenant }
}

export function meta(file: DatabaseFile, key: string): bigint | string | undefined {
  const value = file.statement('SELECT value FROM _meta WHERE key = ?').row([key])?.[0]
  return typeof value === 'bigint' || typeof value === 'string' ? value : undefined
}

export function setMeta(file: DatabaseFile, key: string, value: bigint | string): void {
  file.statement('INSERT INTO _meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run([key, value])
}
