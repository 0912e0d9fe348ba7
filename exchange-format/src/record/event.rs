//! Something that changes care: refusal of a service, death, move, hospital. The hub redraws the programme or closes it.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Date, Reference, Text},
};

/// `until` is the end of a stay in hospital or of a temporary move.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Event,
    name: "event",
    owner: Owner::Centre,
    table: Some("event"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("programme", Reference(&[Kind::ProgrammeClaim, Kind::Programme])),
        Field::required("type", Code(&["refusal", "death", "move", "hospital"])),
        Field::required("date", Date),
        Field::optional("until", Date),
        Field::optional("service_code", Text(60)),
        Field::optional("name", Text(400)),
        Field::optional("place", Text(600)),
        Field::optional("reason", Text(1000)),
        Field::optional("document", Text(400)),
        Field::optional("note", Text(1000)),
    ],
    lines: None,
};
