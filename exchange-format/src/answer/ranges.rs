//! Where two pictures of one stream differ: sums over ranges of keys, refined by turns down to single records.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::line::AnswerError;
use crate::{
    packet::Nonce,
    participant::ParticipantCode,
    position::{Digest, Mark},
    record::{Form, Kind, RecordId},
    state_digest::StateDigest,
};

/// Sums over ranges of the records that one stream has carried, all taken at one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeDigests {
    /// The sender of the stream.
    pub of: ParticipantCode,
    /// The packet of that stream after which they were taken. Sums of two marks are not comparable.
    pub at: Mark,
    /// The RQ that this one refines; `None` on the first, whose ranges are whole kinds.
    pub re: Option<Nonce>,
    /// In the order of the kinds and of their prefixes; none within another.
    pub ranges: Vec<Range>,
}

/// The records of one kind whose ids begin with `prefix`, live and withdrawn ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Their kind.
    pub kind: Kind,
    /// The beginning of their ids.
    pub prefix: KeyPrefix,
    /// How many there are.
    pub count: u64,
    /// The sum of their terms.
    pub sum: StateDigest,
    /// Each of them, by key, where they are few.
    pub records: Option<Vec<Listed>>,
}

/// One record of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub key: RecordId,
    /// Its version in the stream.
    pub version: u32,
    /// Live or withdrawn.
    pub form: Form,
    /// SHA-256 of its body.
    pub hash: Digest,
}

/// The first hexadecimal digits of a record id, without hyphens: 0 to 32 of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPrefix(String);

/// A record that the two ends do not hold alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub key: RecordId,
    /// As it is here.
    pub own: Option<Listed>,
    /// As it is there.
    pub theirs: Option<Listed>,
}

/// What a look at the peer's sums gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refined {
    /// What to send back, if anything; one's own sums.
    pub ranges: Vec<Range>,
    /// The first [`RangeDigests::LINES`] records found that differ.
    pub differences: Vec<Difference>,
}

impl Listed {
    fn term(&self, kind: Kind) -> Digest {
        StateDigest::term(kind, self.key, self.version, self.form, &self.hash)
    }
}

impl KeyPrefix {
    /// Whether `key` begins so.
    pub fn covers(&self, key: RecordId) -> bool {
        hex::encode(key.as_bytes()).starts_with(&self.0)
    }

    /// The lowest and the highest id that begins so.
    ///
    /// # Panics
    /// Never: a prefix is hexadecimal.
    pub fn bounds(&self) -> (RecordId, RecordId) {
        let id = |fill: &str| {
            let digits = format!("{}{}", self.0, fill.repeat(32 - self.0.len()));
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
            parts.join("-").parse().expect("a UUID")
        };
        (id("0"), id("f"))
    }

    /// It with one more digit.
    fn child(&self, digit: usize) -> Self {
        Self(format!("{}{digit:x}", self.0))
    }

    /// Which of its children covers `key`.
    fn child_of(&self, key: RecordId) -> usize {
        let byte = key.as_bytes()[self.0.len() / 2];
        usize::from(if self.0.len().is_multiple_of(2) { byte >> 4 } else { byte & 15 })
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyPrefix {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let good = text.len() <= 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        good.then(|| Self(text.to_owned())).ok_or(())
    }
}

impl RangeDigests {
    /// The most lines of ranges and records that an RQ has.
    pub const LINES: u64 = 10_000;
    /// A range of at most so many records is listed, a larger one is cut into sixteen.
    pub const LISTED: u64 = 64;

    /// What a writer keeps and a reader enforces.
    pub(super) fn check(&self) -> Result<(), AnswerError> {
        let bad = |what| Err(AnswerError::Line { line: 2, what });
        for pair in self.ranges.windows(2) {
            let ordered = (pair[0].kind, &pair[0].prefix) < (pair[1].kind, &pair[1].prefix);
            let within = pair[0].kind == pair[1].kind && pair[1].prefix.0.starts_with(&pair[0].prefix.0);
            if !ordered || within {
                return bad("ranges out of order, or one within another");
            }
        }
        for Range { kind, prefix, count, sum, records } in &self.ranges {
            let Some(records) = records else { continue };
            let mut found = StateDigest::default();
            for listed in records {
                found.add(&listed.term(*kind));
            }
            let stand = |listed: &Listed| listed.form != Form::Tombstone && prefix.covers(listed.key);
            let ordered = records.is_sorted_by(|a, b| a.key < b.key);
            if !ordered || !records.iter().all(stand) || records.len() as u64 != *count || found != *sum {
                return bad("a range whose records are not those of its sum");
            }
        }
        Ok(())
    }

