//! A scan or other file that belongs to a record: known by the SHA-256 of its bytes, never changed.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Base64, Date, Digest, Reference, Text, Whole},
};

/// The bytes travel in `content`, if they are few (384 KiB), or are kept elsewhere under `location`; they are the same file if their
/// hash is. Either side may attach: it is its author's for ever.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Attachment,
    name: "attachment",
    owner: Owner::Author,
    table: Some("attachment"),
    fields: &[
        Field::optional("recipient", Reference(&[Kind::RecipientClaim, Kind::Person])),
        Field::optional("programme", Reference(&[Kind::ProgrammeClaim, Kind::Programme])),
        Field::optional("supplement", Reference(&[Kind::SupplementClaim, Kind::Supplement])),
        Field::optional("contract", Reference(&[Kind::Contract])),
        Field::optional("assessment", Reference(&[Kind::Assessment])),
        Field::optional("service_act", Reference(&[Kind::ServiceAct])),
        Field::required("title", Text(200)),
        Field::required("media_type", Text(100)),
        Field::required("size", Whole(1_000_000_000_000)),
        Field::required("sha256", Digest),
        Field::optional("created", Date),
        Field::optional("location", Text(400)),
        Field::optional("content", Base64(393_216)),
    ],
    lines: None,
};
