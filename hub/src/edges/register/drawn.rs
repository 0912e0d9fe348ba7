//! What the hub's staff draw up: kept, noted as an input, and published at once to those whom it concerns.

use std::collections::BTreeSet;

use exchange_endpoint::journal_table::Event;
use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Form, Kind, RecordId},
};

use super::{Affected, Input, Register, RegisterError, new_id};
use crate::{
    database::{drawn::Drawn, linking::Act, received::ClaimId},
    decisions::{audience::programme_of, document_key::DocumentKey, drawn, programme::says_other},
};

impl Register<'_> {
    /// The key of a record that is drawn up for the first time: of a programme or supplement that some centre claims,
    /// that document's. `None` if there are several of this number and date, of which none says the same.
    pub fn new_key(&self, drawn: &drawn::Draft) -> Result<Option<RecordId>, RegisterError> {
        let kind = drawn.body.kind();
        let (Some(person), true) = (drawn.person, drawn::is_document(kind)) else {
            return new_id().map(Some);
        };
        let Some(key) = DocumentKey::of(&drawn.body) else { return new_id().map(Some) };
        let named = programme_of(&drawn.body);
        let named = named.map(|programme| self.tx.document_meant(programme)).transpose()?;
        let known = self.known_of_number(person, kind, &key)?;
        let mut possible = Vec::new();
        for (_, document) in &known {
            let drawn = self.tx.drawn(*document)?.and_then(|drawn| DocumentKey::of(&drawn.body));
            let has_left = drawn.is_some_and(|drawn| drawn != key);
            if !has_left && !possible.contains(document) && !self.is_under_another(*document, named)? {
                possible.push(*document);
            }
        }
        match possible[..] {
            [] if known.is_empty() => return self.new_document(kind, person, &key).map(Some),
            [] => {}
            [one] => return Ok(Some(one)),
            _ => {
                for document in possible {
                    for id in self.tx.claims_of(document)? {
                        let found = self.tx.received(id)?;
                        if found.is_some_and(|one| !says_other(kind, &one.claim.body, &drawn.body)) {
                            return Ok(Some(document));
                        }
                    }
                }
                return Ok(None);
            }
        }
        // every programme has its own first supplement, and a centre's paper may be drawn up under another number
        let uid = new_id()?;
        self.add_document(uid, kind, person, &key.apart(uid))?;
        Ok(Some(uid))
    }

    /// Keeps `drawn`, which holds, and says what each centre should be told now.
    pub fn draw(&self, drawn: &Drawn, reason: &str) -> Result<(), RegisterError> {
        let at = self.at();
        let mark = drawn::mark(&drawn.body);
        let before = self.tx.drawn(drawn.key)?;
        self.tx.put_drawn(drawn, mark.as_deref(), Act { actor: self.actor, reason, at: &at })?;
        self.note(&Input {
            action: "drawn",
            subject: Some((drawn.body.kind().name(), drawn.key)),
            other: drawn.person,
            reason: Some(reason),
            ..Input::default()
        })?;
        self.journal_drawn("record.drawn", drawn)?;
        if let Some(person) = drawn.person {
            let mut affected = self.renumber_drawn(before.as_ref(), drawn)?;
            affected.insert(self.tx.person_meant(person)?);
            return affected.iter().try_for_each(|uid| self.republish(*uid));
        }
        let centres = self.tx.centres()?.into_iter().filter(|centre| centre.active);
        centres.map(|centre| centre.code).try_for_each(|centre| self.tell_of(centre, drawn))
    }

    /// Says under which number and date the paper `drawn` is known, if staff have corrected those that they said `before`: what
    /// centres have sent of either is settled anew. A claim over which they drew it up under another number, or that they named by
    /// its document's uid, goes on being it; the one paper of the new number that centres have becomes it. The persons whom that
    /// touches.
    fn renumber_drawn(&self, before: Option<&Drawn>, drawn: &Drawn) -> Result<Affected, RegisterError> {
        let mut affected = Affected::new();
        let kind = drawn.body.kind();
        let number = |drawn: &Drawn| drawn::is_document(kind).then(|| DocumentKey::of(&drawn.body)).flatten();
        let (Some(person), Some(was), Some(key)) = (drawn.person, before.and_then(number), number(drawn))
        else {
            return Ok(affected);
        };
        if was == key {
            return Ok(affected);
        }
        if self.is_centres(drawn)? {
            let stored = self.tx.number_of(drawn.key)?;
            if !stored.is_some_and(|stored| was.is_of(&stored)) {
                self.settle_all(&self.claims_of_number(drawn.key, &was)?, &mut affected)?;
            }
            return Ok(affected);
        }
        self.store_under(drawn.key, &key)?;
        let mut claims = self.tx.claims_of(drawn.key)?;
        let named = programme_of(&drawn.body);
        let named = named.map(|programme| self.tx.document_meant(programme)).transpose()?;
        let (mut centres_own, mut others) = (Vec::new(), BTreeSet::new());
        for (document, meant) in self.known_of_number(self.tx.person_meant(person)?, kind, &key)? {
            claims.extend(self.tx.claims_of(document)?);
            if document == drawn.key || self.is_under_another(document, named)? {
                continue;
            }
            others.insert(meant);
            if document == meant && self.tx.drawn(document)?.is_none() {
                centres_own.push(document);
            }
        }
        if let ([one], 1) = (&centres_own[..], others.len()) {
            // as if they had drawn it up at once: it stands over the one paper of that number that centres have
            for claim in self.tx.claims_of(*one)? {
                self.tx.remove_person_record(claim)?;
            }
        }
        self.settle_all(&claims, &mut affected)?;
        Ok(affected)
    }

    fn settle_all(&self, claims: &[ClaimId], affected: &mut Affected) -> Result<(), RegisterError> {
        for claim in claims {
            affected.extend(self.settle_document(*claim)?);
        }
        affected.extend(self.settle_supplements(claims)?);
        Ok(())
    }

    /// The claims of `document` that say this number and date.
    fn claims_of_number(&self, document: RecordId, key: &DocumentKey) -> Result<Vec<ClaimId>, RegisterError> {
        let mut of_number = Vec::new();
        for id in self.tx.claims_of(document)? {
            let found = self.tx.received(id)?;
            if found.is_some_and(|found| DocumentKey::of(&found.claim.body).as_ref() == Some(key)) {
                of_number.push(id);
            }
        }
        Ok(of_number)
    }

    /// Whether staff drew up `drawn` by naming the document that centres have.
    pub fn is_centres(&self, drawn: &Drawn) -> Result<bool, RegisterError> {
        let Ok(named) = drawn.id.to_lowercase().parse() else { return Ok(false) };
        let is_named = self.tx.document_meant(named)? == self.tx.document_meant(drawn.key)?;
        Ok(is_named && !self.tx.claims_of(drawn.key)?.is_empty())
    }

    /// Whether the paper `document` is one that centres have, and stays theirs when staff correct it to the number and date of
    /// `body`, which none of its claims says.
    pub fn is_of_centres(&self, document: RecordId, body: &Body) -> Result<bool, RegisterError> {
        let says = DocumentKey::of(body).map(|key| self.claims_of_number(document, &key)).transpose()?;
        if says.is_some_and(|claims| !claims.is_empty()) {
            return Ok(false);
        }
        match self.tx.drawn(document)? {
            Some(drawn) => self.is_centres(&drawn),
            None => Ok(true),
        }
    }

    /// The papers of `person` that have the number and date of `body`, and of its programme, and that centres alone have: not one of
    /// which nobody says anything any more.
    pub fn of_centres_alone(&self, person: RecordId, body: &Body) -> Result<Vec<RecordId>, RegisterError> {
        let Some(key) = DocumentKey::of(body) else { return Ok(Vec::new()) };
        let named = programme_of(body);
        let named = named.map(|programme| self.tx.document_meant(programme)).transpose()?;
        let mut alone = Vec::new();
        for (document, meant) in self.known_of_number(self.tx.person_meant(person)?, body.kind(), &key)? {
            let is_other = self.is_under_another(document, named)?;
            let is_alone = || Ok::<_, RegisterError>(self.tx.drawn(document)?.is_none());
            if !is_other && document == meant && is_alone()? && !self.tx.claims_of(document)?.is_empty() {
                alone.push(document);
            }
        }
        Ok(alone)
    }

    /// Takes back `drawn`, a record about a person: whoever was told of it sees it withdrawn, or what the centres claim.
    pub fn take_back(&self, drawn: &Drawn, person: RecordId, reason: &str) -> Result<(), RegisterError> {
        self.tx.remove_drawn(drawn.key)?;
        self.note(&Input {
            action: "drawn.withdrawn",
            subject: Some((drawn.body.kind().name(), drawn.key)),
            other: Some(person),
            reason: Some(reason),
            ..Input::default()
        })?;
        self.journal_drawn("record.withdrawn", drawn)?;
        self.republish(person)
    }

    fn journal_drawn(&self, event: &str, drawn: &Drawn) -> Result<(), RegisterError> {
        self.tx.journal(&Event {
            at: self.now,
            actor: self.actor,
            event,
            subject: &drawn.key.to_string(),
            rule: drawn.body.kind().name(),
            digests: &[],
        })?;
        Ok(())
    }

    /// Publishes the directory (services, providers) to `centre`, which is new.
    pub fn publish_directory(&self, centre: ParticipantCode) -> Result<(), RegisterError> {
        for kind in drawn::DIRECTORY {
            let mut after = String::new();
            loop {
                let page = self.tx.drawn_after(kind, &after, 500)?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.id);
                page.iter().try_for_each(|drawn| self.tell_of(centre, drawn))?;
            }
        }
        Ok(())
    }

    /// Tells `centre` of a record of the directory. It belongs to no person's file: its own key stands for that.
    fn tell_of(&self, centre: ParticipantCode, drawn: &Drawn) -> Result<(), RegisterError> {
        let (kind, bytes): (Kind, _) = (drawn.body.kind(), drawn.body.to_xml());
        self.tx.publish(centre, kind, drawn.key, Form::Live, &bytes, drawn.key)?;
        Ok(())
    }
}
