//! What a row of a table says, field by field, in one spelling (domain.md §7). The row itself stays as it is.

use std::borrow::Cow;

use exchange_format::{record::Body, snils::Snils, vocabulary};

use super::{
    compare::Kind,
    model::{Field, Model},
};
use crate::decisions::{
    given_names,
    normalise::{
        Address, display, document_key, is_no_snils, is_typed_passport, name_key, parse_known, phone_key,
    },
};

/// What is typed where nobody knows the name, as [`name_key`]s.
const NOBODY: [&str; 5] = ["НЕИЗВЕСТНЫЙ", "НЕИЗВЕСТНАЯ", "ТЕСТ", "БО", "НЕТ"];
/// The date of a person's state is that of death if the state is.
const STATUS: &str = "status";
const STATUS_DATE: &str = "status_date";
const MALE: &str = "1";
const FEMALE: &str = "2";
/// The most places that a kind has.
const PLACES: usize = 7;
const ENDS_OF_PATRONYMICS: [&str; 6] = ["ВИЧ", "ВНА", "ИЧ", "ИЧНА", "ОГЛЫ", "КЫЗЫ"];

/// The values of a row in the order of the model's fields, each as many texts as its kind has places; an empty
/// text: there is none. Personal data.
pub struct Reading {
    /// The texts one after another.
    text: String,
    /// Where each ends: [`PLACES`] for a field.
    ends: Vec<usize>,
    /// When the person died, when it first applied, as `YYYYMMDD`; 0: not said.
    pub(super) life: [u32; 2],
}

impl Reading {
    /// Reads a claim of a recipient: of each field the first of its columns that says something.
    pub fn of_claim(model: &Model, claim: &Body) -> Self {
        let text = |column: &str| {
            let mut fields = claim.head().iter();
            fields.find(|(known, _)| known.name == column).and_then(|(_, text)| text)
        };
        let of_field = |field: &super::model::Field| {
            joined(field.kind, field.columns.iter().filter_map(|column| text(column)))
        };
        let row: Vec<Cow<'_, str>> = model.fields.iter().map(of_field).collect();
        Self::of(model, &row).living(model, text)
    }

    /// Whether the field of number `at` says something that is understood; and whether what it says is a СНИЛС with a wrong
    /// check number.
    pub fn understood(&self, at: usize) -> (bool, bool) {
        let said = self.value(at, 0);
        (!said.is_empty(), said.ends_with('!'))
    }

    /// The text in a place of the field `at`; empty: there is none.
    pub(super) fn value(&self, at: usize, slot: usize) -> &str {
        let place = at * PLACES + slot;
        let begin = place.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(place).map_or("", |end| &self.text[begin..*end])
    }

    /// Reads the values of a row, given in the order of the model's fields.
    pub fn of(model: &Model, row: &[impl AsRef<str>]) -> Self {
        let place = |kind| model.of_kind(kind);
        let places = place(Kind::Surname).zip(place(Kind::Given)).zip(place(Kind::Patronymic));
        let typed = |at: usize| row.get(at).map(AsRef::as_ref).unwrap_or_default();
        let names = places.map(|((surname, given), patronymic)| {
            let names = Names::of(typed(surname), typed(given), typed(patronymic));
            (names, surname, given, patronymic)
        });
        let mut this = Self::empty(model);
        for (at, (field, text)) in model.fields.iter().zip(row).enumerate() {
            let sex = || place(Kind::Sex).filter(|sex| *sex == at);
            match &names {
                Some((names, surname, ..)) if at == *surname => this.say(surname_parts(&names.surname)),
                Some((names, _, given, _)) if at == *given => this.say([&names.given]),
                Some((names, .., patronymic)) if at == *patronymic => this.say([&names.patronymic]),
                Some((names, ..)) if sex().is_some() => {
                    let typed = || typed_sex(text.as_ref());
                    this.say(names.sex().or_else(typed).or_else(|| names.sex_of_surname()));
                }
                _ => this.read(field, text.as_ref()),
            }
            this.end_field(at);
        }
        this
    }

