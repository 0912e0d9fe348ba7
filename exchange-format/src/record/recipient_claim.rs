//! What a centre knows of a recipient, as its clerks typed it (442-ФЗ art. 26): lenient, the hub normalises.

use super::{Field, Kind, KindSchema, Owner, Type::Text};

/// Fields are named as the recipient's in the glossary; everything may be mistyped, so everything is text.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::RecipientClaim,
    name: "recipient_claim",
    owner: Owner::Centre,
    table: Some("recipient"),
    fields: &[
        Field::required("surname", Text(200)),
        Field::optional("given", Text(200)),
        Field::optional("patronymic", Text(200)),
        Field::optional("birth_date", Text(40)),
        Field::optional("birth_place", Text(400)),
        Field::optional("sex", Text(20)),
        Field::optional("snils", Text(40)),
        Field::optional("oms_policy", Text(60)),
        Field::optional("identity_doc_code", Text(10)),
        Field::optional("identity_doc_series", Text(40)),
        Field::optional("identity_doc_number", Text(60)),
        Field::optional("identity_doc_issued", Text(40)),
        Field::optional("identity_doc_issuer", Text(400)),
        Field::optional("identity_doc_department", Text(20)),
        Field::optional("address_reg", Text(600)),
        Field::optional("address_live", Text(600)),
        Field::optional("oktmo", Text(20)),
        Field::optional("phone", Text(200)),
        Field::optional("email", Text(200)),
        Field::optional("workplace", Text(400)),
        Field::optional("citizenship", Text(60)),
        Field::optional("category", Text(400)),
        Field::optional("disability_group", Text(60)),
        Field::optional("disability_from", Text(40)),
        Field::optional("disability_until", Text(40)),
        Field::optional("representative", Text(400)),
        Field::optional("capacity", Text(60)),
        Field::optional("status", Text(40)),
        Field::optional("status_date", Text(40)),
    ],
    lines: None,
    check: |_, _| {},
};
