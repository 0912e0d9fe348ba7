//! What this hub has published and, put back from a copy, no longer knows: taken back from the copy that a centre keeps.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Form, Kind, Record, RecordId},
    stream::{Edition, Return, judge_return},
};

use super::{Affected, Input, Register, RegisterError};
use crate::{database::linking::ClaimName, decisions::document_key::DocumentKey};

/// How a centre's copy of a publication differs from what this hub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The hub does not know that it was published.
    Back,
    /// It was published in a later version; what should be told now is told in one above that.
    Ahead,
    /// The centre has something older than the hub has published.
    SentAgain,
    /// Its case number is another person's by now: it gets a new one.
    Renumbered,
}

impl What {
    /// The word in JSON and in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Ahead => "ahead",
            Self::SentAgain => "sent_again",
            Self::Renumbered => "renumbered",
        }
    }
}

/// What is taken back of one centre.
#[derive(Debug, Default)]
pub struct Returned {
    /// Which person a claim of the centre was, by the key of the claim.
    pub links: BTreeMap<RecordId, RecordId>,
    /// Persons whose publications have come back.
    pub affected: Affected,
}

impl Register<'_> {
    /// How the copy `mirror` that `centre` keeps of a publication differs from what was published; `None`: it does not.
    pub fn differs(&self, centre: ParticipantCode, mirror: &Record) -> Result<Option<What>, RegisterError> {
        let known = self.tx.publication(centre, mirror.kind, mirror.key)?.filter(|known| known.version > 0);
        let sent = known.as_ref().and_then(|known| {
            let (form, hash) = known.sealed?;
            Some(Edition { version: known.version, form, hash })
        });
        let edition = Edition::of(mirror);
        if mirror.kind == Kind::Person && sent.is_none() && self.tx.person(mirror.key)?.is_none() {
            let body = (mirror.form != Form::Tombstone).then(|| mirror.read_body().ok()).flatten();
            let told = body.as_ref().and_then(|body| body.text("case_number"));
            if told.is_some_and(|told| self.tx.person_by_case(told).is_ok_and(|person| person.is_some())) {
                return Ok(Some(What::Renumbered));
            }
        }
        Ok(match judge_return(&edition, sent.as_ref(), false) {
            Return::Stands if sent == Some(edition) => None,
            Return::Stands => Some(What::SentAgain),
            Return::TakenBack if sent.is_none() => Some(What::Back),
            Return::TakenBack | Return::BothMoved => Some(What::Ahead),
        })
    }

    /// Takes back what `mirror` shows: the person or document under its id, and that it was published in this version.
    pub fn take_back_published(
        &self,
        centre: ParticipantCode,
        mirror: &Record,
        returned: &mut Returned,
    ) -> Result<(), RegisterError> {
        let differs = self.differs(centre, mirror)?;
        let body = (mirror.form != Form::Tombstone).then(|| mirror.read_body().ok()).flatten();
        let id = |field: &str| body.as_ref().and_then(|body| body.stated(field)?.parse::<RecordId>().ok());
        let person = match mirror.kind {
            Kind::Person => {
                self.take_back_person(mirror)?;
                mirror.key
            }
            Kind::Link => {
                let target = id("target");
                let of_person =
                    body.as_ref().is_some_and(|body| body.text("claim_kind") == Some("recipient_claim"));
                if let Some(target) = target.filter(|_| of_person && mirror.form == Form::Live) {
                    returned.links.insert(mirror.key, target);
                }
                target.unwrap_or(mirror.key)
            }
            kind => {
                let person = id("recipient").unwrap_or(mirror.key);
                if let Some(body) = &body {
                    self.document_back(kind, mirror.key, person, body)?;
                }
                person
            }
        };
        if matches!(differs, Some(What::Back | What::Ahead | What::Renumbered)) {
            self.tx.told_before(centre, mirror, person)?;
        }
        if self.tx.person(person)?.is_some() {
            returned.affected.insert(self.tx.person_meant(person)?);
        }
        Ok(())
    }

    /// Parts again whom staff have parted since the copy was made: of claims that a later link of the hub's, in a mirror, gives to
    /// another person than this database. Whole persons are left: joined since, they are two until staff say so again.
    pub fn part_back(&self, links: &BTreeMap<ClaimName, RecordId>) -> Result<(), RegisterError> {
        let mut parted: BTreeMap<(RecordId, RecordId), BTreeSet<ClaimName>> = BTreeMap::new();
        for (name, target) in links {
            let Some(uid) = self.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1)? else { continue };
            let meant = self.tx.person_meant(*target)?;
            if meant != uid && self.tx.person(meant)?.is_some() {
                parted.entry((uid, meant)).or_default().insert(*name);
            }
        }
        for ((uid, target), out) in parted {
            let named = self.claims_named(uid)?;
            if !out.iter().all(|name| named.contains_key(name)) || out.len() == named.len() {
                continue;
            }
            out.iter().try_for_each(|name| self.tx.set_home(named[name], target))?;
            self.part(uid, &out, "resync")?;
        }
        Ok(())
    }

    /// Of which claim a link in the mirror of `centre` tells that is later than what this database has published; and which
    /// person it names.
    pub fn later_link(
        &self,
        centre: ParticipantCode,
        mirror: &Record,
    ) -> Result<Option<(ClaimName, RecordId)>, RegisterError> {
        if mirror.kind != Kind::Link
            || mirror.form != Form::Live
            || !matches!(self.differs(centre, mirror)?, Some(What::Back | What::Ahead))
        {
            return Ok(None);
        }
        let Ok(body) = mirror.read_body() else { return Ok(None) };
        let target = body.text("target").and_then(|text| text.parse().ok());
        let of_person = body.text("claim_kind") == Some(Kind::RecipientClaim.name());
        Ok(target.filter(|_| of_person).map(|target| ((centre, mirror.key), target)))
    }

    /// The person that `mirror` shows, under its id and its number; under a new number if that was given to another since.
    /// Other kinds, and who is known, are left.
    pub fn take_back_person(&self, mirror: &Record) -> Result<(), RegisterError> {
        let uid = mirror.key;
        if mirror.kind != Kind::Person || mirror.form == Form::Tombstone || self.tx.person(uid)?.is_some() {
            return Ok(());
        }
        let Ok(body) = mirror.read_body() else { return Ok(()) };
        let told = body.text("case_number").unwrap_or_default();
        let serial = told.rsplit('-').nth(1).and_then(|text| text.parse::<u64>().ok());
        let (case_number, serial) = match serial.filter(|serial| *serial > 0) {
            Some(serial) if self.tx.person_by_case(told)?.is_none() => (told.to_owned(), serial),
            _ => self.next_number()?,
        };
        self.tx.add_person(uid, &case_number, serial)?;
        self.note(&Input {
            action: "person.new",
            subject: Some((Kind::Person.name(), uid)),
            value: Some(&case_number),
            engine: Some("resync"),
            ..Input::default()
        })
    }

    fn document_back(
        &self,
        kind: Kind,
        uid: RecordId,
        person: RecordId,
        body: &Body,
    ) -> Result<(), RegisterError> {
        let Some(key) = DocumentKey::of(body).filter(|_| matches!(kind, Kind::Programme | Kind::Supplement))
        else {
            return Ok(());
        };
        if self.tx.person(person)?.is_none()
            || self.tx.person_of_document(uid)?.is_some()
            || !self.of_number(person, kind, &key)?.is_empty()
        {
            return Ok(());
        }
        self.add_document(uid, kind, person, &key)
    }

    /// Links the claims of `centre` that are linked no more to the persons that they were.
    pub fn link_back(&self, centre: ParticipantCode, returned: &Returned) -> Result<(), RegisterError> {
        for (key, target) in &returned.links {
            let Some(claim) = self.tx.known(centre, Kind::RecipientClaim, *key)?.map(|known| known.id) else {
                continue;
            };
            if self.tx.uid_of(claim)?.is_none() && self.tx.person(*target)?.is_some() {
                let uid = self.tx.person_meant(*target)?;
                self.link((centre, *key), claim, uid, ("RETURNED", "resync"))?;
            }
        }
        Ok(())
    }
}
