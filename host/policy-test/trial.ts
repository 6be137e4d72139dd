/**
 * What a test does with a database beyond its public face: to try something and leave nothing of it, and to
 * know all rows, so that a case about rows that are not there does not pass.
 */
import type { PolicyContext } from '../policy/context.ts'
import type { TablePolicies, TablePolicy } from '../policy/policy.ts'
import { always } from '../plan/plan.ts'
import type { ActiveModule } from '../reducer/active-module.ts'
import type { Database } from '../reducer/database.ts'
import { PlanCache } from '../reducer/plan-cache.ts'
import { TableAccess } from '../reducer/table-access.ts'
import type { OpenDatabase } from '../shard/open-databases.ts'

/** Runs `work` in a batch of the database, as calls run, and undoes it. */
export function tried<T>({ database, queue }: OpenDatabase, work: () => T): Promise<T> {
  return queue.run(() => triedInBatch(database, work))
}

/** The same inside of a batch, and of another trial. */
export function triedInBatch<T>(database: Database, work: () => T): T {
  const { file, journal, operations } = database
  operations.apply()
  file.savepoint('trial')
  const mark = journal.mark()
  try {
    return work()
  } finally {
    journal.rewind(mark)
    database.undoTo('trial')
  }
}

const everything: TablePolicy = { using: () => always, admits: () => true, examined: always, looks: [] }
const noPolicies: TablePolicies = { own: always, nameOf: () => '', inside: () => everything }

/** Of no publish, so that no plan of this module is taken for one of the module that runs. */
const policyVersion = 0

/** The same module as somebody would see it for whom there are no policies. Only a test may ask it anything. */
export function withoutPolicies({ file }: Database, module: ActiveModule): ActiveModule {
  const version = { schema: module.schema.version, policy: policyVersion }
  const plans = new PlanCache()
  const tables = module.schema.tables.map((table) => [table.name, new TableAccess({ file, table, policies: noPolicies, plans, version })] as const)
  return { ...module, policyVersion, tables: new Map(tables) }
}

/** Outside of every reducer. */
export function contextOf(caller: Omit<PolicyContext, 'reducer'>): PolicyContext {
  return { ...caller, reducer: undefined }
}
