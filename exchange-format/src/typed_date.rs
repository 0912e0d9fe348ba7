//! Dates as people type them: rules and the hub read them alike.

use jiff::{
    ToSpan as _,
    civil::{Date, date},
};

use crate::invisible::seen;

const MONTHS: [&str; 12] =
    ["ЯНВ", "ФЕВ", "МАР", "АПР", "МА", "ИЮН", "ИЮЛ", "АВГ", "СЕН", "ОКТ", "НОЯ", "ДЕК"];

/// As spreadsheets in English write them.
const ENGLISH: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// The days that a spreadsheet counts from 30.12.1899 where a cell has a date and was taken for a number: of five digits, from
/// 1927 to 2049.
const COUNTED: std::ops::RangeInclusive<i32> = 10_000..=54_788;

/// The date that `text` means: ISO, day first with dots, slashes or hyphens, eight digits (year first or day first), or with the
/// month in Russian or English or as a Roman number, or as the number of a day that spreadsheets have (17950); О, l or I beside a
/// digit is one; a time after it is passed over. `None` for anything else and for the placeholder 01.01.1900 (domain.md §7).
pub fn parse_date(text: &str) -> Option<Date> {
    parse(text, century)
}

/// [`parse_date`] of what has happened to a living person, as a document issued or a disability stated: two digits of a year are
/// of this century up to 49.
pub fn parse_recent_date(text: &str) -> Option<Date> {
    parse(text, |year| {
        let short: u8 = year.parse().ok()?;
        Some(format!("{}{year}", if short >= 50 { 19 } else { 20 }))
    })
}

/// [`parse_date`] of a paper: two digits of a year are of this century, for no paper of 442-ФЗ is older.
pub fn parse_paper_date(text: &str) -> Option<Date> {
    parse(text, |year| Some(format!("20{year}")))
}

fn parse(text: &str, century: fn(&str) -> Option<String>) -> Option<Date> {
    let placeholder = date(1900, 1, 1);
    // as most are typed
    if let Some((year, month, day)) = plain(text.trim().as_bytes()) {
        return Date::new(year, month, day).ok().filter(|date| *date != placeholder);
    }
    let upper = digits_for_letters(&shown(text).trim().to_uppercase());
    let parts: Vec<&str> = without_time(without_remark(&upper))
        .split(|c: char| {
            c.is_whitespace() || matches!(c, '.' | '/' | '-' | ',' | '«' | '»' | '"' | '“' | '”' | '„')
        })
        .map(|part| {
            let year = part.strip_suffix("ГР").or_else(|| part.strip_suffix('Г'));
            year.filter(|year| !year.is_empty() && digits(year)).unwrap_or(part)
        })
        .filter(|part| {
            !part.is_empty() && !matches!(*part, "Г" | "ГОДА" | "ГОД" | "ОТ" | "ГР" | "Р" | "РОЖДЕНИЯ")
        })
        .collect();
    let parsed = match parts[..] {
        [one] if one.len() == 8 && digits(one) => {
            // day first, 19 or 20 would be the month: of one text at most one of the two is a date of these centuries
            let ymd_first = ymd(&one[..4], &one[4..6], &one[6..]);
            let near = |date: &Date| (1900..2100).contains(&date.year());
            ymd_first
                .filter(near)
                .or_else(|| ymd(&one[4..], &one[2..4], &one[..2]).filter(near))
                .or(ymd_first)
        }
        [one] if one.len() == 5 && digits(one) => counted(one),
        [year, month, day] if year.len() == 4 && digits(year) => ymd(year, month, day),
        [day, month, year] if year.len() == 4 => ymd(year, month, day),
        [day, month, year] if year.len() == 2 && digits(year) => ymd(&century(year)?, month, day),
        _ => None,
    };
    parsed.filter(|parsed| *parsed != placeholder)
}

/// `text` as it is seen, with digits of full width as digits.
fn shown(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{ff10}'..='\u{ff19}' => char::from_digit(u32::from(c) - 0xff10, 10).unwrap_or(c),
        _ => c,
    };
    seen(text).chars().map(plain).collect()
}

/// The day of the number that a spreadsheet has for it.
fn counted(days: &str) -> Option<Date> {
    let days = days.parse::<i32>().ok().filter(|days| COUNTED.contains(days))?;
    date(1899, 12, 30).checked_add(days.days()).ok()
}

