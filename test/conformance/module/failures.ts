/** Everything that must end a call and leave nothing: refusals, traps, and what no honest SDK would send. */
import { Context, Identity, Json, Nullable, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("probes")
class Probe {
  @autoIncrement id: u64;
  @owner owner: Identity;
  number: u64;
  real: f64;
  text: string;
  at: Timestamp;
  document: Json;
}

@table("closed")
class Closed {
  @autoIncrement id: u64;
  text: string;
}

@reducer
export function refuse(ctx: Context, why: string): void {
  ctx.fail(why);
}

@query
export function refuseQuery(ctx: Context, why: string): u64 {
  return ctx.fail<u64>(why);
}

@query
export function failAssertion(ctx: Context): void {
  assert(false, "never true");
}

@query
export function elementAt(ctx: Context, numbers: u32[], index: i32): u32 {
  return numbers[index];
}

@query
export function divide(ctx: Context, left: i32, right: i32): i32 {
  return left / right;
}

@query
export function readMemory(ctx: Context, address: u32): u8 {
  return load<u8>(<usize>address);
}

@query
export function reachUnreachable(ctx: Context): void {
  unreachable();
}

@query
export function valueOf(ctx: Context, number: Nullable<u32>): u32 {
  return number.value;
}

@query
export function recurse(ctx: Context, depth: u32): u64 {
  return descend(depth);
}

function descend(depth: u32): u64 {
  return depth == 0 ? 0 : 1 + descend(depth - 1);
}

/** Text of so many letters. */
@query
export function text(ctx: Context, size: u32): string {
  return "x".repeat(size);
}

@reducer
export function keepText(ctx: Context, probes: Writer<Probe>, size: u32): u64 {
  return probes.insert(probe("x".repeat(size))).id;
}

@reducer
export function keepNumber(ctx: Context, probes: Writer<Probe>, least: u64, more: u64): u64 {
  const row = probe("");
  row.number = least + more;
  return probes.insert(row).id;
}

@reducer
export function keepQuotient(ctx: Context, probes: Writer<Probe>, left: f64, right: f64): f64 {
  const row = probe("");
  row.real = left / right;
  const id = probes.insert(row).id;
  return probes.get(id)!.real;
}

/** One UTF-16 unit: a surrogate alone, or U+0000, is no text that can be kept. */
@reducer
export function keepUnit(ctx: Context, probes: Writer<Probe>, unit: u16): string {
  const id = probes.insert(probe(String.fromCharCode(unit))).id;
  return probes.get(id)!.text;
}

@reducer
export function keepTime(ctx: Context, probes: Writer<Probe>, micros: i64): Timestamp {
  const row = probe("");
  row.at = new Timestamp(micros);
  const id = probes.insert(row).id;
  return probes.get(id)!.at;
}

@reducer
export function keepDocument(ctx: Context, probes: Writer<Probe>, document: string): string {
  const row = probe("");
  row.document = new Json(document);
  const id = probes.insert(row).id;
  return probes.get(id)!.document.text;
}

@query
export function countProbes(ctx: Context, probes: Reader<Probe>): u64 {
  return probes.count();
}

@query
export function giveQuotient(ctx: Context, left: f64, right: f64): f64 {
  return left / right;
}

@reducer
export function giveQuotientOfReducer(ctx: Context, probes: Writer<Probe>, left: f64, right: f64): f64 {
  probes.insert(probe(""));
  return left / right;
}

@query
export function giveSum(ctx: Context, left: u64, right: u64): u64 {
  return left + right;
}

@query
export function giveUnit(ctx: Context, unit: u16): string {
  return String.fromCharCode(unit);
}

@query
export function giveDocument(ctx: Context, document: string): Json {
  return new Json(document);
}

@query
export function giveTime(ctx: Context, micros: i64): Timestamp {
  return new Timestamp(micros);
}

@reducer
export function addProbes(ctx: Context, probes: Writer<Probe>, count: u32): u64 {
  const rows = new Array<Probe>();
  for (let i: u32 = 0; i < count; i++) rows.push(probe(""));
  probes.insertAll(rows);
  return rows[rows.length - 1].id;
}

/** A Reader taken for a Writer: what the types of one SDK forbid, another module may try. */
@reducer
export function writeByReader(ctx: Context, probes: Reader<Probe>): u64 {
  return changetype<Writer<Probe>>(changetype<usize>(probes)).insert(probe("")).id;
}

/** A number that the host never gave. */
@reducer
export function useForgedHandle(ctx: Context, handle: u32): u64 {
  return changetype<Reader<Probe>>(<usize>handle).count();
}

@reducer
export function addClosed(ctx: Context, rows: Writer<Closed>, text: string): void {
  rows.insert(new Closed(text));
}

@query
export function countClosed(ctx: Context, rows: Reader<Closed>): u64 {
  return rows.count();
}

@reducer
export function removeClosed(ctx: Context, rows: Writer<Closed>, id: u64): bool {
  return rows.delete(id);
}

function probe(text: string): Probe {
  return new Probe(0, 0, text, new Timestamp(0), new Json("null"));
}
