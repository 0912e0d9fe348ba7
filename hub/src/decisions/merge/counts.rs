//! What was counted in a register, under keys that bear no text: kept beside the model, so that records which come
//! later are weighed just as those were, whatever has come meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    candidates::mixed,
    compare::Kind,
    register::{Entry, Register},
    texts::{Text, digest},
    weigh::{COHORT, COHORTS, DAYS, OWN, Weights, YEARS, day_of, year_of},
};

/// The key of something that was counted.
pub type CountKey = i64;

/// What a count is of.
#[derive(Debug, Clone, Copy)]
enum Counted {
    /// Records.
    Records,
    /// Records of this sex.
    Sex(usize),
    /// Records born in this year from 1900.
    Year(usize),
    /// Records born on this day of this month.
    Day(usize),
    /// Records born in this cohort whose given name is known.
    Cohort(usize),
    /// Of them those with a name of this digest.
    Name(u64, usize),
    /// Records with this full name.
    FullName(u64),
    /// Records with a text of this digest in a place of a field.
    Text(usize, usize, u64),
}

impl Counted {
    fn key(self) -> CountKey {
        let parts = match self {
            Self::Records => [1, 0, 0, 0],
            Self::Sex(sex) => [2, sex as u64, 0, 0],
            Self::Year(year) => [3, year as u64, 0, 0],
            Self::Day(day) => [8, day as u64, 0, 0],
            Self::Cohort(cohort) => [4, cohort as u64, 0, 0],
            Self::Name(name, cohort) => [5, name, cohort as u64, 0],
            Self::FullName(name) => [7, name, 0, 0],
            Self::Text(field, slot, text) => [6, field as u64, slot as u64, text],
        };
        mixed(parts.into_iter()).cast_signed()
    }
}

