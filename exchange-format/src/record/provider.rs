//! A provider of social services: its card in the region's register (442-ФЗ art. 25).

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Code, Codes, Date, Text, Whole},
};

/// What the register states once is in the head. A line is one licence, rendered service with its tariff (kopecks), number of
/// places of a form, inspection, or piece of experience (the last five years), as `part` says.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Provider,
    name: "provider",
    owner: Owner::Hub,
    table: Some("provider"),
    fields: &[
        Field::required("register_number", Text(60)),
        Field::required("full_name", Text(600)),
        Field::optional("short_name", Text(200)),
        Field::optional("registered", Date),
        Field::optional("legal_form", Text(200)),
        Field::optional("inn", Text(20)),
        Field::optional("kpp", Text(20)),
        Field::optional("ogrn", Text(20)),
        Field::optional("okpo", Text(20)),
        Field::optional("oktmo", Text(20)),
        Field::optional("address", Text(600)),
        Field::optional("address_gar", Text(40)),
        Field::optional("address_postal", Text(600)),
        Field::optional("phone", Text(200)),
        Field::optional("email", Text(200)),
        Field::optional("site", Text(200)),
        Field::optional("head", Text(200)),
        Field::optional("forms", Codes(&["home", "semi-residential", "residential"])),
        Field::optional("conditions", Text(4000)),
        Field::optional("bank", Text(600)),
        Field::optional("valid_from", Date),
        Field::optional("valid_until", Date),
        Field::optional("other", Text(4000)),
    ],
    lines: Some(Lines {
        table: Some("provider_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::required(
                "part",
                Code(&["licence", "service", "places", "inspection", "experience", "other"]),
            ),
            Field::optional("form", Code(&["home", "semi-residential", "residential"])),
            Field::optional("service_kind", Code(&["1", "2", "3", "4", "5", "6", "7", "8"])),
            Field::optional("service_code", Text(60)),
            Field::optional("name", Text(600)),
            Field::optional("number", Text(60)),
            Field::optional("date", Date),
            Field::optional("valid_until", Date),
            Field::optional("issuer", Text(400)),
            Field::optional("tariff", Whole(100_000_000_000)),
            Field::optional("total", Whole(99_999)),
            Field::optional("free", Whole(99_999)),
            Field::optional("year", Whole(2999)),
            Field::optional("text", Text(4000)),
        ],
    }),
};
