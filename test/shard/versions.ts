/** Modules of one database, version after version, and the gate that lets them in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildModule } from '../../host/module/build.ts'
import { Gate } from '../../host/module/gate.ts'
import type { GateResult } from '../../host/module/gate.ts'

export interface Version {
  /** What every reducer says of itself, in its result and in its rows. */
  readonly label: string
  readonly columns?: string
  readonly constructed?: string
  /** The body of an @init reducer. */
  readonly init?: string
  /** Other classes. */
  readonly more?: string
}

function source({ label, columns = '', constructed = '', init, more = '' }: Version): string {
  return `
import { Appender, Context, Identity, Reader } from "remembrancer/guest-sdk";

@table("stamps")
class Stamp {
  @autoIncrement id: u64;
  @owner caller: Identity;
  label: string;
  size: string;
  ${columns}
}

${more}

@reducer
export function stamp(ctx: Context, stamps: Appender<Stamp>, size: u32): string {
  stamps.insert(new Stamp("${label}", "x".repeat(size)${constructed}));
  return "${label}";
}

@query
export function labels(ctx: Context, stamps: Reader<Stamp>): string[] {
  return stamps.all().map<string>((stamp) => stamp.label);
}

${init === undefined ? '' : `@init export function begin(ctx: Context, stamps: Appender<Stamp>): void { ${init} }`}
`
}

const built = new Map<string, Promise<Uint8Array>>()

export function component(version: Version): Promise<Uint8Array> {
  const text = source(version)
  const known = built.get(text)
  if (known !== undefined) return known
  const building = build(text)
  built.set(text, building)
  return building
}

async function build(text: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-stamps-'))
  try {
    writeFileSync(join(folder, 'index.ts'), text)
    writeFileSync(join(folder, 'package.json'), '{"name":"stamps"}')
    return (await buildModule(folder, { optimize: false })).component
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const gate = new Gate()

export async function checked(version: Version): Promise<GateResult> {
  return gate.check(await component(version))
}

export const first: Version = { label: 'first' }
/** With a column that the rows of the first version get by default. */
export const second: Version = { label: 'second', columns: '@index @default("unknown") mood: string;', constructed: ', "good"' }
