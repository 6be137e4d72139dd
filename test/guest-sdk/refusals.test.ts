/** Every error that the transform finds. A `¦` in a source marks the place that its message names. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { refusal } from './module-fixture.ts'

const COLUMN_TYPES =
  'bool, u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, string, Uint8Array, Identity, Timestamp, Json, ' +
  '`| null` of the last five, Nullable<…> of the others'
const VALUE_TYPES = `${COLUMN_TYPES}, a @table or @record class, \`| null\` of one, and T[] of what is not null`
const KEY_TYPES = 'an integer, bool, string, Uint8Array, Identity or Timestamp, not nullable'

/** A table that is right, for functions that need one. */
const TURNS = '@table("turns") class Turn { @autoIncrement id: u64; @owner caller: Identity; role: string; }\n'

function columns(text: string): string {
  return `@table("turns")\nclass Turn {\n  @autoIncrement id: u64;\n  @owner caller: Identity;\n  ${text}\n}`
}

function tableWith(decorators: string): string {
  return `@table("turns") ${decorators}\nclass Turn { @autoIncrement id: u64; @owner caller: Identity; role: string; at: Timestamp | null; }`
}

/** `more` errors may follow the one that is named. */
async function refused(source: string, message: string, more = 0): Promise<void> {
  const before = source.slice(0, source.indexOf('¦')).split('\n')
  const place = `index.ts:${before.length + 1}:${(before.at(-1)?.length ?? 0) + 1}`
  assert.deepEqual((await refusal(source.replace('¦', ''))).slice(0, more === 0 ? undefined : -more), [`${place} ${message}`])
}

test('a type that no column can hold is refused with what is allowed', async () => {
  await refused(columns('score: ¦f16;'), `Turn.score: f16 is not a column type; allowed: ${COLUMN_TYPES}`)
  await refused(columns('tags: ¦string[];'), `Turn.tags: string[] is not a column type; allowed: ${COLUMN_TYPES}`)
  await refused(columns('score: ¦u32 | null;'), `Turn.score: u32 | null is not a column type; allowed: ${COLUMN_TYPES}`)
  await refused(columns('name: ¦Nullable<string>;'), `Turn.name: Nullable<string> is not a column type; allowed: ${COLUMN_TYPES}`)
})

test('an index over a column that is not there is refused with the nearest one', async () => {
  await refused(tableWith('@index(¦"rule")'), 'Turn: @index names "rule", no column of it; did you mean role?; allowed: id, caller, role, at')
  await refused(tableWith('@clustered(¦"when")'), 'Turn: @clustered names "when", no column of it; allowed: id, caller, role, at')
})

test('an index that names no columns, one twice, or the owner is refused', async () => {
  await refused(tableWith('¦@index'), 'Turn: @index on a class names columns, @index("at")')
  await refused(tableWith('@unique("role", ¦"role")'), 'Turn: @unique names "role" twice')
  await refused(tableWith('@index(¦"caller")'), 'Turn.caller: the owner leads every index already; leave it out')
  await refused(tableWith('@unique("role", ¦{ globally: true })'), 'Turn: @unique takes column names and { global: true }, not { globally: true }')
  await refused(columns('¦@index("role") role: string;'), 'Turn.role: @index on a column names no columns; write @index("a", "b") on the class for several')
})

test('an order that the host could not keep is refused', async () => {
  await refused(columns('@index ¦extra: Json;'), 'Turn.extra: Json has no order and cannot be indexed')
  await refused(tableWith('¦@clustered("at")'), 'Turn.at: a nullable column cannot order the table')
  await refused(tableWith('@clustered("role") ¦@clustered("id")'), 'Turn: a table has one physical order, so @clustered stands once')
})

test('a table has exactly one key', async () => {
  await refused(
    '@table("turns") class ¦Turn { @owner caller: Identity; role: string; }',
    'Turn: no key; give one column @autoIncrement (a u64 that the host counts) or @primaryKey',
  )
  await refused(columns('@primaryKey ¦role: string;'), 'Turn.role: a second key; id is one already')
})

