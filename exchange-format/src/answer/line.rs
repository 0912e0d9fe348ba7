//! The lines of `answer.xml`: bounded reading, elements with attributes in fixed order.

use std::{
    fmt::Display,
    io::{BufRead, Read as _},
    str::FromStr,
};

use crate::position::{Epoch, Mark, Position, Seq};

/// The first line of every answer.
pub(super) const PROLOGUE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>"#;

/// The longest line, in bytes without its line end. No valid line comes near it.
const LINE_LIMIT: u64 = 8192;

/// Why an answer cannot be read or written. Never repeats a value.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The bytes could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line is not what stands there in an answer.
    #[error("line {line} of answer.xml: {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// More listed records than allowed.
    #[error("answer.xml lists more than {0} records")]
    TooMany(u64),
    /// The counts in the head and the listed lines disagree, or do not fit the outcome.
    #[error("the counts, the listed records and the outcome of the protocol disagree")]
    Counts,
}

/// Reads bounded lines that end in LF.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    line: String,
}

impl<R: BufRead> Lines<R> {
    /// Checks the prologue.
    pub(super) fn open(input: R) -> Result<Self, AnswerError> {
        let mut lines = Self { input, number: 0, line: String::new() };
        if lines.next()? == PROLOGUE { Ok(lines) } else { Err(lines.wrong("the XML declaration is missing")) }
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Result<&str, AnswerError> {
        self.number += 1;
        let mut bytes = Vec::new();
        (&mut self.input).take(LINE_LIMIT + 1).read_until(b'\n', &mut bytes)?;
        if bytes.pop() != Some(b'\n') {
            return Err(self.wrong("the line is too long, or the file ends in it"));
        }
        self.line = String::from_utf8(bytes).or(Err(self.wrong("not UTF-8")))?;
        Ok(&self.line)
    }

    /// The line last read.
    pub(super) fn current(&self) -> &str {
        &self.line
    }

    /// Fails unless the file ends here.
    pub(super) fn end(&mut self) -> Result<(), AnswerError> {
        self.number += 1;
        if self.input.fill_buf()?.is_empty() { Ok(()) } else { Err(self.wrong("something follows the end")) }
    }

    /// The line last read is wrong.
    pub(super) fn wrong(&self, what: &'static str) -> AnswerError {
        AnswerError::Line { line: self.number, what }
    }
}

/// The attributes of one element, taken in their order.
pub(super) struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    /// Those of `<name …ending`.
    pub(super) fn of(line: &'a str, name: &str, ending: &str) -> Option<Self> {
        line.strip_prefix('<')?.strip_prefix(name)?.strip_suffix(ending).map(Self)
    }

    /// The value of the next attribute, which must be `name` and written as its value is written.
    pub(super) fn take<T: FromStr + Display>(&mut self, name: &str) -> Option<T> {
        self.take_text(name).and_then(canonical)
    }

    /// The text of the next attribute, which must be `name`.
    pub(super) fn take_text(&mut self, name: &str) -> Option<&'a str> {
        let rest = self.0.strip_prefix(' ')?.strip_prefix(name)?.strip_prefix("=\"")?;
        let (value, rest) = rest.split_once('"')?;
        self.0 = rest;
        Some(value)
    }

    /// The answered packet: `epoch`, `seq`, `digest`.
    pub(super) fn take_mark(&mut self) -> Option<Mark> {
        let epoch = Epoch::new(self.take("epoch")?).ok()?;
        let seq = Seq::new(self.take("seq")?).ok()?;
        Some(Mark { position: Position { epoch, seq }, digest: self.take("digest")? })
    }

    /// Whether none is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Some` if none is left.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The attributes that name the answered packet.
pub(super) fn mark_attributes(mark: &Mark) -> String {
    let Position { epoch, seq } = mark.position;
    format!("epoch=\"{epoch}\" seq=\"{seq}\" digest=\"{}\"", mark.digest)
}

/// A value whose text is the one that it is written with: no `007`, no `+7`.
fn canonical<T: FromStr + Display>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}
