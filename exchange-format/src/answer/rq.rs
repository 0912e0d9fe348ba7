//! The re-request (RQ): packets that are missing, a snapshot, or a look at where two pictures of one stream differ.
//! Its id is the nonce of its manifest, and is honoured once.

use std::{
    fmt,
    io::{BufRead, Write},
    str::FromStr,
};

use super::{
    line::{AnswerError, Attributes, Lines, PROLOGUE, mark_attributes},
    ranges::{Listed, Range, RangeDigests},
};
use crate::{
    packet::{Header, Purpose},
    position::{Epoch, Mark, Position, Seq},
    record::Kind,
    state_digest::StateDigest,
};

/// The body of an RQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Packets of the peer's stream that have not come.
    Packets(Missing),
    /// A snapshot of the peer's stream.
    Snapshot {
        /// Why.
        cause: SnapshotCause,
        /// The last packet consumed of the peer's stream, if there is one.
        seen: Option<Mark>,
    },
    /// Sums over parts of a stream's records.
    RangeDigests(RangeDigests),
}

/// A run of numbers of one epoch: not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    epoch: Epoch,
    first: Seq,
    last: Seq,
}

/// Why a snapshot is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SnapshotCause {
    /// The state digests of the two ends differ.
    Divergence,
    /// Packets were asked for and do not come.
    Missing,
    /// The stream was stopped by a FORK.
    Fork,
    /// The asker's database was restored; the SN is what it is compared with.
    Restored,
    /// What the asker keeps of the stream was changed or lost.
    Altered,
    /// Its staff ask for it.
    Operator,
}

impl SnapshotCause {
    /// The closed list.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Divergence, "divergence"),
        (Self::Missing, "missing"),
        (Self::Fork, "fork"),
        (Self::Restored, "restored"),
        (Self::Altered, "altered"),
        (Self::Operator, "operator"),
    ];
}

impl fmt::Display for SnapshotCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(cause, _)| cause == self).expect("ALL lists every cause").1)
    }
}

impl FromStr for SnapshotCause {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(cause, _)| *cause).ok_or(())
    }
}

impl Missing {
    /// From `first` to `last`, both included; `None` if that is nothing.
    pub fn new(epoch: Epoch, first: Seq, last: Seq) -> Option<Self> {
        (first <= last).then_some(Self { epoch, first, last })
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The first.
    pub fn first(&self) -> Seq {
        self.first
    }

    /// The last.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// Whether it is among them.
    pub fn contains(&self, at: Position) -> bool {
        at.epoch == self.epoch && (self.first..=self.last).contains(&at.seq)
    }
}

impl Request {
    /// Epoch and number of the manifest: of the first packet asked for, or of the last one consumed (1 and 1 if there is
    /// none), or of the packet after which the sums were taken.
    pub fn position(&self) -> Position {
        let start = || Position { epoch: Epoch::FIRST, seq: Seq::FIRST };
        match self {
            Self::Packets(missing) => Position { epoch: missing.epoch, seq: missing.first },
            Self::Snapshot { seen, .. } => seen.map_or_else(start, |mark| mark.position),
            Self::RangeDigests(digests) => digests.at.position,
        }
    }

    /// Whether it goes with the manifest around it.
    ///
    /// # Errors
    /// Another number, or the sums are of a stream between others.
    pub fn check_goes_with(&self, header: &Header) -> Result<(), AnswerError> {
        let stream_is_theirs = match self {
            Self::RangeDigests(digests) => [header.from, header.to].contains(&digests.of),
            _ => true,
        };
        if header.purpose == Purpose::Request && header.position == self.position() && stream_is_theirs {
            Ok(())
        } else {
            Err(AnswerError::Line { line: 2, what: "the request does not go with its manifest" })
        }
    }

    /// Writes `answer.xml`.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write(&self, out: &mut impl Write) -> Result<(), AnswerError> {
        writeln!(out, "{PROLOGUE}")?;
        match self {
            Self::Packets(Missing { epoch, first, last }) => {
                writeln!(out, "<packets epoch=\"{epoch}\" first=\"{first}\" last=\"{last}\"/>")?;
            }
            Self::Snapshot { cause, seen } => {
                let seen = seen.map(|mark| format!(" {}", mark_attributes(&mark))).unwrap_or_default();
                writeln!(out, "<snapshot cause=\"{cause}\"{seen}/>")?;
            }
            Self::RangeDigests(digests) => write_ranges(digests, out)?,
        }
        Ok(())
    }

