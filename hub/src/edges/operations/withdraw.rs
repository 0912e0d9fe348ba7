//! A record that staff drew up by mistake, taken back.

use exchange_endpoint::{
    config::Config,
    messages,
    output::{Exit, Failure},
};
use exchange_format::record::Kind;
use jiff::Timestamp;
use serde::Serialize;

use super::decided::{Decided, Decision};
use crate::{
    decisions::audience::{self, Document, View},
    edges::{config::HubConfig, hub::open},
};

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// Its kind.
    pub kind: &'static str,
    /// Its key.
    pub uid: String,
    /// The supplements that named it and are published to nobody any more: their centres are to name another programme.
    pub supplements: Vec<String>,
    /// The number of the protocol.
    pub protocol: Option<u32>,
}

/// Takes back the record of `kind` that staff's files call `id`.
pub fn withdraw(
    config: &Config<HubConfig>,
    kind: Kind,
    id: &str,
    act: (&str, &str),
    now: Timestamp,
) -> Result<Withdrawn, Failure> {
    let (actor, reason) = act;
    open(config)?.carry_out(|context, tx| {
        let drawn = tx.drawn_by_id(kind, id.trim())?;
        let drawn = drawn.ok_or_else(|| Failure::new(Exit::Refused, "record-unknown"))?;
        // what centres may have in their contracts ends, and is not taken away
        let stays = || Failure::new(Exit::Refused, "directory-stays");
        let person = tx.person_meant(drawn.person.ok_or_else(stays)?)?;
        let register = context.register(tx, actor, now);
        register.take_back(&drawn, person, reason)?;
        let mut supplements = Vec::new();
        if let Some(file) = register.file(person)? {
            let all = audience::documents(&file, View::Everything, register.lists);
            let named = |one: &&Document| one.names(drawn.key);
            supplements.extend(audience::stranded(&file, &all).filter(named).map(|one| one.uid.to_string()));
        }
        let mut decided = Decided::by(context, &register);
        let sentence = messages::text(decided.lang(), "decision-drawn-withdrawn", &[]);
        let (kind, uid) = (kind.name(), drawn.key.to_string());
        let (key, outcome, rule) = (uid.clone(), "withdrawn", "drawn");
        decided.tell(Decision { kind, key, outcome, rule, sentence, reason });
        Ok(Withdrawn { kind, uid, supplements, protocol: decided.keep(tx)? })
    })
}