    /// One range a kind, with an empty prefix: how a look begins. `visit` hands over each live and withdrawn record
    /// that the stream has carried of a kind.
    ///
    /// # Errors
    /// `visit` failed.
    pub fn whole<E>(
        mut visit: impl FnMut(Kind, &KeyPrefix, &mut dyn FnMut(Listed)) -> Result<(), E>,
    ) -> Result<Vec<Range>, E> {
        let mut ranges = Vec::new();
        for kind in Kind::ALL {
            let prefix = KeyPrefix::default();
            let (mut count, mut sum) = (0, StateDigest::default());
            visit(kind, &prefix, &mut |listed| {
                count += 1;
                sum.add(&listed.term(kind));
            })?;
            if count > 0 {
                ranges.push(Range { kind, prefix, count, sum, records: None });
            }
        }
        Ok(ranges)
    }

    /// The sum over everything, made anew: `visit` as in [`RangeDigests::whole`].
    ///
    /// # Errors
    /// `visit` failed.
    pub fn sum<E>(
        mut visit: impl FnMut(Kind, &KeyPrefix, &mut dyn FnMut(Listed)) -> Result<(), E>,
    ) -> Result<StateDigest, E> {
        let mut sum = StateDigest::default();
        for kind in Kind::ALL {
            visit(kind, &KeyPrefix::default(), &mut |listed| sum.add(&listed.term(kind)))?;
        }
        Ok(sum)
    }

    /// Compares these sums with one's own, taken at the same mark: `visit` hands over one's own records of a range, by
    /// key. `answers_lists`: whoever sends the stream answers a list with its own; its receiver has seen enough.
    ///
    /// # Errors
    /// `visit` failed.
    pub fn refine<E>(
        &self,
        answers_lists: bool,
        mut visit: impl FnMut(Kind, &KeyPrefix, &mut dyn FnMut(Listed)) -> Result<(), E>,
    ) -> Result<Refined, E> {
        let mut refined = Refined::default();
        let mut lines = 0;
        for theirs in self.with_empty_kinds() {
            let mut own = Own::of(&theirs);
            visit(theirs.kind, &theirs.prefix, &mut |listed| own.take(listed))?;
            if (own.count, own.sum) == (theirs.count, theirs.sum) {
                continue;
            }
            let room = usize::try_from(Self::LINES).unwrap_or(usize::MAX) - refined.differences.len();
            refined.differences.extend(own.differences().into_iter().take(room));
            if theirs.records.is_some() && !answers_lists {
                continue;
            }
            let ranges = own.into_ranges();
            lines += ranges.iter().map(|range| 1 + range.records.as_ref().map_or(0, Vec::len)).sum::<usize>();
            if lines as u64 > Self::LINES {
                break;
            }
            refined.ranges.extend(ranges);
        }
        Ok(refined)
    }

    /// On a first request, a kind left out has no records.
    fn with_empty_kinds(&self) -> Vec<Range> {
        let mut ranges = self.ranges.clone();
        if self.re.is_none() {
            let missing = Kind::ALL.into_iter().filter(|kind| !self.ranges.iter().any(|r| r.kind == *kind));
            ranges.extend(missing.map(|kind| Range {
                kind,
                prefix: KeyPrefix::default(),
                count: 0,
                sum: StateDigest::default(),
                records: None,
            }));
            ranges.sort_by(|a, b| (a.kind, &a.prefix).cmp(&(b.kind, &b.prefix)));
        }
        ranges
    }
}

/// One's own records of a range of the peer's, met one by one: memory does not grow with them.
struct Own<'a> {
    theirs: &'a Range,
    count: u64,
    sum: StateDigest,
    children: [(u64, StateDigest); 16],
    /// The first [`RangeDigests::LISTED`].
    records: Vec<Listed>,
    /// What they list and was not met here.
    unmet: BTreeMap<RecordId, Listed>,
    differences: Vec<Difference>,
}

impl<'a> Own<'a> {
    fn of(theirs: &'a Range) -> Self {
        let unmet = theirs.records.iter().flatten().map(|listed| (listed.key, *listed)).collect();
        Self {
            theirs,
            count: 0,
            sum: StateDigest::default(),
            children: [(0, StateDigest::default()); 16],
            records: Vec::new(),
            unmet,
            differences: Vec::new(),
        }
    }

    fn take(&mut self, own: Listed) {
        let Range { kind, prefix, records, .. } = self.theirs;
        let term = own.term(*kind);
        self.count += 1;
        self.sum.add(&term);
        if prefix.0.len() < 32 {
            let child = &mut self.children[prefix.child_of(own.key)];
            child.0 += 1;
            child.1.add(&term);
        }
        if self.count <= RangeDigests::LISTED {
            self.records.push(own);
        }
        if records.is_some() {
            let theirs = self.unmet.remove(&own.key);
            let room = (self.differences.len() as u64) < RangeDigests::LINES;
            if theirs != Some(own) && room {
                self.differences.push(Difference { kind: *kind, key: own.key, own: Some(own), theirs });
            }
        }
    }

    /// What differs, if the peer listed the range.
    fn differences(&mut self) -> Vec<Difference> {
        let kind = self.theirs.kind;
        let unmet = std::mem::take(&mut self.unmet).into_values();
        let only_there =
            unmet.map(|listed| Difference { kind, key: listed.key, own: None, theirs: Some(listed) });
        let mut found = std::mem::take(&mut self.differences);
        found.extend(only_there);
        found.sort_by_key(|difference| difference.key);
        found
    }