    /// One that says nothing yet.
    pub(super) fn empty(model: &Model) -> Self {
        let (text, ends) = (String::with_capacity(256), Vec::with_capacity(PLACES * model.fields.len()));
        Self { text, ends, life: [0; 2] }
    }

    /// Has said all of the field `at`, the one in hand.
    pub(super) fn end_field(&mut self, at: usize) {
        self.ends.resize(PLACES * (at + 1), self.text.len());
    }

    /// Takes the next texts of the field in hand.
    pub(super) fn say(&mut self, texts: impl IntoIterator<Item = impl AsRef<str>>) {
        for text in texts {
            self.text.push_str(text.as_ref());
            self.ends.push(self.text.len());
        }
    }

    fn read(&mut self, field: &Field, text: &str) {
        match field.kind {
            Kind::Surname => self.say(surname_parts(&person_name(text))),
            Kind::Given | Kind::Patronymic => self.say([together(person_name(text))]),
            Kind::Name => self.say(name_key(text)),
            Kind::Sex => self.say(typed_sex(text)),
            Kind::Date => self.say(date(text, field.weighs_parts())),
            Kind::Snils => self.say([snils(text)]),
            Kind::Document => self.say(document_key("", text).filter(|key| !is_typed_passport(key))),
            Kind::Phone => self.say(text.split([',', ';']).find_map(phone_key)),
            Kind::Address => {
                if let Some(read) = Address::read(text) {
                    self.address(&read);
                }
            }
            Kind::Code => self.say([text.split_whitespace().collect::<String>().to_uppercase()]),
            Kind::Source => {}
        }
    }

    /// The door, the building, the door in its town, the town, the street, the house, the flat.
    fn address(&mut self, read: &Address) {
        let Address { town, street, house, flat } = read;
        let door = read.door();
        self.say([&door]);
        self.say([[street, "|", house].concat()]);
        self.say([if town.is_empty() { String::new() } else { [town, "|", &door].concat() }]);
        self.say([town, street, house, flat]);
    }

    /// With what the columns of the row say of the dates of life.
    #[must_use]
    pub fn living<'a>(mut self, model: &Model, text: impl Fn(&str) -> Option<&'a str>) -> Self {
        let is_dead = || text(STATUS).and_then(|said| vocabulary::code(STATUS, said)) == Some("dead");
        let said = [(&model.life.died, last_day as fn(&str) -> u32), (&model.life.applied, first_day)];
        let [died, applied] = said.map(|(columns, day)| {
            let mut said = columns
                .iter()
                .filter(|column| *column != STATUS && (*column != STATUS_DATE || is_dead()))
                .map(|column| text(column).map_or(0, day));
            said.find(|day| *day != 0).unwrap_or(0)
        });
        self.life = [died, applied];
        self
    }
}

/// `YYYYMMDD` of a date that is understood, else 0; the first day that it can mean, if it leaves some open.
pub fn first_day(text: &str) -> u32 {
    known(text).map_or(0, |(year, month, day)| year * 10_000 + month.max(1) * 100 + day.max(1))
}

/// As [`first_day`], the last day that it can mean.
fn last_day(text: &str) -> u32 {
    let or = |part: u32, last| if part == 0 { last } else { part };
    known(text).map_or(0, |(year, month, day)| year * 10_000 + or(month, 12) * 100 + or(day, 31))
}

/// What the columns of one field say together.
pub fn joined<'a>(kind: Kind, columns: impl Iterator<Item = &'a str>) -> Cow<'a, str> {
    let mut said = columns.map(str::trim).filter(|text| !text.is_empty());
    // a document's series and number may stand in columns of their own
    let first = said.next().unwrap_or_default();
    match said.next() {
        Some(second) if kind == Kind::Document => {
            Cow::Owned([first, second].into_iter().chain(said).collect::<Vec<_>>().join(" "))
        }
        _ => Cow::Borrowed(first),
    }
}

