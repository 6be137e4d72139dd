/** What a module may say of itself (docs/module-description.md), and what it is refused for. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import * as limits from '../../host/limits.ts'
import { parseDescription } from '../../host/schema/description.ts'
import { bytesOf, moduleJson, parse, problemOf, rememberTurn, turns, withColumn, withTable } from './description-fixture.ts'
import type { Json } from './description-fixture.ts'

function refused(json: unknown, problem: RegExp): void {
  assert.match(problemOf(json) ?? 'it was taken', problem)
}

test("a subject is a column that can name somebody, and the access log is the host's own table", () => {
  const [table] = parse(withTable({ subject: 'role', audit: 'strict' })).tables
  assert.deepEqual([table?.subject, table?.audit], ['role', 'strict'])
  assert.match(problemOf(withTable({ subject: 'at' })) ?? '', /turns.at cannot be a subject/)
  assert.match(problemOf(withTable({ subject: 'nobody' })) ?? '', /turns.nobody cannot be a subject/)
  assert.match(problemOf(withTable({ audit: 'lax' })) ?? '', /audit/)
  assert.match(problemOf(withTable({ name: 'access_log' })) ?? '', /access_log is the host's own table/)
})

test('policies come as their author wrote them, and what was not said has its meaning', () => {
  const policies = [
    { operation: 'read', expression: "role = 'a'" },
    { operation: 'update', expression: 'true', check: 'at is null', restrictive: true, in: ['remember_turn'] },
  ]
  const [table] = parse(withTable({ policies, ownerSettable: true })).tables
  assert.deepEqual(table?.policies, [{ ...policies[0], check: undefined, restrictive: false, in: undefined }, policies[1]])
  assert.deepEqual([table?.ownerSettable, table?.readableByPolicies], [true, false])
  assert.match(problemOf(withTable({ owner: null, ownerSettable: true })) ?? '', /turns has no owner that could be set/)
  assert.match(problemOf(withTable({ policies: [{ operation: 'write', expression: 'true' }] })) ?? '', /policies\.0\.operation/)
  assert.match(problemOf(withTable({ policies: [{ operation: 'read', expression: 'true', in: [] }] })) ?? '', /policies\.0\.in/)
})

test('the example of docs/module-description.md is taken once its claims table is there', () => {
  const document = readFileSync(new URL('../../docs/module-description.md', import.meta.url), 'utf8')
  const example = JSON.parse(/```json\n([^`]*)```/.exec(document)?.[1] ?? '')
  refused(example, /no table claims/)
  assert.equal(problemOf({ ...example, tables: [...example.tables, { ...turns, name: 'claims' }] }), undefined)
})

test('a description becomes data with its types parsed', () => {
  const [table] = parse(moduleJson()).tables
  assert.deepEqual(table?.columns[0], { name: 'id', type: { kind: 'scalar', scalar: 'u64', nullable: false }, default: undefined })
  assert.equal(table?.owner, 'caller')
})

test('a table without an owner has none', () => {
  assert.equal(parse(withTable({ owner: null })).tables[0]?.owner, undefined)
})

test('bytes that are no UTF-8 JSON are no description', () => {
  for (const bytes of [Buffer.from('{'), Buffer.from([0x22, 0xff, 0x22]), Buffer.from('')]) {
    assert.throws(() => parseDescription(bytes), { code: 'ERR_DESCRIPTION' })
  }
})

test('a description of more than 256 KiB is refused before it is parsed', () => {
  const bytes = Buffer.alloc(limits.descriptionSizeBytesMax + 1, '[')
  assert.throws(() => parseDescription(bytes), /is 262145 bytes, at most 262144/)
})

test('members that the format does not know are refused, at every level', () => {
  refused(moduleJson({ author: 'x' }), /author/)
  refused(withTable({ policy: 'true' } as Json), /policy/)
  refused(withColumn({ name: 'note', type: 'string', index: true }), /index/)
})

test('another format number is refused', () => {
  refused(moduleJson({ format: 2 }), /format/)
})

test('a name that PostgreSQL could not read without quotes is refused', () => {
  for (const name of ['Turns', 'rememberTurn', '1st', '_meta', 'a b', 'select', 'user', '', 'x'.repeat(64), 'a"; DROP TABLE turns; --']) {
    refused(moduleJson({ tables: [{ ...turns, name }], reducers: [] }), /snake_case/)
    refused(withColumn({ name, type: 'string?' }), /snake_case/)
  }
})

test('a name that SQLite keeps for itself is refused', () => {
  refused(moduleJson({ tables: [{ ...turns, name: 'sqlite_sequence' }], reducers: [] }), /snake_case/)
})

test('a parameter may have a name that SQL reserves', () => {
  assert.equal(problemOf(moduleJson({ reducers: [{ ...rememberTurn, params: [{ name: 'limit', type: 'u32' }] }] })), undefined)
})

test('two of a name are refused', () => {
  refused(moduleJson({ tables: [turns, turns] }), /two of table: turns/)
  refused(withColumn({ name: 'role', type: 'string' }), /two of column of turns: role/)
  refused(moduleJson({ reducers: [rememberTurn, rememberTurn] }), /two of reducer: remember_turn/)
  refused(
    moduleJson({
      reducers: [
        {
          ...rememberTurn,
          params: [
            { name: 'a', type: 'u8' },
            { name: 'a', type: 'u8' },
          ],
        },
      ],
    }),
    /two of parameter/,
  )
})

test('a table is named once by a signature, so that a handle is one table', () => {
  refused(moduleJson({ reducers: [{ ...rememberTurn, tables: [...rememberTurn.tables, { table: 'turns', mode: 'read' }] }] }), /two of table of remember_turn/)
})

test('a reducer may take only tables of its own module', () => {
  refused(moduleJson({ reducers: [{ ...rememberTurn, tables: [{ table: '_logins', mode: 'read' }] }] }), /snake_case/)
  refused(moduleJson({ reducers: [{ ...rememberTurn, tables: [{ table: 'people', mode: 'read' }] }] }), /takes people, no table of this module/)
})

test('a query only reads', () => {
  for (const mode of ['append', 'write']) {
    refused(moduleJson({ reducers: [{ ...rememberTurn, kind: 'query', tables: [{ table: 'turns', mode }] }] }), /is a query and may only read turns/)
  }
})

test('an init takes no arguments', () => {
  refused(moduleJson({ reducers: [{ ...rememberTurn, kind: 'init' }] }), /cannot take arguments/)
})

test('a type that is none is refused and shown', () => {
  for (const type of ['u128', 'string[]?', 'u8[][]', 'list<u8>', 'String', '']) {
    refused(
      moduleJson({ reducers: [{ ...rememberTurn, params: [{ name: 'a', type }] }] }),
      new RegExp(`"${type.replaceAll(/[[\]?]/g, String.raw`\$&`)}" is not a type`),
    )
  }
})

test('a column holds a scalar and nothing else', () => {
  for (const type of ['u8[]', 'row:turns', 'void']) refused(withColumn({ name: 'note', type }), /a column cannot be/)
})

test('only a result may be void', () => {
  refused(moduleJson({ reducers: [{ ...rememberTurn, params: [{ name: 'a', type: 'void' }] }] }), /cannot be void/)
})

test('rows and records that a type names must exist', () => {
  refused(moduleJson({ reducers: [{ ...rememberTurn, result: 'row:people[]' }] }), /no table people/)
  refused(moduleJson({ reducers: [{ ...rememberTurn, result: 'record:claim' }] }), /no record claim/)
})

test('a key is one column of a type that has an order and no null', () => {
  for (const type of ['f64', 'json', 'u64?']) {
    refused(
      withTable({
        columns: [
          { name: 'id', type },
          { name: 'caller', type: 'identity' },
        ],
        autoIncrement: false,
      }),
      /turns.id cannot be a key/,
    )
  }
  refused(withTable({ key: 'number' }), /turns.number cannot be a key/)
})

test('what the host counts is a u64', () => {
  refused(withTable({ key: 'role' }), /counts itself and is not u64/)
})

test('an owner is an identity, not null and not the key', () => {
  refused(withTable({ owner: 'role' }), /cannot be an owner/)
  refused(withTable({ owner: 'nobody' }), /cannot be an owner/)
  refused(
    withTable({
      columns: [
        { name: 'id', type: 'u64' },
        { name: 'caller', type: 'identity?' },
      ],
    }),
    /cannot be an owner/,
  )
  refused(withTable({ key: 'caller', autoIncrement: false }), /the owner cannot be the key/)
})

test('an index names columns that are there, once, and neither the owner nor json', () => {
  refused(withTable({ indexes: [{ columns: ['mood'] }] }), /turns.mood cannot be indexed/)
  refused(withTable({ indexes: [{ columns: ['caller'] }] }), /turns.caller cannot be indexed/)
  refused(withTable({ indexes: [{ columns: ['role', 'role'] }] }), /names a column twice/)
  refused(
    withTable({ columns: [...turns.columns, { name: 'note', type: 'json' }], uniques: [{ columns: ['note'], global: false }] }),
    /turns.note cannot be indexed/,
  )
})

test('the same index twice is refused', () => {
  refused(withTable({ indexes: [{ columns: ['role'] }, { columns: ['role'] }] }), /two of index of turns/)
  assert.equal(problemOf(withTable({ indexes: [{ columns: ['role'] }], uniques: [{ columns: ['role'], global: false }] })), undefined)
})

test('a nullable column cannot order a table', () => {
  refused(withTable({ columns: [...turns.columns, { name: 'due', type: 'timestamp?' }], clustered: ['due'] }), /cannot order the table/)
})

test('a default is a value of its column', () => {
  for (const [type, value] of [
    ['u8', 300],
    ['string', 7],
    ['u64', '-1'],
    ['timestamp', 'soon'],
    ['bytes', '!'],
    ['f64', 'NaN'],
    ['string', null],
    ['json', '{'],
    ['u8', [[[]]]],
  ]) {
    refused(withColumn({ name: 'score', type, default: value }), /the default of turns.score/)
  }
  for (const [type, value] of [
    ['u8', 255],
    ['u64', '9223372036854775807'],
    ['string', "it's"],
    ['f64', '-Infinity'],
    ['u8?', null],
    ['json', '{}'],
  ]) {
    assert.equal(problemOf(withColumn({ name: 'score', type, default: value })), undefined, `${type} ${value}`)
  }
})

test('a record that must hold itself is refused, one that may is taken', () => {
  const record = (type: string): Json => moduleJson({ records: [{ name: 'node', fields: [{ name: 'next', type }] }] })
  refused(record('record:node'), /record node contains itself/)
  assert.equal(problemOf(record('record:node?')), undefined)
  assert.equal(problemOf(record('record:node[]')), undefined)
})

test('two records that hold each other are refused', () => {
  const records = [
    { name: 'hen', fields: [{ name: 'egg', type: 'record:egg' }] },
    { name: 'egg', fields: [{ name: 'hen', type: 'record:hen' }] },
  ]
  refused(moduleJson({ records }), /contains itself/)
})

test('every list has its limit', () => {
  const many = (count: number, make: (index: number) => Json): Json[] => Array.from({ length: count }, (_, index) => make(index))
  refused(moduleJson({ tables: many(limits.tablesMax + 1, (index) => ({ ...turns, name: `t${index}` })) }), /tables/)
  refused(withTable({ columns: many(limits.columnsMax + 1, (index) => ({ name: `c${index}`, type: 'bool' })) }), /columns/)
  refused(withTable({ indexes: many(limits.indexesPerTableMax + 1, () => ({ columns: ['role'] })) }), /indexes/)
  refused(moduleJson({ reducers: many(limits.reducersMax + 1, (index) => ({ ...rememberTurn, name: `r${index}` })) }), /reducers/)
})

test('whatever JSON comes, it is taken or refused with ERR_DESCRIPTION', () => {
  const part = fc.oneof(fc.jsonValue(), fc.constantFrom(turns, rememberTurn, [turns], 'u8', '__proto__'))
  fc.assert(
    fc.property(fc.constantFrom('records', 'tables', 'reducers', 'module', '__proto__', 'constructor'), part, (member, value) => {
      try {
        parseDescription(bytesOf({ ...moduleJson(), [member]: value }))
      } catch (error) {
        assert(error instanceof HostError && error.code === 'ERR_DESCRIPTION', String(error))
      }
    }),
    { numRuns: 300 },
  )
})
