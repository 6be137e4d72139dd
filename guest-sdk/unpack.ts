/**
 * Packed bytes to values (docs/row-format.md): `beginUnpack`, then the values in their order. The
 * bytes come from the host, which checked them, and they stay where they are until the call ends, so
 * fixed-size values (Identity, Timestamp) are used in place.
 */

let next: usize = 0;

export function beginUnpack(bytes: usize): void {
  next = bytes;
}

export function unpack<T>(): T {
  if (isNullable<T>()) {
    if (!unpack<bool>()) return changetype<T>(0);
    return unpack<NonNullable<T>>();
  } else if (isInteger<T>() || isFloat<T>()) {
    const value = load<T>(next);
    next += sizeof<T>();
    return value;
  } else if (isString<T>()) {
    return changetype<T>(unpackString());
  } else if (isArray<T>()) {
    return unpackArray<T>();
  } else if (idof<T>() == idof<Uint8Array>()) {
    return changetype<T>(unpackUint8Array());
  } else {
    // No object yet: `this` is null and __unpack makes the value.
    return changetype<T>(0).__unpack();
  }
}

/** The next bytes in place. */
export function unpackBytes(size: usize): usize {
  const bytes = next;
  next += size;
  return bytes;
}

function unpackString(): string {
  const size = unpack<u32>();
  return String.UTF8.decodeUnsafe(unpackBytes(size), size);
}

function unpackUint8Array(): Uint8Array {
  const size = unpack<u32>();
  const bytes = new Uint8Array(size);
  memory.copy(bytes.dataStart, unpackBytes(size), size);
  return bytes;
}

function unpackArray<T>(): T {
  const count = unpack<u32>();
  const values = instantiate<T>(count);
  for (let i = 0; i < <i32>count; i++) unchecked((values[i] = unpack<valueof<T>>()));
  return values;
}
