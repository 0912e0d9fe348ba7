//! The protocol (PR): what became of each record of a packet.

use std::io::{BufRead, Write};

use super::{
    Counts, PacketOutcome, RecordOutcome, RecordReason, Rule, Words,
    line::{AnswerError, Attributes, Lines, PROLOGUE, mark_attributes},
};
use crate::{
    position::Mark,
    record::{Kind, RecordId},
};

/// The head of a PR.
///
/// A PR lists only the records that were not plainly applied (proposed, held, refused); the others it
/// counts. Still it closes **every** (kind, key, version) that its packet carried, and no other: the sender
/// takes what the packet carried from its own record of it, closes the listed ones with their outcome and
/// all the rest as applied, and ignores a line naming what the packet did not carry. A version newer than
/// the one carried stays registered ([`crate::stream::clears`]). A PR that refuses the packet whole lists
/// nothing and closes nothing.
///
/// A higher revision (a held record was applied later) states everything anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// The packet answered.
    pub answered: Mark,
    /// From 1; the highest counts.
    pub revision: u32,
    /// What became of the packet.
    pub outcome: PacketOutcome,
    /// How many records had each outcome; nothing if the packet was refused whole.
    pub counts: Counts,
}

/// One record that was not plainly applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordLine {
    /// Proposed, held or refused.
    pub outcome: RecordOutcome,
    /// The record's kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// The version that the packet carried.
    pub version: u32,
    /// The rule by which.
    pub rule: Rule,
    /// The reason to tell staff.
    pub reason: RecordReason,
    /// Why, in the words of whoever decided.
    pub words: Option<Words>,
}

impl Protocol {
    /// Whether the counts fit the outcome.
    fn is_consistent(&self) -> bool {
        match self.outcome {
            PacketOutcome::Refused(_) => self.counts.total() == 0,
            outcome => self.counts.packet_outcome() == outcome,
        }
    }
}

/// Writes `answer.xml` of a PR, line by line.
pub struct ProtocolWriter<W> {
    out: W,
    /// The listed records still to come, by outcome.
    left: Counts,
}

impl<W: Write> ProtocolWriter<W> {
    /// Writes the head. Its counts must fit its outcome.
    pub fn new(mut out: W, head: &Protocol) -> Result<Self, AnswerError> {
        if !head.is_consistent() || head.revision == 0 {
            return Err(AnswerError::Counts);
        }
        let (mark, word) = (mark_attributes(&head.answered), head.outcome.word());
        write!(out, "{PROLOGUE}\n<protocol {mark} revision=\"{}\" outcome=\"{word}\"", head.revision)?;
        if let Some(reason) = head.outcome.reason() {
            write!(out, " reason=\"{reason}\"")?;
        }
        for (outcome, word) in RecordOutcome::ALL {
            write!(out, " {word}=\"{}\"", head.counts.get(outcome))?;
        }
        writeln!(out, ">")?;
        Ok(Self { out, left: listed(&head.counts) })
    }

    /// Writes a record that was not plainly applied.
    pub fn line(&mut self, line: &RecordLine) -> Result<(), AnswerError> {
        take_one(&mut self.left, line.outcome)?;
        let RecordLine { outcome, kind, key, version, rule, reason, words } = line;
        write!(
            self.out,
            "<record outcome=\"{outcome}\" kind=\"{kind}\" key=\"{key}\" version=\"{version}\" \
             rule=\"{rule}\" reason=\"{reason}\""
        )?;
        match words {
            Some(words) => writeln!(self.out, ">{}</record>", words.escaped())?,
            None => writeln!(self.out, "/>")?,
        }
        Ok(())
    }

    /// Writes the end and gives the output back. Every counted line must have been written.
    pub fn finish(mut self) -> Result<W, AnswerError> {
        if self.left.total() > 0 {
            return Err(AnswerError::Counts);
        }
        writeln!(self.out, "</protocol>")?;
        Ok(self.out)
    }
}

/// Reads `answer.xml` of a PR, line by line: memory does not grow with it.
pub struct ProtocolReader<R> {
    lines: Lines<R>,
    head: Protocol,
    left: Counts,
    done: bool,
}

impl<R: BufRead> ProtocolReader<R> {
    /// Reads the head of a PR that lists at most `max_lines` records.
    pub fn new(input: R, max_lines: u64) -> Result<Self, AnswerError> {
        let mut lines = Lines::open(input)?;
        let head = parse_head(lines.next()?).ok_or_else(|| lines.wrong("not the head of a protocol"))?;
        let left = listed(&head.counts);
        if !head.is_consistent() {
            return Err(AnswerError::Counts);
        }
        if left.total() > max_lines {
            return Err(AnswerError::TooMany(max_lines));
        }
        Ok(Self { lines, head, left, done: false })
    }

    /// The head.
    pub fn head(&self) -> &Protocol {
        &self.head
    }

    /// The next listed record; `None` at a proper end.
    pub fn next_line(&mut self) -> Result<Option<RecordLine>, AnswerError> {
        if self.done {
            return Ok(None);
        }
        if self.lines.next()? == "</protocol>" {
            self.lines.end()?;
            self.done = true;
            return if self.left.total() == 0 { Ok(None) } else { Err(AnswerError::Counts) };
        }
        let line = parse_record(self.lines.current())
            .ok_or_else(|| self.lines.wrong("not a record of a protocol"))?;
        take_one(&mut self.left, line.outcome)?;
        Ok(Some(line))
    }
}

/// Only the counts of the outcomes that are listed.
fn listed(counts: &Counts) -> Counts {
    let mut listed = *counts;
    for (outcome, _) in RecordOutcome::ALL.iter().filter(|(outcome, _)| outcome.is_plain()) {
        listed.set(*outcome, 0);
    }
    listed
}

fn take_one(left: &mut Counts, outcome: RecordOutcome) -> Result<(), AnswerError> {
    let rest = left.get(outcome).checked_sub(1).ok_or(AnswerError::Counts)?;
    left.set(outcome, rest);
    Ok(())
}

fn parse_head(line: &str) -> Option<Protocol> {
    let mut attributes = Attributes::of(line, "protocol", ">")?;
    let answered = attributes.take_mark()?;
    let revision = attributes.take("revision").filter(|revision| *revision > 0)?;
    let word = attributes.take_text("outcome")?;
    let reason = if word == "REFUSED" { Some(attributes.take("reason")?) } else { None };
    let outcome = PacketOutcome::from_parts(word, reason)?;
    let mut counts = Counts::default();
    for (outcome, word) in RecordOutcome::ALL {
        counts.set(outcome, attributes.take(word)?);
    }
    attributes.end()?;
    Some(Protocol { answered, revision, outcome, counts })
}

fn parse_record(line: &str) -> Option<RecordLine> {
    let (element, words) = match line.strip_suffix("</record>") {
        Some(line) => {
            let (element, text) = line.split_once('>')?;
            (element, Some(Words::read(text)?))
        }
        None => (line.strip_suffix("/>")?, None),
    };
    let mut attributes = Attributes::of(element, "record", "")?;
    let line = RecordLine {
        outcome: RecordOutcome::from_word(attributes.take_text("outcome")?)?,
        kind: attributes.take("kind")?,
        key: attributes.take("key")?,
        version: attributes.take("version").filter(|version| *version > 0)?,
        rule: attributes.take("rule")?,
        reason: attributes.take("reason")?,
        words,
    };
    attributes.end()?;
    Some(line)
}
