//! What two records have in common: for each field a level of agreement.

use serde::{Deserialize, Serialize};

use super::{
    edits::within,
    register::{Entry, Register},
    texts::{Text, Texts},
};

/// Years between parent and child at least.
const GENERATION: u32 = 14;

/// How the values of a field are read and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A Russian surname, simple or double.
    Surname,
    /// A Russian given name.
    Given,
    /// A patronymic.
    Patronymic,
    /// A name of any other people.
    Name,
    /// Male or female.
    Sex,
    /// A birth date.
    Date,
    /// СНИЛС.
    Snils,
    /// Series and number of a document.
    Document,
    /// A telephone.
    Phone,
    /// A Russian address in one line.
    Address,
    /// Anything else that is the same or not.
    Code,
    /// The table itself that a record is from: most are of different persons.
    Source,
}

impl Kind {
    /// Its name, as models and JSON have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Surname => "surname",
            Self::Given => "given",
            Self::Patronymic => "patronymic",
            Self::Name => "name",
            Self::Sex => "sex",
            Self::Date => "date",
            Self::Snils => "snils",
            Self::Document => "document",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::Code => "code",
            Self::Source => "source",
        }
    }

    /// The levels of agreement, from 1; 0 is "one of the two does not say".
    pub const fn levels(self) -> &'static [&'static str] {
        match self {
            Self::Surname => &["exact", "part", "typo", "near", "other_f", "other_m"],
            Self::Given => &["exact", "variant", "typo", "near", "initial", "other", "other_sex"],
            Self::Patronymic => &["exact", "typo", "near", "initial", "same_father", "other"],
            Self::Name => &["exact", "typo", "like", "turned", "other"],
            Self::Date => &[
                "exact",
                "transposed",
                "year_only",
                "digit",
                "day_month",
                "year",
                "other",
                "generation",
                "month_known",
                "year_known",
                "part_other",
                "part_generation",
            ],
            Self::Snils => &["exact", "near", "one_invalid", "other"],
            Self::Document | Self::Phone | Self::Code => &["exact", "near", "other"],
            Self::Address => &["exact", "no_town", "no_flat", "street_typo", "building", "street", "other"],
            Self::Sex | Self::Source => &["same", "other"],
        }
    }

    /// How much work it is to compare two values of it, beside other kinds.
    pub(super) const fn effort(self) -> u8 {
        match self {
            Self::Date | Self::Sex | Self::Source => 0,
            Self::Given | Self::Snils | Self::Document | Self::Phone | Self::Code => 1,
            Self::Patronymic | Self::Surname => 2,
            Self::Name | Self::Address => 3,
        }
    }

    /// The first of the levels of pairs of which one leaves a part of its value open: what both say is compared. A model may do
    /// without them; such values are then none. Their chances add up to 1 by themselves.
    pub const fn parts_from(self) -> usize {
        match self {
            Self::Date => 8,
            _ => self.levels().len(),
        }
    }

    /// How many numbers a value takes in the register.
    pub(super) const fn slots(self) -> usize {
        match self {
            Self::Source => 0,
            Self::Surname => 2,
            Self::Address => 7,
            _ => 1,
        }
    }
}

/// The most fields that a model may have.
pub const FIELDS: usize = 16;

/// The level of each field of the model.
pub type Levels = [u8; FIELDS];

impl Register {
    /// What records `a` and `b` have in common.
    pub fn compare(&self, a: u32, b: u32) -> Levels {
        let (a, b) = (self.entry(a), self.entry(b));
        let mut levels = [0; FIELDS];
        for (at, level) in levels.iter_mut().enumerate().take(self.model.fields.len()) {
            *level = self.level(at, &a, &b);
        }
        levels
    }

