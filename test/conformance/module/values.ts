/** Every type as a column, a parameter, a result, a field of a record and an element of a list. */
import { Appender, Context, Identity, Json, Nullable, Reader, Timestamp } from "remembrancer/guest-sdk";

@table("samples")
class Sample {
  @autoIncrement id: u64;
  @owner owner: Identity;
  aBool: bool;
  aU8: u8;
  anI8: i8;
  aU16: u16;
  anI16: i16;
  aU32: u32;
  anI32: i32;
  aU64: u64;
  anI64: i64;
  anF32: f32;
  anF64: f64;
  aString: string;
  aBytes: Uint8Array;
  anIdentity: Identity;
  aTimestamp: Timestamp;
  aJson: Json;
}

@table("sparse_samples")
class SparseSample {
  @autoIncrement id: u64;
  @owner owner: Identity;
  aBool: Nullable<bool>;
  aU8: Nullable<u8>;
  anI8: Nullable<i8>;
  aU16: Nullable<u16>;
  anI16: Nullable<i16>;
  aU32: Nullable<u32>;
  anI32: Nullable<i32>;
  aU64: Nullable<u64>;
  anI64: Nullable<i64>;
  anF32: Nullable<f32>;
  anF64: Nullable<f64>;
  aString: string | null;
  aBytes: Uint8Array | null;
  anIdentity: Identity | null;
  aTimestamp: Timestamp | null;
  aJson: Json | null;
}

@record
class Pair {
  number: u32;
  text: string;
}

@record
class Nest {
  pair: Pair;
  maybePair: Pair | null;
  pairs: Pair[];
  row: Sample | null;
  rows: Sample[];
  nests: Nest[];
}

@record
class Lists {
  bools: bool[];
  u8s: u8[];
  i8s: i8[];
  u16s: u16[];
  i16s: i16[];
  u32s: u32[];
  i32s: i32[];
  u64s: u64[];
  i64s: i64[];
  f32s: f32[];
  f64s: f64[];
  strings: string[];
  bytes: Uint8Array[];
  identities: Identity[];
  timestamps: Timestamp[];
  jsons: Json[];
}

@reducer
export function keepSample(ctx: Context, samples: Appender<Sample>, sample: Sample): Sample {
  return samples.insert(sample);
}

@reducer
export function keepSparseSample(ctx: Context, samples: Appender<SparseSample>, sample: SparseSample): SparseSample {
  return samples.insert(sample);
}

@query
export function samples(ctx: Context, samples: Reader<Sample>): Sample[] {
  return samples.all();
}

@query
export function sparseSamples(ctx: Context, samples: Reader<SparseSample>): SparseSample[] {
  return samples.all();
}

@query
export function echoBool(ctx: Context, value: bool): bool {
  return value;
}

@query
export function echoU8(ctx: Context, value: u8): u8 {
  return value;
}

@query
export function echoI8(ctx: Context, value: i8): i8 {
  return value;
}

@query
export function echoU16(ctx: Context, value: u16): u16 {
  return value;
}

@query
export function echoI16(ctx: Context, value: i16): i16 {
  return value;
}

@query
export function echoU32(ctx: Context, value: u32): u32 {
  return value;
}

@query
export function echoI32(ctx: Context, value: i32): i32 {
  return value;
}

@query
export function echoU64(ctx: Context, value: u64): u64 {
  return value;
}

@query
export function echoI64(ctx: Context, value: i64): i64 {
  return value;
}

@query
export function echoF32(ctx: Context, value: f32): f32 {
  return value;
}

@query
export function echoF64(ctx: Context, value: f64): f64 {
  return value;
}

@query
export function echoString(ctx: Context, value: string): string {
  return value;
}

@query
export function echoBytes(ctx: Context, value: Uint8Array): Uint8Array {
  return value;
}

@query
export function echoIdentity(ctx: Context, value: Identity): Identity {
  return value;
}

@query
export function echoTimestamp(ctx: Context, value: Timestamp): Timestamp {
  return value;
}

@query
export function echoJson(ctx: Context, value: Json): Json {
  return value;
}

@query
export function echoMaybeU32(ctx: Context, value: Nullable<u32>): Nullable<u32> {
  return value;
}

@query
export function echoMaybeString(ctx: Context, value: string | null): string | null {
  return value;
}

@query
export function echoMaybeIdentity(ctx: Context, value: Identity | null): Identity | null {
  return value;
}

@query
export function echoRow(ctx: Context, value: Sample): Sample {
  return value;
}

@query
export function echoMaybeRow(ctx: Context, value: Sample | null): Sample | null {
  return value;
}

@query
export function echoSparseRows(ctx: Context, value: SparseSample[]): SparseSample[] {
  return value;
}

@query
export function echoPair(ctx: Context, value: Pair): Pair {
  return value;
}

@query
export function echoMaybePair(ctx: Context, value: Pair | null): Pair | null {
  return value;
}

@query
export function echoPairs(ctx: Context, value: Pair[]): Pair[] {
  return value;
}

@query
export function echoNest(ctx: Context, value: Nest): Nest {
  return value;
}

@query
export function echoLists(ctx: Context, value: Lists): Lists {
  return value;
}

/** Several arguments, so that an offset that is wrong by a byte shows. */
@query
export function assemble(ctx: Context, first: string, times: u8, separator: string | null, last: bool, rest: string[]): string {
  const parts = new Array<string>();
  for (let i = 0; i < <i32>times; i++) parts.push(first);
  for (let i = 0; i < rest.length; i++) parts.push(rest[i]);
  if (last) parts.push("last");
  return parts.join(separator === null ? "," : separator);
}
