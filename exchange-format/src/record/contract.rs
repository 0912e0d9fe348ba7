//! A contract of social services (442-ФЗ art. 17): the centre's own business, read by the hub.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Reference, Text, Whole},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Contract,
    name: "contract",
    owner: Owner::Centre,
    table: Some("contract"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("programme", Reference(&[Kind::ProgrammeClaim, Kind::Programme])),
        Field::optional("supplement", Reference(&[Kind::SupplementClaim, Kind::Supplement])),
        Field::optional("number", Text(60)),
        Field::optional("date", Text(40)),
        Field::optional("amendment", Text(60)),
        Field::optional("presented_date", Text(40)),
        Field::optional("form", Text(60)),
        Field::optional("provider", Text(400)),
        Field::optional("start_date", Text(40)),
        Field::optional("end_date", Text(40)),
        Field::optional("price", Text(20)),
        Field::optional("payment_term", Text(400)),
        Field::optional("funding", Text(200)),
        Field::optional("status", Text(40)),
        Field::optional("termination_date", Text(40)),
        Field::optional("termination_reason", Text(400)),
        Field::optional("worker", Text(200)),
        Field::optional("signatory", Text(200)),
    ],
    lines: Some(Lines {
        table: Some("contract_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("service_code", Text(60)),
            Field::optional("name", Text(400)),
            Field::optional("volume", Text(60)),
            Field::optional("unit", Text(100)),
            Field::optional("frequency", Text(200)),
            Field::optional("tariff", Text(20)),
            Field::optional("price", Text(20)),
        ],
    }),
};
