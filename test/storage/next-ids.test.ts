/** Counted ids: one counter for each table and owner, and no id twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { print } from '../../host/plan/printer.ts'
import { u64Max } from '../../host/row-codec.ts'
import { NextIds } from '../../host/storage/next-ids.ts'
import { createSystemTables } from '../../host/storage/system-tables.ts'
import { TableWriter } from '../../host/storage/table-writer.ts'
import { DatabaseFile } from '../../host/storage/database-file.ts'
import { tableOf } from '../plan/table-fixture.ts'
import { DataFolder } from './folder.ts'

const turns = tableOf()
const notes = { ...tableOf({ name: 'notes' }), id: 100 }
const [sarah, bob] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

class Counted implements Disposable {
  readonly #folder = new DataFolder()
  readonly file = new DatabaseFile({ path: this.#folder.at('state.sqlite'), create: true })
  readonly #writer = new TableWriter(this.file, turns)
  ids = new NextIds(this.file)

  constructor() {
    createSystemTables(this.file, { uid: Buffer.alloc(16, 1), tenant: 'default' })
    for (const table of [turns, notes]) this.file.execute(print({ kind: 'create-table', table }).sql)
  }

  /** A call that inserts a row and is kept. */
  insert(owner: Uint8Array, id = this.ids.take(turns, owner)): bigint {
    this.#writer.insert([[id, owner, 'caller', 'hi', 0n]])
    this.ids.keep()
    return id
  }

  delete(owner: Uint8Array, id: bigint): void {
    this.#writer.delete([id, owner, 'caller', 'hi', 0n])
  }

  /** As after a restart: nothing is known but the file. */
  restart(): void {
    this.ids = new NextIds(this.file)
  }

  [Symbol.dispose](): void {
    this.file.close()
    this.#folder[Symbol.dispose]()
  }
}

test('each owner counts from 1 and learns nothing of how busy others are', () => {
  using counted = new Counted()
  assert.deepEqual([counted.insert(sarah), counted.insert(sarah), counted.insert(bob), counted.insert(sarah)], [1n, 2n, 1n, 3n])
})

test('each table counts for itself', () => {
  using counted = new Counted()
  counted.insert(sarah)
  assert.equal(counted.ids.take(notes, sarah), 1n)
})

test('counting goes on after a restart', () => {
  using counted = new Counted()
  counted.insert(sarah)
  counted.restart()
  assert.equal(counted.insert(sarah), 2n)
})

test('a deleted id is not given again, not even after a restart', () => {
  using counted = new Counted()
  counted.insert(sarah)
  counted.delete(sarah, counted.insert(sarah))
  counted.restart()
  assert.equal(counted.insert(sarah), 3n)
})

test('deleting an older row takes nothing back', () => {
  using counted = new Counted()
  const ids = [counted.insert(sarah), counted.insert(sarah)]
  for (const id of ids.toReversed()) counted.delete(sarah, id)
  counted.restart()
  assert.equal(counted.insert(sarah), 3n)
})

test('a failed call gives its ids back, since nobody has seen them', () => {
  using counted = new Counted()
  counted.insert(sarah)
  counted.ids.take(turns, sarah)
  counted.ids.take(turns, sarah)
  counted.ids.giveBack()
  assert.equal(counted.insert(sarah), 2n)
})

test('what a rolled back transaction took is forgotten', () => {
  using counted = new Counted()
  counted.file.begin()
  counted.insert(sarah)
  counted.file.rollback()
  counted.ids.forget()
  assert.equal(counted.insert(sarah), 1n)
})

test('the last id is 2^63 − 1, and after it there is none', () => {
  using counted = new Counted()
  counted.insert(sarah, u64Max - 1n)
  assert.equal(counted.insert(sarah), u64Max)
  assert.throws(() => counted.ids.take(turns, sarah), { code: 'ERR_ID_EXHAUSTED' })
  assert.equal(counted.insert(bob), 1n)
})
