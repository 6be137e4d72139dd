/**
 * A claims line that people talk to. Sarah calls about the water in her basement; when she calls back, the
 * agent says so before she does.
 *
 * The host's session carries the voices and calls what is named below: the hooks as the conversation goes on,
 * the prompt before each answer. Every row belongs to the caller, and the agent's words are written by hooks
 * alone: nobody can put words into its mouth with a token of their own.
 */
import { Appender, Context, Identity, Json, Nullable, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@agent("claims", {
  prompt: "prompt",
  greeting: "greeting",
  tools: ["introduce", "openClaim", "closeClaim"],
  sessionStarted: "sessionStarted",
  callerTurn: "callerTurn",
  agentTurn: "agentTurn",
  toolCalled: "toolCalled",
  turnMeasured: "turnMeasured",
  sessionEnded: "sessionEnded",
})
class ClaimsLine {}

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

/** One conversation. `state` is "open" while it goes on, and then why it ended. */
@table("sessions")
class Session {
  @owner caller: Identity;
  @primaryKey name: string;
  transport: string;
  state: string;
  startedAt: Timestamp;
  endedAt: Timestamp | null;
}

/** One utterance. Of the agent's, `content` is what the caller heard of it. */
@table("turns")
@index("session")
class Turn {
  @autoIncrement id: u64;
  @owner caller: Identity;
  session: string;
  turn: u32;
  /** "caller" or "agent": who spoke. */
  role: string;
  content: string;
  /** What the agent wanted to say, where it was interrupted. */
  intended: string | null;
  at: Timestamp;
}

@table("tool_calls")
class ToolCall {
  @autoIncrement id: u64;
  @owner caller: Identity;
  session: string;
  turn: u32;
  tool: string;
  args: Json;
  result: Json;
  failed: bool;
  at: Timestamp;
}

/** Where the time of a turn went, in milliseconds since the caller stopped speaking. */
@table("turn_times")
@index("session")
class TurnTime {
  @autoIncrement id: u64;
  @owner caller: Identity;
  session: string;
  turn: u32;
  speechEnd: Timestamp;
  endpoint: Nullable<f64>;
  transcript: Nullable<f64>;
  recall: Nullable<f64>;
  /** When what the caller said was on disk; nothing waits for it. */
  commit: Nullable<f64>;
  firstToken: Nullable<f64>;
  firstAudio: Nullable<f64>;
  heard: Nullable<f64>;
  /** What recall and commit took of it, and their share. */
  memory: Nullable<f64>;
  memoryShare: Nullable<f64>;
}

@record
class Message {
  role: string;
  content: string;
}

/** What the model is told, and the rows it comes from. */
@record
class Prompt {
  messages: Message[];
  person: Person | null;
  claim: Claim | null;
  turns: Turn[];
}

@query
export function prompt(ctx: Context, people: Reader<Person>, claims: Reader<Claim>, turns: Reader<Turn>, session: string): Prompt {
  const person = personOf(people);
  const claim = openClaimOf(claims);
  const before = earlierTurns(turns, session);
  let text = "You answer the telephone of an insurance company. Be warm, and brief: one or two short sentences, no lists.";
  text += person === null ? " You do not know the caller's name yet; ask for it, then keep it with introduce." : ` The caller is ${person.name}.`;
  if (claim === null) text += " They have no open claim; when something has happened, open one with open_claim.";
  else text += ` Their open claim is number ${claim.id}, ${claim.kind}: ${claim.summary}.`;
  for (let i = 0; i < before.length; i++) text += `\nEarlier, ${before[i].role} said: ${before[i].content}`;
  return new Prompt([new Message("system", text)], person, claim, before);
}

/** What the agent says first. */
@query
export function greeting(ctx: Context, people: Reader<Person>, claims: Reader<Claim>): string {
  const person = personOf(people);
  const claim = openClaimOf(claims);
  if (person === null) return "Welcome. Who is calling, please?";
  if (claim === null) return `Welcome back, ${person.name}. How can I help?`;
  return `Welcome back, ${person.name}. Is this about ${claim.summary}?`;
}

/** Keeps the caller's name, once they have said it. */
@reducer
export function introduce(ctx: Context, people: Appender<Person>, name: string): void {
  if (name.length == 0 || name.length > 100) return ctx.fail("a name has 1 to 100 letters");
  people.insert(new Person(name, ctx.timestamp));
}

/**
 * Opens a claim for damage that the caller reports, and returns its number. `kind` is what a form would say, as
 * "water damage"; `summary` is what one would say to the caller, as "the water in your basement".
 */
@reducer
export function openClaim(ctx: Context, claims: Appender<Claim>, kind: string, summary: string): u64 {
  return claims.insert(new Claim(kind, summary, "open", ctx.timestamp)).id;
}

/** Closes one of the caller's claims, when they say that it is settled. */
@reducer
export function closeClaim(ctx: Context, claims: Writer<Claim>, id: u64): void {
  const claim = claims.get(id);
  if (claim === null) return ctx.fail(`there is no claim ${id} of this caller`);
  claim.status = "closed";
  claims.update(claim);
}

@query
export function conversation(ctx: Context, turns: Reader<Turn>, session: string): Turn[] {
  return turns.where.session.is(session).all();
}

@hook
export function sessionStarted(ctx: Context, sessions: Appender<Session>, session: string, transport: string): void {
  sessions.insert(new Session(session, transport, "open", ctx.timestamp, null));
}

@hook
export function callerTurn(ctx: Context, turns: Appender<Turn>, session: string, turn: u32, text: string): void {
  turns.insert(new Turn(session, turn, "caller", text, null, ctx.timestamp));
}

@hook
export function agentTurn(ctx: Context, turns: Appender<Turn>, session: string, turn: u32, intended: string, heard: string, interrupted: bool): void {
  turns.insert(new Turn(session, turn, "agent", heard, interrupted ? intended : null, ctx.timestamp));
}

@hook
export function toolCalled(ctx: Context, calls: Appender<ToolCall>, session: string, turn: u32, tool: string, args: Json, result: Json, failed: bool): void {
  calls.insert(new ToolCall(session, turn, tool, args, result, failed, ctx.timestamp));
}

@hook
export function turnMeasured(
  ctx: Context, times: Appender<TurnTime>, session: string, turn: u32, speechEnd: Timestamp,
  endpoint: Nullable<f64>, transcript: Nullable<f64>, recall: Nullable<f64>, commit: Nullable<f64>, firstToken: Nullable<f64>,
  firstAudio: Nullable<f64>, heard: Nullable<f64>, memory: Nullable<f64>, memoryShare: Nullable<f64>,
): void {
  times.insert(new TurnTime(session, turn, speechEnd, endpoint, transcript, recall, commit, firstToken, firstAudio, heard, memory, memoryShare));
}

@hook
export function sessionEnded(ctx: Context, sessions: Writer<Session>, session: string, reason: string): void {
  const row = sessions.get(session);
  if (row === null) return;
  row.state = reason;
  row.endedAt = ctx.timestamp;
  sessions.update(row);
}

/** The last turns of other conversations: those of this one the session knows itself. */
function earlierTurns(turns: Reader<Turn>, session: string): Turn[] {
  const latest = turns.latest(20);
  const before = new Array<Turn>();
  for (let i = 0; i < latest.length; i++) {
    if (latest[i].session != session) before.push(latest[i]);
  }
  return before;
}

function personOf(people: Reader<Person>): Person | null {
  const known = people.newest(1);
  return known.length == 0 ? null : known[0];
}

function openClaimOf(claims: Reader<Claim>): Claim | null {
  return claims.where.status.is("open").last();
}
