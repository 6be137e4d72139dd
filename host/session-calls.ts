/**
 * A database as the host's own sessions call it. Hooks are called here and nowhere else: no route of the API
 * says `hook`, and the shard takes one only from an actor of the host's.
 */
import { runCall } from './api/call.ts'
import type { DatabaseFacts, RunningModule } from './api/database-facts.ts'
import { HostError } from './errors.ts'
import type { Disclosures, SessionAnswer, SessionCall, SessionCalls } from './media/ports.ts'
import type { Shard } from './protocol/shard-protocol.ts'
import type { ModuleDescription } from './schema/description.ts'

export class HostSessionCalls implements SessionCalls {
  readonly #facts: DatabaseFacts
  readonly #shardOf: (database: string) => Shard

  constructor(facts: DatabaseFacts, shardOf: (database: string) => Shard) {
    this.#facts = facts
    this.#shardOf = shardOf
  }

  async module(database: string): Promise<ModuleDescription> {
    return (await this.#facts.module(database)).description
  }

  async call(request: SessionCall): Promise<SessionAnswer> {
    const before = await this.#facts.module(request.database)
    try {
      return await this.#run(before, request)
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== 'ERR_ARGUMENT_COUNT') throw error
      // A publish came between, and its function takes others of the event's values.
      const now = await this.#facts.module(request.database)
      if (now === before) throw error
      return this.#run(now, request)
    }
  }

  async #run(module: RunningModule, { database, kind, name, args, caller, id }: SessionCall): Promise<SessionAnswer> {
    return runCall(this.#facts, this.#shardOf(database), { database, kind, name, args: taken(module, name, args), caller, id })
  }
}

/** What a session sends out goes on record in its database first, at one round trip to its shard. */
export function sessionDisclosures(shardOf: (database: string) => Shard): Disclosures {
  return {
    record: async ({ database, caller, profile, service, url, turn, reads }) => {
      const what = `${service} ${new URL(url).host}`
      await shardOf(database).send(database, 'disclose', { caller, provider: profile, what, turn: String(turn), reads })
    },
  }
}

/** Of what there is, what the function takes by name; a tool's arguments are the model's own and are all given. */
function taken(module: RunningModule, name: string, args: SessionCall['args']): SessionCall['args'] {
  const reducer = module.reducers.get(name)
  const isOfAgent = module.description.agents.some(({ prompt, greeting, hooks }) => [prompt, greeting, ...Object.values(hooks)].includes(name))
  if (reducer === undefined || !isOfAgent) return args
  return Object.fromEntries(reducer.params.flatMap((param) => (Object.hasOwn(args, param.name) ? [[param.name, args[param.name]]] : [])))
}
