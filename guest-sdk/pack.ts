/**
 * Values to packed bytes (docs/row-format.md), into one block that every crossing uses again:
 * `beginPack`, any number of values, then `packedStart` and `packedSize` for the host function. Types
 * are told apart while compiling, so packing a row is straight-line code.
 */

let start: usize = 0;
let next: usize = 0;
let end: usize = 0;

/** First block: most rows fit, and 1 KiB of an untouched page costs nothing. */
const BLOCK_SIZE: usize = 1024;

export function beginPack(): void {
  next = start;
}

export function packedStart(): usize {
  return start;
}

export function packedSize(): usize {
  return next - start;
}

/** A copy of what is packed, for bytes that outlive the next `beginPack`. */
export function keepPacked(): usize {
  const size = packedSize();
  const kept = heap.alloc(size);
  memory.copy(kept, start, size);
  return kept;
}

export function pack<T>(value: T): void {
  if (isNullable<T>()) {
    const isPresent = changetype<usize>(value) != 0;
    pack<bool>(isPresent);
    if (isPresent) pack<NonNullable<T>>(value!);
  } else if (isBoolean<T>()) {
    reserve(1);
    store<u8>(next, value ? 1 : 0);
    next += 1;
  } else if (isInteger<T>() || isFloat<T>()) {
    reserve(sizeof<T>());
    store<T>(next, value);
    next += sizeof<T>();
  } else if (isString<T>()) {
    packString(changetype<string>(value));
  } else if (isArray<T>()) {
    packArray<T>(value);
  } else if (idof<T>() == idof<Uint8Array>()) {
    const bytes = changetype<Uint8Array>(value);
    pack<u32>(bytes.length);
    packBytes(bytes.dataStart, bytes.length);
  } else {
    // Identity, Timestamp, Json, Nullable, and the tables and records of the module.
    value.__pack();
  }
}

export function packBytes(bytes: usize, size: usize): void {
  reserve(size);
  memory.copy(next, bytes, size);
  next += size;
}

/** The text alone, without its length. Lone surrogates pass as they are: the host refuses them. */
export function packText(text: string): void {
  reserve(3 * text.length); // a UTF-16 unit is at most three bytes
  next += String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, next);
}

function packString(text: string): void {
  pack<u32>(0);
  const before = packedSize();
  packText(text);
  const size = packedSize() - before;
  store<u32>(start + before - 4, <u32>size);
}

function packArray<T>(values: T): void {
  const count = values.length;
  pack<u32>(count);
  for (let i = 0; i < count; i++) pack<valueof<T>>(unchecked(values[i]));
}

function reserve(size: usize): void {
  if (next + size > end) grow(size);
}

function grow(size: usize): void {
  const used = packedSize();
  const capacity = max<usize>(max<usize>(2 * (end - start), used + size), BLOCK_SIZE);
  const block = heap.alloc(capacity);
  memory.copy(block, start, used);
  start = block;
  next = block + used;
  end = block + capacity;
}
