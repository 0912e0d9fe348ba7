//! Records as numbers: every text of a field stands once in a table and is told by its place there.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    candidates::{Keys, mixed},
    compare::{Kind, parts},
    model::Model,
    reading::Reading,
    texts::Texts,
    weigh::{OWN, Weights},
};
use crate::decisions::given_names::{self, Form};

/// The places of a record's numbers that are one field's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slots {
    pub(super) first: usize,
    pub(super) count: usize,
}

/// All records of a merge.
pub struct Register {
    /// By what they are compared.
    pub model: Model,
    pub(super) slots: Vec<Slots>,
    width: usize,
    values: Vec<u32>,
    sources: Vec<u32>,
    /// Of each record when the person died and first applied, as `YYYYMMDD`; 0: not known.
    pub(super) life: Vec<[u32; 2]>,
    pub(super) texts: Vec<Vec<Texts>>,
    pub(super) sex_slot: Option<usize>,
    pub(super) birth_slot: Option<usize>,
    /// The classes of variants that each given name is of, and of which of their names it is a form.
    pub(super) variants: Vec<Vec<Form>>,
    /// Which given names are names in use.
    pub(super) known: Vec<bool>,
    pub(super) weights: Weights,
    pub(super) keys: Keys,
    /// [`Model::read_by`].
    pub(super) read_by: u64,
    /// The records whose names [`Register::turn`] has turned.
    turned: BTreeSet<usize>,
    /// Of how many records it is taken for one of at least: what chance agreement is worth follows from that.
    pub fewest: u32,
}

/// A record: its numbers in the order of the model's fields, and whose table it is from.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    values: &'a [u32],
    /// The table, by number.
    pub source: u32,
}

impl<'a> Entry<'a> {
    /// The numbers of a field.
    pub(super) fn field(&self, slots: Slots) -> &'a [u32] {
        &self.values[slots.first..slots.first + slots.count]
    }

    /// One number.
    pub(super) fn value(&self, slot: usize) -> u32 {
        self.values[slot]
    }
}

/// The numbers of a record with the parts of its double surname in the other order.
pub(super) struct Turned(Vec<u32>);

impl Turned {
    pub(super) fn as_entry(&self, source: u32) -> Entry<'_> {
        Entry { values: &self.0, source }
    }
}

impl Entry<'_> {
    /// With the second part of the surname in the first place, if it has one.
    pub(super) fn turned(&self, surname: usize) -> Option<Turned> {
        if self.values[surname + 1] == 0 {
            return None;
        }
        let mut values = self.values.to_vec();
        values.swap(surname, surname + 1);
        Some(Turned(values))
    }
}

