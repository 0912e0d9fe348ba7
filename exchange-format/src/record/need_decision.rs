//! A decision that a person needs social services, or that it does not (442-ФЗ art. 15).

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Codes, Date, Flag, Reference, Text},
};

pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::NeedDecision,
    name: "need_decision",
    owner: Owner::Hub,
    table: Some("need_decision"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::Person])),
        Field::required("number", Text(60)),
        Field::required("date", Date),
        Field::required("outcome", Code(&["recognised", "refused"])),
        Field::optional("reason", Text(1000)),
        Field::optional("form", Codes(&["home", "semi-residential", "residential"])),
        Field::optional(
            "grounds",
            Codes(&["15.1.1", "15.1.2", "15.1.3", "15.1.4", "15.1.5", "15.1.6", "15.1.7", "15.1.8"]),
        ),
        // The regional sub-code of ground 8.
        Field::optional("grounds_regional", Text(60)),
        Field::optional("care_level", Code(&["1", "2", "3"])),
        Field::optional("application_date", Date),
        Field::optional("channel", Text(60)),
        Field::optional("urgent", Flag),
        Field::optional("issuer", Text(400)),
        Field::optional("signatory", Text(200)),
    ],
    lines: None,
};
