//! Records: what packets carry (FORMAT.md §Records).
//!
//! A kind is one file here: a static [`KindSchema`] that drives reading, writing, checking and the columns
//! of a centre's tables. Adding a kind is adding a file and naming it in [`Kind`].
//!
//! `schema` what a kind consists of · [`body`] the values of one record · `xml` its canonical bytes,
//! `canonical` read quickly · `line` a record with its envelope, as it stands in a packet · `id` keys.

mod body;
mod canonical;
mod contact;
mod contract;
mod hub_input;
mod id;
mod line;
mod link;
mod need_decision;
mod person;
mod programme;
mod programme_claim;
mod proposal;
mod recipient_claim;
mod schema;
mod supplement;
mod supplement_claim;
mod xml;

use std::{fmt, str::FromStr};

pub use self::{
    body::{Body, Line},
    id::{RecordId, RecordIdError},
    line::{Form, LineError, Record, SignatureBytes},
    schema::{Field, FieldProblem, Finding, KindSchema, Lines, Owner, Type},
    xml::BodyError,
};

/// What a record is about. The order is that of the members in a packet: referents come before what
/// refers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A recipient as the coordination centre publishes it.
    Person,
    /// A decision that a person needs social services (442-ФЗ art. 15).
    NeedDecision,
    /// An individual programme, ИППСУ (442-ФЗ art. 16), as published.
    Programme,
    /// A long-term-care supplement to a programme, as published.
    Supplement,
    /// Which published record a centre's claim became part of.
    Link,
    /// What a centre knows of a recipient.
    RecipientClaim,
    /// What a centre knows of a programme drawn up before the exchange, or out of the hub's reach.
    ProgrammeClaim,
    /// What a centre knows of a supplement.
    SupplementClaim,
    /// A contract of social services (442-ФЗ art. 17).
    Contract,
    /// A phone, e-mail or note by which a centre reaches a recipient.
    Contact,
    /// A centre's wish that a locked value be changed.
    Proposal,
    /// An input or a generated value of the hub, in its stream to itself.
    HubInput,
}

impl Kind {
    /// Every kind, in the order of a packet's members.
    pub const ALL: [Self; 12] = [
        Self::Person,
        Self::NeedDecision,
        Self::Programme,
        Self::Supplement,
        Self::Link,
        Self::RecipientClaim,
        Self::ProgrammeClaim,
        Self::SupplementClaim,
        Self::Contract,
        Self::Contact,
        Self::Proposal,
        Self::HubInput,
    ];

    /// What it consists of.
    pub fn schema(self) -> &'static KindSchema {
        match self {
            Self::Person => &person::SCHEMA,
            Self::NeedDecision => &need_decision::SCHEMA,
            Self::Programme => &programme::SCHEMA,
            Self::Supplement => &supplement::SCHEMA,
            Self::Link => &link::SCHEMA,
            Self::RecipientClaim => &recipient_claim::SCHEMA,
            Self::ProgrammeClaim => &programme_claim::SCHEMA,
            Self::SupplementClaim => &supplement_claim::SCHEMA,
            Self::Contract => &contract::SCHEMA,
            Self::Contact => &contact::SCHEMA,
            Self::Proposal => &proposal::SCHEMA,
            Self::HubInput => &hub_input::SCHEMA,
        }
    }

    /// Its name on the wire and in databases: `recipient_claim`.
    pub fn name(self) -> &'static str {
        self.schema().name
    }

    /// Who may write it.
    pub fn owner(self) -> Owner {
        self.schema().owner
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no kind of record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of record in this format")]
pub struct UnknownKind(String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| UnknownKind(text.chars().take(40).collect()))
    }
}
