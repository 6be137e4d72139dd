/**
 * Statements that try to see what their sender may not, to outlive their budget, or to break what reads
 * them. Each is really run: over letters between others, notes of others, and a table of a million steps.
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, test } from 'node:test'

import { HostError } from '../../host/errors.ts'
import { buildModule } from '../../host/module/build.ts'
import { openModule } from '../../host/testing.ts'

const module = await openModule((await buildModule(path.join(import.meta.dirname, '../modules/letters'), { optimize: false })).component)
after(() => module.close())

const canary = 'CANARY-7f3a'
const [sarah, bob, mallory] = [await module.as('sarah'), await module.as('bob'), await module.as('mallory')]
await sarah.call('befriend', [bob.identity])
await bob.call('befriend', [sarah.identity])
await sarah.call('write_letter', [bob.identity, `${canary} to bob`])
await sarah.call('write_letter', [sarah.identity, `${canary} to herself`])
await sarah.call('add_note', [`${canary} title`, `${canary} topic`])
await sarah.call('set_setting', [canary, canary])
await mallory.call('add_note', ['mine', 'mine'])
await mallory.call('write_letter', [mallory.identity, 'mine'])

/** Everything that a client learns of a statement. */
function told(sql: string, params: readonly unknown[] = [], explain = true): string {
  try {
    const answer = mallory.sql(sql, params, { explain })
    return JSON.stringify(answer, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    assert.notEqual(error.code, 'ERR_INTERNAL')
    assert.notEqual(error.code, 'ERR_STORAGE', error.message)
    return JSON.stringify({ code: error.code, message: error.message, detail: error.detail })
  }
}

function leaksNothing(answer: string): void {
  assert.ok(!answer.includes(canary), answer)
  assert.ok(!answer.includes(sarah.identity), answer)
}

/** What is refused, by its code. */
const refused: Readonly<Record<string, readonly string[]>> = {
  ERR_SQL_NAME: [
    'SELECT * FROM _meta',
    'SELECT * FROM "_identities"',
    'SELECT * FROM sqlite_schema',
    'SELECT * FROM sqlite_master',
    'SELECT * FROM main.letters',
    'SELECT * FROM public.letters',
    'SELECT * FROM temp.letters',
    'SELECT * FROM pg_catalog.pg_class',
    'SELECT * FROM information_schema.tables',
    'SELECT * FROM "letters "',
    'SELECT * FROM "LETTERS"',
    'SELECT * FROM "letters"" AS x"',
    'SELECT * FROM "letters\' OR 1=1 --"',
    'SELECT rowid FROM letters',
    'SELECT oid FROM letters',
    'SELECT ctid FROM letters',
    'SELECT tableoid FROM letters',
    'SELECT letters FROM letters',
    'SELECT main.letters.text FROM letters',
    'SELECT load_extension($1) FROM letters',
    'SELECT readfile($1) FROM letters',
    'SELECT randomblob(1000000000) FROM notes',
    'SELECT zeroblob(1000000000) FROM notes',
    'SELECT printf($1, id) FROM notes',
    'SELECT pg_sleep(10)',
    "SELECT current_setting('app.sender')",
    "SELECT set_config('a', 'b', true)",
    'SELECT _step(), _touch(1, 2), _seen(1)',
    'SELECT _divide(1, 0)',
    'SELECT pg_catalog.lower(title) FROM notes',
    'SELECT generate_series(1, 1000000)',
    'SELECT writer, count(*) FROM letters',
    'SELECT n.title FROM notes AS n ORDER BY x.title',
    'SELECT ＊ FROM notes',
    `SELECT 1 FROM ${'notes JOIN '.repeat(500)}notes${' ON true'.repeat(500)}`,
    'SELECT __proto__ FROM notes',
    'SELECT constructor FROM notes',
    'SELECT * FROM constructor',
    'SELECT toString(id) FROM notes',
  ],
  ERR_SQL_UNSUPPORTED: [
    'SELECT',
    'SELECT ?1',
    'SELECT @name',
    'SELECT * FROM notes, letters',
    'SELECT * FROM notes CROSS JOIN letters',
    'SELECT * FROM notes JOIN letters ON true',
    'SELECT * FROM notes LEFT JOIN letters ON letters.writer = notes.author',
    'SELECT * FROM notes NATURAL JOIN letters',
    'SELECT * FROM notes JOIN letters USING (id)',
    'SELECT * FROM (SELECT * FROM letters) AS x',
    'SELECT * FROM notes, LATERAL (SELECT * FROM letters) AS x',
    'SELECT * FROM generate_series(1, 10) AS x',
    'SELECT * FROM letters TABLESAMPLE BERNOULLI (100)',
    'SELECT * FROM ONLY letters',
    'WITH letters AS (SELECT 1 AS id) SELECT * FROM letters',
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r',
    'WITH x AS (DELETE FROM letters RETURNING *) SELECT * FROM x',
    'SELECT title FROM notes UNION SELECT text FROM letters',
    'SELECT title FROM notes INTERSECT SELECT text FROM letters',
    'SELECT title FROM notes EXCEPT SELECT text FROM letters',
    'VALUES (1), (2)',
    'TABLE letters; TABLE notes',
    'SELECT 1; SELECT text FROM letters',
    'SELECT 1; DROP TABLE letters',
    'SELECT 1 /* a comment */; -- another\nDELETE FROM letters',
    'DELETE FROM letters',
    "UPDATE letters SET text = ''",
    'INSERT INTO letters SELECT * FROM letters',
    'DROP TABLE letters',
    'CREATE TEMP VIEW letters AS SELECT 1',
    'CREATE SCHEMA x',
    'COPY letters TO STDOUT',
    'EXPLAIN ANALYZE SELECT * FROM letters',
    'SET search_path = x',
    'BEGIN',
    'PREPARE x AS SELECT 1',
    'DO $$ BEGIN END $$',
    'SELECT * INTO x FROM letters',
    'SELECT * FROM letters FOR UPDATE',
    'SELECT (SELECT text FROM letters LIMIT 1)',
    'SELECT ARRAY(SELECT text FROM letters)',
    'SELECT id = ANY (ARRAY[1, 2]) FROM notes',
    'SELECT count(*) OVER (ORDER BY id) FROM letters',
    "SELECT count(*) FILTER (WHERE text LIKE 'CANARY%') FROM letters",
    'SELECT title COLLATE "C" FROM notes',
    "SELECT title ~ '(a+)+$' FROM notes",
    "SELECT title SIMILAR TO 'a' FROM notes",
    "SELECT title ILIKE 'a%' FROM notes",
    'SELECT title LIKE ANY (ARRAY[title]) FROM notes',
    "SELECT identity('x', 'sarah')",
    "SELECT identity('x', 'sarah') = sender()",
    "SELECT identity('x', 'sarah') IS NULL",
    "SELECT title FROM notes WHERE author < identity('x', 'sarah')",
    "SELECT title FROM notes ORDER BY identity('x', 'sarah')",
    "SELECT coalesce(identity('x', 'sarah'), sender())",
    "SELECT 'notes'::regclass",
    "SELECT '1 day'::interval",
    'SELECT CURRENT_TIMESTAMP',
    'SELECT CURRENT_USER',
    'SELECT $101',
    'SELECT GROUPING(id) FROM notes',
    'SELECT title FROM notes WHERE count(*) > 0',
    `SELECT ${'('.repeat(3_000)}1${')'.repeat(3_000)} + ${'1+'.repeat(2_000)}1`,
    `SELECT ${'NOT '.repeat(1_000)}true`,
    `SELECT 1 FROM notes WHERE ${'id = 1 OR '.repeat(1_000)}false`,
    `SELECT 1 FROM notes WHERE id IN (${'1,'.repeat(2_000)}1)`,
    `SELECT ${'(SELECT '.repeat(500)}1${')'.repeat(500)}`,
    `SELECT 1 FROM notes WHERE ${'EXISTS (SELECT 1 FROM notes WHERE '.repeat(20)}true${')'.repeat(20)}`,
  ],
  ERR_SQL_SYNTAX: [
    '',
    ';',
    '-- nothing',
    'SELECT 1 FROM',
    'PRAGMA table_info(letters)',
    "SELECT 'a",
    'SELECT /* 1',
    'SELECT * FROM `letters`',
    'SELECT * FROM [letters]',
    'SELECT :name',
    'SELECT 1\0; DROP TABLE letters',
    'SELECT \ud800',
    `SELECT '${'a'.repeat(17_000)}'`,
    `SELECT ${'CASE WHEN true THEN '.repeat(900).slice(0, 16_000)}`,
  ],
  ERR_SQL_TYPE: [
    "SELECT 'a'::text + 1",
    'SELECT title + 1 FROM notes',
    'SELECT id || title FROM notes',
    'SELECT * FROM letters WHERE text',
    "SELECT * FROM letters WHERE writer = 'sarah'",
    'SELECT * FROM letters WHERE writer = 1',
    'SELECT 99999999999999999999',
    'SELECT 1e999',
    'SELECT * FROM notes LIMIT -1',
    "SELECT * FROM notes LIMIT '1'",
    'SELECT sum(title) FROM notes',
    'SELECT max(author) FROM notes',
    'SELECT * FROM notes WHERE title = $1 AND id = $1',
    "SELECT extract('canary' FROM at) FROM notes",
  ],
}

let attacks = 0
for (const [code, statements] of Object.entries(refused)) {
  for (const sql of statements) {
    attacks++
    test(`${code}: ${JSON.stringify(sql.slice(0, 70))}`, () => {
      const answer = told(sql, sql.includes('$1') ? ['1'] : [])
      leaksNothing(answer)
      assert.equal((JSON.parse(answer) as { code?: string }).code, code, answer)
    })
  }
}

/** Those that run: what they tell of others is nothing, and what they fail at are rows of one's own. */
const harmless: readonly (readonly [string, ...unknown[]])[] = [
  ['SELECT * FROM letters'],
  ['SELECT * FROM notes'],
  ['SELECT * FROM settings'],
  ['SELECT * FROM friends'],
  ['SELECT "text" FROM "letters"'],
  ['SELECT LETTERS.TEXT FROM Letters'],
  ['SELECT U&\'\\0061\' FROM U&"letter\\0073"'],
  ['TABLE letters'],
  ['SELECT/**/text/**/FROM/**/letters--'],
  ['SELECT text FROM letters WHERE true OR true'],
  ["SELECT text FROM letters WHERE '1' = '1' OR writer = writer"],
  ['SELECT notes.title FROM letters AS notes_ JOIN notes ON notes.author = notes_.writer'],
  ['SELECT sqlite_schema.title FROM notes AS sqlite_schema'],
  ['SELECT _t1.text FROM notes AS _t1_ JOIN letters AS _t1 ON _t1.writer = _t1_.author'],
  ['SELECT text FROM letters AS _step WHERE EXISTS (SELECT 1 FROM notes AS _seen)'],
  ['SELECT text FROM letters WHERE EXISTS (SELECT 1 FROM notes WHERE notes.author <> sender())'],
  ['SELECT text FROM letters WHERE id IN (SELECT id FROM letters AS inner_letters)'],
  ['SELECT title FROM notes WHERE id IN (SELECT id FROM notes AS n WHERE n.author <> sender())'],
  ['SELECT title FROM notes WHERE NOT EXISTS (SELECT 1 FROM notes AS n WHERE n.author <> notes.author)'],
  ['SELECT text FROM letters WHERE text LIKE $1', 'CANARY%'],
  ['SELECT count(*), count(DISTINCT text), min(text), max(text), max(at) FROM letters'],
  ['SELECT writer, count(*) FROM letters GROUP BY writer'],
  ['SELECT text FROM letters GROUP BY text HAVING text > $1', 'A'],
  ['SELECT DISTINCT text FROM letters ORDER BY text'],
  ['SELECT text FROM letters ORDER BY text DESC OFFSET 1'],
  ['SELECT text FROM letters WHERE writer <> sender()'],
  ['SELECT text FROM letters WHERE writer = $1', sarah.identity],
  ['SELECT text FROM letters WHERE reader = $1', Buffer.from(bob.identity, 'hex')],
  ['SELECT title FROM notes WHERE author = $1', sarah.identity],
  ["SELECT text FROM letters WHERE writer = identity('x', 'sarah')"],
  ['SELECT text FROM letters WHERE text = $1', "x' OR '1'='1"],
  ['SELECT text FROM letters WHERE text = $1', '\u0027 OR 1=1 --'],
  // Oracles: each would fail, or take long, at a row of somebody else's.
  ["SELECT 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) FROM letters"],
  ["SELECT id FROM letters WHERE 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) = 1"],
  ["SELECT id FROM letters ORDER BY 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END)"],
  ["SELECT sum(1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END)) FROM letters"],
  ["SELECT text FROM letters GROUP BY text HAVING 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) = 1"],
  ["SELECT text FROM letters GROUP BY text ORDER BY 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END)"],
  ["SELECT title FROM notes WHERE EXISTS (SELECT 1 FROM letters WHERE 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) = 1)"],
  ["SELECT title FROM notes WHERE id IN (SELECT 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) FROM letters)"],
  ["SELECT notes.title FROM notes JOIN letters ON letters.writer = notes.author AND 1 / (CASE WHEN letters.text LIKE 'CANARY%' THEN 0 ELSE 1 END) = 1"],
  ["SELECT letters.id FROM letters JOIN notes ON notes.author = letters.writer WHERE 1 / (CASE WHEN letters.text LIKE 'CANARY%' THEN 0 ELSE 1 END) = 1"],
  ["SELECT coalesce(nullif(1, 1), 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END)) FROM letters"],
  ["SELECT DISTINCT 1 / (CASE WHEN text LIKE 'CANARY%' THEN 0 ELSE 1 END) FROM letters"],
  ["SELECT count(*) FROM letters WHERE (text || text) = 'x'"],
]

for (const [sql, ...params] of harmless) {
  attacks++
  test(`tells nothing of others: ${sql.slice(0, 90)}`, () => {
    const answer = told(sql, params)
    leaksNothing(answer)
    assert.equal((JSON.parse(answer) as { code?: string }).code, undefined, answer)
  })
}

test('there are at least sixty attacks', () => assert.ok(attacks >= 60, String(attacks)))

test('smuggled parameters are values, and of the kinds that the statement gives them', () => {
  const code = (params: readonly unknown[]): unknown =>
    (JSON.parse(told('SELECT title FROM notes WHERE author = $1 AND id = $2', params)) as { code?: string }).code
  for (const params of [[], [sarah.identity], [sarah.identity, 1, 2]]) assert.equal(code(params), 'ERR_ARGUMENT_COUNT')
  for (const bad of [{}, [], 1.5, '1; DROP TABLE notes', Number.NaN, undefined, Symbol.iterator, { valueOf: () => 1 }]) {
    assert.equal(code([sarah.identity, bad]), 'ERR_ARGUMENT_TYPE')
  }
  assert.equal(code([sarah.identity, 2n ** 63n]), 'ERR_ARGUMENT_RANGE')
  for (const bad of ['', sarah.identity.slice(1), Buffer.alloc(31), `${sarah.identity}00`]) assert.equal(code([bad, 1]), 'ERR_ARGUMENT_TYPE')
})

test('a statement that examines everything and returns nothing ends by its budget, and soon', async () => {
  for (let start = 0; start < 3; start++) {
    await Promise.all(Array.from({ length: 250 }, (_unused, index) => mallory.call('add_note', [`note ${start} ${index}`, 'many'])))
  }
  const heavy = [
    "SELECT 1 FROM notes WHERE EXISTS (SELECT 1 FROM notes AS b WHERE EXISTS (SELECT 1 FROM notes AS c WHERE c.id <> b.id AND c.title || b.title || notes.title = 'x'))",
    "SELECT count(*) FROM notes AS a JOIN notes AS b ON b.author = a.author JOIN notes AS c ON c.author = b.author WHERE a.title = 'x' OR b.title = 'x' OR c.title = 'x'",
    'SELECT a.id FROM notes AS a JOIN notes AS b ON b.author = a.author JOIN notes AS c ON c.author = b.author ORDER BY c.title LIMIT 1',
    'SELECT DISTINCT a.title FROM notes AS a JOIN notes AS b ON b.author = a.author JOIN notes AS c ON c.author = b.author',
  ]
  for (const sql of heavy) {
    const start = performance.now()
    assert.equal((JSON.parse(told(sql)) as { code?: string }).code, 'ERR_SQL_BUDGET', sql)
    assert.ok(performance.now() - start < 10_000, `${sql} took ${performance.now() - start} ms`)
  }
})

test('texts that grow are bounded', () => {
  let text = 'title'
  for (let index = 0; index < 12; index++) text = `replace(${text}, 'o', 'ooooooooooooooooooooooooooooooo')`
  assert.equal((JSON.parse(told(`SELECT length(${text}) FROM notes`)) as { code?: string }).code, 'ERR_SQL_BUDGET')
})

test('a pattern that goes back again and again costs what it does', () => {
  const pattern = '%a'.repeat(120)
  const answer = told(`SELECT count(*) FROM notes WHERE replace(title, 'o', $1) LIKE $2`, ['ab'.repeat(20_000), `${pattern}%c`])
  assert.equal((JSON.parse(answer) as { code?: string }).code, 'ERR_SQL_BUDGET', answer)
})

test('more rows than an answer holds are refused', () => {
  const sql = 'SELECT a.id FROM notes AS a JOIN notes AS b ON b.author = a.author'
  assert.equal((JSON.parse(told(sql)) as { code?: string }).code, 'ERR_SQL_BUDGET')
  assert.equal(mallory.sql(`${sql} LIMIT 10000`).returned, 10_000)
})
