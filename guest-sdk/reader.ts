/**
 * The right to read one table for one call. A handle is the number that the host gave for it: its
 * class has no fields, and `this` is the number.
 */
import { area, tableGet } from "./abi";
import { sender } from "./call";
import { Identity } from "./identity";
import { beginPack, pack, packedSize, packedStart } from "./pack";
import { Selection } from "./selection";
import { beginUnpack, unpack } from "./unpack";

export class Reader<T> {
  /** The sender's own row with this key, or null. */
  get(id: indexof<T>): T | null {
    return this.read(sender(), id);
  }

  /** The row of `owner` with this key, or null: hidden and absent are one answer. */
  getOf(owner: Identity, id: indexof<T>): T | null {
    if (!isDefined(changetype<T>(0).__owned)) ERROR("getOf: this table has no @owner, use get");
    return this.read(owner, id);
  }

  /** Conditions on columns: `turns.where.role.is("agent").latest(20)`. */
  get where(): valueof<T> {
    return this.rows().and;
  }

  /** Every row, in the order in which they were written. */
  all(): T[] {
    return this.rows().all();
  }

  /** The newest `count` rows in the order in which they were written: the oldest of them first. */
  latest(count: u32): T[] {
    return this.rows().latest(count);
  }

  /** The newest `count` rows, the newest first. */
  newest(count: u32): T[] {
    return this.rows().newest(count);
  }

  /** The oldest `count` rows, the oldest first. */
  oldest(count: u32): T[] {
    return this.rows().oldest(count);
  }

  count(): u64 {
    return this.rows().count();
  }

  private rows(): Selection<T> {
    return Selection.ofTable<T>(changetype<usize>(this));
  }

  private read(owner: Identity, id: indexof<T>): T | null {
    beginPack();
    changetype<T>(0).__packOwner(owner);
    pack<indexof<T>>(id);
    tableGet(changetype<usize>(this), packedStart(), packedSize(), area);
    beginUnpack(load<usize>(area));
    if (unpack<u32>() == 0) return null;
    return unpack<T>();
  }
}
