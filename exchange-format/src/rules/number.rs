//! The number of a paper as it is told apart from others, however it was typed (docs/adr/0029). Two numbers taken for one is the
//! graver error: what parts two numbers stays, whatever sign it is.

use jiff::civil::Date;

use super::recipient::cyrillic;
use crate::{invisible, typed_date::parse_paper_date, vocabulary};

/// The number that `typed` says on a paper of the day `date`; `None` if it is none, as «-», «б/н», «не присвоен», 0. «17 от
/// 10.03.2026» is 17 on a paper of that very day.
pub fn number(typed: &str, date: Option<Date>) -> Option<String> {
    let read = read(typed, date, whole)?;
    // «17 (от 10.03.2026)»: the signs about the date are gone
    Some(number_again(&read, date).unwrap_or(read))
}

/// As [`number`], of one that was read before: what is «17.0» then was typed «17 0», or no program had looked at it.
pub fn number_again(read_before: &str, date: Option<Date>) -> Option<String> {
    read(read_before, date, |number| number)
}

fn read(typed: &str, date: Option<Date>, whole: fn(&str) -> &str) -> Option<String> {
    let without_date = date.and_then(|date| before_date(typed, date)).map(whole).and_then(bare);
    without_date.or_else(|| bare(whole(typed)))
}

/// As programs before this one told numbers apart: a dash that is no hyphen, a dot and a space parted nothing, and letters and
/// zeros were as typed.
pub fn former(typed: &str) -> String {
    typed.to_uppercase().chars().filter(|c| c.is_alphanumeric() || "/-".contains(*c)).collect()
}

/// What stands before «от» and the day `date`.
fn before_date(typed: &str, date: Date) -> Option<&str> {
    let signs: Vec<(usize, char)> = typed.char_indices().collect();
    let letter = |at: usize| signs.get(at).is_some_and(|(_, c)| c.is_alphabetic());
    let is = |at: usize, letter| {
        signs.get(at).is_some_and(|(_, c)| c.to_uppercase().map(cyrillic).eq(std::iter::once(letter)))
    };
    (1..signs.len()).find_map(|at| {
        let is_word = is(at, 'О') && is(at + 1, 'Т') && !letter(at - 1) && !letter(at + 2);
        let (tail, _) = signs.get(at + 2).filter(|_| is_word)?;
        (parse_paper_date(&typed[*tail..]) == Some(date)).then_some(&typed[..signs[at].0])
    })
}

/// `typed`, or the whole number that a program for tables has made «17.0» of. «1 000» and «1.000» are not 1.
fn whole(typed: &str) -> &str {
    let is_digits = |text: String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match typed.trim().rsplit_once(['.', ',']) {
        Some((number, "0" | "00"))
            if number.ends_with(|c: char| c.is_ascii_digit()) && is_digits(fold(number)) =>
        {
            number
        }
        _ => typed,
    }
}

fn bare(typed: &str) -> Option<String> {
    let typed = Some(typed).filter(|number| !vocabulary::is_placeholder(number));
    let number = typed.map(fold)?;
    let bare: String = number.chars().filter(|c| c.is_alphanumeric()).collect();
    // a number has a digit other than 0; «6/н» is «б/н» with a slip
    let none = !bare.chars().any(|c| c.is_numeric() && c != '0')
        || bare == "6Н"
        || number.starts_with("Б/Н")
        || ["БЕЗН", "НЕТН", "НЕПРИСВ", "НОМЕРНЕ", "БНОТ"].iter().any(|begin| bare.starts_with(begin));
    (!none).then_some(number)
}

