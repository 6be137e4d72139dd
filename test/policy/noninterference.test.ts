/**
 * Noninterference: for random histories, what Sarah observes is byte for byte what she would observe had
 * Bob never existed. Two databases run the same history of hers; in one of them Bob, who shares nothing
 * with her, does what he can in between. Every channel that she has is compared: results, errors with
 * their texts, rows, counts, ids, row operations and the log.
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { after, test } from 'node:test'

import fc from 'fast-check'

import { HostError } from '../../host/errors.ts'
import { buildModule } from '../../host/module/build.ts'
import type { Sender } from '../../host/index.ts'
import { openModule } from '../../host/testing.ts'
import type { TestModule } from '../../host/testing.ts'

const { component } = await buildModule(path.join(import.meta.dirname, '../modules/letters'), { optimize: false })
const [crowded, empty] = [await openModule(component), await openModule(component)]
after(() => Promise.all([crowded.close(), empty.close()]))

/** Whom a step names: somebody of the history, as each database knows them. */
type Who = 'sarah' | 'carol' | 'bob' | 'nobody'
type Argument = string | bigint | number | { readonly who: Who } | { readonly letter: number }

interface Step {
  readonly by: 'sarah' | 'carol' | 'bob'
  readonly name: string
  readonly args: readonly Argument[]
}

const word = fc.constantFrom('a', 'b', 'c')
const id = fc.bigInt(1n, 4n)
const who = (...names: readonly Who[]): fc.Arbitrary<Argument> => fc.constantFrom(...names).map((one) => ({ who: one }))
const anybody = who('sarah', 'carol', 'bob', 'nobody')
const letter = fc.nat(8).map((number): Argument => ({ letter: number }))
const limit = fc.integer({ min: 0, max: 5 })

const writes: readonly (readonly [string, ...fc.Arbitrary<Argument>[]])[] = [
  ['add_note', word, word],
  ['rename_note', anybody, id, word],
  ['force_note', anybody, id, word],
  ['drop_note', anybody, id],
  ['set_setting', word, word],
  ['insert_setting', word, word],
]
const reads: typeof writes = [
  ['notes_about', word, limit],
  ['note_of', anybody, id],
  ['notes_of', anybody],
  ['count_notes'],
  ['count_topic', word],
  ['setting', word],
  ['letter', letter],
  ['letters_to', anybody],
  ['letters_from', anybody],
  ['count_letters'],
  ['rows'],
  ['sql', fc.nat(100), word, id],
  ['sql', fc.nat(100), word, id],
  ['sql', fc.nat(100), word, id],
]

/** Every construct of clients' SQL, over every kind of table. Ids of letters are random, so that these are ordered by their times. */
const statements: readonly string[] = [
  'SELECT * FROM notes',
  'SELECT * FROM notes ORDER BY title DESC LIMIT 2 OFFSET 1',
  'SELECT text, at FROM letters ORDER BY at',
  'SELECT text FROM letters ORDER BY at DESC LIMIT 2',
  'SELECT DISTINCT text FROM letters',
  'SELECT count(*), count(DISTINCT text), min(text), max(at) FROM letters',
  'SELECT text, count(*) FROM letters GROUP BY text HAVING count(*) > 1 ORDER BY 2 DESC',
  'SELECT writer, count(*) FROM letters WHERE text = $1 GROUP BY writer ORDER BY 2, min(at)',
  'SELECT topic, count(*), sum(id), avg(id) FROM notes GROUP BY topic',
  'SELECT title FROM notes WHERE id = $2',
  "SELECT title FROM notes WHERE title LIKE $1 OR title IN ('a', $1)",
  'SELECT text FROM letters WHERE writer <> sender() ORDER BY at',
  'SELECT text FROM letters WHERE text = $1 AND at IS NOT NULL ORDER BY at',
  'SELECT title FROM notes WHERE EXISTS (SELECT 1 FROM letters WHERE letters.text = notes.title)',
  'SELECT title FROM notes WHERE NOT EXISTS (SELECT 1 FROM letters WHERE letters.text = $1)',
  'SELECT title FROM notes WHERE title IN (SELECT text FROM letters)',
  'SELECT title FROM notes WHERE title NOT IN (SELECT text FROM letters)',
  'SELECT n.title, l.text FROM notes AS n JOIN letters AS l ON l.writer = n.author ORDER BY n.title, l.at',
  'SELECT l.text, f.id FROM friends AS f JOIN letters AS l ON l.reader = f.friend ORDER BY l.at',
  "SELECT text FROM letters WHERE writer <> identity('x', 'bob') ORDER BY at",
  'SELECT 1 / (id - $2) FROM notes',
  'SELECT 1 / (CASE WHEN text = $1 THEN 0 ELSE 1 END) FROM letters',
  'SELECT text FROM letters WHERE 1 / (CASE WHEN text = $1 THEN 0 ELSE 1 END) = 1 ORDER BY at',
  'SELECT text FROM letters GROUP BY text HAVING 1 / (CASE WHEN text = $1 THEN 0 ELSE 1 END) = 1',
  "SELECT upper(text) || '!', length(text), extract(hour FROM at), date_trunc('day', at) FROM letters ORDER BY at",
  'SELECT coalesce(name, value), substr(value, 1, 1) FROM settings ORDER BY value',
  'SELECT * FROM settings WHERE name = $1',
  'SELECT friend = sender() FROM friends',
  'SELECT nothing FROM letters',
  'SELECT text FROM letters WHERE',
  'SELECT * FROM nothing',
]
/** Sarah and Carol write to each other; Bob, a friend of Carol's, to Carol and himself. */
const letters = (readers: fc.Arbitrary<Argument>): typeof writes => [
  ['write_letter', readers, word],
  ['rewrite_letter', letter, readers, word],
  ['drop_letter', letter],
]

