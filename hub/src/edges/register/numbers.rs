//! Of which number and date a document is (docs/adr/0029): what is said of it counts, and not under what it was stored.

use exchange_format::record::{Kind, RecordId};

use super::{Register, RegisterError};
use crate::decisions::document_key::DocumentKey;

impl Register<'_> {
    /// The documents of `person` that have this number and date, also those that stand apart of the first: each with the one that
    /// staff say it is. One that is stored under it and has another by what it says is stored under that.
    pub(super) fn of_number(
        &self,
        person: RecordId,
        kind: Kind,
        key: &DocumentKey,
    ) -> Result<Vec<(RecordId, RecordId)>, RegisterError> {
        let mut of_number = Vec::new();
        for (uid, meant, stored) in self.tx.documents_as_stored(person, kind)? {
            let said = self.number_by_what_it_says(uid, key, &stored)?;
            if said.as_ref().map_or_else(|| key.is_of(&stored), |said| said == key) {
                of_number.push((uid, meant));
            } else if let Some(said) = said.filter(|_| stored == key.as_str()) {
                self.store_under(uid, &said)?;
            }
        }
        Ok(of_number)
    }

    /// As [`of_number`](Self::of_number), but where staff have drawn up one of this number and date without those of which nobody
    /// says anything any more: what they were has become another, or of another number.
    pub(super) fn known_of_number(
        &self,
        person: RecordId,
        kind: Kind,
        key: &DocumentKey,
    ) -> Result<Vec<(RecordId, RecordId)>, RegisterError> {
        let of_number = self.of_number(person, kind, key)?;
        let (mut is_drawn, mut known) = (false, Vec::new());
        for (uid, meant) in of_number.iter().filter(|_| of_number.len() > 1) {
            let drawn = self.tx.drawn(*uid)?;
            is_drawn |=
                drawn.as_ref().is_some_and(|drawn| DocumentKey::of(&drawn.body).as_ref() == Some(key));
            if drawn.is_some() || uid != meant || !self.tx.claims_of(*uid)?.is_empty() {
                known.push((*uid, *meant));
            }
        }
        Ok(if is_drawn { known } else { of_number })
    }

    /// The number and date of the document `uid`, where those count that are said and not those under which it is `stored`: as
    /// staff drew it up, but for a claim of the number `key` over which they drew it up; or, if it is stored under `key` by a
    /// program that read numbers otherwise, as its claims say.
    fn number_by_what_it_says(
        &self,
        uid: RecordId,
        key: &DocumentKey,
        stored: &str,
    ) -> Result<Option<DocumentKey>, RegisterError> {
        let drawn = self.tx.drawn(uid)?.and_then(|drawn| DocumentKey::of(&drawn.body));
        if drawn.as_ref() == Some(key) || !key.is_of(stored) {
            return Ok(drawn);
        }
        let (mut said, mut is_former) = (None, false);
        for id in self.tx.claims_of(uid)? {
            let Some(found) = self.tx.received(id)? else { continue };
            let of_claim = DocumentKey::of(&found.claim.body);
            if of_claim.as_ref() == Some(key) {
                return Ok(None);
            }
            is_former |= DocumentKey::former(&found.claim.body)
                .iter()
                .any(|former| stored == former || stored.starts_with(&format!("{former}|")));
            said = said.or(of_claim);
        }
        Ok(drawn.or(said.filter(|_| is_former)))
    }

    /// Stores the document `uid` under the number and date that `said` says, apart of another that has it.
    pub(super) fn store_under(&self, uid: RecordId, said: &DocumentKey) -> Result<(), RegisterError> {
        for stored in [said.clone(), said.apart(uid)] {
            self.tx.renumber_document(uid, stored.as_str())?;
            if self.tx.number_of(uid)?.as_deref() == Some(stored.as_str()) {
                break;
            }
        }
        Ok(())
    }
}
