/** A table that the host counts, with indexes: every read, and every write with its undo. */
import { Appender, Context, Identity, Nullable, Reader, Selection, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("entries")
@index("topic", "rank")
class Entry {
  @autoIncrement id: u64;
  @owner owner: Identity;
  topic: string;
  rank: i32;
  @index label: string | null;
  @index weight: Nullable<f64>;
  remark: string;
}

@reducer
export function addEntry(ctx: Context, entries: Appender<Entry>, topic: string, rank: i32, label: string | null, weight: Nullable<f64>): Entry {
  return entries.insert(new Entry(topic, rank, label, weight, ""));
}

/** `topics[i]` with rank i, all in one crossing. */
@reducer
export function addEntries(ctx: Context, entries: Appender<Entry>, topics: string[]): void {
  const rows = new Array<Entry>();
  for (let i = 0; i < topics.length; i++) rows.push(new Entry(topics[i], i, null, Nullable.none<f64>(), ""));
  entries.insertAll(rows);
}

/** The row as its caller gives it: a wrong owner or id is the caller's own doing. */
@reducer
export function importEntry(ctx: Context, entries: Writer<Entry>, entry: Entry): Entry {
  return entries.insert(entry);
}

@reducer
export function replaceEntry(ctx: Context, entries: Writer<Entry>, entry: Entry): bool {
  return entries.update(entry);
}

@reducer
export function remarkOn(ctx: Context, entries: Writer<Entry>, id: u64, remark: string): bool {
  const entry = entries.get(id);
  if (entry === null) return false;
  entry.remark = remark;
  return entries.update(entry);
}

@reducer
export function removeEntry(ctx: Context, entries: Writer<Entry>, id: u64): bool {
  return entries.delete(id);
}

@reducer
export function removeEntryOf(ctx: Context, entries: Writer<Entry>, owner: Identity, id: u64): bool {
  return entries.deleteOf(owner, id);
}

/** What one call sees of its own writes, as the number of rows after each of them. */
@reducer
export function readOwnWrites(ctx: Context, entries: Writer<Entry>): u64[] {
  const seen = [entries.count()];
  const first = entries.insert(new Entry("own", 1, "first", Nullable.of<f64>(1), ""));
  seen.push(entries.where.topic.is("own").count());
  const second = entries.insert(new Entry("own", 2, "second", Nullable.none<f64>(), ""));
  seen.push(entries.where.topic.is("own").count());
  first.topic = "moved";
  entries.update(first);
  seen.push(entries.where.topic.is("own").count());
  seen.push(<u64>entries.where.topic.is("moved").all()[0].rank);
  entries.delete(second.id);
  seen.push(entries.where.topic.is("own").count());
  seen.push(entries.get(second.id) === null ? 0 : 1);
  seen.push(entries.insert(new Entry("own", 3, null, Nullable.none<f64>(), "")).id - second.id);
  return seen;
}

@reducer
export function addThenRefuse(ctx: Context, entries: Writer<Entry>, topic: string): void {
  entries.insert(new Entry(topic, 0, null, Nullable.none<f64>(), ""));
  if (entries.count() == 0) unreachable();
  ctx.fail("refused after writing");
}

@reducer
export function removeThenTrap(ctx: Context, entries: Writer<Entry>, id: u64): void {
  if (entries.delete(id)) unreachable();
}

/** Ids of many rows, so that a batch crosses in each direction. */
@reducer
export function addMany(ctx: Context, entries: Writer<Entry>, topic: string, count: u32): u64 {
  const rows = new Array<Entry>();
  for (let i: u32 = 0; i < count; i++) rows.push(new Entry(topic, -<i32>i, null, Nullable.none<f64>(), ""));
  entries.insertAll(rows);
  return rows.length == 0 ? 0 : rows[rows.length - 1].id;
}

@query
export function entry(ctx: Context, entries: Reader<Entry>, id: u64): Entry | null {
  return entries.get(id);
}

@query
export function entryOf(ctx: Context, entries: Reader<Entry>, owner: Identity, id: u64): Entry | null {
  return entries.getOf(owner, id);
}

@query
export function countEntries(ctx: Context, entries: Reader<Entry>): u64 {
  return entries.count();
}

@query
export function allEntries(ctx: Context, entries: Reader<Entry>): Entry[] {
  return entries.all();
}

@query
export function entryIds(ctx: Context, entries: Reader<Entry>, direction: string, count: u32): u64[] {
  if (direction == "latest") return ids(entries.latest(count));
  if (direction == "newest") return ids(entries.newest(count));
  if (direction == "oldest") return ids(entries.oldest(count));
  return ids(entries.all());
}

@query
export function entriesOn(ctx: Context, entries: Reader<Entry>, topic: string, direction: string, count: u32): u64[] {
  return take(entries.where.topic.is(topic), direction, count);
}

/** `relation` is is, from, after, until, before or any: what the row format calls = >= > <= < and any. */
@query
export function entriesRanked(ctx: Context, entries: Reader<Entry>, topic: string, relation: string, rank: i32, direction: string, count: u32): u64[] {
  return take(ranked(entries, topic, relation, rank), direction, count);
}

@query
export function countRanked(ctx: Context, entries: Reader<Entry>, topic: string, relation: string, rank: i32): u64 {
  return ranked(entries, topic, relation, rank).count();
}

@query
export function entriesBetween(ctx: Context, entries: Reader<Entry>, topic: string, first: i32, last: i32): u64[] {
  return ids(entries.where.topic.is(topic).and.rank.between(first, last).all());
}

@query
export function firstAndLast(ctx: Context, entries: Reader<Entry>, topic: string): u64[] {
  const selection = entries.where.topic.is(topic);
  const first = selection.first();
  const last = selection.last();
  return [first === null ? 0 : first.id, last === null ? 0 : last.id];
}

/** Ordered by topic and then rank: a range over the first column of an index alone. */
@query
export function entriesByTopic(ctx: Context, entries: Reader<Entry>, direction: string, count: u32): u64[] {
  return take(entries.where.topic.any(), direction, count);
}

@query
export function entriesLabelled(ctx: Context, entries: Reader<Entry>, label: string | null): u64[] {
  return ids(entries.where.label.is(label).all());
}

@query
export function entriesUnlabelled(ctx: Context, entries: Reader<Entry>): u64[] {
  return ids(entries.where.label.isNull().all());
}

@query
export function entriesByLabel(ctx: Context, entries: Reader<Entry>, direction: string, count: u32): u64[] {
  return take(entries.where.label.any(), direction, count);
}

@query
export function entriesFromLabel(ctx: Context, entries: Reader<Entry>, label: string | null): u64[] {
  return ids(entries.where.label.from(label).all());
}

@query
export function entriesByWeight(ctx: Context, entries: Reader<Entry>, direction: string, count: u32): u64[] {
  return take(entries.where.weight.any(), direction, count);
}

@query
export function entriesWeighing(ctx: Context, entries: Reader<Entry>, first: f64, last: f64): u64[] {
  return ids(entries.where.weight.between(Nullable.of<f64>(first), Nullable.of<f64>(last)).all());
}

@query
export function entriesNumbered(ctx: Context, entries: Reader<Entry>, first: u64, last: u64, direction: string): u64[] {
  return take(entries.where.id.between(first, last), direction, 100);
}

@query
export function entriesOwnedBy(ctx: Context, entries: Reader<Entry>, owner: Identity): u64[] {
  return ids(entries.where.owner.is(owner).all());
}

/** No index begins with rank. */
@query
export function entriesOfRank(ctx: Context, entries: Reader<Entry>, rank: i32): u64[] {
  return ids(entries.where.rank.is(rank).all());
}

/** Two ranges: an index serves one. */
@query
export function entriesOfTwoRanges(ctx: Context, entries: Reader<Entry>): u64 {
  return entries.where.topic.from("a").and.rank.from(0).count();
}

/** One Selection that is asked twice, and one that is made of it. */
@query
export function askTwice(ctx: Context, entries: Reader<Entry>, topic: string): u64[] {
  const selection = entries.where.topic.is(topic);
  const narrower = selection.and.rank.after(0);
  return [selection.count(), <u64>selection.newest(1).length, narrower.count(), selection.count()];
}

/** Four reads whose answers must not run into each other. */
@query
export function interleaved(ctx: Context, entries: Reader<Entry>): string[] {
  const all = entries.all();
  const newest = entries.newest(1);
  const count = entries.count();
  const texts = [`${count}`];
  for (let i = 0; i < all.length; i++) texts.push(all[i].topic);
  for (let i = 0; i < newest.length; i++) texts.push(newest[i].topic);
  return texts;
}

function ranked(entries: Reader<Entry>, topic: string, relation: string, rank: i32): Selection<Entry> {
  const column = entries.where.topic.is(topic).and.rank;
  if (relation == "is") return column.is(rank);
  if (relation == "from") return column.from(rank);
  if (relation == "after") return column.after(rank);
  if (relation == "until") return column.until(rank);
  if (relation == "before") return column.before(rank);
  return column.any();
}

function take(selection: Selection<Entry>, direction: string, count: u32): u64[] {
  if (direction == "latest") return ids(selection.latest(count));
  if (direction == "newest") return ids(selection.newest(count));
  if (direction == "oldest") return ids(selection.oldest(count));
  return ids(selection.all());
}

function ids(rows: Entry[]): u64[] {
  const numbers = new Array<u64>(rows.length);
  for (let i = 0; i < rows.length; i++) numbers[i] = rows[i].id;
  return numbers;
}
