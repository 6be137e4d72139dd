/** A moment in microseconds since 1970-01-01T00:00:00Z. A value never changes: `plus` gives a new one. */
import { pack } from "./pack";
import { unpackBytes } from "./unpack";

@final
export class Timestamp {
  static readonly second: i64 = 1_000_000;
  static readonly minute: i64 = 60_000_000;
  static readonly hour: i64 = 3_600_000_000;
  static readonly day: i64 = 86_400_000_000;

  constructor(readonly micros: i64) {}

  plus(micros: i64): Timestamp {
    return new Timestamp(this.micros + micros);
  }

  minus(micros: i64): Timestamp {
    return new Timestamp(this.micros - micros);
  }

  /** Microseconds from `earlier` to this moment. */
  since(earlier: Timestamp): i64 {
    return this.micros - earlier.micros;
  }

  @operator("==")
  private static equals(left: Timestamp | null, right: Timestamp | null): bool {
    if (changetype<usize>(left) == 0 || changetype<usize>(right) == 0) return changetype<usize>(left) == changetype<usize>(right);
    return left!.micros == right!.micros;
  }

  @operator("!=")
  private static differs(left: Timestamp | null, right: Timestamp | null): bool {
    return !Timestamp.equals(left, right);
  }

  @operator("<")
  private static isBefore(left: Timestamp, right: Timestamp): bool {
    return left.micros < right.micros;
  }

  @operator("<=")
  private static isUntil(left: Timestamp, right: Timestamp): bool {
    return left.micros <= right.micros;
  }

  @operator(">")
  private static isAfter(left: Timestamp, right: Timestamp): bool {
    return left.micros > right.micros;
  }

  @operator(">=")
  private static isFrom(left: Timestamp, right: Timestamp): bool {
    return left.micros >= right.micros;
  }

  __pack(): void {
    pack<i64>(this.micros);
  }

  __unpack(): Timestamp {
    return changetype<Timestamp>(unpackBytes(8));
  }
}
