//! What a centre knows of a recipient, as its clerks typed it (442-ФЗ art. 26): lenient, the hub normalises.

use super::{Field, Kind, KindSchema, Owner, Type::Text};

/// Fields are named as the recipient's in the glossary; everything may be mistyped, so everything is text.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::RecipientClaim,
    name: "recipient_claim",
    owner: Owner::Centre,
    table: Some("recipient"),
    fields: fields_with_addresses!([
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
    ] "address_reg" "address_live";
        Field::optional("oktmo", Text(20)),
        Field::optional("phone", Text(200)),
        Field::optional("email", Text(200)),
        Field::optional("workplace", Text(400)),
        Field::optional("citizenship", Text(60)),
        Field::optional("citizenship_country", Text(100)),
        Field::optional("language_native", Text(60)),
        Field::optional("language_preferred", Text(60)),
        // Regional benefit categories, one after another with a semicolon between.
        Field::optional("category", Text(400)),
        Field::optional("disability_group", Text(60)),
        Field::optional("disability_from", Text(40)),
        Field::optional("disability_until", Text(40)),
        Field::optional("disability_reason", Text(200)),
        Field::optional("disability_document", Text(200)),
        // Per-capita income and the threshold of free service (442-ФЗ art. 31), in kopecks.
        Field::optional("income_amount", Text(20)),
        Field::optional("income_as_of", Text(40)),
        Field::optional("income_threshold", Text(20)),
        // Up to three: both parents, a guardian, somebody by power of attorney.
        Field::optional("representative", Text(400)),
        Field::optional("representative_kind", Text(60)),
        Field::optional("representative_document", Text(400)),
        Field::optional("representative_phone", Text(200)),
        Field::optional("representative_2", Text(400)),
        Field::optional("representative_2_kind", Text(60)),
        Field::optional("representative_2_document", Text(400)),
        Field::optional("representative_2_phone", Text(200)),
        Field::optional("representative_3", Text(400)),
        Field::optional("representative_3_kind", Text(60)),
        Field::optional("representative_3_document", Text(400)),
        Field::optional("representative_3_phone", Text(200)),
        Field::optional("capacity", Text(60)),
        Field::optional("status", Text(40)),
        Field::optional("status_date", Text(40)),
    ),
    lines: None,
};
