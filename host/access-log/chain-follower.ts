/**
 * Follows the records of one database in their order and says where they are not what they should be: a position that
 * is missing or comes twice, a chain that does not go on, a beginning that nothing accounts for, a checkpoint that is
 * not met. Whoever reads the bytes has looked at each record by itself.
 */
import { firstChain } from '../log/record.ts'
import type { LoggedRecord } from '../log/record.ts'
import { readAccess } from './access-record.ts'
import type { Checkpoint } from './checkpoint.ts'

export interface AccessProblem {
  /** A line of an export, or a file with an offset. */
  readonly where: string
  /** Of the first record that is concerned. */
  readonly position: string | null
  readonly what: string
}

interface FirstRecord {
  readonly position: bigint
  readonly chainBefore: string
  readonly where: string
}

export class ChainFollower {
  readonly #checkpoints: readonly Checkpoint[]
  readonly #problems: AccessProblem[] = []
  readonly #met = new Set<Checkpoint>()
  #first: FirstRecord | undefined
  /** What the log has said that it forgot: the record with which it begins since then, and the chain before it. */
  readonly #trimmed = new Set<string>()
  #chain = ''
  #last = 0n
  #records = 0
  #database = ''

  constructor(checkpoints: readonly Checkpoint[] = []) {
    this.#checkpoints = checkpoints
  }

  get records(): number {
    return this.#records
  }

  get last(): bigint {
    return this.#last
  }

  /** Hex: after the last record. */
  get chain(): string {
    return this.#chain
  }

  follow({ head, chainBefore, chainAfter, sections, isErased }: Omit<LoggedRecord, 'sequence'>, where: string): void {
    const { position } = head
    const before = hexOf(chainBefore)
    if (this.#first === undefined) this.#begin(head.database, { position, chainBefore: before, where })
    else if (position !== this.#last + 1n)
      this.#find(where, position, `after position ${this.#last} comes ${position}: records are missing, or in another order`)
    else if (before !== this.#chain) this.#find(where, position, 'its chain does not go on from the record before it: one of the two was changed')
    if (head.kind !== 'access') this.#find(where, position, `a record of kind ${head.kind} is none of an access log`)
    else if (!isErased) this.#read({ head, sections })
    this.#chain = hexOf(chainAfter)
    this.#last = position
    this.#records++
    for (const checkpoint of this.#checkpoints) this.#meet(checkpoint, where)
  }

  #begin(database: Uint8Array, first: FirstRecord): void {
    this.#database = hexOf(database)
    this.#first = first
    if (first.position === 1n && first.chainBefore !== hexOf(firstChain(database)))
      this.#find(first.where, 1n, 'it is the first record, and its chain begins elsewhere')
  }

  #read(record: Pick<LoggedRecord, 'head' | 'sections'>): void {
    const { event, details } = readAccess(record)
    if (event === 'trimmed') this.#trimmed.add(`${details['first']} ${details['chain']}`)
  }

  #meet(checkpoint: Checkpoint, where: string): void {
    if (checkpoint.position !== String(this.#last) || checkpoint.database !== this.#database) return
    this.#met.add(checkpoint)
    if (checkpoint.chain === this.#chain) return
    this.#find(where, this.#last, `a checkpoint of ${checkpoint.at} has another chain after this position: the log was written anew`)
  }

  /** All that is wrong, once there are no more records. */
  get problems(): readonly AccessProblem[] {
    return [...this.#problems, ...this.#beginningProblem(), ...this.#missedCheckpoints()]
  }

  #beginningProblem(): readonly AccessProblem[] {
    const first = this.#first
    if (first === undefined || first.position === 1n || this.#trimmed.has(`${first.position} ${first.chainBefore}`)) return []
    const what = `the log begins with position ${first.position}, and no record says that those before it were forgotten: its beginning was cut`
    return [{ where: first.where, position: String(first.position), what }]
  }

  #missedCheckpoints(): readonly AccessProblem[] {
    const missed = this.#checkpoints.filter((checkpoint) => !this.#met.has(checkpoint))
    return missed.map((checkpoint) => ({ where: 'the end', position: checkpoint.position, what: this.#missedText(checkpoint) }))
  }

  #missedText({ database, position, at }: Checkpoint): string {
    if (this.#records > 0 && database !== this.#database) return `the checkpoint of ${at} is of another database, ${database}`
    if (BigInt(position) > this.#last) return `the checkpoint of ${at} names position ${position}, and the log ends at ${this.#last}: its end was cut back`
    return `the checkpoint of ${at} names position ${position}, which the log no longer has`
  }

  #find(where: string, position: bigint, what: string): void {
    this.#problems.push({ where, position: String(position), what })
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
