//! A needs assessment: the questionnaire (анкета-опросник) as it was filled in, and what the expert concluded.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Code, Codes, Date, Flag, Reference, Text, Token, Whole},
};

/// Questions, answers, points and bands are those of `model`, a versioned data file (`crate::lists`), never of the program: regions
/// have their own. A line is one answer: `answer` is `POINT_VALUE`, `points` its point part, `provenance` on what it rests.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Assessment,
    name: "assessment",
    owner: Owner::Hub,
    table: Some("assessment"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::Person])),
        // The head of the form: литера, number, year.
        Field::optional("litera", Text(4)),
        Field::optional("number", Text(20)),
        Field::optional("year", Whole(2999)),
        Field::required("model", Token),
        Field::required("date", Date),
        Field::optional("application_date", Date),
        Field::optional("decision_date", Date),
        Field::optional("next_date", Date),
        Field::optional("assessors", Text(400)),
        Field::optional("signed_by", Code(&["citizen", "representative"])),
        Field::optional("representative_document", Text(400)),
        Field::optional("residents", Whole(99)),
        Field::optional("co_residents", Whole(99)),
        Field::optional("lives_alone", Flag),
        // The conclusions: points, level of care (0: none), grounds, form, hours, conditions.
        Field::optional("total", Whole(9999)),
        Field::optional("level", Code(&["0", "1", "2", "3"])),
        Field::optional("recognised", Flag),
        Field::optional(
            "grounds",
            Codes(&["15.1.1", "15.1.2", "15.1.3", "15.1.4", "15.1.5", "15.1.6", "15.1.7", "15.1.8"]),
        ),
        Field::optional("form", Code(&["home", "semi-residential", "residential"])),
        Field::optional("weekly_minutes", Whole(10_080)),
        Field::optional("conditions", Text(2000)),
        Field::optional("care_services", Text(1000)),
        Field::optional("locked", Flag),
    ],
    lines: Some(Lines {
        table: Some("assessment_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::required("block", Token),
            Field::required("question", Token),
            Field::optional("answer", Token),
            Field::optional("points", Whole(999)),
            Field::optional("text", Text(1000)),
            Field::optional("provenance", Code(&["documents", "words"])),
            Field::optional("document", Text(400)),
        ],
    }),
};
