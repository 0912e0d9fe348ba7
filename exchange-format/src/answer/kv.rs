//! The receipt (KV): "I have it, whole and authentic".

use std::io::{BufRead, Write};

use jiff::Timestamp;

use super::line::{AnswerError, Attributes, Lines, PROLOGUE, mark_attributes};
use crate::position::Mark;

/// The body of a KV. It ends nothing: only a PR does (F4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The packet received.
    pub answered: Mark,
    /// When it was verified, by the receiver's clock.
    pub received_at: Timestamp,
}

impl Receipt {
    /// Writes `answer.xml`.
    pub fn write(&self, out: &mut impl Write) -> Result<(), AnswerError> {
        let mark = mark_attributes(&self.answered);
        writeln!(out, "{PROLOGUE}\n<receipt {mark} received=\"{}\"/>", self.received_at)?;
        Ok(())
    }

    /// Reads `answer.xml`; anything but what [`Receipt::write`] writes is an error.
    pub fn read(input: impl BufRead) -> Result<Self, AnswerError> {
        let mut lines = Lines::open(input)?;
        let receipt = parse(lines.next()?).ok_or_else(|| lines.wrong("not a receipt"))?;
        lines.end()?;
        Ok(receipt)
    }
}

fn parse(line: &str) -> Option<Receipt> {
    let mut attributes = Attributes::of(line, "receipt", "/>")?;
    let (answered, received_at) = (attributes.take_mark()?, attributes.take("received")?);
    attributes.end()?;
    Some(Receipt { answered, received_at })
}
