/** Whose row it is, or who calls: 32 bytes that a database minted for one person, agent or service. */
import { packBytes } from "./pack";
import { unpackBytes } from "./unpack";

@final
export class Identity {
  private a: u64;
  private b: u64;
  private c: u64;
  private d: u64;

  @operator("==")
  private static equals(left: Identity | null, right: Identity | null): bool {
    if (changetype<usize>(left) == 0 || changetype<usize>(right) == 0) return changetype<usize>(left) == changetype<usize>(right);
    return memory.compare(changetype<usize>(left), changetype<usize>(right), 32) == 0;
  }

  @operator("!=")
  private static differs(left: Identity | null, right: Identity | null): bool {
    return !Identity.equals(left, right);
  }

  /** 64 hexadecimal digits. */
  toString(): string {
    const text = changetype<string>(__new(128, idof<string>()));
    for (let i: usize = 0; i < 32; i++) {
      const byte = <u32>load<u8>(changetype<usize>(this) + i);
      const digits = changetype<usize>(text) + 4 * i;
      store<u16>(digits, hexDigit(byte >> 4));
      store<u16>(digits, hexDigit(byte & 15), 2);
    }
    return text;
  }

  __pack(): void {
    packBytes(changetype<usize>(this), 32);
  }

  __unpack(): Identity {
    return changetype<Identity>(unpackBytes(32));
  }
}

/** Nobody yet: the host fills the owner of a new row in. */
export function noIdentity(): Identity {
  return changetype<Identity>(memory.data(32, 8));
}

function hexDigit(value: u32): u16 {
  return <u16>(value < 10 ? 48 + value : 87 + value);
}
