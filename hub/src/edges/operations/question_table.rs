//! Questions to staff as a table to be filled in, and as words.

use std::path::Path;

use exchange_endpoint::{
    messages::{self, Lang},
    output::{Exit, Failure},
};

use super::{
    questions::{Difference, Question, Side},
    table_file::{self, SHOWN, shown},
};
use crate::database::signatures::Signature;

/// Writes `questions` as a table with empty columns `decision` and `reason`. Those of a dry run have no number:
/// nobody was asked yet, and `review apply` takes no answer to them.
pub fn write(path: &Path, questions: &[Question], numbered: bool, lang: Lang) -> Result<(), Failure> {
    let mut heading: Vec<String> = [
        "review",
        "kind",
        "why",
        "centre_1",
        "key_1",
        "version_1",
        "centre_2",
        "key_2",
        "version_2",
        "person",
        "case_number",
    ]
    .map(str::to_owned)
    .to_vec();
    heading.extend(SHOWN.iter().flat_map(|field| [format!("{field}_1"), format!("{field}_2")]));
    let last = [
        "differences",
        "centre_reason",
        "signature",
        "resolution",
        "others_1",
        "others_2",
        "against",
        "answers",
        "decision",
        "reason",
    ];
    heading.extend(last.map(str::to_owned));
    let heading: Vec<String> = heading.iter().map(|column| table_file::heading_of(lang, column)).collect();
    let rows: Vec<Vec<String>> = questions.iter().map(|question| row(question, numbered, lang)).collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    table_file::write(path, &heading, &rows)
}

fn row(question: &Question, numbered: bool, lang: Lang) -> Vec<String> {
    let Question { one, other, person, .. } = question;
    let mut row = vec![
        if numbered { question.review.to_string() } else { String::new() },
        code_in(lang, "question", &question.kind),
        code_in(lang, "review", &question.why),
        one.centre.clone(),
        one.key.clone(),
        one.version.clone(),
        other.centre.clone(),
        other.key.clone(),
        other.version.clone(),
    ];
    let whose = person.as_ref().map(|person| [person.uid.clone(), person.case_number.clone()]);
    row.extend(whose.unwrap_or_default());
    let value = |side: &Side, field: &str| {
        side.values.get(field).map(|value| shown(lang, field, value)).unwrap_or_default()
    };
    row.extend(SHOWN.iter().flat_map(|field| [value(one, field), value(other, field)]));
    row.push(question.differences.iter().map(|one| one.words(lang)).collect::<Vec<_>>().join("; "));
    row.push(question.centre_reason.clone().unwrap_or_default());
    row.push(signature(question, lang).join("; "));
    row.push(question.resolution.as_ref().map(|proposed| proposed.words(lang)).unwrap_or_default());
    row.extend(
        [one, other]
            .map(|side| side.others.iter().map(|other| other.words(lang)).collect::<Vec<_>>().join("; ")),
    );
    row.push(question.against.as_ref().map(|against| against.words(lang)).unwrap_or_default());
    row.push(answers(question, lang));
    row.extend([String::new(), String::new()]);
    row
}

/// The words that may answer `question`.
pub fn answers(question: &Question, lang: Lang) -> String {
    let words = question.answers.iter().map(|answer| code_in(lang, "decision", answer));
    words.collect::<Vec<_>>().join(" / ")
}

/// What is signed of `question`, and what has changed since.
pub fn signature(question: &Question, lang: Lang) -> Vec<String> {
    let Some(told) = &question.signature else { return Vec::new() };
    let line = |id: &str, one: &Signature| {
        let at = messages::stored_moment(lang, &one.at);
        let args =
            [("who", one.actor.clone().into()), ("at", at.into()), ("reason", one.reason.clone().into())];
        messages::text(lang, id, &args)
    };
    let mut lines = vec![line("hub-signed-first", &told.first)];
    match &told.second {
        Some(second) => lines.push(line("hub-signed-second", second)),
        None if told.changed.is_empty() => lines.push(messages::text(lang, "hub-signed-waits", &[])),
        None => {
            let changes: Vec<String> = told.changed.iter().map(|one| one.words(lang)).collect();
            lines.push(messages::text(lang, "hub-signed-changed", &[("changes", changes.join("; ").into())]));
        }
    }
    lines
}

/// What a code says to staff; in English it stays itself, as scripts know it.
fn code_in(lang: Lang, group: &str, code: &str) -> String {
    if lang == Lang::En { code.to_owned() } else { messages::word(lang, group, code) }
}

impl Difference {
    /// The field with what stands and what the centre says.
    pub fn words(&self, lang: Lang) -> String {
        let text = |value: &Option<String>| match value {
            Some(value) => shown(lang, &self.field, value),
            None => "—".to_owned(),
        };
        let field = table_file::heading_of(lang, &self.field);
        format!("{field}: {} → {}", text(&self.stands), text(&self.wanted))
    }
}

/// The error for a file that `review list` is to write and that is there already.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::new(Exit::Refused, "hub-exists").told("file", path.display()));
    }
    Ok(())
}
