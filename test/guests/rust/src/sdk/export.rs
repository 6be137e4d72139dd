//! What the host calls: the allocator, `describe`, `call`, and for each of the two the function with
//! which the host says that it has read the result. The module's own part is `DESCRIPTION` and `run`.

use std::alloc::{alloc, handle_alloc_error, realloc, Layout};

use super::context::Context;
use super::pack::Unpacker;
use super::table::Tables;
use super::world::{log, owned, Level, List};

/// `result<list<u8>, list<u8>>` in memory: 0 or 1, then the list.
#[repr(C)]
pub struct Outcome {
    is_error: u8,
    list: List,
}

/// Where the host puts its lists.
///
/// # Safety
/// As the canonical ABI has it: `old` is null with a size of 0, or a block of this allocator.
#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(
    old: *mut u8,
    old_size: usize,
    align: usize,
    size: usize,
) -> *mut u8 {
    if size == 0 {
        return align as *mut u8;
    }
    let layout = |size| Layout::from_size_align_unchecked(size, align);
    let block = match old_size {
        0 => alloc(layout(size)),
        _ => realloc(old, layout(old_size), size),
    };
    if block.is_null() {
        handle_alloc_error(layout(size));
    }
    block
}

#[no_mangle]
pub extern "C" fn describe() -> *mut List {
    Box::into_raw(Box::new(leaked(crate::DESCRIPTION.as_bytes().to_vec())))
}

/// # Safety
/// `area` is what `describe` returned, given back once.
#[no_mangle]
pub unsafe extern "C" fn cabi_post_describe(area: *mut List) {
    free(*Box::from_raw(area));
}

/// # Safety
/// The three lists are the host's, put where `cabi_realloc` said.
#[no_mangle]
pub unsafe extern "C" fn call(
    reducer: u32,
    context: *mut u8,
    context_size: usize,
    tables: *mut u32,
    tables_length: usize,
    args: *mut u8,
    args_size: usize,
) -> *mut Outcome {
    // What a panic says goes to the log; the trap that follows it undoes the call.
    std::panic::set_hook(Box::new(|panic| log(Level::Error, &panic.to_string())));
    let context = Context::new(owned(context, context_size));
    let tables = Tables::new(owned(tables, tables_length));
    let args = owned(args, args_size);
    let outcome = match crate::run(reducer, &context, tables, Unpacker::new(&args)) {
        Ok(result) => Outcome {
            is_error: 0,
            list: leaked(result),
        },
        Err(message) => Outcome {
            is_error: 1,
            list: leaked(message.into_bytes()),
        },
    };
    Box::into_raw(Box::new(outcome))
}

/// # Safety
/// `area` is what `call` returned, given back once.
#[no_mangle]
pub unsafe extern "C" fn cabi_post_call(area: *mut Outcome) {
    free(Box::from_raw(area).list);
}

/// Bytes that the host reads after this function has returned.
fn leaked(bytes: Vec<u8>) -> List {
    let size = bytes.len();
    let pointer = Box::into_raw(bytes.into_boxed_slice()) as *mut u8;
    List { pointer, size }
}

unsafe fn free(list: List) {
    drop(Box::from_raw(std::slice::from_raw_parts_mut(
        list.pointer,
        list.size,
    )));
}
