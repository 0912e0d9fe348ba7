//! Staff's answers: the filled-in table of questions is checked line by line, then carried out, all or none.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use exchange_endpoint::{
    config::Config,
    journal_table::Event,
    messages::{self, Lang},
    output::Failure,
};
use exchange_format::{
    answer::Words,
    record::{Kind, RecordId},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    contradiction,
    decided::{self, Decided},
    others::{self, Against, Pair},
    people,
    proposals::{self, Emptied},
    questions::{CHANGED, versions},
    signing::{self, First, Waiting},
    table_file::{self, Row, Table, all_bad},
    word::{Problem, Word, problem, say},
};
use crate::{
    database::{
        Tx,
        linking::{Act, ClaimName, StaffDecision},
        received::{Received, Standing},
        reviews::Review,
        signatures::Signature,
    },
    decisions::{admission::declined, merge::staff::Decision},
    edges::{
        config::HubConfig,
        hub::{Context, open},
        register::{DECIDED, Input, Register, SEPARATED},
        sealing::answers::{self, Now, Settled},
    },
};

/// The longest reason, in characters, as a record of the hub's inputs takes it.
pub(super) const REASON: usize = 1000;

/// What staff insist on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Insist {
    /// What was decided before is decided otherwise.
    pub revise: bool,
    /// «Один» is said of all who become one person by it, also of two who are never linked without asking.
    pub all: bool,
}

/// What `review apply` has done with the lines of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Applied {
    /// Decided now.
    pub decided: u64,
    /// Decided so before.
    pub unchanged: u64,
    /// Without a decision.
    pub left: u64,
    /// Questions that had answered themselves.
    pub gone: u64,
    /// Persons whose publications may have changed.
    pub persons: u64,
    /// Signed now, and waiting for a second signature: decided is nothing yet.
    pub signed: u64,
    /// What waits for a second signature, signed now or before.
    pub waiting: Vec<Waiting>,
    /// Persons of whom two have become one.
    pub joined: Vec<Joined>,
    /// Pairs that are never linked without asking and that were joined so, as the actor has insisted.
    pub over: Vec<Against>,
    /// Proposals that are accepted and leave parts of a fact without a value.
    pub emptied: Vec<Emptied>,
    /// The number of the protocol, if anything was decided now.
    pub protocol: Option<u32>,
}

/// A person whom staff have made of two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// Its id.
    pub uid: String,
    /// Its case number: the older of the two.
    pub case_number: String,
    /// The centres that serve it: those of both.
    pub centres: Vec<String>,
}

/// A line that staff filled in.
pub(super) struct Answer<'a> {
    pub(super) review: Review,
    pub(super) word: Word,
    pub(super) reason: &'a str,
    pub(super) line: u64,
    /// «Один» is said of all who become one person by it.
    pub(super) all: bool,
    /// The actor has named two persons and no question: nobody has looked at the two records.
    pub(super) unlooked: bool,
}

impl Answer<'_> {
    /// Whether this was decided before, in the same way.
    pub(super) fn stands(&self) -> bool {
        self.review.state == "decided" && self.review.decision.as_deref() == Some(self.word.code())
    }

    /// The decision as the protocol tells it; with the first signature, if it bears two.
    fn told(&self, lang: Lang, first: Option<&Signature>) -> decided::Decision<'_> {
        let Self { review, word, reason, .. } = self;
        let sentence = match first {
            Some(first) => signing::signed_by(lang, "decision-countersigned", review, first),
            None => messages::word(lang, "review", &review.reason),
        };
        let (key, outcome) = (signing::names(review), word.code());
        decided::Decision { kind: &review.kind, key, outcome, rule: &review.reason, sentence, reason }
    }

    /// That a pair which is never linked without asking was joined so, as the protocol tells it.
    fn told_over(&self, lang: Lang, against: &Against) -> decided::Decision<'_> {
        let rule = against.barred.unwrap_or_default();
        decided::Decision {
            kind: "pair",
            key: format!("{} {}", against.one, against.other),
            outcome: self.word.code(),
            rule,
            sentence: others::bar(lang, rule),
            reason: self.reason,
        }
    }
}

