/** The module of the tests against a real host: every way in which a call can go right or wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { buildModule } from '../../host/module/build.ts'

const diary = `
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("notes")
class Note {
  @autoIncrement id: u64;
  @owner caller: Identity;
  content: string;
  at: Timestamp;
}

@table("names")
class Name {
  @owner caller: Identity;
  @primaryKey name: string;
}

@reducer
export function remember(ctx: Context, notes: Appender<Note>, content: string): u64 {
  return notes.insert(new Note(content, ctx.timestamp)).id;
}

@query
export function recall(ctx: Context, notes: Reader<Note>, limit: u32): Note[] {
  return notes.latest(limit);
}

@query
export function recallOf(ctx: Context, notes: Reader<Note>, owner: Identity, id: u64): Note | null {
  return notes.getOf(owner, id);
}

@reducer
export function take(ctx: Context, names: Appender<Name>, name: string): void {
  names.insert(new Name(name));
}

@query
export function who(ctx: Context): Identity[] {
  return [ctx.sender, ctx.actor];
}

@reducer
export function refuse(ctx: Context, notes: Appender<Note>, why: string): void {
  notes.insert(new Note("never kept", ctx.timestamp));
  ctx.fail(why);
}

@reducer
export function trap(ctx: Context, notes: Appender<Note>): void {
  notes.insert(new Note("never kept", ctx.timestamp));
  unreachable();
}

@reducer
export function recurse(ctx: Context, notes: Appender<Note>, depth: u32): u32 {
  notes.insert(new Note("never kept", ctx.timestamp));
  return deeper(depth) + 1;
}

function deeper(depth: u32): u32 {
  return depth == 0 ? 0 : deeper(depth - 1) + deeper(depth - 1) % 2;
}

@reducer
export function shout(ctx: Context, message: string): void {
  ctx.log(message);
}

@reducer
export function logMuch(ctx: Context): void {
  const line = "x".repeat(4096);
  for (let i = 0; i < 100000; i++) ctx.log(line);
}
`

/** The module as a component; with another `name` its hash is another. */
export async function buildDiary(addition = ''): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'remembrancer-diary-'))
  try {
    writeFileSync(join(folder, 'index.ts'), diary + addition)
    const { component } = await buildModule(folder, { optimize: false })
    return component
  } finally {
    rmSync(folder, { recursive: true })
  }
}
