/** A database that cannot be had whole is refused by its name, and all others of its host start and work. */
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'

import { SectionWriter } from '../../host/log/sections.ts'
import { RecordBatch } from '../../host/log/record-batch.ts'
import type { RecordKind } from '../../host/log/record.ts'
import { noVersions } from '../../host/reducer/journal.ts'
import { noCallKey } from '../../host/storage/call-results.ts'
import { readDatabaseNote } from '../../host/storage/database-note.ts'
import { fileLog } from '../../host/shard/file-log.ts'
import { DataFolder, StoppedClock } from '../storage/folder.ts'
import { OpenShard } from './open-shard.ts'
import { first } from './versions.ts'

const others = ['bert', 'cora']

async function threeDatabases(): Promise<DataFolder> {
  const folder = new DataFolder()
  await using shard = new OpenShard({ folder })
  for (const database of ['anna', ...others]) {
    await shard.create(database)
    await shard.publish(database, first)
    await shard.stamp(database, 1)
  }
  return folder
}

/** Puts a record into the log that no host of ours has written, where the next one of anna would stand. */
async function appendPoison(folder: DataFolder, kind: RecordKind, sections: Uint8Array): Promise<void> {
  const database = readDatabaseNote(folder.at('databases', 'anna'))?.uid ?? new Uint8Array(16)
  const log = fileLog(folder.path, 0, new StoppedClock())
  const { heads, epoch } = await log.acquire()
  const { position = 0n, chain = new Uint8Array(32) } = heads.get(Buffer.from(database).toString('hex')) ?? {}
  const records = new RecordBatch()
  const facts = { database, tenant: new Uint8Array(16), timestamp: 1_900_000_000_000_000n, seed: [0n, 0n], fuel: 0, hostVersion: 1, sqliteVersion: 1 } as const
  records.add({ kind, epoch, position: position + 1n, callKey: noCallKey, ...noVersions, ...facts }, sections, chain)
  log.append(records, (outcome) => assert.ok('firstSequence' in outcome))
  await log.release()
}

async function annaIsRefusedAlone(folder: DataFolder): Promise<void> {
  await using shard = new OpenShard({ folder })
  for (let time = 0; time < 2; time++) {
    await assert.rejects(
      shard.stamp('anna', 1),
      (error: Error & { code?: string }) => /^ERR_(STORAGE|LOG_DAMAGED)$/.test(error.code ?? '') && error.message.includes('database anna'),
    )
    for (const database of others) assert.equal(await shard.stamp(database, 1), 'first')
  }
}

function sections(name: 'operations' | 'schema' | 'meta' | 'identities', bytes: readonly number[]): Uint8Array {
  const writer = new SectionWriter()
  writer.add(name, Uint8Array.from(bytes))
  return writer.view()
}

const text = (value: string): readonly number[] => [value.length, 0, 0, 0, ...Buffer.from(value)]

const poisons: readonly (readonly [string, RecordKind, Uint8Array])[] = [
  ['has bytes that are no sections', 'call', Uint8Array.of(1, 2, 3)],
  ['has no operations', 'call', new Uint8Array(0)],
  ['has an operation on no table', 'call', sections('operations', [1, 0, 0, 0, 0, 99, 0, 0, 0])],
  ['has an operation that ends early', 'call', sections('operations', [1, 0, 0, 0, 0, 1, 0, 0, 0, 7])],
  ['has a schema that does not read', 'publish', sections('schema', text('{'))],
  ['has a schema that is none', 'publish', sections('schema', text('{"schema":{},"changes":[]}'))],
  ['has a change of nothing', 'publish', sections('schema', text('{"schema":{"version":9,"tables":[]},"changes":[{"kind":"create-table","table":{"id":5}}]}'))],
  ['has a login that ends early', 'identity', sections('identities', [0, 1, 0])],
  ['is of a kind that this host does not write', 'grant', new Uint8Array(0)],
]

suite('poisoned databases', () => {
  for (const [what, kind, payload] of poisons) {
    test(`a record that ${what} keeps its own database out, and no other`, async () => {
      using folder = await threeDatabases()
      await appendPoison(folder, kind, payload)
      await annaIsRefusedAlone(folder)
      // Nor without its file, which would have to be made of the same record.
      rmSync(folder.at('databases', 'anna', 'state.sqlite'))
      await annaIsRefusedAlone(folder)
    })
  }

  test('a payload that is spoiled in the log keeps its own database out when that needs it', async () => {
    using folder = await threeDatabases()
    const uid = readDatabaseNote(folder.at('databases', 'anna'))?.uid ?? new Uint8Array(16)
    const path = folder.at('log', '0', '00000000000000000001.log')
    const bytes = readFileSync(path)
    // In a record's header the uid stands at byte 24, and its payload begins at byte 224.
    const payload = bytes.indexOf(uid, bytes.indexOf(uid) + 1) + 200
    bytes[payload + 30] = (bytes[payload + 30] ?? 0) ^ 1
    writeFileSync(path, bytes)
    {
      await using shard = new OpenShard({ folder })
      assert.equal(await shard.stamp('anna', 1), 'first')
      for (const database of others) assert.equal(await shard.stamp(database, 1), 'first')
    }
    rmSync(folder.at('databases', 'anna', 'state.sqlite'))
    await using shard = new OpenShard({ folder })
    await assert.rejects(shard.stamp('anna', 1), { code: 'ERR_LOG_DAMAGED', message: /database anna: record \d+ does not follow record \d+/ })
    for (const database of others) assert.equal(await shard.stamp(database, 1), 'first')
  })

  for (const [what, spoil] of [
    [
      'a note of another database',
      (folder: DataFolder): void => cpSync(folder.at('databases', 'bert', 'database.json'), folder.at('databases', 'anna', 'database.json')),
    ],
    [
      'the files of another database',
      (folder: DataFolder): void => {
        rmSync(folder.at('databases', 'anna'), { recursive: true })
        cpSync(folder.at('databases', 'bert'), folder.at('databases', 'anna'), { recursive: true })
      },
    ],
    ['no note', (folder: DataFolder): void => rmSync(folder.at('databases', 'anna', 'database.json'))],
    [
      'a file where its folder was',
      (folder: DataFolder): void => {
        rmSync(folder.at('databases', 'anna'), { recursive: true })
        writeFileSync(folder.at('databases', 'anna'), '')
      },
    ],
    [
      'a folder where its file was',
      (folder: DataFolder): void => {
        rmSync(folder.at('databases', 'anna', 'state.sqlite'))
        cpSync(folder.at('log'), folder.at('databases', 'anna', 'state.sqlite'), { recursive: true })
      },
    ],
    ['no folder', (folder: DataFolder): void => rmSync(folder.at('databases', 'anna'), { recursive: true })],
  ] as const) {
    test(`a database with ${what} is refused alone`, async () => {
      using folder = await threeDatabases()
      spoil(folder)
      await annaIsRefusedAlone(folder)
    })
  }
})