/// Takes the decisions of the table at `path`, all or none. With `revise` decisions taken earlier may be changed, with `all` «один»
/// is said of all who become one person by it.
pub fn apply(
    config: &Config<HubConfig>,
    path: &Path,
    insist: Insist,
    lang: Lang,
    actor: &str,
    now: Timestamp,
) -> Result<Applied, Failure> {
    let table = Table::read(path, &["review", "decision", "reason"], lang)?;
    open(config)?.carry_out(|context, tx| {
        let register = context.register(tx, actor, now);
        let mut applied = Applied::default();
        let (mut answers, mut problems) = (Vec::new(), Vec::new());
        let mut seen = BTreeMap::new();
        for row in table.rows() {
            match read_answer(&register, row, insist.all)? {
                Ok(None) => applied.left += 1,
                Ok(Some(answer)) => {
                    if let Some(first) = seen.insert(answer.review.n, answer.line) {
                        problems.push((row.line, ("table-twice", vec![("line", first.into())])));
                    }
                    answers.push(answer);
                }
                Err(problem) => problems.push((row.line, problem)),
            }
        }
        for answer in &answers {
            let decided = answer.review.state == "decided" && answer.word != Word::Sign;
            if decided && !answer.stands() && !insist.revise {
                problems.push((answer.line, ("table-decided-otherwise", Vec::new())));
            }
        }
        if !problems.is_empty() {
            problems.sort_by_key(|(line, _)| *line);
            let told: Vec<(u64, String)> =
                problems.iter().map(|(line, problem)| (*line, say(lang, problem))).collect();
            return Err(all_bad(path, &told));
        }
        let mut decided = Decided::by(context, &register);
        let unfit = |line, problem: Problem| table_file::bad(path, line, &say(lang, &problem));
        carry_out(context, &register, &answers, &unfit, &mut applied, &mut decided)?;
        applied.protocol = decided.keep(tx)?;
        Ok(applied)
    })
}

