//! The functions of the world as core Wasm sees them: a list is a pointer and a length, and a list that
//! comes back is written to a return area, the last parameter. All `unsafe` calls of the host are here.

/// A list in memory: the form of a return area, and of the result of `describe`.
#[repr(C)]
pub struct List {
    pub pointer: *mut u8,
    pub size: usize,
}

#[link(wasm_import_module = "remembrancer:module/tables@1.0.0")]
extern "C" {
    #[link_name = "[method]table.get"]
    fn table_get(table: u32, key: *const u8, size: usize, area: *mut List);
    #[link_name = "[method]table.scan"]
    fn table_scan(table: u32, scan: *const u8, size: usize, area: *mut List);
    #[link_name = "[method]table.count"]
    fn table_count(table: u32, scan: *const u8, size: usize) -> u64;
    #[link_name = "[method]table.insert"]
    fn table_insert(table: u32, rows: *const u8, size: usize, area: *mut List);
    #[link_name = "[method]table.update"]
    fn table_update(table: u32, rows: *const u8, size: usize) -> u32;
    #[link_name = "[method]table.delete"]
    fn table_delete(table: u32, keys: *const u8, size: usize) -> u32;
    #[link_name = "[resource-drop]table"]
    fn table_drop(table: u32);
}

#[link(wasm_import_module = "remembrancer:module/log@1.0.0")]
extern "C" {
    #[link_name = "write"]
    fn log_write(level: u32, message: *const u8, size: usize);
}

pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

pub fn log(level: Level, message: &str) {
    unsafe { log_write(level as u32, message.as_ptr(), message.len()) }
}

/// One handle, which the guest owns: it is given back when its owner is done with it.
pub struct Handle(u32);

impl Handle {
    /// The host gives each number once, so each may become a handle once.
    pub(super) fn own(number: u32) -> Self {
        Handle(number)
    }

    pub fn get(&self, key: &[u8]) -> Vec<u8> {
        returned(|area| unsafe { table_get(self.0, key.as_ptr(), key.len(), area) })
    }

    pub fn scan(&self, scan: &[u8]) -> Vec<u8> {
        returned(|area| unsafe { table_scan(self.0, scan.as_ptr(), scan.len(), area) })
    }

    pub fn count(&self, scan: &[u8]) -> u64 {
        unsafe { table_count(self.0, scan.as_ptr(), scan.len()) }
    }

    pub fn insert(&self, rows: &[u8]) -> Vec<u8> {
        returned(|area| unsafe { table_insert(self.0, rows.as_ptr(), rows.len(), area) })
    }

    pub fn update(&self, rows: &[u8]) -> u32 {
        unsafe { table_update(self.0, rows.as_ptr(), rows.len()) }
    }

    pub fn delete(&self, keys: &[u8]) -> u32 {
        unsafe { table_delete(self.0, keys.as_ptr(), keys.len()) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { table_drop(self.0) }
    }
}

/// A list that the host put where `cabi_realloc` said: from here on it is an ordinary Vec.
fn returned(call: impl FnOnce(*mut List)) -> Vec<u8> {
    let mut area = List {
        pointer: std::ptr::null_mut(),
        size: 0,
    };
    call(&mut area);
    unsafe { owned(area.pointer, area.size) }
}

/// # Safety
/// The list must have come from the host, which allocated it with `cabi_realloc`, and be taken once.
pub(super) unsafe fn owned<T>(pointer: *mut T, length: usize) -> Vec<T> {
    if length == 0 {
        return Vec::new();
    }
    Vec::from_raw_parts(pointer, length, length)
}
