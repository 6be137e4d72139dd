/** Uniques: within an owner, over two columns, nullable, and one among everybody's rows. */
import { Context, Identity, Reader, Writer } from "remembrancer/guest-sdk";

@table("badges")
@unique("kind", "number")
@unique("serial", { global: true })
export class Badge {
  @autoIncrement id: u64;
  @owner owner: Identity;
  @unique code: string;
  kind: string;
  number: u32;
  serial: string | null;
}

@reducer
export function keepBadge(ctx: Context, badges: Writer<Badge>, code: string, kind: string, number: u32, serial: string | null): u64 {
  return badges.insert(new Badge(code, kind, number, serial)).id;
}

@reducer
export function recodeBadge(ctx: Context, badges: Writer<Badge>, id: u64, code: string): bool {
  const badge = badges.get(id);
  if (badge === null) return false;
  badge.code = code;
  return badges.update(badge);
}

@reducer
export function removeBadge(ctx: Context, badges: Writer<Badge>, id: u64): bool {
  return badges.delete(id);
}

/** The new badge takes the code of the one that goes, in one call. */
@reducer
export function reissueBadge(ctx: Context, badges: Writer<Badge>, id: u64): u64 {
  const badge = badges.get(id);
  if (badge === null) return 0;
  badges.delete(id);
  return badges.insert(new Badge(badge.code, badge.kind, badge.number, badge.serial)).id;
}

/** Two badges exchange their codes, by way of a third. */
@reducer
export function swapBadges(ctx: Context, badges: Writer<Badge>, left: u64, right: u64): void {
  const first = badges.get(left);
  const second = badges.get(right);
  if (first === null || second === null) return ctx.fail("both badges are needed");
  const code = first.code;
  first.code = "on the way";
  badges.update(first);
  first.code = second.code;
  second.code = code;
  badges.update(second);
  badges.update(first);
}

@reducer
export function keepTwins(ctx: Context, badges: Writer<Badge>, code: string): void {
  badges.insertAll([new Badge(code, "twin", 1, null), new Badge(code, "twin", 2, null)]);
}

@query
export function badgeByCode(ctx: Context, badges: Reader<Badge>, code: string): Badge | null {
  return badges.where.code.is(code).first();
}

/** A unique orders like any index. */
@query
export function badgeCodes(ctx: Context, badges: Reader<Badge>): string[] {
  const found = badges.where.code.any().all();
  const codes = new Array<string>(found.length);
  for (let i = 0; i < found.length; i++) codes[i] = found[i].code;
  return codes;
}

@query
export function badgesOfSerial(ctx: Context, badges: Reader<Badge>, serial: string | null): u64 {
  return badges.where.serial.is(serial).count();
}

/** A walk along everybody's serials would tell how many there are. */
@query
export function countBySerial(ctx: Context, badges: Reader<Badge>): u64 {
  return badges.where.serial.any().count();
}