fn person_name(text: &str) -> String {
    name_key(text).filter(|name| !NOBODY.contains(&name.as_str())).unwrap_or_default()
}

fn together(mut name: String) -> String {
    name.retain(|c| c != ' ');
    name
}

fn surname_parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(' ').take(2)
}

/// `YYYYMMDD`; with `parts` of what is known only, 0 for the rest.
fn date(text: &str, parts: bool) -> Option<String> {
    let (year, month, day) = known(text).filter(|(_, _, day)| parts || *day != 0)?;
    Some(format!("{year:04}{month:02}{day:02}"))
}

/// What is known of a date; years before 1905 and after 2049 are placeholders (31.12.9999).
fn known(text: &str) -> Option<(u32, u32, u32)> {
    parse_known(text).filter(|(year, ..)| (1905..2050).contains(year))
}

fn typed_sex(text: &str) -> Option<&'static str> {
    display::sex(text).map(|sex| if sex == "М" { MALE } else { FEMALE })
}

/// Eleven digits, after them `!` if the check number is wrong: a number with a wrong one is still worth
/// comparing, for the mistake is often in one digit. Zeros that a spreadsheet has taken for none come back where the check number
/// then holds, and letters that are drawn as digits are those.
fn snils(text: &str) -> String {
    let typed = text.trim();
    // a number of a spreadsheet: «8765430300.0»
    let whole = typed
        .split_once(['.', ','])
        .filter(|(whole, part)| whole.bytes().all(|c| c.is_ascii_digit()) && ["0", "00"].contains(part));
    let typed = whole.map_or(typed, |(whole, _)| whole);
    let drawn_as = |c: char| match c {
        'О' | 'о' | 'O' | 'o' => Some('0'),
        'З' | 'з' => Some('3'),
        _ => c.is_ascii_digit().then_some(c),
    };
    let has_words = typed.chars().any(|c| c.is_alphabetic() && drawn_as(c).is_none());
    let read = typed.chars().filter(|c| c.is_ascii_digit() || !has_words);
    let mut digits: String = read.filter_map(drawn_as).collect();
    if matches!(digits.len(), 9 | 10) {
        let whole = format!("{digits:0>11}");
        // below that a number has no check number that could tell
        let is_right = whole.as_str() > "00100199899" && whole.parse::<Snils>().is_ok();
        if is_right {
            digits = whole;
        }
    }
    match digits.parse::<Snils>() {
        // 000-000-001 00 is typed to fill the field
        _ if digits.len() != 11 || digits.starts_with("000000") || is_no_snils(&digits) => String::new(),
        Ok(_) => digits,
        Err(_) => digits + "!",
    }
}

/// A person's names, each in its place.
struct Names {
    surname: String,
    given: String,
    patronymic: String,
}

