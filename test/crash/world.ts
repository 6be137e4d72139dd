/**
 * What a run knows of the databases of one data folder: what it asked for, and what it was told before the host
 * was killed. It never asks the host what is right; check.ts holds a database's rows against it.
 */
import type { Entered, Entering, Reply } from './requests.ts'

export type Fate =
  /** Nobody has said what became of it. */
  | { readonly kind: 'pending' }
  | ({ readonly kind: 'done' } & Entered)
  /** Nothing of it may be there, now or later. */
  | { readonly kind: 'void' }

export interface Call {
  readonly entering: Entering
  /** Without one it cannot be sent again. */
  readonly id: string | undefined
  fate: Fate
}

export class Person {
  readonly subject: string
  /** What the host has said; it never changes. */
  identity: string | undefined
  readonly calls = new Map<string, Call>()

  constructor(subject: string) {
    this.subject = subject
  }

  /** What can be sent again because nobody has said what became of it. */
  get pending(): readonly Call[] {
    return [...this.calls.values()].filter(({ fate, id }) => fate.kind === 'pending' && id !== undefined)
  }

  copy(): Person {
    const copy = new Person(this.subject)
    copy.identity = this.identity
    for (const [name, call] of this.calls) copy.calls.set(name, { ...call })
    return copy
  }
}

/** A login that only is linked and unlinked: whose it is, as far as that was said. */
export interface Link {
  /** A person's subject, or its own (undefined). */
  to: string | undefined
  /** What was asked for and not answered. */
  wanted: { readonly to: string | undefined } | undefined
}

export class DatabaseModel {
  readonly name: string
  /** Unknown while a creation or a drop was not answered. */
  presence: 'there' | 'absent' | 'unknown' = 'absent'
  people = new Map<string, Person>()
  links = new Map<string, Link>()
  /** The number of the module of each version that was acknowledged or found. */
  versions = new Map<number, number>()
  /** Numbers of modules of which nobody has said whether they are published. */
  publishing = new Set<number>()
  /** The last module that was acknowledged: later calls run in it or in a later one. */
  latestNumber = 0

  constructor(name: string) {
    this.name = name
  }

  person(subject: string): Person {
    const known = this.people.get(subject)
    if (known !== undefined) return known
    const made = new Person(subject)
    this.people.set(subject, made)
    return made
  }

  published(version: number, number: number): void {
    this.versions.set(version, number)
    this.publishing.delete(number)
    this.latestNumber = Math.max(this.latestNumber, number)
  }

  copy(): DatabaseModel {
    const copy = new DatabaseModel(this.name)
    copy.presence = this.presence
    copy.people = new Map([...this.people].map(([subject, person]) => [subject, person.copy()]))
    copy.links = new Map([...this.links].map(([subject, link]) => [subject, { ...link }]))
    copy.versions = new Map(this.versions)
    copy.publishing = new Set(this.publishing)
    copy.latestNumber = this.latestNumber
    return copy
  }

  /** Another database of the same name. */
  forget(): void {
    this.people = new Map()
    this.links = new Map()
    this.versions = new Map()
    this.publishing = new Set()
    this.latestNumber = 0
  }
}

export class World {
  readonly databases: readonly DatabaseModel[]
  /** Databases that are made and dropped again. */
  readonly passing: readonly DatabaseModel[]
  /** What is wrong. A run ends with the first cycle that has something here. */
  readonly problems: string[] = []
  /** Its disk fails, or has just begun to work again. */
  diskFails = false
  /** Parts of call numbers of which nothing may be left in any file. */
  readonly forgotten: string[] = []
  #lastNumber = 0

  constructor(names: readonly string[], passing: readonly string[]) {
    this.databases = names.map((name) => new DatabaseModel(name))
    this.passing = passing.map((name) => new DatabaseModel(name))
  }

  problem(what: string): void {
    this.problems.push(what)
  }

  /** Of a call, a module, a person: given once. */
  nextNumber(): number {
    return (this.#lastNumber += 1)
  }
}

/** Whether a refusal is one that a disk may cause. */
export function isDiskRefusal(code: string): boolean {
  return diskRefusals.has(code)
}

/** A call was refused, and nothing of it happened. */
const nothingHappened = new Set(['ERR_BUSY', 'ERR_HOST_CLOSED'])
/** What a disk that fails may say: of a call that did not happen, and of one of which nobody knows. */
const diskRefusals = new Set(['ERR_STORAGE', 'ERR_COMMIT_UNKNOWN'])

export interface Settling {
  /** The last module that was published before the call was sent. */
  readonly latestNumber: number
  readonly diskFails: boolean
}

/** What the answer to a call says about it. Gives what should not have been said. */
export function settle(call: Call, reply: Reply, { latestNumber, diskFails }: Settling): string | undefined {
  const { call: name, ending } = call.entering
  if ('value' in reply) {
    const entered = reply.value as Entered
    if (ending !== '') return `${name} should have failed and gave ${JSON.stringify(entered)}`
    if (call.fate.kind === 'void') return `${name} was refused, and then gave ${JSON.stringify(entered)}`
    if (call.fate.kind === 'done' && (call.fate.turn !== entered.turn || call.fate.label !== entered.label)) {
      return `${name} gave ${JSON.stringify(call.fate)} first and then ${JSON.stringify(entered)}`
    }
    call.fate = { kind: 'done', ...entered }
    return numberOf(entered.label) < latestNumber ? `${name} ran in ${entered.label} after ${latestNumber} was published` : undefined
  }
  const { code, message } = reply.refused
  const expected = { '': undefined, fail: 'ERR_CALL_FAILED', trap: 'ERR_CALL_TRAPPED' }[ending]
  if (diskFails && code === 'ERR_COMMIT_UNKNOWN') return undefined
  if (code !== expected && !nothingHappened.has(code) && !(diskFails && diskRefusals.has(code))) return `${name} was refused with ${code}: ${message}`
  if (call.fate.kind === 'done') return code === expected ? `${name} had happened and then failed` : undefined
  if (code === expected || call.id === undefined) call.fate = { kind: 'void' }
  return undefined
}

export function numberOf(label: string): number {
  return Number(label.replace('label-', ''))
}