impl Register {
    /// An empty one.
    ///
    /// # Panics
    /// Never: the keys of a model are checked when it is read.
    pub fn new(model: Model) -> Self {
        let mut slots = Vec::new();
        let mut width = 0;
        for field in &model.fields {
            slots.push(Slots { first: width, count: field.kind.slots() });
            width += field.kind.slots();
        }
        let slot_of = |kind| model.of_kind(kind).map(|field: usize| slots[field].first);
        let (sex_slot, birth_slot) = (slot_of(Kind::Sex), slot_of(Kind::Date));
        let texts = slots.iter().map(|slots| (0..slots.count).map(|_| Texts::new()).collect()).collect();
        let weights = Weights::default();
        let (values, sources, life) = (Vec::new(), Vec::new(), Vec::new());
        let (variants, known) = (Vec::new(), Vec::new());
        let keys = Keys::of(&model).expect("checked when the model was read");
        let read_by = model.read_by();
        Self {
            model,
            slots,
            width,
            values,
            sources,
            life,
            texts,
            sex_slot,
            birth_slot,
            variants,
            known,
            weights,
            keys,
            read_by,
            turned: BTreeSet::new(),
            fewest: 0,
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Takes in a record of the table `source`.
    pub fn add(&mut self, source: u32, reading: &Reading) {
        for at in 0..self.model.fields.len() {
            let kind = self.model.fields[at].kind;
            for slot in 0..kind.slots() {
                let value = reading.value(at, slot);
                self.values.push(match kind {
                    Kind::Date | Kind::Sex => value.parse().unwrap_or(0),
                    // both parts of a double surname are surnames
                    Kind::Surname => self.texts[at][0].count(value),
                    _ => self.texts[at][slot].count(value),
                });
            }
        }
        self.sources.push(source);
        self.life.push(reading.life);
    }

    /// Whether record `n` is of somebody who has died.
    pub fn is_dead(&self, n: u32) -> bool {
        self.life[n as usize][0] != 0
    }

    /// Tells when the person of record `n` first applied, as `YYYYMMDD`.
    pub fn set_applied(&mut self, n: u32, day: u32) {
        self.life[n as usize][1] = day;
    }

    /// What needs all records: names that stand in each other's columns, variants, frequencies. To be called
    /// once, when all records are in.
    pub fn close(&mut self) {
        let turned = self.turned_names(&mut |field: usize, text: &str| {
            Ok::<_, std::convert::Infallible>(self.texts[field][0].counted(text))
        });
        let Ok(turned) = turned;
        self.turn(&turned);
        let mut weights = Weights::of(&self.model);
        weights.count(&self.model, &self.slots, &self.texts, self.entries());
        let mut names: Vec<u64> = self.entries().filter_map(|entry| self.full_name(&entry)).collect();
        names.sort_unstable();
        let counted = names.chunk_by(|x, y| x == y).map(|all| (all[0], all.len()));
        let counted = counted.map(|(name, n)| (name, u32::try_from(n).expect("fewer than 2^32 records")));
        weights.full_names = counted.filter(|(_, n)| *n > OWN).collect();
        self.weights = weights;
    }

    /// The record `n`.
    pub fn entry(&self, n: u32) -> Entry<'_> {
        let n = n as usize;
        Entry { values: &self.values[n * self.width..(n + 1) * self.width], source: self.sources[n] }
    }

    /// A number of what record `n` was read to say, whatever place it has among the others.
    pub(super) fn mark(&self, n: u32) -> u64 {
        let entry = self.entry(n);
        let of_field = |at: usize| {
            let (kind, values) = (self.model.fields[at].kind, entry.field(self.slots[at]));
            values.iter().enumerate().map(move |(slot, value)| match kind {
                Kind::Date | Kind::Sex => u64::from(*value),
                Kind::Surname => self.texts[at][0].digest(*value),
                _ => self.texts[at][slot].digest(*value),
            })
        };
        mixed((0..self.model.fields.len()).flat_map(of_field).chain(self.life[n as usize].map(u64::from)))
    }

    /// What record `n` was read to say in the field `at`, as people write it; empty of the table that it is from. Personal data.
    pub fn reads(&self, n: u32, at: usize) -> String {
        let (entry, kind) = (self.entry(n), self.model.fields[at].kind);
        let values = entry.field(self.slots[at]);
        let text = |slot: usize| self.texts[at][slot].text(values[slot]);
        let joined = |texts: Vec<String>, by: &str| {
            texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(by)
        };
        match kind {
            Kind::Source => String::new(),
            Kind::Sex => ["", "М", "Ж"].get(values[0] as usize).copied().unwrap_or_default().to_owned(),
            Kind::Date => match parts(values[0]) {
                (0, ..) => String::new(),
                (year, 0, _) => format!("{year:04}"),
                (year, month, 0) => format!("{year:04}-{month:02}"),
                (year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
            },
            // both parts of a double surname stand in one table
            Kind::Surname => joined(vec![text(0), self.texts[at][0].text(values[1])], " "),
            // town, street, house, flat
            Kind::Address => joined(vec![text(3), text(4), text(5), text(6)], ", "),
            _ => text(0).trim_end_matches('!').to_owned(),
        }
    }

    /// The letters in a place of the field `at` as record `n` was read; `None`: letters do not tell them.
    pub(super) fn as_read(&self, n: u32, at: usize, slot: usize) -> Option<Cow<'_, [u8]>> {
        let value = |at: usize, slot: usize| self.entry(n).field(self.slots[at])[slot];
        let is_turned = slot == 0 && self.turned.contains(&(n as usize));
        let written = |number: u32, width: usize| match number {
            0 => Cow::Borrowed(&[][..]),
            number => Cow::Owned(format!("{number:0width$}").into_bytes()),
        };
        let (texts, value) = match self.model.fields[at].kind {
            Kind::Date => return Some(written(value(at, slot), 8)),
            Kind::Sex => return Some(written(value(at, slot), 1)),
            Kind::Surname | Kind::Given if is_turned => {
                let other =
                    if self.model.fields[at].kind == Kind::Surname { Kind::Given } else { Kind::Surname };
                let other = self.model.of_kind(other)?;
                (&self.texts[other][0], value(other, 0))
            }
            Kind::Surname => (&self.texts[at][0], value(at, slot)),
            _ => (&self.texts[at][slot], value(at, slot)),
        };
        texts.plain(value).map(Cow::Borrowed)
    }

    /// All records.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> + Clone {
        self.values
            .chunks_exact(self.width)
            .zip(&self.sources)
            .map(|(values, source)| Entry { values, source: *source })
    }

