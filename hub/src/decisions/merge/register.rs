//! Records as numbers: every text of a field stands once in a table and is told by its place there.

use indexmap::IndexSet;

use super::{
    candidates::{Keys, mixed},
    compare::Kind,
    model::Model,
    reading::Reading,
    weigh::{OWN, Weights},
};
use crate::decisions::given_names;

/// The number of a text in its table; 0: there is none.
pub type Text = u32;

/// The texts of one kind, each once, with how many records have it.
#[derive(Default)]
pub struct Texts {
    known: IndexSet<Box<str>>,
    letters: Vec<Box<[u8]>>,
    digests: Vec<u64>,
    pub(super) counts: Vec<u32>,
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
            self.digests.push(digest(text));
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

    fn text(&self, number: Text) -> &str {
        self.known.get_index(number as usize).map_or("", |text| text)
    }

    fn find(&self, text: &str) -> Option<Text> {
        self.known.get_index_of(text).and_then(|at| Text::try_from(at).ok())
    }

    /// How many records were counted with `text` here.
    pub(super) fn counted(&self, text: &str) -> u32 {
        self.find(text).map_or(0, |text| self.counts[text as usize])
    }

    /// A number that the text has in every register.
    pub(super) fn digest(&self, text: Text) -> u64 {
        self.digests[text as usize]
    }

    /// Its letters, one byte each.
    pub fn letters(&self, text: Text) -> &[u8] {
        &self.letters[text as usize]
    }

    /// How many records have it: at least the one that says so.
    pub fn frequency(&self, text: Text) -> u32 {
        self.counts[text as usize].max(1)
    }

    /// How many texts there are, "none" included.
    pub fn size(&self) -> usize {
        self.letters.len()
    }
}

/// A number of a text that is the same in every register.
pub(super) fn digest(text: &str) -> u64 {
    mixed(text.bytes().map(u64::from))
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
    /// Of each record when the person died and first applied, as `YYYYMMDD`; 0: not known.
    pub(super) life: Vec<[u32; 2]>,
    pub(super) texts: Vec<Vec<Texts>>,
    pub(super) sex_slot: Option<usize>,
    pub(super) birth_slot: Option<usize>,
    /// The classes of variants that each given name is of.
    pub(super) variants: Vec<Vec<u16>>,
    /// Which given names are names in use.
    pub(super) known: Vec<bool>,
    pub(super) weights: Weights,
    pub(super) keys: Keys,
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
        for name in self.entries().filter_map(|entry| self.full_name(&entry)) {
            *weights.full_names.entry(name).or_default() += 1;
        }
        weights.full_names.retain(|_, n| *n > OWN);
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
        for (n, entry) in self.entries().enumerate() {
            let (names, name) = (entry.field(self.slots[surname]), entry.field(self.slots[given])[0]);
            if names[0] == 0 || name == 0 || names[1] != 0 {
                continue;
            }
            let (first, second) = (surnames.text(names[0]), givens.text(name));
            if count(given, first)? > 20 * count(surname, first)?.max(1)
                && count(surname, second)? >= count(given, second)?.max(1)
            {
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
        for record in records {
            let row = record * self.width;
            let places = [row + self.slots[surname].first, row + self.slots[given].first];
            let first = self.texts[surname][0].text(self.values[places[0]]).to_owned();
            let second = self.texts[given][0].text(self.values[places[1]]).to_owned();
            self.values[places[0]] = self.texts[surname][0].number(&second);
            self.values[places[1]] = self.texts[given][0].number(&first);
        }
        let names = &self.texts[given][0];
        self.variants = names.known.iter().map(|name| given_names::classes(name)).collect();
        self.known = names.known.iter().map(|name| given_names::is_known(name)).collect();
    }
}
