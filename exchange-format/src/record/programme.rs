//! An individual programme of social services (ИППСУ, 442-ФЗ art. 16) as the coordination centre publishes it.

use super::{
    Body, Field, FieldProblem, Finding, Kind, KindSchema, Lines, Owner,
    Type::{Code, Date, Reference, Text, Whole},
};

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
        Field::optional("form", Text(60)),
        Field::optional("valid_until", Date),
        Field::optional("issuer", Text(400)),
        Field::optional("conditions", Text(1000)),
    ],
    lines: Some(Lines {
        table: Some("programme_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            // Kinds 1–7 of art. 20; urgent services (8) need no programme.
            Field::optional("service_kind", Code(&["1", "2", "3", "4", "5", "6", "7"])),
            Field::optional("service_code", Text(60)),
            Field::required("name", Text(400)),
            Field::optional("volume", Text(60)),
            Field::optional("frequency", Text(200)),
            Field::optional("valid_from", Text(40)),
            Field::optional("valid_until", Text(40)),
        ],
    }),
    check,
};

/// A programme ends no earlier than it begins (ISO dates order as text).
fn check(body: &Body, findings: &mut Vec<Finding>) {
    if let (Some(date), Some(until)) = (body.text("date"), body.text("valid_until"))
        && until < date
    {
        let problem = FieldProblem::Rule("is before the programme's date");
        findings.push(Finding { field: "valid_until", line: None, problem });
    }
}
