//! Programme and supplement claims become documents of persons.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Finding, Form, Kind, RecordId, Type},
    rules,
};

use super::{Affected, Input, Register, RegisterError, new_id};
use crate::{
    database::received::{ClaimId, Received, Standing},
    decisions::{
        audience::{self, PersonFile},
        document_key::DocumentKey,
        golden::Claim,
        programme,
    },
};

impl Register<'_> {
    /// Says which document the programme or supplement claim `id` is, as its person stands now; the persons
    /// whose documents changed.
    pub fn settle_document(&self, id: ClaimId) -> Result<Affected, RegisterError> {
        let mut affected = Affected::new();
        let before = self.tx.uid_of(id)?;
        if let Some(before) = before {
            affected.extend(self.tx.person_of_document(before)?);
        }
        let found = self.tx.received(id)?.filter(|found| {
            matches!(found.standing, Standing::Applied | Standing::Waiting)
                && kind_of(&found.claim.body).is_some()
        });
        let place = match &found {
            Some(found) => self.place(found.claim.origin, &found.claim.body)?,
            None => None,
        };
        let (Some(found), Some((person, kind, key))) = (found, place) else {
            self.tx.remove_person_record(id)?;
            return Ok(affected);
        };
        let claim = found.claim;
        if let Some(before) = before {
            self.renumber(before, &key, &claim)?;
        }
        let known = self.known_of_number(person, kind, &key)?;
        // of several papers of one number and date it is the one that says the same, else the one that it has been
        let (mut said, mut same, mut possible, mut misplaced) = (None, None, Vec::new(), Vec::new());
        let named = self.named_by(&claim)?;
        for (uid, of) in &known {
            let others = self.others_named(*of, &key, &claim)?;
            let says_other = |other: &Claim| programme::says_other(kind, &claim.body, &other.body);
            let (own, foreign): (Vec<_>, Vec<_>) =
                others.iter().cloned().partition(|(_, other)| other.origin == claim.origin);
            let own: Vec<_> = own.into_iter().filter(|(_, other)| says_other(other)).collect();
            if uid != of {
                said = said.or(Some(*of));
            } else if self.any_under_another(named.as_ref(), &claim, &foreign)?
                || self.is_drawn_under_another(*of, named.as_ref())?
            {
                continue;
            } else if self.is_as_drawn(*of, kind, &claim)? {
                // what its centre has there and staff did not draw up was taken for this one
                same = Some(*of);
                misplaced = own;
            } else if !own.is_empty() || self.any_under_another(named.as_ref(), &claim, &others)? {
                // its centre has another paper there; of centres that know one paper otherwise the content of most is published
                continue;
            }
            possible.push(*of);
            if same.is_none() && known.len() > 1 && others.iter().any(|(_, other)| !says_other(other)) {
                same = Some(*of);
            }
        }
        let is_alone = known.iter().all(|(_, of)| *of == known[0].1);
        let first = possible.first().copied().filter(|_| is_alone);
        let as_before = before.filter(|before| possible.contains(before));
        let uid = match same.or(as_before).or(said).or(first) {
            Some(uid) => uid,
            None if known.is_empty() => self.new_document(kind, person, &key)?,
            None => self.stand_apart(&known, (person, kind, &key), &claim)?,
        };
        self.tx.set_person_record(claim.origin, claim.body.kind(), claim.key, id, uid, "NUMBER_DATE")?;
        affected.insert(person);
        for (id, other) in misplaced {
            let apart = self.stand_apart(&known, (person, kind, &key), &other)?;
            self.tx.set_person_record(
                other.origin,
                other.body.kind(),
                other.key,
                id,
                apart,
                "NUMBER_DATE",
            )?;
            affected.extend(self.settle_supplements(&[id])?);
        }
        Ok(affected)
    }

    /// Whether staff drew up `document` as `claim` says it.
    fn is_as_drawn(&self, document: RecordId, kind: Kind, claim: &Claim) -> Result<bool, RegisterError> {
        let drawn = self.tx.drawn(document)?;
        Ok(drawn.is_some_and(|drawn| !programme::says_other(kind, &claim.body, &drawn.body)))
    }

    /// Stores `document`, which `claim` is, under the number that `key` says, if a program that read numbers otherwise stored it,
    /// and it is of that number only.
    fn renumber(&self, document: RecordId, key: &DocumentKey, claim: &Claim) -> Result<(), RegisterError> {
        let stored = self.tx.number_of(document)?.filter(|stored| !key.is_of(stored));
        if !stored.is_some_and(|stored| DocumentKey::former(&claim.body).contains(&stored)) {
            return Ok(());
        }
        let all = self.tx.claims_of(document)?.len();
        if self.others_named(document, key, claim)?.len() + 1 == all {
            self.tx.renumber_document(document, key.as_str())?;
        }
        Ok(())
    }

    /// The document that `claim` is alone: those of this number and date, `known`, are other papers. What other centres know of
    /// it was taken for one of these.
    fn stand_apart(
        &self,
        known: &[(RecordId, RecordId)],
        (person, kind, key): (RecordId, Kind, &DocumentKey),
        claim: &Claim,
    ) -> Result<RecordId, RegisterError> {
        let (own, named) = (key.apart(claim.key), self.named_by(claim)?);
        let apart = match self.tx.document_apart(person, kind, &own)? {
            Some(apart) => apart,
            None => self.new_document(kind, person, &own)?,
        };
        for (_, of) in known.iter().filter(|(_, of)| *of != apart) {
            for (id, other) in self.others_named(*of, key, claim)? {
                let is_of_it = self.named_by(&other)? == named;
                if is_of_it && !programme::says_other(kind, &claim.body, &other.body) {
                    let kind = other.body.kind();
                    self.tx.set_person_record(other.origin, kind, other.key, id, apart, "NUMBER_DATE")?;
                }
            }
        }
        Ok(apart)
    }

    /// The programme that a supplement names: the document that it is, or else what its centre calls it. `None`: it names none.
    fn named_by(&self, claim: &Claim) -> Result<Option<Named>, RegisterError> {
        if claim.body.kind() != Kind::SupplementClaim {
            return Ok(None);
        }
        let Some(referent) = claim.body.text("programme").and_then(|text| text.parse::<RecordId>().ok())
        else {
            return Ok(None);
        };
        Ok(Some(match self.programme_behind(claim.origin, referent)? {
            Some(document) => Named::Document(self.tx.document_meant(document)?),
            None => Named::Called(claim.origin, referent),
        }))
    }

    /// The document that a supplement's reference to a programme means: what the centre's own claim is, or a published one. `None`:
    /// it is no document yet.
    pub(super) fn programme_behind(
        &self,
        origin: ParticipantCode,
        referent: RecordId,
    ) -> Result<Option<RecordId>, RegisterError> {
        let own = self.tx.uid_of_key(origin, Kind::ProgrammeClaim, referent)?;
        if own.is_some() || self.tx.person_of_document(referent)?.is_none() {
            return Ok(own);
        }
        Ok(Some(self.tx.document_meant(referent)?))
    }

    /// Whether staff drew up `document`, a supplement, to another programme than `named`.
    fn is_drawn_under_another(
        &self,
        document: RecordId,
        named: Option<&Named>,
    ) -> Result<bool, RegisterError> {
        let Some(Named::Document(named)) = named else { return Ok(false) };
        let drawn = self.tx.drawn(document)?.and_then(|drawn| audience::programme_of(&drawn.body));
        let meant = drawn.map(|programme| self.tx.document_meant(programme)).transpose()?;
        Ok(meant.is_some_and(|meant| meant != *named))
    }

    /// Whether a claim of `document`, a supplement, or staff name another programme than `named`.
    pub(super) fn is_under_another(
        &self,
        document: RecordId,
        named: Option<RecordId>,
    ) -> Result<bool, RegisterError> {
        let Some(named) = named.map(Named::Document) else { return Ok(false) };
        for id in self.tx.claims_of(document)? {
            let Some(found) = self.tx.received(id)? else { continue };
            let other = self.named_by(&found.claim)?.filter(Named::is_document);
            if other.is_some_and(|other| other != named) {
                return Ok(true);
            }
        }
        self.is_drawn_under_another(document, Some(&named))
    }

    /// Whether any of `others` is a supplement to another programme than `named`, that of `claim`: every programme has its first.
    fn any_under_another(
        &self,
        named: Option<&Named>,
        claim: &Claim,
        others: &[(ClaimId, Claim)],
    ) -> Result<bool, RegisterError> {
        let Some(named) = named else { return Ok(false) };
        for (_, other) in others {
            let Some(other_named) = self.named_by(other)? else { continue };
            // what one centre calls a programme that is no document yet, another may call otherwise
            let can_tell =
                other.origin == claim.origin || [named, &other_named].iter().all(|one| one.is_document());
            if can_tell && *named != other_named {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The claims of the document `uid` other than `claim` that have this number and date.
    fn others_named(
        &self,
        uid: RecordId,
        key: &DocumentKey,
        claim: &Claim,
    ) -> Result<Vec<(ClaimId, Claim)>, RegisterError> {
        let mut others = Vec::new();
        for id in self.tx.claims_of(uid)? {
            let Some(other) = self.tx.received(id)?.map(|found| found.claim) else { continue };
            let is_own = (other.origin, other.key) == (claim.origin, claim.key);
            if !is_own && DocumentKey::of(&other.body).as_ref() == Some(key) {
                others.push((id, other));
            }
        }
        Ok(others)
    }

    /// The claims of programmes and supplements of the person of `file` that are no document, for nobody can read their
    /// number or date, or what a line of them means, each with what is wrong.
    pub fn unpublished(&self, file: &PersonFile) -> Result<Vec<(Claim, Finding)>, RegisterError> {
        let about = self.sent_about(file)?.into_iter();
        Ok(about
            .filter_map(|claim| rules::unpublished_document(&claim.body).map(|found| (claim, found)))
            .collect())
    }

    /// What centres have sent about the person of `file` and the hub goes by.
    pub fn sent_about(&self, file: &PersonFile) -> Result<Vec<Claim>, RegisterError> {
        let mut ids = BTreeSet::new();
        for claim in &file.claims {
            for referent in [claim.key, file.uid] {
                ids.extend(self.tx.referring(claim.origin, referent)?);
            }
        }
        let stands = |found: &Received| matches!(found.standing, Standing::Applied | Standing::Waiting);
        let mut about = Vec::new();
        for id in ids {
            about.extend(self.tx.received(id)?.filter(stands).map(|found| found.claim));
        }
        Ok(about)
    }

    /// The field in which `claim` names what is another person's than what it names before, or a paper that was withdrawn or ended; a
    /// scan stays with such a paper.
    pub fn stray(&self, claim: &Claim) -> Result<Option<&'static str>, RegisterError> {
        let mut whose = None;
        for (field, text) in claim.body.head().iter() {
            let (Type::Reference(kinds), Some(id)) = (field.ty, text.and_then(|text| text.parse().ok()))
            else {
                continue;
            };
            let person = self.person_of(claim.origin, id, kinds)?;
            let is_other = person.is_some() && whose.is_some() && person != whose;
            let is_scan = claim.body.kind() == Kind::Attachment;
            if is_other || !is_scan && self.is_withdrawn(claim.origin, id, kinds)? {
                return Ok(Some(field.name));
            }
            whose = whose.or(person);
        }
        Ok(None)
    }

    /// Whether the paper `id` that a centre names was withdrawn from it, or is one of its own that it has ended.
    fn is_withdrawn(
        &self,
        origin: ParticipantCode,
        id: RecordId,
        kinds: &[Kind],
    ) -> Result<bool, RegisterError> {
        if kinds.contains(&Kind::Person) {
            return Ok(false);
        }
        let meant = self.tx.document_meant(id)?;
        for kind in kinds {
            if let Some(own) = self.tx.known(origin, *kind, id)? {
                return Ok(own.form == Form::Tombstone);
            }
            if let Some(told) = self.tx.publication(origin, *kind, meant)? {
                return Ok(told.form != Form::Live);
            }
        }
        Ok(false)
    }

    /// The person that a centre's reference is, or whose what it means is.
    fn person_of(
        &self,
        origin: ParticipantCode,
        id: RecordId,
        kinds: &[Kind],
    ) -> Result<Option<RecordId>, RegisterError> {
        if kinds.contains(&Kind::Person) {
            return self.person_behind(origin, id);
        }
        for kind in kinds {
            let Some(found) = self.tx.received_by_key(origin, *kind, id)? else { continue };
            let of = found.claim.body.text("recipient").and_then(|text| text.parse().ok());
            if let Some(of) = of {
                return self.person_behind(origin, of);
            }
        }
        self.tx.person_of_paper(id).map_err(Into::into)
    }

    /// Whose document it is, of which kind, under which number and date.
    fn place(
        &self,
        origin: ParticipantCode,
        body: &Body,
    ) -> Result<Option<(RecordId, Kind, DocumentKey)>, RegisterError> {
        let (Some(kind), Some(key)) = (kind_of(body), DocumentKey::of(body)) else { return Ok(None) };
        let Some(recipient) = body.text("recipient").and_then(|text| text.parse().ok()) else {
            return Ok(None);
        };
        Ok(self.person_behind(origin, recipient)?.map(|person| (person, kind, key)))
    }

    /// The person that a centre's reference means: its own claim, or a person published to it.
    pub fn person_behind(
        &self,
        origin: ParticipantCode,
        referent: RecordId,
    ) -> Result<Option<RecordId>, RegisterError> {
        if let Some(uid) = self.tx.uid_of_key(origin, Kind::RecipientClaim, referent)? {
            return Ok(Some(uid));
        }
        if !self.tx.is_published(origin, &[Kind::Person], referent)? {
            return Ok(None);
        }
        Ok(self.tx.person(referent)?.map(|person| person.merged_into.unwrap_or(person.uid)))
    }

    /// Carries out what staff have said of two documents, as it is noted: they are one (the claims of all become one document),
    /// or each stands for itself. The persons whose publications may have changed.
    pub fn decide_documents(&self, documents: [RecordId; 2]) -> Result<Affected, RegisterError> {
        let mut affected = Affected::new();
        for document in documents {
            affected.extend(self.tx.person_of_document(document)?);
        }
        let moved = self.rejoin_documents(&affected)?;
        let mut claims = BTreeSet::new();
        for document in documents.iter().chain(&moved) {
            claims.extend(self.tx.claims_of(*document)?);
        }
        for claim in &claims {
            affected.extend(self.settle_document(*claim)?);
        }
        let claims: Vec<ClaimId> = claims.into_iter().collect();
        affected.extend(self.settle_supplements(&claims)?);
        for person in &affected {
            self.republish(*person)?;
        }
        Ok(affected)
    }

    /// Says anew which documents of `people` are one, as staff have said. What they said of two persons' documents sleeps until
    /// these are one person: each stands for itself. The documents of which that changes something.
    pub(super) fn rejoin_documents(&self, people: &Affected) -> Result<BTreeSet<RecordId>, RegisterError> {
        let mut meant = Affected::new();
        for person in people {
            meant.insert(self.tx.person_meant(*person)?);
        }
        let mut moved = BTreeSet::new();
        for person in meant {
            let documents = self.tx.all_documents_of(person)?;
            let mut words = BTreeMap::new();
            if documents.len() > 1 {
                for (document, _) in &documents {
                    for (n, said) in self.tx.staff_decisions("programme", (self.hub, *document))? {
                        words.insert(n, ((said.one.1, said.other.1), said.decision));
                    }
                }
            }
            let words: Vec<_> = words.into_values().collect();
            let uids: Vec<RecordId> = documents.iter().map(|(uid, _)| *uid).collect();
            let joined = programme::joined(&uids, &words);
            for (uid, was) in documents {
                let into = joined.get(&uid).copied();
                if into != was {
                    self.tx.join_document(uid, into)?;
                    moved.extend([Some(uid), was, into].into_iter().flatten());
                }
            }
        }
        Ok(moved)
    }

    pub(super) fn new_document(
        &self,
        kind: Kind,
        person: RecordId,
        key: &DocumentKey,
    ) -> Result<RecordId, RegisterError> {
        let uid = new_id()?;
        self.add_document(uid, kind, person, key)?;
        Ok(uid)
    }

    /// A document under its id.
    pub(super) fn add_document(
        &self,
        uid: RecordId,
        kind: Kind,
        person: RecordId,
        key: &DocumentKey,
    ) -> Result<(), RegisterError> {
        self.tx.add_document(uid, kind, person, key.as_str())?;
        self.note(&Input {
            action: "document.new",
            subject: Some((kind.name(), uid)),
            other: Some(person),
            value: Some(key.as_str()),
            ..Input::default()
        })
    }
}

/// A programme that a supplement names.
#[derive(Clone, PartialEq, Eq)]
enum Named {
    /// As what it is.
    Document(RecordId),
    /// As its centre calls what is no document yet.
    Called(ParticipantCode, RecordId),
}

impl Named {
    fn is_document(&self) -> bool {
        matches!(self, Self::Document(_))
    }
}

/// The kind of publication that a document claim becomes.
fn kind_of(body: &Body) -> Option<Kind> {
    match body.kind() {
        Kind::ProgrammeClaim => Some(Kind::Programme),
        Kind::SupplementClaim => Some(Kind::Supplement),
        _ => None,
    }
}
