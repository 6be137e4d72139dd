/**
 * Row-level security of one table, compiled once a publish into two forms of the same fact: conditions
 * for the plans that read, and evaluators for the row images that are written. Permissive policies widen
 * and restrictive ones narrow; closed is the default. `@owner` is the short form of a policy that opens
 * each row to its owner, and of one that nobody inserts for another.
 */
import { HostError } from '../errors.ts'
import { always, and, compare, indexColumns, or, physicalColumns, storedIndexes } from '../plan/plan.ts'
import type { Condition, SqlRow } from '../plan/plan.ts'
import { printable } from '../printable.ts'
import type { ModuleDescription, PolicyOperation, TableDescription } from '../schema/description.ts'
import type { Schema, Table } from '../schema/schema.ts'
import { checkPolicies, pointAt } from './check-policies.ts'
import type { CheckedPolicy, PolicyProblem } from './check-policies.ts'
import type { PolicyContext } from './context.ts'
import { evaluator } from './evaluate.ts'
import type { Look } from './evaluate.ts'

export type RowOperation = Exclude<PolicyOperation, 'all'>

/** The policies of one table that are in force inside of one reducer. */
export interface TablePolicy {
  /** Which stored rows the operation may see (USING). */
  using(operation: 'read' | 'update' | 'delete'): Condition
  /** Whether the operation may leave this row (WITH CHECK), its values in the table's column order. */
  admits(operation: 'insert' | 'update', row: SqlRow, context: PolicyContext, look: Look): boolean
  /** The rows that a read may see, for a statement that walks many: those it hides are counted too. */
  readonly examined: Condition
  /** The tables that these look into. */
  readonly looks: readonly Table[]
}

export interface TablePolicies {
  /** What makes a row the sender's own; true of every row where the table has no owner. */
  readonly own: Condition
  /** Names the set of policies that `inside` gives, for caches: equal names, equal sets. */
  nameOf(reducer: string | undefined): string
  inside(reducer: string | undefined): TablePolicy
}

/**
 * The policies of every table of a module; `schema` is the one it runs with.
 *
 * @throws HostError ERR_POLICY with the first few that are wrong, each with its text and a caret.
 */
export function compilePolicies(module: ModuleDescription, schema: Schema): ReadonlyMap<string, TablePolicies> {
  const { policies, problems } = checkPolicies(module, schema)
  if (problems.length > 0) throw refused(module, problems)
  return new Map(
    schema.tables.map((table) => {
      const description = module.tables.find((one) => one.name === table.name)
      return [table.name, tablePolicies(table, description?.ownerSettable ?? false, policies.get(table.name) ?? [])]
    }),
  )
}

interface Rule {
  readonly operations: readonly RowOperation[]
  readonly isRestrictive: boolean
  readonly using: Condition
  readonly check: Condition
  readonly reducers: readonly string[] | undefined
}

const everything: readonly RowOperation[] = ['read', 'insert', 'update', 'delete']

export function tablePolicies(table: Table, isOwnerSettable: boolean, policies: readonly CheckedPolicy[]): TablePolicies {
  const own = table.owner === undefined ? always : compare(table.owner, '=', { kind: 'sender' })
  const rules = [...(table.owner === undefined ? [] : ownerRules(own, isOwnerSettable)), ...policies.map(ruleOf)]
  const named = new Set(rules.flatMap((rule) => rule.reducers ?? []))
  const made = new Map<string, TablePolicy>()
  const nameOf = (reducer: string | undefined): string => (reducer !== undefined && named.has(reducer) ? reducer : '')
  return {
    own,
    nameOf,
    inside: (reducer) => {
      const name = nameOf(reducer)
      const known = made.get(name)
      if (known !== undefined) return known
      const inForce = rules.filter((rule) => rule.reducers?.includes(name) ?? true)
      const policy = compiled(table, inForce)
      made.set(name, policy)
      return policy
    },
  }
}

