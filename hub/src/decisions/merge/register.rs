//! Records as numbers: every text of a field stands once in a table and is told by its place there.

use indexmap::IndexSet;

use super::{compare::Kind, model::Model, reading::Reading, weigh::Weights};
use crate::decisions::given_names;

/// The number of a text in its table; 0: there is none.
pub type Text = u32;

/// The texts of one kind, each once, with how many records have it.
#[derive(Default)]
pub struct Texts {
    known: IndexSet<Box<str>>,
    letters: Vec<Box<[u8]>>,
    counts: Vec<u32>,
}

impl Texts {
    fn new() -> Self {
        let mut texts = Self::default();
        texts.number("");
        texts
    }

    fn number(&mut self, text: &str) -> Text {
        let at = self.known.get_index_of(text).unwrap_or_else(|| {
            self.letters.push(text.chars().map(letter).collect());
            self.counts.push(0);
            self.known.insert_full(text.into()).0
        });
        Text::try_from(at).expect("fewer than 2^32 texts")
    }

    fn count(&mut self, text: &str) -> Text {
        let number = self.number(text);
        if number != 0 {
            self.counts[number as usize] += 1;
        }
        number
    }

    fn text(&self, number: Text) -> Option<&str> {
        self.known.get_index(number as usize).map(|text| &**text)
    }

    fn owned(&self, number: Text) -> String {
        self.text(number).unwrap_or_default().to_owned()
    }

    fn find(&self, text: &str) -> Option<Text> {
        self.known.get_index_of(text).and_then(|at| Text::try_from(at).ok())
    }

    /// Its letters, one byte each.
    pub fn letters(&self, text: Text) -> &[u8] {
        &self.letters[text as usize]
    }

    /// How many records have it.
    pub fn frequency(&self, text: Text) -> u32 {
        self.counts[text as usize]
    }

    /// How many texts there are, "none" included.
    pub fn size(&self) -> usize {
        self.letters.len()
    }
}

/// One byte a letter is enough to compare: Cyrillic and ASCII letters and digits each have their own.
fn letter(c: char) -> u8 {
    let byte = match u32::from(c) {
        code @ 0..=0x7F => code,
        code @ 0x410..=0x44F => code - 0x410 + 0x80,
        code => code % 0x38 + 0xC8,
    };
    u8::try_from(byte).expect("each arm is below 256")
}

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
    pub(super) texts: Vec<Vec<Texts>>,
    pub(super) sex_slot: Option<usize>,
    pub(super) birth_slot: Option<usize>,
    /// The classes of variants that each given name is of.
    pub(super) variants: Vec<Vec<u16>>,
    pub(super) weights: Weights,
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
        let (values, sources, variants) = (Vec::new(), Vec::new(), Vec::new());
        Self { model, slots, width, values, sources, texts, sex_slot, birth_slot, variants, weights }
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
        for (at, values) in reading.fields.iter().enumerate() {
            let kind = self.model.fields[at].kind;
            for slot in 0..kind.slots() {
                let value = values.get(slot).map_or("", String::as_str);
                self.values.push(match kind {
                    Kind::Date | Kind::Sex => value.parse().unwrap_or(0),
                    // both parts of a double surname are surnames
                    Kind::Surname => self.texts[at][0].count(value),
                    _ => self.texts[at][slot].count(value),
                });
            }
        }
        self.sources.push(source);
    }

    /// What needs all records: names that stand in each other's columns, variants, frequencies. To be called
    /// once, when all records are in.
    pub fn close(&mut self) {
        if let (Some(surname), Some(given)) =
            (self.model.of_kind(Kind::Surname), self.model.of_kind(Kind::Given))
        {
            self.turn_names(surname, given);
            self.find_variants(given);
        }
        let mut weights = Weights::of(&self.model);
        weights.count(&self.model, &self.slots, &self.texts, self.entries());
        self.weights = weights;
    }

    /// The record `n`.
    pub fn entry(&self, n: u32) -> Entry<'_> {
        let n = n as usize;
        Entry { values: &self.values[n * self.width..(n + 1) * self.width], source: self.sources[n] }
    }

    /// All records.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> + Clone {
        self.values
            .chunks_exact(self.width)
            .zip(&self.sources)
            .map(|(values, source)| Entry { values, source: *source })
    }

    /// A surname that is a given name everywhere else, with a given name that is a surname, changed places.
    fn turn_names(&mut self, surname: usize, given: usize) {
        let (at_surname, at_given) = (self.slots[surname].first, self.slots[given].first);
        for n in 0..self.len() {
            let row = n * self.width;
            let (first, second) = (self.values[row + at_surname], self.values[row + at_surname + 1]);
            let name = self.values[row + at_given];
            if first == 0 || name == 0 || second != 0 {
                continue;
            }
            let other = |from: &Texts, to: &Texts, text: Text| -> (u32, u32) {
                let there =
                    from.text(text).and_then(|text| to.find(text)).map_or(0, |text| to.frequency(text));
                (from.frequency(text), there)
            };
            let (surnames, givens) = (&self.texts[surname][0], &self.texts[given][0]);
            let (surnames_here, elsewhere) = other(surnames, givens, first);
            let (givens_here, turned) = other(givens, surnames, name);
            if elsewhere > 20 * surnames_here.max(1) && turned >= givens_here {
                let texts = [surnames.owned(first), givens.owned(name)];
                self.values[row + at_surname] = self.texts[surname][0].count(&texts[1]);
                self.values[row + at_given] = self.texts[given][0].count(&texts[0]);
            }
        }
    }

    fn find_variants(&mut self, given: usize) {
        let names = &self.texts[given][0];
        self.variants = names.known.iter().map(|name| given_names::classes(name)).collect();
    }
}
