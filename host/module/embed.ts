/**
 * A core module to a component of the fixed world. jco's tools are Wasm themselves: after one panic
 * they answer nothing more in their thread.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools'

import { packageRoot } from './package-root.ts'

const witSource = readFileSync(path.join(packageRoot, 'wit/module.wit'), 'utf8')

export async function embedInWorld(core: Uint8Array): Promise<Uint8Array> {
  const embedded = await componentEmbed({ binary: core, witSource, world: 'module', stringEncoding: 'utf8' })
  return componentNew(embedded, [])
}
