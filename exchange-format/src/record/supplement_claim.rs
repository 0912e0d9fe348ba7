//! What a centre knows of a long-term-care supplement (дополнение СДУ) with its weekly grid.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Reference, Text, Whole},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::SupplementClaim,
    name: "supplement_claim",
    owner: Owner::Centre,
    table: Some("supplement"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("programme", Reference(&[Kind::ProgrammeClaim, Kind::Programme])),
        Field::optional("number", Text(60)),
        Field::optional("date", Text(40)),
        Field::optional("status", Text(40)),
        Field::optional("care_level", Text(20)),
        Field::optional("weekly_minutes", Text(20)),
        Field::optional("days_per_week", Text(20)),
        Field::optional("valid_from", Text(40)),
        Field::optional("valid_until", Text(40)),
    ],
    lines: Some(Lines {
        table: Some("supplement_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("section", Text(20)),
            Field::optional("service_code", Text(60)),
            Field::optional("name", Text(400)),
            Field::optional("unit_minutes", Text(20)),
            Field::optional("mon", Text(20)),
            Field::optional("tue", Text(20)),
            Field::optional("wed", Text(20)),
            Field::optional("thu", Text(20)),
            Field::optional("fri", Text(20)),
            Field::optional("sat", Text(20)),
            Field::optional("sun", Text(20)),
            Field::optional("guarantor", Text(400)),
        ],
    }),
    check: |_, _| {},
};
