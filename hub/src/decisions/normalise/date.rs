//! Dates as people type them.

use jiff::civil::{Date, date};

const MONTHS: [&str; 12] =
    ["ЯНВ", "ФЕВ", "МАР", "АПР", "МА", "ИЮН", "ИЮЛ", "АВГ", "СЕН", "ОКТ", "НОЯ", "ДЕК"];

/// The date that `text` means: ISO, day first with dots, slashes or hyphens, eight digits, or with the
/// month in Russian; a time after it is passed over. `None` for anything else and for the placeholder
/// 01.01.1900 (domain.md §7).
pub fn parse_date(text: &str) -> Option<Date> {
    let upper = text.trim().to_uppercase();
    let upper = upper.split_once('T').map_or(upper.as_str(), |(day, _)| day);
    let mut parts: Vec<&str> = upper
        .split(|c: char| c.is_whitespace() || matches!(c, '.' | '/' | '-' | ','))
        .filter(|part| !part.is_empty() && !matches!(*part, "Г" | "ГОДА" | "ГОД"))
        .collect();
    parts.truncate(3); // a time of day may follow
    let parsed = match parts[..] {
        [one] if one.len() == 8 && digits(one) => ymd(&one[..4], &one[4..6], &one[6..]),
        [year, month, day] if year.len() == 4 && digits(year) => ymd(year, month, day),
        [day, month, year] if year.len() == 4 => ymd(year, month, day),
        [day, month, year] if year.len() == 2 && digits(year) => ymd(&century(year)?, month, day),
        _ => None,
    };
    parsed.filter(|parsed| *parsed != date(1900, 1, 1))
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
        Err(_) => month_of_word(month)?,
    };
    Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn month_of_word(word: &str) -> Option<i8> {
    // МАРТ before МАЯ: "МА" is the fallback of the two
    let at = MONTHS.iter().position(|stem| word.starts_with(stem))?;
    let at = if word.starts_with("МА") && !word.starts_with("МАР") { 4 } else { at };
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(parse_date("9 мая 1945"), Some(date(1945, 5, 9)));
        for text in ["", "нет", "01.01.1900", "1900-01-01", "31.02.1945", "1945", "12.1945"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
