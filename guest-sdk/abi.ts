/**
 * The functions of the world (wit/module.wit) as core Wasm sees them: a list is a pointer and a
 * length, and a list that comes back is written to a return area, the last parameter. Every
 * `@external` of the package stands here, because other tools cannot parse the form.
 */

@external("remembrancer:module/tables@1.0.0", "[method]table.get")
export declare function tableGet(table: usize, key: usize, keySize: usize, area: usize): void;

@external("remembrancer:module/tables@1.0.0", "[method]table.scan")
export declare function tableScan(table: usize, scan: usize, scanSize: usize, area: usize): void;

@external("remembrancer:module/tables@1.0.0", "[method]table.count")
export declare function tableCount(table: usize, scan: usize, scanSize: usize): u64;

@external("remembrancer:module/tables@1.0.0", "[method]table.insert")
export declare function tableInsert(table: usize, rows: usize, rowsSize: usize, area: usize): void;

@external("remembrancer:module/tables@1.0.0", "[method]table.update")
export declare function tableUpdate(table: usize, rows: usize, rowsSize: usize): u32;

@external("remembrancer:module/tables@1.0.0", "[method]table.delete")
export declare function tableDelete(table: usize, keys: usize, keysSize: usize): u32;

@external("remembrancer:module/log@1.0.0", "write")
export declare function logWrite(level: i32, message: usize, messageSize: usize): void;

@external("remembrancer:module/outcome@1.0.0", "fail")
export declare function outcomeFail(message: usize, messageSize: usize): void;

/** Where a list that the host returns is put: its pointer, then its size. */
export const area: usize = memory.data(8, 4);
