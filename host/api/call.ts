/**
 * One call from JSON to JSON: find the reducer, pack its arguments, pass the shard door, unpack the
 * result. What it does is the same for every protocol; who calls was settled before.
 */
import { HostError } from '../errors.ts'
import * as limits from '../limits.ts'
import { toJson } from '../protocol/json-values.ts'
import type { CallerHead, Shard } from '../protocol/shard-protocol.ts'
import { PackedReader } from '../packed-bytes.ts'
import { unpackValue } from '../row-codec.ts'
import { runningModule } from './database-facts.ts'
import type { DatabaseFacts, NumberedReducer, RunningModule } from './database-facts.ts'
import { nearNames } from '../near-names.ts'
import { packArguments } from './pack-arguments.ts'
import type { NamedArguments } from './pack-arguments.ts'

export interface CallRequest {
  readonly database: string
  /** `hook` is for the host's own session, whose caller has an actor of the host's: no route says it. */
  readonly kind: 'reducer' | 'query' | 'hook'
  readonly name: string
  readonly args: readonly unknown[] | NamedArguments
  readonly caller: CallerHead
  /** Of the caller's choice: a reducer that has run under it does not run again. */
  readonly id?: string | undefined
}

export interface CallAnswer {
  readonly result: unknown
  /** Version of the module that ran: an earlier one, when the call had run before. */
  readonly version: number
  /** Units burnt (docs/fuel.md). */
  readonly fuel: number
  /** The number of its record in the access log. */
  readonly record: string
}

/**
 * Arguments are packed for one version of the module, and the shard runs no other: when a publish
 * came between, nothing has run, so the call is packed again for the module that runs now.
 *
 * @throws HostError what the module or the shard refused, ERR_BUSY when publishes keep coming.
 */
export async function runCall(facts: DatabaseFacts, shard: Shard, request: CallRequest): Promise<CallAnswer> {
  let module = await facts.module(request.database)
  for (let attempt = 1; ; attempt++) {
    try {
      return await callOnce(shard, module, request)
    } catch (error) {
      if (!isVersionMismatch(error) || attempt >= limits.repackTriesMax) throw error
      module = await facts.moduleAfter(request.database, module)
    }
  }
}

async function callOnce(shard: Shard, module: RunningModule, request: CallRequest): Promise<CallAnswer> {
  const { database, kind, caller, id } = request
  const reducer = findReducer(module, request)
  const packed = packArguments(reducer, request.args, module.layouts)
  const head = { reducer: reducer.number, kind, version: module.version, caller, ...(id === undefined ? {} : { id }) }
  const { head: answer, body } = await shard.send(database, 'call', head, packed)
  const { fuel, version, record } = answer
  const ran = version === module.version ? module : await moduleOfVersion(shard, database, version)
  try {
    return { result: unpackResult(ran, ran.reducers.get(reducer.name) ?? reducer, body), version, fuel, record }
  } catch (error) {
    // A query whose result is nonsense has burnt fuel like any other call that failed.
    throw error instanceof HostError ? error.withDetail({ fuel }) : error
  }
}

/** What a call that ran before had as its module: rare, so it is asked for and not kept. */
async function moduleOfVersion(shard: Shard, database: string, version: number): Promise<RunningModule> {
  const { head, body } = await shard.send(database, 'describe', { version })
  return runningModule(version, head.hash, body)
}

/** The shard says ERR_BUSY with the version that runs; a full queue says ERR_BUSY without one. */
function isVersionMismatch(error: unknown): boolean {
  return error instanceof HostError && error.code === 'ERR_BUSY' && Object.hasOwn(error.detail, 'version')
}

function findReducer(module: RunningModule, { name, kind }: CallRequest): NumberedReducer {
  const reducer = module.reducers.get(name)
  if (reducer === undefined) throw unknownReducer(module, name)
  if (reducer.kind !== kind && (reducer.kind === 'init' || reducer.kind === 'hook')) {
    throw new HostError('ERR_REDUCER_HOST_ONLY', `${name} is run by the host alone: no token can call it`)
  }
  if (reducer.kind !== kind) {
    const path = reducer.kind === 'query' ? 'query' : 'call'
    throw new HostError('ERR_REDUCER_KIND', `${name} is a ${reducer.kind}: run it with ${path}, not ${path === 'query' ? 'call' : 'query'}`)
  }
  return reducer
}

function unknownReducer(module: RunningModule, name: string): HostError {
  const callable = module.description.reducers.filter((one) => one.kind === 'reducer' || one.kind === 'query').map((one) => one.name)
  const near = nearNames(name, callable)
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'ask for the schema to see what it has'
  return new HostError('ERR_REDUCER_UNKNOWN', `${module.description.module} has no reducer or query ${JSON.stringify(name.slice(0, 80))}: ${hint}`, {
    detail: { near },
  })
}

function unpackResult(module: RunningModule, reducer: NumberedReducer, body: Uint8Array): unknown {
  const reader = new PackedReader(body, 'ERR_RESULT_MALFORMED')
  const value = unpackValue(reader, reducer.result, module.layouts)
  reader.end()
  return toJson(reducer.result, value, module.layouts)
}
