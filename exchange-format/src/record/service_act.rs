//! A statement of services rendered under a contract (акт оказанных услуг). Sums in kopecks.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Date, Reference, Text, Whole},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::ServiceAct,
    name: "service_act",
    owner: Owner::Centre,
    table: Some("service_act"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("contract", Reference(&[Kind::Contract])),
        Field::optional("plan_report", Reference(&[Kind::PlanReport])),
        Field::required("number", Text(60)),
        Field::required("date", Date),
        Field::optional("period_from", Date),
        Field::optional("period_until", Date),
        Field::optional("total", Whole(100_000_000_000)),
        Field::optional("charged", Whole(100_000_000_000)),
        Field::optional("funding", Text(200)),
        Field::optional("provider", Text(400)),
        Field::optional("signatory", Text(200)),
        Field::optional("recipient_signed", Date),
    ],
    lines: Some(Lines {
        table: Some("service_act_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("service_code", Text(60)),
            Field::required("name", Text(400)),
            Field::optional("unit", Text(100)),
            Field::optional("quantity", Whole(99_999)),
            Field::optional("tariff", Whole(100_000_000_000)),
            Field::optional("amount", Whole(100_000_000_000)),
        ],
    }),
};
