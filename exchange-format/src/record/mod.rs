//! Records: what packets carry (FORMAT.md §Records).
//!
//! A kind is one file here: a static [`KindSchema`] that drives reading, writing, checking and the columns
//! of a centre's tables. Adding a kind is adding a file and naming it in the list of `kinds!`: everything
//! else, here and in the daemons, follows its schema.
//!
//! `schema` what a kind consists of · [`body`] the values of one record · `xml` its canonical bytes,
//! `canonical` read quickly · `line` a record with its envelope, as it stands in a packet · `id` keys.

#[macro_use]
mod address;

mod assessment;
mod attachment;
mod body;
mod canonical;
mod completion_mark;
mod contact;
mod contract;
mod event;
mod free_places;
mod hub_input;
mod id;
mod line;
mod link;
mod need_decision;
mod person;
mod plan_report;
mod programme;
mod programme_claim;
mod proposal;
mod provider;
mod recipient_claim;
mod schema;
mod service;
mod service_act;
mod supplement;
mod supplement_claim;
mod urgent_act;
mod xml;

use std::{fmt, str::FromStr};

pub use self::{
    body::{Body, Line},
    id::{RecordId, RecordIdError},
    line::{Form, LineError, Record, SignatureBytes},
    link::MOST_SUPERSEDED,
    schema::{Field, FieldProblem, Finding, KindSchema, Lines, Owner, Type},
    xml::BodyError,
};

/// Names the kinds once: the enumeration, [`Kind::ALL`] and [`Kind::schema`] come from one list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $file:ident,)*) => {
        /// What a record is about. The order is that of the members in a packet: referents come before what
        /// refers to them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind, in the order of a packet's members.
            pub const ALL: [Self; [$(stringify!($kind)),*].len()] = [$(Self::$kind),*];

            /// What it consists of.
            pub fn schema(self) -> &'static KindSchema {
                match self {
                    $(Self::$kind => &$file::SCHEMA,)*
                }
            }
        }
    };
}

kinds! {
    /// A social service of the region's directory (442-ФЗ art. 20).
    Service = service,
    /// A provider's card in the region's register (442-ФЗ art. 25).
    Provider = provider,
    /// A recipient as the coordination centre publishes it.
    Person = person,
    /// A decision that a person needs social services (442-ФЗ art. 15).
    NeedDecision = need_decision,
    /// A filled-in questionnaire with its conclusions.
    Assessment = assessment,
    /// An individual programme, ИППСУ (442-ФЗ art. 16), as published.
    Programme = programme,
    /// A long-term-care supplement to a programme, as published.
    Supplement = supplement,
    /// Which published record a centre's claim became part of.
    Link = link,
    /// What a centre knows of a recipient.
    RecipientClaim = recipient_claim,
    /// What a centre knows of a programme drawn up before the exchange, or out of the hub's reach.
    ProgrammeClaim = programme_claim,
    /// What a centre knows of a supplement.
    SupplementClaim = supplement_claim,
    /// A contract of social services (442-ФЗ art. 17).
    Contract = contract,
    /// A phone, e-mail or note by which a centre reaches a recipient.
    Contact = contact,
    /// A provider's mark on a service of a programme.
    CompletionMark = completion_mark,
    /// A refusal, a death, a move, a stay in hospital.
    Event = event,
    /// A month's plan and report of the services of one contract.
    PlanReport = plan_report,
    /// A statement of services rendered.
    ServiceAct = service_act,
    /// An act of urgent services (442-ФЗ art. 21).
    UrgentAct = urgent_act,
    /// Free places as a centre counts them itself.
    FreePlaces = free_places,
    /// A scan or other file that belongs to a record.
    Attachment = attachment,
    /// A centre's wish that a locked value be changed.
    Proposal = proposal,
    /// An input or a generated value of the hub, in its stream to itself.
    HubInput = hub_input,
}

impl Kind {
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
