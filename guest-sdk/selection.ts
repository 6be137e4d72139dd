/**
 * Which rows of a table, in which order: `turns.where.role.is("agent").and.at.from(monday).latest(20)`.
 *
 * `where` and `and` name a column (the transform writes a class with one Column for each column of a
 * table), the column's condition gives a Selection, and a Selection is asked for its rows. Conditions
 * must be served by an index: equalities first, then at most one column with a range or `any`. A
 * Selection never changes, so one can be kept and asked twice.
 */
import { area, tableCount, tableScan } from "./abi";
import { beginPack, keepPacked, pack, packBytes, packedSize } from "./pack";
import { beginUnpack, unpack } from "./unpack";

/** The first bytes of a scan: u8 direction, u32 limit, u8 number of terms. */
const HEADER_SIZE: usize = 6;
const TERM_COUNT: usize = 5;

export enum Direction {
  Ascending,
  Descending,
  Latest,
}

const NO_LIMIT: u32 = 0xffffffff;

enum Operator {
  Any,
  Is,
  Before,
  Until,
  After,
  From,
}

@final
export class Selection<T> {
  constructor(
    private table: usize,
    private scan: usize,
    private size: usize,
  ) {}

  /** All rows of a table: the scan without terms. */
  static ofTable<R>(table: usize): Selection<R> {
    return new Selection<R>(table, memory.data(8, 4), HEADER_SIZE);
  }

  /** One more condition. */
  get and(): valueof<T> {
    return changetype<valueof<T>>(this);
  }

  /** Every row, in ascending order. */
  all(): T[] {
    return this.read(Direction.Ascending, NO_LIMIT);
  }

  /** The last `count` rows of the order, given in that order: the oldest of them first. */
  latest(count: u32): T[] {
    return this.read(Direction.Latest, count);
  }

  /** The last `count` rows of the order, the last one first. */
  newest(count: u32): T[] {
    return this.read(Direction.Descending, count);
  }

  /** The first `count` rows of the order. */
  oldest(count: u32): T[] {
    return this.read(Direction.Ascending, count);
  }

  /** The first row of the order, or null. */
  first(): T | null {
    const rows = this.read(Direction.Ascending, 1);
    return rows.length == 0 ? null : rows[0];
  }

  /** The last row of the order, or null. */
  last(): T | null {
    const rows = this.read(Direction.Descending, 1);
    return rows.length == 0 ? null : rows[0];
  }

  count(): u64 {
    this.head(Direction.Ascending, NO_LIMIT);
    return tableCount(this.table, this.scan, this.size);
  }

  __with<V>(column: u16, operator: Operator): Selection<T> {
    this.beginTerm(column, operator);
    return this.endTerm();
  }

  __withValue<V>(column: u16, operator: Operator, value: V): Selection<T> {
    this.beginTerm(column, operator);
    pack<V>(value);
    return this.endTerm();
  }

  private beginTerm(column: u16, operator: Operator): void {
    beginPack();
    packBytes(this.scan, this.size);
    pack<u16>(column);
    pack<u8>(<u8>operator);
  }

  private endTerm(): Selection<T> {
    const scan = keepPacked();
    store<u8>(scan, load<u8>(scan, TERM_COUNT) + 1, TERM_COUNT);
    return new Selection<T>(this.table, scan, packedSize());
  }

  private read(direction: Direction, limit: u32): T[] {
    this.head(direction, limit);
    tableScan(this.table, this.scan, this.size, area);
    beginUnpack(load<usize>(area));
    return unpack<T[]>();
  }

  /** Only these bytes differ between two questions to one Selection, and each question sets both. */
  private head(direction: Direction, limit: u32): void {
    store<u8>(this.scan, <u8>direction);
    store<u32>(this.scan, limit, 1);
  }
}

/** A column of T with values of V, as a condition names it. */
@final
export class Column<T, V> {
  constructor(
    private selection: Selection<T>,
    private number: u16,
  ) {}

  is(value: V): Selection<T> {
    return this.selection.__withValue<V>(this.number, Operator.Is, value);
  }

  /** Only for a nullable column. */
  isNull(): Selection<T> {
    if (!isNullable<V>() && !isDefined(changetype<V>(0).isNull)) ERROR("isNull: this column is never null");
    return this.selection.__withValue<bool>(this.number, Operator.Is, false);
  }

  /** At or after `value` (>=). */
  from(value: V): Selection<T> {
    return this.selection.__withValue<V>(this.number, Operator.From, value);
  }

  /** After `value` (>). */
  after(value: V): Selection<T> {
    return this.selection.__withValue<V>(this.number, Operator.After, value);
  }

  /** At or before `value` (<=). */
  until(value: V): Selection<T> {
    return this.selection.__withValue<V>(this.number, Operator.Until, value);
  }

  /** Before `value` (<). */
  before(value: V): Selection<T> {
    return this.selection.__withValue<V>(this.number, Operator.Before, value);
  }

  /** From `first` to `last`, both of them included. */
  between(first: V, last: V): Selection<T> {
    return this.from(first).__withValue<V>(this.number, Operator.Until, last);
  }

  /** Every value: the column only orders. */
  any(): Selection<T> {
    return this.selection.__with<V>(this.number, Operator.Any);
  }
}
