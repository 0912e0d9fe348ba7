//! `keys list` and `keys rotate`, as both daemons tell them: whose keys count, where a change of ours stands.

use clap::Subcommand;
use exchange_format::{card::Card, participant::ParticipantCode};
use jiff::civil::Date;
use serde::Serialize;

use crate::{
    key_table::KyState,
    keys::OwnKeys,
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
    trust::Trust,
};

/// What can be done with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum KeysCommand {
    /// Own cards and those of the peers, with the superseded ones; who was told of new keys
    List,
    /// Make new keys and tell them to every peer; they take the place of the old ones when all have taken them
    ///
    /// The daemon does it; nobody has to carry a card. Where a peer has refused them, they are told again. A key that
    /// a stranger may have is not changed so, but by a new card: svod-hub centre disable, then centre add.
    Rotate,
}

/// A card, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardTold {
    /// Whose.
    pub code: String,
    /// `current`, `next` or `former`.
    pub state: &'static str,
    /// Of its file.
    pub fingerprint: String,
    /// As a C2SP verifier key.
    pub signing_key: String,
    /// What is sealed to.
    pub age_recipient: String,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity.
    pub valid_until: Date,
}

/// Who was told our next keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TellingTold {
    /// The peer.
    pub peer: String,
    /// `untold`, `open`, `taken` or `refused`.
    pub state: &'static str,
    /// The KY.
    pub packet: Option<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysTold {
    /// Own cards.
    pub own: Vec<CardTold>,
    /// While keys change.
    pub telling: Vec<TellingTold>,
    /// The peers' cards.
    pub peers: Vec<CardTold>,
}

impl CardTold {
    fn of(card: &Card, state: &'static str) -> Self {
        let content = &card.content;
        Self {
            code: content.code.to_string(),
            state,
            fingerprint: card.fingerprint(),
            signing_key: content.signing_key.to_string(),
            age_recipient: content.age_recipient.to_string(),
            valid_from: content.valid_from,
            valid_until: content.valid_until,
        }
    }

    fn text(&self, lang: Lang) -> String {
        let args = [
            ("code", self.code.clone().into()),
            ("state", messages::word(lang, "card-state", self.state).into()),
            ("until", messages::day(lang, &self.valid_until.to_string()).into()),
            ("fingerprint", self.fingerprint.clone().into()),
        ];
        messages::text(lang, "keys-card", &args)
    }
}

impl KeysTold {
    /// What `own` keys and the cards of `trust` are; `told` says of each peer what became of the KY of the next keys.
    pub fn of<E>(
        own: &OwnKeys,
        trust: &Trust,
        peers: &[ParticipantCode],
        told: impl Fn(ParticipantCode, &str) -> Result<Option<(KyState, String)>, E>,
    ) -> Result<Self, E> {
        let code = own.participant();
        let mut cards = vec![CardTold::of(&own.card, "current")];
        cards.extend(own.next.as_ref().map(|next| CardTold::of(&next.card, "next")));
        cards.extend(trust.superseded(code).map(|card| CardTold::of(card, "former")));
        let mut others = Vec::new();
        for card in trust.cards().filter(|card| card.content.code != code) {
            others.push(CardTold::of(card, "current"));
            others.extend(trust.superseded(card.content.code).map(|card| CardTold::of(card, "former")));
        }
        let mut telling = Vec::new();
        if let Some(next) = &own.next {
            let print = next.card.fingerprint();
            for peer in peers {
                let (state, packet) = told(*peer, &print)?.unzip();
                telling.push(TellingTold {
                    peer: peer.to_string(),
                    state: state.map_or("untold", KyState::word),
                    packet,
                });
            }
        }
        Ok(Self { own: cards, telling, peers: others })
    }

    /// Writes it.
    pub fn print(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        common.print(self, |lang| {
            let mut lines = vec![messages::text(lang, "keys-own", &[])];
            lines.extend(self.own.iter().map(|card| card.text(lang)));
            if !self.telling.is_empty() {
                lines.push(messages::text(lang, "keys-telling", &[]));
            }
            lines.extend(self.telling.iter().map(|one| {
                let packet = one.packet.as_deref().map_or_else(String::new, |packet| format!("  {packet}"));
                format!("  {}: {}{packet}", one.peer, messages::word(lang, "ky-state", one.state))
            }));
            lines.push(messages::text(lang, "keys-peers", &[]));
            lines.extend(self.peers.iter().map(|card| card.text(lang)));
            lines.join("\n")
        })?;
        Ok(Exit::Done)
    }
}

/// Tells that the keys of `card` were made, or are told again.
pub fn print_rotated(common: &CommonArgs, card: &Card, again: bool) -> Result<Exit, Failure> {
    let told = CardTold::of(card, "next");
    common.print(&serde_json::json!({ "card": told, "again": again }), |lang| {
        let id = if again { "keys-told-again" } else { "keys-rotated" };
        let args = [
            ("fingerprint", told.fingerprint.clone().into()),
            ("until", messages::day(lang, &told.valid_until.to_string()).into()),
        ];
        messages::text(lang, id, &args)
    })?;
    Ok(Exit::Done)
}