    fn into_ranges(self) -> Vec<Range> {
        let Range { kind, prefix, .. } = self.theirs;
        if self.count <= RangeDigests::LISTED || prefix.0.len() == 32 {
            let (kind, prefix) = (*kind, prefix.clone());
            return vec![Range {
                kind,
                prefix,
                count: self.count,
                sum: self.sum,
                records: Some(self.records),
            }];
        }
        let child = |(digit, (count, sum))| Range {
            kind: *kind,
            prefix: prefix.child(digit),
            count,
            sum,
            records: None,
        };
        self.children.into_iter().enumerate().map(child).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::position::{Epoch, Position, Seq};

    type Picture = BTreeMap<(Kind, RecordId), Listed>;

    fn listed(n: u64, version: u32) -> Listed {
        let bytes: [u8; 16] = Digest::of(&n.to_be_bytes()).as_bytes()[..16].try_into().expect("16");
        let hash = Digest::of(&version.to_be_bytes());
        Listed { key: RecordId::from_random(bytes), version, form: Form::Live, hash }
    }

    fn visit(picture: &Picture, kind: Kind, prefix: &KeyPrefix, each: &mut dyn FnMut(Listed)) {
        let (low, high) = prefix.bounds();
        picture.range((kind, low)..=(kind, high)).for_each(|(_, listed)| each(*listed));
    }

    /// Plays the whole exchange; gives what the asker found, and how many requests it took.
    fn narrow(asker: &Picture, sender: &Picture) -> (Vec<Difference>, usize) {
        let position = Position { epoch: Epoch::FIRST, seq: Seq::FIRST };
        let head = RangeDigests {
            of: ParticipantCode::new(42, 1),
            at: Mark { position, digest: Digest::of(b"a packet") },
            re: None,
            ranges: Vec::new(),
        };
        let told = RangeDigests::whole(|kind, prefix, each| {
            visit(asker, kind, prefix, each);
            Ok::<_, Infallible>(())
        });
        let mut digests = RangeDigests { ranges: told.expect("infallible"), ..head.clone() };
        let (mut found, mut requests) = (Vec::new(), 1);
        loop {
            digests.check().expect("sound");
            let sends = requests % 2 == 1;
            let own = if sends { sender } else { asker };
            let refined = digests.refine(sends, |kind, prefix, each| {
                visit(own, kind, prefix, each);
                Ok::<_, Infallible>(())
            });
            let refined = refined.expect("infallible");
            if !sends {
                found.extend(refined.differences);
            }
            if refined.ranges.is_empty() {
                break;
            }
            requests += 1;
            digests = RangeDigests { ranges: refined.ranges, re: Some(Nonce([1; 16])), ..head.clone() };
        }
        found.sort_by_key(|difference| (difference.kind, difference.key));
        (found, requests)
    }

    fn picture(of: impl Iterator<Item = (u64, u32)>) -> Picture {
        let kind = |n: u64| if n.is_multiple_of(3) { Kind::Event } else { Kind::Contact };
        of.map(|(n, version)| ((kind(n), listed(n, version).key), listed(n, version))).collect()
    }

    #[test]
    fn a_few_records_of_many_are_found() {
        let asker = picture((0..3000).filter(|n| *n != 7).map(|n| (n, 1)));
        let sender = picture((0..3001).map(|n| (n, if n == 100 { 2 } else { 1 })));
        let (found, requests) = narrow(&asker, &sender);
        let expected: Vec<RecordId> = {
            let mut keys = [7, 100, 3000].map(|n| {
                let kind = if n % 3 == 0 { Kind::Event } else { Kind::Contact };
                (kind, listed(n, 1).key)
            });
            keys.sort();
            keys.into_iter().map(|(_, key)| key).collect()
        };
        assert_eq!(found.iter().map(|difference| difference.key).collect::<Vec<_>>(), expected);
        assert!(requests <= 6, "{requests} requests");
        assert_eq!(narrow(&asker, &asker), (Vec::new(), 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn exactly_what_differs_is_found(
            common in 0..400_u64,
            here in prop::collection::btree_set(0..600_u64, 0..20),
            newer in prop::collection::btree_set(0..600_u64, 0..20),
        ) {
            let asker = picture((0..common).chain(here).map(|n| (n, 1)));
            let sender = picture((0..common).map(|n| (n, 1)).chain(newer.into_iter().map(|n| (n, 2))));
            let (found, _) = narrow(&asker, &sender);
            let keys = asker.keys().chain(sender.keys()).filter(|key| asker.get(key) != sender.get(key));
            let mut expected: Vec<_> = keys.copied().collect();
            expected.sort();
            expected.dedup();
            prop_assert_eq!(found.iter().map(|d| (d.kind, d.key)).collect::<Vec<_>>(), expected);
            for Difference { kind, key, own, theirs } in found {
                prop_assert_eq!(own, asker.get(&(kind, key)).copied());
                prop_assert_eq!(theirs, sender.get(&(kind, key)).copied());
            }
        }
    }
}
