/**
 * The canonical ABI's side of a call: where the host's lists arrive, and how the result leaves. The
 * transform writes `describe` and `call` in terms of this file.
 */
import { Context } from "./context";
import { Identity } from "./identity";
import { beginPack, pack, packedSize, packedStart } from "./pack";
import { beginUnpack } from "./unpack";

let current: usize = 0;
let handles: usize = 0;

export function beginCall(callContext: usize, tables: usize, args: usize): void {
  current = callContext;
  handles = tables;
  beginUnpack(args);
}

export function context(): Context {
  return changetype<Context>(current);
}

export function sender(): Identity {
  return context().sender;
}

/** The handle at this place of the reducer's signature. */
export function handle<H>(place: usize): H {
  return changetype<H>(load<usize>(handles + 4 * place));
}

export function returnValue<T>(value: T): usize {
  beginPack();
  pack<T>(value);
  return okList(packedStart(), packedSize());
}

export function returnVoid(): usize {
  return okList(0, 0);
}

/** `list<u8>`: a pointer to pointer and size. */
export function list(bytes: usize, size: usize): usize {
  const result = memory.data(8, 4);
  store<usize>(result, bytes);
  store<usize>(result, size, 4);
  return result;
}

/** `result<list<u8>, list<u8>>` that is ok. A call that fails does so by outcome.fail or a trap. */
function okList(bytes: usize, size: usize): usize {
  const result = memory.data(12, 4);
  store<u8>(result, 0);
  store<usize>(result, bytes, 4);
  store<usize>(result, size, 8);
  return result;
}

/** Where the host puts lists. Blocks are aligned to 16, more than any list needs. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  return old == 0 ? heap.alloc(size) : heap.realloc(old, size);
}
