//! Whom «один» about two records would join besides these two: each may be one person with others by now, and two of those may
//! be a pair that is never linked unless staff say of these two that they are one.

use std::collections::{BTreeMap, BTreeSet};

use exchange_endpoint::{
    messages::{self, Lang},
    output::Failure,
};
use exchange_format::record::Kind;
use serde::Serialize;

use super::{
    questions::{Values, claim},
    reviews::Answer,
    table_file::{Row, shown},
    word::Problem,
};
use crate::{
    database::{linking::ClaimName, received::ClaimId, reviews::Review},
    decisions::merge::staff::Decision,
    edges::register::Register,
};

/// A record that is one person with one of the two already. Personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// Whose it is.
    pub centre: String,
    /// Its key.
    pub key: String,
    /// What it says.
    pub values: Values,
}

/// Two records that «один» about others would make one person, and what speaks against that.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// One of them: `CENTRE:KEY`.
    pub one: String,
    /// The other.
    pub other: String,
    /// Why they are never linked without asking (`TWINS` …), or never at all (`DEATH`); none: weight alone speaks against them.
    pub barred: Option<&'static str>,
    /// log2 of the odds that they are one person.
    pub bits: f64,
    /// The number of the question about the two, if there is one.
    pub review: Option<i64>,
}

/// Two records by their names.
pub(super) type Pair = (ClaimName, ClaimName);

/// What is known of those whom «один» to a question would join.
#[derive(Default)]
pub(super) struct Besides {
    /// The records that are one person with the first by now, and with the second; not these themselves.
    pub with: [Vec<Other>; 2],
    /// What speaks against it, the strongest first.
    pub against: Vec<(Pair, Against)>,
    /// Whether that is said of every two of them, one of each: nothing speaks for it.
    pub unlike: bool,
}

impl Besides {
    /// The pairs that are barred.
    pub(super) fn barred(self) -> impl Iterator<Item = (Pair, Against)> {
        self.against.into_iter().filter(|(_, against)| against.barred.is_some())
    }
}

/// Whom «один» to each of `reviews` about two records of people would join besides, by their numbers. With `own` the two records
/// themselves are among the pairs that may speak against it.
pub(super) fn of(
    register: &Register<'_>,
    reviews: &[&Review],
    own: bool,
) -> Result<BTreeMap<i64, Besides>, Failure> {
    let (mut found, mut unions) = (BTreeMap::new(), Vec::new());
    for review in reviews.iter().filter(|review| review.kind == "pair") {
        found.insert(review.n, Besides { with: with(register, review)?, ..Besides::default() });
        let union = union(register, review)?;
        if union.len() > 2 || own {
            unions.push((*review, union));
        }
    }
    if unions.is_empty() {
        return Ok(found);
    }
    let groups: Vec<BTreeSet<ClaimId>> =
        unions.iter().map(|(_, union)| union.values().copied().collect()).collect();
    let weighing = register.weighing_groups(&groups)?;
    for (review, union) in unions {
        let (mut against, pairs) = (Vec::new(), unasked(register, review, &union, own)?);
        let asked = pairs.len();
        for pair in pairs {
            let Some((bits, barred)) = weighing.speaks(pair.0, pair.1) else { continue };
            if barred.is_none() && bits >= 0.0 {
                continue;
            }
            let [one, other] = [pair.0, pair.1].map(|(centre, key)| format!("{centre}:{key}"));
            let bits = (bits * 10.0).round() / 10.0;
            against.push((pair, Against { one, other, barred, bits, review: None }));
        }
        let order = |one: &Against, other: &Against| {
            (one.barred.is_none().cmp(&other.barred.is_none())).then(one.bits.total_cmp(&other.bits))
        };
        against.sort_by(|(_, one), (_, other)| order(one, other));
        for (pair, against) in &mut against {
            let review = register.tx.review_about("pair", pair.0, pair.1)?;
            against.review = review.filter(|review| review.state != "gone").map(|review| review.n);
        }
        let found = found.entry(review.n).or_default();
        found.unlike = asked > 0 && against.len() == asked;
        found.against = against;
    }
    Ok(found)
}

/// The records that are one person with the first of a question by now, and with the second; none where the two are one.
fn with(register: &Register<'_>, review: &Review) -> Result<[Vec<Other>; 2], Failure> {
    let mut with = [Vec::new(), Vec::new()];
    for (with, named) in with.iter_mut().zip(named_with(register, review)?) {
        for (centre, key) in named {
            let values = claim(register, (centre, key))?;
            with.push(Other { centre: centre.to_string(), key: key.to_string(), values });
        }
    }
    Ok(with)
}

/// The column of a table's line about `review` that names other records than those that are one person with its two by now.
pub(super) fn unshown(
    register: &Register<'_>,
    review: &Review,
    row: Row<'_>,
) -> Result<Option<&'static str>, Failure> {
    let is_other = |(column, is): &(&str, _)| row.has(column) && named_in(row.text(column)) != *is;
    let mut columns = ["others_1", "others_2"].into_iter().zip(named_with(register, review)?);
    Ok(columns.find(is_other).map(|(column, _)| column))
}

/// The records that are one person with either by now, by their names.
pub(super) fn named_with(
    register: &Register<'_>,
    review: &Review,
) -> Result<[BTreeSet<ClaimName>; 2], Failure> {
    let person = |name: ClaimName| register.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
    let (one, other) = (person(review.one)?, person(review.other)?);
    let mut with = [BTreeSet::new(), BTreeSet::new()];
    if one == other {
        return Ok(with);
    }
    for (with, (uid, name)) in with.iter_mut().zip([(one, review.one), (other, review.other)]) {
        let Some(uid) = uid else { continue };
        with.extend(register.claims_named(uid)?.into_keys().filter(|one| *one != name));
    }
    Ok(with)
}

