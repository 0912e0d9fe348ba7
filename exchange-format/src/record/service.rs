//! A social service of the region's directory (442-ФЗ art. 20; the list is the region's own law, art. 8).

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Codes, Date, Flag, Reference, Text, Token, Whole},
};

/// Never deleted: what is no longer rendered gets `valid_until`. Norms in minutes, tariffs in kopecks. Services of long-term care
/// bear `care`; of one `action` the replacing and the assisting `variant` exclude each other on a day.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Service,
    name: "service",
    owner: Owner::Hub,
    table: Some("service"),
    fields: &[
        Field::required("code", Text(60)),
        Field::required("name", Text(400)),
        Field::optional("parent", Reference(&[Kind::Service])),
        Field::optional("service_kind", Code(&["1", "2", "3", "4", "5", "6", "7", "8"])),
        Field::optional("forms", Codes(&["home", "semi-residential", "residential"])),
        Field::optional("unit", Text(100)),
        Field::optional("time_norm", Whole(1440)),
        Field::optional("frequency_count", Whole(999)),
        Field::optional("frequency_per", Code(&["day", "week", "month", "year", "on_demand"])),
        Field::optional("tariff", Whole(100_000_000_000)),
        Field::optional("care", Flag),
        Field::optional("action", Token),
        Field::optional("variant", Code(&["replace", "assist"])),
        Field::optional("category", Text(200)),
        Field::optional("description", Text(2000)),
        Field::optional("legal_act", Text(400)),
        Field::optional("valid_from", Date),
        Field::optional("valid_until", Date),
    ],
    lines: None,
};
