/** Where AssemblyScript's `throw`, `assert` and range checks end: a line in the log, then a trap. */
import { logWrite } from "./abi";
import { Level } from "./context";
import { beginPack, pack, packText, packedSize, packedStart } from "./pack";

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  beginPack();
  packText(message ? message : "aborted");
  packText(" at ");
  packText(file ? file : "?");
  packText(":");
  packDecimal(line);
  packText(":");
  packDecimal(column);
  logWrite(Level.Error, packedStart(), packedSize());
  unreachable();
}

/** Number.toString would bring its tables, 3 KiB, into every module. */
function packDecimal(value: u32): void {
  if (value > 9) packDecimal(value / 10);
  pack<u8>(<u8>(48 + (value % 10)));
}
