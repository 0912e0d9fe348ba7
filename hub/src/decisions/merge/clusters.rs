//! From pairs to persons: what is joined, and what staff are asked.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    candidates::Pair,
    compare::{Kind, Levels},
    groups::{CLEARER, Groups, Rule},
    model::{Cut, RELATIVE, TWIN},
    register::Register,
    weigh::Weight,
};

/// A pair that was compared, and what it came to.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// One record.
    pub a: u32,
    /// The other, of a higher number.
    pub b: u32,
    /// What they are to each other.
    pub weight: Weight,
    /// Why it is for staff whatever its weight.
    pub barred: Option<Doubtful>,
}

/// Why staff are asked of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubtful {
    /// Two valid СНИЛС that differ, and not the same names and date.
    OtherSnils,
    /// Born a generation apart.
    Generation,
    /// Of another sex, the birth date the same or nearly so.
    OtherSex,
    /// The same surname and date, other given names: twins?
    Twins,
    /// Relatives share what these two share.
    Relatives,
    /// Strangers may share what these two share.
    Namesakes,
    /// The two are alike, but not the others that each of them is linked with.
    Others,
    /// With all whom they are like they would be more records than one person has.
    Oversize,
}

impl Doubtful {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OtherSnils,
        Self::Generation,
        Self::OtherSex,
        Self::Twins,
        Self::Relatives,
        Self::Namesakes,
        Self::Others,
        Self::Oversize,
    ];

    /// The code in databases, tables and JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherSnils => "OTHER_SNILS",
            Self::Generation => "GENERATION",
            Self::OtherSex => "OTHER_SEX",
            Self::Twins => "TWINS",
            Self::Relatives => "RELATIVES",
            Self::Namesakes => "NAMESAKES",
            Self::Others => "OTHERS",
            Self::Oversize => "OVERSIZE",
        }
    }

    /// The one with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

impl Edge {
    /// Whether it is beyond doubt.
    pub fn links(&self, cut: Cut) -> bool {
        self.barred.is_none() && self.weight.bits >= cut.auto
    }

    /// Why staff are asked, if its records are two persons.
    pub fn doubt(&self, cut: Cut) -> Doubtful {
        self.barred.unwrap_or(match self.weight.rival {
            _ if self.weight.bits >= cut.auto => Doubtful::Others,
            TWIN => Doubtful::Twins,
            RELATIVE => Doubtful::Relatives,
            _ => Doubtful::Namesakes,
        })
    }
}

/// What a merge comes to.
pub struct Outcome {
    /// The person of each record, told by the least number of its records: if nobody could be asked.
    pub one: Vec<u32>,
    /// The same, by what is beyond doubt.
    pub auto: Vec<u32>,
    /// What staff are asked, the most valuable question first.
    pub doubts: Vec<Doubt>,
}

/// A question: is it one person?
#[derive(Debug, Clone, Copy)]
pub struct Doubt {
    /// A record of one.
    pub a: u32,
    /// A record of the other.
    pub b: u32,
    /// log2 of the odds that it is.
    pub bits: f64,
    /// Why it is asked.
    pub reason: Doubtful,
    /// Its place among all of them: of equal weights the first is told by what the records say.
    place: usize,
}

/// What is known of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// How much speaks for one person, in bits.
    pub bits: f64,
    /// Whether staff are asked, whatever speaks for it.
    pub barred: bool,
}

impl Register {
    /// Compares and weighs a pair.
    pub fn edge(&self, a: u32, b: u32) -> Edge {
        self.edge_by(a, b, &self.compare(a, b))
    }

    /// As [`Register::edge`], if the pair comes to `least` bits.
    pub fn edge_from(&self, a: u32, b: u32, least: f64) -> Option<Edge> {
        self.edge_above((a, b), &self.compare_from(a, b, least)?, least)
    }

    /// The edge of a pair that agrees so, if it comes to `least` bits.
    pub fn edge_above(&self, (a, b): Pair, levels: &Levels, least: f64) -> Option<Edge> {
        let edge = self.edge_by(a, b, levels);
        (edge.weight.bits >= least).then_some(edge)
    }

    fn edge_by(&self, a: u32, b: u32, levels: &Levels) -> Edge {
        let mut weight = self.weigh_levels(a, b, levels);
        if self.is_dead_before(a, b) {
            weight.bits = f64::NEG_INFINITY;
        }
        Edge { a, b, weight, barred: self.barred(a, b, levels) }
    }

    /// Whether one had died before the other first applied: whatever else they say, they are two people.
    pub fn is_dead_before(&self, a: u32, b: u32) -> bool {
        let ([died, applied], [other_died, other_applied]) = (self.life[a as usize], self.life[b as usize]);
        died != 0 && died < other_applied || other_died != 0 && other_died < applied
    }

