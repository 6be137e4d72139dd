/** Tables whose author fills the key, one for each sort of key: order, replacing and removing by it. */
import { Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("by_string")
class ByString {
  @owner owner: Identity;
  @primaryKey name: string;
  note: string;
}

@table("by_integer")
class ByInteger {
  note: string;
  @primaryKey number: i64;
  @owner owner: Identity;
}

@table("by_small")
class BySmall {
  @owner owner: Identity;
  @primaryKey number: i8;
}

@table("by_bytes")
class ByBytes {
  @owner owner: Identity;
  @primaryKey digest: Uint8Array;
}

@table("by_identity")
class ByIdentity {
  @owner owner: Identity;
  @primaryKey person: Identity;
}

@table("by_timestamp")
class ByTimestamp {
  @owner owner: Identity;
  @primaryKey at: Timestamp;
}

@table("by_bool")
class ByBool {
  @owner owner: Identity;
  @primaryKey flag: bool;
}

@reducer
export function putString(ctx: Context, rows: Writer<ByString>, name: string, note: string): void {
  rows.insert(new ByString(name, note));
}

@reducer
export function replaceString(ctx: Context, rows: Writer<ByString>, name: string, note: string): bool {
  const row = rows.get(name);
  if (row === null) return false;
  row.note = note;
  return rows.update(row);
}

@reducer
export function dropString(ctx: Context, rows: Writer<ByString>, name: string): bool {
  return rows.delete(name);
}

@query
export function getString(ctx: Context, rows: Reader<ByString>, name: string): ByString | null {
  return rows.get(name);
}

@query
export function strings(ctx: Context, rows: Reader<ByString>): string[] {
  const found = rows.all();
  const names = new Array<string>(found.length);
  for (let i = 0; i < found.length; i++) names[i] = found[i].name;
  return names;
}

@query
export function stringsFrom(ctx: Context, rows: Reader<ByString>, first: string, last: string): u64 {
  return rows.where.name.between(first, last).count();
}

@reducer
export function putInteger(ctx: Context, rows: Writer<ByInteger>, number: i64, note: string): ByInteger {
  return rows.insert(new ByInteger(note, number));
}

@reducer
export function dropInteger(ctx: Context, rows: Writer<ByInteger>, number: i64): bool {
  return rows.delete(number);
}

@query
export function integers(ctx: Context, rows: Reader<ByInteger>): ByInteger[] {
  return rows.all();
}

@reducer
export function putSmalls(ctx: Context, rows: Writer<BySmall>, numbers: i8[]): i8[] {
  for (let i = 0; i < numbers.length; i++) rows.insert(new BySmall(numbers[i]));
  const found = rows.all();
  const stored = new Array<i8>(found.length);
  for (let i = 0; i < found.length; i++) stored[i] = found[i].number;
  return stored;
}

@reducer
export function putBytes(ctx: Context, rows: Writer<ByBytes>, digests: Uint8Array[]): Uint8Array[] {
  for (let i = 0; i < digests.length; i++) rows.insert(new ByBytes(digests[i]));
  const found = rows.all();
  const stored = new Array<Uint8Array>();
  for (let i = 0; i < found.length; i++) stored.push(found[i].digest);
  return stored;
}

@query
export function hasBytes(ctx: Context, rows: Reader<ByBytes>, digest: Uint8Array): bool {
  return rows.get(digest) !== null;
}

@reducer
export function putIdentities(ctx: Context, rows: Writer<ByIdentity>, people: Identity[]): Identity[] {
  for (let i = 0; i < people.length; i++) rows.insert(new ByIdentity(people[i]));
  const found = rows.all();
  const stored = new Array<Identity>();
  for (let i = 0; i < found.length; i++) stored.push(found[i].person);
  return stored;
}

@query
export function hasIdentity(ctx: Context, rows: Reader<ByIdentity>, person: Identity): bool {
  return rows.get(person) !== null;
}

@reducer
export function putTimestamps(ctx: Context, rows: Writer<ByTimestamp>, times: Timestamp[]): Timestamp[] {
  for (let i = 0; i < times.length; i++) rows.insert(new ByTimestamp(times[i]));
  const found = rows.all();
  const stored = new Array<Timestamp>();
  for (let i = 0; i < found.length; i++) stored.push(found[i].at);
  return stored;
}

@query
export function timesBefore(ctx: Context, rows: Reader<ByTimestamp>, at: Timestamp): u64 {
  return rows.where.at.before(at).count();
}

@reducer
export function putBool(ctx: Context, rows: Writer<ByBool>, flag: bool): u64 {
  rows.insert(new ByBool(flag));
  return rows.count();
}

@query
export function hasBool(ctx: Context, rows: Reader<ByBool>, flag: bool): bool {
  return rows.get(flag) !== null;
}
