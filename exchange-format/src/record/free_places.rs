//! Free places as a centre counts them itself, by form of service: the register's card of the provider says what was, this what
//! is (442-ФЗ art. 25).

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Date, Text, Whole},
};

/// `total` and `free` places of a `form` on a day. A later day is another record, or a later version of the same.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::FreePlaces,
    name: "free_places",
    owner: Owner::Centre,
    table: Some("free_places"),
    fields: &[
        Field::required("date", Date),
        Field::required("form", Code(&["home", "semi-residential", "residential"])),
        Field::optional("department", Text(400)),
        Field::optional("total", Whole(99_999)),
        Field::required("free", Whole(99_999)),
        Field::optional("note", Text(1000)),
    ],
    lines: None,
};
