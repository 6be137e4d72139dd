/** A table whose physical order is not its key. */
import { Context, Identity, Reader, Timestamp, Writer } from "remembrancer/guest-sdk";

@table("visits")
@clustered("at")
@index("place")
class Visit {
  @autoIncrement id: u64;
  @owner owner: Identity;
  place: string;
  at: Timestamp;
}

@reducer
export function visit(ctx: Context, visits: Writer<Visit>, place: string, at: Timestamp): u64 {
  return visits.insert(new Visit(place, at)).id;
}

@reducer
export function moveVisit(ctx: Context, visits: Writer<Visit>, id: u64, at: Timestamp): bool {
  const visit = visits.get(id);
  if (visit === null) return false;
  visit.at = at;
  return visits.update(visit);
}

@reducer
export function forgetVisit(ctx: Context, visits: Writer<Visit>, id: u64): bool {
  return visits.delete(id);
}

@query
export function visitAt(ctx: Context, visits: Reader<Visit>, id: u64): Visit | null {
  return visits.get(id);
}

@query
export function visits(ctx: Context, visits: Reader<Visit>): u64[] {
  return ids(visits.all());
}

@query
export function newestVisits(ctx: Context, visits: Reader<Visit>, count: u32): u64[] {
  return ids(visits.newest(count));
}

@query
export function visitsSince(ctx: Context, visits: Reader<Visit>, at: Timestamp): u64[] {
  return ids(visits.where.at.from(at).all());
}

@query
export function visitsTo(ctx: Context, visits: Reader<Visit>, place: string): u64[] {
  return ids(visits.where.place.is(place).all());
}

@query
export function visitsById(ctx: Context, visits: Reader<Visit>): u64[] {
  return ids(visits.where.id.any().all());
}

/** No term but the owner's: physical order, as without one. */
@query
export function visitsOwnedBy(ctx: Context, visits: Reader<Visit>, owner: Identity): u64[] {
  return ids(visits.where.owner.is(owner).all());
}

/** An index ends in the key; its range is written before the equality that comes first in it. */
@query
export function visitsToFrom(ctx: Context, visits: Reader<Visit>, place: string, first: u64): u64[] {
  return ids(visits.where.id.from(first).and.place.is(place).all());
}

function ids(rows: Visit[]): u64[] {
  const numbers = new Array<u64>(rows.length);
  for (let i = 0; i < rows.length; i++) numbers[i] = rows[i].id;
  return numbers;
}
