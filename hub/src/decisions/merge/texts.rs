//! The texts of a field, each once and told by its number.

use std::collections::BTreeMap;

use super::candidates::mixed;

/// The number of a text in its table; 0: there is none.
pub type Text = u32;

/// Above it are the bytes of letters that share theirs with others.
const ODD: u8 = 0xC8;

/// The texts of one kind, each once, with how many records have it. They stand one after another in one place: of a
/// million people there are millions of texts.
pub struct Texts {
    letters: Vec<u8>,
    /// Where in `letters` each begins; after the last where it ends.
    starts: Vec<u32>,
    /// Those that their letters alone do not tell.
    odd: BTreeMap<Text, Box<str>>,
    digests: Vec<u64>,
    pub(super) counts: Vec<u32>,
    /// The numbers by digest, each in the first place free from there on; 0: free. Less than half are taken.
    places: Vec<Text>,
    /// Room to work in.
    spelled: Vec<u8>,
}

impl Texts {
    /// None but the empty text.
    pub(super) fn new() -> Self {
        let (letters, spelled, odd) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (starts, digests, counts) = (vec![0, 0], vec![digest("")], vec![0]);
        Self { letters, starts, odd, digests, counts, places: vec![0; 64], spelled }
    }

    /// The number of `text`, which is taken in if it is not known yet.
    pub(super) fn number(&mut self, text: &str) -> Text {
        if text.is_empty() {
            return 0;
        }
        let digest = digest(text);
        let mut spelled = std::mem::take(&mut self.spelled);
        spelled.clear();
        spelled.extend(text.chars().map(letter));
        let (place, known) = self.place(digest, &spelled, text);
        let number = known.unwrap_or_else(|| {
            let number = u32::try_from(self.size()).expect("fewer than 2^32 texts");
            self.letters.extend_from_slice(&spelled);
            self.starts.push(u32::try_from(self.letters.len()).expect("fewer than 2^32 letters"));
            if is_odd(&spelled) {
                self.odd.insert(number, text.into());
            }
            self.digests.push(digest);
            self.counts.push(0);
            self.places[place] = number;
            if self.size() * 2 > self.places.len() {
                self.spread();
            }
            number
        });
        self.spelled = spelled;
        number
    }

    /// Where `text` has its place, and its number if it is known.
    fn place(&self, digest: u64, spelled: &[u8], text: &str) -> (usize, Option<Text>) {
        let mut place = self.begin(digest);
        loop {
            let number = self.places[place];
            if number == 0 {
                return (place, None);
            }
            let is_it = self.digests[number as usize] == digest
                && self.letters(number) == spelled
                && (!is_odd(spelled) || self.odd.get(&number).is_some_and(|known| **known == *text));
            if is_it {
                return (place, Some(number));
            }
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "any of its bits will do")]
    fn begin(&self, digest: u64) -> usize {
        (digest ^ digest >> 32) as usize & (self.places.len() - 1)
    }

    /// Makes room for twice as many.
    fn spread(&mut self) {
        self.places = vec![0; self.places.len() * 2];
        for (number, digest) in (0..).zip(&self.digests).skip(1) {
            let mut place = self.begin(*digest);
            while self.places[place] != 0 {
                place = (place + 1) & (self.places.len() - 1);
            }
            self.places[place] = number;
        }
    }

    /// As [`Texts::number`], of a record that has it.
    pub(super) fn count(&mut self, text: &str) -> Text {
        let number = self.number(text);
        if number != 0 {
            self.counts[number as usize] += 1;
        }
        number
    }

    /// The text of a number.
    pub(super) fn text(&self, number: Text) -> String {
        let odd = self.odd.get(&number).map(|text| text.clone().into_string());
        odd.unwrap_or_else(|| spelled(self.letters(number)))
    }

    /// How many records were counted with `text` here.
    pub(super) fn counted(&self, text: &str) -> u32 {
        let spelled: Vec<u8> = text.chars().map(letter).collect();
        let (_, known) = self.place(digest(text), &spelled, text);
        known.map_or(0, |text| self.counts[text as usize])
    }

    /// A number that the text has in every register.
    pub(super) fn digest(&self, text: Text) -> u64 {
        self.digests[text as usize]
    }

    /// Its letters, one byte each.
    pub fn letters(&self, text: Text) -> &[u8] {
        let at = text as usize;
        &self.letters[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    /// As [`Texts::letters`], if these alone tell it.
    pub(super) fn plain(&self, text: Text) -> Option<&[u8]> {
        Some(self.letters(text)).filter(|letters| !is_odd(letters))
    }

    /// How many records have it: at least the one that says so.
    pub fn frequency(&self, text: Text) -> u32 {
        self.counts[text as usize].max(1)
    }

    /// How many texts there are, "none" included.
    pub fn size(&self) -> usize {
        self.digests.len()
    }

    /// All texts, "none" included, in the order of their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = String> {
        (0..).take(self.size()).map(|number| self.text(number))
    }
}

/// A number of a text that is the same in every register.
pub fn digest(text: &str) -> u64 {
    mixed(text.bytes().map(u64::from))
}

/// The letters of a text as [`Texts::letters`] has them.
pub(super) fn letters(text: &str) -> Vec<u8> {
    text.chars().map(letter).collect()
}

/// One byte a letter is enough to compare: Cyrillic and ASCII letters and digits each have their own.
fn letter(c: char) -> u8 {
    let byte = match u32::from(c) {
        code @ 0..=0x7F => code,
        code @ 0x410..=0x44F => code - 0x410 + 0x80,
        code => code % 0x38 + u32::from(ODD),
    };
    u8::try_from(byte).expect("each arm is below 256")
}

/// The letter that has a byte of its own.
fn spelling(byte: u8) -> char {
    let code = if byte < 0x80 { u32::from(byte) } else { u32::from(byte) - 0x80 + 0x410 };
    char::from_u32(code).expect("ASCII or Cyrillic")
}

/// The text of letters that tell it.
pub(super) fn spelled(letters: &[u8]) -> String {
    letters.iter().map(|byte| spelling(*byte)).collect()
}

fn is_odd(spelled: &[u8]) -> bool {
    spelled.iter().any(|byte| *byte >= ODD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_number_and_is_told_by_it() {
        let mut texts = Texts::new();
        // «Ґ» and «\u{458}» share their byte
        let odd = ["Ґ", "\u{458}", "МӘРЬЯМ"];
        let many = (0..5000).map(|n| format!("УЛИЦА {n}-Я")).chain(odd.map(str::to_owned));
        let many: Vec<String> = many.chain(["Smith".to_owned(), "ёж".to_owned()]).collect();
        let numbers: Vec<Text> = many.iter().map(|text| texts.count(text)).collect();
        assert_eq!(numbers, (1..).take(many.len()).collect::<Vec<_>>());
        assert_eq!(many.iter().map(|text| texts.number(text)).collect::<Vec<_>>(), numbers);
        assert!(texts.all().skip(1).eq(many.iter().cloned()));
        assert_eq!((texts.count("УЛИЦА 7-Я"), texts.counted("УЛИЦА 7-Я"), texts.counted("УЛИЦА")), (8, 2, 0));
        assert_eq!(
            (texts.number(""), texts.count(""), texts.counted(""), texts.size()),
            (0, 0, 0, many.len() + 1)
        );
        assert_eq!(
            texts.letters(numbers[5000]),
            texts.letters(numbers[5001]),
            "the test is of two that are alike"
        );
    }
}
