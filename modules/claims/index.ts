/**
 * What a claims line remembers: who calls, what happened to them, and what was said.
 *
 * Every row belongs to its caller. The tables that a function takes are all that it can reach, and of
 * those only the caller's own rows: there is no `where caller = …` to forget.
 */
import { Appender, Context, Identity, Reader, Timestamp } from "remembrancer/guest-sdk";

@table("people")
class Person {
  @autoIncrement id: u64;
  @owner caller: Identity;
  name: string;
  at: Timestamp;
}

@table("claims")
@index("status")
class Claim {
  @autoIncrement id: u64;
  @owner caller: Identity;
  /** What a form would say: "water damage". */
  kind: string;
  /** What the caller would say: "the water in your basement". */
  summary: string;
  status: string;
  openedAt: Timestamp;
}

@table("turns")
class Turn {
  @autoIncrement id: u64;
  @owner caller: Identity;
  /** "caller" or "agent": who spoke. */
  role: string;
  content: string;
  at: Timestamp;
}

/** All that an agent needs before it says its first word. */
@record
class Recollection {
  name: string | null;
  claim: Claim | null;
  turns: Turn[];
}

/** Keeps the caller's name. A later one counts more: people marry, and lines are bad. */
@reducer
export function introduce(ctx: Context, people: Appender<Person>, name: string): void {
  if (name.length == 0) return ctx.fail("a name is at least one letter");
  people.insert(new Person(name, ctx.timestamp));
}

/** Opens a claim and returns its number, which counts for each caller from 1. */
@reducer
export function openClaim(ctx: Context, claims: Appender<Claim>, kind: string, summary: string): u64 {
  return claims.insert(new Claim(kind, summary, "open", ctx.timestamp)).id;
}

/**
 * Keeps one utterance. Who spoke follows from who calls: an agent acts for the caller under its own
 * name, so nobody can put words into the agent's mouth with a token of their own.
 */
@reducer
export function rememberTurn(ctx: Context, turns: Appender<Turn>, content: string): void {
  if (content.length > 4000) return ctx.fail("a turn is at most 4,000 characters");
  turns.insert(new Turn(ctx.actor == ctx.sender ? "caller" : "agent", content, ctx.timestamp));
}

/** Keeps a conversation that was held elsewhere, all of it or nothing. */
@reducer
export function rememberConversation(ctx: Context, turns: Appender<Turn>, contents: string[]): void {
  const kept = new Array<Turn>();
  for (let i = 0; i < contents.length; i++) kept.push(new Turn("caller", contents[i], ctx.timestamp));
  turns.insertAll(kept);
}

/** Name, open claim and last turns as of one moment. */
@query
export function recall(ctx: Context, people: Reader<Person>, claims: Reader<Claim>, turns: Reader<Turn>, limit: u32): Recollection {
  return new Recollection(nameOf(people), openClaimOf(claims), turns.latest(limit));
}

@query
export function lastTurns(ctx: Context, turns: Reader<Turn>, limit: u32): Turn[] {
  return turns.latest(limit);
}

/** What the agent says first. */
@query
export function greeting(ctx: Context, people: Reader<Person>, claims: Reader<Claim>): string {
  const name = nameOf(people);
  const claim = openClaimOf(claims);
  if (name === null) return "Welcome. How can I help?";
  if (claim === null) return `Welcome back, ${name}. How can I help?`;
  return `Welcome back, ${name}. Is this about ${claim.summary}?`;
}

function nameOf(people: Reader<Person>): string | null {
  const known = people.newest(1);
  return known.length == 0 ? null : known[0].name;
}

function openClaimOf(claims: Reader<Claim>): Claim | null {
  return claims.where.status.is("open").last();
}
