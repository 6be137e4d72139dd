/**
 * A process that publishes the components of a folder, each to a database of its own, and makes calls:
 * those of the script, at moments that it draws itself, or those that another process has recorded. It
 * prints every call with what it came to, a line each.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { packArguments } from '../../host/api/pack-arguments.ts'
import { assert } from '../../host/errors.ts'
import { checkComponent } from '../../host/module/check-component.ts'
import { publish } from '../../host/publish/publish.ts'
import { drawSeed } from '../../host/reducer/call-context.ts'
import { LoneDatabase } from '../reducer/lone-database.ts'
import { DataFolder } from '../storage/folder.ts'
import { performCall } from './recorded-call.ts'
import type { Outcome, RecordedCall } from './recorded-call.ts'
import { rustScript, script } from './script.ts'
import type { Step } from './script.ts'

const [components = '', recording] = process.argv.slice(2)
const fuelMax = 50_000_000
using folder = new DataFolder()
const databases = new Map<string, LoneDatabase>()
for (const file of readdirSync(components)) databases.set(basename(file, '.wasm'), await opened(join(components, file)))

if (recording === undefined) for (const step of [...script, ...rustScript]) record(step)
else for (const line of readFileSync(recording, 'utf8').trim().split('\n')) replay(JSON.parse(line) as RecordedCall)
for (const database of databases.values()) await database[Symbol.asyncDispose]()

async function opened(file: string): Promise<LoneDatabase> {
  const { core, description, componentHash } = await checkComponent(readFileSync(file))
  const database = await LoneDatabase.make(folder.path, basename(file))
  await publish(database, { core, description, hash: componentHash, publishedBy: 'test', isDryRun: false })
  return database
}

/** Where there is no toolchain there is no module in Rust, and nothing of it in the recording. */
function record(step: Step): void {
  const database = databases.get(step.module)
  if (database === undefined) return
  const { description, layouts } = database.database.requireModule()
  const reducer = description.reducers.findIndex(({ name }) => name === step.reducer)
  const described = description.reducers[reducer]
  assert(described !== undefined, `${step.module} has no ${step.reducer}`)
  const { module, sender = 0, fuel = fuelMax, cuts } = step
  const args = Buffer.from(packArguments(described, step.args ?? [], layouts, (_type, value) => value)).toString('hex')
  const moment = [database.database.callTime(), ...drawSeed()].map(String) as [string, string, string]
  const call = { module, reducer, sender, args, fuelMax: fuel, moment }
  const { fuel: burnt } = perform(database, call)
  if (cuts === undefined) return
  const parts = Array.from({ length: cuts }, (_, part) => Math.ceil((burnt * (part + 1)) / (cuts + 2)))
  for (const cut of [burnt, burnt - 1, ...parts]) perform(database, { ...call, fuelMax: cut })
}

function replay({ outcome: _outcome, ...call }: RecordedCall): void {
  const database = databases.get(call.module)
  assert(database !== undefined, `${call.module} was recorded`)
  perform(database, call)
}

function perform(database: LoneDatabase, call: Omit<RecordedCall, 'outcome'>): Outcome {
  const outcome = performCall(database, call)
  process.stdout.write(`${JSON.stringify({ ...call, outcome } satisfies RecordedCall)}\n`)
  return outcome
}
