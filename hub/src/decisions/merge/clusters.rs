//! From pairs to persons: what is joined, and what staff are asked.

use std::collections::BTreeMap;

use super::{
    compare::{Kind, Levels},
    model::{RELATIVE, TWIN},
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
    /// The same surname and date, other given names: twins?
    Twins,
    /// Relatives share what these two share.
    Relatives,
    /// Strangers may share what these two share.
    Namesakes,
    /// The two are alike, but not the others that each of them is linked with.
    Others,
}

impl Doubtful {
    /// The code in tables and JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherSnils => "other_snils",
            Self::Generation => "generation",
            Self::Twins => "twins",
            Self::Relatives => "relatives",
            Self::Namesakes => "namesakes",
            Self::Others => "others",
        }
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
}

impl Register {
    /// Compares and weighs a pair.
    pub fn edge(&self, a: u32, b: u32) -> Edge {
        let levels = self.compare(a, b);
        let weight = self.weigh_levels(a, b, &levels);
        Edge { a, b, weight, barred: self.barred(&levels) }
    }

    /// Why a pair is never linked without asking, however much speaks for it.
    fn barred(&self, levels: &Levels) -> Option<Doubtful> {
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
        if is(Kind::Date, &["generation"]) && !is(Kind::Snils, &["exact"]) {
            return Some(Doubtful::Generation);
        }
        let other_name = is(Kind::Given, &["near", "other", "other_sex"]);
        (other_name
            && is(Kind::Date, &["exact", "transposed", "digit"])
            && !is(Kind::Surname, &["other_f", "other_m"]))
        .then_some(Doubtful::Twins)
    }

    /// Makes persons of the pairs that were weighed.
    pub fn decide(&self, mut edges: Vec<Edge>) -> Outcome {
        let cut = self.model.cut;
        edges.retain(|edge| edge.weight.bits >= cut.ask);
        let order =
            |x: &Edge, y: &Edge| y.weight.bits.total_cmp(&x.weight.bits).then((x.a, x.b).cmp(&(y.a, y.b)));
        edges.sort_by(order);
        let auto = self.join(edges.iter().filter(|edge| edge.barred.is_none()), cut.auto);
        let one = self.join(edges.iter(), cut.one);
        Outcome { doubts: doubts(&edges, &auto, cut.auto), one, auto }
    }

    /// Joins by falling weight, unless all that is known of the two groups together speaks against it: one bad
    /// field does not split a person, one good link does not chain two.
    fn join<'a>(&self, edges: impl Iterator<Item = &'a Edge>, least: f64) -> Vec<u32> {
        let mut of: Vec<u32> = (0..).take(self.len()).collect();
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for edge in edges.take_while(|edge| edge.weight.bits >= least) {
            let (a, b) = (of[edge.a as usize], of[edge.b as usize]);
            if a == b {
                continue;
            }
            let group = |of: u32| groups.get(&of).cloned().unwrap_or_else(|| vec![of]);
            let (mut left, right) = (group(a.min(b)), group(a.max(b)));
            if left.len() + right.len() > 2 && self.total(&left, &right) < least {
                continue;
            }
            for record in &right {
                of[*record as usize] = a.min(b);
            }
            left.extend(right);
            groups.remove(&a.max(b));
            groups.insert(a.min(b), left);
        }
        of
    }

    /// All that is known of two groups: the evidence of each pair, none of which counts beyond the model's `most`.
    fn total(&self, left: &[u32], right: &[u32]) -> f64 {
        let most = self.model.cut.most;
        let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (*a.min(b), *a.max(b))));
        pairs.map(|(a, b)| self.weigh(a, b).bits.clamp(-most, most)).sum()
    }
}

/// One question for each two persons, by the pair that speaks most for it.
fn doubts(edges: &[Edge], auto: &[u32], sure: f64) -> Vec<Doubt> {
    let mut asked = BTreeMap::new();
    for edge in edges {
        let (a, b) = (auto[edge.a as usize], auto[edge.b as usize]);
        if a == b {
            continue;
        }
        let reason = edge.barred.unwrap_or(match edge.weight.rival {
            _ if edge.weight.bits >= sure => Doubtful::Others,
            TWIN => Doubtful::Twins,
            RELATIVE => Doubtful::Relatives,
            _ => Doubtful::Namesakes,
        });
        let doubt = Doubt { a: edge.a, b: edge.b, bits: edge.weight.bits, reason };
        asked.entry((a.min(b), a.max(b))).or_insert(doubt);
    }
    let mut doubts: Vec<Doubt> = asked.into_values().collect();
    doubts.sort_by(|x, y| y.bits.total_cmp(&x.bits).then((x.a, x.b).cmp(&(y.a, y.b))));
    doubts
}
