//! What each centre is told: the record as it should be beside the version last sealed.

use std::collections::BTreeSet;

use exchange_format::{
    participant::ParticipantCode,
    position::Digest,
    record::{Form, Kind, Record, RecordId},
};
use rusqlite::{Row, params};

use super::{Result, Tx, parsed};

/// A record of a centre's publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// The version last sealed; 0 if none.
    pub version: u32,
    /// Its form as it should be.
    pub form: Form,
    /// Its body as it should be.
    pub body: Vec<u8>,
    /// SHA-256 of that, as it was noted beside it; of a body that was altered it is another.
    pub hash: Option<Digest>,
    /// Form and hash last sealed.
    pub sealed: Option<(Form, Digest)>,
    /// Whether it is to be sealed: only then it may say something else than was sealed.
    pub is_pending: bool,
}

impl Publication {
    /// Whether it says something that this hub has never drawn up: it was altered past the program.
    pub fn is_altered(&self) -> bool {
        let hash = Digest::of(&self.body);
        self.hash != Some(hash) || !self.is_pending && self.sealed != Some((self.form, hash))
    }
}

/// A publication that is not as the program left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// Of whose file it is; of what is no person's, its own key.
    pub person: RecordId,
}

/// A publication that is to be sealed, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToSeal {
    /// The centre.
    pub centre: ParticipantCode,
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: RecordId,
    /// Of whose file it is; of what is no person's, its own key.
    pub person: RecordId,
    form: String,
    hash: String,
}

/// That a centre is told of a record, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The centre.
    pub centre: ParticipantCode,
    /// The record.
    pub key: RecordId,
    /// `Live`, or no longer.
    pub form: Form,
}