impl Names {
    /// All in the surname's column are parted; a patronymic in the given name's changes places with it, and where these two are
    /// turned round with the surname, each is put in its place.
    fn of(surname: &str, given: &str, patronymic: &str) -> Self {
        let in_capitals = !surname.chars().any(char::is_lowercase);
        // «Иванова М.И.»: a point ends a word
        let spaced = |text: &str| person_name(&text.replace('.', ". "));
        // a surname alone is one, of whatever letters
        let with_more = surname.trim().contains(char::is_whitespace);
        let surname = if with_more { unglued(surname, in_capitals) } else { Cow::Borrowed(surname) };
        let (mut surname, mut given) = (spaced(&surname), spaced(&unglued(given, in_capitals)));
        let mut patronymic = spaced(patronymic);
        if patronymic.is_empty()
            && let Some((one, other)) =
                given.split_once(' ').filter(|(one, other)| is_initial(one) && is_initial(other))
        {
            (given, patronymic) = (one.to_owned(), other.to_owned());
        }
        if given.is_empty() && patronymic.is_empty() && surname.contains(' ') {
            let mut words: Vec<&str> = surname.split(' ').collect();
            // «М. И. Иванова»
            let initials = words.iter().take_while(|word| is_initial(word)).count();
            if initials < words.len() {
                words.rotate_left(initials);
            }
            (surname, given, patronymic) = (words[0].to_owned(), words[1].to_owned(), words[2..].join(" "));
        }
        if is_patronymic(&given) && !is_patronymic(&patronymic) {
            std::mem::swap(&mut given, &mut patronymic);
            // «Захар», «Карпович», «Ветлугов» in the order of their columns: the surname came last
            let turned = is_given(&surname) || is_surname(&given) && !is_surname(&surname);
            if turned && !given.is_empty() && !is_given(&given) {
                std::mem::swap(&mut surname, &mut given);
            }
        }
        for (typed, meant) in [("ИЕВИЧ", "ЬЕВИЧ"), ("ИЕВНА", "ЬЕВНА")] {
            if patronymic.contains(typed) {
                patronymic = patronymic.replace(typed, meant);
            }
        }
        Self { surname, given: together(given), patronymic: together(patronymic) }
    }

    /// By the patronymic.
    fn sex(&self) -> Option<&'static str> {
        let ends = |ends: &[&str]| ends.iter().any(|end| self.patronymic.ends_with(end));
        if ends(&["НА", "КЫЗЫ"]) {
            return Some(FEMALE);
        }
        ends(&["ИЧ", "ОГЛЫ"]).then_some(MALE)
    }

    /// By the surname, if it is one of those that have two forms.
    fn sex_of_surname(&self) -> Option<&'static str> {
        let ends = |ends: &[&str]| ends.iter().any(|end| self.surname.ends_with(end));
        if ends(&["ОВА", "ЕВА", "ИНА", "ЫНА", "СКАЯ", "ЦКАЯ"]) {
            return Some(FEMALE);
        }
        ends(&["ОВ", "ЕВ", "ИН", "ЫН", "СКИЙ", "ЦКИЙ"]).then_some(MALE)
    }
}

/// `text` with points behind two initials that have none, at its end: «Порфирьева ВП», «ВП». In a row that is typed `in_capitals` two
/// letters are a name («КИМ ЯН») unless neither is a vowel.
fn unglued(text: &str, in_capitals: bool) -> Cow<'_, str> {
    let whole = text.trim();
    let last = whole.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = last.trim_end_matches('.');
    let mut letters = word.chars();
    let (Some(given), Some(patronymic), None) = (letters.next(), letters.next(), letters.next()) else {
        return Cow::Borrowed(text);
    };
    let is_vowel = |c: &char| "АЕЁИОУЫЭЮЯ".contains(*c);
    let may_be = |c: &char| c.is_uppercase() && !matches!(c, 'Ь' | 'Ъ' | 'Ы');
    let is_name = name_key(word).is_some_and(|name| is_given(&name));
    let are_initials = [given, patronymic].iter().all(may_be)
        && !is_name
        && !(in_capitals && [given, patronymic].iter().any(is_vowel));
    if !are_initials {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}{given}. {patronymic}.", &whole[..whole.len() - last.len()]))
}

fn is_initial(word: &str) -> bool {
    word.chars().count() == 1
}

fn is_given(name: &str) -> bool {
    given_names::is_known(name)
}

/// By its end, which no given name has but for those that are known.
fn is_surname(name: &str) -> bool {
    let ends = ["ОВ", "ЕВ", "ОВА", "ЕВА", "СКИЙ", "СКАЯ", "ЦКИЙ", "ЦКАЯ"];
    name.chars().count() > 4 && ends.iter().any(|end| name.ends_with(end))
}

fn is_patronymic(name: &str) -> bool {
    name.chars().count() > 4 && ENDS_OF_PATRONYMICS.iter().any(|end| name.ends_with(end))
}
