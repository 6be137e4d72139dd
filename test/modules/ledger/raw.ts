/** The functions of the world as they are, for bytes and handles that the SDK would never send. */

import { tableCount, tableDelete, tableGet, tableInsert, tableScan, tableUpdate } from "remembrancer/guest-sdk/abi";

/** The list or the number that the host answered. */
export function raw(handle: u32, operation: string, input: usize, size: usize): Uint8Array {
  const area = memory.data(8, 4);
  if (operation == "get") tableGet(handle, input, size, area);
  else if (operation == "scan") tableScan(handle, input, size, area);
  else if (operation == "insert") tableInsert(handle, input, size, area);
  else {
    const answer = new Uint8Array(8);
    if (operation == "count") store<u64>(answer.dataStart, tableCount(handle, input, size));
    if (operation == "update") store<u64>(answer.dataStart, tableUpdate(handle, input, size));
    if (operation == "delete") store<u64>(answer.dataStart, tableDelete(handle, input, size));
    return answer;
  }
  const bytes = new Uint8Array(load<u32>(area, 4));
  memory.copy(bytes.dataStart, load<u32>(area), bytes.length);
  return bytes;
}

export function countOfBatch(handle: u32, scan: Uint8Array): u32 {
  const area = memory.data(8, 4);
  tableScan(handle, scan.dataStart, scan.length, area);
  return load<u32>(load<u32>(area));
}

export function insertBatch(handle: u32, batch: Uint8Array): void {
  tableInsert(handle, batch.dataStart, batch.length, memory.data(8, 4));
}