/// Carries `answers` out one by one, and answers the centres whose records they are about.
pub(super) fn carry_out(
    context: &Context,
    register: &Register<'_>,
    answers: &[Answer<'_>],
    unfit: &dyn Fn(u64, Problem) -> Failure,
    applied: &mut Applied,
    decided: &mut Decided,
) -> Result<(), Failure> {
    let (tx, now) = (register.tx, register.now);
    let (mut persons, mut settled) = (BTreeSet::new(), BTreeMap::new());
    let said = answers.iter().filter(|answer| answer.review.kind == "pair");
    let said: BTreeSet<Pair> = said.map(|answer| (answer.review.one, answer.review.other)).collect();
    for answer in answers {
        // an answer above may have answered this question too
        let gone = tx.review(answer.review.n)?.is_none_or(|review| review.state == "gone");
        if gone && is_so(tx, answer)? {
            applied.gone += 1;
        } else if answer.stands() && (answer.word.joins() || signing::half(tx, answer.review.n)?.is_none()) {
            applied.unchanged += 1;
        } else {
            let unfit = |problem| unfit(answer.line, problem);
            let over = others::over(register, answer, &said)?;
            if let Some((_, against)) = over.first().filter(|_| !answer.all) {
                return Err(unfit(others::problem(answer.review.n, against)));
            }
            let mut first = None;
            if answer.word == Word::Sign {
                first = Some(signing::second(register, answer, &unfit)?);
            } else if let First::Waits(waiting, now) = signing::first(register, answer, &unfit)? {
                if now {
                    applied.signed += 1;
                    decided
                        .tell(decided::Decision { outcome: "signed", ..answer.told(decided.lang(), None) });
                } else {
                    applied.unchanged += 1;
                }
                applied.waiting.push(waiting);
                continue;
            }
            applied.emptied.extend(proposals::emptied_by(register, answer)?);
            persons.extend(decide(register, answer, &over, &unfit)?);
            decided.tell(answer.told(decided.lang(), first.as_ref()));
            for (_, against) in over {
                decided.tell(answer.told_over(decided.lang(), &against));
                applied.over.push(against);
            }
            if answer.review.kind == "pair" && answer.word.joins() {
                applied.joined.extend(joined(register, answer.review.one)?);
            }
            let by_centre: &mut Vec<_> = settled.entry(answer.review.one.0).or_default();
            by_centre.extend(settle(tx, answer)?);
            applied.decided += 1;
        }
    }
    for (centre, settled) in settled {
        answers::revise(context, tx, centre, &settled, now)?;
    }
    applied.persons = persons.len() as u64;
    Ok(())
}

/// Whether the records of a question that an answer above has ended are what this one says of them too. If not, it is
/// an answer all the same: of two persons only one pair is asked about.
fn is_so(tx: &Tx<'_>, answer: &Answer<'_>) -> Result<bool, Failure> {
    if answer.review.kind != "pair" || answer.review.state == "gone" {
        return Ok(true);
    }
    let person = |name: ClaimName| tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
    let (one, other) = (person(answer.review.one)?, person(answer.review.other)?);
    Ok((one == other) == answer.word.joins())
}

/// The person that two have become. Each of their centres was confirmed for its half and is told the whole now: a
/// disclosure.
fn joined(register: &Register<'_>, name: ClaimName) -> Result<Option<Joined>, Failure> {
    let tx = register.tx;
    let uid = tx.uid_of_key(name.0, Kind::RecipientClaim, name.1)?;
    let Some(person) = uid.map(|uid| tx.person(uid)).transpose()?.flatten() else { return Ok(None) };
    let centres = people::serving(tx, person.uid)?;
    for centre in &centres {
        tx.journal(&Event {
            at: register.now,
            actor: register.actor,
            event: "service.joined",
            subject: &person.uid.to_string(),
            rule: centre,
            digests: &[],
        })?;
    }
    Ok(Some(Joined { uid: person.uid.to_string(), case_number: person.case_number, centres }))
}

/// What a line says; an error for staff, which repeats no cell.
fn read_answer<'a>(
    register: &Register<'_>,
    row: Row<'a>,
    all: bool,
) -> Result<Result<Option<Answer<'a>>, Problem>, Failure> {
    let told = |id: &'static str| Ok(problem(id));
    let (cell, reason) = (row.text("decision"), row.text("reason"));
    if cell.is_empty() && reason.is_empty() {
        return Ok(Ok(None));
    }
    let Ok(n) = row.text("review").parse::<i64>() else {
        return told("table-review-number");
    };
    let Some(review) = register.tx.review(n)? else {
        return told("table-review-unknown");
    };
    let word = match Word::read(cell, &review.kind) {
        Ok(word) => word,
        Err(problem) => return Ok(Err(problem)),
    };
    if reason.is_empty() || reason.chars().count() > REASON {
        return told("table-reason");
    }
    let keys = [("key_1", review.one.1.to_string()), ("key_2", review.other.1.to_string())];
    let centres = [("centre_1", review.one.0.to_string()), ("centre_2", review.other.0.to_string())];
    // a programme is that of all whose claims it is made of: its key names it
    let named = centres.into_iter().filter(|_| review.kind != "programme");
    for (column, is) in keys.into_iter().chain(named) {
        if !["", is.as_str()].contains(&row.text(column)) {
            return Ok(Err(("table-other-record", vec![("column", column.into())])));
        }
    }
    let answer = Answer { review, word, reason, line: row.line, all, unlooked: false };
    let problem = match unseen(register, &answer, row)? {
        Some(problem) => Some(problem),
        None => impossible(register.tx, &answer)?,
    };
    Ok(problem.map_or(Ok(Some(answer)), Err))
}

