/**
 * The module in rust/ as a component: built by cargo, offline and without crates, into a folder that git
 * ignores and cargo keeps for the next time, then wrapped in the world as a module of AssemblyScript is.
 *
 * Of several toolchains on a machine the first one is taken that has Rust's standard library for Wasm:
 * rustup's usually has not, and Debian's packages (npm run peers) stand behind it on the PATH.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

import { embedInWorld } from '../../host/module/embed.ts'

const run = promisify(execFile)
const TARGET = 'wasm32-unknown-unknown'

interface RustToolchain {
  readonly cargo: string
  readonly rustc: string
}

const rust = findRust()
const missing = `no cargo and rustc with ${TARGET} on the PATH: npm run peers installs them`

/** Why a test of the Rust guest is left out. In CI nothing is: there the missing toolchain is a failure. */
export const withoutRust = rust === undefined && process.env['CI'] !== 'true' ? missing : false

/** @throws when there is no toolchain, or with what cargo said. */
export async function buildRustGuest(): Promise<Uint8Array> {
  if (rust === undefined) throw new Error(missing)
  const folder = join(import.meta.dirname, 'rust')
  const target = join(folder, 'build')
  const env = { ...process.env, RUSTC: rust.rustc, CARGO_TARGET_DIR: target }
  await run(rust.cargo, ['build', '--release', '--offline', '--locked'], { cwd: folder, env, timeout: 120_000 })
  return embedInWorld(await readFile(join(target, TARGET, 'release', 'journal.wasm')))
}

function findRust(): RustToolchain | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => ({ cargo: join(folder, 'cargo'), rustc: join(folder, 'rustc') })).find(hasTarget)
}

function hasTarget({ cargo, rustc }: RustToolchain): boolean {
  if (!existsSync(cargo) || !existsSync(rustc)) return false
  const { stdout } = spawnSync(rustc, ['--print', 'target-libdir', '--target', TARGET], { encoding: 'utf8' })
  return stdout !== null && existsSync(stdout.trim())
}
