//! `person split`: staff take claims out of a person that is two.

use std::collections::BTreeSet;

use exchange_endpoint::{
    config::Config,
    messages,
    output::{Exit, Failure},
};
use exchange_format::record::{Kind, RecordId};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    decided::{Decided, Decision},
    people::{find, serving},
};
use crate::{
    database::{Tx, linking::ClaimName},
    edges::{
        config::HubConfig,
        hub::{Context, open},
        register::Register,
    },
};

/// What a split has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Split {
    /// The person out of which claims were taken.
    pub uid: String,
    /// Its case number.
    pub case_number: String,
    /// Who they are now.
    pub parted: Vec<Parted>,
    /// What the hub's staff entered or drew up stays with the person; how much of that there is.
    pub entered: usize,
    /// Persons whose publications may have changed.
    pub persons: usize,
    /// The number of the protocol.
    pub protocol: Option<u32>,
}

/// A person that some of the claims are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parted {
    /// Its id.
    pub uid: String,
    /// Its case number.
    pub case_number: String,
    /// The claims: `CENTRE:KEY`.
    pub claims: Vec<String>,
    /// The centres that serve it.
    pub centres: Vec<String>,
    /// The question of which «один» takes the split back.
    pub review: Option<i64>,
}

/// Takes `claims` out of the person `who`.
pub fn split(
    config: &Config<HubConfig>,
    who: &str,
    claims: &[ClaimName],
    (actor, reason): (&str, &str),
    now: Timestamp,
) -> Result<Split, Failure> {
    open(config)?.carry_out(|context, tx| {
        let register = context.register(tx, actor, now);
        let (person, _) = find(tx, who)?;
        let named = register.claims_named(person.uid)?;
        let out: BTreeSet<ClaimName> = claims.iter().copied().collect();
        if let Some((centre, key)) = out.iter().find(|name| !named.contains_key(name)) {
            let claim = format!("{centre}:{key}");
            return Err(Failure::new(Exit::Refused, "person-other-claim").with("claim", claim));
        }
        if out.len() == named.len() {
            return Err(Failure::new(Exit::Refused, "person-split-whole"));
        }
        let persons = register.part(person.uid, &out, reason)?.len();
        let rest = named.into_keys().find(|name| !out.contains(name));
        let parted = parted(tx, &out, rest)?;
        let drawn = tx.drawn_of(person.uid)?.len();
        let protocol = protocol(context, &register, person.uid, &parted, reason)?;
        Ok(Split {
            entered: tx.entries(person.uid)?.len() + drawn,
            uid: person.uid.to_string(),
            case_number: person.case_number,
            parted,
            persons,
            protocol,
        })
    })
}

fn parted(tx: &Tx<'_>, out: &BTreeSet<ClaimName>, rest: Option<ClaimName>) -> Result<Vec<Parted>, Failure> {
    let mut all: Vec<Parted> = Vec::new();
    for (centre, key) in out {
        let Some(uid) = tx.uid_of_key(*centre, Kind::RecipientClaim, *key)? else { continue };
        let claim = format!("{centre}:{key}");
        let text = uid.to_string();
        if let Some(known) = all.iter_mut().find(|one| one.uid == text) {
            known.claims.push(claim);
        } else if let Some(person) = tx.person(uid)? {
            let (case_number, centres) = (person.case_number, serving(tx, uid)?);
            let name = (*centre, *key);
            let asked = rest.map(|rest| tx.review_of("pair", name.min(rest), name.max(rest)));
            let review = asked.transpose()?.flatten();
            all.push(Parted { uid: text, case_number, claims: vec![claim], centres, review });
        }
    }
    Ok(all)
}

fn protocol(
    context: &Context,
    register: &Register<'_>,
    uid: RecordId,
    parted: &[Parted],
    reason: &str,
) -> Result<Option<u32>, Failure> {
    let mut decided = Decided::by(context, register);
    for (person, claim) in parted.iter().flat_map(|one| one.claims.iter().map(move |claim| (one, claim))) {
        let args = [("person", uid.to_string().into()), ("now", person.uid.clone().into())];
        decided.tell(Decision {
            kind: "recipient_claim",
            key: claim.clone(),
            outcome: "parted",
            rule: "SPLIT",
            sentence: messages::text(decided.lang(), "decision-parted", &args),
            reason,
        });
    }
    decided.keep(register.tx)
}
