/**
 * What metering costs: kernels of reducer-like work, compiled once and run as they are and rewritten,
 * each in its own instance, in turns. The ratio of the medians is the price of fuel, depth and NaN
 * together; kernels without floats have nothing of the last.
 */
import asc from 'assemblyscript/asc'

import { rewriteCore } from '../host/module/rewrite/rewrite.ts'
import { HOST_IMPORTS, MEMORY_IMPORT } from '../host/sandbox/door.ts'
import { pinEngineFlags } from '../host/sandbox/engine-flags.ts'
import { CALL_LIMITS, Meter } from '../host/sandbox/meter.ts'
import { KERNEL_SOURCE, KERNELS } from './fuel-kernels.ts'
import { interleave, ratio, report } from './measure.ts'
import type { Report } from './measure.ts'

type Kernels = Readonly<Record<string, (size: number) => number>>

const fuel = 2_000_000_000

export async function benchFuel(): Promise<Report> {
  pinEngineFlags()
  const core = await compileKernels()
  const plain = await WebAssembly.compile(core)
  const metered = await WebAssembly.compile(rewriteCore(core, 'each'))
  const figures: Record<string, number> = {}
  const ratios: Record<string, number> = {}
  for (const [name, size] of KERNELS) {
    const meter = new Meter()
    // The allocator never frees: an instance for each run, made outside of what is measured.
    const makePlain = (): Kernels => started(new WebAssembly.Instance(plain, environment()))
    const makeMetered = (): Kernels => meteredInstance(metered, meter)
    const spreads = await interleave([oneKernel('plain', makePlain, name, size), oneKernel('metered', makeMetered, name, size)], { rounds: 40, perRound: 3 })
    figures[`${name} plain p50`] = spreads.get('plain')?.p50 ?? Number.NaN
    figures[`${name} metered p50`] = spreads.get('metered')?.p50 ?? Number.NaN
    figures[`${name} units`] = meter.burnt
    ratios[name] = ratio(spreads, 'metered', 'plain')
  }
  const values = Object.values(ratios)
  ratios['geometric mean'] = Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
  return report('fuel', figures, ratios)
}

function oneKernel(candidate: string, make: () => Kernels, name: string, size: number): { name: string; prepare(): void; run(): number } {
  let kernels = make()
  return {
    name: candidate,
    prepare: () => {
      kernels = make()
    },
    run: () => kernels[name]?.(size) ?? 0,
  }
}

function meteredInstance(module: WebAssembly.Module, meter: Meter): Kernels {
  meter.start({ ...CALL_LIMITS, fuel }, 0)
  const host = { ...meter.imports, [MEMORY_IMPORT]: new WebAssembly.Memory({ initial: 1, maximum: 65_536 }) }
  return started(new WebAssembly.Instance(module, { ...environment(), [HOST_IMPORTS]: host }))
}

function started({ exports }: WebAssembly.Instance): Kernels {
  const kernels = exports as unknown as Kernels
  kernels['_initialize']?.(0)
  return kernels
}

function environment(): WebAssembly.Imports {
  const abort = (): never => {
    throw new Error('a kernel aborted')
  }
  return { env: { abort } }
}

async function compileKernels(): Promise<Uint8Array<ArrayBuffer>> {
  let core = new Uint8Array(0)
  const { error } = await asc.main(
    ['kernels.ts', '--outFile', 'kernels.wasm', '--runtime', 'stub', '--initialMemory', '1', '--exportStart', '_initialize', '-O3'],
    {
      readFile: (name) => (name === 'kernels.ts' ? KERNEL_SOURCE : null),
      writeFile: (_name, contents) => void (core = new Uint8Array(Buffer.from(contents))),
      listFiles: () => [],
    },
  )
  if (error !== null) throw new Error('the kernels do not compile', { cause: error })
  return core
}
