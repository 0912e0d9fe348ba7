//! The values of one record, aligned with its kind's schema.

use std::{cmp::Ordering, fmt};

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::{
    Field, FieldProblem, Finding, Kind,
    schema::{SAME_NUMBER, TOO_MUCH},
};

/// The most bytes that a body may have: with key, version, form and signature it fits a line of 1 MiB, the
/// default of what a reader takes (FORMAT.md §Limits).
const MAX_BODY: usize = (1 << 20) - 1024;

/// The values of a record of one kind. An absent value is "not stated"; an empty text is absent.
/// Holds personal data: `Debug` shows which fields are stated, never what they say.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    kind: Kind,
    values: Line,
    lines: Vec<Line>,
}

/// The values of one line of a record, or of its head. Lines are compared by their values.
#[derive(Clone)]
pub struct Line {
    fields: &'static [Field],
    values: Vec<Option<Box<str>>>,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Eq for Line {}

impl Line {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self { fields, values: vec![None; fields.len()] }
    }

    /// The text of a field, if stated.
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the program.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.values[self.index(field)].as_deref()
    }

    /// States a field, in Unicode NFC; an empty text makes it absent.
    ///
    /// # Errors
    /// A character that XML 1.0 cannot carry. Other rules are for [`Body::findings`].
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the program.
    pub fn set(&mut self, field: &str, text: &str) -> Result<(), Finding> {
        let index = self.index(field);
        self.set_at(index, text)
    }

    /// States a field whose text is known to be one that a record carries as it is.
    pub(super) fn put(&mut self, index: usize, text: Box<str>) {
        self.values[index] = Some(text);
    }

    /// States the field that is the `index`th of the schema, from 0; else as [`Line::set`]: for who fills many lines.
    ///
    /// # Errors
    /// Those of [`Line::set`].
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the program.
    pub fn set_at(&mut self, index: usize, text: &str) -> Result<(), Finding> {
        if !text.is_empty() && is_plain(text, |_| false) {
            self.values[index] = Some(text.into());
            return Ok(());
        }
        if !text.chars().all(is_xml_char) {
            let field = self.fields[index].name;
            return Err(Finding { field, line: None, problem: FieldProblem::IllegalCharacter });
        }
        self.values[index] = match (text, is_nfc_quick(text.chars())) {
            ("", _) => None,
            (_, IsNormalized::Yes) => Some(text.into()),
            _ => Some(text.nfc().collect::<String>().into_boxed_str()),
        };
        Ok(())
    }

    /// The name of the field that is the `index`th of the schema, from 0.
    ///
    /// # Panics
    /// If the schema has no such field: a mistake in the program.
    pub fn name_at(&self, index: usize) -> &'static str {
        self.fields[index].name
    }

    /// Makes a field absent.
    pub fn clear(&mut self, field: &str) {
        let index = self.index(field);
        self.values[index] = None;
    }

    /// Fields and values in canonical order, absent ones too.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Field, Option<&str>)> {
        self.fields.iter().zip(self.values.iter().map(Option::as_deref))
    }

    /// By `no` as a number, what has none last, then by the values.
    pub fn order(&self, other: &Self) -> Ordering {
        let no =
            |line: &Self| line.values[0].as_deref().and_then(|n| n.parse::<u64>().ok()).unwrap_or(u64::MAX);
        no(self).cmp(&no(other)).then_with(|| self.values.cmp(&other.values))
    }

    fn index(&self, field: &str) -> usize {
        self.fields
            .iter()
            .position(|f| f.name == field)
            .unwrap_or_else(|| panic!("the schema has no field {field}"))
    }
}

