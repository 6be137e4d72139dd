/** Attacks in a module's description of itself: the only words of a module that the host believes. */
import { bounded, refused } from '../attack.ts'
import type { Attack, PublishAttack } from '../attack.ts'
import { aroundCore } from '../generated.ts'
import { attackingGuest } from '../guest.ts'
import type { GuestShape } from '../guest.ts'

const id = { name: 'id', type: 'u64' }
const owner = { name: 'caller', type: 'identity' }
const owned = { key: 'id', autoIncrement: true, owner: 'caller', clustered: [], uniques: [], indexes: [] }
const table = (name: string, column = 'content', more: object = {}): object => ({
  name,
  columns: [id, owner, { name: column, type: 'string', ...more }],
  ...owned,
})
const reducer = { name: 'go', kind: 'reducer', tables: [], params: [], result: 'void' }

const described = (name: string, number: number, description: GuestShape['description'], expected = refused('ERR_DESCRIPTION')): PublishAttack => ({
  kind: 'publish',
  group: 'publish',
  name,
  number,
  expected,
  component: () => attackingGuest({ reducers: [], ...(description === undefined ? {} : { description: { reducers: [reducer], ...description } }) }),
})

const policed = (name: string, expression: string): PublishAttack =>
  described(name, 70, { tables: [{ ...table('notes'), policies: [{ operation: 'read', expression }] }] }, refused('ERR_POLICY'))

/** The text in place of the description's own, which is longer. */
function rawDescription(name: string, text: string | Uint8Array): PublishAttack {
  return {
    kind: 'publish',
    group: 'publish',
    number: 71,
    name,
    expected: refused('ERR_DESCRIPTION'),
    component: () =>
      aroundCore((core) => core.replace(/\)$/, `(data (i32.const 16) "\\00\\20\\00\\00${size(text)}") (data (i32.const 8192) "${escaped(text)}"))`)),
  }
}

const size = (text: string | Uint8Array): string => escaped(Buffer.from(new Uint32Array([Buffer.from(text).length]).buffer))
const escaped = (text: string | Uint8Array): string =>
  Buffer.from(text)
    .toString('hex')
    .replaceAll(/../g, String.raw`\$&`)

export const descriptionAttacks: readonly Attack[] = [
  described('names a table with SQL in it', 70, { tables: [table('notes; drop table secrets')] }),
  described('names a table with quotes in it', 70, { tables: [table('a"b')] }),
  described('names a column with SQL in it', 70, { tables: [table('notes', 'x text); --')] }),
  described('names a table like one of SQLite’s own', 70, { tables: [table('sqlite_sequence')] }),
  described('names a table __proto__', 70, { tables: [table('__proto__')] }),
  described('names a reducer constructor', 70, { reducers: [{ ...reducer, name: 'constructor' }] }, bounded()),
  described('names a column twice', 71, { tables: [table('notes', 'caller')] }),
  described('names a table twice', 71, { tables: [table('notes'), table('notes')] }),
  described('owns a table by a column that is no identity', 71, { tables: [{ ...table('notes'), owner: 'content' }] }),
  described('grants a query the right to write', 32, {
    tables: [table('notes')],
    reducers: [{ ...reducer, kind: 'query', tables: [{ table: 'notes', mode: 'write' }] }],
  }),
  described('takes a table that it does not have', 32, { tables: [], reducers: [{ ...reducer, tables: [{ table: 'notes', mode: 'read' }] }] }),
  described('declares a record that contains itself', 71, { records: [{ name: 'endless', fields: [{ name: 'self', type: 'record:endless' }] }] }),
  described('declares a member that descriptions do not have', 71, { isAdmin: true }),
  described('declares a member whose name moves the cursor', 25, { 'reducers\u001b[2J\u202e\u2028': [] }),
  described('declares five hundred and one reducers', 71, { reducers: Array.from({ length: 501 }, (_, index) => ({ ...reducer, name: `r${index}` })) }),
  rawDescription(
    'gives a default nested twenty thousand deep',
    `{"format":1,"sdk":"","module":"m","records":[],"reducers":[],"tables":[${JSON.stringify(table('notes', 'content', { default: 'DEEP' })).replace('"DEEP"', `${'['.repeat(20_000)}1${']'.repeat(20_000)}`)}]}`,
  ),
  policed('writes a policy that is SQL', '1 = 1) or 1=1; drop table notes; --'),
  policed('writes a policy nested deeper than a stack', `${'('.repeat(900)}true${')'.repeat(900)}`),
  policed('writes a policy whose text moves the cursor', "content = '\u001b[2J' \u202e and"),
  policed('looks through a policy into a table that no policy may read', 'exists(notes as n where n.id = notes.id)'),
  policed('compares what cannot be compared in a policy', 'content > 5'),
  described('writes a policy longer than any', 71, {
    tables: [{ ...table('notes'), policies: [{ operation: 'read', expression: 'true or '.repeat(300) + 'true' }] }],
  }),
  described('writes policies of more literals than a statement takes', 71, {
    tables: [{ ...table('notes'), policies: Array.from({ length: 32 }, () => ({ operation: 'read', expression: `id in (${'1,'.repeat(900)}1)` })) }],
  }),
  described('writes thirty-three policies', 71, {
    tables: [{ ...table('notes'), policies: Array.from({ length: 33 }, () => ({ operation: 'read', expression: 'true' })) }],
  }),
  described('gives a default of another type', 71, { tables: [table('notes', 'content', { default: 7 })] }),
  rawDescription('describes itself in bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00])),
  rawDescription('describes itself in text that is no JSON', '{"format":1,'),
  rawDescription('describes itself as null', 'null'),
  rawDescription('describes itself in JSON nested forty thousand deep', `${'['.repeat(20_000)}${']'.repeat(20_000)}`),
  rawDescription('describes itself with a prototype', '{"format":1,"__proto__":{"reducers":[]}}'),
]
