//! One question, one command: answered, put off, or taken on by somebody.

use exchange_endpoint::{
    account::is_token,
    config::Config,
    journal_table::Event,
    messages::{self, Lang},
    output::{Exit, Failure},
};
use jiff::Timestamp;

use super::{
    decided::Decided,
    deciding::subject,
    reviews::{Answer, Applied, Insist, REASON, carry_out},
    shown::known,
    word::{Problem, Word, say, spoken},
};
use crate::{
    database::{Tx, linking::Act, reviews::Review},
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::{Input, Register},
    },
};

/// What is said of one question.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// Its number.
    pub n: i64,
    /// Why.
    pub reason: &'a str,
    /// By whom.
    pub actor: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Answers a question about two records or two programmes: one (`same`), or two. What a colleague has decided
/// otherwise meanwhile stands, and is said, unless it is to be revised; two who are never linked without asking do not become one
/// by an answer about others, unless it is said of all.
pub fn decide(
    config: &Config<HubConfig>,
    one: One<'_>,
    same: bool,
    insist: Insist,
    lang: Lang,
) -> Result<Applied, Failure> {
    answer(config, one, if same { Word::Same } else { Word::Different }, insist, lang)
}

/// Gives the second signature under «один», and carries that out.
pub fn sign(config: &Config<HubConfig>, one: One<'_>, all: bool, lang: Lang) -> Result<Applied, Failure> {
    answer(config, one, Word::Sign, Insist { revise: true, all }, lang)
}

fn answer(
    config: &Config<HubConfig>,
    one: One<'_>,
    word: Word,
    insist: Insist,
    lang: Lang,
) -> Result<Applied, Failure> {
    open(config)?.carry_out(|context, tx| {
        let register = context.register(tx, one.actor, one.now);
        let review = asked(&register, one)?;
        let n = one.n.to_string();
        if !["pair", "programme"].contains(&review.kind.as_str()) {
            return Err(Failure::new(Exit::Refused, "review-other-kind").with("review", n));
        }
        if word == Word::Sign && review.kind != "pair" {
            return Err(Failure::new(Exit::Refused, "review-not-signed").with("review", n));
        }
        let answer = Answer { review, word, reason: one.reason, line: 0, insist, unlooked: false };
        if answer.review.state == "decided" && !answer.stands() && !insist.revise {
            return Err(decided_otherwise(&answer.review, lang));
        }
        let (mut applied, mut decided) = (Applied::default(), Decided::by(context, &register));
        let unfit = |_, problem| unfit(lang, &problem);
        carry_out(context, &register, &[answer], &unfit, &mut applied, &mut decided)?;
        applied.protocol = decided.keep(tx)?;
        Ok(applied)
    })
}

/// The error for an answer that cannot be.
pub(super) fn unfit(lang: Lang, problem: &Problem) -> Failure {
    let failure = match problem.0 {
        "table-barred" => Failure::new(Exit::Refused, "review-barred"),
        "table-contradicts" => Failure::new(Exit::Refused, "review-contradicts"),
        "table-withdrawn" => Failure::new(Exit::Refused, "review-withdrawn"),
        "table-sign-none" => Failure::new(Exit::Refused, "review-not-signed"),
        "table-sign-waits" => Failure::new(Exit::Refused, "review-signed"),
        "table-sign-same" => Failure::new(Exit::Refused, "review-sign-same"),
        "table-sign-changed" => Failure::new(Exit::Refused, "review-sign-changed"),
        _ => return Failure::new(Exit::Refused, "table-line").with("problems", say(lang, problem)),
    };
    spoken(lang, &problem.1).into_iter().fold(failure, |failure, (name, value)| failure.with(name, value))
}

/// The question, if it still is one.
pub(super) fn asked(register: &Register<'_>, one: One<'_>) -> Result<Review, Failure> {
    if one.reason.trim().is_empty() || one.reason.chars().count() > REASON {
        return Err(Failure::new(Exit::Usage, "review-reason"));
    }
    let review = known(register, one.n)?;
    if review.state == "gone" {
        return Err(Failure::new(Exit::Refused, "review-gone").with("review", one.n.to_string()));
    }
    Ok(review)
}

pub(super) fn decided_otherwise(review: &Review, lang: Lang) -> Failure {
    let last = review.last.clone().unwrap_or_default();
    Failure::new(Exit::Refused, "review-decided")
        .with("review", review.n.to_string())
        .with("decision", messages::word(lang, "outcome", &last.decision))
        .with("who", last.actor)
        .with("at", messages::stored_moment(lang, &last.at.unwrap_or_default()))
}

/// Puts a question off: it stays open, after all others.
pub fn put_off(config: &Config<HubConfig>, one: One<'_>, lang: Lang) -> Result<(), Failure> {
    on_open(config, one, lang, "review.deferred", "", |tx, act| tx.put_review_off(one.n, act))
}

/// Gives a question to the account `to`, as `--mine` of `review list` knows it; whether it was put off until now: it is no more.
pub fn assign(config: &Config<HubConfig>, one: One<'_>, to: &str, lang: Lang) -> Result<bool, Failure> {
    if !is_token(to) {
        return Err(Failure::new(Exit::Usage, "review-assignee"));
    }
    let mut was_put_off = false;
    on_open(config, one, lang, "review.assigned", to, |tx, act| {
        was_put_off = tx.review(one.n)?.is_some_and(|review| review.put_off);
        tx.assign_review(one.n, to, act)
    })?;
    Ok(was_put_off)
}

/// Does something with an open question, and notes it.
fn on_open(
    config: &Config<HubConfig>,
    one: One<'_>,
    lang: Lang,
    event: &str,
    to: &str,
    act: impl FnOnce(&Tx<'_>, Act<'_>) -> Result<(), crate::database::DatabaseError>,
) -> Result<(), Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.write(|tx| {
        let register = context.register(tx, one.actor, one.now);
        let review = asked(&register, one)?;
        if review.state == "decided" {
            return Err(decided_otherwise(&review, lang));
        }
        act(tx, Act { actor: one.actor, reason: one.reason, at: &one.now.to_string() })?;
        register.note(&Input {
            action: event,
            subject: Some((subject(tx, &review)?.name(), review.one.1)),
            other: Some(review.other.1),
            centre: Some(review.one.0),
            value: Some(to).filter(|to| !to.is_empty()),
            reason: Some(one.reason),
            ..Input::default()
        })?;
        let (subject, rule) = (one.n.to_string(), to);
        tx.journal(&Event { at: one.now, actor: one.actor, event, subject: &subject, rule, digests: &[] })?;
        Ok(())
    })
}
