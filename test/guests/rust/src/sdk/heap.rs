//! The allocator of a module whose instance lives for one call: blocks lie one behind the other from the
//! end of the module's data, and go with the instance. Rust's own would ask for new pages at every call,
//! and a memory that has grown is not used again by the host.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const PAGE_SIZE: usize = 65_536;

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// End of the last block; 0 before the first. (There are no threads: the atomic is a plain number.)
static END: AtomicUsize = AtomicUsize::new(0);

extern "C" {
    /// The linker's: where stack and data end.
    static __heap_base: u8;
}

unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let free = match END.load(Relaxed) {
            0 => &__heap_base as *const u8 as usize,
            end => end,
        };
        let start = (free + layout.align() - 1) & !(layout.align() - 1);
        if reserve(start, layout.size()) {
            start as *mut u8
        } else {
            std::ptr::null_mut()
        }
    }

    /// The last block can be taken back.
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_last(block, layout) {
            END.store(block as usize, Relaxed);
        }
    }

    /// The last block grows where it is: a Vec that is filled alone is never copied.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_last(block, layout) && reserve(block as usize, size) {
            return block;
        }
        let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !moved.is_null() {
            std::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
        }
        moved
    }
}

fn is_last(block: *mut u8, layout: Layout) -> bool {
    block as usize + layout.size() == END.load(Relaxed)
}

/// Ends the last block `size` bytes behind `start`, with as many new pages as that takes.
fn reserve(start: usize, size: usize) -> bool {
    let end = match start.checked_add(size) {
        Some(end) => end,
        None => return false,
    };
    let pages = end / PAGE_SIZE + usize::from(end % PAGE_SIZE > 0);
    let missing = pages.saturating_sub(memory_size(0));
    if missing > 0 && memory_grow(0, missing) == usize::MAX {
        return false;
    }
    END.store(end, Relaxed);
    true
}
