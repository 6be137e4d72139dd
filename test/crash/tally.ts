/**
 * The component of test/modules/tally, and as many others as are wanted that differ in one label alone: a module
 * says in its results and rows which one it is, and none has to be compiled for it.
 */
import { hash } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { buildModule } from '../../host/module/build.ts'

const labelBytes = Buffer.from(labelOf(0), 'utf16le')

/** What a module of this number calls itself. All have the same length. */
export function labelOf(number: number): string {
  return `label-${String(number).padStart(10, '0')}`
}

let built: Promise<Uint8Array> | undefined

/** Number 0, compiled once a process. */
export function tallyComponent(): Promise<Uint8Array> {
  return (built ??= buildModule(fileURLToPath(new URL('../modules/tally', import.meta.url)), { optimize: false }).then(({ component }) => component))
}

/** The component with another number in the one place where its label stands. */
export function relabelled(component: Uint8Array, number: number): Uint8Array {
  const bytes = Buffer.from(component)
  const at = bytes.indexOf(labelBytes)
  if (at < 0 || bytes.indexOf(labelBytes, at + 1) >= 0) throw new Error('the label does not stand in the component once')
  bytes.write(labelOf(number), at, 'utf16le')
  return bytes
}

export function hashOf(component: Uint8Array): string {
  return hash('sha256', component, 'hex')
}