impl Body {
    /// A body of `kind` in which nothing is stated.
    pub fn new(kind: Kind) -> Self {
        Self { kind, values: Line::new(kind.schema().fields), lines: Vec::new() }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The head: the fields that do not repeat.
    pub fn head(&self) -> &Line {
        &self.values
    }

    /// The head, to change.
    pub fn head_mut(&mut self) -> &mut Line {
        &mut self.values
    }

    /// The text of a field of the head; see [`Line::text`].
    pub fn text(&self, field: &str) -> Option<&str> {
        self.values.text(field)
    }

    /// The text of a field of the head, if this kind has it and it is stated.
    pub fn stated(&self, field: &str) -> Option<&str> {
        self.values.iter().find(|(one, _)| one.name == field)?.1
    }

    /// States a field of the head; see [`Line::set`].
    pub fn set(&mut self, field: &str, text: &str) -> Result<(), Finding> {
        self.values.set(field, text)
    }

    /// The lines, ordered by `no` once [`Body::sort_lines`] has run, as it does before writing.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines, to be changed where they stand.
    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// Adds an empty line and gives it to be filled.
    ///
    /// # Panics
    /// If records of this kind have no lines: a mistake in the program.
    pub fn add_line(&mut self) -> &mut Line {
        let lines = self.kind.schema().lines.expect("a kind with lines");
        self.lines.push(Line::new(lines.fields));
        self.lines.last_mut().expect("just pushed")
    }

    /// Removes all lines.
    pub fn clear_lines(&mut self) {
        self.lines.clear();
    }

    /// Puts lines into canonical order: by `no` as a number, what has none last, then by their values.
    pub fn sort_lines(&mut self) {
        self.lines.sort_by(Line::order);
    }

    /// Whether the lines are in canonical order.
    pub(super) fn is_sorted(&self) -> bool {
        self.lines.is_sorted_by(|a, b| a.order(b).is_le())
    }

    /// More bytes than its XML can have: names and marks of each field, and each character as an entity.
    fn at_most(&self) -> usize {
        let of = |line: &Line| {
            line.iter().map(|(_, value)| 6 * value.map_or(0, str::len) + 100).sum::<usize>() + 100
        };
        of(&self.values) + self.lines.iter().map(of).sum::<usize>()
    }

    /// Everything that is wrong with the values by the schema; empty if the record may be sent.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut look = |line: Option<usize>, values: &Line| {
            for (field, value) in values.iter() {
                if let Some(problem) = field.problem(value) {
                    findings.push(Finding { field: field.name, line, problem });
                }
            }
        };
        look(None, &self.values);
        for (n, line) in self.lines.iter().enumerate() {
            look(Some(n + 1), line);
        }
        let numbers: Vec<_> = self.lines.iter().map(|line| line.values[0].as_deref()).collect();
        if let Some(n) = (1..numbers.len()).find(|&n| numbers[..n].contains(&numbers[n])) {
            let problem = FieldProblem::Rule(SAME_NUMBER);
            findings.push(Finding { field: "no", line: Some(n + 1), problem });
        }
        if self.at_most() > MAX_BODY && self.to_xml().len() > MAX_BODY {
            let problem = FieldProblem::Rule(TOO_MUCH);
            findings.push(Finding { field: "no", line: None, problem });
        }
        findings
    }
}

/// What XML 1.0 can carry (W3C XML 1.0, production 2 Char).
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether `text` is in NFC, and of characters that XML can carry and that are not `barred`. Most texts are
/// Latin and Cyrillic letters without combining marks, which are so by themselves: only the rest is looked up.
pub(super) fn is_plain(text: &str, barred: impl Fn(char) -> bool) -> bool {
    let mut simple = true;
    for c in text.chars() {
        if !is_xml_char(c) || barred(c) {
            return false;
        }
        simple &= matches!(c, '\0'..='\u{2FF}' | '\u{400}'..='\u{482}' | '\u{48A}'..='\u{52F}');
    }
    simple || unicode_normalization::is_nfc(text)
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stated = self.iter().filter(|(_, value)| value.is_some());
        f.debug_map().entries(stated.map(|(field, _)| (field.name, format_args!("[redacted]")))).finish()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("kind", &self.kind)
            .field("values", &self.values)
            .field("lines", &self.lines)
            .finish()
    }
}