impl Tx<'_> {
    /// Says what `centre` should be told of a record; whether something is to be sealed by that.
    pub fn publish(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
        form: Form,
        body: &[u8],
        person: RecordId,
    ) -> Result<bool> {
        let hash = Digest::of(body).to_string();
        // a row that would stay as it is is not written again
        let state: Option<String> = self.value(
            "INSERT INTO publication(centre, kind, key, sha256, state, form, body, person)
             VALUES(?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, form = excluded.form, body = excluded.body,
               person = excluded.person,
               state = CASE WHEN sealed_sha256 = excluded.sha256 AND sealed_form = excluded.form
                       THEN CASE WHEN state <> 'pending' THEN state
                         WHEN EXISTS (SELECT 1 FROM carried c WHERE c.packet = publication.packet AND c.centre = publication.centre
                           AND c.kind = publication.kind AND c.key = publication.key) THEN 'sealed' ELSE 'applied' END
                       ELSE 'pending' END
             WHERE sha256 <> excluded.sha256 OR form <> excluded.form OR person <> excluded.person
               OR (state = 'pending') = (sealed_sha256 IS excluded.sha256 AND sealed_form IS excluded.form)
             RETURNING state",
            params![
                centre.as_str(),
                kind.name(),
                key.to_string(),
                hash,
                form.name(),
                body,
                person.to_string()
            ],
        )?;
        Ok(state.as_deref() == Some("pending"))
    }

    /// What is published of the file of `person`: centre, kind and key of each live record.
    pub fn published_of(&self, person: RecordId) -> Result<Vec<(ParticipantCode, Kind, RecordId)>> {
        self.rows(
            "SELECT centre, kind, key FROM publication WHERE person = ?1 AND form = 'live'",
            [person.to_string()],
            |row| {
                let centre = parsed(row, "publication", "centre")?;
                Ok((centre, parsed(row, "publication", "kind")?, parsed(row, "publication", "key")?))
            },
        )
    }

    /// Everything that was published of the file of `person` and not forgotten, withdrawn records too.
    pub fn told_of(&self, person: RecordId) -> Result<Vec<Told>> {
        self.rows(
            "SELECT centre, key, form FROM publication WHERE person = ?1 AND kind <> 'link' ORDER BY centre",
            [person.to_string()],
            |row| {
                let centre = parsed(row, "publication", "centre")?;
                let form = parsed(row, "publication", "form")?;
                Ok(Told { centre, key: parsed(row, "publication", "key")?, form })
            },
        )
    }

    /// Ends a record at a centre: withdrawn, or for ever; one that was never sealed is simply forgotten.
    pub fn unpublish(&self, centre: ParticipantCode, kind: Kind, key: RecordId, form: Form) -> Result<()> {
        let place = params![centre.as_str(), kind.name(), key.to_string()];
        let never = "DELETE FROM publication WHERE centre = ?1 AND kind = ?2 AND key = ?3 AND version = 0";
        if self.run(never, place)? == 1 {
            return Ok(());
        }
        let empty = Digest::of(b"").to_string();
        self.run(
            "UPDATE publication SET form = ?4, state = 'pending',
               body = CASE ?4 WHEN 'tombstone' THEN x'' ELSE body END,
               sha256 = CASE ?4 WHEN 'tombstone' THEN ?5 ELSE sha256 END
             WHERE centre = ?1 AND kind = ?2 AND key = ?3 AND form <> ?4",
            params![centre.as_str(), kind.name(), key.to_string(), form.name(), empty],
        )?;
        Ok(())
    }

    /// Whether `centre` is told of the record `key` of one of `kinds`.
    pub fn is_published(&self, centre: ParticipantCode, kinds: &[Kind], key: RecordId) -> Result<bool> {
        for kind in kinds {
            let found: Option<i64> = self.value(
                "SELECT 1 FROM publication WHERE centre = ?1 AND kind = ?2 AND key = ?3",
                params![centre.as_str(), kind.name(), key.to_string()],
            )?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The publication of one record to `centre`.
    pub fn publication(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
    ) -> Result<Option<Publication>> {
        self.row(
            "SELECT * FROM publication WHERE centre = ?1 AND kind = ?2 AND key = ?3",
            params![centre.as_str(), kind.name(), key.to_string()],
            read_publication,
        )
    }

    /// Publications to `centre` whose body is not the one of its hash, or that are not as they were sealed though nothing is to be
    /// sealed of them. Reads all of them.
    pub fn published_altered(&self, centre: ParticipantCode) -> Result<Vec<Altered>> {
        let mut statement = self.db.prepare_cached(
            "SELECT sha256, body, kind, key, person, state <> 'pending' AND (sha256 IS NOT sealed_sha256 OR form IS NOT sealed_form)
             FROM publication WHERE centre = ?1 ORDER BY kind, key",
        )?;
        let (mut rows, mut altered) = (statement.query([centre.as_str()])?, Vec::new());
        while let Some(row) = rows.next()? {
            let hash = Digest::of(row.get_ref(1)?.as_bytes().unwrap_or_default());
            if row.get_ref(0)?.as_str() != Ok(&hash.to_string()) || row.get(5)? {
                altered.push(read_altered(row)?);
            }
        }
        Ok(altered)
    }

    /// Nobody goes by what is to be published of a live record any more: it is worked out anew.
    pub fn forget_published(&self, centre: ParticipantCode, kind: Kind, key: RecordId) -> Result<()> {
        self.run(
            "UPDATE publication SET sha256 = '' WHERE centre = ?1 AND kind = ?2 AND key = ?3 AND form = 'live'",
            params![centre.as_str(), kind.name(), key.to_string()],
        )?;
        Ok(())
    }

    /// What was altered is again as it was sealed, `record`, of the file of `person`.
    pub fn put_back_text(&self, centre: ParticipantCode, record: &Record, person: RecordId) -> Result<()> {
        self.run(
            "UPDATE publication SET body = ?4, person = ?5, sha256 = sealed_sha256, form = CASE WHEN state = 'pending' THEN form ELSE sealed_form END,
               state = CASE WHEN state = 'pending' AND form = sealed_form THEN 'applied' ELSE state END
             WHERE centre = ?1 AND kind = ?2 AND key = ?3",
            params![
                centre.as_str(),
                record.kind.name(),
                record.key.to_string(),
                record.body,
                person.to_string()
            ],
        )?;
        Ok(())
    }

    /// Rows that say that `centre` is told of a record, and stand there by damage alone.
    pub fn strangers(&self, centre: ParticipantCode) -> Result<Vec<Altered>> {
        let sql = format!(
            "SELECT kind, key, person FROM publication p WHERE centre = ?1 AND {STRANGER} ORDER BY kind, key"
        );
        self.rows(&sql, [centre.as_str()], read_altered)
    }

    /// Whether that row is one of [`Tx::strangers`].
    pub fn is_stranger(&self, centre: ParticipantCode, kind: Kind, key: RecordId) -> Result<bool> {
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM publication p WHERE centre = ?1 AND kind = ?2 AND key = ?3 AND {STRANGER})"
        );
        let found = self.value(&sql, params![centre.as_str(), kind.name(), key.to_string()])?;
        Ok(found.unwrap_or(false))
    }

    /// Forgets one of [`Tx::strangers`], of which its centre was never told.
    pub fn drop_stranger(&self, centre: ParticipantCode, kind: Kind, key: RecordId) -> Result<()> {
        self.run(
            "DELETE FROM publication WHERE centre = ?1 AND kind = ?2 AND key = ?3",
            params![centre.as_str(), kind.name(), key.to_string()],
        )?;
        Ok(())
    }

    /// Of whose file the publication of one record to `centre` is.
    pub fn publication_person(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
    ) -> Result<Option<RecordId>> {
        self.row(
            "SELECT person FROM publication WHERE centre = ?1 AND kind = ?2 AND key = ?3",
            params![centre.as_str(), kind.name(), key.to_string()],
            |row| parsed(row, "publication", "person"),
        )
    }

    /// The centres that have something to be sealed.
    pub fn centres_with_pending(&self) -> Result<Vec<ParticipantCode>> {
        self.rows(
            "SELECT DISTINCT centre FROM publication WHERE state = 'pending' ORDER BY centre",
            [],
            |row| parsed(row, "publication", "centre"),
        )
    }

    /// Everything that is to be sealed.
    pub fn waiting_to_be_sealed(&self) -> Result<BTreeSet<ToSeal>> {
        let sql = "SELECT centre, kind, key, person, form, sha256 FROM publication WHERE state = 'pending'";
        let all = self.rows(sql, [], |row| {
            Ok(ToSeal {
                centre: parsed(row, "publication", "centre")?,
                kind: parsed(row, "publication", "kind")?,
                key: parsed(row, "publication", "key")?,
                person: parsed(row, "publication", "person")?,
                form: row.get("form")?,
                hash: row.get("sha256")?,
            })
        })?;
        Ok(all.into_iter().collect())
    }

    /// Of whose files something is published to `centre`, or was.
    pub fn people_told(&self, centre: ParticipantCode) -> Result<BTreeSet<RecordId>> {
        let sql = "SELECT DISTINCT person FROM publication WHERE centre = ?1";
        let all = self.rows(sql, [centre.as_str()], |row| parsed(row, "publication", "person"))?;
        Ok(all.into_iter().collect())
    }

    /// The persons of claims whose centre is told nothing of them.
    pub fn untold(&self) -> Result<Vec<RecordId>> {
        self.rows(
            "SELECT DISTINCT r.uid FROM person_record r JOIN centre c ON c.code = r.origin AND c.state = 'active'
             WHERE r.kind = 'recipient_claim' AND NOT EXISTS (SELECT 1 FROM publication p
               WHERE p.centre = r.origin AND p.kind = 'link' AND p.key = r.key)",
            [],
            |row| parsed(row, "person_record", "uid"),
        )
    }

    /// What of `kind` is to be sealed for `centre`, keys above `after`, at most `limit`; with `all` also what
    /// was sealed before, for a snapshot.
    pub fn to_seal(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        after: Option<RecordId>,
        all: bool,
        limit: u32,
    ) -> Result<Vec<Publication>> {
        // two texts: with a parameter for `all`, SQLite could not use the index of what is pending
        let sql = if all {
            "SELECT * FROM publication WHERE centre = ?1 AND kind = ?2 AND key > ?3 ORDER BY key LIMIT ?4"
        } else {
            "SELECT * FROM publication INDEXED BY publication_pending WHERE centre = ?1 AND kind = ?2 AND key > ?3
             AND state = 'pending' ORDER BY key LIMIT ?4"
        };
        let after = after.map(|key| key.to_string()).unwrap_or_default();
        self.rows(sql, params![centre.as_str(), kind.name(), after, limit], read_publication)
    }

    /// Notes that `publication` as it should be was sealed as `version` in `packet`.
    pub fn publication_sealed(
        &self,
        centre: ParticipantCode,
        publication: &Publication,
        version: u32,
        packet: &str,
    ) -> Result<()> {
        let (kind, key) = (publication.kind.name(), publication.key.to_string());
        self.run(
            "UPDATE publication SET version = ?4, packet = ?5, state = 'sealed',
               sealed_form = form, sealed_sha256 = sha256
             WHERE centre = ?1 AND kind = ?2 AND key = ?3",
            params![centre.as_str(), kind, key, version, packet],
        )?;
        self.run(
            "INSERT INTO carried(packet, centre, kind, key, version) VALUES(?1, ?2, ?3, ?4, ?5)",
            params![packet, centre.as_str(), kind, key, version],
        )?;
        Ok(())
    }

    /// A PR closes what `packet` carried: each record whose version is still the one sealed there becomes
    /// `applied`, but for those that [`Tx::publication_refused`] has marked.
    pub fn close_carried(&self, packet: &str) -> Result<usize> {
        let closed = self.run(
            "UPDATE publication SET state = 'applied' FROM carried
             WHERE carried.packet = ?1 AND publication.centre = carried.centre
               AND publication.kind = carried.kind AND publication.key = carried.key
               AND publication.version = carried.version AND publication.state = 'sealed'",
            [packet],
        )?;
        self.run("DELETE FROM carried WHERE packet = ?1", [packet])?;
        Ok(closed)
    }

    /// The peer refused or holds exactly this version.
    pub fn publication_refused(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
        version: u32,
    ) -> Result<()> {
        self.run(
            "UPDATE publication SET state = 'refused'
             WHERE centre = ?1 AND kind = ?2 AND key = ?3 AND version = ?4 AND state = 'sealed'",
            params![centre.as_str(), kind.name(), key.to_string(), version],
        )?;
        Ok(())
    }

    /// How many publications each centre has in each state.
    pub fn publication_counts(&self) -> Result<Vec<(String, String, u64)>> {
        self.rows(
            "SELECT centre, state, count(*) FROM publication GROUP BY centre, state ORDER BY 1, 2",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }
}

/// Of `p`, a publication: what was sealed last of it went to somebody else; or nothing was sealed yet, and it is about a person of
/// whom its centre has sent no record.
const STRANGER: &str = "(EXISTS (SELECT 1 FROM packet k WHERE k.name = p.packet AND k.peer <> p.centre)
   OR p.version = 0 AND p.form = 'live' AND EXISTS (SELECT 1 FROM person x WHERE x.uid = p.person)
     AND NOT EXISTS (SELECT 1 FROM person_record x WHERE x.uid = p.person AND x.origin = p.centre))";

fn read_altered(row: &Row<'_>) -> Result<Altered> {
    Ok(Altered {
        kind: parsed(row, "publication", "kind")?,
        key: parsed(row, "publication", "key")?,
        person: parsed(row, "publication", "person")?,
    })
}

fn read_publication(row: &Row<'_>) -> Result<Publication> {
    let form: Option<Form> = super::parsed_optional(row, "publication", "sealed_form")?;
    let hash: Option<Digest> = super::parsed_optional(row, "publication", "sealed_sha256")?;
    Ok(Publication {
        kind: parsed(row, "publication", "kind")?,
        key: parsed(row, "publication", "key")?,
        version: row.get("version")?,
        form: parsed(row, "publication", "form")?,
        body: row.get("body")?,
        hash: row.get::<_, String>("sha256")?.parse().ok(),
        sealed: form.zip(hash),
        is_pending: row.get::<_, String>("state")? == "pending",
    })
}
