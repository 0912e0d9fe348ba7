//! An act of urgent social services (442-ФЗ art. 21): rendered at once, without programme and contract.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Date, Reference, Text, Whole},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::UrgentAct,
    name: "urgent_act",
    owner: Owner::Centre,
    table: Some("urgent_act"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::required("number", Text(60)),
        Field::required("date", Date),
        Field::optional("request_date", Date),
        Field::optional("provider", Text(400)),
        Field::optional("conditions", Text(1000)),
        Field::optional("reason", Text(1000)),
        Field::optional("signatory", Text(200)),
        Field::optional("recipient_signed", Date),
    ],
    lines: Some(Lines {
        table: Some("urgent_act_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("service_code", Text(60)),
            Field::required("name", Text(400)),
            Field::optional("quantity", Whole(99_999)),
            Field::optional("date", Date),
            Field::optional("place", Text(600)),
        ],
    }),
};
