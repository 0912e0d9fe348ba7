//! Which pairs are compared at all: those that share a key. Keys are many, so that hardly a pair of one person
//! is passed by; what shares a frequent key is parted by further facts, not left out.

use std::collections::BTreeSet;

use super::{
    compare::{Kind, parts},
    model::{Model, ModelError, Search},
    register::{Entry, Register},
};

/// Groups that no further fact parts are compared whole up to this size: so many with the same facts are mostly
/// placeholders.
pub const LARGEST: usize = 200;

/// What of a field a key takes.
#[derive(Debug, Clone, Copy)]
enum What {
    /// The value in this place of the field.
    Slot(usize),
    /// So many letters from its beginning.
    Head(usize),
    /// All but so many digits of its beginning.
    Tail(usize),
    /// The year of a date; the date with day and month in either order; day and month.
    Year,
    Loose,
    Day,
}

/// A part of a key: of which field, its first slot, what of it.
#[derive(Debug, Clone, Copy)]
struct Part {
    field: usize,
    slot: usize,
    what: What,
}

/// The keys of a model, understood.
pub(super) struct Keys {
    keys: Vec<Vec<Part>>,
    split: Vec<Part>,
}

impl Keys {
    pub(super) fn of(model: &Model) -> Result<Self, ModelError> {
        let mut starts = Vec::new();
        let mut width = 0;
        for field in &model.fields {
            starts.push(width);
            width += field.kind.slots();
        }
        let part = |text: &str| -> Result<Part, ModelError> {
            let (name, what) = text.split_once(':').unwrap_or((text, ""));
            let unfit = |problem| ModelError::Unfit { place: text.to_owned(), problem };
            let field = model.field(name).ok_or_else(|| unfit("field"))?;
            let what = what_of(model.fields[field].kind, what).ok_or_else(|| unfit("part"))?;
            Ok(Part { field, slot: starts[field], what })
        };
        let Search { keys, split, .. } = &model.search;
        let key = |text: &String| text.split(' ').map(part).collect();
        Ok(Self {
            keys: keys.iter().map(key).collect::<Result<_, _>>()?,
            split: split.iter().map(|text| part(text)).collect::<Result<_, _>>()?,
        })
    }
}

fn what_of(kind: Kind, word: &str) -> Option<What> {
    if kind == Kind::Source {
        return None;
    }
    Some(match (kind, word) {
        (_, "") => What::Slot(0),
        (Kind::Date, "year") => What::Year,
        (Kind::Date, "loose") => What::Loose,
        (Kind::Date, "day") => What::Day,
        (Kind::Address, "building") => What::Slot(1),
        (Kind::Address, "street") => What::Slot(4),
        (Kind::Date | Kind::Sex, _) => return None,
        (_, word) => match (word.strip_prefix('-'), word.parse()) {
            (Some(cut), _) => What::Tail(cut.parse().ok()?),
            (None, head) => What::Head(head.ok().filter(|n| (1..=12).contains(n))?),
        },
    })
}

/// A well mixed number of several.
pub(super) fn mixed(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0xCBF2_9CE4_8422_2325, |hash, part| {
        let hash = (hash ^ part).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        hash ^ (hash >> 29)
    })
}

fn spelled(letters: &[u8]) -> u64 {
    letters.iter().fold(1, |number, letter| number << 8 | u64::from(*letter))
}

/// Two records to be compared, the smaller number first.
pub type Pair = (u32, u32);

/// What is to be compared.
#[derive(Debug, Default)]
pub struct Candidates {
    /// The pairs, each once, in order.
    pub pairs: Vec<Pair>,
    /// Keys that too many records share: what bears one is found by finer ones.
    pub parted: BTreeSet<u64>,
}

/// What some of the keys find.
#[derive(Debug, Default)]
pub struct Found {
    /// The pairs, each as one number.
    pairs: Vec<u64>,
    /// So many of them are in order, each once.
    in_order: usize,
    parted: BTreeSet<u64>,
}

impl Found {
    fn put_in_order(&mut self) {
        self.pairs.sort_unstable();
        self.pairs.dedup();
        self.in_order = self.pairs.len();
    }
}

const fn packed((a, b): Pair) -> u64 {
    (a as u64) << 32 | b as u64
}

#[expect(clippy::cast_possible_truncation, reason = "each half is one number")]
const fn unpacked(pair: u64) -> Pair {
    ((pair >> 32) as u32, pair as u32)
}

impl Candidates {
    /// All that was found.
    pub fn of(all: impl IntoIterator<Item = Found>) -> Self {
        let mut parted = BTreeSet::new();
        let mut lists: Vec<std::iter::Peekable<std::vec::IntoIter<u64>>> = Vec::new();
        for found in all {
            parted.extend(found.parted);
            lists.push(found.pairs.into_iter().peekable());
        }
        let mut pairs = Vec::with_capacity(lists.iter().map(ExactSizeIterator::len).max().unwrap_or(0));
        while let Some(least) = lists.iter_mut().filter_map(|list| list.peek().copied()).min() {
            for list in &mut lists {
                list.next_if_eq(&least);
            }
            pairs.push(unpacked(least));
        }
        Self { pairs, parted }
    }
}

