/**
 * The row format itself: bytes that a case writes down go to the host as they are, past everything
 * that an SDK checks. Between two parts of `parts` stand the 32 bytes of the sender, which no case can
 * know; in an answer they are 32 bytes 11.
 */
import { area, logWrite, outcomeFail, tableCount, tableDelete, tableGet, tableInsert, tableScan, tableUpdate } from "remembrancer/guest-sdk/abi";
import { Context, Identity, Nullable, Writer } from "remembrancer/guest-sdk";

@table("pebbles")
@index("color", "weight")
class Pebble {
  @autoIncrement id: u64;
  @owner owner: Identity;
  color: string;
  weight: Nullable<u8>;
}

/** `get`, `scan` and `insert` answer with the list that the host gave, the others with a u64. */
@reducer
export function raw(ctx: Context, pebbles: Writer<Pebble>, operation: string, parts: Uint8Array[]): Uint8Array {
  const bytes = joined(parts, ctx.sender);
  const table = changetype<usize>(pebbles);
  if (operation == "get") tableGet(table, bytes.dataStart, bytes.length, area);
  else if (operation == "scan") tableScan(table, bytes.dataStart, bytes.length, area);
  else if (operation == "insert") tableInsert(table, bytes.dataStart, bytes.length, area);
  else if (operation == "count") return number(tableCount(table, bytes.dataStart, bytes.length));
  else if (operation == "update") return number(tableUpdate(table, bytes.dataStart, bytes.length));
  else if (operation == "delete") return number(tableDelete(table, bytes.dataStart, bytes.length));
  return masked(load<usize>(area), load<u32>(area, 4), ctx.sender);
}

@reducer
export function rawLog(ctx: Context, level: u32, message: Uint8Array): void {
  logWrite(level, message.dataStart, message.length);
}

@reducer
export function rawFail(ctx: Context, message: Uint8Array): void {
  outcomeFail(message.dataStart, message.length);
}

/** A scan at any place of the memory, its answer put at any other. */
@reducer
export function scanAt(ctx: Context, pebbles: Writer<Pebble>, pointer: u32, size: u32, answer: u32): u32 {
  tableScan(changetype<usize>(pebbles), pointer, size, answer);
  return load<u32>(answer, 4);
}

@reducer
export function logAt(ctx: Context, pointer: u32, size: u32): void {
  logWrite(1, pointer, size);
}

function joined(parts: Uint8Array[], sender: Identity): Uint8Array {
  let size = 32 * (parts.length - 1);
  for (let i = 0; i < parts.length; i++) size += parts[i].length;
  const bytes = new Uint8Array(size);
  let next = bytes.dataStart;
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) {
      memory.copy(next, changetype<usize>(sender), 32);
      next += 32;
    }
    memory.copy(next, parts[i].dataStart, parts[i].length);
    next += parts[i].length;
  }
  return bytes;
}

function masked(start: usize, size: u32, sender: Identity): Uint8Array {
  const bytes = new Uint8Array(size);
  memory.copy(bytes.dataStart, start, size);
  for (let i = 0; i + 32 <= <i32>size; i++) {
    const at = bytes.dataStart + i;
    if (memory.compare(at, changetype<usize>(sender), 32) == 0) memory.fill(at, 0x11, 32);
  }
  return bytes;
}

function number(value: u64): Uint8Array {
  const bytes = new Uint8Array(8);
  store<u64>(bytes.dataStart, value);
  return bytes;
}