    /// Reads `answer.xml`; anything but what [`Request::write`] writes is an error.
    ///
    /// # Errors
    /// Reading failed, or a line is not what stands there.
    pub fn read(input: impl BufRead) -> Result<Self, AnswerError> {
        let mut lines = Lines::open(input)?;
        let head = lines.next()?.to_owned();
        let request = if let Some(missing) = parse_packets(&head) {
            Self::Packets(missing)
        } else if let Some((cause, seen)) = parse_snapshot(&head) {
            Self::Snapshot { cause, seen }
        } else {
            let empty = parse_ranges_head(&head).ok_or_else(|| lines.wrong("not a request"))?;
            Self::RangeDigests(read_ranges(empty, &mut lines)?)
        };
        lines.end()?;
        Ok(request)
    }
}

fn parse_packets(line: &str) -> Option<Missing> {
    let mut attributes = Attributes::of(line, "packets", "/>")?;
    let epoch = Epoch::new(attributes.take("epoch")?).ok()?;
    let first = Seq::new(attributes.take("first")?).ok()?;
    let last = Seq::new(attributes.take("last")?).ok()?;
    attributes.end()?;
    Missing::new(epoch, first, last)
}

fn parse_snapshot(line: &str) -> Option<(SnapshotCause, Option<Mark>)> {
    let mut attributes = Attributes::of(line, "snapshot", "/>")?;
    let cause = attributes.take("cause")?;
    let seen = if attributes.is_empty() { None } else { Some(attributes.take_mark()?) };
    attributes.end()?;
    Some((cause, seen))
}

const RANGES: &str = "range_digests";

fn write_ranges(digests: &RangeDigests, out: &mut impl Write) -> Result<(), AnswerError> {
    digests.check()?;
    let re = digests.re.map(|nonce| format!(" re=\"{nonce}\"")).unwrap_or_default();
    writeln!(out, "<{RANGES} of=\"{}\" {}{re}>", digests.of, mark_attributes(&digests.at))?;
    for Range { kind, prefix, count, sum, records } in &digests.ranges {
        let name = if records.is_some() { "listed" } else { "range" };
        writeln!(out, "<{name} kind=\"{kind}\" prefix=\"{prefix}\" count=\"{count}\" sum=\"{sum}\"/>")?;
        for Listed { key, version, form, hash } in records.iter().flatten() {
            writeln!(
                out,
                "<record kind=\"{kind}\" key=\"{key}\" version=\"{version}\" form=\"{form}\" hash=\"{hash}\"/>"
            )?;
        }
    }
    writeln!(out, "</{RANGES}>")?;
    Ok(())
}

fn parse_ranges_head(line: &str) -> Option<RangeDigests> {
    let mut attributes = Attributes::of(line, RANGES, ">")?;
    let (of, at) = (attributes.take("of")?, attributes.take_mark()?);
    let re = if attributes.is_empty() { None } else { Some(attributes.take("re")?) };
    attributes.end()?;
    Some(RangeDigests { of, at, re, ranges: Vec::new() })
}

fn read_ranges<R: BufRead>(
    mut digests: RangeDigests,
    lines: &mut Lines<R>,
) -> Result<RangeDigests, AnswerError> {
    let mut left = RangeDigests::LINES;
    loop {
        lines.next()?;
        let line = lines.current();
        if line == format!("</{RANGES}>") {
            break;
        }
        left = left.checked_sub(1).ok_or(AnswerError::TooMany(RangeDigests::LINES))?;
        if let Some(range) = parse_range(line) {
            digests.ranges.push(range);
            continue;
        }
        let parsed = parse_listed(line);
        let (kind, listed) = parsed.ok_or_else(|| lines.wrong("neither a range nor a record of one"))?;
        let last = digests.ranges.last_mut().filter(|range| range.kind == kind);
        let records = last.and_then(|range| range.records.as_mut());
        records.ok_or_else(|| lines.wrong("a record outside its range"))?.push(listed);
    }
    digests.check()?;
    Ok(digests)
}

fn parse_range(line: &str) -> Option<Range> {
    let listed = line.starts_with("<listed ");
    let mut attributes = Attributes::of(line, if listed { "listed" } else { "range" }, "/>")?;
    let kind: Kind = attributes.take("kind")?;
    let (prefix, count) = (attributes.take("prefix")?, attributes.take("count")?);
    let sum: StateDigest = attributes.take("sum")?;
    attributes.end()?;
    Some(Range { kind, prefix, count, sum, records: listed.then(Vec::new) })
}

fn parse_listed(line: &str) -> Option<(Kind, Listed)> {
    let mut attributes = Attributes::of(line, "record", "/>")?;
    let kind = attributes.take("kind")?;
    let listed = Listed {
        key: attributes.take("key")?,
        version: attributes.take("version").filter(|version| *version > 0)?,
        form: attributes.take("form")?,
        hash: attributes.take("hash")?,
    };
    attributes.end()?;
    Some((kind, listed))
}
