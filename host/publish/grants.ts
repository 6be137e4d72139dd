/**
 * What a module's reducers may reach, and who may see and change its rows, as a publish prints and
 * compares it. A policy that holds inside of some reducers only is a grant of theirs.
 */
import { printable } from '../printable.ts'
import type { Grant } from '../protocol/shard-protocol.ts'
import type { ModuleDescription, PolicyDescription, TableDescription } from '../schema/description.ts'

export function grantsOf(description: ModuleDescription): readonly Grant[] {
  return description.reducers.map(({ name, kind, tables }) => ({ reducer: name, kind, tables, policies: policiesInside(description, name) }))
}

/** One line a grant, sorted: `remember_turn may append turns`, `transfer may update accounts where true`. */
function grantLines(grants: readonly Grant[]): readonly string[] {
  return grants
    .flatMap(({ reducer, tables, policies }) => [
      ...tables.map(({ table, mode }) => `${reducer} may ${mode} ${table}`),
      ...policies.map((policy) => `${reducer} may ${policy}`),
    ])
    .sort()
}

export function compareGrants(before: readonly Grant[], after: readonly Grant[]): { added: string[]; removed: string[] } {
  return compareLines(grantLines(before), grantLines(after))
}

/** One line a policy that holds everywhere: `notes: read where author = sender`. */
export function policyLines({ tables }: ModuleDescription): readonly string[] {
  return tables.flatMap((table) => [
    ...ownerLines(table),
    ...(table.readableByPolicies ? [`${table.name}: readable by policies of other tables`] : []),
    ...table.policies.filter((policy) => policy.in === undefined).map((policy) => `${table.name}: ${policyText(policy)}`),
  ])
}

export function compareLines(before: readonly string[], after: readonly string[]): { added: string[]; removed: string[] } {
  return { added: after.filter((line) => !before.includes(line)), removed: before.filter((line) => !after.includes(line)) }
}

/** Two modules whose policies are equal give equal texts, whatever else differs. */
export function policyFingerprint({ tables }: ModuleDescription): string {
  return JSON.stringify(
    tables.map(({ name, owner, ownerSettable, readableByPolicies, policies }) => [name, owner, ownerSettable, readableByPolicies, policies]),
  )
}

/** What whoever publishes should look at twice. */
export function policyWarnings({ tables }: ModuleDescription): readonly string[] {
  return tables.flatMap((table) => {
    const isClosed = table.owner === undefined && table.policies.every((policy) => policy.restrictive)
    const inside = table.policies.filter((policy) => policy.in !== undefined && !policy.restrictive)
    return [
      ...(isClosed ? [`table ${table.name} has no owner and no policy: nobody can read or write its rows`] : []),
      ...inside.map((policy) => `inside of ${policy.in?.join(', ')} whoever calls may ${policyText(policy, table.name)}`),
    ]
  })
}

function policiesInside({ tables }: ModuleDescription, reducer: string): readonly string[] {
  return tables.flatMap((table) => table.policies.filter((policy) => policy.in?.includes(reducer)).map((policy) => policyText(policy, table.name)))
}

function ownerLines({ name, owner, ownerSettable }: TableDescription): readonly string[] {
  if (owner === undefined) return []
  return [`${name}: all where ${owner} = sender${ownerSettable ? ', and an insert may name another owner' : ''}`]
}

function policyText({ operation, expression, check, restrictive }: PolicyDescription, table?: string): string {
  const what = table === undefined ? operation : `${operation === 'all' ? 'read, insert, update and delete' : operation} ${table}`
  // It quotes the module, which may hold anything.
  return printable(`${what} ${restrictive ? 'only ' : ''}where ${expression}${check === undefined ? '' : `, leaving rows where ${check}`}`)
}
