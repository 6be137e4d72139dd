import assert from 'node:assert/strict'
import test from 'node:test'

import { compile, describe } from './module-fixture.ts'

test('a module describes its tables, records and reducers', async () => {
  const description = await describe(`
    @table("diaryPages") @clustered("writtenAt") @index("mood", "writtenAt") @unique("mood", "isPublic", { global: true })
    class Page {
      @autoIncrement id: u64;
      @owner author: Identity;
      @index mood: string;
      @unique writtenAt: Timestamp;
      isPublic: bool;
      isPublicYet(): bool { return this.isPublic; }
      static readonly longest: u32 = 10;
    }
    @record class Shelf { pages: Page[]; best: Page | null; next: Shelf | null; }
    @init export function begin(ctx: Context, pages: Appender<Page>): void {}
    @reducer export function writePage(ctx: Context, mood: string, pages: Writer<Page>, isPublic: bool): u64 { return 0; }
    @query export function readShelf(ctx: Context, pages: Reader<Page>, user: Identity): Shelf { return new Shelf([], null, null); }
    @hook export function sessionEnded(ctx: Context): void {}
    export function helper(): void {}
  `)
  assert.deepEqual(description, {
    format: 1,
    sdk: 'assemblyscript',
    module: 'diary',
    records: [
      {
        name: 'shelf',
        fields: [
          { name: 'pages', type: 'row:diary_pages[]' },
          { name: 'best', type: 'row:diary_pages?' },
          { name: 'next', type: 'record:shelf?' },
        ],
      },
    ],
    tables: [
      {
        name: 'diary_pages',
        columns: [
          { name: 'id', type: 'u64' },
          { name: 'author', type: 'identity' },
          { name: 'mood', type: 'string' },
          { name: 'written_at', type: 'timestamp' },
          { name: 'is_public', type: 'bool' },
        ],
        key: 'id',
        autoIncrement: true,
        owner: 'author',
        clustered: ['written_at'],
        uniques: [
          { columns: ['mood', 'is_public'], global: true },
          { columns: ['written_at'], global: false },
        ],
        indexes: [{ columns: ['mood', 'written_at'] }, { columns: ['mood'] }],
      },
    ],
    reducers: [
      { name: 'begin', kind: 'init', tables: [{ table: 'diary_pages', mode: 'append' }], params: [], result: 'void' },
      {
        name: 'write_page',
        kind: 'reducer',
        tables: [{ table: 'diary_pages', mode: 'write' }],
        params: [
          { name: 'mood', type: 'string' },
          { name: 'is_public', type: 'bool' },
        ],
        result: 'u64',
      },
      {
        name: 'read_shelf',
        kind: 'query',
        tables: [{ table: 'diary_pages', mode: 'read' }],
        params: [{ name: 'user', type: 'identity' }],
        result: 'record:shelf',
      },
      { name: 'session_ended', kind: 'hook', tables: [], params: [], result: 'void' },
    ],
  })
})

test('defaults stand in the description as the API writes values', async () => {
  const { tables } = (await describe(`
    @table("pages") class Page {
      @primaryKey name: string;
      @owner author: Identity;
      @default(0x10) score: u32;
      @default(-9_000) balance: i64;
      ratio: f64 = 1.5;
      isPublic: bool = true;
      @default("a \\"b\\" @default") text: string;
      @default(null) note: string | null;
      @default(7) rank: Nullable<u8>;
    }
    // In a comment @default(1) means nothing.
    @reducer export function add(ctx: Context, pages: Appender<Page>): void { pages.insert(new Page("a", 1)); }
  `)) as { tables: { columns: { name: string; default?: unknown }[] }[] }
  assert.deepEqual(
    tables[0]?.columns.filter((column) => 'default' in column),
    [
      { name: 'score', type: 'u32', default: 16 },
      { name: 'balance', type: 'i64', default: '-9000' },
      { name: 'ratio', type: 'f64', default: 1.5 },
      { name: 'is_public', type: 'bool', default: true },
      { name: 'text', type: 'string', default: 'a "b" @default' },
      { name: 'note', type: 'string?', default: null },
      { name: 'rank', type: 'u8?', default: 7 },
    ],
  )
})

test('a function that index.ts exports without a decorator is built with a warning', async () => {
  const { warnings } = await compile('export function recall(ctx: Context): u32 { return 1; }\nfunction helper(): void {}')
  assert.deepEqual(warnings, ['index.ts:2:17 recall: exported without a decorator, so that nobody can call it; @reducer, @query, @init, @hook, or no export'])
})

test('a table without an owner is built with a warning', async () => {
  const { warnings } = await compile('@table("prices") class Price { @primaryKey name: string; cents: u64; }')
  assert.deepEqual(warnings, ['index.ts:2:24 Price: no @owner column and no @policy that opens it, so the table is closed'])
})