impl Register {
    /// The part of a record that a key takes; 0 if there is none.
    fn part(&self, part: &Part, entry: &Entry<'_>) -> u64 {
        let value = entry.value(part.slot);
        if value == 0 {
            return 0;
        }
        let letters = || self.texts[part.field][0].letters(value);
        let (year, month, day) = parts(value);
        match part.what {
            // of a date that leaves day or month open the year alone finds others
            What::Slot(_) | What::Loose | What::Day
                if day == 0 && self.model.fields[part.field].kind == Kind::Date =>
            {
                0
            }
            What::Slot(slot) => self.spelling(part.field, slot, entry.value(part.slot + slot)),
            What::Head(count) => spelled(&letters()[..count.min(letters().len())]),
            What::Tail(from) => {
                letters().get(from..11).map_or(0, |letters| mixed(letters.iter().map(|l| u64::from(*l))))
            }
            What::Year => u64::from(year),
            What::Loose => u64::from(year * 10_000 + month.min(day) * 100 + month.max(day)),
            What::Day => u64::from(month * 100 + day),
        }
    }

    /// The number that a value of a field has in every register; 0: there is none.
    fn spelling(&self, field: usize, slot: usize, value: u32) -> u64 {
        match self.model.fields[field].kind {
            _ if value == 0 => 0,
            Kind::Date | Kind::Sex => u64::from(value),
            Kind::Surname => self.texts[field][0].digest(value),
            _ => self.texts[field][slot].digest(value),
        }
    }

    /// The key of number `no` of a record.
    fn key(&self, no: usize, entry: &Entry<'_>) -> Option<u64> {
        let values = self.keys.keys[no].iter().map(|part| self.part(part, entry));
        values.clone().all(|value| value != 0).then(|| mixed(std::iter::once(no as u64).chain(values)))
    }

    /// The keys of number `no` of a record: of a double surname by its second part too.
    fn keys_of(&self, no: usize, entry: &Entry<'_>) -> [Option<u64>; 2] {
        let surname = self.model.of_kind(Kind::Surname);
        let double = self.keys.keys[no].iter().find(|part| Some(part.field) == surname).map(|part| part.slot);
        let turned = double.and_then(|slot| entry.turned(slot));
        let turned = turned.and_then(|turned| self.key(no, &turned.as_entry(entry.source)));
        [self.key(no, entry), turned]
    }

    /// All pairs to be compared, and the keys that so many records shared that they were parted further.
    pub fn candidates(&self) -> Candidates {
        Candidates::of([self.found_by(&mut (0..self.key_count()))])
    }

    /// How many keys the model has.
    pub fn key_count(&self) -> usize {
        self.keys.keys.len()
    }

    /// What these keys of the model find, by number: keys that are taken from one row by several may be looked for at the
    /// same time.
    pub fn found_by(&self, keys: &mut dyn Iterator<Item = usize>) -> Found {
        let mut found = Found::default();
        let mut index: Vec<(u64, u32)> = Vec::with_capacity(self.len());
        for no in keys {
            self.pairs_by(no, &mut index, &mut found);
            if found.pairs.len() > 2 * found.in_order + (1 << 22) {
                found.put_in_order();
            }
        }
        found.put_in_order();
        found
    }

    /// The pairs that the key of number `no` finds; `index` is room to work in.
    fn pairs_by(&self, no: usize, index: &mut Vec<(u64, u32)>, found: &mut Found) {
        index.clear();
        for (n, entry) in (0..).zip(self.entries()) {
            index.extend(self.keys_of(no, &entry).into_iter().flatten().map(|key| (key, n)));
        }
        index.sort_unstable();
        for group in index.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            self.pairs_of(group, &self.keys.split, found);
        }
    }

    /// The pairs that the key of number `no` finds, each once, in order.
    pub(super) fn candidates_by(&self, no: usize) -> Vec<Pair> {
        Candidates::of([self.found_by(&mut std::iter::once(no))]).pairs
    }

    /// All pairs of a group; one that is too large is split.
    fn pairs_of(&self, group: &[(u64, u32)], split: &[Part], found: &mut Found) {
        let (first, rest) = match split.split_first() {
            Some((first, rest)) if group.len() > self.model.search.block => (first, rest),
            _ if group.len() > LARGEST => return,
            _ => {
                for (at, (_, a)) in group.iter().enumerate() {
                    let others = group[at + 1..].iter().map(|(_, b)| b).filter(|b| *b != a);
                    found.pairs.extend(others.map(|b| packed((*a.min(b), *a.max(b)))));
                }
                return;
            }
        };
        found.parted.insert(group[0].0);
        let finer = |(key, n): &(u64, u32)| (self.finer(*key, first, &self.entry(*n)), *n);
        let mut parted: Vec<(u64, u32)> = group.iter().map(finer).collect();
        parted.sort_unstable();
        for group in parted.chunk_by(|a, b| a.0 == b.0) {
            self.pairs_of(group, rest, found);
        }
    }

    fn finer(&self, key: u64, part: &Part, entry: &Entry<'_>) -> u64 {
        mixed([key, self.part(part, entry)].into_iter())
    }

    /// The keys under which record `n` is found, where `parted` says which were parted further.
    pub fn keys<E>(
        &self,
        n: u32,
        parted: &mut impl FnMut(u64) -> Result<bool, E>,
    ) -> Result<BTreeSet<u64>, E> {
        let (entry, mut keys) = (self.entry(n), BTreeSet::new());
        for no in 0..self.keys.keys.len() {
            for mut key in self.keys_of(no, &entry).into_iter().flatten() {
                for part in &self.keys.split {
                    if !parted(key)? {
                        break;
                    }
                    key = self.finer(key, part, &entry);
                }
                keys.insert(key);
            }
        }
        Ok(keys)
    }
}