    /// The level of the field `at`.
    pub(super) fn level(&self, at: usize, a: &Entry<'_>, b: &Entry<'_>) -> u8 {
        let kind = self.model.fields[at].kind;
        if kind == Kind::Source {
            return 1 + u8::from(a.source != b.source);
        }
        let (x, y) = (a.field(self.slots[at]), b.field(self.slots[at]));
        let texts = &self.texts[at];
        if x[0] == 0 || y[0] == 0 {
            return 0;
        }
        let sexes = self.sex_slot.map_or((0, 0), |slot| (a.value(slot), b.value(slot)));
        match kind {
            Kind::Surname => surname(&texts[0], x, y, sexes),
            Kind::Given => self.given(&texts[0], x[0], y[0], sexes),
            Kind::Patronymic => patronymic(&texts[0], x[0], y[0], sexes),
            Kind::Name => match name(&texts[0], x[0], y[0]) {
                5 if self.is_turned(at, a, b) => 4,
                level => level,
            },
            Kind::Sex => 1 + u8::from(x[0] != y[0]),
            Kind::Date => date(x[0], y[0]),
            // a number that more records bear than one person has is typed where there is none
            Kind::Snils | Kind::Document if self.is_stand_in(at, x[0]) || self.is_stand_in(at, y[0]) => 0,
            Kind::Snils => snils(texts[0].letters(x[0]), texts[0].letters(y[0])),
            Kind::Document | Kind::Phone | Kind::Code => code(&texts[0], x[0], y[0]),
            Kind::Address => address(texts, x, y),
            Kind::Source => 0,
        }
    }

    /// Whether more records bear this number than one person may have.
    fn is_stand_in(&self, at: usize, number: u32) -> bool {
        self.texts[at][0].frequency(number) as usize > self.model.cut.largest
    }

    /// How many years lie between the births of the two, by whatever is known of the dates.
    pub(super) fn years_apart(&self, a: u32, b: u32) -> Option<u32> {
        let year = |record: u32| self.birth_slot.map_or(0, |slot| parts(self.entry(record).value(slot)).0);
        let (year, other) = (year(a), year(b));
        (year != 0 && other != 0).then(|| year.abs_diff(other))
    }

    /// Whether the two were born a generation apart.
    pub(super) fn is_generation_apart(&self, a: u32, b: u32) -> bool {
        self.years_apart(a, b).is_some_and(|years| years >= GENERATION)
    }

    /// Whether what one record has in this field the other has in that with which people change it.
    fn is_turned(&self, at: usize, a: &Entry<'_>, b: &Entry<'_>) -> bool {
        let Some(with) = self.model.turned_with(at) else { return false };
        let alike = |one: &Entry<'_>, other: &Entry<'_>| {
            let (x, y) = (one.field(self.slots[at])[0], other.field(self.slots[with])[0]);
            let (x, y) = (self.texts[at][0].letters(x), self.texts[with][0].letters(y));
            x == y || x.len().min(y.len()) >= 4 && within(x, y, 1)
        };
        alike(a, b) || alike(b, a)
    }

    /// Whether the given names of two records are variants of one origin that are given to different people: «Егор», «Юрий».
    pub(super) fn are_two_names(&self, at: usize, a: u32, b: u32) -> bool {
        let name = |record: u32| self.entry(record).field(self.slots[at])[0] as usize;
        let (one, other) = (&self.variants[name(a)], &self.variants[name(b)]);
        !one.iter().any(|form| other.contains(form))
    }

    fn given(&self, names: &Texts, a: Text, b: Text, sexes: (u32, u32)) -> u8 {
        let (x, y) = (names.letters(a), names.letters(b));
        if x.len() == 1 || y.len() == 1 {
            return if x[0] == y[0] { 5 } else { 6 };
        }
        if a == b {
            return 1;
        }
        let variants = |name: Text| &self.variants[name as usize];
        if variants(a).iter().any(|one| variants(b).iter().any(|other| other.class == one.class)) {
            return 2;
        }
        // «Инна» is no slip for «Анна», however few there are of either; «Юия» and «Ктор» are no names at all
        let (known, other_known) = (self.known[a as usize], self.known[b as usize]);
        let both_known = known && other_known;
        let shorter = x.len().min(y.len());
        let a_slip = within(x, y, 1) && shorter >= 3 || within(x, y, 2) && shorter >= 4;
        match mistyped(names, a, b) {
            _ if a_slip && known != other_known && is_rare_beside(names, a, b) => 3,
            Some(true) if !both_known => 3,
            Some(_) => 4,
            None if differ(sexes) => 7,
            None => 6,
        }
    }
}

