//! What was counted in a register, under keys that bear no text: kept beside the model, so that records which come
//! later are weighed just as those were, whatever has come meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    candidates::mixed,
    compare::Kind,
    register::{Entry, Register},
    texts::{Text, digest},
    weigh::{COHORT, COHORTS, OWN, Weights, YEARS, year_of},
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

/// The places of a field whose texts count by their frequency.
const fn counted_slots(kind: Kind) -> usize {
    match kind {
        Kind::Surname | Kind::Given | Kind::Patronymic | Kind::Name | Kind::Phone | Kind::Code => 1,
        // the door, the building, the door in its town
        Kind::Address => 3,
        Kind::Sex | Kind::Date | Kind::Snils | Kind::Document | Kind::Source => 0,
    }
}

impl Register {
    /// What [`Register::close`] has counted.
    pub fn counts(&self) -> BTreeMap<CountKey, u32> {
        let weights = &self.weights;
        let mut all = vec![(Counted::Records, weights.records)];
        all.extend(weights.of_sex.iter().enumerate().map(|(sex, n)| (Counted::Sex(sex), *n)));
        all.extend(weights.of_year.iter().enumerate().map(|(year, n)| (Counted::Year(year), *n)));
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
            let least = if matches!(of.kind, Kind::Surname | Kind::Given) { 1 } else { 2 };
            for slot in 0..counted_slots(of.kind) {
                let texts = &self.texts[field][slot];
                let counts = (0..).zip(&texts.counts).filter(|(_, n)| **n >= least);
                let key = |text| Counted::Text(field, slot, texts.digest(text));
                all.extend(counts.map(|(text, n)| (key(text), f64::from(*n))));
            }
        }
        all.into_iter().filter(|(_, n)| *n > 0.0).map(|(of, n)| (of.key(), whole(n))).collect()
    }

    /// Does what [`Register::close`] does, by what was counted elsewhere: `count` says how often.
    pub fn close_by<E>(&mut self, mut count: impl FnMut(CountKey) -> Result<u32, E>) -> Result<(), E> {
        // before the first merge nothing is
        let none = count(Counted::Records.key())? == 0;
        let mut count = |key| if none { Ok(0) } else { count(key) };
        self.recount(&mut count)?;
        let of_text = |field: usize, text: &str| count(Counted::Text(field, 0, digest(text)).key());
        let turned = self.turned_names(&mut { of_text })?;
        if !turned.is_empty() {
            self.turn(&turned);
            // a name that has changed columns has another count there
            self.recount(&mut count)?;
        }
        self.turn(&[]);
        self.weights = self.weights_by(&mut count)?;
        Ok(())
    }

    fn recount<E>(&mut self, count: &mut impl FnMut(CountKey) -> Result<u32, E>) -> Result<(), E> {
        for (field, of) in self.model.fields.iter().enumerate() {
            for slot in 0..counted_slots(of.kind) {
                for text in 1..self.texts[field][slot].size() {
                    let digest = self.texts[field][slot].digest(number(text));
                    self.texts[field][slot].counts[text] = count(Counted::Text(field, slot, digest).key())?;
                }
            }
        }
        Ok(())
    }

    /// The given name of a record, and in which cohort it was born.
    fn cohort_of(&self, given: usize, entry: &Entry<'_>) -> Option<(Text, usize)> {
        let name = entry.field(self.slots[given])[0];
        let year = self.birth_slot.and_then(|slot| year_of(entry.value(slot)))?;
        (name != 0).then_some((name, year / COHORT as usize))
    }

    fn weights_by<E>(&self, count: &mut impl FnMut(CountKey) -> Result<u32, E>) -> Result<Weights, E> {
        let mut weights = Weights::of(&self.model);
        let mut get = |of: Counted| count(of.key()).map(f64::from);
        weights.records = get(Counted::Records)?;
        for (sex, n) in weights.of_sex.iter_mut().enumerate() {
            *n = get(Counted::Sex(sex))?;
        }
        weights.of_year = (0..YEARS).map(|year| get(Counted::Year(year))).collect::<Result<_, E>>()?;
        for (cohort, n) in weights.of_cohort.iter_mut().enumerate() {
            *n = get(Counted::Cohort(cohort))?;
        }
        for name in self.entries().filter_map(|entry| self.full_name(&entry)).collect::<BTreeSet<_>>() {
            let n = whole(get(Counted::FullName(name))?);
            if n > OWN {
                weights.full_names.insert(name, n);
            }
        }
        if let Some(given) = self.model.of_kind(Kind::Given) {
            let names = &self.texts[given][0];
            weights.cohorts = vec![0.0; names.size() * COHORTS];
            let known: BTreeSet<_> =
                self.entries().filter_map(|entry| self.cohort_of(given, &entry)).collect();
            for (name, cohort) in known {
                let at = name as usize * COHORTS + cohort;
                weights.cohorts[at] = get(Counted::Name(names.digest(name), cohort))?;
            }
        }
        Ok(weights)
    }
}
