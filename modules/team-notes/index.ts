/**
 * Notes of teams: who may see one is written in another table, and who may change that is a claim of
 * their token. What a team's leads write about a note is a table of its own with a stricter policy, since
 * a policy shows a row or hides it, all of its columns.
 */
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("teams")
@policy("read", "exists(members where members.team = teams.id and members.person = sender) or claim('role') = 'admin'")
@policy("insert", "claim('role') = 'admin'")
class Team {
  @autoIncrement id: u64;
  name: string;
}

/** Who belongs to which team. People see their own memberships, admins all. */
@table("members")
@readableByPolicies
@unique("team", "person", { global: true })
@index("person")
@policy("read", "person = sender")
@policy("delete", "person = sender")
@policy("all", "claim('role') = 'admin' and assurance >= 'provider'")
class Member {
  @autoIncrement id: u64;
  team: u64;
  person: Identity;
  isLead: bool;
}

/** Members read a team's notes and write some; each is changed by its author only. */
@table("notes")
@readableByPolicies
@index("team", "at")
@policy("read", "exists(members where members.team = notes.team and members.person = sender)")
@policy("insert", "author = sender and exists(members where members.team = notes.team and members.person = sender)")
@policy("update", "author = sender")
@policy("delete", "author = sender or claim('role') = 'admin'")
class Note {
  @autoIncrement id: u64;
  team: u64;
  author: Identity;
  text: string;
  at: Timestamp;
}

/** The columns of a note that only leads of its team see: even its author does not learn that there are any. */
@table("reviews")
@policy(
  "all",
  `exists(notes where notes.id = reviews.note
     and exists(members where members.team = notes.team and members.person = sender and members.isLead))`,
)
class Review {
  @primaryKey({ global: true }) note: u64;
  verdict: string;
}

@reducer
export function foundTeam(ctx: Context, teams: Appender<Team>, name: string): u64 {
  return teams.insert(new Team(name)).id;
}

/** A team with its founder as lead and a first note: policies see what the same call has written. Gives the notes it sees. */
@reducer
export function startTeam(ctx: Context, teams: Appender<Team>, members: Appender<Member>, notes: Writer<Note>, name: string, welcome: string): u64 {
  const team = teams.insert(new Team(name)).id;
  members.insert(new Member(team, ctx.sender, true));
  notes.insert(new Note(team, ctx.sender, welcome, ctx.timestamp));
  return notes.where.team.is(team).count();
}

@reducer
export function addMember(ctx: Context, members: Appender<Member>, team: u64, person: Identity, isLead: bool): void {
  members.insert(new Member(team, person, isLead));
}

/** False when there is no such membership that the caller may end. */
@reducer
export function removeMember(ctx: Context, members: Writer<Member>, team: u64, person: Identity): bool {
  const member = members.where.team.is(team).and.person.is(person).first();
  return member === null ? false : members.delete(member.id);
}

/** Ends the caller's own membership and gives how many of the team's notes they still see: none, from the same moment on. */
@reducer
export function leaveTeam(ctx: Context, members: Writer<Member>, notes: Reader<Note>, team: u64): u64 {
  const member = members.where.team.is(team).and.person.is(ctx.sender).first();
  if (member !== null) members.delete(member.id);
  return notes.where.team.is(team).count();
}

@reducer
export function writeNote(ctx: Context, notes: Appender<Note>, team: u64, text: string): u64 {
  return notes.insert(new Note(team, ctx.sender, text, ctx.timestamp)).id;
}

@reducer
export function editNote(ctx: Context, notes: Writer<Note>, id: u64, text: string): bool {
  const note = notes.get(id);
  if (note === null) return false;
  note.text = text;
  return notes.update(note);
}

/** Takes a note to another team: the one that the caller would not see it in is refused. */
@reducer
export function moveNote(ctx: Context, notes: Writer<Note>, id: u64, team: u64): bool {
  const note = notes.get(id);
  if (note === null) return false;
  note.team = team;
  return notes.update(note);
}

@reducer
export function deleteNote(ctx: Context, notes: Writer<Note>, id: u64): bool {
  return notes.delete(id);
}

@reducer
export function reviewNote(ctx: Context, reviews: Appender<Review>, note: u64, verdict: string): void {
  reviews.insert(new Review(note, verdict));
}

@query
export function teams(ctx: Context, teams: Reader<Team>): Team[] {
  return teams.all();
}

@query
export function lastNotes(ctx: Context, notes: Reader<Note>, team: u64, limit: u32): Note[] {
  return notes.where.team.is(team).latest(limit);
}

@query
export function countNotes(ctx: Context, notes: Reader<Note>, team: u64): u64 {
  return notes.where.team.is(team).count();
}

@query
export function verdictOn(ctx: Context, reviews: Reader<Review>, note: u64): string | null {
  const review = reviews.get(note);
  return review === null ? null : review.verdict;
}
