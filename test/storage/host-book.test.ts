/** The host's own book: what is read from it is what was written, or no host starts on it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import Sqlite from 'better-sqlite3'
import fc from 'fast-check'

import { openHost } from '../../host/open-host.ts'
import { CatalogueFile } from '../../host/storage/catalogue-file.ts'
import { DataFolder } from './folder.ts'

function change(folder: DataFolder, statement: string): void {
  const file = new Sqlite(folder.at('host.sqlite'))
  file.exec(statement)
  file.close()
}

for (const [table, statement] of [
  ['lanes', 'UPDATE lanes SET count = 3'],
  ['databases', "UPDATE databases SET name = 'anni' WHERE name = 'anna'"],
  ['databases', "DELETE FROM databases WHERE name = 'anna'"],
  ['tenants', "INSERT INTO tenants (name) VALUES ('acme')"],
  ['drops', "INSERT INTO drops (name) VALUES ('anna')"],
  ['keys', "UPDATE keys SET ring = replace(ring, 'a', 'b')"],
] as const) {
  test(`no host starts on a book that somebody has changed: ${statement}`, async () => {
    using folder = new DataFolder()
    {
      await using host = await openHost({ data: folder.path })
      for (const name of ['anna', 'bert']) await host.database(name, { create: true })
    }
    change(folder, statement)
    const message = `host.sqlite, the host's own book, is not what was written (${table}): restore it from a backup`
    await assert.rejects(openHost({ data: folder.path }), { code: 'ERR_STORAGE', message })
    using catalogue = new CatalogueFile(folder.path, { create: false })
    assert.deepEqual(catalogue.problems(), [`its table ${table} is not what was written`])
  })
}

const names = fc.constantFrom('anna', 'bert', 'cora')
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('create' as const), name: names }),
    fc.record({ kind: fc.constant('publish' as const), name: names }),
    fc.record({ kind: fc.constant('drop' as const), name: names }),
    fc.record({ kind: fc.constant('begin drop' as const), name: names }),
    fc.record({ kind: fc.constant('start again' as const) }),
  ),
  { maxLength: 12 },
)

test('a book is whole after any changes of its host', () => {
  fc.assert(
    fc.property(steps, (history) => {
      using folder = new DataFolder()
      let catalogue = new CatalogueFile(folder.path)
      catalogue.createTenant('default')
      catalogue.keyRing()
      catalogue.laneCount(2)
      for (const [index, step] of history.entries()) {
        if (step.kind === 'start again') {
          catalogue.close()
          catalogue = new CatalogueFile(folder.path)
        } else if (step.kind === 'create' && catalogue.database(step.name) === undefined) catalogue.addDatabase(step.name, 'default')
        else if (step.kind === 'publish') catalogue.noteModule(step.name, 'claims', index)
        else if (step.kind === 'drop') catalogue.removeDatabase(step.name)
        else if (step.kind === 'begin drop') catalogue.beginDrop(step.name)
      }
      assert.deepEqual(catalogue.problems(), [])
      catalogue.close()
    }),
    { numRuns: 20 },
  )
})

test('a book of a host that kept no sums gets them at its next start', () => {
  using folder = new DataFolder()
  {
    using catalogue = new CatalogueFile(folder.path)
    catalogue.createTenant('default')
  }
  change(folder, 'DROP TABLE sums')
  new CatalogueFile(folder.path).close()
  change(folder, "UPDATE tenants SET name = 'defauld'")
  assert.throws(() => new CatalogueFile(folder.path), { code: 'ERR_STORAGE' })
})
