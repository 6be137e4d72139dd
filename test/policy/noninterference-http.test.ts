/**
 * The same over HTTP, and for whoever publishes: what Sarah is answered, status and body, and what a plan says,
 * is what it would be had Bob never existed. Two databases of one host; in one of them Bob does what he can first, and
 * then between each two of her requests. What is of chance (identities, ids, times) is compared by what it stands for.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { HostFixture } from '../api/host-fixture.ts'
import type { Person } from '../api/host-fixture.ts'
import type { Reply } from '../api/http-client.ts'
import { buildModule } from '../../host/module/build.ts'

const letters = path.join(import.meta.dirname, '../modules/letters')
const host = new HostFixture()
const databases = ['crowded', 'empty'] as const
type DatabaseName = (typeof databases)[number]

before(async () => {
  await host.start()
  const { component } = await buildModule(letters, { optimize: false })
  for (const database of databases) await host.publish(database, component)
})
after(() => host[Symbol.asyncDispose]())

type Request = readonly [kind: 'call' | 'query', name: string, args: readonly unknown[]] | readonly [kind: 'sql', sql: string, params: readonly unknown[]]

/** `bob`, `sarah` and `her letter` stand for what they are in either database. */
const requests: readonly Request[] = [
  ['call', 'add_note', ['a', 'a']],
  ['call', 'add_note', ['b', 'a']],
  ['call', 'add_note', ['a', 'b']],
  ['call', 'rename_note', ['bob', '1', 'c']],
  ['call', 'force_note', ['bob', '1', 'c']],
  ['call', 'drop_note', ['bob', '1']],
  ['call', 'set_setting', ['a', 'a']],
  ['call', 'insert_setting', ['a', 'b']],
  ['call', 'write_letter', ['sarah', 'to myself']],
  ['call', 'write_letter', ['bob', 'to nobody']],
  ['call', 'drop_letter', ['1']],
  ['query', 'notes_about', ['a', 10]],
  ['query', 'note_of', ['bob', '1']],
  ['query', 'notes_of', ['bob']],
  ['query', 'count_notes', []],
  ['query', 'count_topic', ['a']],
  ['query', 'setting', ['a']],
  ['query', 'letters_to', ['sarah']],
  ['query', 'letters_from', ['bob']],
  ['query', 'count_letters', []],
  ['query', 'no_such_query', []],
  ['sql', 'SELECT title, topic FROM notes ORDER BY title', []],
  ['sql', 'SELECT count(*), min(text), max(text) FROM letters', []],
  ['sql', 'SELECT writer, count(*) FROM letters GROUP BY writer', []],
  ['sql', 'SELECT text FROM letters WHERE writer = $1', ['bob']],
  ['sql', "SELECT 1 / (CASE WHEN text = 'of bob' THEN 0 ELSE 1 END) FROM letters", []],
  ['sql', 'SELECT n.title, l.text FROM notes AS n JOIN letters AS l ON l.writer = n.author', []],
  ['sql', 'SELECT title FROM notes WHERE NOT EXISTS (SELECT 1 FROM letters WHERE letters.text = notes.title)', []],
  ['sql', 'SELECT nothing FROM letters', []],
]

const bobs: readonly Request[] = [
  ['call', 'add_note', ['a', 'a']],
  ['call', 'add_note', ['of bob', 'a']],
  ['call', 'set_setting', ['a', 'of bob']],
  ['call', 'write_letter', ['bob', 'of bob']],
  ['call', 'rename_note', ['sarah', '1', 'of bob']],
  ['call', 'drop_note', ['sarah', '1']],
]

class Side {
  readonly #people: Readonly<Record<'sarah' | 'bob', Person>>
  readonly #identities: Readonly<Record<string, string>>

  private constructor(people: Side['people'], identities: Readonly<Record<string, string>>) {
    this.#people = people
    this.#identities = identities
  }

  get people(): Readonly<Record<'sarah' | 'bob', Person>> {
    return this.#people
  }

  /** Without Bob his identity is anybody's whom no row has. */
  static async open(database: DatabaseName): Promise<Side> {
    const people = { sarah: await host.person(database, 'sarah'), bob: await host.person(database, 'bob') }
    const bob = database === 'crowded' ? await people.bob.identity() : 'ee'.repeat(32)
    return new Side(people, { sarah: await people.sarah.identity(), bob })
  }

  ask(person: Person, [kind, what, given]: Request): Promise<Reply> {
    const args = given.map((one) => (typeof one === 'string' ? (this.#identities[one] ?? one) : one))
    if (kind === 'sql') return person.sql({ sql: what, params: args, explain: true })
    return kind === 'call' ? person.call(what, args) : person.query(what, args)
  }

  /** Identities by their names; ids of chance and times by what they are. */
  text({ status, headers, body }: Reply): string {
    const own = Object.entries(this.#identities)
    const named = own.reduce((text, [name, identity]) => text.replaceAll(identity, name), JSON.stringify(body))
    const plain = named.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time').replaceAll(/"\d{10,19}"/g, '"an id of chance"')
    return `${status} ${headers.get('content-length') === null ? 'chunked' : 'sized'} ${plain}`
  }
}

test('over HTTP Sarah is answered what she would be answered had Bob never existed', async () => {
  const [crowded, empty] = [await Side.open('crowded'), await Side.open('empty')]
  for (const one of bobs) await crowded.ask(crowded.people.bob, one)
  let refused = 0
  for (const [index, request] of requests.entries()) {
    const one = bobs[index % bobs.length]
    if (one !== undefined) await crowded.ask(crowded.people.bob, one)
    const [seen, expected] = [await crowded.ask(crowded.people.sarah, request), await empty.ask(empty.people.sarah, request)]
    assert.equal(crowded.text(seen), empty.text(expected), JSON.stringify(request))
    if (seen.status >= 400) refused++
  }
  assert.ok(refused >= 4, `${refused} of the answers were refusals`)
})

/** One that only adds, one that would lose a unique, and one that would lose tables. */
const others: readonly (readonly [what: string, part: string, instead: string, status: number])[] = [
  ['adds an index', '@index("topic", "at")', '@index("topic", "at")\n@index("title")', 200],
  ['loses a unique', '  @unique title: string;', '  title: string;', 409],
  ['renames a table', '@table("settings")', '@table("preferences")', 409],
]

for (const [what, part, instead, status] of others) {
  test(`the plan of a module that ${what} says the same of a database with rows as of one without`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'remembrancer-plan-'))
    try {
      writeFileSync(path.join(folder, 'index.ts'), readFileSync(path.join(letters, 'index.ts'), 'utf8').replace(part, instead))
      const { component } = await buildModule(folder, { optimize: false })
      const plan = async (database: DatabaseName): Promise<unknown> => {
        const reply = await host.request('PUT', `/v1/databases/${database}/module?dry-run=1`, { token: host.operator, body: component })
        assert.equal(reply.status, status, JSON.stringify(reply.body))
        return { ...reply.body, timings: undefined }
      }
      assert.deepEqual(await plan('crowded'), await plan('empty'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
