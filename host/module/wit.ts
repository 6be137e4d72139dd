/**
 * The second opinion: jco's tools validate the whole component by the specification and print its
 * world, which must be ours line by line. Only the gate's child calls this, after our own parser has
 * said yes: hostile bytes can panic these tools for the rest of the process.
 */
import { componentWit } from '@bytecodealliance/jco-transpile/wasm-tools'
import { HostError } from '../errors.ts'
import { quoteName } from './binary-reader.ts'

/**
 * A component imports only the interfaces that it uses, so those lines may be missing; all others are
 * as in wit/module.wit. The printed text leaves out what is inside the interfaces: wiring.ts has
 * compared that.
 */
const OPTIONAL_LINES: ReadonlySet<string> = new Set([
  'import remembrancer:module/tables@1.0.0;',
  'import remembrancer:module/log@1.0.0;',
  'import remembrancer:module/outcome@1.0.0;',
])

const REQUIRED_LINES: ReadonlySet<string> = new Set([
  'package root:component;',
  'world root {',
  'use remembrancer:module/tables@1.0.0.{table};',
  'export describe: func() -> list<u8>;',
  'export call: func(reducer: u32, context: list<u8>, tables: list<table>, args: list<u8>) -> result<list<u8>, list<u8>>;',
  '}',
])

/** Loads the tools: the first use of them takes about half a second. */
export async function loadTools(): Promise<void> {
  await componentWit(EMPTY_COMPONENT)
}

const EMPTY_COMPONENT = new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00])

/**
 * @throws HostError ERR_COMPONENT_WORLD when the printed world is another, and whatever the tools throw
 * for a component that they do not accept; they are not to be used again after that.
 */
export async function checkWorld(component: Uint8Array): Promise<void> {
  const lines = (await componentWit(component)).split('\n').map((line) => line.trim())
  const found = new Set(lines.filter((line) => line !== ''))
  const foreign = [...found].find((line) => !OPTIONAL_LINES.has(line) && !REQUIRED_LINES.has(line))
  const missing = [...REQUIRED_LINES].find((line) => !found.has(line))
  if (foreign !== undefined) throw otherWorld(`it has ${quoteName(foreign)}`)
  if (missing !== undefined) throw otherWorld(`it lacks "${missing}"`)
}

function otherWorld(difference: string): HostError {
  return new HostError('ERR_COMPONENT_WORLD', `the component is of another world: ${difference}`)
}
