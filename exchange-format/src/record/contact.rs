//! How a centre reaches a recipient. Each centre has its own; they stand side by side at the hub.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Reference, Text},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Contact,
    name: "contact",
    owner: Owner::Centre,
    table: Some("contact"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("type", Text(40)),
        Field::optional("value", Text(400)),
        Field::optional("note", Text(1000)),
    ],
    lines: None,
};