test('a key that cannot find one row is refused', async () => {
  const keyed = (key: string): string => `@table("turns") class Turn { ${key} @owner caller: Identity; }`
  await refused(keyed('@autoIncrement ¦id: u32;'), 'Turn.id: @autoIncrement counts in u64, not in u32')
  await refused(keyed('@primaryKey ¦name: string | null;'), `Turn.name: string | null cannot be a key; allowed: ${KEY_TYPES}`)
  await refused(keyed('@primaryKey ¦score: f64;'), `Turn.score: f64 cannot be a key; allowed: ${KEY_TYPES}`)
  await refused(
    '@table("people") class Person { @primaryKey @owner ¦caller: Identity; }',
    'Person.caller: the owner is part of every key; choose another column as @primaryKey',
  )
})

test('a row belongs to one identity', async () => {
  await refused(columns('@owner ¦other: Identity;'), 'Turn.other: a second @owner; caller is one already')
  await refused('@table("turns") class Turn { @autoIncrement id: u64; @owner ¦caller: string; }', 'Turn.caller: an @owner is an Identity, not string')
})

test('a subject is one column that can name somebody', async () => {
  await refused(columns('@subject patient: u64; @subject ¦other: string;'), 'Turn.other: a second @subject; patient is one already')
  await refused(columns('@subject ¦at: Timestamp;'), 'Turn.at: a @subject is an Identity, a string or an integer, not Timestamp')
  await refused(tableWith('¦@audit("lax")'), 'Turn: @audit takes "strict": the access log is on the disk before an answer leaves')
  await refused(TURNS.replace('"turns"', '¦"access_log"'), '@table("access_log"): this is the host\'s own table; choose another name')
})

test('an owner takes one option', async () => {
  await refused(
    '@table("turns") class Turn { @autoIncrement id: u64; @owner(¦{ set: true }) caller: Identity; }',
    'Turn.caller: @owner takes { settable: true }, not { set: true }',
  )
})

const POLICY = '@policy("read", "expression", { in: ["reducer"], restrictive: true, check: "expression" })'

test('a policy that is not written as one is refused', async () => {
  await refused(tableWith('¦@policy("read")'), `Turn: a policy is written ${POLICY}, the last part only where it is needed`)
  await refused(tableWith('@policy(¦"raed", "true")'), 'Turn: @policy("raed"); did you mean read?; allowed: read, insert, update, delete, all')
  await refused(tableWith('@policy("read", "true", ¦{ only: true })'), `Turn: a policy is written ${POLICY}, not with { only: true }`)
  await refused(tableWith('@policy("read", "true", ¦{ in: [] })'), `Turn: a policy is written ${POLICY}, not with { in: [] }`)
})

test('an expression that means nothing is refused with a caret under the place', async () => {
  const source = tableWith('@policy("read", "caller = sender and rule = 1")').split('\n')
  assert.deepEqual(await refusal(source.join('\n')), [
    'index.ts:2:33 Turn: @policy("read"): turns has no column rule; it has id, caller, role, at',
    '  caller = sender and rule = 1',
    '                      ^',
  ])
  await refusedPolicy('@policy("update", "true", { check: ¦"role = 1" })', 'an integer cannot be compared with a text', 'role = 1', 7)
  await refusedPolicy('@policy("update", "true", { in: ¦["keepTurn"] })', 'there is no reducer keep_turn; there is none')
})

async function refusedPolicy(decorator: string, message: string, text?: string, at = 0): Promise<void> {
  const source = tableWith(decorator)
  const column = source.slice(0, source.indexOf('¦')).length + 1
  const lines = text === undefined ? [] : [`  ${text}`, `  ${' '.repeat(at)}^`]
  assert.deepEqual(await refusal(source.replace('¦', '')), [`index.ts:2:${column} Turn: @policy("update"): ${message}`, ...lines])
}

test('without an owner a key or a unique that tells of hidden rows is said aloud', async () => {
  const open = (members: string): string => `@table("teams") @policy("all", "true") class Team { ${members} }`
  const tells = 'reaches over the rows of everybody, so that a refusal tells of rows that the caller may not see'
  await refused(
    open('¦@primaryKey name: string;'),
    `Team.name: without an @owner the key ${tells}; write @primaryKey({ global: true }), or @autoIncrement for random ids`,
  )
  await refused(open('@primaryKey(¦{ globally: true }) name: string;'), 'Team.name: @primaryKey takes { global: true }, not { globally: true }', 1)
  await refused(
    '@table("teams") @policy("all", "true") class ¦Team { @autoIncrement id: u64; @unique name: string; }',
    `Team: without an @owner the unique (name) ${tells}; write { global: true } if it may`,
  )
})