    /// The records with a surname that is a given name everywhere else, and a given name that is a surname.
    /// `count` says how many records were counted with a text of a field.
    pub(super) fn turned_names<E>(
        &self,
        count: &mut impl FnMut(usize, &str) -> Result<u32, E>,
    ) -> Result<Vec<usize>, E> {
        let mut turned = Vec::new();
        let (Some(surname), Some(given)) =
            (self.model.of_kind(Kind::Surname), self.model.of_kind(Kind::Given))
        else {
            return Ok(turned);
        };
        let (surnames, givens) = (&self.texts[surname][0], &self.texts[given][0]);
        // of each name whether it is one of the other column: asked once
        let (mut misplaced, mut misplaced_givens) = (vec![None; surnames.size()], vec![None; givens.size()]);
        for (n, entry) in self.entries().enumerate() {
            let (names, name) = (entry.field(self.slots[surname]), entry.field(self.slots[given])[0]);
            if names[0] == 0 || name == 0 || names[1] != 0 {
                continue;
            }
            let (first, second) = (names[0], name);
            let is_given = if let Some(known) = misplaced[first as usize] {
                known
            } else {
                let text = surnames.text(first);
                count(given, &text)? > 20 * count(surname, &text)?.max(1)
            };
            misplaced[first as usize] = Some(is_given);
            if !is_given {
                continue;
            }
            let is_surname = if let Some(known) = misplaced_givens[second as usize] {
                known
            } else {
                let text = givens.text(second);
                count(surname, &text)? >= count(given, &text)?.max(1)
            };
            misplaced_givens[second as usize] = Some(is_surname);
            if is_surname {
                turned.push(n);
            }
        }
        Ok(turned)
    }

    /// Puts the names of these records into each other's columns, and notes which names are variants. What was
    /// counted stays as it was.
    pub(super) fn turn(&mut self, records: &[usize]) {
        let (Some(surname), Some(given)) =
            (self.model.of_kind(Kind::Surname), self.model.of_kind(Kind::Given))
        else {
            return;
        };
        self.turned.extend(records);
        for record in records {
            let row = record * self.width;
            let places = [row + self.slots[surname].first, row + self.slots[given].first];
            let first = self.texts[surname][0].text(self.values[places[0]]);
            let second = self.texts[given][0].text(self.values[places[1]]);
            self.values[places[0]] = self.texts[surname][0].number(&second);
            self.values[places[1]] = self.texts[given][0].number(&first);
        }
        let names = || self.texts[given][0].all();
        self.known = names().map(|name| given_names::is_known(&name)).collect();
        self.variants = names().map(|name| given_names::forms(&name)).collect();
        // those that the model adds are classes of their own, beside those of the program
        for (class, group) in (given_names::CLASSES..).zip(self.model.variant_keys()) {
            for (at, _) in names().enumerate().filter(|(_, name)| group.contains(name)) {
                self.variants[at].push(Form { class, name: 0 });
                self.known[at] = true;
            }
        }
    }
}