/// What cannot be carried out: the wish of a proposal that no entry of the hub's can fulfil, and the end of a claim's
/// acceptance, since what the hub went by before is gone.
fn impossible(tx: &Tx<'_>, answer: &Answer<'_>) -> Result<Option<Problem>, Failure> {
    let (review, decides) = (&answer.review, matches!(answer.word, Word::Accept | Word::Decline));
    if !decides || answer.stands() || review.state == "gone" {
        return Ok(None);
    }
    let accepted = review.decision.as_deref() == Some(Word::Accept.code());
    match tx.received_by_key(review.one.0, Kind::Proposal, review.one.1)? {
        Some(found) if answer.word == Word::Accept => Ok(proposals::wished(tx, &found.claim.body)?.err()),
        None if answer.word == Word::Decline && accepted => Ok(Some(("table-accepted-already", Vec::new()))),
        _ => Ok(None),
    }
}

/// An answer is to what its table shows, and to no version that has come since. What is accepted or joined must be
/// named; it may be declined or told apart without (a table written by hand).
fn unseen(register: &Register<'_>, answer: &Answer<'_>, row: Row<'_>) -> Result<Option<Problem>, Failure> {
    if answer.stands() || answer.review.state == "gone" {
        return Ok(None);
    }
    let [one, other] = versions(register, &answer.review)?;
    let named = answer.word == Word::Accept || answer.word.joins();
    // a change that is declined replaces nothing
    let both = answer.word != Word::Decline;
    let columns = [("version_2", other), ("version_1", one)];
    for (column, is) in columns.into_iter().filter(|(column, _)| both || *column == "version_2") {
        match row.text(column) {
            "" if named => {
                return Ok(Some(("table-version-missing", vec![("column", column.into())])));
            }
            "" => {}
            seen if seen == is => {}
            _ => return Ok(Some(("table-version-other", vec![("column", column.into())]))),
        }
    }
    if answer.review.kind != "pair" || !answer.word.joins() {
        return Ok(None);
    }
    // nor does it join whom the line does not show
    let other = others::unshown(register, &answer.review, row)?;
    Ok(other.map(|column| ("table-others-other", vec![("column", column.into())])))
}

