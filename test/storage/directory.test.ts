/** Logins and the people behind them: minted once, linked, unlinked, and undone with their transaction. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Login } from '../../host/identity.ts'
import { DatabaseFile } from '../../host/storage/database-file.ts'
import { applyDirectoryChange, Directory } from '../../host/storage/directory.ts'
import type { DirectoryChange } from '../../host/storage/directory.ts'
import { createSystemTables } from '../../host/storage/system-tables.ts'
import { DataFolder, StoppedClock } from './folder.ts'

const phone: Login = { issuer: 'phone', subject: '+1 555 0100' }
const browser: Login = { issuer: 'browser', subject: 'sarah' }
const bob: Login = { issuer: 'browser', subject: 'bob' }

class OpenDirectory implements Disposable {
  readonly #folder = new DataFolder()
  file = this.#openFile()
  readonly changes: DirectoryChange[] = []
  directory = this.#openDirectory()

  #openFile(): DatabaseFile {
    const file = new DatabaseFile({ path: this.#folder.at('state.sqlite'), create: true })
    if (file.statement('SELECT 1 FROM sqlite_schema LIMIT 1').row([]) === undefined) createSystemTables(file, { uid: Buffer.alloc(16, 1), tenant: 'default' })
    return file
  }

  #openDirectory(): Directory {
    const clock = new StoppedClock()
    return new Directory(
      this.file,
      () => clock.now(),
      (change) => this.changes.push(change),
    )
  }

  /** As after a restart of the host. */
  reopen(): void {
    this.file.close()
    this.file = this.#openFile()
    this.directory = this.#openDirectory()
  }

  /** The identity of a login as a call of its own sees it. */
  identityOf(login: Login): string {
    return this.file.transaction(() => Buffer.from(this.directory.identify(login)).toString('hex'))
  }

  rows(table: string): unknown[][] {
    return this.file.statement(`SELECT * FROM ${table} ORDER BY 1, 2`).rows([])
  }

  count(table: string): bigint {
    return this.file.statement(`SELECT count(*) FROM ${table}`).row([])?.[0] as bigint
  }

  [Symbol.dispose](): void {
    this.file.close()
    this.#folder[Symbol.dispose]()
  }
}

test('a login gets 32 random bytes at first sight and keeps them over a restart', () => {
  using opened = new OpenDirectory()
  const first = opened.identityOf(phone)
  assert.match(first, /^[0-9a-f]{64}$/)
  assert.equal(opened.identityOf(phone), first)
  opened.reopen()
  assert.equal(opened.identityOf(phone), first)
})

test('the same login in another database is somebody else', () => {
  using one = new OpenDirectory()
  using other = new OpenDirectory()
  assert.notEqual(one.identityOf(phone), other.identityOf(phone))
})

test('two logins are two people, however their parts are cut', () => {
  using opened = new OpenDirectory()
  const logins = [
    { issuer: 'a', subject: 'b\nc' },
    { issuer: 'a\nb', subject: 'c' },
    { issuer: 'a 1', subject: '2' },
    { issuer: 'a', subject: '1 2' },
    { issuer: 'A', subject: '1 2' },
  ]
  assert.equal(new Set(logins.map((login) => opened.identityOf(login))).size, logins.length)
})

test('an identity minted in a transaction that is rolled back is minted anew', () => {
  using opened = new OpenDirectory()
  opened.file.begin()
  const lost = Buffer.from(opened.directory.identify(phone)).toString('hex')
  opened.file.rollback()
  opened.directory.forget()
  assert.notEqual(opened.identityOf(phone), lost)
  assert.equal(opened.count('_identities'), 1n)
})

test('a linked login is the person it was linked to', () => {
  using opened = new OpenDirectory()
  const [sarah, before] = [opened.identityOf(browser), opened.identityOf(phone)]
  assert.equal(opened.directory.link(phone, browser, 'admin'), sarah)
  assert.equal(opened.identityOf(phone), sarah)
  assert.notEqual(before, sarah)
})

test('an unlinked login is the person it was before', () => {
  using opened = new OpenDirectory()
  const [sarah, before] = [opened.identityOf(browser), opened.identityOf(phone)]
  opened.directory.link(phone, browser, 'admin')
  assert.equal(opened.directory.unlink(phone, 'admin'), before)
  assert.deepEqual([opened.identityOf(phone), opened.identityOf(browser)], [before, sarah])
})

test('a login that was linked before it was ever seen gets an identity of its own when unlinked', () => {
  using opened = new OpenDirectory()
  const sarah = opened.identityOf(browser)
  opened.directory.link(phone, browser, 'admin')
  const own = opened.directory.unlink(phone, 'admin')
  assert.notEqual(own, sarah)
  assert.equal(opened.identityOf(phone), own)
})

test('a login that is linked elsewhere is not taken away from there', () => {
  using opened = new OpenDirectory()
  const sarah = opened.identityOf(browser)
  opened.directory.link(phone, browser, 'admin')
  assert.throws(() => opened.directory.link(phone, bob, 'admin'), { code: 'ERR_LOGIN_LINKED' })
  assert.equal(opened.identityOf(phone), sarah)
})

test('linking twice to the same person is once', () => {
  using opened = new OpenDirectory()
  opened.directory.link(phone, browser, 'admin')
  assert.equal(opened.directory.link(phone, browser, 'admin'), opened.identityOf(browser))
})

test('a login that was never seen cannot be unlinked', () => {
  using opened = new OpenDirectory()
  assert.throws(() => opened.directory.unlink(phone, 'admin'), { code: 'ERR_LOGIN_UNKNOWN' })
})

test('the list shows every identity with its logins, also one that has none left', () => {
  using opened = new OpenDirectory()
  const [sarah, lonely] = [opened.identityOf(browser), opened.identityOf(phone)]
  opened.directory.link(phone, browser, 'admin')
  const list = new Map(opened.directory.list().map(({ identity, logins }) => [String(identity), logins]))
  assert.deepEqual(
    list,
    new Map([
      [sarah, [browser, phone]],
      [lonely, []],
    ]),
  )
})

test('every link and unlink leaves who did what', () => {
  using opened = new OpenDirectory()
  const [sarah, before] = [opened.identityOf(browser), opened.identityOf(phone)]
  opened.directory.link(phone, browser, 'anna')
  opened.directory.unlink(phone, 'ben')
  const events = opened.file.statement('SELECT kind, issuer, subject, hex(before), hex(after), by FROM _login_events ORDER BY seq').rows([])
  const [hexBefore, hexSarah] = [before.toUpperCase(), sarah.toUpperCase()]
  assert.deepEqual(events, [
    ['link', phone.issuer, phone.subject, hexBefore, hexSarah, 'anna'],
    ['unlink', phone.issuer, phone.subject, hexSarah, hexBefore, 'ben'],
  ])
})

test('the changes of a directory, applied to another file, make it the same', () => {
  using opened = new OpenDirectory()
  opened.identityOf(bob)
  opened.directory.link(phone, browser, 'admin')
  opened.directory.unlink(phone, 'admin')
  using other = new OpenDirectory()
  other.file.transaction(() => {
    for (const change of opened.changes) applyDirectoryChange(other.file, change)
  })
  for (const table of ['_identities', '_logins', '_login_events']) assert.deepEqual(other.rows(table), opened.rows(table))
})