/// Whether two names are alike, and then whether one of them is so rare beside the other that it is a mistake in
/// typing and no other name («Марина» is none of «Мария»).
fn mistyped(names: &Texts, a: Text, b: Text) -> Option<bool> {
    let (x, y) = (names.letters(a), names.letters(b));
    let shorter = x.len().min(y.len());
    if !(within(x, y, 1) && shorter >= 4 || within(x, y, 2) && shorter >= 7 || is_cut(x, y)) {
        return None;
    }
    Some(is_rare_beside(names, a, b))
}

/// Whether one of two names is so rare beside the other that it is none.
fn is_rare_beside(names: &Texts, a: Text, b: Text) -> bool {
    let counts = [names.frequency(a), names.frequency(b)];
    let (rarer, other) = (counts[0].min(counts[1]), counts[0].max(counts[1]));
    rarer <= 2 || rarer * 12 <= other
}

/// Whether one is the other cut off at the width of a column.
fn is_cut(x: &[u8], y: &[u8]) -> bool {
    let (short, long) = if x.len() < y.len() { (x, y) } else { (y, x) };
    short.len() >= 10 && long.starts_with(short)
}

fn surname(names: &Texts, x: &[u32], y: &[u32], (sex, other_sex): (u32, u32)) -> u8 {
    if x == y {
        return 1;
    }
    if x.iter().any(|part| *part != 0 && y.contains(part)) {
        return 2;
    }
    match mistyped(names, x[0], y[0]) {
        Some(true) => 3,
        Some(false) => 4,
        // women take another surname, men hardly ever
        None => {
            if sex == 1 || other_sex == 1 {
                6
            } else {
                5
            }
        }
    }
}

/// Whether both sexes are known, and are two.
const fn differ((sex, other_sex): (u32, u32)) -> bool {
    sex != other_sex && sex != 0 && other_sex != 0
}

fn patronymic(names: &Texts, a: Text, b: Text, sexes: (u32, u32)) -> u8 {
    let (x, y) = (names.letters(a), names.letters(b));
    if x.len() == 1 || y.len() == 1 {
        return if x[0] == y[0] { 4 } else { 6 };
    }
    if a == b {
        return 1;
    }
    if differ(sexes) {
        // Иванович, Ивановна: brother and sister
        let father = |name: &[u8]| name.len().saturating_sub(4);
        return if x[..father(x)] == y[..father(y)] && father(x) > 1 { 5 } else { 6 };
    }
    match mistyped(names, a, b) {
        Some(true) => 2,
        Some(false) => 3,
        None => 6,
    }
}

fn name(names: &Texts, a: Text, b: Text) -> u8 {
    if a == b {
        return 1;
    }
    let (x, y) = (names.letters(a), names.letters(b));
    if within(x, y, 1) && x.len().min(y.len()) >= 3 {
        return 2;
    }
    if strsim::generic_jaro_winkler(&Letters(x), &Letters(y)) >= 0.85 { 3 } else { 5 }
}

/// What `strsim` walks over.
struct Letters<'a>(&'a [u8]);

impl<'b> IntoIterator for &'b Letters<'_> {
    type Item = &'b u8;
    type IntoIter = std::slice::Iter<'b, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Year, month, day of `YYYYMMDD`.
pub(super) const fn parts(date: u32) -> (u32, u32, u32) {
    (date / 10_000, date / 100 % 100, date % 100)
}