/// Takes one decision: noted, and carried out at once unless an initial load still waits for its merge.
fn decide(
    register: &Register<'_>,
    answer: &Answer<'_>,
    over: &[(Pair, Against)],
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<BTreeSet<RecordId>, Failure> {
    let Answer { review, word, reason, .. } = answer;
    let (tx, at) = (register.tx, register.now.to_string());
    let act = Act { actor: register.actor, reason, at: &at };
    if *word != Word::Sign {
        register.unsign(review.n, if word.joins() { DECIDED } else { SEPARATED })?;
    }
    tx.decide_review(review.n, word.code(), act)?;
    let subject = subject(tx, review)?;
    register.note(&Input {
        action: &format!("decide.{}", review.kind),
        subject: Some((subject.name(), review.one.1)),
        other: Some(review.other.1),
        centre: Some(review.one.0),
        value: Some(word.code()),
        reason: Some(reason),
        ..Input::default()
    })?;
    let rule = format!("{} {}", review.reason, word.code());
    register.journal_review("review.decided", review.n, &rule, &[])?;
    let decision = if word.joins() { Decision::Same } else { Decision::Different };
    let said = StaffDecision { one: review.one, other: review.other, decision };
    match (review.kind.as_str(), word) {
        ("pair", _) => {
            if decision == Decision::Different {
                if let Some(problem) = withdrawn(register, review)? {
                    return Err(unfit(problem));
                }
                register.take_join_back(review)?;
            }
            let against = contradiction::of(tx, (review.one, review.other), decision)?;
            if !against.is_empty() {
                return Err(unfit(contradiction::problem(&against)));
            }
            if decision == Decision::Same {
                register.take_split_back(review.one, review.other, reason)?;
            }
            tx.add_staff_decision("pair", &said, act)?;
            // else a merge would take these apart again
            for (pair, against) in over.iter().filter(|(pair, _)| *pair != (review.one, review.other)) {
                register.say_same(*pair, against.barred.unwrap_or_default(), reason)?;
            }
            decide_pair(register, review)
        }
        ("programme", _) => {
            tx.add_staff_decision("programme", &said, act)?;
            Ok(register.decide_documents([review.one.1, review.other.1])?)
        }
        (_, Word::Accept) => proposals::accept(register, review.one, act, unfit),
        (_, Word::Decline) if review.decision.as_deref() == Some(Word::Accept.code()) => {
            proposals::take_back(register, review, act)
        }
        // the hub goes on by what it had before
        _ => Ok(BTreeSet::new()),
    }
}

/// That «один» about two records cannot be taken back by them: one is withdrawn, and others have the word.
fn withdrawn(register: &Register<'_>, review: &Review) -> Result<Option<Problem>, Failure> {
    if review.decision.as_deref() != Some(Word::Same.code()) {
        return Ok(None);
    }
    let (mut left, mut is_gone) = (Vec::new(), false);
    for name in [review.one, review.other] {
        if register.is_claim_withdrawn(name)? {
            is_gone = true;
        } else {
            left.extend(register.carried_to(name)?);
        }
    }
    if !is_gone {
        return Ok(None);
    }
    let questions: Vec<String> = left.iter().map(i64::to_string).collect();
    let questions = if questions.is_empty() { "none".to_owned() } else { questions.join(", ") };
    let args = vec![("review", review.n.into()), ("questions", questions.into())];
    Ok(Some(("table-withdrawn", args)))
}

/// What a question is about.
pub(super) fn subject(tx: &Tx<'_>, review: &Review) -> Result<Kind, Failure> {
    match review.kind.as_str() {
        "programme" => return Ok(Kind::Programme),
        "pair" => return Ok(Kind::RecipientClaim),
        _ => {}
    }
    for kind in CHANGED {
        if tx.known(review.one.0, kind, review.one.1)?.is_some() {
            return Ok(kind);
        }
    }
    Ok(Kind::RecipientClaim)
}

/// What an answer about a change is the last word on: its centre is told.
fn settle(tx: &Tx<'_>, answer: &Answer<'_>) -> Result<Vec<Settled>, Failure> {
    let (Word::Accept | Word::Decline, (centre, key)) = (answer.word, answer.review.one) else {
        return Ok(Vec::new());
    };
    let applied = answer.word == Word::Accept;
    let mut settled = Vec::new();
    for kind in CHANGED {
        let Some(known) = tx.known(centre, kind, key)? else { continue };
        if !applied {
            tx.decline_newest(known.id, declined(kind).as_str())?;
        } else if kind == Kind::Proposal {
            tx.accept_newest(known.id)?;
        }
        let now = if applied { Now::Applied } else { Now::Declined(Words::of(answer.reason)) };
        settled.push(Settled { packet: known.packet, kind, key, version: known.version, now });
    }
    Ok(settled)
}

fn decide_pair(register: &Register<'_>, review: &Review) -> Result<BTreeSet<RecordId>, Failure> {
    let find = |name: ClaimName| register.tx.received_by_key(name.0, Kind::RecipientClaim, name.1);
    let both: Vec<Received> = [find(review.one)?, find(review.other)?].into_iter().flatten().collect();
    if both.iter().any(|found| found.standing == Standing::Waiting) {
        return Ok(BTreeSet::new()); // the merge goes by the decision
    }
    let ids: Vec<_> = both.iter().map(|found| found.id).collect();
    Ok(register.take_in(&ids, &[])?)
}