test('two names that would be one in SQL are refused', async () => {
  await refused(columns('openedAt: u64; ¦opened_at: u64;'), 'opened_at: two columns of Turn would be called opened_at, this and openedAt')
  await refused(
    `${TURNS}@table(¦"Turns") class Other { @autoIncrement id: u64; @owner caller: Identity; }`,
    'Turns: two tables would be called turns, this and turns',
  )
  await refused(
    '@query export function readAll(ctx: Context): void {}\n@query export function ¦read_all(ctx: Context): void {}',
    'read_all: two reducers would be called read_all, this and readAll',
  )
  await refused(
    '@query export function read(ctx: Context, fooBar: u32, ¦foo_bar: u32): void {}',
    'foo_bar: two parameters of read would be called foo_bar, this and fooBar',
  )
})

test('names that SQL could not say are refused', async () => {
  await refused(columns('¦user: string;'), 'Turn.user: user is a word that PostgreSQL reserves; choose another name')
  await refused(
    '@table(¦"order") class Order { @autoIncrement id: u64; @owner caller: Identity; }',
    '@table("order"): order is a word that PostgreSQL reserves; choose another name',
  )
  await refused('@record class ¦Select { at: u64; }', 'class Select: select is a word that PostgreSQL reserves; choose another name')
  await refused('@query export function ¦select(ctx: Context): void {}', 'function select: select is a word that PostgreSQL reserves; choose another name')
  await refused(columns('¦$x: u32;'), 'Turn.$x: "$x" is not a name; allowed: a letter, then letters, digits and _, at most 63')
})

test('a reducer has a context and is exported', async () => {
  await refused(`${TURNS}@reducer export function add(¦turns: Appender<Turn>): void {}`, 'add: the first parameter is ctx: Context')
  await refused('@reducer export function ¦add(): void {}', 'add: the first parameter is ctx: Context')
  await refused('@reducer function ¦add(ctx: Context): void {}', 'add: a @reducer is exported; write export function add')
  await refused('@reducer ¦@query export function add(ctx: Context): void {}', 'add: one of @reducer, @query, @init, @hook, not two')
})

test('a signature that is no grant is refused', async () => {
  await refused(
    `${TURNS}class Note {}\n@reducer export function add(ctx: Context, notes: Appender<¦Note>): void {}`,
    'add(notes): Note is no @table class; allowed: Turn',
  )
  await refused(
    `${TURNS}@query export function add(ctx: Context, turns: ¦Writer<Turn>): void {}`,
    'add(turns): a @query only reads; take a Reader<Turn>, or make the function a @reducer',
  )
  await refused(
    `${TURNS}@reducer export function add(ctx: Context, a: Reader<Turn>, ¦b: Appender<Turn>): void {}`,
    'add(b): Turn is taken twice, this and a; one Writer reads and writes',
  )
  await refused('@init export function begin(ctx: Context, ¦size: u32): void {}', 'begin(size): @init runs at the first publish and takes no arguments')
})

test('a value that cannot cross is refused', async () => {
  await refused(
    '@query export function read(ctx: Context, by: ¦Map<string, u32>): void {}',
    `read(by): Map<string, u32> cannot be a parameter; allowed: ${VALUE_TYPES}, and Reader, Appender, Writer`,
  )
  await refused(
    '@query export function read(ctx: Context): ¦Set<u32> { return new Set<u32>(); }',
    `read: Set<u32> cannot be a result; allowed: void, ${VALUE_TYPES}`,
  )
  await refused('@record class Found { at: ¦Date; }', `Found.at: Date cannot be in a record; allowed: ${VALUE_TYPES}`)
  await refused(
    '@query export function read(ctx: Context, ¦by: u32 = 0): void {}',
    'read(by): every parameter is given; use `| null` or Nullable<…> for what may be absent',
  )
})

test('a default is a literal that the column can hold', async () => {
  await refused(columns('@default(¦-1) score: u32;'), 'Turn.score: -1 cannot be the default of u32; allowed: an integer from 0 to 4294967295')
  await refused(
    columns('score: u64 = ¦9223372036854775808;'),
    'Turn.score: 9223372036854775808 cannot be the default of u64; allowed: an integer from 0 to 9223372036854775807',
  )
  await refused(columns('@default(¦"yes") open: bool;'), 'Turn.open: "yes" cannot be the default of bool; allowed: true, false')
  await refused(columns('@default(¦null) name: string;'), 'Turn.name: null cannot be the default of string; allowed: a string literal')
  await refused(columns('@default(¦0) at: Timestamp;'), 'Turn.at: 0 cannot be the default of Timestamp; allowed: no default, make the column nullable')
  await refused(columns('@default(¦1 + 1) score: u32;'), 'Turn.score: 1 + 1 cannot be the default of u32; allowed: an integer from 0 to 4294967295')
  await refused(columns('¦@default(1) score: u32 = 1;'), 'Turn.score: one default, as @default(value) or as an initializer')
})

