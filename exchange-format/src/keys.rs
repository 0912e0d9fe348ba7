//! New keys (KY): a numbered packet signed by the old key, whose one member is the card of the new one, signed by itself.
//! What it says holds from the next packet of that stream on (FORMAT.md §New keys).

use std::io::{Read, Seek};

use jiff::civil::Date;

use crate::{
    card::{CARD_BYTES, Card, CardError},
    error::PacketError,
    packet::{CheckedPacket, MemberName},
};

/// Why a KY is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not a card, or its own signature does not hold.
    #[error(transparent)]
    Card(#[from] CardError),
    /// It is no successor of the card whose key signed the packet.
    #[error("{0}")]
    Succession(&'static str),
}

/// Whether `new` may follow `old` on `day`, that of the KY. `old` may have run out: its owner's packets are taken all the same, and
/// nothing else would bring new keys to those who know it.
///
/// # Errors
/// Another participant's; the same signing key; the new card is not valid on that day, or the old one not yet; a hub's card that
/// becomes a centre's, or the other way.
pub fn check_successor(old: &Card, new: &Card, day: Date) -> Result<(), KeysError> {
    let (before, after) = (&old.content, &new.content);
    let rules = [
        (before.code == after.code, "it is another participant's card"),
        (before.signing_key != after.signing_key, "its signing key is the one that it should follow"),
        (
            before.tls_ca.is_some() == after.tls_ca.is_some(),
            "only a hub's card has a tls_ca, and always has one",
        ),
    ];
    if let Some((_, problem)) = rules.iter().find(|(holds, _)| !holds) {
        return Err(KeysError::Succession(problem));
    }
    old.check_valid_on(day.min(before.valid_until))?;
    new.check_valid_on(day)?;
    Ok(())
}

/// The card of a KY that was verified with the key of `old`.
///
/// # Errors
/// Reading failed, or the card may not follow `old`.
pub fn read_card<R: Read + Seek>(packet: &mut CheckedPacket<'_, R>, old: &Card) -> Result<Card, PacketError> {
    let mut bytes = Vec::new();
    let created = packet.manifest().header.created_at;
    if packet.manifest().members.iter().any(|member| member.size > CARD_BYTES as u64) {
        return Err(KeysError::Card(CardError::NotACard).into());
    }
    packet.copy_member(&MemberName::Card, &mut bytes)?;
    let card = Card::from_bytes(&bytes).map_err(KeysError::from)?;
    check_successor(old, &card, created.to_zoned(jiff::tz::TimeZone::UTC).date())?;
    Ok(card)
}

/// The lines of the member that tells `card`.
pub fn lines(card: &Card) -> impl Iterator<Item = &[u8]> {
    let bytes = card.to_bytes();
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n')
}
