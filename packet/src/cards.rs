//! The cards that the auditor trusts, current and superseded ones alike: what a card signed it signed for ever.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    key_ring::KeyRing,
    output::{Exit, Failure},
    trust::Trust,
};
use exchange_format::{
    card::Card,
    participant::ParticipantCode,
    position::{Digest, Position},
    signature,
};
use jiff::civil::Date;

/// All cards of the directories and files named.
#[derive(Debug, Default)]
pub struct Cards {
    all: Vec<Card>,
    /// Of participants that have changed their keys by KY: which key signs at which place.
    rings: Vec<KeyRing>,
}

/// Which card signed a manifest.
#[derive(Debug)]
pub enum Signer<'a> {
    /// This one.
    Card(&'a Card),
    /// None of the participant's cards here; why the first of them did not.
    Another(signature::SignatureError),
    /// There is no card of the participant here.
    NoCard,
}

impl Cards {
    /// Reads each of `paths`: a directory `trust/` of a participant, or one card. One participant at most is the hub, whose
    /// signatures prove publications.
    ///
    /// # Errors
    /// A file cannot be read or is no card; cards of several hubs.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut cards = Self::default();
        for path in paths {
            if path.is_dir() {
                let trust = Trust::open(path)?;
                for card in trust.cards() {
                    cards.all.push(card.clone());
                    cards.all.extend(trust.superseded(card.content.code).cloned());
                    cards.rings.extend(trust.ring(card.content.code));
                }
            } else {
                cards.all.push(read(path)?);
            }
        }
        let hubs = cards.all.iter().filter(|card| card.content.tls_ca.is_some());
        let hubs: BTreeSet<&str> = hubs.map(|card| card.content.code.as_str()).collect();
        if hubs.len() > 1 {
            let codes = hubs.into_iter().collect::<Vec<_>>().join(", ");
            return Err(Failure::new(Exit::Refused, "trust-two-hubs").with("codes", codes));
        }
        Ok(cards)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Which card of `from` signed the manifest with `digest` of the packet called `stem`. Of several with the same key
    /// the one that is valid on `day`.
    pub fn signer(
        &self,
        from: ParticipantCode,
        (stem, digest, note): (&str, &Digest, &[u8]),
        day: Date,
    ) -> Signer<'_> {
        let mut best = Signer::NoCard;
        for card in self.all.iter().filter(|card| card.content.code == from) {
            match signature::verify_note(&card.content.signing_key, stem, digest, note) {
                Ok(()) if card.check_valid_on(day).is_ok() => return Signer::Card(card),
                Ok(()) => best = Signer::Card(card),
                Err(why) if matches!(best, Signer::NoCard) => best = Signer::Another(why),
                Err(_) => {}
            }
        }
        best
    }

    /// Whether the key of `card` signs what stands at `position` of its participant's stream; unknown if no KY has told
    /// that key or the next.
    pub fn signs_at(&self, card: &Card, position: Position) -> Option<bool> {
        let is_its = |other: &Card| other.content.signing_key == card.content.signing_key;
        let ring = self.rings.iter().find(|ring| ring.cards().count() > 1 && ring.cards().any(is_its))?;
        Some(is_its(ring.at(position)))
    }
}

fn read(path: &Path) -> Result<Card, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(Exit::of_io(&error), "trust-file").told("file", path.display()).because("detail", error)
    })?;
    Card::from_bytes(&bytes).map_err(|error| Failure::card(path, error))
}