test('a decorator that is none is refused with the nearest one', async () => {
  await refused(
    columns('¦@primryKey name: string;'),
    'Turn.name: @primryKey is no decorator here; did you mean @primaryKey?; allowed: @autoIncrement, @primaryKey, @owner, @subject, @index, @unique, @default',
  )
  await refused(
    '¦@tabel("turns") class Turn {}',
    'Turn: @tabel is no decorator here; did you mean @table?; allowed: @table, @record, @index, @unique, @clustered, @policy, @readableByPolicies, @audit, @agent',
  )
  await refused(
    '¦@reduce export function add(ctx: Context): void {}',
    'add: @reduce is no decorator here; did you mean @reducer?; allowed: @reducer, @query, @init, @hook',
  )
  await refused('¦@index("id") class Turn { id: u64; }', 'Turn: @index stands on a class with @table only')
  await refused('@record class Found { ¦@index at: u64; }', 'Found.at: @index is for columns of a @table')
})

test('a decorator with arguments that nobody would read is refused', async () => {
  await refused(columns('¦@unique("role") name: string;'), 'Turn.name: @unique on a column names no columns; write @unique("a", "b") on the class for several')
  await refused('@table("turns") class Turn { ¦@autoIncrement(7) id: u64; @owner caller: Identity; }', 'Turn.id: @autoIncrement takes no arguments')
  await refused('¦@table() class Turn { @autoIncrement id: u64; @owner caller: Identity; }', 'Turn: @table takes the table\'s name, @table("turns")')
})

test('one name means one class, and a class one thing', async () => {
  await refused(`${TURNS}@record class ¦Turn { at: u64; }`, 'class Turn: two classes would be called Turn, this and class Turn')
  await refused('@table("turns") @record class ¦Turn { @autoIncrement id: u64; @owner caller: Identity; }', 'Turn: a class is a @table or a @record, not both')
  await refused('@record class ¦Empty {}', 'Empty: a record has at least one field')
})

test('what the transform writes, the author does not', async () => {
  await refused(
    columns('¦constructor() {}'),
    'Turn: a @table class has no constructor of its own; it gets one that takes the columns in order, without @autoIncrement and @owner',
  )
  await refused('class Base {}\n@record class Found extends ¦Base { a: u32; }', 'Found: a @record class extends no other; write its fields out')
  await refused(columns('readonly ¦at: u64;'), 'Turn.at: drop readonly, the row is filled field by field')
})

test('all errors of a module are shown at once', async () => {
  assert.deepEqual(await refusal(columns('user: string;\n  score: f16;')), [
    'index.ts:6:3 Turn.user: user is a word that PostgreSQL reserves; choose another name',
    `index.ts:7:10 Turn.score: f16 is not a column type; allowed: ${COLUMN_TYPES}`,
  ])
})

test('an error of the language has the same form', async () => {
  await refused('@query export function read(ctx: Context): u32 { return ¦"text"; }', `Type '~lib/string/String' is not assignable to type 'u32'. (AS2322)`)
  await refused('@query export function read(ctx: Context): u32 { return 1; }\n¦}', 'Expression expected. (AS1109)')
})

test('what AssemblyScript has and a module has not is refused where it is used', async () => {
  const query = (body: string): string => `@query export function read(ctx: Context): f64 { ${body} }`
  await refused(query('/* console.log */ ¦console.log("read"); return 1;'), 'console.log is not there in a module: write ctx.log("…")')
  await refused(query('return <f64>¦Date.now();'), 'Date.now is not there in a module: take ctx.timestamp, the time of the call')
  await refused(query('return ¦Math.random();'), 'Math.random is not there in a module: write ctx.random()')
})

test('what is imported from elsewhere is refused with its name', async () => {
  const source = 'declare function ask(): u32;\n@query export function read(ctx: Context): u32 { return ask(); }'
  const message = '"index.ask" is imported and no host gives it: a module reaches only ctx and the tables that its functions take'
  assert.deepEqual(await refusal(source), [`index.ts:1:1 ${message}`])
})
