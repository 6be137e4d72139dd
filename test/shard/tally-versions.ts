/** The tally module as it grows: each version keeps what the one before had, and has a column or a table more. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { buildModule } from '../../host/module/build.ts'
import type { GateResult } from '../../host/module/gate.ts'
import { relabelled } from '../crash/tally.ts'
import { gate } from './versions.ts'

const original = fileURLToPath(new URL('../modules/tally', import.meta.url))

type Growth = (source: string) => string

const withMood: Growth = (source) =>
  source
    .replace('  padding: string;', '  padding: string;\n  @index @default("unknown") mood: string;')
    .replaceAll(/new Entry\((.+)\)\);/g, 'new Entry($1, "good"));')

const withExtras: Growth = (source) => `${source}
@table("extras")
@index("weight")
class Extra {
  @autoIncrement id: u64;
  @owner caller: Identity;
  @unique name: string;
  weight: f64;
}

@reducer
export function extra(ctx: Context, extras: Writer<Extra>, entries: Writer<Entry>, name: string, weight: f64, forgets: bool): u64 {
  const made = extras.insert(new Extra(name, weight));
  if (forgets) { extras.delete(made.id); entries.delete(1); }
  return made.id;
}
`

const growths: readonly Growth[] = [(source) => source, withMood, (source) => withExtras(withMood(source))]

const built = new Map<number, Promise<Uint8Array>>()
const checked = new Map<string, Promise<GateResult>>()

/** How far a version can grow. */
export const growthMax = growths.length - 1

/** The module that has grown so far, under this number. */
export function grownTally(growth: number, number: number): Promise<GateResult> {
  const name = `${growth} ${number}`
  const known = checked.get(name)
  if (known !== undefined) return known
  const checking = component(growth).then((bytes) => gate.check(relabelled(bytes, number)))
  checked.set(name, checking)
  return checking
}

function component(growth: number): Promise<Uint8Array> {
  const known = built.get(growth)
  if (known !== undefined) return known
  const building = build(growths[growth] ?? ((source) => source))
  built.set(growth, building)
  return building
}

async function build(grow: Growth): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-tally-'))
  try {
    cpSync(original, folder, { recursive: true })
    writeFileSync(join(folder, 'index.ts'), grow(readFileSync(join(original, 'index.ts'), 'utf8')))
    return (await buildModule(folder, { optimize: false })).component
  } finally {
    rmSync(folder, { recursive: true })
  }
}
