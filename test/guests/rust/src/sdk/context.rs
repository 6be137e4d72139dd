//! What the host says about one call (docs/row-format.md, "Context"): whose it is, who acts, when, and
//! the seed of its random numbers.

use std::cell::Cell;

use super::pack::{Identity, Timestamp, Unpacker};

pub struct Context {
    /// Whose call it is: the identity that owns the rows it writes.
    pub sender: Identity,
    /// Who acts: the sender, or an agent, a service or the host for them.
    pub actor: Identity,
    /// The call's one time: it does not pass while the call runs.
    pub timestamp: Timestamp,
    random: Cell<(u64, u64)>,
}

impl Context {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let mut bytes = Unpacker::new(&bytes);
        let (_version, _assurance) = (bytes.next::<u8>(), bytes.next::<u8>());
        let (sender, actor, timestamp) = (bytes.next(), bytes.next(), bytes.next());
        let (first, second) = (bytes.next::<u64>(), bytes.next::<u64>());
        // The generator stays at zero from a state of zeros, so that one seed gets a bit.
        let random = Cell::new((first | u64::from(first | second == 0), second));
        Context {
            sender,
            actor,
            timestamp,
            random,
        }
    }

    /// Every run of the same call draws the same numbers: xoroshiro128++ 1.0 by David Blackman and
    /// Sebastiano Vigna (public domain), as in the AssemblyScript SDK.
    pub fn random(&self) -> u64 {
        let (s0, s1) = self.random.get();
        let mixed = s1 ^ s0;
        self.random.set((
            s0.rotate_left(49) ^ mixed ^ (mixed << 21),
            mixed.rotate_left(28),
        ));
        s0.wrapping_add(s1).rotate_left(17).wrapping_add(s0)
    }
}
