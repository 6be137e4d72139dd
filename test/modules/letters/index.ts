/**
 * Rows that are one person's in each of the ways there are: by an owner with keys that count or are
 * spoken, uniques and indexes, and by policies over a table without an owner. Whoever calls, the answers
 * are about their own rows; test/policy/noninterference.test.ts holds them to it.
 */
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("notes")
@index("topic", "at")
class Note {
  @autoIncrement id: u64;
  @owner author: Identity;
  @unique title: string;
  topic: string;
  at: Timestamp;
}

@table("settings")
class Setting {
  @owner person: Identity;
  @primaryKey name: string;
  value: string;
}

/** Seen by the two people it is between; looked up in `friends` who may write to whom. */
@table("letters")
@index("writer", "at")
@index("reader", "at")
@policy("read", "writer = sender or reader = sender")
@policy("insert", "writer = sender and (reader = sender or exists(friends where friends.person = letters.reader and friends.friend = sender))")
@policy("update", "writer = sender")
@policy("delete", "writer = sender")
class Letter {
  @autoIncrement id: u64;
  writer: Identity;
  reader: Identity;
  text: string;
  at: Timestamp;
}

@table("friends")
@readableByPolicies
class Friend {
  @autoIncrement id: u64;
  @owner person: Identity;
  friend: Identity;
}

@reducer
export function addNote(ctx: Context, notes: Appender<Note>, title: string, topic: string): u64 {
  return notes.insert(new Note(title, topic, ctx.timestamp)).id;
}

@reducer
export function renameNote(ctx: Context, notes: Writer<Note>, author: Identity, id: u64, title: string): bool {
  const note = notes.getOf(author, id);
  if (note === null) return false;
  note.title = title;
  return notes.update(note);
}

/** An update that read nothing before: what it finds is the host's to say. */
@reducer
export function forceNote(ctx: Context, notes: Writer<Note>, author: Identity, id: u64, title: string): bool {
  const note = new Note(title, "forced", ctx.timestamp);
  note.id = id;
  note.author = author;
  return notes.update(note);
}

@reducer
export function dropNote(ctx: Context, notes: Writer<Note>, author: Identity, id: u64): bool {
  return notes.deleteOf(author, id);
}

@reducer
export function setSetting(ctx: Context, settings: Writer<Setting>, name: string, value: string): bool {
  if (settings.get(name) !== null) return settings.update(owned(ctx.sender, name, value));
  settings.insert(new Setting(name, value));
  return false;
}

function owned(person: Identity, name: string, value: string): Setting {
  const setting = new Setting(name, value);
  setting.person = person;
  return setting;
}

/** Without a look before: a key that is taken is refused. */
@reducer
export function insertSetting(ctx: Context, settings: Appender<Setting>, name: string, value: string): void {
  settings.insert(new Setting(name, value));
}

@reducer
export function befriend(ctx: Context, friends: Appender<Friend>, friend: Identity): void {
  friends.insert(new Friend(friend));
}

@reducer
export function writeLetter(ctx: Context, letters: Appender<Letter>, reader: Identity, text: string): u64 {
  return letters.insert(new Letter(ctx.sender, reader, text, ctx.timestamp)).id;
}

@reducer
export function rewriteLetter(ctx: Context, letters: Writer<Letter>, id: u64, reader: Identity, text: string): bool {
  const letter = new Letter(ctx.sender, reader, text, ctx.timestamp);
  letter.id = id;
  return letters.update(letter);
}

@reducer
export function dropLetter(ctx: Context, letters: Writer<Letter>, id: u64): bool {
  return letters.delete(id);
}

@query
export function notesAbout(ctx: Context, notes: Reader<Note>, topic: string, limit: u32): Note[] {
  return notes.where.topic.is(topic).latest(limit);
}

@query
export function noteOf(ctx: Context, notes: Reader<Note>, author: Identity, id: u64): Note | null {
  return notes.getOf(author, id);
}

@query
export function notesOf(ctx: Context, notes: Reader<Note>, author: Identity): Note[] {
  return notes.where.author.is(author).newest(5);
}

@query
export function countNotes(ctx: Context, notes: Reader<Note>): u64 {
  return notes.count();
}

@query
export function countTopic(ctx: Context, notes: Reader<Note>, topic: string): u64 {
  return notes.where.topic.is(topic).count();
}

@query
export function setting(ctx: Context, settings: Reader<Setting>, name: string): Setting | null {
  return settings.get(name);
}

@query
export function letter(ctx: Context, letters: Reader<Letter>, id: u64): Letter | null {
  return letters.get(id);
}

@query
export function lettersTo(ctx: Context, letters: Reader<Letter>, reader: Identity): Letter[] {
  return letters.where.reader.is(reader).latest(10);
}

@query
export function lettersFrom(ctx: Context, letters: Reader<Letter>, writer: Identity): Letter[] {
  return letters.where.writer.is(writer).and.at.any().newest(10);
}

@query
export function countLetters(ctx: Context, letters: Reader<Letter>): u64 {
  return letters.count();
}
