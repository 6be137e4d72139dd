/** What every group of routes is given. */
import type { FastifyInstance } from 'fastify'

import type { Admission } from '../admission.ts'
import type { DatabaseFacts } from '../database-facts.ts'
import type { ApiOptions } from '../ports.ts'
import type { NamedQueue } from '../publish.ts'
import type { BodyBudget } from './body-budget.ts'

export interface ApiContext extends ApiOptions {
  readonly admission: Admission
  readonly facts: DatabaseFacts
  readonly bodies: BodyBudget
  /** What makes, changes and drops a database of one name, one after the other. */
  readonly changes: NamedQueue
}

export type Routes = (server: FastifyInstance, context: ApiContext) => void
