/**
 * Whether somebody learns of another's rows: two people who have nothing to do with each other, with rows in
 * every table. What the one is answered without the other's rows must be what they are answered with them. No
 * policy is read for that: what counts is what comes out, on every channel.
 */
import { hash } from 'node:crypto'

import { HostError } from '../errors.ts'
import type { Assurance } from '../identity.ts'
import type { SqlRow } from '../plan/plan.ts'
import { checkPolicies } from '../policy/check-policies.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import type { Caller } from '../reducer/call-context.ts'
import type { Database } from '../reducer/database.ts'
import { runSql } from '../reducer/run-sql.ts'
import type { OpenDatabase } from '../shard/open-databases.ts'
import type { Table } from '../schema/schema.ts'
import { canariesOf } from './canaries.ts'
import type { Owner } from './canaries.ts'
import { answerTo, plainJson, questionsOf } from './questions.ts'
import type { Asker, Channel } from './questions.ts'
import { tried, triedInBatch } from './trial.ts'

export interface Leak {
  /** A table, or a reducer as in `transfer()`. */
  readonly about: string
  readonly channel: Channel
  readonly what: string
  /** Without the other's rows, and with them. */
  readonly without: string
  readonly with: string
}

export interface Isolation {
  readonly leaks: readonly Leak[]
  /** How many questions were asked, each of them twice. */
  readonly questions: number
  /** What of it tells something because the module says so itself: policies inside of reducers, global uniques. */
  readonly notes: readonly string[]
}

/** Who asks has no claims; some policies ask how well they are proven. */
const assurances: readonly Assurance[] = ['none', 'signed']

/** `shown` names what is meant to be seen by anybody, as the sheet does. */
export function isolationOf(open: OpenDatabase, shown: ReadonlySet<string>): Promise<Isolation> {
  return tried(open, () => {
    const { database } = open
    const module = database.requireModule()
    const parts = assurances.map((assurance) => triedInBatch(database, () => compared(database, module, assurance, shown)))
    return {
      leaks: distinct(parts.flatMap(({ leaks }) => leaks)),
      questions: parts.reduce((sum, { questions }) => sum + questions, 0),
      notes: [...new Set(parts.flatMap(({ notes }) => notes))],
    }
  })
}

const self: Owner = { identity: hash('sha256', 'one', 'buffer'), word: 'canary-one', integer: 72n }
const other: Owner = { identity: hash('sha256', 'another', 'buffer'), word: 'canary-another', integer: 71n }

function compared(database: Database, module: ActiveModule, assurance: Assurance, shown: ReadonlySet<string>): Isolation {
  const tables = module.schema.tables
  const policies = [...checkPolicies(module.description, module.schema).policies.values()].flat()
  const theirs = new Map(tables.map((table) => [table, canariesOf(other, table, policies)]))
  for (const table of tables) store(database, module, table, canariesOf(self, table, policies))
  for (const table of tables) if (shown.has(table.name)) store(database, module, table, theirs.get(table) ?? [])

  const caller = { sender: self.identity, actor: self.identity, assurance, channel: 'process', claims: {} }
  const moment = { timestamp: database.callTime(), seed: [1n, 2n] as const }
  const asker: Asker = { database, module, caller, self, other, moment, rows: theirs }
  const questions = questionsOf(asker)
  const without = questions.map((question) => answerTo(asker, question))
  for (const table of tables) if (!shown.has(table.name)) store(database, module, table, theirs.get(table) ?? [])

  const notes: string[] = []
  const leaks = questions.flatMap((question, index): Found[] => {
    const { about, channel, what, from } = question
    const before = without[index] ?? ''
    const after = answerTo(asker, question)
    const isForged = question.isForgery === true && !shown.has(about) && after.includes('"changed":["insert"]')
    if (before === after && !isForged) return []
    const excuse = isForged ? undefined : excuseOf(module, about, after)
    if (excuse === undefined) return [{ about, channel, what, from, without: before, with: after }]
    notes.push(excuse)
    return []
  })
  return { leaks: ownLeaks(leaks), questions: questions.length, notes }
}

/** Of the rows that a sheet's calls have made: nobody without claims who is named nowhere sees one that is not meant to be shown. */
export function seenByStranger({ database, queue }: OpenDatabase, shown: ReadonlySet<string>): readonly Leak[] {
  queue.requireReadable()
  const module = database.requireModule()
  const caller: Caller = { sender: self.identity, actor: self.identity, assurance: 'signed', channel: 'process', claims: {} }
  return module.schema.tables.flatMap(({ name }): Leak[] => {
    const { rows } = runSql(database, module, { sql: `SELECT * FROM ${name}`, params: [], caller })
    if (rows.length === 0 || shown.has(name)) return []
    return [{ about: name, channel: 'SQL', what: `SELECT * FROM ${name}, by a stranger before the cases`, without: '[]', with: plainJson(rows) }]
  })
}

interface Found extends Leak {
  readonly from: string | undefined
}

/** A join shows what one of its tables shows already: it counts where that one does not leak by itself. */
function ownLeaks(leaks: readonly Found[]): readonly Leak[] {
  const byItself = new Set(leaks.filter(({ from }) => from === undefined).map(({ about }) => about))
  return leaks.filter(({ from }) => from === undefined || !byItself.has(from)).map(({ from: _from, ...leak }) => leak)
}

/** As if a policy had let them in: whoever wrote them is not the question. What cannot be stored is left out. */
function store(database: Database, module: ActiveModule, table: Table, rows: readonly SqlRow[]): void {
  const { writer } = database.access(module, table.name)
  for (const row of rows) {
    try {
      writer.insert([row])
    } catch (error) {
      // A unique that does not differ between the rows of one person.
      if (!(error instanceof HostError)) throw error
    }
  }
}

/** What the module says openly, and a publish shows: it is the author's decision and not a mistake. */
function excuseOf({ description, schema }: ActiveModule, about: string, answer: string): string | undefined {
  const reducer = about.endsWith('()') ? description.reducers.find(({ name }) => `${name}()` === about) : undefined
  const names = reducer === undefined ? [about] : reducer.tables.map(({ table }) => table)
  const inside = description.tables.filter(({ policies }) => policies.some((policy) => !policy.restrictive && policy.in?.includes(reducer?.name ?? '')))
  if (inside.length > 0) return `${about} may tell of others' rows: policies open ${inside.map(({ name }) => name).join(', ')} inside of it`
  if (!answer.includes('"ERR_ROW_DUPLICATE"')) return undefined
  const global = schema.tables.find((table) => names.includes(table.name) && hasGlobalKey(table))
  return global === undefined ? undefined : `${global.name} has a key or unique over all owners: who writes it learns that it is taken`
}

function hasGlobalKey({ owner, autoIncrement, indexes }: Table): boolean {
  return (owner === undefined && !autoIncrement) || indexes.some(({ unique }) => unique === 'global' || (unique === 'owner' && owner === undefined))
}

function distinct(leaks: readonly Leak[]): readonly Leak[] {
  return [...new Map(leaks.map((leak) => [`${leak.about} ${leak.channel} ${leak.what}`, leak])).values()]
}
