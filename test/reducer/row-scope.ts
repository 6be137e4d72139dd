/** What a table is asked with where no call is around it: an account of touched rows that nobody keeps. */
import { Touched } from '../../host/access-log/touched.ts'
import type { PolicyContext } from '../../host/policy/context.ts'
import type { RowScope } from '../../host/reducer/table-access.ts'

export function scopeOf(policy: PolicyContext): RowScope {
  return { policy, touched: new Touched() }
}
