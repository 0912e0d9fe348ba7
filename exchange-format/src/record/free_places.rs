//! Free places as a centre counts them itself, by form of service: the register's card of the provider says what was, this what
//! is (442-ФЗ art. 25).

use super::{
    Field, FieldProblem, Finding, Kind, KindSchema, Owner,
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
    check: |body, findings| {
        let number = |field| body.text(field).and_then(|text| text.parse::<u64>().ok());
        if let (Some(total), Some(free)) = (number("total"), number("free"))
            && free > total
        {
            let problem = FieldProblem::Rule(crate::answer::Text {
                ru: "больше, чем мест всего",
                en: "is more than there are places",
            });
            findings.push(Finding { field: "free", line: None, problem });
        }
    },
};
