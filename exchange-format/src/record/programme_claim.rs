//! What a centre knows of an individual programme (ИППСУ): an old one, or one drawn up out of the hub's reach.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Reference, Text, Whole},
};

/// A line is a service of one of the seven kinds (its volume and frequency as written, and structured), a service that
/// the person refused (and signed for), or a recommended provider, as `part` says; without it, a service.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::ProgrammeClaim,
    name: "programme_claim",
    owner: Owner::Centre,
    table: Some("programme"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("number", Text(60)),
        Field::optional("date", Text(40)),
        Field::optional("status", Text(40)),
        Field::optional("form", Text(60)),
        Field::optional("drawn_up", Text(40)),
        Field::optional("application_date", Text(40)),
        Field::optional("valid_until", Text(40)),
        Field::optional("issuer", Text(400)),
        Field::optional("conditions", Text(1000)),
        Field::optional("support_measures", Text(2000)),
        Field::optional("signatory", Text(200)),
        Field::optional("recipient_signed", Text(40)),
        Field::optional("conclusion", Text(200)),
        Field::optional("conclusion_date", Text(40)),
        Field::optional("conclusion_reason", Text(1000)),
    ],
    lines: Some(Lines {
        table: Some("programme_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("part", Text(60)),
            // the law's own names of them have up to 290 characters
            Field::optional("service_kind", Text(400)),
            Field::optional("service_code", Text(60)),
            Field::optional("name", Text(400)),
            Field::optional("volume", Text(60)),
            Field::optional("volume_count", Text(20)),
            Field::optional("volume_unit", Text(40)),
            Field::optional("frequency", Text(200)),
            Field::optional("frequency_count", Text(20)),
            Field::optional("frequency_per", Text(60)),
            Field::optional("valid_from", Text(40)),
            Field::optional("valid_until", Text(40)),
            Field::optional("reason", Text(1000)),
            Field::optional("date", Text(40)),
            Field::optional("recipient_signed", Text(40)),
            Field::optional("address", Text(600)),
            Field::optional("contact", Text(400)),
        ],
    }),
};
