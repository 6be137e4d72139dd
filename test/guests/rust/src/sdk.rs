//! The one world of a module (wit/module.wit) in Rust, by hand and without a crate: the beginning of a
//! guest SDK. A module needs three things of it:
//!
//! - `context`: what the host says about the call.
//! - `table`: handles, one type for each mode. A function that takes a `Reader<Note>` can read notes and
//!   do nothing else, and there is no other way to make a handle than to be given one.
//! - `pack`: values as bytes and back (docs/row-format.md).
//!
//! `world` has the imports as the canonical ABI lowers them, `export` the functions that the host calls,
//! `heap` their memory.

pub mod context;
pub mod export;
pub mod heap;
pub mod pack;
pub mod table;
pub mod world;
