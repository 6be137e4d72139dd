/** A database of a host in this process: the only door through which row operations are seen. */
import { formatTimestamp } from '../../host/clock.ts'
import type { Clock, Micros } from '../../host/clock.ts'
import { fromJson, toJson } from '../../host/protocol/json-values.ts'
import { HostError } from '../../host/errors.ts'
import type { LocalDatabase, RowsOptions, Sender } from '../../host/index.ts'
import type { RowOperation } from '../../host/storage/row-operation.ts'
import type { Layouts } from '../../host/row-codec.ts'
import type { ModuleDescription, ReducerDescription } from '../../host/schema/description.ts'
import { layoutsOf } from '../../host/schema/schema.ts'
import { toObject } from '../../host/storage/row-image.ts'
import type { CallStep, LogLine, Operation, QueryStep, RowsStep, Step } from './case.ts'
import type { Answer, Door } from './run-case.ts'

const firstStep: Micros = 1_767_258_000_000_000n

/** A clock that moves when it is told to. */
export class StepClock implements Clock {
  #now = firstStep

  now(): Micros {
    return this.#now
  }

  step(): void {
    this.#now += 1_000_000n
  }

  /** For the next database. */
  reset(): void {
    this.#now = firstStep
  }
}

export interface ProcessDoorOptions {
  readonly database: LocalDatabase
  readonly description: ModuleDescription
  readonly clock: StepClock
  /** Takes what the database has logged since it was last asked. */
  readonly takeLogs: () => readonly LogLine[]
}

export class ProcessDoor implements Door {
  readonly channel = 'process'
  readonly #database: LocalDatabase
  readonly #description: ModuleDescription
  readonly #layouts: Layouts
  readonly #clock: StepClock
  readonly #takeLogs: () => readonly LogLine[]

  constructor({ database, description, clock, takeLogs }: ProcessDoorOptions) {
    this.#database = database
    this.#description = description
    this.#layouts = layoutsOf(description)
    this.#clock = clock
    this.#takeLogs = takeLogs
  }

  async identityOf(subject: string): Promise<string> {
    return (await this.#database.as({ subject })).identity
  }

  nextTime(): string {
    this.#clock.step()
    return formatTimestamp(this.#clock.now())
  }

  async perform(step: Step): Promise<Answer> {
    return { ...(await this.#attempt(step)), logs: this.#takeLogs().filter(isOfModule) }
  }

  async #attempt(step: Step): Promise<Answer> {
    try {
      if ('call' in step) return await this.#call(step)
      if ('query' in step) return await this.#query(step)
      if ('rows' in step) return await this.#rows(step)
      if ('link' in step) return { result: await this.#database.link({ subject: step.link }, { subject: step.to }) }
      return { result: await this.#database.unlink({ subject: step.unlink }) }
    } catch (error) {
      if (error instanceof HostError) return { error: { code: error.code, message: error.message } }
      throw error
    }
  }

  async #call(step: CallStep): Promise<Answer> {
    const sender = await this.#sender(step)
    const reducer = this.#reducer(step.call)
    const { result, operations } = await sender.callWithOperations(step.call, this.#arguments(reducer, step.args))
    return { result: this.#result(reducer, result), operations: operations.map((operation) => this.#operation(operation, sender)) }
  }

  async #query(step: QueryStep): Promise<Answer> {
    const sender = await this.#sender(step)
    const reducer = this.#reducer(step.query)
    return { result: this.#result(reducer, sender.query(step.query, this.#arguments(reducer, step.args))) }
  }

  async #rows({ rows: table, as: subject, latest, oldest, newest, where }: RowsStep): Promise<Answer> {
    const sender = await this.#database.as({ subject })
    const columns = this.#layouts.rowFields(table)
    const terms = Object.entries(where ?? {}).map(([name, json]) => {
      const column = columns.find((one) => one.name === name)
      return [name, column === undefined ? json : fromJson(column.type, json, this.#layouts, name)]
    })
    const options: RowsOptions = {
      ...(latest === undefined ? {} : { latest }),
      ...(oldest === undefined ? {} : { oldest }),
      ...(newest === undefined ? {} : { newest }),
    }
    return { result: sender.rows(table, { ...options, where: Object.fromEntries(terms) }).map((row) => this.#row(table, row)) }
  }

  /** As a token of the database says it over HTTP: signed, or claimed by who acts. */
  #sender({ as: subject, actor, claims = {} }: CallStep | QueryStep): Promise<Sender> {
    return actor === undefined
      ? this.#database.as({ subject }, { claims, assurance: 'signed' })
      : this.#database.as({ subject }, { claims, assurance: 'claimed', actor: { subject: actor } })
  }

  #reducer(name: string): ReducerDescription | undefined {
    return this.#description.reducers.find((one) => one.name === name)
  }

  #arguments(reducer: ReducerDescription | undefined, args: CallStep['args'] = []): Readonly<Record<string, unknown>> | readonly unknown[] {
    const convert = (param: ReducerDescription['params'][number] | undefined, json: unknown): unknown =>
      param === undefined ? json : fromJson(param.type, json, this.#layouts, param.name)
    if (Array.isArray(args)) return args.map((json, index) => convert(reducer?.params[index], json))
    return Object.fromEntries(
      Object.entries(args).map(([name, json]) => [
        name,
        convert(
          reducer?.params.find((one) => one.name === name),
          json,
        ),
      ]),
    )
  }

  #result(reducer: ReducerDescription | undefined, value: unknown): unknown {
    return reducer === undefined ? value : toJson(reducer.result, value, this.#layouts)
  }

  #operation(operation: RowOperation, { identity }: Sender): Operation {
    const { columns, name } = operation.writer.table
    const own = { text: identity, bytes: Buffer.from(identity, 'hex') }
    const json = (row: Parameters<typeof toObject>[1]): unknown => this.#row(name, toObject(columns, row, own))
    switch (operation.kind) {
      case 'insert':
        return { insert: name, row: json(operation.after) }
      case 'update':
        return { update: name, before: json(operation.before), row: json(operation.after) }
      case 'delete':
        return { delete: name, row: json(operation.before) }
    }
  }

  #row(table: string, row: Readonly<Record<string, unknown>>): unknown {
    return toJson({ kind: 'row', table, nullable: false }, row, this.#layouts)
  }
}

/** The host's own line on a failed call begins with its code, and its words are the host's. */
function isOfModule({ message }: LogLine): boolean {
  return !message.startsWith('ERR_')
}
