//! A recipient as the coordination centre publishes it (442-ФЗ art. 26). The key of a person is its `uid`.

use super::{
    Field, Kind, KindSchema, Owner,
    Type::{Code, Date, Snils, Text, Whole},
};

/// The claim's fields with the hub's values, and the case number. Dates and codes are strict here.
pub(super) static SCHEMA: KindSchema = KindSchema {
    kind: Kind::Person,
    name: "person",
    owner: Owner::Hub,
    table: Some("recipient"),
    fields: fields_with_addresses!([
        Field::required("case_number", Text(40)),
        Field::required("surname", Text(200)),
        Field::optional("given", Text(200)),
        Field::optional("patronymic", Text(200)),
        Field::optional("birth_date", Date),
        Field::optional("birth_place", Text(400)),
        Field::optional("sex", Code(&["М", "Ж"])),
        Field::optional("snils", Snils),
        Field::optional("oms_policy", Text(60)),
        Field::optional("identity_doc_code", Text(10)),
        Field::optional("identity_doc_series", Text(40)),
        Field::optional("identity_doc_number", Text(60)),
        Field::optional("identity_doc_issued", Date),
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
        Field::optional("disability_group", Code(&["1", "2", "3", "ребёнок-инвалид"])),
        Field::optional("disability_from", Date),
        Field::optional("disability_until", Text(40)),
        Field::optional("disability_reason", Text(200)),
        Field::optional("disability_document", Text(200)),
        // Per-capita income and the threshold of free service (442-ФЗ art. 31), in kopecks.
        Field::optional("income_amount", Whole(10_000_000_000)),
        Field::optional("income_as_of", Date),
        Field::optional("income_threshold", Whole(10_000_000_000)),
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
        Field::optional("capacity", Code(&["дееспособен", "ограничен", "недееспособен"])),
        Field::optional("status", Code(&["active", "suspended", "left", "dead"])),
        Field::optional("status_date", Date),
    ),
    lines: None,
};
