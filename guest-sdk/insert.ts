/** Storing new rows, for the two handles that may: Appender and Writer. */
import { area, tableInsert } from "./abi";
import { sender } from "./call";
import { beginPack, pack, packedSize, packedStart } from "./pack";

/** Stores the row and fills in what the host decides: its owner, and its id where the host counts. */
export function insertRow<T>(table: usize, row: T): T {
  beginPack();
  pack<u32>(1);
  packNew<T>(row);
  tableInsert(table, packedStart(), packedSize(), area);
  row.__assign(load<usize>(area));
  return row;
}

export function insertRows<T>(table: usize, rows: T[]): void {
  beginPack();
  pack<u32>(rows.length);
  for (let i = 0; i < rows.length; i++) packNew<T>(rows[i]);
  tableInsert(table, packedStart(), packedSize(), area);
  for (let i = 0, ids = load<usize>(area); i < rows.length; i++, ids += 8) rows[i].__assign(ids);
}

function packNew<T>(row: T): void {
  row.__prepare(sender());
  row.__pack();
}
