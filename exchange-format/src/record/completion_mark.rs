//! A provider's mark on a service of a programme: done, partly, or not done and why (442-ФЗ art. 16).

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Date, Reference, Text, Whole},
};

/// The mark of a line of the programme, by its `line_no`, or of the whole programme if that is absent. The centre drafts the
/// conclusion on a programme in this way; the hub's is final.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::CompletionMark,
    name: "completion_mark",
    owner: Owner::Centre,
    table: Some("completion_mark"),
    fields: &[
        Field::required("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::required("programme", Reference(&[Kind::ProgrammeClaim, Kind::Programme])),
        Field::optional("line_no", Whole(9999)),
        Field::optional("service_code", Text(60)),
        Field::optional("name", Text(400)),
        Field::required("date", Date),
        Field::optional("period_from", Date),
        Field::optional("period_until", Date),
        Field::required("mark", Code(&["done", "partly", "not_done"])),
        Field::optional("volume", Text(60)),
        Field::optional("reason", Text(1000)),
        Field::optional("marked_by", Text(200)),
    ],
    lines: None,
};
