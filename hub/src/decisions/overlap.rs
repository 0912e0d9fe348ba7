//! What staff are proposed of two programmes of one person that overlap. A proposal decides nothing by itself: the
//! programmes stay as they are until staff answer, or a centre ends one of them.

use jiff::{ToSpan, civil::Date};

/// A programme's number, in one spelling, and its date: `rules::document_name`.
pub type Name = (String, Date);

/// Dates of one number that are further apart are two, unless one is a slip for the other.
const NEAR: i32 = 31;

/// By which rule something is proposed, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Both bear one date, and a person is given one programme a day: it is the same one, its number typed in two ways.
    SameDate,
    /// Both bear one number, and dates that are near, or in one year and a slip apart: the same one, its date typed wrongly.
    SameNumber,
    /// Two programmes, of which the later replaces the earlier: that is to be ended the day before.
    Later,
}

impl Rule {
    /// The code in tables and JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SameDate => "SAME_DATE",
            Self::SameNumber => "SAME_NUMBER",
            Self::Later => "LATER",
        }
    }

    /// The answer that it proposes, as `review apply` takes it.
    pub const fn answer(self) -> &'static str {
        match self {
            Self::SameDate | Self::SameNumber => "same",
            Self::Later => "different",
        }
    }
}

/// The rule for two programmes of one person that overlap. Whichever is named first, it is the same.
pub fn proposed(one: &Name, other: &Name) -> Rule {
    if one.1 == other.1 {
        Rule::SameDate
    } else if one.0 == other.0 && is_slip(one.1, other.1) {
        Rule::SameNumber
    } else {
        Rule::Later
    }
}

/// The last day of a programme that one of the day `later` replaces.
pub fn last_day(later: Date) -> Date {
    later.checked_sub(1.day()).unwrap_or(later)
}

/// Whether one date may be the other, typed wrongly. The same day of another year is none: programmes are renewed, and
/// some centres keep the number.
fn is_slip(one: Date, other: Date) -> bool {
    let digits = |date: Date| [date.month() / 10, date.month() % 10, date.day() / 10, date.day() % 10];
    let off = digits(one).iter().zip(digits(other)).filter(|(x, y)| *x != y).count();
    let turned = (one.month(), one.day()) == (other.day(), other.month());
    (one - other).get_days().abs() <= NEAR || one.year() == other.year() && (turned || off == 1)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_rule_proposes_its_answer_in_either_order() {
        let day = date(2026, 2, 1);
        for (number, other_number, other_day, rule, answer) in [
            ("77", "78", day, Rule::SameDate, "same"),
            ("77", "77", day, Rule::SameDate, "same"),
            ("77", "77", date(2026, 2, 11), Rule::SameNumber, "same"),
            ("77", "77", date(2025, 12, 30), Rule::Later, "different"),
            ("77", "77", date(2026, 1, 2), Rule::SameNumber, "same"),
            ("77", "77", date(2026, 12, 1), Rule::SameNumber, "same"),
            ("77", "77", date(2026, 8, 20), Rule::Later, "different"),
            ("77", "77", date(2025, 2, 1), Rule::Later, "different"),
            ("77", "78", date(2026, 2, 2), Rule::Later, "different"),
        ] {
            let (one, other) = ((number.to_owned(), day), (other_number.to_owned(), other_day));
            for found in [proposed(&one, &other), proposed(&other, &one)] {
                assert_eq!((found, found.answer()), (rule, answer), "{other:?}");
            }
        }
    }

    #[test]
    fn day_and_month_that_changed_places_are_a_slip_in_one_year_only() {
        let name = |day| ("12/А".to_owned(), day);
        let of = |one, other| proposed(&name(one), &name(other));
        assert_eq!(of(date(2026, 3, 9), date(2026, 9, 3)), Rule::SameNumber);
        assert_eq!(of(date(2026, 3, 9), date(2025, 9, 3)), Rule::Later);
    }

    #[test]
    fn what_is_replaced_ends_the_day_before() {
        assert_eq!(last_day(date(2026, 3, 1)), date(2026, 2, 28));
        assert_eq!(last_day(Date::MIN), Date::MIN);
    }
}
