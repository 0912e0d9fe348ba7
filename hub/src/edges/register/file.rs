//! A person's file, read from the database.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, RecordId},
    rules,
};

use super::{Register, RegisterError};
use crate::{
    database::received::{ClaimId, Received, Standing},
    decisions::{
        audience::{self, Document, PersonFile, Wanted},
        golden::{self, Claim},
        merge::staff::Decision,
    },
};

impl Register<'_> {
    /// What stands of the person `uid`, as [`file`](Self::file) has it.
    pub fn stands(&self, uid: RecordId) -> Result<Option<Body>, RegisterError> {
        let file = self.file(uid)?;
        Ok(file.map(|file| golden::person(&file.case_number, &file.claims, &file.entries, file.today).body))
    }

    /// The file of `uid`; `None` if there is no such person, or it turned out to be another.
    pub fn file(&self, uid: RecordId) -> Result<Option<PersonFile>, RegisterError> {
        let Some(person) = self.tx.person(uid)?.filter(|person| person.merged_into.is_none()) else {
            return Ok(None);
        };
        let entries = self.tx.entries(uid)?;
        let mut file = PersonFile {
            uid,
            case_number: person.case_number,
            claims: self.claims(&self.tx.claims_of(uid)?, Kind::RecipientClaim)?,
            entries: entries.into_iter().map(|(field, entry)| (field, entry.value)).collect(),
            documents: Vec::new(),
            drawn: self.drawn_up(uid)?,
            allowed: BTreeSet::new(),
            today: self.today(),
        };
        for (document, kind) in self.tx.documents_of(uid)? {
            let claim_kind =
                if kind == Kind::Programme { Kind::ProgrammeClaim } else { Kind::SupplementClaim };
            let claims = self.claims(&self.tx.claims_of(document)?, claim_kind)?;
            let (programmes, waiting) =
                if kind == Kind::Supplement { self.programmes_of(&claims)? } else { Default::default() };
            let drawn = self.tx.drawn(document)?.map(|drawn| drawn.body);
            let drawn = drawn.map(|body| self.of_meant(body)).transpose()?;
            let strays = BTreeSet::new();
            file.documents.push(Document { uid: document, kind, claims, programmes, waiting, strays, drawn });
            let mut last = BTreeMap::new();
            for (n, decision) in self.tx.staff_decisions("programme", (self.hub, document))? {
                last.insert((decision.one.1, decision.other.1), (n, decision.decision));
            }
            let apart = last.into_iter().filter(|(_, (_, decision))| *decision == Decision::Different);
            file.allowed.extend(apart.map(|(pair, _)| pair));
        }
        let stands =
            |one: &&Document| one.kind == Kind::Programme && (!one.claims.is_empty() || one.drawn.is_some());
        let own: BTreeSet<RecordId> = file.documents.iter().filter(stands).map(|one| one.uid).collect();
        for document in &mut file.documents {
            let is_stray = |named: &&RecordId| !own.contains(named) && !document.waiting.contains(named);
            document.strays = document.programmes.values().filter(is_stray).copied().collect();
        }
        Ok(Some(file))
    }

    /// What staff drew up about `uid` besides its documents, referents first.
    fn drawn_up(&self, uid: RecordId) -> Result<Vec<Wanted>, RegisterError> {
        let drawn = self.tx.drawn_of(uid)?.into_iter();
        let mut drawn: Vec<Wanted> = drawn
            .filter(|drawn| !matches!(drawn.body.kind(), Kind::Programme | Kind::Supplement))
            .map(|drawn| Wanted { key: drawn.key, body: drawn.body })
            .collect();
        drawn.sort_by_key(|one| one.body.kind());
        Ok(drawn)
    }

    /// The supplement `body` with the programme that staff say is meant.
    fn of_meant(&self, mut body: Body) -> Result<Body, RegisterError> {
        if let Some(programme) = audience::programme_of(&body) {
            let meant = self.tx.document_meant(programme)?;
            body.set("programme", &meant.to_string()).expect("an id is plain text");
        }
        Ok(body)
    }

    fn claims(&self, ids: &[ClaimId], kind: Kind) -> Result<Vec<Claim>, RegisterError> {
        let mut claims = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.tx.received(*id)?;
            let stands = found.filter(|found| {
                !matches!(found.standing, Standing::Gone | Standing::Refused)
                    && found.claim.body.kind() == kind
            });
            claims.extend(stands.map(|found| found.claim));
        }
        Ok(claims)
    }

    /// The programme claim itself, where it is no document before its centre has mended it: what names it waits for that.
    fn waiting_programme(
        &self,
        origin: ParticipantCode,
        referent: RecordId,
    ) -> Result<Option<RecordId>, RegisterError> {
        let found = self.tx.received_by_key(origin, Kind::ProgrammeClaim, referent)?;
        let waits = |found: &Received| {
            matches!(found.standing, Standing::Applied | Standing::Waiting)
                && rules::unpublished_document(&found.claim.body).is_some()
        };
        Ok(found.filter(waits).map(|_| referent))
    }

    /// The programmes that claims of a supplement name; and which of them are no documents yet.
    fn programmes_of(&self, claims: &[Claim]) -> Result<(Programmes, BTreeSet<RecordId>), RegisterError> {
        let (mut programmes, mut waiting) = (Programmes::new(), BTreeSet::new());
        for claim in claims {
            let Some(referent) = claim.body.text("programme").and_then(|text| text.parse().ok()) else {
                continue;
            };
            let named = match self.programme_behind(claim.origin, referent)? {
                None => {
                    let waits = self.waiting_programme(claim.origin, referent)?;
                    waiting.extend(waits);
                    waits
                }
                own => own,
            };
            programmes.extend(named.map(|uid| ((claim.origin, claim.key), uid)));
        }
        Ok((programmes, waiting))
    }
}

/// Programmes by the claims that name them.
type Programmes = BTreeMap<(ParticipantCode, RecordId), RecordId>;
