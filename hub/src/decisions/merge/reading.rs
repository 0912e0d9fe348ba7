//! What a row of a table says, field by field, in one spelling (domain.md §7). The row itself stays as it is.

use exchange_format::{record::Body, snils::Snils, vocabulary};

use super::{
    compare::Kind,
    model::{Field, Model},
};
use crate::decisions::normalise::{Address, display, document_key, name_key, parse_known, phone_key};

/// What is typed where nobody knows the name, as [`name_key`]s.
const NOBODY: [&str; 5] = ["НЕИЗВЕСТНЫЙ", "НЕИЗВЕСТНАЯ", "ТЕСТ", "БО", "НЕТ"];
/// The date of a person's state is that of death if the state is.
const STATUS: &str = "status";
const STATUS_DATE: &str = "status_date";
const ENDS_OF_PATRONYMICS: [&str; 5] = ["ВИЧ", "ВНА", "ИЧ", "ОГЛЫ", "КЫЗЫ"];

/// The values of a row in the order of the model's fields, each as many texts as its kind has places; an empty
/// text: there is none. Personal data.
pub struct Reading {
    pub(super) fields: Vec<Vec<String>>,
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
        let row: Vec<String> = model.fields.iter().map(of_field).collect();
        Self::of(model, &row.iter().map(String::as_str).collect::<Vec<_>>()).living(model, text)
    }

    /// Whether the field of number `at` says something that is understood; and whether what it says is a СНИЛС with a wrong
    /// check number.
    pub fn understood(&self, at: usize) -> (bool, bool) {
        let said = self.fields[at].first().map_or("", String::as_str);
        (!said.is_empty(), said.ends_with('!'))
    }

    /// Reads the values of a row, given in the order of the model's fields.
    pub fn of(model: &Model, row: &[&str]) -> Self {
        let mut fields: Vec<Vec<String>> =
            model.fields.iter().zip(row).map(|(field, text)| read(field, text)).collect();
        let place = |kind| model.of_kind(kind);
        if let (Some(surname), Some(given), Some(patronymic)) =
            (place(Kind::Surname), place(Kind::Given), place(Kind::Patronymic))
        {
            let typed = |at: usize| row.get(at).copied().unwrap_or_default();
            let names = Names::of(typed(surname), typed(given), typed(patronymic));
            if let Some(sex) = place(Kind::Sex)
                && let Some(said) = names.sex()
            {
                fields[sex] = vec![said.to_string()];
            }
            fields[surname] = names.surname;
            fields[given] = vec![names.given];
            fields[patronymic] = vec![names.patronymic];
        }
        Self { fields, life: [0; 2] }
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
pub fn joined<'a>(kind: Kind, columns: impl Iterator<Item = &'a str>) -> String {
    let mut said = columns.map(str::trim).filter(|text| !text.is_empty());
    // a document's series and number may stand in columns of their own
    if kind == Kind::Document {
        said.collect::<Vec<_>>().join(" ")
    } else {
        said.next().unwrap_or_default().to_owned()
    }
}

fn read(field: &Field, text: &str) -> Vec<String> {
    let one = |key: Option<String>| vec![key.unwrap_or_default()];
    match field.kind {
        Kind::Surname => surname_parts(&person_name(text)),
        Kind::Given | Kind::Patronymic => vec![together(&person_name(text))],
        Kind::Name => one(name_key(text)),
        Kind::Sex => vec![match display::sex(text) {
            Some("М") => "1".to_owned(),
            Some(_) => "2".to_owned(),
            None => String::new(),
        }],
        Kind::Date => one(date(text, field.weighs_parts())),
        Kind::Snils => vec![snils(text)],
        Kind::Document => one(document_key("", text)),
        Kind::Phone => one(text.split([',', ';']).find_map(phone_key)),
        Kind::Address => address(text),
        Kind::Code => vec![text.split_whitespace().collect::<String>().to_uppercase()],
        Kind::Source => Vec::new(),
    }
}

fn person_name(text: &str) -> String {
    name_key(text).filter(|name| !NOBODY.contains(&name.as_str())).unwrap_or_default()
}

fn together(name: &str) -> String {
    name.replace(' ', "")
}

fn surname_parts(name: &str) -> Vec<String> {
    name.split(' ').take(2).map(str::to_owned).collect()
}

/// `YYYYMMDD`; with `parts` of what is known only, 0 for the rest.
fn date(text: &str, parts: bool) -> Option<String> {
    let (year, month, day) = known(text).filter(|(_, _, day)| parts || *day != 0)?;
    Some(format!("{year:04}{month:02}{day:02}"))
}

/// What is known of a date; years before 1905 are placeholders.
fn known(text: &str) -> Option<(u32, u32, u32)> {
    parse_known(text).filter(|(year, ..)| *year >= 1905)
}

/// Eleven digits, after them `!` if the check number is wrong: a number with a wrong one is still worth
/// comparing, for the mistake is often in one digit.
fn snils(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let repeated = digits.bytes().all(|digit| Some(digit) == digits.bytes().next());
    match digits.parse::<Snils>() {
        // 000-000-001 00 is typed to fill the field
        _ if digits.len() != 11 || repeated || digits.starts_with("000000") => String::new(),
        Ok(_) => digits,
        Err(_) => digits + "!",
    }
}

/// The door, the building, the door in its town, the town, the street, the house, the flat.
fn address(text: &str) -> Vec<String> {
    let Some(read) = Address::read(text) else { return Vec::new() };
    let door = read.door();
    let whole = if read.town.is_empty() { String::new() } else { format!("{}|{door}", read.town) };
    vec![
        door,
        format!("{}|{}", read.street, read.house),
        whole,
        read.town,
        read.street,
        read.house,
        read.flat,
    ]
}

/// A person's names, each in its place.
struct Names {
    surname: Vec<String>,
    given: String,
    patronymic: String,
}

impl Names {
    /// All in the surname's column are parted; a patronymic in the given name's changes places with it.
    fn of(surname: &str, given: &str, patronymic: &str) -> Self {
        let mut surname = person_name(surname);
        let (mut given, mut patronymic) = (person_name(given), person_name(patronymic));
        let words: Vec<String> = surname.split(' ').map(str::to_owned).collect();
        if given.is_empty() && patronymic.is_empty() && words.len() > 1 {
            (surname, given, patronymic) = (words[0].clone(), words[1].clone(), words[2..].join(" "));
        }
        if is_patronymic(&given) && !is_patronymic(&patronymic) {
            std::mem::swap(&mut given, &mut patronymic);
        }
        let patronymic = patronymic.replace("ИЕВИЧ", "ЬЕВИЧ").replace("ИЕВНА", "ЬЕВНА");
        Self { surname: surname_parts(&surname), given: together(&given), patronymic: together(&patronymic) }
    }

    /// 1 male, 2 female, by the patronymic.
    fn sex(&self) -> Option<u8> {
        let ends = |ends: &[&str]| ends.iter().any(|end| self.patronymic.ends_with(end));
        if ends(&["НА", "КЫЗЫ"]) {
            return Some(2);
        }
        ends(&["ИЧ", "ОГЛЫ"]).then_some(1)
    }
}

fn is_patronymic(name: &str) -> bool {
    name.chars().count() > 5 && ENDS_OF_PATRONYMICS.iter().any(|end| name.ends_with(end))
}