/// The records that a cell names, as [`Other::words`] has them.
fn named_in(cell: &str) -> BTreeSet<ClaimName> {
    let name = |word: &str| {
        let (centre, key) = word.split_once(':')?;
        Some((centre.parse().ok()?, key.parse().ok()?))
    };
    cell.split_whitespace().filter_map(name).collect()
}

/// The claims that «один» would make one person: those that staff have called one with either, and those that a person has
/// that stands. Of a person that nobody was told of a claim goes by itself.
fn union(register: &Register<'_>, review: &Review) -> Result<BTreeMap<ClaimName, ClaimId>, Failure> {
    let tx = register.tx;
    let (mut union, mut open) = (BTreeMap::new(), vec![review.one, review.other]);
    while let Some(name) = open.pop() {
        if union.contains_key(&name) {
            continue;
        }
        let Some(known) = tx.known(name.0, Kind::RecipientClaim, name.1)? else { continue };
        if tx.linkable(known.id)?.is_none() {
            continue;
        }
        union.insert(name, known.id);
        if let Some(uid) = tx.uid_of(known.id)?
            && tx.stands(uid)?
        {
            open.extend(register.claims_named(uid)?.into_keys());
        }
        let said = tx.last_words("pair", name)?.into_iter();
        open.extend(said.filter(|(_, decision)| *decision == Decision::Same).map(|(other, _)| other));
    }
    Ok(union)
}

/// Two of `union` each, that are two persons by now and of whom staff have said nothing.
fn unasked(
    register: &Register<'_>,
    review: &Review,
    union: &BTreeMap<ClaimName, ClaimId>,
    own: bool,
) -> Result<Vec<Pair>, Failure> {
    let tx = register.tx;
    let mut known = Vec::with_capacity(union.len());
    for (name, id) in union {
        known.push((*name, tx.uid_of(*id)?, tx.last_words("pair", *name)?));
    }
    let mut pairs = Vec::new();
    for (at, (one, whose, said)) in known.iter().enumerate() {
        for (other, whose_other, _) in &known[at + 1..] {
            let is_one = whose.is_some() && whose == whose_other;
            let is_asked = (*one, *other) == (review.one, review.other) && !own;
            if !is_one && !is_asked && !said.contains_key(other) {
                pairs.push((*one, *other));
            }
        }
    }
    Ok(pairs)
}

/// The pairs that «один» would join besides those that it and the answers `said` are about, and that are never linked without
/// asking: the strongest against it first. Refused where there is one, or where nobody has looked at two persons of whom nothing
/// says that they are one, unless the actor says it of all.
pub(super) fn over(
    register: &Register<'_>,
    answer: &Answer<'_>,
    said: &BTreeSet<Pair>,
    unfit: &dyn Fn(Problem) -> Failure,
) -> Result<Vec<(Pair, Against)>, Failure> {
    let review = &answer.review;
    if review.kind != "pair" || !answer.word.joins() {
        return Ok(Vec::new());
    }
    let besides = of(register, &[review], answer.unlooked)?.remove(&review.n).unwrap_or_default();
    let unlike = besides.against.first().filter(|_| besides.unlike && answer.unlooked).cloned();
    let is_asked = |pair: &Pair| said.contains(pair) && !answer.unlooked;
    let over: Vec<_> = besides.barred().filter(|(pair, _)| !is_asked(pair)).collect();
    match over.first().or(unlike.as_ref()).filter(|_| !answer.insist.all) {
        Some((_, against)) => Err(unfit(problem(review.n, against))),
        None => Ok(over),
    }
}

/// What bars two records from being linked without asking, in words.
pub fn bar(lang: Lang, code: &str) -> String {
    // the word for a question about a death is of two who are told as one person already
    match messages::find(lang, &format!("bar-{}", code.to_lowercase()), &[]) {
        Some(words) => words,
        None => messages::word(lang, "review", code),
    }
}

/// What is said of an answer to question `n` that would join such a pair.
fn problem(n: i64, against: &Against) -> Problem {
    let asked =
        against.review.filter(|asked| *asked != n).map_or_else(|| "none".to_owned(), |n| n.to_string());
    let args = vec![
        ("review", n.to_string().into()),
        ("one", against.one.clone().into()),
        ("other", against.other.clone().into()),
        ("bar", against.barred.unwrap_or("UNLIKE").into()),
        ("asked", asked.into()),
    ];
    ("table-barred", args)
}

impl Other {
    /// The record in a line: whose, names, birth date, key. Personal data.
    pub fn words(&self, lang: Lang) -> String {
        let said = ["surname", "given", "patronymic", "birth_date", "snils"]
            .into_iter()
            .filter_map(|field| Some(shown(lang, field, self.values.get(field)?)));
        let said: Vec<String> = said.collect();
        format!("{}:{} {}", self.centre, self.key, said.join(" ")).trim_end().to_owned()
    }
}

impl Against {
    /// The two, and what speaks against them.
    pub fn words(&self, lang: Lang) -> String {
        let why = match self.barred {
            Some(code) => bar(lang, code),
            None => messages::text(lang, "hub-review-unlike", &[]),
        };
        let asked = self.review.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let args = [
            ("one", self.one.clone().into()),
            ("other", self.other.clone().into()),
            ("why", why.into()),
            ("bits", format!("{:+.1}", self.bits).into()),
            ("asked", asked.into()),
        ];
        messages::text(lang, "hub-review-against", &args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_that_bars_two_is_not_told_as_if_they_were_one_already() {
        assert_eq!(bar(Lang::En, "DEATH"), "one had died before the other first applied");
        assert_eq!(bar(Lang::Ru, "TWINS"), messages::word(Lang::Ru, "review", "TWINS"));
    }
}
