//! An individual programme of social services (ИППСУ, 442-ФЗ art. 16) as the coordination centre publishes it.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Code, Date, Reference, Text, Whole},
};

/// A line is a service (of the kinds 1–7; rule P06 refuses the eighth, that of urgent ones; its volume and frequency as written, and structured), a care service of the newer form's table 10.1 (`care`), a service that
/// the person refused (and signed for), or a recommended provider, as `part` says; without it, a service.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Programme,
    name: "programme",
    owner: Owner::Hub,
    table: Some("programme"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::Person])),
        Field::required("number", Text(60)),
        Field::required("date", Date),
        Field::optional("status", Text(40)),
        Field::optional("form", Code(&["home", "semi-residential", "residential"])),
        Field::optional("drawn_up", Code(&["first", "repeated", "next"])),
        Field::optional("application_date", Date),
        Field::optional("valid_until", Date),
        Field::optional("issuer", Text(400)),
        Field::optional("conditions", Text(1000)),
        Field::optional("support_measures", Text(2000)),
        Field::optional("signatory", Text(200)),
        Field::optional("recipient_signed", Date),
        Field::optional("conclusion", Code(&["done", "partly", "not_done"])),
        Field::optional("conclusion_date", Date),
        Field::optional("conclusion_reason", Text(1000)),
    ],
    lines: Some(Lines {
        table: Some("programme_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::optional("part", Code(&["service", "care", "refusal", "provider"])),
            Field::optional("service_kind", Code(&["1", "2", "3", "4", "5", "6", "7", "8"])),
            Field::optional("service_code", Text(60)),
            Field::required("name", Text(400)),
            Field::optional("volume", Text(60)),
            Field::optional("volume_count", Whole(99_999)),
            Field::optional("volume_unit", Text(40)),
            Field::optional("frequency", Text(200)),
            Field::optional("frequency_count", Whole(999)),
            Field::optional("frequency_per", Code(&["day", "week", "month", "year", "on_demand"])),
            Field::optional("valid_from", Date),
            Field::optional("valid_until", Date),
            Field::optional("reason", Text(1000)),
            Field::optional("date", Date),
            Field::optional("recipient_signed", Date),
            Field::optional("address", Text(600)),
            Field::optional("contact", Text(400)),
        ],
    }),
};
