//! A long-term-care supplement (дополнение к ИППСУ, СДУ) as the coordination centre publishes it.

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Code, Codes, Date, Reference, Text, Token, Whole},
};

/// `level_hours` is section 2, the hours a week of the level; `weekly_minutes` section 3, what is assigned. Lines of section 4 are the weekly grid: how often on each weekday, `unit_minutes` each time; section 5 is
/// what informal carers guarantee, section 6 what is not required. Lines of section 4.2 are the visits, a row each of a
/// day's at most three: `1` on the weekdays on which somebody comes. A service of section 4 that is not done every week
/// names the `weeks` of the calculated month (5 + 7 + 7 + 7 + 4 days): twice a month 2 and 4, once a month 3.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Supplement,
    name: "supplement",
    owner: Owner::Hub,
    table: Some("supplement"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::Person])),
        Field::optional("programme", Reference(&[Kind::Programme])),
        Field::required("number", Text(60)),
        Field::required("date", Date),
        Field::optional("status", Text(40)),
        Field::optional("model", Token),
        Field::optional("care_level", Code(&["1", "2", "3"])),
        Field::optional("level_hours", Whole(168)),
        Field::optional("weekly_minutes", Whole(10_080)),
        Field::optional("days_per_week", Whole(7)),
        Field::optional("week_1", Whole(10_080)),
        Field::optional("week_2", Whole(10_080)),
        Field::optional("week_3", Whole(10_080)),
        Field::optional("week_4", Whole(10_080)),
        Field::optional("week_5", Whole(10_080)),
        Field::optional("month_minutes", Whole(44_640)),
        Field::optional("month_services", Whole(9999)),
        Field::optional("valid_from", Date),
        Field::optional("valid_until", Date),
        Field::optional("conditions", Text(1000)),
        Field::optional("provider", Text(400)),
        Field::optional("issuer", Text(400)),
        Field::optional("signatory", Text(200)),
        Field::optional("recipient_signed", Date),
    ],
    lines: Some(Lines {
        table: Some("supplement_line"),
        fields: &[
            Field::required("no", Whole(9999)),
            Field::required("section", Code(&["4.2", "4", "5", "6"])),
            Field::optional("service_code", Text(60)),
            Field::required("name", Text(400)),
            Field::optional("unit_minutes", Whole(1440)),
            Field::optional("mon", Whole(99)),
            Field::optional("tue", Whole(99)),
            Field::optional("wed", Whole(99)),
            Field::optional("thu", Whole(99)),
            Field::optional("fri", Whole(99)),
            Field::optional("sat", Whole(99)),
            Field::optional("sun", Whole(99)),
            Field::optional("weeks", Codes(&["1", "2", "3", "4", "5"])),
            Field::optional("guarantor", Text(400)),
            Field::optional("guarantor_status", Text(200)),
        ],
    }),
};
