/** What a module's reducers may reach, as a publish prints and compares it. */
import type { Grant } from '../protocol/shard-protocol.ts'
import type { ModuleDescription } from '../schema/description.ts'

export function grantsOf(description: ModuleDescription): readonly Grant[] {
  return description.reducers.map(({ name, kind, tables }) => ({ reducer: name, kind, tables }))
}

/** One line a grant, sorted: `remember_turn may append turns`. */
function grantLines(grants: readonly Grant[]): readonly string[] {
  return grants.flatMap(({ reducer, tables }) => tables.map(({ table, mode }) => `${reducer} may ${mode} ${table}`)).sort()
}

export function compareGrants(before: readonly Grant[], after: readonly Grant[]): { added: string[]; removed: string[] } {
  const was = grantLines(before)
  const is = grantLines(after)
  return { added: is.filter((line) => !was.includes(line)), removed: was.filter((line) => !is.includes(line)) }
}
