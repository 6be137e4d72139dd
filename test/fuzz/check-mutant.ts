/**
 * What one upload may do to the host: be refused with a code and a harmless sentence, or be accepted and
 * then run within its limits whatever the values are. Anything else is a finding.
 */
import { HostError } from '../../host/errors.ts'
import { isPrintable } from '../../host/printable.ts'
import { checkComponent, checkStructure } from '../../host/module/check-component.ts'
import type { CheckedComponent } from '../../host/module/check-component.ts'
import { GuestModule } from '../../host/sandbox/guest-module.ts'
import type { GuestTable } from '../../host/sandbox/handle-table.ts'
import { parseDescription } from '../../host/schema/description.ts'
import type { Random } from './random.ts'

/** `tools`: our own checks said yes and jco's said no, after which they may be useless in this process. */
export type MutantFate = 'refused' | 'tools' | 'accepted'

export class Finding extends Error {}

export async function checkMutant(component: Uint8Array, random: Random): Promise<MutantFate> {
  if (!isWellStructured(component)) return 'refused'
  const checked = await checkAll(component)
  if (checked === 'refused' || checked === 'tools') return checked
  refusesOnly(() => parseDescription(checked.description))
  await runWithHostileValues(checked.core, random)
  return 'accepted'
}

function isWellStructured(component: Uint8Array): boolean {
  return refusesOnly(() => checkStructure(component))
}

/** False where `work` was refused as it should be. */
function refusesOnly(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    expectRefusal(error)
    return false
  }
}

function expectRefusal(error: unknown): void {
  if (!(error instanceof HostError)) throw new Finding(`our own code failed: ${error instanceof Error ? error.stack : String(error)}`)
  if (error.code === 'ERR_INTERNAL' || error.message.length > 2_000 || !isPrintable(error.message)) {
    throw new Finding(`a refusal that is no good sentence: ${error.code} ${JSON.stringify(error.message)}`)
  }
}

async function checkAll(component: Uint8Array): Promise<CheckedComponent | 'refused' | 'tools'> {
  try {
    return await checkComponent(component)
  } catch (error) {
    if (error instanceof HostError && error.message.includes('cannot be metered')) throw new Finding(`the rewriter made an invalid module: ${error.message}`)
    if (isOfTheTools(error)) return 'tools'
    expectRefusal(error)
    return 'refused'
  }
}

/** Thrown in jco's own code, at our question what world this is. */
function isOfTheTools(error: unknown): boolean {
  if (error instanceof HostError) return false
  const stack = error instanceof Error ? (error.stack ?? '') : String(error)
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '))
  return frames.length === 0 || (frames[0]?.includes('@bytecodealliance') ?? false) || (frames[0]?.includes('wasm://') ?? false)
}

const REDUCERS_TRIED = 4

async function runWithHostileValues(core: Uint8Array, random: Random): Promise<void> {
  const guest = await GuestModule.compile(core)
  for (let reducer = 0; reducer < REDUCERS_TRIED; reducer += 1) {
    refusesOnly(() =>
      guest.run({
        reducer: random.chance(8) ? random.u32() : reducer,
        context: random.bytes(random.below(200)),
        tables: Array.from({ length: random.below(4) }, () => new HostileTable(random)),
        args: random.bytes(random.below(100)),
        limits: { fuel: 200_000, memoryPages: 16 + random.below(16), depth: 4_096 },
        log: () => undefined,
      }),
    )
  }
}

/** Answers with bytes that no table would give, which are what the guest's own code must stand. */
class HostileTable implements GuestTable {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  get(): Uint8Array {
    return this.#answer()
  }

  scan(): Uint8Array {
    return this.#answer()
  }

  count(): bigint {
    return BigInt(this.#random.u32())
  }

  insert(): Uint8Array {
    return this.#answer()
  }

  update(): number {
    return this.#random.below(1_000)
  }

  delete(): number {
    return this.#random.below(1_000)
  }

  #answer(): Uint8Array {
    if (this.#random.chance(10)) throw new HostError('ERR_ROW_MALFORMED', 'these are no rows')
    return this.#random.bytes(this.#random.below(300))
  }
}
