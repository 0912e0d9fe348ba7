//! Why something was decided, in the words of whoever did.

use std::fmt;

/// One line of text: 1 to 1000 characters, single spaces between words and none at the ends, no control characters.
/// It may name people: prints redacted, and stands in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// The most characters.
    pub const LIMIT: usize = 1000;

    /// `text` in that form: other white space becomes single spaces, what cannot stand there is left out, what is too
    /// much is cut off. `None` if nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let legal: String =
            text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_legal(*c)).collect();
        let joined = legal.split_whitespace().collect::<Vec<_>>().join(" ");
        let cut: String = joined.chars().take(Self::LIMIT).collect();
        let cut = cut.trim_end().to_owned();
        (!cut.is_empty()).then_some(Self(cut))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in XML.
    pub(super) fn escaped(&self) -> String {
        self.0.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }

    /// What [`Self::escaped`] has written; `None` for anything else.
    pub(super) fn read(escaped: &str) -> Option<Self> {
        let text = escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        Self::of(&text).filter(|words| words.0 == text && words.escaped() == escaped)
    }
}

fn is_legal(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
