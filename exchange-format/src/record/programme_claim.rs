//! What a centre knows of an individual programme (ИППСУ): an old one, or one drawn up out of the hub's reach.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Reference, Text, Whole},
};

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
        Field::optional("valid_until", Text(40)),
        Field::optional("issuer", Text(400)),
        Field::optional("conditions", Text(1000)),
    ],
    lines: Some(Lines {
        table: Some("programme_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("service_kind", Text(20)),
            Field::optional("service_code", Text(60)),
            Field::optional("name", Text(400)),
            Field::optional("volume", Text(60)),
            Field::optional("frequency", Text(200)),
            Field::optional("valid_from", Text(40)),
            Field::optional("valid_until", Text(40)),
        ],
    }),
    check: |_, _| {},
};
