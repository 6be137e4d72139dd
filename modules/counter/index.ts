/**
 * Counters that each caller has for themselves. The smallest module that writes: one table, one
 * reducer, one query.
 */
import { Context, Identity, Reader, Writer } from "remembrancer/guest-sdk";

@table("counters")
class Counter {
  @owner caller: Identity;
  @primaryKey name: string;
  value: i64;
}

/** Adds `by` to the caller's counter of this name, which begins at 0, and returns its new value. */
@reducer
export function increment(ctx: Context, counters: Writer<Counter>, name: string, by: i64): i64 {
  const counter = counters.get(name);
  if (counter === null) return counters.insert(new Counter(name, by)).value;
  counter.value += by;
  counters.update(counter);
  return counter.value;
}

@query
export function read(ctx: Context, counters: Reader<Counter>, name: string): i64 {
  const counter = counters.get(name);
  return counter === null ? 0 : counter.value;
}

@query
export function list(ctx: Context, counters: Reader<Counter>): Counter[] {
  return counters.all();
}
