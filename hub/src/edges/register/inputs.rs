//! The hub's inputs and generated values, one record each, so that a rebuild replays and never decides again
//! (exchange §7, Rebuild).

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, Record, RecordId},
};

use super::{Register, RegisterError, new_id};

/// One input. What is `None` is not stated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Input<'a> {
    /// What was done: `person.new`, `link`, `entry`, `confirm`, `decide.pair` …
    pub action: &'a str,
    /// What about: a kind of record and its id.
    pub subject: Option<(&'a str, RecordId)>,
    /// The other id that is involved.
    pub other: Option<RecordId>,
    /// The centre that is involved.
    pub centre: Option<ParticipantCode>,
    /// The field that is involved.
    pub field: Option<&'a str>,
    /// The value entered or generated.
    pub value: Option<&'a str>,
    /// Why, in the operator's words.
    pub reason: Option<&'a str>,
    /// The engine that decided, for automatic links.
    pub engine: Option<&'a str>,
}

impl Register<'_> {
    /// Notes `input` for the stream hub→hub.
    pub fn note(&self, input: &Input<'_>) -> Result<(), RegisterError> {
        let at = self.at();
        let (subject, other) =
            (input.subject.map(|(_, id)| id.to_string()), input.other.map(|id| id.to_string()));
        let fields = [
            ("at", Some(at.as_str())),
            ("actor", Some(self.actor)),
            ("action", Some(input.action)),
            ("subject_kind", input.subject.map(|(kind, _)| kind)),
            ("subject", subject.as_deref()),
            ("other", other.as_deref()),
            ("centre", input.centre.as_ref().map(ParticipantCode::as_str)),
            ("field", input.field),
            ("value", input.value),
            ("reason", input.reason),
            ("engine", input.engine),
        ];
        let mut body = Body::new(Kind::HubInput);
        for (field, value) in fields {
            // a control character in an operator's words must not lose the input
            let clean: String =
                value.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            body.set(field, &clean).expect("control characters were replaced");
        }
        self.tx.add_input(&Record::live(new_id()?, 1, &body), &at, input.action)?;
        Ok(())
    }
}
