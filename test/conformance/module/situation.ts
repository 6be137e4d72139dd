/** What a call knows of itself, and what it says beside its result. */
import { Context, Identity, Level, Timestamp } from "remembrancer/guest-sdk";

@record
class Situation {
  sender: Identity;
  actor: Identity;
  assurance: u8;
  channel: string;
}

@query
export function situation(ctx: Context): Situation {
  return new Situation(ctx.sender, ctx.actor, <u8>ctx.assurance, ctx.channel);
}

@reducer
export function situationOfReducer(ctx: Context): Situation {
  return new Situation(ctx.sender, ctx.actor, <u8>ctx.assurance, ctx.channel);
}

@query
export function claim(ctx: Context, name: string): string | null {
  return ctx.claim(name);
}

@query
export function now(ctx: Context): Timestamp {
  return ctx.timestamp;
}

/** Time stands still in a call: 0 microseconds. */
@query
export function timePassed(ctx: Context): i64 {
  const before = ctx.timestamp;
  let sum: u64 = 0;
  for (let i = 0; i < 10000; i++) sum += ctx.randomU64();
  return ctx.timestamp.since(before) + <i64>(sum & 0);
}

@query
export function personText(ctx: Context): string {
  return ctx.sender.toString();
}

@query
export function isSelf(ctx: Context, person: Identity): bool {
  return ctx.sender == person && !(ctx.sender != person);
}

/** Draws are at least 0, less than 1, and differ. */
@query
export function drawsDiffer(ctx: Context, count: u32): bool {
  const drawn = new Array<f64>();
  for (let i: u32 = 0; i < count; i++) {
    const next = ctx.random();
    if (next < 0 || next >= 1 || drawn.includes(next)) return false;
    drawn.push(next);
  }
  return true;
}

@reducer
export function say(ctx: Context, message: string, level: u8): void {
  ctx.log(message, <Level>level);
}

@query
export function sayAndAnswer(ctx: Context, message: string): u32 {
  ctx.log(message);
  return message.length;
}

@reducer
export function sayAndRefuse(ctx: Context, message: string, why: string): void {
  ctx.log(message, Level.Warn);
  ctx.fail(why);
}