fn date(a: u32, b: u32) -> u8 {
    let ((year, month, day), (other_year, other_month, other_day)) = (parts(a), parts(b));
    let gap = year.abs_diff(other_year);
    if day == 0 || other_day == 0 {
        // 1 January is typed where nobody knows more than the year
        let open = |month, day| month == 0 || (month, day) == (1, 1);
        return match gap {
            0 if open(month, day) || open(other_month, other_day) => 10,
            0 if month == other_month => 9,
            0..GENERATION => 11,
            _ => 12,
        };
    }
    if a == b {
        return 1;
    }
    if gap == 0 {
        if (month, day) == (other_day, other_month) {
            return 2;
        }
        if (month, day) == (1, 1) || (other_month, other_day) == (1, 1) {
            return 3;
        }
        let little = month.abs_diff(other_month) <= 2 && day.abs_diff(other_day) <= 2;
        let one = month == other_month || day == other_day;
        return if one && (little || digits_off(a, b) == 1) { 4 } else { 6 };
    }
    if (month, day) == (other_month, other_day) {
        return if matches!(gap, 1 | 10) || digits_off(a, b) == 1 { 4 } else { 5 };
    }
    if gap >= GENERATION { 8 } else { 7 }
}

fn digits_off(mut a: u32, mut b: u32) -> u32 {
    let mut off = 0;
    while a > 0 || b > 0 {
        off += u32::from(a % 10 != b % 10);
        (a, b) = (a / 10, b / 10);
    }
    off
}

fn snils(x: &[u8], y: &[u8]) -> u8 {
    if x == y {
        return 1;
    }
    // eleven digits, and a sign after them if the check number is wrong
    match (x.len() == 11, y.len() == 11) {
        (true, true) => 4,
        _ if one_slip(&x[..11], &y[..11]) => 2,
        _ => 3,
    }
}

/// One sign is another, or two neighbours have changed places.
fn one_slip(x: &[u8], y: &[u8]) -> bool {
    if x.len() != y.len() {
        return false;
    }
    let mut off = (0..x.len()).filter(|at| x[*at] != y[*at]);
    match (off.next(), off.next(), off.next()) {
        (Some(_), None, None) => true,
        (Some(i), Some(j), None) => j == i + 1 && x[i] == y[j] && x[j] == y[i],
        _ => false,
    }
}

fn code(texts: &Texts, a: Text, b: Text) -> u8 {
    if a == b {
        return 1;
    }
    if one_slip(texts.letters(a), texts.letters(b)) { 2 } else { 3 }
}

/// The door, the building, the door in its town, the town, the street, the house, the flat.
fn address(texts: &[Texts], x: &[u32], y: &[u32]) -> u8 {
    let alike = |slot: usize, most: usize| {
        let (one, other) = (texts[slot].letters(x[slot]), texts[slot].letters(y[slot]));
        x[slot] == y[slot] || one.len().min(other.len()) >= 4 && within(one, other, most)
    };
    let both_say_the_town = x[3] != 0 && y[3] != 0;
    if both_say_the_town && !alike(3, 2) {
        return 7;
    }
    let (flat, other_flat) = (texts[6].letters(x[6]), texts[6].letters(y[6]));
    if x[1] == y[1] {
        return match (flat == other_flat, flat.is_empty() || other_flat.is_empty()) {
            (true, false) => 1 + u8::from(!both_say_the_town),
            (_, true) => 3,
            (false, false) if is_room_of(flat, other_flat) || is_room_of(other_flat, flat) => 3,
            (false, false) => 5,
        };
    }
    if x[4] == y[4] {
        return 6;
    }
    if x[5] == y[5] && flat == other_flat && alike(4, 2) { 4 } else { 7 }
}

/// Whether `room` is one of the flat: `5/2` of `5`.
fn is_room_of(room: &[u8], flat: &[u8]) -> bool {
    room.strip_prefix(flat).is_some_and(|rest| rest.first() == Some(&b'/'))
}
