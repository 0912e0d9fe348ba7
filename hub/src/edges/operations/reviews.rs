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
use exchange_format::record::Kind;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    decided::{self, Decided},
    deciding::{Carried, decide, settle},
    others::{self, Against, Pair},
    people,
    proposals::{self, Emptied},
    questions::versions,
    signing::{self, First, Waiting},
    table_file::{self, Row, Table, all_bad},
    word::{Problem, Word, problem, say},
};
use crate::{
    database::{Tx, linking::ClaimName, reviews::Review, signatures::Signature},
    decisions::merge::staff::Decision,
    edges::{
        config::HubConfig,
        hub::{Context, open},
        register::Register,
        sealing::answers,
    },
};

/// The longest reason, in characters, as a record of the hub's inputs takes it.
pub(super) const REASON: usize = 1000;

/// What staff insist on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Insist {
    /// What was decided before is decided otherwise.
    pub revise: bool,
    /// «Один» is said of all who become one person by it, also of two who are never linked without asking; with `revise`, also
    /// of those of whom «разные» was said.
    pub all: bool,
}

impl Insist {
    /// Whether `decision` of a pair is said of others too who were said to be otherwise.
    pub(super) fn overrides(self, decision: Decision) -> bool {
        self.revise && self.all && decision == Decision::Same
    }
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
    /// The records (`CENTRE:KEY`) that were one person with one of the two by evidence alone and are not of the joined one, since they may be
    /// somebody else's as well.
    pub apart: Vec<String>,
    /// The other questions to which «разные» was the answer, and is «один» now, as the actor has insisted.
    pub revised: Vec<i64>,
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
    /// Whether and how far the actor insists.
    pub(super) insist: Insist,
    /// The actor has named two persons and no question: nobody has looked at the two records.
    pub(super) unlooked: bool,
}

impl Answer<'_> {
    /// Whether this was decided before, in the same way.
    pub(super) fn stands(&self) -> bool {
        self.review.state == "decided" && self.review.decision.as_deref() == Some(self.word.code())
    }

    /// The decision of `review`, this answer's question or one that is revised with it, as the protocol tells it; with the first
    /// signature, if it bears two.
    fn told<'b>(
        &'b self,
        review: &'b Review,
        lang: Lang,
        first: Option<&Signature>,
    ) -> decided::Decision<'b> {
        let Self { word, reason, .. } = self;
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
            match read_answer(&register, row, insist)? {
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
            let over = others::over(register, answer, &said, &unfit)?;
            let joins_pair = answer.review.kind == "pair" && answer.word.joins();
            let mut first = None;
            if answer.word == Word::Sign {
                first = Some(signing::second(register, answer, &unfit)?);
            } else if let First::Waits(waiting, now) = signing::first(register, answer, &unfit)? {
                if now {
                    applied.signed += 1;
                    decided.tell(decided::Decision {
                        outcome: "signed",
                        ..answer.told(&answer.review, decided.lang(), None)
                    });
                } else {
                    applied.unchanged += 1;
                }
                applied.waiting.push(waiting);
                continue;
            }
            applied.emptied.extend(proposals::emptied_by(register, answer)?);
            let with = joins_pair.then(|| others::named_with(register, &answer.review)).transpose()?;
            let Carried { touched, revised } = decide(register, answer, &over, &unfit)?;
            persons.extend(touched);
            decided.tell(answer.told(&answer.review, decided.lang(), first.as_ref()));
            for review in revised {
                decided.tell(answer.told(&review, decided.lang(), None));
                applied.revised.push(review.n);
            }
            for (_, against) in over {
                decided.tell(answer.told_over(decided.lang(), &against));
                applied.over.push(against);
            }
            if joins_pair {
                applied.joined.extend(joined(register, answer.review.one)?);
                applied.apart.extend(apart(tx, answer.review.one, with.iter().flatten().flatten())?);
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

/// Those of `with` that are not of the person whose record `name` is.
fn apart<'a>(
    tx: &Tx<'_>,
    name: ClaimName,
    with: impl Iterator<Item = &'a ClaimName>,
) -> Result<Vec<String>, Failure> {
    let person = |name: ClaimName| tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
    let (joined, mut apart) = (person(name)?, Vec::new());
    for (centre, key) in with {
        if person((*centre, *key))? != joined {
            apart.push(format!("{centre}:{key}"));
        }
    }
    Ok(apart)
}

/// What a line says; an error for staff, which repeats no cell.
fn read_answer<'a>(
    register: &Register<'_>,
    row: Row<'a>,
    insist: Insist,
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
    let answer = Answer { review, word, reason, line: row.line, insist, unlooked: false };
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
