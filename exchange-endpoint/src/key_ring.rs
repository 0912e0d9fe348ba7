//! The keys of one peer by the positions of its stream: what it signs after a KY is of the card that the KY told, what
//! it signed before of the card before (FORMAT.md §New keys).

use std::io::{Read, Seek};

use exchange_format::{
    card::Card,
    error::PacketError,
    file_name::FileName,
    keys::{KeysError, read_card},
    packet::{CheckedPacket, UnverifiedPacket, VerifiedPacket},
    position::Position,
    signature::VerifyingKey,
};

/// The cards of one participant that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    /// In force from the stream's first packet on.
    first: Card,
    /// Each in force after the KY at this position; ascending.
    later: Vec<(Position, Card)>,
}

impl KeyRing {
    /// Of cards that follow each other.
    pub(crate) fn new(first: Card, later: Vec<(Position, Card)>) -> Self {
        Self { first, later }
    }

    /// The card in force now: whom to seal to.
    pub fn current(&self) -> &Card {
        self.later.last().map_or(&self.first, |(_, card)| card)
    }

    /// The card whose key signs the packet at `position`.
    pub fn at(&self, position: Position) -> &Card {
        let before = self.later.iter().rev().find(|(told, _)| *told < position);
        before.map_or(&self.first, |(_, card)| card)
    }

    /// Whether the KY at `position` has told one of them.
    pub fn told_at(&self, position: Position) -> bool {
        self.later.iter().any(|(told, _)| *told == position)
    }

    /// All of them, the one in force first.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.later.iter().rev().map(|(_, card)| card).chain([&self.first])
    }

    /// Proves that `packet` is called `name` and was made by this participant: a numbered one by the key of its place,
    /// an answer or request by any that counts.
    ///
    /// # Errors
    /// It was not.
    pub fn verify<R: Read + Seek>(
        &self,
        packet: UnverifiedPacket<R>,
        name: &FileName,
    ) -> Result<VerifiedPacket<R>, PacketError> {
        let key = if name.kind.is_numbered() {
            &self.at(name.position).content.signing_key
        } else {
            let keys: Vec<&VerifyingKey> = self.cards().map(|card| &card.content.signing_key).collect();
            packet.signer(name, keys.iter().copied()).unwrap_or(keys[0])
        };
        packet.verify(name, |code| (code == key.participant()).then(|| key.clone()))
    }

    /// The card that a KY tells. What this ring knows of its place and later ones makes no difference, so that a KY may
    /// be read again.
    ///
    /// # Errors
    /// Reading failed, or the card may not follow the one before; its key was this participant's before.
    pub fn read_new<R: Read + Seek>(&self, packet: &mut CheckedPacket<'_, R>) -> Result<Card, PacketError> {
        let position = packet.manifest().header.position;
        let card = read_card(packet, self.at(position))?;
        let earlier = self.later.iter().filter(|(told, _)| *told < position).map(|(_, card)| card);
        let key = &card.content.signing_key;
        if earlier.chain([&self.first]).any(|earlier| earlier.content.signing_key == *key) {
            return Err(KeysError::Succession("its signing key was in use before").into());
        }
        Ok(card)
    }
}