function stepsBy(by: Step['by'], ...choices: typeof writes): fc.Arbitrary<Step> {
  return fc.constantFrom(...choices).chain(([name, ...args]) => fc.tuple(...args).map((given): Step => ({ by, name, args: given })))
}

const histories = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: stepsBy('sarah', ...writes, ...letters(anybody)) },
    { weight: 4, arbitrary: stepsBy('sarah', ...reads) },
    { weight: 1, arbitrary: stepsBy('carol', ...writes, ...letters(who('sarah', 'carol'))) },
    { weight: 6, arbitrary: stepsBy('bob', ...writes, ...letters(who('bob', 'carol', 'nobody'))) },
  ),
  { minLength: 12, maxLength: 30 },
)

/** One history in one database, its people new to it. */
class World {
  readonly #module: TestModule
  readonly #people: Readonly<Record<'sarah' | 'carol' | 'bob', Sender>>
  /** Ids of letters that Sarah or Carol wrote, in their order: random, so that they are compared by it. */
  readonly #letters: bigint[] = []

  private constructor(module: TestModule, people: World['people']) {
    this.#module = module
    this.#people = people
  }

  static async open(module: TestModule, history: number): Promise<World> {
    const as = (name: string): Promise<Sender> => module.as(`${name} ${history}`)
    const people = { sarah: await as('sarah'), carol: await as('carol'), bob: await as('bob') }
    for (const [one, other] of [
      ['sarah', 'carol'],
      ['carol', 'sarah'],
      ['carol', 'bob'],
    ] as const) {
      await people[one].call('befriend', [people[other].identity])
    }
    return new World(module, people)
  }

  get people(): Readonly<Record<'sarah' | 'carol' | 'bob', Sender>> {
    return this.#people
  }

  /** What the one who took the step observed, identities and random ids by what they stand for. */
  async observe({ by, name, args }: Step): Promise<string> {
    const logged = this.#module.log.length
    const answer = await this.#answer(by, name, args)
    const log = this.#module.log.slice(logged).map(({ level, reducer, message }) => ({ level, reducer, message }))
    return this.#text({ answer, log })
  }

  async #answer(by: Step['by'], name: string, args: readonly Argument[]): Promise<unknown> {
    const sender = this.#people[by]
    try {
      if (name === 'rows') return ['notes', 'settings', 'friends', 'letters'].map((table) => (table === 'letters' ? [] : sender.rows(table)))
      if (name === 'sql') return this.#asked(sender, args)
      if (reads.some(([read]) => read === name))
        return sender.query(
          name,
          args.map((one) => this.#given(one)),
        )
      const { result, operations } = await sender.callWithOperations(
        name,
        args.map((one) => this.#given(one)),
      )
      if (name === 'write_letter' && by !== 'bob') this.#letters.push(result as bigint)
      return { result, operations: operations.map(({ kind, writer, ...images }) => ({ kind, table: writer.table.name, ...images })) }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      return { code: error.code, message: error.message, detail: error.detail }
    }
  }

  /** Rows, how many of them were looked at, and by which plan; or an error with its text. */
  #asked(sender: Sender, [which, ...values]: readonly Argument[]): unknown {
    const sql = statements[Number(which) % statements.length] ?? ''
    const params = ['$1', '$2'].filter((parameter) => sql.includes(parameter)).map((parameter) => (parameter === '$1' ? values[0] : values[1]))
    // With $2 alone, the first is there all the same, and nothing says what it is.
    const given = sql.includes('$2') && !sql.includes('$1') ? ['', ...params] : params
    return sender.sql(sql, given, { explain: true })
  }

  #given(argument: Argument): unknown {
    if (typeof argument !== 'object') return argument
    if ('letter' in argument) return this.#letters[argument.letter] ?? 123_456_789n
    return argument.who === 'nobody' ? 'ee'.repeat(32) : this.#people[argument.who].identity
  }

  #text(value: unknown): string {
    const names = new Map(Object.entries(this.#people).map(([name, { identity }]): [string, string] => [identity, name]))
    return JSON.stringify(value, (_key, one: unknown) => {
      if (typeof one === 'bigint') return this.#letters.includes(one) ? `letter ${this.#letters.indexOf(one)}` : `${one}n`
      if (typeof one === 'string') return names.get(one) ?? one
      const bytes = one instanceof Uint8Array ? Buffer.from(one).toString('hex') : isBuffer(one) ? Buffer.from(one.data).toString('hex') : undefined
      return bytes === undefined ? one : (names.get(bytes) ?? bytes)
    })
  }
}

/** What JSON makes of a Buffer before the replacer sees it. */
function isBuffer(value: unknown): value is { readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value && Array.isArray(value.data)
}

let history = 0

test('what Sarah observes is byte for byte what she would observe had Bob never existed', async () => {
  let observed = 0
  let refused = 0
  await fc.assert(
    fc.asyncProperty(histories, async (steps) => {
      history++
      const [with_, without] = [await World.open(crowded, history), await World.open(empty, history)]
      for (const [second, step] of steps.entries()) {
        const time = new Date(Date.UTC(2026, 0, 2) + (history * 100 + second) * 1_000).toISOString()
        crowded.setTime(time)
        empty.setTime(time)
        const seen = await with_.observe(step)
        if (step.by === 'bob') continue
        const expected = await without.observe(step)
        assert.equal(
          seen,
          expected,
          JSON.stringify(step, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one)),
        )
        observed++
        if (seen.includes('"code"')) refused++
      }
    }),
    { numRuns: 80 },
  )
  assert.ok(observed > 500 && refused > 10, `${observed} observations, ${refused} refusals`)
})
