/**
 * Does to a file what a record of the log says was done: the same rows, people, modules, schema, keys and
 * limits. It needs no module and runs none; a file and the records after it give the file that the
 * records' own host had.
 */
import { HostError } from '../errors.ts'
import type { LoggedRecord } from '../log/record.ts'
import type { Schema, SchemaChange } from '../schema/schema.ts'
import { callDigestOf, callKeyOf, CallResults } from './call-results.ts'
import type { DatabaseFile } from './database-file.ts'
import { applyDirectoryChange } from './directory.ts'
import { loadHead, storeHead } from './head.ts'
import type { Head } from './head.ts'
import { currentSchema, reviveSchema, storeModule, storeSchema } from './module-store.ts'
import { PayloadReader } from './record-payload.ts'
import { applyOperations } from './row-operation.ts'
import type { RowOperation } from './row-operation.ts'
import { carryOut } from './schema-changes.ts'
import { setMeta } from './system-tables.ts'
import { TableWriter } from './table-writer.ts'

export class RecordApplier {
  readonly #file: DatabaseFile
  readonly #calls: CallResults
  #head: Head
  #schema: Schema
  readonly #writers = new Map<number, TableWriter>()
  /** Of the calls so far: many go in together. */
  #operations: RowOperation[] = []

  constructor(file: DatabaseFile) {
    this.#file = file
    this.#calls = new CallResults(file)
    this.#head = loadHead(file)
    this.#schema = currentSchema(file)
  }

  /** Up to where the file has come. */
  get position(): bigint {
    return this.#head.position
  }

  /**
   * In one batch, committed or only kept. They must be the next ones of this file's history.
   *
   * @throws HostError ERR_LOG_DAMAGED when one is not, was erased or does not read; then none is applied.
   */
  apply(records: readonly LoggedRecord[], isKept: boolean): void {
    const before = this.#head
    try {
      const work = (): void => this.applyInOpen(records)
      if (isKept) this.#file.batch(work)
      else this.#file.transaction(work)
    } catch (error) {
      this.#head = before
      throw error
    }
  }

  /**
   * In the batch that is open. When it throws, what stands there of them is for the caller to undo.
   *
   * @throws HostError as `apply`.
   */
  applyInOpen(records: readonly LoggedRecord[]): void {
    const before = this.#head
    try {
      for (const record of records) this.#applyOne(record)
      this.#applyOperations()
      storeHead(this.#file, this.#head)
    } catch (error) {
      this.#head = before
      this.#operations = []
      throw error
    }
  }

  #applyOne(record: LoggedRecord): void {
    const { head, chainBefore, chainAfter } = record
    const { position } = this.#head
    if (head.position !== position + 1n || Buffer.compare(chainBefore, this.#head.chain) !== 0) {
      throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} does not follow record ${position} of this database: what lay between is lost`)
    }
    if (record.isErased) throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} was erased: only a snapshot after it restores this database`)
    try {
      this.#applyPayload(record, new PayloadReader(record.sections))
    } catch (error) {
      if (error instanceof HostError) throw error
      // A record of the log is bytes of a disk: what it says may be nonsense, and then it is named.
      throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} of this database cannot be applied: it is not one that this host writes`, {
        cause: error,
      })
    }
    this.#head = { position: head.position, chain: chainAfter, timestamp: head.timestamp }
  }

  #applyOperations(): void {
    applyOperations(this.#operations)
    this.#operations = []
  }

  #applyPayload({ head }: LoggedRecord, payload: PayloadReader): void {
    switch (head.kind) {
      case 'call':
        this.#rows(payload)
        return this.#call(payload, head.timestamp)
      case 'publish':
        this.#applyOperations()
        this.#publish(payload)
        return this.#rows(payload)
      case 'identity':
        return applyDirectoryChange(this.#file, payload.directory)
      case 'key':
      case 'limit':
        for (const [key, value] of Object.entries(payload.meta)) setMeta(this.#file, key, value)
        return
      case 'migrate':
      case 'grant':
      case 'access':
      case 'drop':
        throw new HostError('ERR_LOG_DAMAGED', `record ${head.position} is of kind ${head.kind}, which this host does not write: use the release that wrote it`)
    }
  }

  #rows(payload: PayloadReader): void {
    for (const operation of payload.operations((table) => this.#writer(table))) this.#operations.push(operation)
  }

  #call(payload: PayloadReader, at: bigint): void {
    const { id, caller, reducer, args, version, result } = payload.call
    if (id !== '') this.#calls.add({ key: callKeyOf({ ...caller, id }), digest: callDigestOf(reducer, args), at, version, result })
  }

  #publish(payload: PayloadReader): void {
    const { schema, changes } = payload.schema
    this.#schema = reviveSchema(schema)
    this.#writers.clear()
    for (const change of changes) carryOut(this.#file, revivedChange(this.#schema, change))
    storeSchema(this.#file, this.#schema)
    storeModule(this.#file, payload.module)
  }

  #writer(table: number): TableWriter | undefined {
    const known = this.#writers.get(table)
    const found = this.#schema.tables.find(({ id }) => id === table)
    if (known !== undefined || found === undefined) return known
    const made = new TableWriter(this.#file, found)
    this.#writers.set(table, made)
    return made
  }
}

/** The change with the tables, columns and indexes of the schema itself, which are compared as objects. */
function revivedChange(schema: Schema, change: SchemaChange): SchemaChange {
  const table = must(schema.tables.find(({ id }) => id === change.table.id))
  switch (change.kind) {
    case 'create-table':
      return { ...change, table }
    case 'add-column':
      return { ...change, table, column: must(table.columns.find(({ id }) => id === change.column.id)) }
    case 'create-index':
      return { ...change, table, index: must(table.indexes.find(({ id }) => id === change.index.id)) }
  }
}

function must<T>(found: T | undefined): T {
  if (found === undefined) throw new HostError('ERR_LOG_DAMAGED', 'a publish changes what is not in its schema')
  return found
}
