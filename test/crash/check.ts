/**
 * Holds the rows of a database against what a run knows of it, by a program of its own that reads the file: nothing
 * of the host takes part. Calls that nobody had an answer for are settled by what is found.
 */
import Sqlite from 'better-sqlite3'

import { hashOf, labelOf, relabelled } from './tally.ts'
import { numberOf } from './world.ts'
import type { DatabaseModel, Person } from './world.ts'

interface EntryRow {
  readonly id: number
  readonly call: string
  readonly turn: number
  readonly label: string
  readonly size: number
}

export class Checker {
  readonly #component: Uint8Array
  readonly #hashes = new Map<number, string>()

  constructor(component: Uint8Array) {
    this.#component = component
  }

  /** What is wrong with the database in this file. */
  problems(model: DatabaseModel, path: string): readonly string[] {
    const file = new Sqlite(path, { readonly: true, fileMustExist: true })
    try {
      const found = [...this.#versions(model, file), ...logins(model, file), ...(hasRows(file) ? rows(model, file) : withoutRows(model))]
      return found.map((what) => `${model.name}: ${what}`)
    } finally {
      file.close()
    }
  }

  *#versions(model: DatabaseModel, file: Sqlite.Database): Generator<string> {
    const stored = all<{ version: number; hash: string }>(file, 'SELECT version, hash FROM _modules ORDER BY version')
    const numbers = new Map([...model.versions.values(), ...model.publishing].map((number) => [this.#hash(number), number]))
    for (const [index, { version, hash }] of stored.entries()) {
      const number = numbers.get(hash)
      if (version !== index + 1) yield `version ${version} comes after version ${index}`
      if (number === undefined) yield `version ${version} is a module that nobody published, or one that is there twice`
      else if ((model.versions.get(version) ?? number) !== number) yield `version ${version} should be module ${model.versions.get(version)} and is ${number}`
      else model.published(version, number)
      numbers.delete(hash)
    }
    for (const version of model.versions.keys()) if (version > stored.length) yield `version ${version} was acknowledged and is lost`
    model.publishing.clear()
  }

  #hash(number: number): string {
    const known = this.#hashes.get(number)
    if (known !== undefined) return known
    const made = hashOf(relabelled(this.#component, number))
    this.#hashes.set(number, made)
    return made
  }
}

/** Everybody is who they were, and every link is as it was said or asked for. */
function* logins(model: DatabaseModel, file: Sqlite.Database): Generator<string> {
  const identities = identitiesOf(file)
  for (const { subject, identity } of model.people.values()) {
    if (identity !== undefined && identities.get(subject)?.identity !== identity) yield `${subject} is somebody else than before`
  }
  for (const [subject, link] of model.links) {
    const found = identities.get(subject)
    const isAt = (to: string | undefined): boolean =>
      to === undefined ? found === undefined || found.identity === found.own : found?.identity === identities.get(to)?.identity
    const target = [{ to: link.to }, ...(link.wanted === undefined ? [] : [link.wanted])].find(({ to }) => isAt(to))
    if (target === undefined) yield `${subject} is linked neither to ${link.to ?? 'itself'} nor as was asked`
    else link.to = target.to
    link.wanted = undefined
  }
}

function identitiesOf(file: Sqlite.Database): ReadonlyMap<string, { readonly identity: string; readonly own: string }> {
  const found = all<{ subject: string; identity: Buffer; own: Buffer | null }>(file, 'SELECT subject, identity, own_identity AS own FROM _logins')
  return new Map(found.map(({ subject, identity, own }) => [subject, { identity: identity.toString('hex'), own: own?.toString('hex') ?? '' }]))
}

function hasRows(file: Sqlite.Database): boolean {
  return all(file, "SELECT 1 FROM sqlite_schema WHERE name = 'entries'").length > 0
}

/** A database whose first publish did not happen. */
function* withoutRows({ people }: DatabaseModel): Generator<string> {
  for (const { calls } of people.values()) {
    for (const [name, call] of calls) {
      if (call.fate.kind === 'done') yield `${name} was acknowledged, and there are no tables`
      else if (call.id === undefined) call.fate = { kind: 'void' }
    }
  }
}

function* rows(model: DatabaseModel, file: Sqlite.Database): Generator<string> {
  const identities = identitiesOf(file)
  const owners = new Set<string>()
  for (const person of model.people.values()) {
    const identity = identities.get(person.subject)?.identity
    if (identity !== undefined) owners.add(identity)
    yield* rowsOf(person, Buffer.from(identity ?? '', 'hex'), file)
  }
  for (const owner of ownersOf(file)) {
    if (!owners.has(owner) && owner !== identities.get(ballast)?.identity) yield `there are entries of somebody unknown`
  }
}

/** Whose rows only make a database large. */
export const ballast = 'ballast'

/** Step by step through the key, since a database may be large. */
function* ownersOf(file: Sqlite.Database): Generator<string> {
  const next = file.prepare('SELECT min(caller) FROM entries WHERE caller > ?').pluck()
  for (let last: Buffer = Buffer.alloc(0); ;) {
    const found = next.get(last)
    if (!(found instanceof Buffer)) return
    yield found.toString('hex')
    last = found
  }
}

/** The calls that have happened tell everything else: how often was counted, and what became of each thing. */
function* rowsOf(person: Person, identity: Buffer, file: Sqlite.Database): Generator<string> {
  const entries = all<EntryRow>(file, 'SELECT id, call, turn, label, length(padding) AS size FROM entries WHERE caller = ? ORDER BY id', identity)
  const things = new Map<string, string>()
  const happened = new Set<string>()
  let number = 0
  for (let index = 0; index < entries.length; index += 2) {
    const [first, second] = [entries[index], entries[index + 1]]
    const call = person.calls.get(first?.call ?? '')
    if (first === undefined || call === undefined) return yield `${person.subject} has an entry ${first?.call} that nobody made`
    const turn = index / 2 + 1
    const expected = [
      { id: index + 1, call: first.call, turn, label: first.label, size: 0 },
      { id: index + 2, call: first.call, turn, label: first.label, size: call.entering.size },
    ]
    if (JSON.stringify([first, second]) !== JSON.stringify(expected)) {
      return yield `${first.call} of ${person.subject} should be ${JSON.stringify(expected)} and is ${JSON.stringify([first, second])}`
    }
    if (happened.has(first.call)) yield `${first.call} has happened twice`
    if (call.fate.kind === 'void' || call.entering.ending !== '') yield `${first.call} was refused and has happened`
    if (call.fate.kind === 'done' && (call.fate.turn !== turn || call.fate.label !== first.label)) {
      yield `${first.call} gave ${JSON.stringify(call.fate)} and is at turn ${turn} with ${first.label}`
    }
    if (numberOf(first.label) < number) yield `${first.call} ran in ${first.label} after calls in ${labelOf(number)}`
    number = numberOf(first.label)
    happened.add(first.call)
    call.fate = { kind: 'done', turn, label: first.label }
    if (call.entering.takesAway) things.delete(call.entering.thing)
    else things.set(call.entering.thing, first.call)
  }
  for (const [name, call] of person.calls) {
    if (happened.has(name)) continue
    if (call.fate.kind === 'done') yield `${name} was acknowledged and is lost`
    else if (call.id === undefined) call.fate = { kind: 'void' }
  }
  const count = all<{ turn: number }>(file, 'SELECT turn FROM tallies WHERE caller = ?', identity)[0]?.turn ?? 0
  if (count !== happened.size) yield `${person.subject} has made ${happened.size} calls and ${count} were counted`
  const stored = all<{ name: string; call: string }>(file, 'SELECT name, call FROM things WHERE caller = ?', identity)
  const found = sortedText(stored.map(({ name, call }) => [name, call]))
  const expected = sortedText([...things])
  if (found !== expected) yield `the things of ${person.subject} should be ${expected} and are ${found}`
}

function sortedText(pairs: readonly (readonly string[])[]): string {
  return pairs
    .map((pair) => JSON.stringify(pair))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .join()
}

// The caller knows the columns that it selects.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
function all<T>(file: Sqlite.Database, sql: string, ...values: readonly unknown[]): readonly T[] {
  return file.prepare<unknown[], T>(sql).all(...values)
}
