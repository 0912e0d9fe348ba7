//! The state digest of a stream (FORMAT.md §State digest): what both ends compare at every packet.

use std::{fmt, str::FromStr};

use crate::{
    position::{Digest, DigestError},
    record::{Form, Kind, RecordId},
};

/// The sum modulo 2²⁵⁶ of the [terms](StateDigest::term) of all live and withdrawn records that a stream has
/// carried, as received, whatever their outcome. Kept incrementally: order does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct StateDigest([u8; 32]);

impl StateDigest {
    /// What one record contributes: SHA-256 of `kind LF key LF version LF form LF body-hash LF`.
    /// A tombstone contributes nothing; callers do not add it.
    pub fn term(kind: Kind, key: RecordId, version: u32, form: Form, hash: &Digest) -> Digest {
        Digest::of(format!("{kind}\n{key}\n{version}\n{form}\n{hash}\n").as_bytes())
    }

    /// Adds a record's term.
    pub fn add(&mut self, term: &Digest) {
        let mut carry = 0;
        for (sum, byte) in self.0.iter_mut().zip(term.as_bytes()).rev() {
            let wide = u16::from(*sum) + u16::from(*byte) + carry;
            *sum = (wide & 0xff) as u8;
            carry = wide >> 8;
        }
    }

    /// Takes a record's term out again.
    pub fn remove(&mut self, term: &Digest) {
        let mut borrow = 0;
        for (sum, byte) in self.0.iter_mut().zip(term.as_bytes()).rev() {
            let wide = 0x100 + u16::from(*sum) - u16::from(*byte) - borrow;
            *sum = (wide & 0xff) as u8;
            borrow = 1 - (wide >> 8);
        }
    }
}

impl fmt::Display for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for StateDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for StateDigest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Digest>().map(|digest| Self(*digest.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn order_does_not_matter_and_removal_undoes(terms in prop::collection::vec(any::<[u8; 32]>(), 0..12)) {
            let terms: Vec<Digest> = terms.into_iter().map(Digest::from_bytes).collect();
            let (mut one, mut other) = (StateDigest::default(), StateDigest::default());
            for term in &terms { one.add(term); }
            terms.iter().rev().for_each(|term| other.add(term));
            prop_assert_eq!(one, other);
            for term in &terms { one.remove(term); }
            prop_assert_eq!(one, StateDigest::default());
        }
    }

    #[test]
    fn it_wraps_at_2_to_the_256() {
        let mut digest = StateDigest([0xff; 32]);
        let mut one = [0; 32];
        one[31] = 1;
        digest.add(&Digest::from_bytes(one));
        assert_eq!(digest, StateDigest::default());
    }
}
