//! Characters that nobody sees: two numbers, codes or ids that differ by one look the same and are not.

use std::borrow::Cow;

/// The first character of `text`, a number, a code or an id, that nobody sees: a mark of no width, a mark of the direction
/// of writing, a filler, or a space that is not the plain one.
pub fn find(text: &str) -> Option<char> {
    if text.is_ascii() {
        return text.chars().find(|c| c.is_control());
    }
    text.chars().find(|c| is_mark(*c) || *c != ' ' && c.is_whitespace() || c.is_control())
}

/// `text` without the characters that are shown as nothing.
pub fn seen(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_mark) {
        Cow::Owned(text.chars().filter(|c| !is_mark(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether `c` is shown as nothing at all.
pub const fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_found_and_what_everybody_sees_is_not() {
        for c in
            ['\u{feff}', '\u{200b}', '\u{200f}', '\u{202e}', '\u{2066}', '\u{a0}', '\u{2009}', '\u{ad}', '\t']
        {
            assert_eq!(find(&format!("17{c}/а")), Some(c), "{c:?}");
        }
        for text in ["", "17/а", "Д 5 ", "№ 12-б", "42-32701000-000001-7", "Ёлка", "é"] {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
