//! Persons become publications: what each centre should be told now, against what it was told.

use std::{borrow::Cow, collections::BTreeSet};

use exchange_endpoint::journal_table::Event;
use exchange_format::{
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Form, Kind, MOST_SUPERSEDED, RecordId},
    rules,
};

use super::{Affected, Input, Register, RegisterError};
use crate::{
    database::{
        linking::{Act, ClaimName},
        publications::Publication,
        received::ClaimId,
    },
    decisions::{
        admission::awaited,
        audience::{self, Documents, PersonFile, Scope, View},
        days,
        golden::{self, Claim},
        programme,
    },
};

/// What is published of a person, to whom.
type Published = BTreeSet<(ParticipantCode, Kind, RecordId)>;

impl Register<'_> {
    /// Brings everything up to date after recipient claims `ids` have changed: persons, their documents, and
    /// the publications of all whom that touches.
    pub fn take_in(&self, ids: &[ClaimId], documents: &[ClaimId]) -> Result<Affected, RegisterError> {
        let mut affected = Affected::new();
        let mut ids: BTreeSet<ClaimId> = ids.iter().copied().collect();
        for document in documents {
            ids.extend(self.tx.beside_the_ended(*document)?);
        }
        if !ids.is_empty() {
            affected = self.settle(self.index(&ids.into_iter().collect::<Vec<_>>())?, None)?.affected;
        }
        affected.extend(self.settle_documents_of(&affected.clone())?);
        for id in documents {
            affected.extend(self.settle_document(*id)?);
        }
        affected.extend(self.settle_supplements(documents)?);
        for uid in &affected {
            self.republish(*uid)?;
        }
        Ok(affected)
    }

    /// Settles the documents of `people` again: a claim may have gone over to another person.
    pub fn settle_documents_of(&self, people: &Affected) -> Result<Affected, RegisterError> {
        self.rejoin_documents(people)?;
        let mut papers = BTreeSet::new();
        for uid in people {
            for id in self.tx.claims_of(*uid)? {
                let Some(found) = self.tx.received(id)? else { continue };
                papers.extend(self.tx.papers_about(found.claim.origin, found.claim.key)?);
            }
        }
        let mut affected = Affected::new();
        for (_, id) in papers {
            affected.extend(self.settle_document(id)?);
        }
        Ok(affected)
    }

    /// Settles the supplements to the programme claims among `papers` again: they are told apart by the programmes that they name.
    pub fn settle_supplements(&self, papers: &[ClaimId]) -> Result<Affected, RegisterError> {
        let mut under = BTreeSet::new();
        for id in papers {
            under.extend(self.tx.supplements_under(*id)?);
        }
        let mut affected = Affected::new();
        for id in under {
            affected.extend(self.settle_document(id)?);
        }
        Ok(affected)
    }

    /// Says what each centre should be told of `uid` now.
    pub fn republish(&self, uid: RecordId) -> Result<(), RegisterError> {
        let told = self.tx.published_of(uid)?;
        let mut wanted = Published::new();
        let mut ahead = None;
        if let Some(file) = self.file(uid)? {
            wanted = self.publish_file(&file)?;
            ahead = days::ahead(&file);
        }
        self.tx.set_day_ahead(uid, ahead)?;
        self.tx.was_judged_by(uid, self.lists_digest)?;
        for (centre, kind, key) in told {
            if !wanted.contains(&(centre, kind, key)) {
                self.end_publication(uid, centre, kind, key)?;
            }
        }
        Ok(())
    }

    fn publish_file(&self, file: &PersonFile) -> Result<Published, RegisterError> {
        let golden = golden::person(&file.case_number, &file.claims, &file.entries, file.today);
        self.tx.set_field_sources(file.uid, self.hub, &golden.sources)?;
        let all = audience::documents(file, View::Everything, self.lists);
        self.review_programmes(file, &all)?;
        self.review_values(file, &golden.body, &all)?;
        let mut listed = audience::faulty(&all, self.today(), self.lists);
        let stranded = audience::stranded(file, &all).map(|document| document.uid);
        listed.extend(stranded.filter_map(|uid| Some((uid, rules::stranded("programme")?))));
        let (whole, doubtful) = (file, self.doubtful(file, &golden.body)?);
        let (mut person, mut file) = (golden.body, Cow::Borrowed(whole));
        if !doubtful.is_empty() {
            let certain = whole.without(&doubtful);
            person =
                golden::person(&certain.case_number, &certain.claims, &certain.entries, certain.today).body;
            file = Cow::Owned(certain);
        }
        let mut wanted = Published::new();
        let centres: BTreeSet<ParticipantCode> = file.claims.iter().map(|claim| claim.origin).collect();
        for centre in centres {
            let scope = if self.tx.serves(centre, file.uid)? { Scope::Confirmed } else { Scope::OwnOnly };
            let view = scope.view(centre);
            let shown = if view == View::Everything {
                all.clone()
            } else {
                audience::documents(whole, view, self.lists)
            };
            // asked of the whole file: what staff are asked about does not hang on who is doubted meanwhile
            let pairs = audience::collisions(whole, &shown, self.today());
            let documents =
                if doubtful.is_empty() { shown } else { audience::documents(&file, view, self.lists) };
            let faulty = audience::faulty(&documents, self.today(), self.lists);
            let mut withheld = BTreeSet::new();
            for document in pairs.into_iter().flat_map(|(one, other)| [one, other]) {
                if !self.is_told(centre, document)? && !self.has_told_row(centre, whole, document)? {
                    withheld.insert(document);
                }
            }
            for document in faulty.keys() {
                if !self.is_told(centre, *document)? {
                    withheld.insert(*document);
                }
            }
            for mut record in audience::publications(&file, &person, centre, scope, documents, &withheld) {
                if record.body.kind() == Kind::Link {
                    self.supersede(centre, record.key, &mut record.body)?;
                }
                // what was published before it broke a rule stands until it is put right
                if faulty.contains_key(&record.key) {
                    let kind = record.body.kind();
                    let told = self.tx.publication(centre, kind, record.key)?;
                    if told.as_ref().is_some_and(Publication::is_altered) {
                        // the centre has what it says
                        wanted.insert((centre, kind, record.key));
                        continue;
                    }
                    record.body = as_told(told.as_ref(), record.body);
                }
                let (kind, bytes) = (record.body.kind(), record.body.to_xml());
                if let Some(finding) = record.body.findings().into_iter().next() {
                    // a claim so poor that no strict record can be made of it waits, unpublished, for staff
                    listed.insert(record.key, finding);
                    continue;
                }
                self.tx.publish(centre, kind, record.key, Form::Live, &bytes, file.uid)?;
                wanted.insert((centre, kind, record.key));
            }
            listed.extend(faulty);
        }
        self.tx.set_faults(file.uid, &listed)?;
        Ok(wanted)
    }

    /// Says in a link all that the claim was taken for before, as `centre` was told: then this is a correction.
    fn supersede(
        &self,
        centre: ParticipantCode,
        claim: RecordId,
        link: &mut Body,
    ) -> Result<(), RegisterError> {
        // of what a text that was altered says nothing follows
        let Some(known) = self.tx.publication(centre, Kind::Link, claim)?.filter(|known| !known.is_altered())
        else {
            return Ok(());
        };
        let Ok(former) = Body::from_xml(Kind::Link, &known.body) else { return Ok(()) };
        let (was, now) = (former.text("target"), link.text("target"));
        let (before, told) = (former.text("supersedes"), known.sealed.map(|(_, hash)| hash));
        // a link that was changed and not sent yet says where the centre believes the claim to be: last of what it supersedes
        let heard = told == Some(Digest::of(&known.body)) || before.is_none() && told.is_some();
        // nor is whom it was to say meanwhile the claim's, if the centre has been told of that person before
        let is_known = |uid: &str| -> Result<bool, RegisterError> {
            let Ok(uid) = uid.parse() else { return Ok(false) };
            let told = self.tx.publication(centre, Kind::Person, uid)?;
            Ok(told.is_some_and(|told| told.sealed.is_some()))
        };
        let was = match was.filter(|_| was != now) {
            Some(uid) if heard || is_known(uid)? => Some(uid),
            _ => None,
        };
        let all: Vec<&str> = before.into_iter().flat_map(|before| before.split(' ')).chain(was).collect();
        let mut named: Vec<&str> = Vec::new();
        for (at, one) in all.iter().enumerate() {
            if Some(*one) != now && !all[at + 1..].contains(one) {
                named.push(one);
            }
        }
        let supersedes = named[named.len().saturating_sub(MOST_SUPERSEDED)..].join(" ");
        if !supersedes.is_empty() {
            link.set("supersedes", &supersedes).expect("ids are plain text");
        }
        Ok(())
    }

    /// The claims of `file` of which staff are asked whether they are another person, and that were never
    /// published: they stay so until staff have decided (W3). So do those with a value that is not understood, unless
    /// their centre is told a better one.
    fn doubtful(&self, file: &PersonFile, golden: &Body) -> Result<BTreeSet<ClaimName>, RegisterError> {
        let mut new = Vec::new();
        for claim in &file.claims {
            if self.tx.publication(claim.origin, Kind::Link, claim.key)?.is_none() {
                new.push(claim);
            }
        }
        let mut doubtful = BTreeSet::new();
        if new.is_empty() {
            return Ok(doubtful);
        }
        let asked = self.in_doubt(file.uid)?;
        for claim in new {
            let name = (claim.origin, claim.key);
            if asked.contains(&name) || self.is_lost(file, golden, claim)? {
                doubtful.insert(name);
            }
        }
        Ok(doubtful)
    }

    /// Whether the centre of `claim` would be told nothing in place of a value that is not understood.
    fn is_lost(&self, file: &PersonFile, golden: &Body, claim: &Claim) -> Result<bool, RegisterError> {
        let mut fields = awaited(&claim.body).filter(|field| !file.entries.contains_key(*field)).peekable();
        if fields.peek().is_none() || !self.tx.serves(claim.origin, file.uid)? {
            return Ok(fields.peek().is_some());
        }
        Ok(fields.any(|field| golden.text(field).is_none()))
    }

    /// Whether a centre has been told of a document, be it of whom it was: until staff decide it is not taken away.
    fn is_told(&self, centre: ParticipantCode, document: RecordId) -> Result<bool, RegisterError> {
        for kind in [Kind::Programme, Kind::Supplement, Kind::Link] {
            let told = self.tx.publication(centre, kind, document)?.and_then(|told| told.sealed);
            if told.is_some_and(|(form, _)| form == Form::Live) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a row of the centre's own that is `document` shows what it was told, though that was another document.
    fn has_told_row(
        &self,
        centre: ParticipantCode,
        file: &PersonFile,
        document: RecordId,
    ) -> Result<bool, RegisterError> {
        let documents = file.documents.iter().filter(|one| one.uid == document);
        for claim in documents.flat_map(|one| &one.claims).filter(|claim| claim.origin == centre) {
            if self.is_told(centre, claim.key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A link ends with its claim; everything else may come back and is withdrawn.
    fn end_publication(
        &self,
        uid: RecordId,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
    ) -> Result<(), RegisterError> {
        let claim_stands = kind == Kind::Link
            && [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim]
                .into_iter()
                .map(|claim| self.tx.received_by_key(centre, claim, key))
                .any(|found| matches!(found, Ok(Some(_))));
        let form = if kind == Kind::Link && !claim_stands { Form::Tombstone } else { Form::Withdrawn };
        // it may already be part of another person's file
        if !self.tx.published_of(uid)?.contains(&(centre, kind, key)) {
            return Ok(());
        }
        // what its centre has not been told yet is forgotten, whosever it has become
        let is_sealed = self.tx.publication(centre, kind, key)?.is_some_and(|told| told.sealed.is_some());
        if is_sealed && self.tx.is_stranger(centre, kind, key)? {
            return self.drop_stranger(centre, kind, key);
        }
        Ok(self.tx.unpublish(centre, kind, key, form)?)
    }

    /// Forgets a row that says that `centre` is told of a record, and stands there by damage alone: withdrawn, it would go out with all
    /// that it says.
    pub fn drop_stranger(
        &self,
        centre: ParticipantCode,
        kind: Kind,
        key: RecordId,
    ) -> Result<(), RegisterError> {
        tracing::error!(centre = %centre, kind = %kind, key = %key, "never told there: the row is damaged, and is dropped");
        self.tx.drop_stranger(centre, kind, key)?;
        self.tx.add_incident(centre, "MISPLACED", None, &self.at())?;
        self.tx.journal(&Event {
            at: self.now,
            actor: self.actor,
            event: "publication.misplaced",
            subject: &key.to_string(),
            rule: kind.name(),
            digests: &[],
        })?;
        Ok(())
    }

    /// Asks staff about programmes that overlap, and takes back what has answered itself.
    fn review_programmes(&self, file: &PersonFile, documents: &Documents) -> Result<(), RegisterError> {
        let at = self.at();
        let collisions = audience::collisions(file, documents, self.today());
        for (one, other) in &collisions {
            self.tx.open_review("programme", "OVERLAP", (self.hub, *one), (self.hub, *other), &at)?;
        }
        for document in file.documents.iter().filter(|document| document.kind == Kind::Programme) {
            for review in self.tx.open_reviews_of("programme", document.uid)? {
                if !collisions.contains(&(review.one.1, review.other.1)) {
                    self.tx.close_review("programme", review.one, review.other, &at)?;
                }
            }
        }
        Ok(())
    }

    /// Asks staff about what a centre typed and nobody can read, where nothing better stands, and takes back what has
    /// answered itself.
    fn review_values(&self, file: &PersonFile, golden: &Body, all: &Documents) -> Result<(), RegisterError> {
        let at = self.at();
        let ask = |claim: &Claim, shown: &dyn Fn() -> Vec<&'static str>, unread: &[&str]| {
            let name = (claim.origin, claim.key);
            if !unread.is_empty() && shown().iter().any(|field| unread.contains(field)) {
                self.tx.open_review("value", "UNREADABLE", name, name, &at)
            } else {
                self.tx.close_review("value", name, name, &at).map(|_| ())
            }
        };
        for claim in &file.claims {
            let shown = || golden::as_typed(golden, &file.claims, claim, &file.entries, file.today);
            ask(claim, &shown, &golden::unreadable(&claim.body).collect::<Vec<_>>())?;
        }
        for document in &file.documents {
            let published = all.get(&document.uid).cloned();
            let published = published.or_else(|| document.published(View::Everything, file.uid));
            for claim in &document.claims {
                let unread = programme::unreadable(document.kind, &claim.body);
                let shown = || match &published {
                    Some(body) => programme::as_typed(body, &claim.body),
                    None => unread.clone(),
                };
                ask(claim, &shown, &unread)?;
            }
        }
        Ok(())
    }

    /// Confirms that each of `centres` that has a claim of a person of `people` serves it; how many are new.
    pub fn confirm_all(
        &self,
        people: &Affected,
        centres: &BTreeSet<ParticipantCode>,
        reason: &str,
    ) -> Result<u64, RegisterError> {
        let mut confirmed = 0;
        for uid in people {
            let known_to: BTreeSet<ParticipantCode> =
                self.tx.rules_of(*uid)?.into_iter().map(|(origin, ..)| origin).collect();
            for centre in known_to.intersection(centres) {
                confirmed += u64::from(self.confirm(*centre, *uid, reason)?);
            }
        }
        Ok(confirmed)
    }

    /// Confirms that `centre` serves `uid`: a disclosure. Whether that is new.
    pub fn confirm(
        &self,
        centre: ParticipantCode,
        uid: RecordId,
        reason: &str,
    ) -> Result<bool, RegisterError> {
        let at = self.at();
        let new = self.tx.confirm_service(centre, uid, Act { actor: self.actor, reason, at: &at })?;
        if new {
            self.note(&Input {
                action: "confirm",
                subject: Some((Kind::Person.name(), uid)),
                centre: Some(centre),
                reason: Some(reason),
                ..Input::default()
            })?;
        }
        Ok(new)
    }
}

/// The document of `now` as a centre was `told` of it, about the person and of the programme of `now`.
fn as_told(told: Option<&Publication>, now: Body) -> Body {
    let Some(Ok(mut told)) = told.map(|told| Body::from_xml(now.kind(), &told.body)) else { return now };
    let programme = audience::programme_of(&now).map(|programme| programme.to_string());
    let named = [("recipient", now.text("recipient")), ("programme", programme.as_deref())];
    for (field, is) in named.into_iter().filter_map(|(field, is)| Some((field, is?))) {
        told.set(field, is).expect("an id is plain text");
    }
    told
}
