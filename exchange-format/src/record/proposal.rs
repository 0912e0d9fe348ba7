//! A centre's wish that locked values be changed, or an edit that raced a lock (FORMAT.md §Locks).

use super::{
    Field, Kind, KindSchema, Lines, Owner,
    Type::{Code, Id, Text, Token, Whole},
};

/// `based_on` is the publication's version that the centre saw, or, for an edit that raced the lock, absent.
/// Lines name the fields and the wished values; a line without a value wishes the field away.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Proposal,
    name: "proposal",
    owner: Owner::Centre,
    table: None,
    fields: &[
        Field::required("target_kind", Code(&["person", "programme", "supplement", "need_decision"])),
        Field::required("target", Id),
        Field::optional("based_on", Whole(u32::MAX as u64)),
        Field::optional("reason", Text(1000)),
    ],
    lines: Some(Lines {
        table: None,
        fields: &[
            Field::required("no", Whole(9999)),
            Field::required("field", Token),
            Field::optional("line_no", Whole(9999)),
            Field::optional("value", Text(1000)),
        ],
    }),
};
