/**
 * The module of the tests of calls: what an author writes, and what an author must not, through the
 * raw functions of the world. A raw reducer hands its bytes and a forged handle to the host as they are.
 */
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";
import { countOfBatch, insertBatch, raw } from "./raw";

@table("notes")
@index("score")
class Note {
  @autoIncrement id: u64;
  @owner caller: Identity;
  content: string;
  score: u32;
}

@table("names")
class Name {
  @owner caller: Identity;
  @primaryKey name: string;
  @unique nick: string | null;
  @unique({ global: true }) badge: string | null;
}

@record
class Tree {
  children: Tree[];
}

@reducer
export function remember(ctx: Context, notes: Appender<Note>, content: string, score: u32): u64 {
  return notes.insert(new Note(content, score)).id;
}

/** Two rows, with a read between that makes the first one go to the file before the second. */
@reducer
export function rememberTwice(ctx: Context, notes: Writer<Note>, content: string): u64 {
  notes.insert(new Note(content, 1));
  const count = notes.count();
  notes.insert(new Note(content, 2));
  return count;
}

@reducer
export function rememberMany(ctx: Context, notes: Appender<Note>, count: u32, size: u32): void {
  const content = "x".repeat(size);
  const kept = new Array<Note>();
  for (let i: u32 = 0; i < count; i++) kept.push(new Note(content, i));
  notes.insertAll(kept);
}

@query
export function latest(ctx: Context, notes: Reader<Note>, limit: u32): Note[] {
  return notes.latest(limit);
}

@query
export function noteOf(ctx: Context, notes: Reader<Note>, owner: Identity, id: u64): Note | null {
  return notes.getOf(owner, id);
}

@reducer
export function change(ctx: Context, notes: Writer<Note>, id: u64, content: string): bool {
  const note = notes.get(id);
  if (note === null) return false;
  note.content = content;
  return notes.update(note);
}

@reducer
export function forget(ctx: Context, notes: Writer<Note>, owner: Identity, id: u64): bool {
  return notes.deleteOf(owner, id);
}

/** Writes, reads, writes and reads again, each time on top of what it wrote. */
@reducer
export function readOwnWrites(ctx: Context, notes: Writer<Note>): string[] {
  const first = notes.insert(new Note("first", 1));
  const second = notes.insert(new Note("second", 2));
  const seen = [contents(notes.all())];
  first.content = "changed";
  notes.update(first);
  notes.delete(second.id);
  notes.insert(new Note("third", 3));
  seen.push(contents(notes.all()));
  seen.push(contents(notes.where.score.from(3).all()));
  seen.push(notes.count().toString());
  return seen;
}

function contents(notes: Note[]): string {
  let text = "";
  for (let i = 0; i < notes.length; i++) text += (i == 0 ? "" : " ") + notes[i].id.toString() + ":" + notes[i].content;
  return text;
}

/** Writes, reads so that what it wrote is applied, and ends in one of three ways. */
@reducer
export function writeAndEnd(ctx: Context, notes: Writer<Note>, names: Writer<Name>, ending: string): void {
  names.insert(new Name("kept in memory", null, null));
  notes.insert(new Note("never kept", 0));
  notes.delete(1);
  if (notes.count() == 0) names.count();
  notes.insert(new Note("never kept", 0));
  if (ending == "fail") ctx.fail("as asked");
  if (ending == "trap") unreachable();
  if (ending == "recurse") deeper(1);
}

function deeper(depth: u32): u32 {
  return deeper(depth + 1) + 1;
}

@reducer
export function take(ctx: Context, names: Appender<Name>, name: string, nick: string | null, badge: string | null): void {
  names.insert(new Name(name, nick, badge));
}

@reducer
export function rename(ctx: Context, names: Writer<Name>, name: string, nick: string | null, badge: string | null): bool {
  return names.update(new Name(name, nick, badge));
}

/** Scans without making objects of the rows, which would cost the guest more than the host. */
@query
export function scanOver(ctx: Context, notes: Reader<Note>, scan: Uint8Array, times: u32): u64 {
  let rows: u64 = 0;
  for (let i: u32 = 0; i < times; i++) rows += countOfBatch(<u32>changetype<usize>(notes), scan);
  return rows;
}

@reducer
export function insertOver(ctx: Context, notes: Appender<Note>, batch: Uint8Array, times: u32): void {
  for (let i: u32 = 0; i < times; i++) insertBatch(<u32>changetype<usize>(notes), batch);
}

@query
export function countOver(ctx: Context, notes: Reader<Note>, times: u32): u64 {
  let rows: u64 = 0;
  for (let i: u32 = 0; i < times; i++) rows += notes.count();
  return rows;
}

@reducer
export function say(ctx: Context, message: string, times: u32): void {
  for (let i: u32 = 0; i < times; i++) ctx.log(message);
}

@reducer
export function refuse(ctx: Context, message: string): void {
  ctx.fail(message);
}

@query
export function zeros(ctx: Context, size: u32): Uint8Array {
  return new Uint8Array(size);
}

@query
export function treeOf(ctx: Context, depth: u32): Tree {
  let tree = new Tree([]);
  for (let i: u32 = 1; i < depth; i++) tree = new Tree([tree]);
  return tree;
}

@reducer
export function plantTree(ctx: Context, notes: Appender<Note>, depth: u32): Tree {
  notes.insert(new Note("never kept", 0));
  return treeOf(ctx, depth);
}

@query
export function now(ctx: Context): Timestamp {
  return ctx.timestamp;
}

@query
export function draw(ctx: Context): u64 {
  return ctx.randomU64() >> 1;
}

@reducer
export function rawRead(ctx: Context, notes: Reader<Note>, operation: string, input: Uint8Array): Uint8Array {
  return raw(<u32>changetype<usize>(notes), operation, input.dataStart, input.length);
}

@reducer
export function rawAppend(ctx: Context, notes: Appender<Note>, operation: string, input: Uint8Array): Uint8Array {
  return raw(<u32>changetype<usize>(notes), operation, input.dataStart, input.length);
}

@reducer
export function rawWrite(ctx: Context, notes: Writer<Note>, operation: string, input: Uint8Array): Uint8Array {
  return raw(<u32>changetype<usize>(notes), operation, input.dataStart, input.length);
}

/** The number of the handle, for a later call. */
@reducer
export function handleOf(ctx: Context, notes: Reader<Note>): u32 {
  return <u32>changetype<usize>(notes);
}

/** One that this call was not given, beside one that it was. */
@reducer
export function forged(ctx: Context, notes: Reader<Note>, handle: u32, operation: string): Uint8Array {
  return raw(handle, operation, 0, 0);
}

@reducer
export function altered(ctx: Context, notes: Reader<Note>, bits: u32, operation: string): Uint8Array {
  return raw(<u32>changetype<usize>(notes) ^ bits, operation, 0, 0);
}

/** Bytes at any place, of any size. */
@reducer
export function pointed(ctx: Context, notes: Writer<Note>, operation: string, at: u32, size: u32): Uint8Array {
  return raw(<u32>changetype<usize>(notes), operation, at, size);
}

@reducer
export function grown(ctx: Context, notes: Writer<Note>, operation: string, pages: u32): Uint8Array {
  memory.grow(pages);
  return raw(<u32>changetype<usize>(notes), operation, 0, pages << 16);
}
