//! Values to packed bytes and back (docs/row-format.md). The host checks what it is given and has
//! checked what it gives, so that bytes which do not fit are a bug of the module and a panic.

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identity(pub [u8; 32]);

/// Where the host fills in the owner.
pub const NOBODY: Identity = Identity([0; 32]);

/// Microseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

pub trait Packed: Sized {
    fn pack(&self, bytes: &mut Vec<u8>);
    fn unpack(bytes: &mut Unpacker) -> Self;
}

pub fn packed(value: &impl Packed) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.pack(&mut bytes);
    bytes
}

pub struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Unpacker { rest: bytes }
    }

    pub fn next<T: Packed>(&mut self) -> T {
        T::unpack(self)
    }

    pub fn take(&mut self, size: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(size);
        self.rest = rest;
        taken
    }

    fn array<const SIZE: usize>(&mut self) -> [u8; SIZE] {
        let mut array = [0; SIZE];
        array.copy_from_slice(self.take(SIZE));
        array
    }
}

macro_rules! packed_numbers {
    ($($number:ty),*) => {$(
        impl Packed for $number {
            fn pack(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn unpack(bytes: &mut Unpacker) -> Self {
                <$number>::from_le_bytes(bytes.array())
            }
        }
    )*};
}

packed_numbers!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl Packed for bool {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self as u8);
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        bytes.next::<u8>() == 1
    }
}

impl Packed for String {
    fn pack(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).pack(bytes);
        bytes.extend_from_slice(self.as_bytes());
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        let size = bytes.next::<u32>() as usize;
        String::from_utf8(bytes.take(size).to_vec()).expect("the host gives UTF-8")
    }
}

impl Packed for Identity {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0);
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        Identity(bytes.array())
    }
}

impl Packed for Timestamp {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.0.pack(bytes);
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        Timestamp(bytes.next())
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        (self.len() as u32).pack(bytes);
        for value in self {
            value.pack(bytes);
        }
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        (0..bytes.next::<u32>()).map(|_| bytes.next()).collect()
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.is_some().pack(bytes);
        if let Some(value) = self {
            value.pack(bytes);
        }
    }

    fn unpack(bytes: &mut Unpacker) -> Self {
        if bytes.next::<bool>() {
            Some(bytes.next())
        } else {
            None
        }
    }
}
