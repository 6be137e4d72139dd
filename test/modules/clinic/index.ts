/** Rows of every kind that the access log tells apart: one's own, a patient's kept by a nurse, strict ones, and everybody's. */
import { Appender, Context, Identity, Reader, Writer } from "remembrancer/guest-sdk";

@table("diary")
class Entry {
  @autoIncrement id: u64;
  @owner author: Identity;
  text: string;
}

/** The nurse owns it; it is about a patient, who has a number and no login. */
@table("visits")
@policy("read", "claim('role') = 'doctor'")
class Visit {
  @autoIncrement id: u64;
  @owner nurse: Identity;
  @subject @index patient: u64;
  note: string;
}

@table("diagnoses")
@audit("strict")
class Diagnosis {
  @autoIncrement id: u64;
  @owner patient: Identity;
  text: string;
}

@table("board")
@policy("all", "true")
class Notice {
  @autoIncrement id: u64;
  @subject about: string;
  text: string;
}

@reducer
export function write(ctx: Context, diary: Appender<Entry>, text: string): u64 {
  return diary.insert(new Entry(text)).id;
}

@reducer
export function writeMany(ctx: Context, diary: Appender<Entry>, count: u32): void {
  const entries = new Array<Entry>();
  for (let i: u32 = 0; i < count; i++) entries.push(new Entry(`entry ${i}`));
  diary.insertAll(entries);
}

@reducer
export function rewrite(ctx: Context, diary: Writer<Entry>, id: u64, text: string): bool {
  const entry = diary.get(id);
  if (entry === null) return false;
  entry.text = text;
  return diary.update(entry);
}

@reducer
export function tearOut(ctx: Context, diary: Writer<Entry>, id: u64): bool {
  return diary.delete(id);
}

@reducer
export function writeAndFail(ctx: Context, diary: Writer<Entry>): void {
  diary.insert(new Entry("never"));
  diary.newest(1);
  ctx.fail("thought better of it");
}

@query
export function entries(ctx: Context, diary: Reader<Entry>): Entry[] {
  return diary.all();
}

@query
export function entryCount(ctx: Context, diary: Reader<Entry>): u64 {
  return diary.count();
}

@query
export function entryOf(ctx: Context, diary: Reader<Entry>, id: u64): string {
  const entry = diary.get(id);
  return entry === null ? "" : entry.text;
}

@reducer
export function visit(ctx: Context, visits: Appender<Visit>, patient: u64, note: string): void {
  visits.insert(new Visit(patient, note));
}

@query
export function visits(ctx: Context, visits: Reader<Visit>): Visit[] {
  return visits.all();
}

@query
export function visitCount(ctx: Context, visits: Reader<Visit>): u64 {
  return visits.count();
}

@reducer
export function diagnose(ctx: Context, diagnoses: Appender<Diagnosis>, text: string): void {
  diagnoses.insert(new Diagnosis(text));
}

@query
export function diagnoses(ctx: Context, diagnoses: Reader<Diagnosis>): Diagnosis[] {
  return diagnoses.all();
}

@reducer
export function post(ctx: Context, board: Appender<Notice>, about: string, text: string): void {
  board.insert(new Notice(about, text));
}

@query
export function board(ctx: Context, board: Reader<Notice>): Notice[] {
  return board.all();
}

@reducer
export function postMany(ctx: Context, board: Appender<Notice>, count: u32): void {
  const notices = new Array<Notice>();
  for (let i: u32 = 0; i < count; i++) notices.push(new Notice(`room ${i}`, "closed"));
  board.insertAll(notices);
}

@query
export function noticeCount(ctx: Context, board: Reader<Notice>): u64 {
  return board.count();
}
