//! A model's chances from the data themselves, nobody telling who is who: expectation and maximisation over the classes
//! of pairs. What comes out is a proposal: nothing is linked by it before a person has put it in force.

use super::{
    candidates::{Pair, mixed},
    compare::Levels,
    model::{CLASSES, Chances, Model, SAME, STRANGER, TWIN, rounded},
    register::Register,
};

/// Rounds at most; fewer if nothing changes any more.
const ROUNDS: u32 = 25;
/// A round in which no chance changed by more than this share of itself is the last.
const STILL: f64 = 0.01;
/// The model one begins with counts for so many pairs of a class, and for half of what is found besides: without the
/// truth twins and relatives would drift into the class of one person.
const BELIEF: f64 = 500.0;
const SHARE: f64 = 0.5;
/// Pairs taken at random for what strangers have in common, and for how many the model counts beside them.
const STRANGERS: u32 = 200_000;
const STRANGERS_BELIEF: f64 = 20_000.0;

/// A model that was trained.
pub struct Trained {
    /// The model.
    pub model: Model,
    /// In how many rounds.
    pub rounds: u32,
    /// On how many pairs.
    pub pairs: usize,
    /// Pairs of one person that were expected among them.
    pub same: f64,
}

/// How often each level of each field was met: by field, then level from 1, then class.
type Met = Vec<Vec<[f64; CLASSES]>>;

impl Register {
    /// Trains the model of this register, which is closed, on `pairs`, its candidates.
    pub fn train(&mut self, pairs: &[Pair]) -> Trained {
        let base = self.model.clone();
        let compared: Vec<(u32, u32, Levels)> =
            pairs.iter().map(|(a, b)| (*a, *b, self.compare(*a, *b))).collect();
        let strangers = self.strangers();
        let (mut rounds, mut same) = (0, 0.0);
        while rounds < ROUNDS && !compared.is_empty() {
            rounds += 1;
            let (mut met, sums) = self.expected(&compared, &base);
            add(&mut met, &strangers, &base);
            same = sums[SAME];
            let next = self.maximised(&met, sums, &base);
            let change = change(&self.model, &next);
            self.weights.retune(&next);
            self.model = next;
            if change < STILL {
                break;
            }
        }
        let mut model = self.model.clone();
        for field in &mut model.fields {
            for chances in field.level.values_mut() {
                *chances = of_classes(chances.of_classes().map(rounded));
            }
        }
        Trained { model, rounds, pairs: compared.len(), same }
    }

    /// Pairs at random, the same ones for the same register.
    fn strangers(&self) -> Vec<Levels> {
        let all = self.len() as u64;
        let one =
            |seed: u64, n: u32| u32::try_from(mixed([seed, u64::from(n)].into_iter()) % all).unwrap_or(0);
        let pairs = (0..STRANGERS).filter(|_| all > 1).map(|n| (one(1, n), one(2, n)));
        pairs.filter(|(a, b)| a != b).map(|(a, b)| self.compare(a, b)).collect()
    }

    /// What the pairs say of each class but that of strangers, as far as they are of it; and how many of each there are.
    fn expected(&self, compared: &[(u32, u32, Levels)], base: &Model) -> (Met, [f64; CLASSES]) {
        let (mut met, mut sums) = (nothing(base), [0.0; CLASSES]);
        for (a, b, levels) in compared {
            let bits = self.class_bits(*a, *b, levels);
            let most = bits.iter().copied().fold(f64::MIN, f64::max);
            let odds = bits.map(|bits| (bits - most).exp2());
            let all: f64 = odds.iter().sum();
            for class in SAME..STRANGER {
                let share = odds[class] / all;
                sums[class] += share;
                for (of, level) in met.iter_mut().zip(levels).filter(|(_, level)| **level > 0) {
                    of[usize::from(*level) - 1][class] += share;
                }
            }
        }
        (met, sums)
    }

    /// The model under which what was met is likeliest, the one to begin with believed besides.
    #[expect(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
    fn maximised(&self, met: &Met, sums: [f64; CLASSES], base: &Model) -> Model {
        let mut model = base.clone();
        for (field, met) in model.fields.iter_mut().zip(met) {
            // whole values and those that leave a part open each by themselves
            let group = |at: usize| usize::from(at >= field.kind.parts_from());
            let mut sums = [[0.0; CLASSES]; 2];
            for (at, of_level) in met.iter().enumerate() {
                for (all, n) in sums[group(at)].iter_mut().zip(of_level) {
                    *all += n;
                }
            }
            for (at, (level, met)) in field.kind.levels().iter().zip(met).enumerate() {
                let all = sums[group(at)];
                let Some(chances) = field.level.get_mut(*level) else { continue };
                let mut found = chances.of_classes();
                for (class, chance) in found.iter_mut().enumerate().filter(|(_, chance)| **chance > 0.0) {
                    let belief =
                        if class == STRANGER { STRANGERS_BELIEF } else { BELIEF + SHARE * all[class] };
                    *chance = (met[class] + belief * *chance) / (all[class] + belief);
                }
                *chances = of_classes(found);
            }
        }
        let records = (self.len().max(1)) as f64;
        let share = |class: usize, before: f64| {
            // a class that the model does not use stays unused
            if before > 0.0 { rounded((sums[class] + BELIEF * before) / (records + BELIEF)) } else { 0.0 }
        };
        model.pairs.same = share(SAME, base.pairs.same);
        model.pairs.twin = share(TWIN, base.pairs.twin);
        model.pairs.relative = share(TWIN + 1, base.pairs.relative);
        model
    }
}

fn of_classes([same, twin, relative, stranger]: [f64; CLASSES]) -> Chances {
    Chances { same, twin, relative, stranger }
}

fn nothing(model: &Model) -> Met {
    model.fields.iter().map(|field| vec![[0.0; CLASSES]; field.kind.levels().len()]).collect()
}

fn add(met: &mut Met, strangers: &[Levels], base: &Model) {
    for levels in strangers {
        for at in 0..base.fields.len() {
            if levels[at] > 0 {
                met[at][usize::from(levels[at]) - 1][STRANGER] += 1.0;
            }
        }
    }
}

/// By what share of itself a chance has changed most, of those that are not hardly ever met.
fn change(before: &Model, after: &Model) -> f64 {
    let chances = |model: &Model| -> Vec<f64> {
        let levels = model.fields.iter().flat_map(|field| field.level.values());
        levels.flat_map(|chances| chances.of_classes()).collect()
    };
    let pairs = chances(before).into_iter().zip(chances(after));
    pairs.filter(|(x, _)| *x > 1e-3).map(|(x, y)| (x - y).abs() / x).fold(0.0, f64::max)
}