    /// What a pair says where nobody can be asked.
    fn possible(&self, a: u32, b: u32) -> Said {
        Said { bits: self.weigh(a, b).bits, barred: self.is_dead_before(a, b) }
    }

    /// What a pair says; barred if it is never one person, or for staff whatever it says.
    pub fn says(&self, a: u32, b: u32) -> Said {
        let Edge { weight, barred, .. } = self.edge(a, b);
        Said { bits: weight.bits, barred: barred.is_some() || !weight.bits.is_finite() }
    }

    /// Why a pair is never linked without asking, however much speaks for it.
    pub(super) fn barred(&self, a: u32, b: u32, levels: &Levels) -> Option<Doubtful> {
        let is = |kind, words: &[&str]| {
            let found = self
                .model
                .of_kind(kind)
                .and_then(|at| kind.levels().get(usize::from(levels[at]).wrapping_sub(1)));
            found.is_some_and(|word| words.contains(word))
        };
        let names =
            is(Kind::Surname, &["exact"]) && is(Kind::Given, &["exact"]) && is(Kind::Patronymic, &["exact"]);
        if is(Kind::Snils, &["other"]) && !(names && is(Kind::Date, &["exact"])) {
            return Some(Doubtful::OtherSnils);
        }
        // also beside one number: a child bears its parent's
        if self.is_generation_apart(a, b) {
            return Some(Doubtful::Generation);
        }
        // of two years alone one is a slip for the other in one digit; else they are a brother's, a cousin's
        let is_slip =
            matches!(self.years_apart(a, b), None | Some(0 | 1 | 10)) || is(Kind::Snils, &["exact"]);
        if is(Kind::Date, &["part_other"]) && !is_slip {
            return Some(Doubtful::Relatives);
        }
        if !is(Kind::Date, &["exact", "transposed", "digit", "month_known", "year_known"]) {
            return None;
        }
        // «Егор» and «Юрий» are one name, and two brothers, who may bear their mother's number
        let are_two_names = |at: usize| is(Kind::Given, &["variant"]) && self.are_two_names(at, a, b);
        // no table knows all names: what may be one is a slip by its spelling, or by a number that both bear
        let may_be_a_name = |at: usize| {
            is(Kind::Given, &["typo"])
                && !is(Kind::Snils, &["exact"])
                && !is(Kind::Document, &["exact"])
                && !self.is_slip(at, a, b)
        };
        let given = self.model.of_kind(Kind::Given);
        let other_name = is(Kind::Given, &["near", "other", "other_sex"])
            || given.is_some_and(|at| are_two_names(at) || may_be_a_name(at));
        if other_name && !is(Kind::Surname, &["other_f", "other_m"]) {
            return Some(Doubtful::Twins);
        }
        // a boy and a girl of one day are as likely as a sex typed wrongly
        is(Kind::Sex, &["other"]).then_some(Doubtful::OtherSex)
    }

    /// Makes persons of the pairs that were weighed.
    pub fn decide(&self, mut edges: Vec<Edge>) -> Outcome {
        let cut = self.model.cut;
        edges.retain(|edge| edge.weight.bits >= cut.ask);
        // of equal weights the first is told by what the records say: the order of lines decides nothing
        let mut marks = vec![0; self.len()];
        for n in edges.iter().flat_map(|edge| [edge.a, edge.b]) {
            if marks[n as usize] == 0 {
                marks[n as usize] = self.mark(n);
            }
        }
        let marked = |edge: &Edge| {
            let (a, b) = (marks[edge.a as usize], marks[edge.b as usize]);
            (a.min(b), a.max(b), edge.a, edge.b)
        };
        let heavier = |x: &Edge, y: &Edge| y.weight.bits.total_cmp(&x.weight.bits);
        edges.sort_unstable_by(|x, y| heavier(x, y).then_with(|| marked(x).cmp(&marked(y))));
        let said = |edge: &Edge| (edge.a, edge.b, edge.weight.bits);
        let above = |least: f64| edges.iter().take_while(move |edge| edge.weight.bits >= least);
        let (mut auto, mut one) = (Groups::new(self.len()), Groups::new(self.len()));
        let (sure, possible) = (|a, b| self.says(a, b), |a, b| self.possible(a, b));
        // what is for staff whatever its weight is nobody whom a record may be by evidence
        let near = above(cut.ask).filter(|edge| !edge.links(cut) && edge.barred.is_none());
        let near: Vec<(u32, u32, f64)> = near.map(said).collect();
        let rule =
            |least, bridges, says| Rule::by_evidence((least, cut.most, cut.largest), bridges, says, &near);
        let unbarred = above(cut.auto).filter(|edge| edge.barred.is_none());
        auto.join(unbarred.map(said), rule(cut.auto, false, &sure));
        one.join(above(cut.one).map(said), rule(cut.one, true, &possible));
        Outcome { doubts: doubts(&edges, &auto, cut), one: one.of, auto: auto.of }
    }
}

