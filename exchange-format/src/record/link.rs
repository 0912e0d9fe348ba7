//! Which published record a centre's claim became part of. Its key is the claim's key.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Flag, Id, Ids, Text, Whole},
};

/// So many former targets are named at most, the last ones.
pub const MOST_SUPERSEDED: usize = 100;

/// Flat: a claim points to its published record, never to another claim. Of several claims of one centre
/// with the same target exactly one is `primary`; the others are its aliases. `as_typed` names the fields of the
/// claim, separated by spaces, that its row goes on showing as its centre sent them: the hub says nothing there.
/// `supersedes` names the published records that the claim was taken for before, the oldest first: by it a correction is
/// known as one.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Link,
    name: "link",
    owner: Owner::Hub,
    table: None,
    fields: &[
        Field::required("claim_kind", Code(&["recipient_claim", "programme_claim", "supplement_claim"])),
        Field::required("claim", Id),
        Field::required("target", Id),
        Field::required("primary", Flag),
        Field::required("based_on", Whole(u32::MAX as u64)),
        Field::optional("as_typed", Text(4000)),
        Field::optional("supersedes", Ids(MOST_SUPERSEDED)),
    ],
    lines: None,
};
