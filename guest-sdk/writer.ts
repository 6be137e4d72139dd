/** The right to read, add, replace and delete rows of one table for one call. */
import { tableDelete, tableUpdate } from "./abi";
import { sender } from "./call";
import { Identity } from "./identity";
import { insertRow, insertRows } from "./insert";
import { beginPack, pack, packedSize, packedStart } from "./pack";
import { Reader } from "./reader";

export class Writer<T> extends Reader<T> {
  /** Stores the row and returns it with its owner and its assigned id filled in. */
  insert(row: T): T {
    return insertRow<T>(changetype<usize>(this), row);
  }

  insertAll(rows: T[]): void {
    insertRows<T>(changetype<usize>(this), rows);
  }

  /** Replaces the row that has this row's key; false when there is none. */
  update(row: T): bool {
    beginPack();
    pack<u32>(1);
    row.__pack();
    return tableUpdate(changetype<usize>(this), packedStart(), packedSize()) != 0;
  }

  /** Deletes the sender's own row with this key; false when there is none. */
  delete(id: indexof<T>): bool {
    return this.remove(sender(), id);
  }

  deleteOf(owner: Identity, id: indexof<T>): bool {
    if (!isDefined(changetype<T>(0).__owned)) ERROR("deleteOf: this table has no @owner, use delete");
    return this.remove(owner, id);
  }

  private remove(owner: Identity, id: indexof<T>): bool {
    beginPack();
    pack<u32>(1);
    changetype<T>(0).__packOwner(owner);
    pack<indexof<T>>(id);
    return tableDelete(changetype<usize>(this), packedStart(), packedSize()) != 0;
  }
}
