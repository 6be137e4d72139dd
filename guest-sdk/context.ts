/**
 * What the host says about one call: whose it is, who acts, when, and how sure the host is. The host
 * writes it once as bytes (docs/row-format.md, "Context"); a Context is a pointer to them, and each
 * member reads the field that it names.
 */
import { logWrite, outcomeFail } from "./abi";
import { Identity } from "./identity";
import { beginPack, packText, packedSize, packedStart } from "./pack";
import { isSeeded, randomU64, seedRandom } from "./random";
import { Timestamp } from "./timestamp";
import { beginUnpack, unpack, unpackBytes } from "./unpack";

/** How the sender's identity was proven, weakest first. */
export enum Assurance {
  None,
  Claimed,
  Provider,
  Signed,
}

export enum Level {
  Debug,
  Info,
  Warn,
  Error,
}

const ASSURANCE: usize = 1;
const SENDER: usize = 2;
const ACTOR: usize = 34;
const TIMESTAMP: usize = 66;
const SEED: usize = 74;
const CHANNEL: usize = 90;

@final
@unmanaged
export class Context {
  /** Whose call it is: the identity that owns the rows it writes. */
  get sender(): Identity {
    return changetype<Identity>(changetype<usize>(this) + SENDER);
  }

  /** Who acts: the sender, or an agent, a service or the host for them. */
  get actor(): Identity {
    return changetype<Identity>(changetype<usize>(this) + ACTOR);
  }

  /** The call's one time: it does not pass while the call runs. */
  get timestamp(): Timestamp {
    return changetype<Timestamp>(changetype<usize>(this) + TIMESTAMP);
  }

  get assurance(): Assurance {
    return <Assurance>load<u8>(changetype<usize>(this) + ASSURANCE);
  }

  /** What carried the call: "http", "process", ... */
  get channel(): string {
    beginUnpack(changetype<usize>(this) + CHANNEL);
    return unpack<string>();
  }

  /** The claim of the token with this name, or null. */
  claim(name: string): string | null {
    beginUnpack(changetype<usize>(this) + CHANNEL);
    unpackBytes(unpack<u32>());
    for (let count = unpack<u32>(); count > 0; count--) {
      const isWanted = unpack<string>() == name;
      const value = unpack<string>();
      if (isWanted) return value;
    }
    return null;
  }

  /** At least 0 and less than 1. Every run of the same call draws the same numbers. */
  random(): f64 {
    return <f64>(this.randomU64() >> 11) * (1.0 / 9007199254740992.0);
  }

  randomU64(): u64 {
    const seed = changetype<usize>(this) + SEED;
    if (!isSeeded()) seedRandom(load<u64>(seed), load<u64>(seed, 8));
    return randomU64();
  }

  log(message: string, level: Level = Level.Info): void {
    beginPack();
    packText(message);
    logWrite(level, packedStart(), packedSize());
  }

  /**
   * Ends the call with an error for its caller; everything that the call did is undone. Does not
   * return: write `return ctx.fail("…")`, or `return ctx.fail<Turn[]>("…")` where a value is due.
   */
  fail<T = void>(message: string): T {
    beginPack();
    packText(message);
    outcomeFail(packedStart(), packedSize());
    if (isVoid<T>()) unreachable();
    else return unreachable();
  }
}