/// `text`, in capitals, with a digit for the letter that looks like it and stands beside one: 0 for О, 1 for l and I.
fn digits_for_letters(text: &str) -> String {
    let digit = |c: char| match c {
        'О' | 'O' => Some('0'),
        'L' | 'I' | 'І' | '|' => Some('1'),
        _ => None,
    };
    if !text.contains(|c| digit(c).is_some()) {
        return text.to_owned();
    }
    let signs: Vec<char> = text.chars().collect();
    let is_digit = |at: Option<usize>| at.and_then(|at| signs.get(at)).is_some_and(char::is_ascii_digit);
    let read = |(at, c): (usize, &char)| {
        let beside = is_digit(at.checked_sub(1)) || is_digit(Some(at + 1));
        digit(*c).filter(|_| beside).unwrap_or(*c)
    };
    signs.iter().enumerate().map(read).collect()
}

/// `text` without what stands in brackets behind it, if that says no number: «21.02.1949 (со слов)».
fn without_remark(text: &str) -> &str {
    let before = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    let said = before.filter(|(_, remark)| !remark.contains(|c: char| c.is_numeric()));
    said.map_or(text, |(before, _)| before.trim_end())
}

/// `text` without a time of day behind it, as `1C` and others write one: `T00:00:00`, ` 0:00:00`.
fn without_time(text: &str) -> &str {
    let split =
        |at: char| text.rsplit_once(at).filter(|(_, rest)| is_time(rest)).map(|(day, _)| day.trim_end());
    split('T').or_else(|| split(' ')).unwrap_or(text)
}

fn is_time(text: &str) -> bool {
    let local = text.trim_end_matches('Z').split('+').next().unwrap_or(text);
    let short = |part: &str| (1..=2).contains(&part.len()) && digits(part);
    let seconds =
        |part: &str| part.split_once('.').map_or(short(part), |(whole, rest)| short(whole) && digits(rest));
    match local.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] => short(hour) && short(minute),
        [hour, minute, second] => short(hour) && short(minute) && seconds(second),
        _ => false,
    }
}

/// Year, month, day of ten signs, all digits but for two between them: day first or year first.
fn plain(text: &[u8]) -> Option<(i16, i8, i8)> {
    let shaped = |between: [usize; 2]| {
        text.len() == 10
            && (0..10).all(|at| between.contains(&at) || text[at].is_ascii_digit())
            && between.iter().all(|at| matches!(text[*at], b'.' | b'-' | b'/'))
    };
    let number = |text: &[u8]| text.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0'));
    let (year, month, day) = match text {
        _ if shaped([2, 5]) => (&text[6..], &text[3..5], &text[..2]),
        _ if shaped([4, 7]) => (&text[..4], &text[5..7], &text[8..]),
        _ => return None,
    };
    let [month, day] = [month, day].map(|part| i8::try_from(number(part)).unwrap_or(0));
    Some((number(year), month, day))
}

/// As far as `text` tells a date: year, month, day; 0 for what it leaves open. What [`parse_date`] reads, and besides «1945»,
/// «03.1945», «.03.1945», «00.00.1945», «март 1945 г.», `1945-03`. `None` for anything else.
pub fn parse_known(text: &str) -> Option<(u32, u32, u32)> {
    let known = |part: i16| u32::try_from(part).ok();
    if let Some(date) = parse_date(text) {
        return Some((known(date.year())?, known(date.month().into())?, known(date.day().into())?));
    }
    let upper = shown(text).trim().to_uppercase();
    let upper = without_time(without_remark(&upper));
    // «ок. 1949», «1949?»: of what is not quite known the year is all that is said
    let words = ["?", "Г", "ГОДА", "ГОД", "ГР", "Р", "РОЖДЕНИЯ", "ОК", "ОКОЛО", "ПРИМЕРНО", "ПРИБЛ"];
    let parts: Vec<&str> = upper
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '/' | '-' | ',' | '~'))
        .filter(|part| !part.is_empty() && !words.contains(part))
        .map(|part| {
            let year = ["ГР", "Г", "?"].into_iter().find_map(|end| part.strip_suffix(end));
            year.filter(|year| year.len() == 4 && digits(year)).unwrap_or(part)
        })
        .collect();
    let is_year = |part: &str| part.len() == 4 && digits(part);
    let (year, month) = match parts[..] {
        [one] if one.len() == 8 && digits(one) && one.ends_with("00") => (&one[..4], &one[4..6]),
        [year] => (year, ""),
        [year, month] | [year, month, _] if is_year(year) => (year, month),
        [month, year] | [_, month, year] => (year, month),
        _ => return None,
    };
    // a whole date that cannot be is none
    if parts.len() == 3 && parts.iter().all(|part| *part == year || !is_open(part)) {
        return None;
    }
    let year = is_year(year).then(|| year.parse::<u32>().ok()).flatten()?;
    let month = if month.is_empty() || is_open(month) {
        0
    } else {
        month.parse().ok().or_else(|| month_of_word(month)).filter(|month| (1..=12).contains(month))?
    };
    YEARS.contains(&year).then_some((year, known(month.into())?, 0))
}

