//! What an import has done, line by line: what was refused and what is to be known, counted whole and told in part, and
//! written whole into a table of its own if one is asked for.

use std::path::{Path, PathBuf};

use exchange_format::rules;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Encoding, Refused, Sink, TableError, codes::Read, headings};
use crate::messages::{self, Lang};

/// So many lines are told; all are counted, and all stand in the table.
const TOLD: usize = 1_000;

/// What is to be known of a line that was taken. Never repeats a value.
#[derive(Debug, Serialize)]
pub struct Warned {
    /// The line.
    pub line: u64,
    /// The column of the table.
    pub column: String,
    /// `no-such-row`, `other-lines`, `rule`, `doubt` or `stands-over`.
    pub warning: &'static str,
    /// The table that the column refers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<&'static str>,
    /// How many other lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// The rule that the record breaks: it is not sent before that is put right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
}

/// What a rule says; of a field whose value is not of its type, that.
fn rule_of(lang: Lang, code: &str) -> String {
    rules::find(code).map_or_else(
        || messages::text(lang, "spoke-check-type", &[]),
        |rule| format!("{}: {}", rule.code, lang.of(rule.sentence)),
    )
}

/// The report of one file.
pub struct Report {
    file: PathBuf,
    /// The table with the lines of its records.
    lines: Option<PathBuf>,
    table: Option<Sink>,
    lang: Lang,
    /// Rows that were not there.
    pub new: u64,
    /// Rows that said something else.
    pub changed: u64,
    /// Rows that said the same.
    pub unchanged: u64,
    /// Changes that the centre may not make and that became proposals.
    pub proposed: u64,
    /// With whether it is a line of the other table.
    refused: Vec<(bool, Refused)>,
    refused_count: u64,
    warned: Vec<Warned>,
    warned_count: u64,
    /// Words that were read as codes.
    read: Read,
}

impl Report {
    /// An empty report of `file`; refused lines are also written to the table at `to`.
    ///
    /// # Errors
    /// The table cannot be made.
    pub fn begin(file: &Path, to: Option<&Path>, lang: Lang) -> Result<Self, TableError> {
        let headings = ["file", "line", "column", "rule", "why"];
        let headings = headings.map(|name| headings::heading_of(lang, &format!("report-{name}")));
        let headings = headings.map(|heading| heading.trim_start_matches("report-").to_owned());
        let table = to.map(|to| Sink::create(to, &headings, Encoding::Utf8, 0o640)).transpose()?;
        Ok(Self {
            file: file.to_owned(),
            lines: None,
            table,
            lang,
            new: 0,
            changed: 0,
            unchanged: 0,
            proposed: 0,
            refused: Vec::new(),
            refused_count: 0,
            warned: Vec::new(),
            warned_count: 0,
            read: Read::new(),
        })
    }

    /// The same report, of a file whose records have their lines in the table `lines`.
    #[must_use]
    pub fn with_lines(mut self, lines: Option<&Path>) -> Self {
        self.lines = lines.map(Path::to_owned);
        self
    }

    /// A line was refused.
    ///
    /// # Errors
    /// The table cannot be written.
    pub fn refuse(&mut self, refused: Refused) -> Result<(), TableError> {
        self.note(false, refused)
    }

    /// A line of the other table was refused.
    ///
    /// # Errors
    /// As [`Self::refuse`].
    pub fn refuse_line(&mut self, refused: Refused) -> Result<(), TableError> {
        self.note(true, refused)
    }

    fn path(&self, of_lines: bool) -> String {
        let lines = self.lines.as_ref().filter(|_| of_lines);
        lines.unwrap_or(&self.file).display().to_string()
    }

    fn note(&mut self, of_lines: bool, refused: Refused) -> Result<(), TableError> {
        self.refused_count += 1;
        let file = self.path(of_lines);
        if let Some(table) = &mut self.table {
            let line = refused.line.to_string();
            let column = refused.column.as_deref().unwrap_or_default();
            let column = &headings::field(self.lang, column);
            table.write(
                [&file, &line, column.as_str(), refused.rule, refused.why.in_lang(self.lang)].into_iter(),
            )?;
        }
        if self.refused.len() < TOLD {
            self.refused.push((of_lines, refused));
        }
        Ok(())
    }

