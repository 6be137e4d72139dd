/** Where bound values stand in the list that a compiled statement runs with: parameters first, at their own places. */
import * as limits from '../limits.ts'

export const places = {
  login: limits.sqlParametersMax,
  limit: limits.sqlParametersMax + limits.sqlItemsMax,
  offset: limits.sqlParametersMax + limits.sqlItemsMax + 1,
} as const
