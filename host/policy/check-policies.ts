/**
 * All policies of a module, from text to checked conditions. The compiler's transform asks here while
 * the author waits, and a publish asks again, because a component can come from anywhere. What is wrong
 * is collected, each thing with the place that it points at.
 *
 * Policies look into other tables as they are, not as the sender may read them: that is why a table
 * must be declared readable by policies. Looks form no circle, so that whoever follows what a row's
 * visibility depends on comes to an end.
 */
import type { Condition } from '../plan/plan.ts'
import type { PolicyDescription, ReducerDescription, TableDescription } from '../schema/description.ts'
import type { Schema, Table } from '../schema/schema.ts'
import { readExpression } from './check-expression.ts'
import { ExpressionError } from './syntax.ts'

/** Of a module's description, what its policies depend on. */
export interface PolicyModule {
  readonly tables: readonly Pick<TableDescription, 'name' | 'policies' | 'readableByPolicies'>[]
  readonly reducers: readonly Pick<ReducerDescription, 'name' | 'tables'>[]
}

export interface CheckedPolicy {
  readonly description: PolicyDescription
  readonly expression: Condition
  readonly check: Condition | undefined
}

export interface PolicyProblem {
  readonly table: string
  /** Its place in the table's list. */
  readonly policy: number
  readonly part: 'expression' | 'check' | 'in'
  readonly message: string
  /** Offset into the text of that part; undefined for `in`. */
  readonly at: number | undefined
}

export interface CheckedPolicies {
  readonly policies: ReadonlyMap<string, readonly CheckedPolicy[]>
  readonly problems: readonly PolicyProblem[]
}

/** `schema` has the module's tables. */
export function checkPolicies(module: PolicyModule, schema: Schema): CheckedPolicies {
  const check = new PolicyCheck(module, schema)
  const policies = new Map(module.tables.map((table) => [table.name, check.table(table)]))
  return { policies, problems: check.problems }
}

class PolicyCheck {
  readonly problems: PolicyProblem[] = []
  readonly #module: PolicyModule
  readonly #schema: Schema
  /** Which tables the policies of a table look into. */
  readonly #looks = new Map<string, Set<string>>()

  constructor(module: PolicyModule, schema: Schema) {
    this.#module = module
    this.#schema = schema
  }

  table({ name, policies }: PolicyModule['tables'][number]): readonly CheckedPolicy[] {
    const table = this.#schema.tables.find((one) => one.name === name)
    if (table === undefined) return []
    return policies.flatMap((description, policy) => {
      const place = { table: name, policy }
      this.#checkReducers(place, description)
      const expression = this.#read(place, 'expression', description.expression, table)
      const check = description.check === undefined ? undefined : this.#readCheck(place, description, table)
      return expression === undefined ? [] : [{ description, expression, check }]
    })
  }

  #readCheck(place: Place, { operation, check = '' }: PolicyDescription, table: Table): Condition | undefined {
    if (operation === 'update' || operation === 'all') return this.#read(place, 'check', check, table)
    const why = operation === 'insert' ? 'of an insert the expression is the check already' : `a ${operation} leaves no new row to check`
    this.problems.push({ ...place, part: 'check', message: `${why}: leave the check out`, at: 0 })
    return undefined
  }

  #read(place: Place, part: 'expression' | 'check', text: string, table: Table): Condition | undefined {
    try {
      return readExpression(text, table, (name, at) => this.#look(table, name, at))
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      this.problems.push({ ...place, part, message: error.message, at: error.at })
      return undefined
    }
  }

  #look(from: Table, name: string, at: number): Table {
    const table = this.#schema.tables.find((one) => one.name === name)
    const readable = this.#module.tables.filter((one) => one.readableByPolicies).map((one) => one.name)
    if (table === undefined) throw new ExpressionError(`there is no table ${name}; policies may look into ${readable.join(', ') || 'none yet'}`, at)
    if (!readable.includes(name)) throw new ExpressionError(`policies may not look into ${name}: declare it with @readableByPolicies`, at)
    if (this.#reaches(name, from.name)) {
      const circle = name === from.name ? `${name} would be decided by rows of ${name}` : `policies of ${name} look into ${from.name} already`
      throw new ExpressionError(`${circle}: looks may form no circle`, at)
    }
    this.#looks.set(from.name, (this.#looks.get(from.name) ?? new Set()).add(name))
    return table
  }

  /** Visits each table once: between a hundred of them there can be more ways than anybody can walk. */
  #reaches(from: string, to: string, seen = new Set<string>()): boolean {
    if (from === to) return true
    if (seen.has(from)) return false
    seen.add(from)
    return [...(this.#looks.get(from) ?? [])].some((next) => this.#reaches(next, to, seen))
  }

  /** A policy that can never hold would stand there like one that does. */
  #checkReducers(place: Place, { operation, in: reducers = [] }: PolicyDescription): void {
    for (const name of reducers) {
      const reducer = this.#module.reducers.find((one) => one.name === name)
      const mode = reducer?.tables.find((one) => one.table === place.table)?.mode
      const needed = MODES[operation]
      if (reducer === undefined) {
        const known = this.#module.reducers.map((one) => one.name).join(', ')
        this.problems.push({ ...place, part: 'in', message: `there is no reducer ${name}; there is ${known || 'none'}`, at: undefined })
      } else if (mode === undefined || !needed.includes(mode)) {
        this.problems.push({ ...place, part: 'in', message: `${name} does not ${needed[0]} ${place.table}, so that this would never hold`, at: undefined })
      }
    }
  }
}

type Place = Pick<PolicyProblem, 'table' | 'policy'>

const MODES: Readonly<Record<PolicyDescription['operation'], readonly string[]>> = {
  read: ['read', 'write'],
  insert: ['append', 'write'],
  update: ['write'],
  delete: ['write'],
  all: ['read', 'append', 'write'],
}

/** The part of the text around the place, and a caret under it: two lines. */
export function pointAt(text: string, at: number): string {
  const [before, after] = [24, 56]
  const start = at > before + 8 ? at - before : 0
  const end = text.length > at + after ? at + after : text.length
  // A tab would move the caret and a line break end the line.
  const shown = text.slice(start, end).replaceAll(/\s/g, ' ')
  const [left, right] = [start > 0 ? '…' : '', end < text.length ? '…' : '']
  return `  ${left}${shown}${right}\n  ${' '.repeat(left.length + at - start)}^`
}
