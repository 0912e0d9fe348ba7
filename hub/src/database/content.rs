//! What this hub knows, as one digest: equal in two databases that know the same, whatever was told when.

use exchange_format::position::Digest;
use sha2::{Digest as _, Sha256};

use super::{Result, Tx};

/// What the digest covers: rows as JSON, in the order of their keys. Row numbers of one database are left out, and what
/// follows from the rest: indexes, questions' evidence, what is to be published and was not yet sealed.
const COVERED: [(&str, &str); 13] = [
    (
        "centre",
        "SELECT json_array(code, name, card, fingerprint, password, state, merged, added_at, certificate)
         FROM centre ORDER BY code",
    ),
    (
        "received",
        "SELECT json_array(origin, kind, key, version, form, sha256, outcome, rule, packet, in_digest, state,
           basis_version, CAST(basis AS TEXT)) FROM received ORDER BY origin, kind, key",
    ),
    ("person", "SELECT json_array(uid, case_number, merged_into, serial) FROM person ORDER BY uid"),
    (
        "person_record",
        "SELECT json_array(origin, kind, key, uid, rule, home) FROM person_record ORDER BY origin, kind, key",
    ),
    ("document", "SELECT json_array(uid, kind, person, number_date, joined_into) FROM document ORDER BY uid"),
    (
        "hub_entry",
        "SELECT json_array(uid, field, value, reason, actor, at) FROM hub_entry ORDER BY uid, field",
    ),
    (
        "drawn",
        "SELECT json_array(key, kind, id, person, mark, CAST(body AS TEXT), reason, actor, at) FROM drawn ORDER BY key",
    ),
    ("service", "SELECT json_array(centre, uid, reason, actor, at) FROM service ORDER BY centre, uid"),
    ("model", "SELECT json_array(n, name, text, reason, actor, at) FROM model ORDER BY n"),
    (
        "staff_decision",
        "SELECT json_array(n, kind, origin_1, key_1, origin_2, key_2, decision, reason, actor, at)
         FROM staff_decision ORDER BY n",
    ),
    (
        "review",
        "SELECT json_array(n, kind, reason, origin_1, key_1, origin_2, key_2, state, decision, why, actor,
           opened_at, closed_at, assigned, put_off) FROM review ORDER BY n",
    ),
    (
        "signature",
        "SELECT json_array(review, actor, reason, at, seen, second, second_reason, second_at)
         FROM signature ORDER BY review",
    ),
    (
        "publication",
        "SELECT json_array(centre, kind, key, version, sealed_form, sealed_sha256) FROM publication
         WHERE version > 0 ORDER BY centre, kind, key",
    ),
];

/// What a database knows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Content {
    /// The digest of all.
    #[serde(serialize_with = "as_text")]
    pub digest: Digest,
    /// Of each table how many rows, and their digest: where two differ.
    pub tables: Vec<Covered>,
}

/// A table that the digest covers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Covered {
    /// Its name.
    pub table: &'static str,
    /// How many rows.
    pub rows: u64,
    /// Their digest.
    #[serde(serialize_with = "as_text")]
    pub digest: Digest,
}

fn as_text<S: serde::Serializer>(digest: &Digest, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(digest)
}

impl Tx<'_> {
    /// The digest of what this hub knows. Reads everything.
    pub fn content(&self) -> Result<Content> {
        let mut tables = Vec::new();
        let mut whole = Sha256::new();
        for (table, sql) in COVERED {
            let (mut hash, mut rows) = (Sha256::new(), 0);
            let mut statement = self.db.prepare_cached(sql)?;
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                hash.update(row.get_ref(0)?.as_str().unwrap_or_default());
                hash.update(b"\n");
                rows += 1;
            }
            let digest = Digest::from_bytes(hash.finalize().into());
            whole.update(format!("{table} {rows} {digest}\n"));
            tables.push(Covered { table, rows, digest });
        }
        Ok(Content { digest: Digest::from_bytes(whole.finalize().into()), tables })
    }
}