    /// Something is to be known of a line.
    pub fn warn(&mut self, warned: Warned) {
        self.warned_count += 1;
        if self.warned.len() < TOLD {
            self.warned.push(warned);
        }
    }

    /// A word in `column` was read as `code`.
    pub fn read(&mut self, column: &str, code: &str) {
        *self.read.entry((column.to_owned(), code.to_owned())).or_default() += 1;
    }

    /// As [`Self::read`], of words that were counted.
    pub fn read_all(&mut self, read: &Read) {
        for (word, n) in read {
            *self.read.entry(word.clone()).or_default() += n;
        }
    }

    /// How many lines were refused.
    pub fn refused(&self) -> u64 {
        self.refused_count
    }

    /// Puts the table of refused lines in its place.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(&mut self) -> Result<(), TableError> {
        self.refused.sort_by_key(|(of_lines, refused)| (*of_lines, refused.line));
        self.warned.sort_by(|a, b| (a.line, &a.column).cmp(&(b.line, &b.column)));
        self.table.take().map_or(Ok(()), Sink::finish)
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let refused: Vec<Value> = self
            .refused
            .iter()
            .map(|(of_lines, one)| {
                json!({"file": self.path(*of_lines), "line": one.line, "column": one.column, "rule": one.rule,
                       "why": one.why.in_lang(self.lang)})
            })
            .collect();
        let read =
            self.read.iter().map(|((column, code), n)| json!({"column": column, "code": code, "n": n}));
        let read: Vec<Value> = read.collect();
        json!({
            "new": self.new, "changed": self.changed, "unchanged": self.unchanged, "proposed": self.proposed,
            "refused": refused, "refused_count": self.refused_count,
            "warned": self.warned, "warned_count": self.warned_count, "read": read,
        })
    }

    /// As lines of text: what was refused and is to be known, then the message `sum` with the counts.
    pub fn text(&self, lang: Lang, sum: &str) -> String {
        let file = self.file.display().to_string();
        let refused = self.refused.iter().map(|(of_lines, one)| {
            let why = one.why.in_lang(lang).to_owned();
            let column = one.column.as_ref().map(|column| headings::field(lang, column));
            let id = if column.is_some() { "table-refused-column" } else { "table-refused" };
            let column = column.unwrap_or_default();
            let args = [("line", one.line.into()), ("column", column.into()), ("why", why.into())];
            let told = messages::find(lang, id, &args).unwrap_or_default();
            if *of_lines { format!("{}: {told}", self.path(true)) } else { told }
        });
        let warned = self.warned.iter().map(|one| {
            let args = [
                ("file", file.clone().into()),
                ("line", one.line.into()),
                ("column", headings::field(lang, &one.column).into()),
                ("table", one.table.unwrap_or_default().into()),
                ("n", one.n.unwrap_or_default().into()),
                ("rule", rule_of(lang, one.rule.unwrap_or_default()).into()),
            ];
            messages::text(lang, &format!("table-warned-{}", one.warning), &args)
        });
        let read = self.read.iter().map(|((column, code), n)| {
            let args = [
                ("column", headings::field(lang, column).into()),
                ("code", code.clone().into()),
                ("n", (*n).into()),
            ];
            messages::text(lang, "table-read", &args)
        });
        let told = self.refused.len() + self.warned.len();
        let more = self.refused_count + self.warned_count - told as u64;
        let more = (more > 0).then(|| messages::text(lang, "table-more", &[("n", more.into())]));
        let counts = [
            ("new", self.new.into()),
            ("changed", self.changed.into()),
            ("unchanged", self.unchanged.into()),
            ("proposed", self.proposed.into()),
            ("refused", self.refused_count.into()),
        ];
        let sum = messages::text(lang, sum, &counts);
        refused.chain(warned).chain(more).chain(read).chain([sum]).collect::<Vec<_>>().join("\n")
    }
}
