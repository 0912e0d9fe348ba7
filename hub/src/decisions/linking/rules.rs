//! The deterministic rules: what links by itself, and what is alike enough to be shown to staff.

use super::{BlockingKey, Features, Linker, Reason, Rule, Verdict};
use crate::decisions::{
    given_names::same_or_variant,
    normalise::{DateLikeness, date_likeness},
};

/// The linker of the first release: СНИЛС with names or date; ФИО with date and one more fact.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleLinker;

impl Linker for RuleLinker {
    fn engine(&self) -> &'static str {
        "rules-1"
    }

    fn keys(&self, claim: &Features) -> Vec<BlockingKey> {
        let mut keys = Vec::with_capacity(12);
        let birth = claim.birth_date.map(|date| date.to_string());
        let (surname, given, patronymic) =
            (claim.surname.as_deref(), claim.given.as_deref(), claim.patronymic.as_deref());
        if let Some(snils) = &claim.snils {
            keys.push(BlockingKey::of("snils", &[snils.digits()]));
            // finer ones, for a number that too many claims bear: whoever it links shares one of these
            if let Some(birth) = birth.as_deref() {
                keys.push(BlockingKey::of("snils-birth", &[snils.digits(), birth]));
            }
            if let (Some(surname), Some(given)) = (surname, given) {
                keys.push(BlockingKey::of("snils-names", &[snils.digits(), surname, given]));
            }
        }
        if let Some(document) = &claim.document {
            keys.push(BlockingKey::of("document", &[document]));
        }
        if let (Some(surname), Some(given), Some(birth)) = (surname, given, birth.as_deref()) {
            let pair = if surname <= given { [surname, given] } else { [given, surname] };
            keys.push(BlockingKey::of("names-birth", &[pair[0], pair[1], birth]));
        }
        if let (Some(given), Some(patronymic), Some(birth)) = (given, patronymic, birth.as_deref()) {
            for address in &claim.addresses {
                keys.push(BlockingKey::of("given-birth-address", &[given, patronymic, birth, address]));
            }
        }
        if let (Some(surname), Some(patronymic), Some(birth)) = (surname, patronymic, birth.as_deref()) {
            keys.push(BlockingKey::of("surname-birth", &[surname, patronymic, birth]));
        }
        if let Some(name) = claim.full_name() {
            // namesakes: their birth dates may be one digit apart
            keys.push(BlockingKey::of("name", &name));
            for fact in claim.phones.iter().chain(&claim.addresses) {
                keys.push(BlockingKey::of("name-fact", &[name[0], name[1], name[2], fact]));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn decide(&self, a: &Features, b: &Features) -> Verdict {
        let alike = Alike::of(a, b);
        alike.link().map_or_else(|| alike.review().map_or(Verdict::Apart, Verdict::Review), Verdict::Link)
    }
}

/// How two claims compare, field by field.
#[allow(clippy::struct_excessive_bools, reason = "each is one independent comparison")]
struct Alike {
    snils_equal: bool,
    snils_conflict: bool,
    surname: bool,
    given: bool,
    given_variant: bool,
    patronymic: bool,
    /// Stated on exactly one side.
    patronymic_one_sided: bool,
    /// All three parts stated and equal.
    full_name: bool,
    swapped: bool,
    birth: DateLikeness,
    document: bool,
    phone: bool,
    address: bool,
}

impl Alike {
    fn of(a: &Features, b: &Features) -> Self {
        let stated_equal = |x: &Option<String>, y: &Option<String>| x.is_some() && x == y;
        let snils = a.snils.zip(b.snils);
        let given_variant = match (&a.given, &b.given) {
            (Some(x), Some(y)) => same_or_variant(x, y),
            _ => false,
        };
        Self {
            snils_equal: snils.is_some_and(|(x, y)| x == y),
            snils_conflict: snils.is_some_and(|(x, y)| x != y),
            surname: stated_equal(&a.surname, &b.surname),
            given: stated_equal(&a.given, &b.given),
            given_variant,
            patronymic: a.patronymic == b.patronymic,
            patronymic_one_sided: a.patronymic.is_some() != b.patronymic.is_some(),
            full_name: a.full_name().is_some_and(|name| b.full_name() == Some(name)),
            swapped: a.surname != b.surname
                && stated_equal(&a.surname, &b.given)
                && stated_equal(&a.given, &b.surname),
            birth: date_likeness(a.birth_date, b.birth_date),
            document: stated_equal(&a.document, &b.document),
            phone: !a.phones.is_disjoint(&b.phones),
            address: !a.addresses.is_disjoint(&b.addresses),
        }
    }

    fn birth_equal(&self) -> bool {
        self.birth == DateLikeness::Equal
    }

    fn third_fact(&self) -> Option<Rule> {
        match self {
            Self { document: true, .. } => Some(Rule::NameBirthDocument),
            Self { address: true, .. } => Some(Rule::NameBirthAddress),
            Self { phone: true, .. } => Some(Rule::NameBirthPhone),
            _ => None,
        }
    }

    fn link(&self) -> Option<Rule> {
        if self.snils_equal && self.birth_equal() && self.given_variant {
            return Some(Rule::SnilsBirth);
        }
        let names = self.surname && self.given && self.patronymic;
        if self.snils_equal && names && self.birth != DateLikeness::Different {
            return Some(Rule::SnilsNames);
        }
        if self.full_name && self.birth_equal() && !self.snils_conflict {
            return self.third_fact();
        }
        None
    }

    fn review(&self) -> Option<Reason> {
        if self.snils_equal {
            return Some(Reason::SnilsOnly);
        }
        let third = self.third_fact().is_some();
        if self.birth_equal() {
            if self.surname && self.given && self.patronymic {
                let reason = if self.snils_conflict { Reason::SnilsConflict } else { Reason::NameBirthOnly };
                return Some(reason);
            }
            if self.surname && self.given && self.patronymic_one_sided {
                return Some(Reason::NameVariant);
            }
            if self.given && self.patronymic && self.address && !self.surname {
                return Some(Reason::Surname);
            }
            if self.surname && self.given_variant && self.patronymic && third {
                return Some(Reason::NameVariant);
            }
            if self.swapped {
                return Some(Reason::NamesSwapped);
            }
        }
        if self.document && (self.birth_equal() || (self.surname && self.given)) {
            return Some(Reason::Document);
        }
        // a date that is missing is like any other: without a third fact it would make a question with each namesake
        let near = match self.birth {
            DateLikeness::Transposed | DateLikeness::OneDigit => true,
            DateLikeness::Absent => third,
            DateLikeness::Equal | DateLikeness::Different => false,
        };
        (self.full_name && near).then_some(Reason::BirthDate)
    }
}

#[cfg(test)]
mod tests {
    use exchange_format::{
        record::{Body, Kind},
        snils::Snils,
    };

    use super::*;

    /// `surname given patronymic | birth | snils | document | phone | address`, any part empty.
    fn claim(text: &str) -> Features {
        let parts: Vec<&str> = text.split('|').map(str::trim).collect();
        let names: Vec<&str> = parts[0].split(' ').collect();
        let mut body = Body::new(Kind::RecipientClaim);
        let fields = ["surname", "given", "patronymic"];
        let facts = ["birth_date", "snils", "identity_doc_number", "phone", "address_live"];
        for (field, value) in fields.into_iter().zip(names).chain(facts.into_iter().zip(parts[1..].to_vec()))
        {
            body.set(field, value).expect("plain text");
        }
        Features::of(&body)
    }

    fn number(n: u32) -> String {
        Snils::from_number(n).to_form()
    }

    #[track_caller]
    fn check(a: &str, b: &str, expected: Verdict) {
        let (one, two) = (number(112_233_445), number(223_344_556));
        let fill = |text: &str| claim(&text.replace("S1", &one).replace("S2", &two));
        let (a, b) = (fill(a), fill(b));
        assert_eq!(RuleLinker.decide(&a, &b), expected);
        assert_eq!(RuleLinker.decide(&b, &a), expected, "the other way round");
        if expected != Verdict::Apart {
            let (x, y) = (RuleLinker.keys(&a), RuleLinker.keys(&b));
            assert!(x.iter().any(|key| y.contains(key)), "a pair that is not apart must share a key");
        }
    }

    #[test]
    fn equal_snils_and_names() {
        use Rule::{SnilsBirth, SnilsNames};
        let base = "Иванова Анна Петровна|12.03.1945|S1|||";
        check(base, "ИВАНОВА АННА ПЕТРОВНА|1945-03-12|S1|||", Verdict::Link(SnilsBirth));
        check(base, "Иванова Анна Петровна|03.12.1945|S1|||", Verdict::Link(SnilsNames));
        check(base, "Иванова Анна Петровна|12.03.1955|S1|||", Verdict::Link(SnilsNames));
        check(base, "Иванова Анна Петровна||S1|||", Verdict::Link(SnilsNames));
        check(base, "Иванова Анна Петровна|01.01.1900|S1|||", Verdict::Link(SnilsNames));
        // the maiden name: date and given name are enough beside the СНИЛС
        check(base, "Сидорова Анна Петровна|12.03.1945|S1|||", Verdict::Link(SnilsBirth));
        let natalia = "Белова Наталья Ильинична|12.03.1945|S1|||";
        check(natalia, "Белова Наталия|12.03.1945|S1|||", Verdict::Link(SnilsBirth));
    }

    #[test]
    fn equal_snils_but_other_names_or_dates_go_to_staff() {
        let mother = "Иванова Анна Петровна|12.03.1965|S1|||ул. Мира 1-2";
        check(mother, "Иванов Олег Ильич|01.02.1990|S1|||ул. Мира 1-2", Verdict::Review(Reason::SnilsOnly));
        check(mother, "Иванова Анна Петровна|25.11.1971|S1|||", Verdict::Review(Reason::SnilsOnly));
        check(mother, "Сидорова Анна Петровна|03.12.1965|S1|||", Verdict::Review(Reason::SnilsOnly));
    }

    #[test]
    fn full_name_date_and_one_more_fact() {
        let base = "Петров Иван Ильич|1940-05-01||3204 123456|8 906 123-45-67|ул. Мира, д. 5, кв. 7";
        let name = "Петров Иван Ильич|1940-05-01";
        check(base, &format!("{name}||3204123456||"), Verdict::Link(Rule::NameBirthDocument));
        check(base, &format!("{name}|||+79061234567|"), Verdict::Link(Rule::NameBirthPhone));
        check(base, &format!("{name}||||Мира ул., 5-7"), Verdict::Link(Rule::NameBirthAddress));
        check(base, &format!("{name}||||Мира ул., 5-8"), Verdict::Review(Reason::NameBirthOnly));
        check(base, &format!("{name}||||"), Verdict::Review(Reason::NameBirthOnly));
        // without a patronymic the name is not full
        let short = "Петров Иван|1940-05-01||3204123456||";
        check(base, short, Verdict::Review(Reason::NameVariant));
    }

    #[test]
    fn two_valid_snils_are_never_overruled() {
        let a = "Петров Иван Ильич|1940-05-01|S1|3204 123456||";
        check(a, "Петров Иван Ильич|1940-05-01|S2|3204 123456||", Verdict::Review(Reason::SnilsConflict));
        // a number whose check fails is no СНИЛС
        let mistyped = "Петров Иван Ильич|1940-05-01|112-233-445 96|3204 123456||";
        check(a, mistyped, Verdict::Link(Rule::NameBirthDocument));
    }

    #[test]
    fn twins_and_namesakes() {
        let address = "ул. Мира 5-7";
        let sister = format!("Белова Мария Ильинична|1960-02-03||||{address}");
        let twin = format!("Белова Марина Ильинична|1960-02-03||||{address}");
        check(&sister, &twin, Verdict::Apart);
        let one = format!("Белова София Ильинична|1960-02-03||||{address}");
        let other = format!("Белова Софья Ильинична|1960-02-03||||{address}");
        check(&one, &other, Verdict::Review(Reason::NameVariant));
        // father and son of one name at one address
        let (father, son) = ("Белов Илья Ильич|1940-02-03||||", "Белов Илья Ильич|1966-07-21||||");
        check(&format!("{father}{address}"), &format!("{son}{address}"), Verdict::Apart);
        check("Белов Илья Ильич|1940-02-03||||", "Белов Илья Ильич|1966-07-21||||", Verdict::Apart);
    }

    #[test]
    fn other_likenesses_go_to_staff() {
        let base = "Белова Мария Ильинична|1960-02-03||3204 123456|89061234567|ул. Мира 5-7";
        let table = [
            ("Зуева Мария Ильинична|1960-02-03||||ул. Мира 5-7", Verdict::Review(Reason::Surname)),
            ("Зуева Мария Ильинична|1960-02-03||||", Verdict::Apart),
            ("Белова Мария Ильинична|1960-03-02|||89061234567|", Verdict::Review(Reason::BirthDate)),
            ("Белова Мария Ильинична||||89061234567|", Verdict::Review(Reason::BirthDate)),
            ("Белова Мария Ильинична|1960-03-02||||", Verdict::Review(Reason::BirthDate)),
            ("Белова Мария Ильинична|1969-02-03||||", Verdict::Review(Reason::BirthDate)),
            ("Белова Мария Ильинична|1969-03-03||||", Verdict::Apart),
            ("Белова Мария Ильинична|||||", Verdict::Apart),
            ("Мария Белова Ильинична|1960-02-03||||", Verdict::Review(Reason::NamesSwapped)),
            ("Зуева Мария|1960-02-03||3204 123456||", Verdict::Review(Reason::Document)),
            ("Зуев Пётр Ильич|1985-02-03||3204 123456|89061234567|ул. Мира 5-7", Verdict::Apart),
        ];
        for (other, expected) in table {
            check(base, other, expected);
        }
    }
}
