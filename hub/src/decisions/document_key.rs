//! By what a programme or supplement is told apart from others of its person: its number and date (docs/adr/0029).

use exchange_format::{
    record::{Body, RecordId},
    rules,
};

/// What makes two claims of one person the same document: its number and date.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentKey(String);

impl DocumentKey {
    /// The key of a programme or supplement claim; `None` of one that cannot be published: without a number or a date, or with
    /// a line of which nobody can tell what it means.
    pub fn of(claim: &Body) -> Option<Self> {
        if rules::unpublished_document(claim).is_some() {
            return None;
        }
        rules::document_name(claim).map(|(number, date)| Self(format!("{number}|{date}")))
    }

    /// The key of `claim` alone: another paper of its centre has the same number and date, and says something else.
    #[must_use]
    pub fn apart(&self, claim: RecordId) -> Self {
        Self(format!("{}|{claim}", self.0))
    }

    /// Whether a document that is stored under `stored`, by this program or one before it, has this number and date; also one that
    /// stands apart.
    pub fn is_of(&self, stored: &str) -> bool {
        if stored.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('|')) {
            return true;
        }
        let mut parts = stored.splitn(3, '|');
        let (Some(number), Some(date)) = (parts.next(), parts.next()) else { return false };
        let folded = rules::paper_number_again(number, date.parse().ok());
        folded.is_some_and(|number| self.0 == format!("{number}|{date}"))
    }

    /// The keys under which programs before this one stored `claim`.
    pub fn former(claim: &Body) -> Vec<String> {
        let Some(((_, date), typed)) = rules::document_name(claim).zip(claim.text("number")) else {
            return Vec::new();
        };
        let read = rules::paper_number_again(typed, Some(date)).into_iter();
        read.chain([rules::former_number(typed)]).map(|number| format!("{number}|{date}")).collect()
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DocumentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}
