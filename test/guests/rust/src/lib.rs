//! A journal: the notes that each sender keeps, written in Rust against the same world as every other
//! module. `DESCRIPTION` says what it has, `run` is the way from a reducer's number to its function;
//! both would be a macro's work in a guest SDK. The reducers below are what an author writes.

pub mod sdk;

use std::collections::HashMap;

use sdk::context::Context;
use sdk::pack::{packed, Identity, Packed, Timestamp, Unpacker, NOBODY};
use sdk::table::{Appender, Reader, Tables, Writer};

pub const DESCRIPTION: &str = include_str!("description.json");

/// A reducer's place in the description is its number.
pub fn run(
    reducer: u32,
    ctx: &Context,
    mut tables: Tables,
    mut args: Unpacker,
) -> Result<Vec<u8>, String> {
    match reducer {
        0 => write(ctx, tables.appender(), args.next()).map(|id| packed(&id)),
        1 => Ok(packed(&latest(tables.reader(), args.next()))),
        2 => Ok(packed(&forget(ctx, tables.writer(), args.next()))),
        3 => Ok(packed(&words(tables.reader()))),
        4 => Ok(packed(&whoami(ctx))),
        5 => write_and_panic(ctx, tables.appender(), args.next()),
        6 => write_without_end(ctx, tables.appender()),
        _ => unreachable!("the host knows the description"),
    }
}

pub struct Note {
    id: u64,
    author: Identity,
    text: String,
    at: Timestamp,
    /// One of six: what the call drew.
    dice: u32,
}

impl Packed for Note {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.id.pack(bytes);
        self.author.pack(bytes);
        self.text.pack(bytes);
        self.at.pack(bytes);
        self.dice.pack(bytes);
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        Note {
            id: bytes.next(),
            author: bytes.next(),
            text: bytes.next(),
            at: bytes.next(),
            dice: bytes.next(),
        }
    }
}

pub struct Word {
    word: String,
    times: u32,
}

impl Packed for Word {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.word.pack(bytes);
        self.times.pack(bytes);
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        Word {
            word: bytes.next(),
            times: bytes.next(),
        }
    }
}

/// Keeps a note. The host fills in its id and, from the sender, its author.
fn write(ctx: &Context, notes: Appender<Note>, text: String) -> Result<u64, String> {
    let id = notes.insert(note(ctx, &text));
    // Too late on purpose: what was stored is undone.
    if text.is_empty() {
        return Err("a note has at least one character".into());
    }
    Ok(id)
}

fn latest(notes: Reader<Note>, limit: u32) -> Vec<Note> {
    notes.latest(limit)
}

fn forget(ctx: &Context, notes: Writer<Note>, id: u64) -> bool {
    notes.delete(ctx.sender, id)
}

/// Each word of the last hundred notes, in the order that a hash map happens to have: there is no
/// other source of chance in a guest, so it is the same order every time.
fn words(notes: Reader<Note>) -> Vec<Word> {
    let mut counts = HashMap::new();
    for note in notes.latest(100) {
        for word in note.text.split_whitespace() {
            *counts.entry(word.to_string()).or_insert(0) += 1;
        }
    }
    counts
        .into_iter()
        .map(|(word, times)| Word { word, times })
        .collect()
}

fn whoami(ctx: &Context) -> Identity {
    ctx.sender
}

fn write_and_panic(ctx: &Context, notes: Appender<Note>, text: String) -> Result<Vec<u8>, String> {
    notes.insert(note(ctx, &text));
    panic!("there is no note after {text}");
}

fn write_without_end(ctx: &Context, notes: Appender<Note>) -> Result<Vec<u8>, String> {
    notes.insert(note(ctx, "never kept"));
    loop {
        ctx.random();
    }
}

fn note(ctx: &Context, text: &str) -> Note {
    let dice = 1 + (ctx.random() % 6) as u32;
    Note {
        id: 0,
        author: NOBODY,
        text: text.into(),
        at: ctx.timestamp,
        dice,
    }
}
