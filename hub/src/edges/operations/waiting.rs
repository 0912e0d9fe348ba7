//! Rows of papers whose number another paper has: whether two have one number and date is judged when the whole file was read, so
//! that papers may exchange theirs in one file. The number of a paper that centres alone have makes the row's one with it, unless
//! the file has a row for that paper, too.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{output::Failure, tables::Report};
use exchange_format::{
    record::{Body, Kind, RecordId},
    rules,
};

use super::{
    decided::Decided,
    drawn::{Drawing, Noted, Row, Stop},
    standing::Standing,
};
use crate::{
    decisions::{
        audience,
        drawn::{Draft, is_document},
    },
    edges::register::Register,
};

/// Rows that wait for the end of the file, in its order.
#[derive(Default)]
pub struct Waiting {
    rows: BTreeMap<u64, (Row, Option<RecordId>)>,
    /// Which row each record waits by.
    by_record: BTreeMap<RecordId, u64>,
    /// The line of each record that the file has.
    lines: BTreeMap<RecordId, u64>,
}

impl Waiting {
    /// The `row` of a `record`, if it stands already, waits.
    pub fn push(&mut self, row: Row, record: Option<RecordId>) {
        let line = row.line;
        if let Some(record) = record {
            self.by_record.insert(record, line);
            self.lines.insert(record, line);
        }
        self.rows.insert(line, (row, record));
    }

    /// The row at `line` is of `record`.
    pub fn named(&mut self, record: RecordId, line: u64) {
        self.lines.insert(record, line);
    }

    /// The line of the file that `record` has.
    pub fn line_of(&self, record: RecordId) -> Option<u64> {
        self.lines.get(&record).copied()
    }

    fn remove(&mut self, line: u64) {
        let Some((_, record)) = self.rows.remove(&line) else { return };
        if let Some(record) = record.filter(|record| self.by_record.get(record) == Some(&line)) {
            self.by_record.remove(&record);
        }
    }
}

impl Drawing {
    /// Judges rows that wait, which is done when the file was read, and others with them: at least `rows`, if so many wait. Whether
    /// none waits any more.
    pub(super) fn judge_waiting(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        rows: usize,
        report: &mut Report,
    ) -> Result<bool, Failure> {
        let rest = self.waiting.rows.len().saturating_sub(rows);
        while let Some(first) = self.waiting.rows.keys().next().filter(|_| self.waiting.rows.len() > rest) {
            self.judge(register, decided, *first, report)?;
        }
        Ok(self.waiting.rows.is_empty())
    }

    /// Judges the row at `first` after those of the papers that have the number for which it waits, and they for theirs.
    fn judge(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        first: u64,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut path = vec![first];
        while let Some(line) = path.last().copied() {
            let Some((row, _)) = self.waiting.rows.get(&line) else {
                path.pop();
                continue;
            };
            let mut noted = Noted::default();
            let mut done = self.record(register, row, (&[], Holders::All), &mut noted);
            let next = match &done {
                Err(Stop::Taken { by, .. }) => self.waiting.by_record.get(by).copied(),
                _ => None,
            };
            if next.is_none() && matches!(done, Err(Stop::Taken { .. })) {
                noted = Noted::default();
                done = self.record(register, row, (&[], Holders::Staff), &mut noted);
            }
            match next.map(|next| (next, path.iter().position(|line| *line == next))) {
                Some((_, Some(from))) => {
                    let round = path.split_off(from);
                    self.exchange(register, decided, &round, report)?;
                }
                Some((next, None)) => path.push(next),
                None => {
                    self.waiting.remove(line);
                    self.settle(decided, line, done, noted, report)?;
                    path.pop();
                }
            }
        }
        Ok(())
    }

    /// Takes in the rows at `lines`, of which each has the number for which the one before it waits, and the first that of the last;
    /// or refuses the one that cannot be taken.
    fn exchange(
        &mut self,
        register: &Register<'_>,
        decided: &mut Decided,
        lines: &[u64],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut rows: Vec<_> =
            lines.iter().filter_map(|line| Some((*line, self.waiting.rows.get(line)?))).collect();
        // a paper that centres alone have goes to whoever gets its number, unless it has left it
        let mut drawn = BTreeSet::new();
        for (line, (_, record)) in &rows {
            if let Some(record) = record
                && register.tx.drawn(*record)?.is_some()
            {
                drawn.insert(*line);
            }
        }
        rows.sort_by_key(|(line, _)| drawn.contains(line));
        let leaving: Vec<RecordId> = rows.iter().filter_map(|(_, (_, record))| *record).collect();
        let mut taken = Vec::new();
        let done: Result<(), Stop> = register.tx.attempt(|| {
            for (line, (row, _)) in &rows {
                let mut noted = Noted::default();
                let done = self.record(register, row, (&leaving, Holders::Staff), &mut noted);
                taken.push((*line, noted));
                done?;
            }
            Ok(())
        });
        let settled = match done {
            Ok(()) => taken.into_iter().map(|(line, noted)| (line, noted, Ok(()))).collect(),
            Err(stop) => taken.pop().map(|(line, noted)| (line, noted, Err(stop))).into_iter().collect(),
        };
        let settled: Vec<(u64, Noted, Result<(), Stop>)> = settled;
        for (line, noted, done) in settled {
            self.waiting.remove(line);
            self.settle(decided, line, done, noted, report)?;
        }
        Ok(())
    }
}

/// Whose papers hold a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Holders {
    /// Those that staff have drawn up; from a paper that centres have and that is named by its uid, theirs, too.
    Staff,
    /// Those that centres alone have, too.
    All,
}

/// The paper of these `holders` that has the number and date to which `draft` brings its own, of those that do not leave theirs. Of a
/// programme or supplement that is new, the document that it is says so.
pub fn taken_by(
    register: &Register<'_>,
    draft: &Draft,
    before: Option<&Standing>,
    (leaving, holders): (&[RecordId], Holders),
) -> Result<Option<RecordId>, Stop> {
    let kind = draft.body.kind();
    let is_numbered = kind == Kind::NeedDecision || is_document(kind) && before.is_some();
    let (Some(person), true) = (draft.person, is_numbered) else { return Ok(None) };
    let place = place(register, &draft.body)?;
    let stood = before.map(|stands| self::place(register, &stands.body)).transpose()?;
    if place.is_none() || stood == Some(place.clone()) {
        return Ok(None);
    }
    let itself = before.map(|stands| register.tx.document_meant(stands.key)).transpose()?;
    for other in register.tx.drawn_of(person)? {
        if other.body.kind() != kind || leaving.contains(&other.key) {
            continue;
        }
        let meant = register.tx.document_meant(other.key)?;
        if Some(meant) != itself && self::place(register, &other.body)? == place {
            return Ok(Some(other.key));
        }
    }
    let is_of_centres = || before.map_or(Ok(false), |stands| register.is_of_centres(stands.key, &draft.body));
    if !is_document(kind) || holders == Holders::Staff && !is_of_centres()? {
        return Ok(None);
    }
    for other in register.of_centres_alone(person, &draft.body)? {
        if Some(other) != itself && !leaving.contains(&other) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// The number and date of a paper, and the programme to which it is a supplement: every programme has its first.
type Place = Option<((String, jiff::civil::Date), Option<RecordId>)>;

fn place(register: &Register<'_>, body: &Body) -> Result<Place, Stop> {
    let Some(name) = rules::document_name(body) else { return Ok(None) };
    let programme = audience::programme_of(body);
    Ok(Some((name, programme.map(|programme| register.tx.document_meant(programme)).transpose()?)))
}