fn number(text: usize) -> Text {
    Text::try_from(text).expect("fewer than 2^32 texts")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole numbers of records")]
fn whole(n: f64) -> u32 {
    n as u32
}

/// Whether two texts of such a field are compared by how frequent each is: a rare name is a slip for a frequent one, and a
/// number that a crowd bears is none.
const fn is_compared_by_counts(kind: Kind) -> bool {
    matches!(kind, Kind::Surname | Kind::Given | Kind::Patronymic | Kind::Snils | Kind::Document)
}

/// The places of a field whose texts count by their frequency.
const fn counted_slots(kind: Kind) -> usize {
    match kind {
        Kind::Surname
        | Kind::Given
        | Kind::Patronymic
        | Kind::Name
        | Kind::Phone
        | Kind::Code
        | Kind::Snils
        | Kind::Document => 1,
        // the door, the building, the door in its town
        Kind::Address => 3,
        Kind::Sex | Kind::Date | Kind::Source => 0,
    }
}

impl Register {
    /// What [`Register::close`] has counted.
    pub fn counts(&self) -> BTreeMap<CountKey, u32> {
        let weights = &self.weights;
        let mut all = vec![(Counted::Records, weights.records)];
        all.extend(weights.of_sex.iter().enumerate().map(|(sex, n)| (Counted::Sex(sex), *n)));
        all.extend(weights.of_year.iter().enumerate().map(|(year, n)| (Counted::Year(year), *n)));
        all.extend(weights.of_day.iter().enumerate().map(|(day, n)| (Counted::Day(day), *n)));
        all.extend(weights.of_cohort.iter().enumerate().map(|(cohort, n)| (Counted::Cohort(cohort), *n)));
        all.extend(weights.full_names.iter().map(|(name, n)| (Counted::FullName(*name), f64::from(*n))));
        if let Some(given) = self.model.of_kind(Kind::Given) {
            let names = &self.texts[given][0];
            let of_name = |(at, n): (usize, &f64)| {
                (Counted::Name(names.digest(number(at / COHORTS)), at % COHORTS), *n)
            };
            all.extend(weights.cohorts.iter().enumerate().map(of_name));
        }
        for (field, of) in self.model.fields.iter().enumerate() {
            // one record with it is what everybody counts as who meets it; of names it matters which column has it
            let least = match of.kind {
                Kind::Surname | Kind::Given => 1,
                // of numbers those alone matter that are nobody's
                Kind::Snils | Kind::Document => {
                    Text::try_from(self.model.cut.largest).unwrap_or(Text::MAX).saturating_add(1)
                }
                _ => 2,
            };
            for slot in 0..counted_slots(of.kind) {
                let texts = &self.texts[field][slot];
                let counts = (0..).zip(&texts.counts).filter(|(_, n)| **n >= least);
                let key = |text| Counted::Text(field, slot, texts.digest(text));
                all.extend(counts.map(|(text, n)| (key(text), f64::from(*n))));
            }
        }
        all.into_iter().filter(|(_, n)| *n > 0.0).map(|(of, n)| (of.key(), whole(n))).collect()
    }

    /// The first half of what [`Register::close`] does, by what was counted elsewhere, `count` says how often: what it takes to
    /// read keys, and to compare records as far as to say which pairs cannot come to anything.
    pub fn open_by<E>(&mut self, mut count: impl FnMut(CountKey) -> Result<u32, E>) -> Result<(), E> {
        // before the first merge nothing is
        let records = count(Counted::Records.key())?;
        let mut count = |key| if records == 0 { Ok(0) } else { count(key) };
        let turned = self.turned_names(&mut |field: usize, text: &str| {
            count(Counted::Text(field, 0, digest(text)).key())
        })?;
        self.turn(&turned);
        for field in 0..self.model.fields.len() {
            if is_compared_by_counts(self.model.fields[field].kind) {
                let texts = 1..self.texts[field][0].size();
                self.recount(field, 0, texts.map(number), &mut count)?;
            }
        }
        self.weights = Weights::of(&self.model);
        self.weights.records = f64::from(records);
        Ok(())
    }

    /// The second half: what it takes to weigh these records; of others nothing is asked.
    pub fn count_by<E>(
        &mut self,
        records: &[u32],
        mut count: impl FnMut(CountKey) -> Result<u32, E>,
    ) -> Result<(), E> {
        let none = self.weights.records == 0.0;
        let mut count = |key| if none { Ok(0) } else { count(key) };
        for field in 0..self.model.fields.len() {
            let kind = self.model.fields[field].kind;
            for slot in (0..counted_slots(kind)).filter(|_| !is_compared_by_counts(kind)) {
                let value = |n: &u32| self.entry(*n).field(self.slots[field])[slot];
                let texts: BTreeSet<Text> = records.iter().map(value).filter(|text| *text != 0).collect();
                self.recount(field, slot, texts.into_iter(), &mut count)?;
            }
        }
        self.weights_by(records, &mut count)
    }

    fn recount<E>(
        &mut self,
        field: usize,
        slot: usize,
        texts: impl Iterator<Item = Text>,
        count: &mut impl FnMut(CountKey) -> Result<u32, E>,
    ) -> Result<(), E> {
        let table = &mut self.texts[field][slot];
        for text in texts {
            let key = Counted::Text(field, slot, table.digest(text)).key();
            table.counts[text as usize] = count(key)?;
        }
        Ok(())
    }

    /// The given name of a record, and in which cohort it was born.
    fn cohort_of(&self, given: usize, entry: &Entry<'_>) -> Option<(Text, usize)> {
        let name = entry.field(self.slots[given])[0];
        let year = self.birth_slot.and_then(|slot| year_of(entry.value(slot)))?;
        (name != 0).then_some((name, year / COHORT as usize))
    }

    fn weights_by<E>(
        &mut self,
        records: &[u32],
        count: &mut impl FnMut(CountKey) -> Result<u32, E>,
    ) -> Result<(), E> {
        let mut weights = std::mem::take(&mut self.weights);
        let mut get = |of: Counted| count(of.key()).map(f64::from);
        for (sex, n) in weights.of_sex.iter_mut().enumerate() {
            *n = get(Counted::Sex(sex))?;
        }
        weights.of_year = (0..YEARS).map(|year| get(Counted::Year(year))).collect::<Result<_, E>>()?;
        weights.born = weights.of_year.iter().sum();
        for (cohort, n) in weights.of_cohort.iter_mut().enumerate() {
            *n = get(Counted::Cohort(cohort))?;
        }
        let entries = || records.iter().map(|n| self.entry(*n));
        weights.of_day = vec![0.0; DAYS];
        let day = |entry: Entry<'_>| self.birth_slot.and_then(|slot| day_of(entry.value(slot)));
        for day in entries().filter_map(day).chain([0]).collect::<BTreeSet<_>>() {
            weights.of_day[day] = get(Counted::Day(day))?;
        }
        for name in entries().filter_map(|entry| self.full_name(&entry)).collect::<BTreeSet<_>>() {
            let n = whole(get(Counted::FullName(name))?);
            if n > OWN {
                weights.full_names.insert(name, n);
            }
        }
        if let Some(given) = self.model.of_kind(Kind::Given) {
            let names = &self.texts[given][0];
            weights.cohorts = vec![0.0; names.size() * COHORTS];
            let known: BTreeSet<_> = entries().filter_map(|entry| self.cohort_of(given, &entry)).collect();
            for (name, cohort) in known {
                let at = name as usize * COHORTS + cohort;
                weights.cohorts[at] = get(Counted::Name(names.digest(name), cohort))?;
            }
        }
        self.weights = weights;
        Ok(())
    }
}
