/**
 * The access log of one database as a file that is verified without its host (docs/access-log.md): a line of JSON that
 * says what follows, one for each record, with its bytes and what they say in words, and a signed one at the end.
 */
import { createHash } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'

import type { KeyRing } from '../auth/signing-key.ts'
import { signingKey } from '../auth/signing-key.ts'
import { formatTimestamp } from '../clock.ts'
import { HostError } from '../errors.ts'
import { recordOfBytes } from '../log/record.ts'
import type { LoggedRecord } from '../log/record.ts'
import type { ExportFacts } from '../protocol/shard-protocol.ts'
import { readAccess } from './access-record.ts'
import { isSignatureOf, signText } from './checkpoint.ts'
import type { AccessProblem, ChainFollower } from './chain-follower.ts'

const exportFormat = 'remembrancer access export 1'

export interface ExportHead {
  readonly format: typeof exportFormat
  readonly name: string
  /** Hex of the uid. */
  readonly database: string
  readonly at: string
}

export interface ExportFooter extends ExportFacts {
  readonly format: typeof exportFormat
  readonly at: string
  readonly kid: string
  readonly signature: string
}

/** The lines of one export, each with its line feed; whoever puts them together hashes them. */
export class ExportWriter {
  readonly #database: string

  constructor(database: Uint8Array) {
    this.#database = Buffer.from(database).toString('hex')
  }

  head(name: string, now: bigint): string {
    return `${JSON.stringify({ format: exportFormat, name, database: this.#database, at: formatTimestamp(now) } satisfies ExportHead)}\n`
  }

  record(record: LoggedRecord): string {
    const says = record.isErased ? null : shownAccess(record)
    return `${JSON.stringify({ position: String(record.head.position), says, bytes: base64(record.bytes) })}\n`
  }
}

export function signFooter(ring: KeyRing, facts: ExportFacts & { readonly at: string }): string {
  const unsigned = { format: exportFormat, ...facts, kid: signingKey(ring).kid } as const
  return `${JSON.stringify({ ...unsigned, signature: signText(ring, footerText(unsigned)) } satisfies ExportFooter)}\n`
}

function footerText(footer: Omit<ExportFooter, 'signature'>): string {
  const { format, database, first, last, count, chain, sha256, at, kid } = footer
  return [format, database, first, last, count, chain, sha256, at, kid, ''].join('\n')
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** What a record says, as JSON: 64-bit numbers as texts, times as RFC 3339. */
export function shownAccess(record: Pick<LoggedRecord, 'head' | 'sections'>): Readonly<Record<string, unknown>> {
  const { position, at, asOf, ...rest } = readAccess(record)
  return { position: String(position), at: formatTimestamp(at), asOf: String(asOf), ...rest }
}

export interface ExportVerdict {
  readonly name: string
  readonly database: string
  readonly records: number
  readonly first: string
  readonly last: string
  readonly problems: readonly AccessProblem[]
}

/** Reads an export line by line and holds it against itself and its signature. */
export class ExportReader {
  readonly #keys: readonly JsonWebKey[]
  readonly #hash = createHash('sha256')
  readonly #problems: AccessProblem[] = []
  readonly #chain: ChainFollower
  #head: ExportHead | undefined
  #footer: ExportFooter | undefined
  #line = 0
  #first = 0n

  constructor(keys: readonly JsonWebKey[], chain: ChainFollower) {
    this.#keys = keys
    this.#chain = chain
  }

  read(line: string): void {
    this.#line++
    if (this.#footer !== undefined) return this.#find('there is more behind the signed line')
    const value = parseLine(line)
    if (value === undefined) return this.#find('this line is no JSON')
    if (this.#line === 1) this.#readHead(line, value)
    else if ('signature' in value) this.#footer = value as unknown as ExportFooter
    else this.#readRecord(line, value)
  }

  end(): ExportVerdict {
    const footer = this.#footer
    if (footer === undefined) this.#find('the signed line at its end is missing: the file was cut, or never came to its end')
    else this.#readFooter(footer)
    const { records, last } = this.#chain
    return {
      name: this.#head?.name ?? '',
      database: this.#head?.database ?? '',
      records,
      first: String(this.#first),
      last: String(last),
      problems: [...this.#problems, ...this.#chain.problems],
    }
  }

  #readHead(line: string, value: Readonly<Record<string, unknown>>): void {
    this.#hash.update(`${line}\n`)
    if (value['format'] === exportFormat) this.#head = value as unknown as ExportHead
    else this.#find('this is no export of an access log, or one of a later version')
  }

  #readRecord(line: string, { position, says, bytes }: Readonly<Record<string, unknown>>): void {
    this.#hash.update(`${line}\n`)
    try {
      const record = recordOfBytes(Buffer.from(String(bytes), 'base64'))
      if (base64(record.bytes) !== bytes) this.#find('the bytes of this line are not written as they should be', position)
      if (this.#first === 0n) this.#first = record.head.position
      this.#chain.follow(record, `line ${this.#line}`)
      const expected = record.isErased ? null : shownAccess(record)
      if (JSON.stringify(expected) !== JSON.stringify(says) || String(record.head.position) !== position)
        this.#find('the words of this line are not what its bytes say', position)
      if (Buffer.from(record.head.database).toString('hex') !== this.#head?.database) this.#find('this record is of another database', position)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      this.#find(error.message, position)
    }
  }

  #readFooter(footer: ExportFooter): void {
    const { records, last, chain } = this.#chain
    if (footer.sha256 !== this.#hash.digest('hex')) this.#find('the signed line is of another text: something before it was changed')
    if (!isSignatureOf(footerText(footer), footer, this.#keys)) this.#find(`the signature is not one of the key ${footer.kid} that was given`)
    if (footer.count !== records || footer.last !== String(last) || footer.chain !== chain)
      this.#find(`the signed line tells of ${footer.count} records up to ${footer.last}, and there are ${records} up to ${last}`)
  }

  #find(what: string, position?: unknown): void {
    this.#problems.push({ where: `line ${this.#line}`, position: typeof position === 'string' ? position : null, what })
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
