/**
 * The module of the crash tests. Every call leaves its number in two rows, counts one up and changes one thing:
 * a call that is lost, done twice, done by half or done by two versions shows in the rows.
 */
import { Context, Identity, Reader, Writer } from "remembrancer/guest-sdk";

/** Other letters in the component make another module: see test/crash/tally.ts. */
const label = "label-0000000000";

@table("entries")
class Entry {
  @autoIncrement id: u64;
  @owner caller: Identity;
  call: string;
  turn: i64;
  label: string;
  padding: string;
}

@table("tallies")
class Tally {
  @owner caller: Identity;
  @primaryKey name: string;
  turn: i64;
}

@table("things")
class Thing {
  @owner caller: Identity;
  @primaryKey name: string;
  call: string;
}

@record
class Outcome {
  turn: i64;
  label: string;
}

/** A thing is set to the number of the call, or taken away. What is written before a bad ending must not be found. */
@reducer
export function enter(
  ctx: Context, entries: Writer<Entry>, tallies: Writer<Tally>, things: Writer<Thing>,
  call: string, thing: string, takesAway: bool, reads: bool, size: u32, ending: string,
): Outcome {
  const turn = count(tallies);
  entries.insert(new Entry(call, turn, label, ""));
  // A read makes the row before it go to the file ahead of the one after it.
  if (reads) entries.latest(1);
  change(things, thing, takesAway, call);
  entries.insert(new Entry(call, turn, label, "x".repeat(size)));
  if (ending == "fail") ctx.fail("as asked");
  if (ending == "trap") unreachable();
  return new Outcome(turn, label);
}

function count(tallies: Writer<Tally>): i64 {
  const tally = tallies.get("calls");
  if (tally === null) return tallies.insert(new Tally("calls", 1)).turn;
  tally.turn += 1;
  tallies.update(tally);
  return tally.turn;
}

function change(things: Writer<Thing>, name: string, takesAway: bool, call: string): void {
  if (takesAway) {
    things.delete(name);
  } else if (things.get(name) === null) {
    things.insert(new Thing(name, call));
  } else {
    things.update(new Thing(name, call));
  }
}

/** Rows of no meaning, to make a database as large as one that is in use. */
@reducer
export function fill(ctx: Context, entries: Writer<Entry>, rows: u32, size: u32): void {
  const padding = "x".repeat(size);
  for (let i: u32 = 0; i < rows; i++) entries.insert(new Entry("ballast", 0, label, padding));
}

@query
export function turns(ctx: Context, tallies: Reader<Tally>): i64 {
  const tally = tallies.get("calls");
  return tally === null ? 0 : tally.turn;
}