function ownerRules(own: Condition, isOwnerSettable: boolean): readonly Rule[] {
  const rule: Rule = { operations: everything, isRestrictive: false, using: own, check: own, reducers: undefined }
  return isOwnerSettable ? [rule] : [rule, { ...rule, operations: ['insert'], isRestrictive: true }]
}

function ruleOf({ description, expression, check }: CheckedPolicy): Rule {
  const { operation, restrictive, in: reducers } = description
  return { operations: operation === 'all' ? everything : [operation], isRestrictive: restrictive, using: expression, check: check ?? expression, reducers }
}

function compiled(table: Table, rules: readonly Rule[]): TablePolicy {
  const read = fold(rules, 'read', 'using')
  const conditions = { read, update: fold(rules, 'update', 'using'), delete: fold(rules, 'delete', 'using') }
  // As in PostgreSQL: an update needs to read the row, so it may not put it out of its own sight.
  const checks = { insert: fold(rules, 'insert', 'check'), update: and(fold(rules, 'update', 'check'), read) }
  const evaluators = { insert: evaluator(checks.insert, table), update: evaluator(checks.update, table) }
  return {
    using: (operation) => conditions[operation],
    examined: examined(read, table),
    admits: (operation, row, context, look) => evaluators[operation](row, context, look) === true,
    looks: [...new Set([...Object.values(conditions), ...Object.values(checks)].flatMap(looksOf))],
  }
}

/**
 * Folds the rules of one operation into a single condition. With no permissive rule it is false: a table
 * nobody wrote a policy for is closed, not open. The result is data; the printer alone knows parentheses.
 */
function fold(rules: readonly Rule[], operation: RowOperation, part: 'using' | 'check'): Condition {
  const concerned = rules.filter((rule) => rule.operations.includes(operation))
  const permissive = concerned.filter((rule) => !rule.isRestrictive).map((rule) => rule[part])
  const restrictive = concerned.filter((rule) => rule.isRestrictive).map((rule) => rule[part])
  return and(permissive.includes(always) ? always : or(...permissive), ...restrictive)
}

/**
 * Terms that an index can serve stay as they are, so that it may; the rest is asked row by row. A policy
 * that is such terms only, as `@owner` is, walks over nothing that it hides.
 */
function examined(condition: Condition, table: Table): Condition {
  const terms = condition.kind === 'and' ? condition.terms : [condition]
  const served = terms.filter((term) => isServed(term, table))
  const rest = and(...terms.filter((term) => !served.includes(term)))
  return rest.kind === 'true' || rest.kind === 'false' ? condition : and(...served, { kind: 'examined', condition: rest })
}

function isServed(term: Condition, table: Table): boolean {
  if (term.kind !== 'compare' || term.operator !== '=' || term.left.kind !== 'column' || term.right.kind === 'column') return false
  const { column } = term.left
  return [physicalColumns(table), ...storedIndexes(table).map((index) => indexColumns(table, index))].some(([first]) => first === column)
}

function looksOf(condition: Condition): readonly Table[] {
  switch (condition.kind) {
    case 'exists':
      return [condition.table, ...looksOf(condition.where)]
    case 'not':
      return looksOf(condition.term)
    case 'and':
    case 'or':
      return condition.terms.flatMap(looksOf)
    default:
      return []
  }
}

function refused(module: ModuleDescription, problems: readonly PolicyProblem[]): HostError {
  const shown = problems.slice(0, 3).map((problem) => {
    const policy = module.tables.find((table) => table.name === problem.table)?.policies[problem.policy]
    return policy === undefined ? problem.message : problemText(policy, problem)
  })
  return new HostError('ERR_POLICY', shown.join('\n'))
}

function problemText(policy: TableDescription['policies'][number], { table, part, message, at }: PolicyProblem): string {
  const text = part === 'check' ? (policy.check ?? '') : policy.expression
  const lines = at === undefined ? [] : pointAt(text, at).split('\n')
  // They quote the module, which may hold anything.
  return [`the ${policy.operation} policy of ${table}: ${message.slice(0, 300)}`, ...lines].map(printable).join('\n')
}