/// In capitals, with Cyrillic letters for the Latin ones that look like them, without zeros before a number and the sign of a
/// number or the name of the paper before all; of what stands between two of its parts a slash stays, and between two digits a dash
/// too, in one spelling, and a full stop for anything else.
fn fold(typed: &str) -> String {
    let (mut number, mut gap) = (String::new(), None);
    for c in invisible::seen(typed).chars().flat_map(char::to_uppercase).map(alike) {
        if !c.is_alphanumeric() {
            let sign = match c {
                '-' | '‐'..='―' | '−' | '﹘' | '﹣' | '－' | '⁃' => '-',
                '/' | '\\' | '⁄' | '∕' | '／' => '/',
                _ => '.',
            };
            gap = gap.filter(|gap| *gap != '.').or(Some(sign));
            continue;
        }
        let after_digit = number.ends_with(|c: char| c.is_ascii_digit());
        let parts = |gap: &char| *gap == '/' || after_digit && c.is_ascii_digit();
        number.extend(gap.take().filter(|_| !number.is_empty()).filter(parts));
        // a zero before a digit, and no digit before it
        let leads = |rest: &str| !rest.ends_with(|c: char| c.is_ascii_digit());
        if c.is_ascii_digit() && number.strip_suffix('0').is_some_and(leads) {
            number.pop();
        }
        number.push(c);
    }
    let of_papers = PAPERS.into_iter().find_map(|name| number.strip_prefix(name));
    let begin = [of_papers, Some(number.as_str())].into_iter().flatten();
    let signs = begin
        .flat_map(|begin| ["NО", "Nº", "N", ""].into_iter().filter_map(move |sign| begin.strip_prefix(sign)));
    let bare = signs.into_iter().find(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    bare.map(str::to_owned).unwrap_or(number)
}

/// What a paper that has a number of its own is called, before its number: «ИППСУ № 17» is 17.
const PAPERS: [&str; 5] = ["ИППСУ", "ИПСУ", "ИНДИВИДУАЛЬНАЯПРОГРАММА", "ПРОГРАММА", "ДОПОЛНЕНИЕ"];

fn alike(c: char) -> char {
    if c == 'І' { 'I' } else { cyrillic(c) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 3, 10);

    fn of(typed: &str) -> Option<String> {
        number(typed, Some(DAY))
    }

    #[test]
    fn one_number_typed_in_several_ways_is_one() {
        for (typed, other) in [
            ("17-А", "17-A"),
            ("СОЦ-5", "COЦ-5"),
            ("соц - 5", "СОЦ—005"),
            ("І-5", "I-5"),
            ("17-2026", "17–2026"),
            ("17-2026", "17\u{2011}2026"),
            ("17-2026", "17−2026"),
            ("17-2026", "17 - 2026"),
            ("17", "017"),
            ("17", "№ 17"),
            ("17", "N 0017"),
            ("17", "No. 17"),
            ("17", "17."),
            ("17", "-17-"),
            ("17", "17\u{200b}"),
            ("17", "17 от 10.03.2026"),
            ("17", "17 ОТ 10.03.26 г."),
            ("17", "№017 от 10 марта 2026 года"),
            ("17", "17 oт 2026-03-10"),
            ("17/1", "17\\1"),
            ("17/1", "17 / 01"),
            ("12а", "12 А"),
            ("2026/17", "2026/0017"),
            ("17", "17.0"),
            ("17", " 17,00 "),
            ("17", "№ 17.0"),
            ("17", "17 (от 10.03.2026)"),
            ("17", "17 [от 10.03.2026 г.]"),
            ("17", "ИППСУ N 017,00"),
            ("17", "ИППСУ № 17"),
            ("17", "ИППCУ N 017"),
            ("17", "Индивидуальная программа №17"),
            ("17", "дополнение 17"),
            ("А-17", "А17"),
            ("А-17", "A - 017"),
            ("17-а", "17а"),
            ("СОЦ-5/3", "соц5/3"),
        ] {
            assert_eq!(of(typed), of(other), "{typed} {other}");
            assert!(of(typed).is_some(), "{typed}");
        }
    }

    #[test]
    fn two_numbers_are_never_one() {
        for (typed, other) in [
            ("172", "1–72"),
            ("172", "1-72"),
            ("172", "1.72"),
            ("172", "1 72"),
            ("172", "1_72"),
            ("172", "1\u{a0}72"),
            ("1-72", "1/72"),
            ("1-72", "1.72"),
            ("170", "17"),
            ("107", "17"),
            ("1-0-7", "1-7"),
            ("17", "17 от 11.03.2026"),
            ("17", "17-10.03.2026"),
            ("17", "17а"),
            ("17а", "17б"),
            ("17-З", "17-3"),
            ("О-5", "0-5"),
            ("17", "17.01"),
            ("17", "1.7.0"),
            ("170", "17.0"),
            ("1", "1 000"),
            ("1", "1\u{a0}000"),
            ("1", "1.000"),
            ("17", "17 0"),
            ("17", "17, 0"),
            ("А/17", "А17"),
            ("А1-7", "А17"),
            ("ИППСУ-Т 17", "17"),
            ("А № 17", "Б № 17"),
            ("Кот10032026", "К"),
        ] {
            assert_ne!(of(typed), of(other), "{typed} {other}");
            assert!(of(typed).is_some(), "{typed}");
        }
    }

    #[test]
    fn what_was_told_apart_is_told_apart_again_and_what_is_no_number_is_none() {
        for typed in [
            "017-А",
            "1 72",
            "17 от 10.03.2026",
            "17 от 11.03.2026",
            "№ 5/ 07",
            "NN5",
            "0-5",
            "I07",
            "1 000",
            "10\u{a0}000",
            "17.0",
            "№ 17.0",
            "ИППСУ № 17.00",
            "17 0",
            "17, 0",
            "1.000",
            "1 000.0",
            "А17.0",
            "17.0.0",
        ] {
            let once = of(typed).expect("a number");
            assert_eq!(number_again(&once, Some(DAY)), Some(once.clone()), "{typed}");
        }
        for typed in
            ["", "-", "б/н", "Б\\Н", "б-н", "6/н", "6/H", "0", "000", "не присвоен", "нет", "от", "—"]
        {
            assert_eq!(of(typed), None, "{typed}");
        }
        assert_eq!(of("от 10.03.2026"), Some("ОТ10.3.2026".into()), "of what is before nothing is left");
        assert_eq!(of(&former("17 от 10.03.2026")), of("17"), "as it was stored");
    }
    #[test]
    fn whatever_was_read_is_read_again_as_itself() {
        let signs: Vec<char> = "01.- ,/АN№О".chars().collect();
        let texts = (1..=5_u32).flat_map(|length| {
            let signs = &signs;
            (0..signs.len().pow(length)).map(move |mut n| {
                let next = |_| {
                    let sign = signs[n % signs.len()];
                    n /= signs.len();
                    sign
                };
                (0..length).map(next).collect::<String>()
            })
        });
        for typed in texts {
            let Some(once) = of(&typed) else { continue };
            assert_eq!(number_again(&once, Some(DAY)), Some(once.clone()), "{typed}");
        }
    }
}