/// Years that may stand alone: another number of four digits is none.
const YEARS: std::ops::Range<u32> = 1901..2050;

/// Whether this part of a date says that nobody knows it: «00», «__», «??», «хх».
fn is_open(part: &str) -> bool {
    part.chars().all(|c| matches!(c, '0' | '_' | '?' | '*' | 'X' | 'Х'))
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Two digits of a year: nobody served now was born before 1927, so 27–99 are of the last century.
fn century(year: &str) -> Option<String> {
    let short: u8 = year.parse().ok()?;
    Some(format!("{}{year}", if short >= 27 { 19 } else { 20 }))
}

fn ymd(year: &str, month: &str, day: &str) -> Option<Date> {
    let month = match month.parse::<i8>() {
        Ok(month) => month,
        Err(_) => month_of_word(month).or_else(|| roman(month))?,
    };
    Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()
}

/// A month as a Roman number, in Latin letters or in those that look like them.
fn roman(month: &str) -> Option<i8> {
    const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];
    let latin: String = month
        .chars()
        .map(|c| {
            if c == 'Х' {
                'X'
            } else if c == 'І' {
                'I'
            } else {
                c
            }
        })
        .collect();
    i8::try_from(ROMAN.iter().position(|one| *one == latin)? + 1).ok()
}