/// What [`waits`] needs to know of a question.
pub trait Question {
    /// Why it is asked.
    fn reason(&self) -> Doubtful;
    /// How much speaks for one person, in bits.
    fn bits(&self) -> f64;
    /// Whether more speaks for it than for `other`, or as much and it comes before it.
    fn says_more(&self, other: &Self) -> bool;
}

impl Question for Doubt {
    fn reason(&self) -> Doubtful {
        self.reason
    }

    fn bits(&self) -> f64 {
        self.bits
    }

    fn says_more(&self, other: &Self) -> bool {
        self.place < other.place
    }
}

/// Whether a question about two whose likeness is left open because of others ([`Doubtful::Others`]) waits for the answers to the
/// questions that each of the two has with a third, `two`: these mostly answer it. Of two such questions the likelier is asked; where
/// one is as like to both, neither, until it is answered whether the two are one. Some question about the three is asked always.
pub fn waits<'a, Q: Question + 'a>(question: &Q, two: impl IntoIterator<Item = [&'a Q; 2]>) -> bool {
    let is_own = |one: &Q| !matches!(one.reason(), Doubtful::Others | Doubtful::Oversize);
    let is_other = |one: &Q| one.reason() == Doubtful::Others;
    let is_as_like = |one: &Q| is_other(one) && (one.bits() - question.bits()).abs() < CLEARER;
    let is_first = |one: &Q| is_own(one) || is_other(one) && one.says_more(question);
    let is_answered = |[x, y]: [&Q; 2]| {
        is_first(x) && is_first(y) || is_own(x) && is_as_like(y) || is_as_like(x) && is_own(y)
    };
    is_other(question) && two.into_iter().any(is_answered)
}

/// One question for each two persons, by the pair that speaks most for it. `edges` come by falling weight.
fn doubts(edges: &[Edge], auto: &Groups, cut: Cut) -> Vec<Doubt> {
    let (mut asked, mut known, mut others) =
        (BTreeMap::new(), BTreeSet::new(), BTreeMap::<u32, usize>::new());
    for (place, edge) in edges.iter().enumerate() {
        let (a, b) = (auto.find(edge.a), auto.find(edge.b));
        if a == b {
            continue;
        }
        let mut reason = edge.doubt(cut);
        if reason == Doubtful::Others && auto.are_crowded(edge.a, edge.b) {
            reason = Doubtful::Oversize;
        }
        let pair = (a.min(b), a.max(b));
        if asked.contains_key(&pair) {
            continue;
        }
        let is_first = [a, b].map(|one| known.insert(one)).contains(&true);
        for one in [a, b] {
            *others.entry(one).or_default() += 1;
        }
        asked.insert(pair, (Doubt { a: edge.a, b: edge.b, bits: edge.weight.bits, reason, place }, is_first));
    }
    // of a crowd each is asked about with whom it is likest: fifty records are fifty questions, not a thousand
    let is_crowd = |one: &u32| others[one] > cut.largest;
    let is_put = |(a, b): &(u32, u32), doubt: &Doubt, is_first: bool| {
        is_first || doubt.reason != Doubtful::Oversize && !(is_crowd(a) && is_crowd(b))
    };
    asked.retain(|pair, (doubt, is_first)| is_put(pair, doubt, *is_first));
    let asked: BTreeMap<(u32, u32), Doubt> =
        asked.into_iter().map(|(pair, (doubt, _))| (pair, doubt)).collect();
    let mut beside = BTreeMap::<u32, Vec<u32>>::new();
    for (a, b) in asked.keys() {
        beside.entry(*a).or_default().push(*b);
        beside.entry(*b).or_default().push(*a);
    }
    let of = |one: u32, other: u32| asked.get(&(one.min(other), one.max(other)));
    let with_third =
        |a: u32, b: u32| beside[&a].iter().filter_map(move |third| Some([of(a, *third)?, of(b, *third)?]));
    let put = asked.iter().filter(|((a, b), doubt)| !waits(*doubt, with_third(*a, *b)));
    let mut doubts: Vec<Doubt> = put.map(|(_, doubt)| *doubt).collect();
    doubts.sort_unstable_by_key(|doubt| doubt.place);
    doubts
}
