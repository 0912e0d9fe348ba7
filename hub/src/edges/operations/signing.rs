//! The second signature: «один» about two persons of whom centres have been told already is carried out when somebody else has
//! signed it too, and only if it is still what the first has seen (ADR 26).

use std::collections::BTreeSet;

use exchange_endpoint::{
    config::Config,
    messages::{self, Lang, Value},
    output::{Exit, Failure},
};
use exchange_format::{
    position::Digest,
    record::{Kind, RecordId},
};
use serde::Serialize;

use super::{
    contradiction,
    decided::{Decided, Decision},
    people::serving,
    questions::edition,
    reviews::Answer,
    single::{One, asked},
    word::{Problem, Word},
};
use crate::{
    database::{
        DatabaseError, Tx,
        reviews::Review,
        signatures::{Signature, Signed},
    },
    decisions::{
        merge::staff,
        signing::{Change, Seen, are_two},
    },
    edges::{
        config::HubConfig,
        hub::open,
        register::{REFUSED, REPLACED, Register},
    },
};

/// What is signed of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The first signature.
    #[serde(flatten)]
    pub first: Signature,
    /// What has changed since, so that it is to be given again; always nothing once there is a second.
    pub changed: Vec<Change>,
    /// The second; none while it is waited for.
    pub second: Option<Signature>,
}

impl Told {
    /// Whether a second signature would carry it out.
    pub fn can_be_signed(&self) -> bool {
        self.second.is_none() && self.changed.is_empty()
    }
}

/// A decision that waits for a second signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The number of the question.
    pub review: i64,
    /// The first signature.
    #[serde(flatten)]
    pub first: Signature,
}

/// What has become of «один».
pub(super) enum First {
    /// Nobody else need sign: it is to be carried out.
    Enough,
    /// It waits for a second signature; whether it was signed only now.
    Waits(Waiting, bool),
}

/// Of «один»: kept as a first signature, if two have to sign.
pub(super) fn first(
    register: &Register<'_>,
    answer: &Answer<'_>,
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<First, Failure> {
    let (tx, review) = (register.tx, &answer.review);
    if !register.second_signature || review.kind != "pair" || answer.word != Word::Same {
        return Ok(First::Enough);
    }
    let people = joined_by(tx, review)?;
    let mut published = 0;
    for uid in &people {
        published += u32::from(tx.was_published(*uid)?);
    }
    if published < 2 {
        return Ok(First::Enough);
    }
    let same = staff::Decision::Same;
    let against = contradiction::of(tx, (review.one, review.other), same)?;
    if !against.is_empty() && !answer.insist.overrides(same) {
        return Err(unfit(contradiction::problem(same, &against)));
    }
    let seen = seen(register, &people)?;
    let waiting = |first: Signature| Waiting { review: review.n, first };
    // what has changed since somebody signed it is signed anew
    if let Some(signed) = half(tx, review.n)?
        && changed(register, review, &signed)?.is_empty()
    {
        if are_two(&signed.first.actor, register.actor) {
            return Err(unfit(("table-sign-waits", of_signature(review.n, &signed.first))));
        }
        return Ok(First::Waits(waiting(signed.first), false));
    }
    let text = serde_json::to_string(&seen).map_err(|error| Failure::bug(&error))?;
    register.unsign(review.n, REPLACED)?;
    register.sign_first(review, answer.reason, &text)?;
    let (actor, reason) = (register.actor.to_owned(), answer.reason.to_owned());
    Ok(First::Waits(waiting(Signature { actor, at: register.now.to_string(), reason }), true))
}

/// Keeps the second signature, if the actor may give it; the first one. What both were given to is then to be carried out.
pub(super) fn second(
    register: &Register<'_>,
    answer: &Answer<'_>,
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<Signature, Failure> {
    let (tx, review) = (register.tx, &answer.review);
    let Some(signed) = half(tx, review.n)? else {
        return Err(unfit(("table-sign-none", vec![("review", review.n.to_string().into())])));
    };
    let mut args = of_signature(review.n, &signed.first);
    if !are_two(&signed.first.actor, register.actor) {
        args.push(("second", register.actor.to_owned().into()));
        return Err(unfit(("table-sign-same", args)));
    }
    let changes = changed(register, review, &signed)?;
    if !changes.is_empty() {
        let codes: Vec<String> =
            changes.iter().map(|one| format!("{}\t{}\t{}", one.what, one.name, one.how)).collect();
        args.push(("changes", codes.join("\n").into()));
        return Err(unfit(("table-sign-changed", args)));
    }
    register.sign_second(review, (&signed.first.actor, &signed.seen), answer.reason)?;
    Ok(signed.first)
}

/// The one who is to sign second does not, or the first takes the signature back: the question is as it was before.
pub fn refuse(config: &Config<HubConfig>, one: One<'_>) -> Result<Option<u32>, Failure> {
    open(config)?.carry_out(|context, tx| {
        let register = context.register(tx, one.actor, one.now);
        let review = asked(&register, one)?;
        let Some(signed) = half(tx, review.n)? else {
            return Err(Failure::new(Exit::Refused, "review-not-signed").with("review", one.n.to_string()));
        };
        register.unsign_because(review.n, REFUSED, Some(one.reason))?;
        let mut decided = Decided::by(context, &register);
        let lang = decided.lang();
        decided.tell(Decision {
            kind: &review.kind,
            key: names(&review),
            outcome: "unsigned",
            rule: &review.reason,
            sentence: signed_by(lang, "decision-unsigned", &review, &signed.first),
            reason: one.reason,
        });
        decided.keep(tx)
    })
}

/// What a protocol says of a question that two sign or have signed, by the message `id`.
pub(super) fn signed_by(lang: Lang, id: &str, review: &Review, first: &Signature) -> String {
    let why = messages::word(lang, "review", &review.reason);
    let at = messages::stored_moment(lang, &first.at);
    messages::text(lang, id, &[("why", why.into()), ("who", first.actor.clone().into()), ("at", at.into())])
}

/// The two records of a question, as protocols name them.
pub(super) fn names(review: &Review) -> String {
    let mut names = vec![review.one, review.other];
    names.dedup();
    names.iter().map(|(centre, key)| format!("{centre}:{key}")).collect::<Vec<_>>().join(" ")
}

/// What is signed of `review`, as it is told.
pub(super) fn told(register: &Register<'_>, review: &Review) -> Result<Option<Told>, Failure> {
    let Some(signed) = register.tx.signed(review.n)? else { return Ok(None) };
    let changed = if signed.second.is_none() { changed(register, review, &signed)? } else { Vec::new() };
    let Signed { first, second, .. } = signed;
    Ok(Some(Told { first, changed, second }))
}

/// What has changed, in words; `codes` as an error bears them.
pub(super) fn changes_in(lang: Lang, codes: &str) -> String {
    let line = |line: &str| {
        let mut parts = line.split('\t').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        Change { what: part(), name: part(), how: known(&part()) }.words(lang)
    };
    codes.lines().map(line).collect::<Vec<_>>().join("; ")
}

fn known(how: &str) -> &'static str {
    ["new", "gone", "moved"].into_iter().find(|one| *one == how).unwrap_or("changed")
}

impl Change {
    /// What it is, in words.
    pub fn words(&self, lang: Lang) -> String {
        let [what, how] = [("signed-what", &*self.what), ("signed-how", self.how)]
            .map(|(group, code)| messages::word(lang, group, code));
        format!("{what} {}: {how}", self.name)
    }
}

/// The signature under the answer to the question `n` that waits for a second one.
pub(super) fn half(tx: &Tx<'_>, n: i64) -> Result<Option<Signed>, Failure> {
    Ok(tx.signed(n)?.filter(|signed| signed.second.is_none()))
}

fn of_signature(n: i64, first: &Signature) -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("review", n.to_string().into()),
        ("first", first.actor.clone().into()),
        ("at", first.at.clone().into()),
    ]
}

