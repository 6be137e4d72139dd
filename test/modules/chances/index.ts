/**
 * Everything in a module that could come out otherwise the next time: random numbers and the clock in
 * rows, bits of NaN, orders of maps and sorts, texts of floats, growth, depth, and how far a call came
 * before it ended. What can be seen from outside is in results, rows and log lines.
 */
import { Appender, Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("draws")
@index("word")
class Draw {
  @autoIncrement id: u64;
  @owner caller: Identity;
  word: string;
  number: u64;
  share: f64;
  at: Timestamp;
}

/** Rows of chance, some of them changed and some deleted again by chance. */
@reducer
export function draw(ctx: Context, draws: Writer<Draw>, count: u32): string[] {
  for (let i: u32 = 0; i < count; i++) {
    const row = draws.insert(new Draw(wordOf(ctx.randomU64()), ctx.randomU64() >> 1, ctx.random() - 0.5, ctx.timestamp));
    const chance = ctx.randomU64() % 4;
    if (chance == 0) draws.delete(row.id);
    if (chance == 1) {
      row.share = Math.sqrt(row.share * row.share) / 3;
      draws.update(row);
    }
  }
  const seen = new Array<string>();
  const rows = draws.where.word.any().all();
  for (let i = 0; i < rows.length; i++) seen.push(rows[i].word + " " + rows[i].share.toString());
  return seen;
}

@query
export function drawn(ctx: Context, draws: Reader<Draw>): Draw[] {
  return draws.all();
}

/** A guest sees its handle, which is of chance too. */
@query
export function handle(ctx: Context, draws: Reader<Draw>): u64 {
  return changetype<usize>(draws);
}

/** What maps and sets hold, in their order, and the same sorted in three ways. */
@query
export function orders(ctx: Context, count: u32): string[] {
  const times = new Map<string, u32>();
  const shares = new Set<f64>();
  for (let i: u32 = 0; i < count; i++) {
    const word = wordOf(ctx.randomU64() % 64);
    times.set(word, (times.has(word) ? times.get(word) : 0) + 1);
    shares.add(Math.floor(ctx.random() * 32) / 7);
    if (i % 5 == 0) times.delete(wordOf(ctx.randomU64() % 64));
  }
  const words = times.keys();
  const numbers = shares.values();
  const found = [words.join(" "), times.values().join(" "), numbers.join(" ")];
  found.push(words.sort().join(" "));
  found.push(numbers.sort().join(" "));
  // No order at all: what a sort makes of it is its own affair, but the same each time.
  found.push(numbers.sort((left, right) => (left < right ? 1 : (<i32>(left * 7)) % 2)).join(" "));
  return found;
}

/** Bits of floats that arithmetic made of NaNs, infinities and what overflows. */
@query
export function floatBits(ctx: Context): i64[] {
  const odd: f64[] = [0, -0.0, 1 / 3.0, Infinity, -Infinity, NaN, f64.MAX_VALUE, f64.MIN_VALUE, reinterpret<f64>(0xfff4_0000_0000_0123), reinterpret<f64>(0x7ff8_dead_beef_0000)];
  const bits = new Array<i64>();
  for (let i = 0; i < odd.length; i++) {
    const a = odd[i];
    bits.push(reinterpret<i64>(Math.sqrt(a)));
    bits.push(reinterpret<i64>(Math.sin(a)));
    bits.push(reinterpret<i64>(Math.pow(a, 0.3)));
    bits.push(reinterpret<i64>(-a));
    bits.push(reinterpret<u32>(<f32>a));
    bits.push(reinterpret<i64>(<f64>(<f32>a * <f32>1.1)));
    for (let j = 0; j < odd.length; j++) {
      const b = odd[j];
      bits.push(reinterpret<i64>(a + b));
      bits.push(reinterpret<i64>(a - b));
      bits.push(reinterpret<i64>(a * b));
      bits.push(reinterpret<i64>(a / b));
      bits.push(reinterpret<i64>(a % b));
      bits.push(reinterpret<i64>(min(a, b)));
      bits.push(reinterpret<i64>(max(a, b)));
      bits.push(reinterpret<i64>(copysign(a, b)));
    }
  }
  return bits;
}

/** What a text comes to when it is cut, turned, cased, searched, and read as numbers. */
@query
export function texts(ctx: Context, text: string): string[] {
  const words = text.split(" ");
  const found = [words.reverse().join("|"), text.toUpperCase(), text.toLowerCase(), text.replaceAll("e", "€"), text.slice(-5)];
  for (let i = 0; i < words.length; i++) found.push(parseFloat(words[i]).toString() + " " + words[i].codePointAt(0).toString(16));
  for (let i = 0; i < 20; i++) found.push((ctx.random() * Math.pow(10, i - 10)).toString());
  return found;
}

/** How the memory grew, and where it was refused. */
@query
export function growth(ctx: Context): i32[] {
  const pages = new Array<i32>();
  for (let i = 0; i < 12; i++) {
    const block = new Uint8Array(1 << (8 + i));
    pages.push(memory.size());
    pages.push(block[block.length - 1]);
  }
  pages.push(memory.grow(100000));
  while (memory.grow(100) >= 0) pages.push(memory.size());
  while (memory.grow(1) >= 0) continue;
  pages.push(memory.size());
  return pages;
}

/** Logs on its way, so that it shows how deep it came. */
@reducer
export function dive(ctx: Context, draws: Appender<Draw>, depth: u32): i64 {
  draws.insert(new Draw("never kept when it is too deep", 0, 0, ctx.timestamp));
  return <i64>deeper(ctx, depth, 1, 0.5);
}

function deeper(ctx: Context, depth: u32, number: u64, share: f64): u64 {
  if (depth % 64 == 0) ctx.log(depth.toString());
  if (depth == 0) return number;
  return deeper(ctx, depth - 1, number * 6364136223846793005 + <u64>(share * 1000), share * 3.9 * (1 - share)) ^ depth;
}

/** Logs on its way, so that it shows how far it came, and may refuse in the end. */
@reducer
export function count(ctx: Context, draws: Writer<Draw>, rounds: u32, refuses: bool): i64 {
  let sum: u64 = ctx.randomU64();
  for (let i: u32 = 0; i < rounds; i++) {
    sum = (sum ^ (sum >> 31)) * 0x9e3779b97f4a7c15 + i;
    if (i % 1000 == 0) ctx.log(sum.toString());
    if (i % 4000 == 0) draws.insert(new Draw("counted", sum >> 1, <f64>sum, ctx.timestamp));
  }
  if (refuses) return ctx.fail<i64>("counted to " + sum.toString());
  return <i64>sum;
}

@reducer
export function trap(ctx: Context, draws: Appender<Draw>, place: i32): i32 {
  draws.insert(new Draw("never kept", 0, 0, ctx.timestamp));
  const some = [1, 2, 3];
  return 7 / (some[place] - 2);
}

function wordOf(number: u64): string {
  let word = "";
  for (let left = number % 1000000; left > 0; left /= 20) word += String.fromCharCode(97 + <i32>(left % 20));
  return word;
}
