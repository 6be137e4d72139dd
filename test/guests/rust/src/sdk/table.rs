//! The tables of a reducer's signature, one type for each mode. The host holds the mode too: a module
//! that forged an `Appender` from a reader's handle would be refused, not obeyed.

use std::marker::PhantomData;

use super::pack::{packed, Identity, Packed, Unpacker};
use super::world::Handle;

/// The right to read one table for one call.
pub struct Reader<Row>(Handle, PhantomData<Row>);

/// The right to add rows to one table for one call, and nothing else: not even to read it.
pub struct Appender<Row>(Handle, PhantomData<Row>);

/// The right to read, insert, update and delete.
pub struct Writer<Row>(Handle, PhantomData<Row>);

impl<Row: Packed> Reader<Row> {
    /// The newest `count` rows in the order in which they were written: the oldest of them first.
    pub fn latest(&self, count: u32) -> Vec<Row> {
        const LATEST: u8 = 2;
        const NO_TERMS: u8 = 0;
        let mut scan = vec![LATEST];
        count.pack(&mut scan);
        scan.push(NO_TERMS);
        Unpacker::new(&self.0.scan(&scan)).next()
    }
}

impl<Row: Packed> Appender<Row> {
    /// Stores the row, whose id is 0, and returns the id that the host gave it.
    pub fn insert(&self, row: Row) -> u64 {
        let ids = self.0.insert(&packed(&vec![row]));
        Unpacker::new(&ids).next()
    }
}

impl<Row: Packed> Writer<Row> {
    /// Whether there was such a row, and it was the sender's.
    pub fn delete(&self, owner: Identity, id: u64) -> bool {
        let mut keys = packed(&1u32);
        owner.pack(&mut keys);
        id.pack(&mut keys);
        self.0.delete(&keys) == 1
    }
}

/// The handles of one call in the order of its signature.
pub struct Tables(std::vec::IntoIter<u32>);

impl Tables {
    pub(super) fn new(handles: Vec<u32>) -> Self {
        Tables(handles.into_iter())
    }

    pub fn reader<Row>(&mut self) -> Reader<Row> {
        Reader(self.next(), PhantomData)
    }

    pub fn appender<Row>(&mut self) -> Appender<Row> {
        Appender(self.next(), PhantomData)
    }

    pub fn writer<Row>(&mut self) -> Writer<Row> {
        Writer(self.next(), PhantomData)
    }

    fn next(&mut self) -> Handle {
        Handle::own(
            self.0
                .next()
                .expect("the host gives a handle for each table of the signature"),
        )
    }
}