fn month_of_word(word: &str) -> Option<i8> {
    if let Some(at) = ENGLISH.iter().position(|stem| word.starts_with(stem)) {
        return i8::try_from(at + 1).ok();
    }
    // МАРТ before МАЯ: "МА" is the fallback of the two
    let at = MONTHS.iter().position(|stem| word.starts_with(stem))?;
    let at = if word.starts_with("МА") && !word.starts_with("МАР") { 4 } else { at };
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_date_is_read() {
        for (text, known) in [
            ("12.03.1945", (1945, 3, 12)),
            ("1945", (1945, 0, 0)),
            ("1945 г.", (1945, 0, 0)),
            ("1945 г.р.", (1945, 0, 0)),
            ("1945г.р.", (1945, 0, 0)),
            ("1945 (со слов)", (1945, 0, 0)),
            ("12.03.1945 (со слов дочери)", (1945, 3, 12)),
            ("1945 года рождения", (1945, 0, 0)),
            ("00.00.1945", (1945, 0, 0)),
            ("__.__.1945", (1945, 0, 0)),
            ("хх.хх.1945", (1945, 0, 0)),
            ("12.00.1945", (1945, 0, 0)),
            ("1945-00-00", (1945, 0, 0)),
            ("19450000", (1945, 0, 0)),
            (".03.1945", (1945, 3, 0)),
            ("03.1945", (1945, 3, 0)),
            ("3/1945", (1945, 3, 0)),
            ("00.03.1945", (1945, 3, 0)),
            ("??.03.1945", (1945, 3, 0)),
            ("1945-03", (1945, 3, 0)),
            ("1945-03-00T00:00:00", (1945, 3, 0)),
            ("19450300", (1945, 3, 0)),
            ("март 1945 г.", (1945, 3, 0)),
            ("мая 1945", (1945, 5, 0)),
            ("ок. 1945", (1945, 0, 0)),
            ("около 1945 г.", (1945, 0, 0)),
            ("~1945", (1945, 0, 0)),
            ("1945?", (1945, 0, 0)),
            ("1945 ?", (1945, 0, 0)),
            ("03.1945?", (1945, 3, 0)),
            ("１９４５", (1945, 0, 0)),
            ("\u{feff}1945\u{200b}", (1945, 0, 0)),
            ("примерно 1945 года рождения", (1945, 0, 0)),
        ] {
            assert_eq!(parse_known(text), Some(known), "{text}");
        }
        for text in [
            "",
            "нет",
            "0",
            "45",
            "03.45",
            "13.1945",
            "31.02.1945",
            "12.13.1945",
            "01.01.1900",
            "1900",
            "00.00.0000",
            "1234",
            "2345",
            "1945-1950",
            "1945/1950",
            "1945?/1950",
            "после 1945",
            "ок. 45",
            "12 45",
            "1 2 3 1945",
        ] {
            assert_eq!(parse_known(text), None, "{text}");
        }
    }

    #[test]
    fn formats_seen_in_the_field() {
        for text in [
            "1945-03-12",
            "12.03.1945",
            "12/03/1945",
            "12-03-1945",
            "12.3.45",
            "19450312",
            "1945.03.12",
            "12 марта 1945 г.",
            " 12 Марта 1945 года",
            "1945-03-12T00:00:00",
            "12.03.1945 0:00:00",
        ] {
            assert_eq!(parse_date(text), Some(date(1945, 3, 12)), "{text}");
        }
        for text in [
            "«21» февраля 1949 года",
            "21.02.1949г.",
            "21.02.1949г.р.",
            "21.02.1949 гр",
            "21.II.1949",
            "21 II 1949",
            "21.ІІ.1949",
            "21021949",
            "19490221",
            "21.О2.1949",
            "21.02.1949 года рождения",
            "21-Feb-1949",
            "21 February 1949",
            "21-фев-1949",
            "21 фев. 1949 г.",
            "21-фев-49",
            "21-Feb-49",
            "2l.02.1949",
            "2I.02.I949",
            "17950",
            "２１.０２.１９４９",
            "\u{feff}21.02.1949",
            "21.02.1949\u{200b}",
            "\t21.02.\u{ad}1949\u{a0}",
            "21\u{a0}февраля\u{a0}1949\u{a0}г.",
        ] {
            assert_eq!(parse_date(text), Some(date(1949, 2, 21)), "{text}");
        }
        assert_eq!(parse_date("1О.ОЗ.1949"), None);
        for text in ["9999", "09999", "54789", "99999", "179500", "17950.5", "1795O0"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_paper_date("46091"), Some(date(2026, 3, 10)));
        assert_eq!(parse_date("01.I.1949"), Some(date(1949, 1, 1)));
        assert_eq!(parse_date("1.I.1949"), Some(date(1949, 1, 1)));
        assert_eq!(parse_date("21 I 1949"), Some(date(1949, 1, 21)));
        assert_eq!(parse_date("10 октября 1949"), Some(date(1949, 10, 10)));
        assert_eq!(parse_date("20.Х.1949"), Some(date(1949, 10, 20)));
        assert_eq!(parse_date("20111920"), Some(date(1920, 11, 20)));
        assert_eq!(parse_date("20111210"), Some(date(2011, 12, 10)));
        assert_eq!(parse_date("9 мая 1945"), Some(date(1945, 5, 9)));
        assert_eq!(parse_paper_date("10.03.27"), Some(date(2027, 3, 10)));
        for (text, year) in [("12.05.98", 1998), ("10.01.27", 2027), ("31.12.49", 2049), ("12.03.2010", 2010)]
        {
            assert_eq!(parse_recent_date(text).map(Date::year), Some(year), "{text}");
        }
        assert_eq!(parse_paper_date("10 марта 2026 г."), Some(date(2026, 3, 10)));
        for text in ["", "нет", "01.01.1900", "1900-01-01", "31.02.1945", "1945", "12.1945"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        for time in ["T00:00:00", "T00:00:00Z", " 0:00:00", " 00:00", " 10:20:30.000"] {
            for day in ["2026-03-10", "10.03.2026", "10 марта 2026 г."] {
                assert_eq!(parse_paper_date(&format!("{day}{time}")), Some(date(2026, 3, 10)), "{day}{time}");
            }
        }
        for text in [
            "10.03.2026г.",
            "10.03.2026 г.",
            "«10» марта 2026 г.",
            "\"10\" марта 2026 года",
            "10 марта 2026г.",
            "от 10.03.2026",
        ] {
            assert_eq!(parse_paper_date(text), Some(date(2026, 3, 10)), "{text}");
        }
        // two days are none
        for text in [
            "10.03.2026 - 11.03.2026",
            "10.03.2027 (продлена до 10.03.2029)",
            "10.03.2026 11",
            "10.03.2026, 12.03.2026",
            "2026-03-10 10.03.26",
        ] {
            assert_eq!(parse_paper_date(text), None, "{text}");
        }
    }
}