fn changed(register: &Register<'_>, review: &Review, signed: &Signed) -> Result<Vec<Change>, Failure> {
    let damaged = || DatabaseError::Damaged { table: "signature", column: "seen" };
    let then: Seen = serde_json::from_str(&signed.seen).map_err(|_| damaged())?;
    Ok(then.changes(&seen(register, &joined_by(register.tx, review)?)?))
}

/// The persons whom «один» to `review` would make one: also those whose records staff have called one with these already, as
/// while an initial load waits for its merge. Of two records that are one person by now those whose they were: the answer
/// outlives what has joined them.
fn joined_by(tx: &Tx<'_>, review: &Review) -> Result<BTreeSet<RecordId>, Failure> {
    if let Some(homes) = homes(tx, review)? {
        return Ok(homes.into());
    }
    let mut people = BTreeSet::new();
    for name in contradiction::tied(tx, (review.one, review.other))? {
        people.extend(tx.uid_of_key(name.0, Kind::RecipientClaim, name.1)?);
    }
    Ok(people)
}

/// Whose the two records of `review` were before they became one person, if they are and were two persons.
fn homes(tx: &Tx<'_>, review: &Review) -> Result<Option<[RecordId; 2]>, Failure> {
    let (mut people, mut homes) = (BTreeSet::new(), Vec::<RecordId>::new());
    for name in [review.one, review.other] {
        let Some(claim) = tx.known(name.0, Kind::RecipientClaim, name.1)? else { return Ok(None) };
        people.extend(tx.uid_of(claim.id)?);
        homes.extend(tx.home_of(claim.id)?);
    }
    let homes: Option<[RecordId; 2]> = homes.try_into().ok();
    Ok(homes.filter(|[one, other]| people.len() == 1 && one != other))
}

/// What is known of `people`, without a value: claims and documents by their versions and hashes, the hub's own entries by
/// their hashes, and which centres serve them, for these would be told the whole.
fn seen(register: &Register<'_>, people: &BTreeSet<RecordId>) -> Result<Seen, Failure> {
    let (tx, mut seen) = (register.tx, Seen::default());
    let claims = |uid: RecordId| -> Result<Vec<(String, String)>, Failure> {
        let mut all = Vec::new();
        for id in tx.claims_of(uid)? {
            let Some(claim) = tx.received(id)?.map(|found| found.claim) else { continue };
            let state = edition(claim.version, &Digest::of(&claim.body.to_xml()));
            all.push((format!("{}:{}", claim.origin, claim.key), state));
        }
        all.sort_unstable();
        Ok(all)
    };
    for uid in people {
        let person = uid.to_string();
        for (name, state) in claims(*uid)? {
            seen.of_person("claim", &name, &person, &state);
        }
        for (field, entry) in tx.entries(*uid)? {
            let state = edition(0, &Digest::of(entry.value.as_bytes()));
            seen.thing("entry", &format!("{person} {field}"), &state);
        }
        for (document, _) in tx.documents_of(*uid)? {
            let mut states: Vec<String> = claims(document)?.into_iter().map(|(_, state)| state).collect();
            let drawn = tx.drawn(document)?;
            states.extend(drawn.map(|drawn| edition(0, &Digest::of(&drawn.body.to_xml()))));
            seen.of_person("document", &document.to_string(), &person, &states.join(" "));
        }
        for centre in serving(tx, *uid)? {
            seen.thing("service", &format!("{centre} {person}"), "");
        }
    }
    Ok(seen)
}
