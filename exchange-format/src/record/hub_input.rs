//! An input of the hub (decision, correction, confirmation, enrolment) or a value that it generated (uid, case
//! number, automatic link with its engine), in the numbered stream hub→hub from which the hub can be rebuilt.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Id, Instant, Text, Token},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::HubInput,
    name: "hub_input",
    owner: Owner::HubOnly,
    table: None,
    fields: &[
        Field::required("at", Instant),
        Field::required("actor", Token),
        Field::required("action", Token),
        Field::optional("subject_kind", Token),
        Field::optional("subject", Id),
        Field::optional("other", Id),
        Field::optional("centre", Token),
        Field::optional("field", Token),
        Field::optional("value", Text(4000)),
        Field::optional("reason", Text(1000)),
        Field::optional("engine", Token),
    ],
    lines: None,
};
