/**
 * What one open database leaves in the access log. It turns entries into records, and keeps account of how far the
 * commit log had come when they were made, so that neither of the two logs can have what the other lacks without
 * its being said: `undone` for records of changes that did not happen after all, `lost` for changes without records.
 */
import type { Micros } from '../clock.ts'
import type { HostError } from '../errors.ts'
import type { LoggedRecord } from '../log/record.ts'
import { SectionWriter } from '../log/sections.ts'
import type { AccessLog, AccessMark } from './access-log.ts'
import { packAccess, readAccess } from './access-record.ts'
import type { AccessEntry } from './access-record.ts'

/** What stays the same for all records of one database while it is open. */
export interface TrailFacts {
  readonly database: Uint8Array
  readonly tenant: Uint8Array
  readonly sqliteVersion: number
  readonly hostVersion: number
}

/** The versions of the module that ran, as a record's header has them, and when. */
export interface AccessMoment {
  readonly timestamp: Micros
  readonly moduleHash: Uint8Array
  readonly schemaVersion: number
  readonly policyVersion: number
  readonly fuelSchedule: number
  readonly fuel?: number
  readonly callKey?: Uint8Array
}

const noSeed = [0n, 0n] as const
const noCallKey = new Uint8Array(16)

export class AccessTrail {
  readonly #log: AccessLog
  readonly #facts: TrailFacts
  readonly #uid: string
  readonly #sections = new SectionWriter()
  /** The last position of the commit log that a record speaks of. */
  #noted: bigint
  /** Positions that records speak of and that never came to be: the next record says so first. */
  #undone: { readonly first: bigint; readonly last: bigint } | undefined

  constructor(log: AccessLog, facts: TrailFacts, last: LoggedRecord | undefined) {
    this.#log = log
    this.#facts = facts
    this.#uid = Buffer.from(facts.database).toString('hex')
    this.#noted = last === undefined || last.isErased ? 0n : readAccess(last).asOf
  }

  /** Of the last record that was added. */
  get position(): bigint {
    return this.#log.head(this.#uid)?.position ?? 0n
  }

  /** Adds the record; it is written by `write`, with those of others. */
  add(entry: AccessEntry, moment: AccessMoment): void {
    this.addUndone(moment)
    this.#add(entry, moment)
  }

  /** Says first what was said too much. */
  addUndone(moment: AccessMoment): void {
    if (this.#undone === undefined) return
    const { first, last } = this.#undone
    this.#undone = undefined
    this.#add(ofCommits('undone', first, last, first - 1n), moment)
  }

  /** Changes up to this position have no record, since a power loss took it or there was no access log yet. */
  addLost(position: bigint, moment: AccessMoment): void {
    if (position > this.#noted) this.#add(ofCommits('lost', this.#noted + 1n, position, position), moment)
  }

  #add(entry: AccessEntry, moment: AccessMoment): void {
    const sections = this.#sections
    sections.reset()
    sections.write('access', (packed) => packAccess(packed, entry))
    const { database, tenant, sqliteVersion, hostVersion } = this.#facts
    const { timestamp, moduleHash, schemaVersion, policyVersion, fuelSchedule, fuel = 0, callKey = noCallKey } = moment
    const head = {
      schemaVersion,
      database,
      tenant,
      timestamp,
      seed: noSeed,
      fuel,
      moduleHash,
      policyVersion,
      fuelSchedule,
      hostVersion,
      sqliteVersion,
      callKey,
    }
    if (entry.asOf > this.#noted) this.#noted = entry.asOf
    this.#log.add(this.#uid, head, sections.view(), { asOf: this.#noted, isUrgent: entry.touched?.isStrict === true })
  }

  /** @returns why what was added is not written, and must not be answered. */
  write(): HostError | undefined {
    return this.#log.write()
  }

  mark(): TrailMark {
    return { log: this.#log.mark(this.#uid), noted: this.#noted }
  }

  rewind({ log, noted }: TrailMark): void {
    this.#log.rewind(this.#uid, log)
    this.#noted = noted
  }

  /** The commit log has come to this position and no further, whatever records speak of. */
  settle(position: bigint): void {
    if (this.#noted > position)
      this.#undone = { first: position + 1n, last: this.#undone === undefined || this.#undone.last < this.#noted ? this.#noted : this.#undone.last }
    this.#noted = position
  }
}

function ofCommits(event: 'undone' | 'lost', first: bigint, last: bigint, asOf: bigint): AccessEntry {
  return { event, name: 'commits', outcome: '', who: undefined, by: 'host', details: { from: String(first), to: String(last) }, version: 0, asOf }
}

export interface TrailMark {
  readonly log: AccessMark
  readonly noted: bigint
}
