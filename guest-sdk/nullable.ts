/**
 * A number or bool that may be absent: what `T | null` is for classes. A `Nullable` is itself never
 * null: `Nullable.of<u32>(7)`, `Nullable.none<u32>()`.
 */
import { pack } from "./pack";
import { unpack } from "./unpack";

@final
export class Nullable<T> {
  private constructor(
    readonly isNull: bool,
    private held: T,
  ) {}

  static of<V>(value: V): Nullable<V> {
    return new Nullable<V>(false, value);
  }

  static none<V>(): Nullable<V> {
    return new Nullable<V>(true, <V>0);
  }

  /** The value; ends the call with an error when there is none. */
  get value(): T {
    assert(!this.isNull, "the value of a Nullable that is null");
    return this.held;
  }

  /** The value, or `other` when there is none. */
  or(other: T): T {
    return this.isNull ? other : this.held;
  }

  __pack(): void {
    pack<bool>(!this.isNull);
    if (!this.isNull) pack<T>(this.held);
  }

  __unpack(): Nullable<T> {
    return unpack<bool>() ? new Nullable<T>(false, unpack<T>()) : new Nullable<T>(true, <T>0);
  }
}
