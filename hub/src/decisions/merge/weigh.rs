//! What agreement is worth: how much likelier it is between two records of one person than between those of
//! twins, relatives or strangers; a rare value more than a frequent one.

use std::collections::BTreeMap;

use super::{
    candidates::mixed,
    compare::{FIELDS, Kind, Levels, parts},
    model::{CLASSES, Model, RELATIVE, SAME, STRANGER, TWIN},
    register::{Entry, Register, Slots},
    texts::Texts,
};

/// Years that a cohort of given names spans, and how many of them there are from 1900.
pub(super) const COHORT: u32 = 10;
pub(super) const COHORTS: usize = 15;
/// The years of all cohorts.
pub(super) const YEARS: usize = COHORTS * COHORT as usize;

/// For how many records the model's table stands beside what is counted.
const TABLE: f64 = 500.0;

/// Records of one person, hardly ever more.
pub(super) const OWN: u32 = 5;

/// By how much, in bits, what is not compared yet may speak for one person: against twins, against relatives.
pub(super) type Ahead = [f64; 2];

/// What is lost when bits are added up in another order is far less.
const ROUNDING: f64 = 1e-3;

/// The model's chances as logarithms, and how frequent values are.
#[derive(Default)]
pub(super) struct Weights {
    /// By class, field and level (0: 0.0), in bits.
    chances: [Vec<Vec<f64>>; CLASSES],
    /// By field and level: as how many of [`TABLE`] records the table says it of strangers.
    expected: Vec<Vec<f64>>,
    /// The fields, those first that tell most for the least work, and for how much each and all after it speak at most.
    pub(super) order: Vec<(usize, Ahead)>,
    /// How many records there are; of which sex.
    pub(super) records: f64,
    pub(super) of_sex: [f64; 3],
    /// How many records have a given name and were born in a cohort: by name, then cohort.
    pub(super) cohorts: Vec<f64>,
    pub(super) of_cohort: [f64; COHORTS],
    /// By year of birth from 1900, and of all years.
    pub(super) of_year: Vec<f64>,
    pub(super) born: f64,
    /// By month and day of birth ([`day_of`]).
    pub(super) of_day: Vec<f64>,
    /// How many records have a full name, of those that more have than one person's records: by [`Register::full_name`].
    pub(super) full_names: BTreeMap<u64, u32>,
}

impl Weights {
    pub(super) fn of(model: &Model) -> Self {
        let chances = std::array::from_fn(|class| {
            let of_field = |field: &super::model::Field| {
                let levels = field.kind.levels().iter();
                // a level that a model does without is never met
                let of_level = |level: &&str| field.level.get(*level).copied().unwrap_or_default();
                let chance = levels.map(|level| of_level(level).of_classes()[class]);
                // a class that a model does not use has no pairs either: its chances are never asked for
                std::iter::once(0.0).chain(chance.map(|chance| chance.max(1e-12).log2())).collect()
            };
            model.fields.iter().map(of_field).collect::<Vec<Vec<f64>>>()
        });
        let expected = |of_field: &Vec<f64>| of_field.iter().map(|bits| TABLE * bits.exp2()).collect();
        let expected = chances[STRANGER].iter().map(expected).collect();
        let mut weights = Self { chances, expected, ..Self::default() };
        let mut fields: Vec<usize> = (0..model.fields.len()).collect();
        fields.sort_by_key(|at| model.fields[*at].kind.effort());
        let mut ahead = [0.0; 2];
        for at in fields.into_iter().rev() {
            let levels = 0..=model.fields[at].kind.levels().len();
            for (rival, ahead) in [TWIN, RELATIVE].into_iter().zip(&mut ahead) {
                *ahead += levels.clone().map(|level| weights.against(rival, at, level)).fold(0.0, f64::max);
            }
            weights.order.push((at, ahead));
        }
        weights.order.reverse();
        weights
    }

    /// What a level of a field says for one person against a rival of whom the table tells all, in bits.
    fn against(&self, rival: usize, at: usize, level: usize) -> f64 {
        self.chances[SAME][at][level] - self.chances[rival][at][level]
    }

    /// Takes the chances of another model; what was counted stays.
    pub(super) fn retune(&mut self, model: &Model) {
        let Self { chances, expected, order, .. } = Self::of(model);
        (self.chances, self.expected, self.order) = (chances, expected, order);
    }

    /// Counts the values of all records.
    pub(super) fn count<'a>(
        &mut self,
        model: &Model,
        slots: &[Slots],
        texts: &[Vec<Texts>],
        entries: impl Iterator<Item = Entry<'a>>,
    ) {
        let slot = |kind| model.of_kind(kind).map(|field| slots[field].first);
        let (given, sex, birth) = (slot(Kind::Given), slot(Kind::Sex), slot(Kind::Date));
        let names = model.of_kind(Kind::Given).map_or(0, |field| texts[field][0].size());
        self.cohorts = vec![0.0; names * COHORTS];
        self.of_year = vec![0.0; YEARS];
        self.of_cohort = [0.0; COHORTS];
        self.of_day = vec![0.0; DAYS];
        (self.records, self.of_sex, self.born) = (0.0, [0.0; 3], 0.0);
        for entry in entries {
            self.records += 1.0;
            self.of_sex[sex.map_or(0, |slot| entry.value(slot) as usize).min(2)] += 1.0;
            let Some(year) = birth.and_then(|slot| year_of(entry.value(slot))) else { continue };
            self.of_year[year] += 1.0;
            self.born += 1.0;
            if let Some(day) = birth.and_then(|slot| day_of(entry.value(slot))) {
                self.of_day[day] += 1.0;
            }
            let cohort = year / COHORT as usize;
            if let Some(name) = given.map(|slot| entry.value(slot) as usize).filter(|name| *name != 0) {
                self.cohorts[name * COHORTS + cohort] += 1.0;
                self.of_cohort[cohort] += 1.0;
            }
        }
    }
}

/// Years since 1900, of a date that says one within the cohorts.
pub(super) fn year_of(date: u32) -> Option<usize> {
    let year = (parts(date).0 as usize).checked_sub(1900)?;
    (date != 0 && year < YEARS).then_some(year)
}

/// The level of two dates of one year of which one is 1 January, by [`Kind::levels`].
const YEAR_ONLY: u8 = 3;

/// How many days [`day_of`] numbers.
pub(super) const DAYS: usize = 12 * 31;

/// The number of the day in a year of 31 days a month, of a date that says it.
pub(super) fn day_of(date: u32) -> Option<usize> {
    let (_, month, day) = parts(date);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| ((month - 1) * 31 + day - 1) as usize)
}

/// What the evidence for and against comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weight {
    /// log2 of the odds that it is one person.
    pub bits: f64,
    /// Which other class is the likeliest: [`TWIN`], [`RELATIVE`] or [`STRANGER`].
    pub rival: usize,
}

impl Register {
    /// What records `a` and `b` are to each other.
    pub fn weigh(&self, a: u32, b: u32) -> Weight {
        self.weigh_levels(a, b, &self.compare(a, b))
    }

    /// How frequent pairs of each class are beside pairs of strangers, as logarithms.
    pub(super) fn shares(&self) -> [f64; CLASSES] {
        let pairs = self.weights.records.max(f64::from(self.fewest)).max(2.0) / 2.0;
        let shares = &self.model.pairs;
        let of = |share: f64| (share / pairs).log2();
        [of(shares.same), of(shares.twin), of(shares.relative), 0.0]
    }

    /// How much speaks for each class, as logarithms of odds beside pairs of strangers at large.
    pub(super) fn class_bits(&self, a: u32, b: u32, levels: &Levels) -> [f64; CLASSES] {
        let mut bits = self.shares();
        bits[STRANGER] += self.namesakes_at_large(a, b, levels);
        for (at, level) in levels.iter().enumerate().take(self.model.fields.len()) {
            for (class, bits) in bits.iter_mut().enumerate() {
                *bits += self.chance(class, at, *level, a, b);
            }
        }
        bits
    }

    /// What records `a` and `b` have in common, unless their weight is certainly below `least`: against twins and relatives
    /// the model's table tells all, and fields need not be compared that could not make up for the others.
    pub fn compare_from(&self, a: u32, b: u32, least: f64) -> Option<Levels> {
        let (one, other) = (self.entry(a), self.entry(b));
        let shares = self.shares();
        let mut bits = [TWIN, RELATIVE].map(|rival| shares[SAME] - shares[rival]);
        let mut levels = [0; FIELDS];
        let order = &self.weights.order;
        for (n, (at, _)) in order.iter().enumerate() {
            levels[*at] = self.level(*at, &one, &other);
            let ahead = order.get(n + 1).map_or([0.0; 2], |(_, ahead)| *ahead);
            for ((rival, bits), ahead) in [TWIN, RELATIVE].into_iter().zip(&mut bits).zip(ahead) {
                *bits += self.weights.against(rival, *at, usize::from(levels[*at]));
                if *bits + ahead + ROUNDING < least {
                    return None;
                }
            }
        }
        Some(levels)
    }

    /// As [`Register::weigh`], of levels that are known.
    pub fn weigh_levels(&self, a: u32, b: u32, levels: &Levels) -> Weight {
        let bits = self.class_bits(a, b, levels);
        let others = &bits[TWIN..];
        let most = others.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = others.iter().map(|bits| (bits - most).exp2()).sum();
        let rival = (TWIN..CLASSES).max_by(|x, y| bits[*x].total_cmp(&bits[*y])).unwrap_or(STRANGER);
        Weight { bits: bits[SAME] - most - sum.log2(), rival }
    }

    /// log2 of the chance of this level in pairs of this class.
    fn chance(&self, class: usize, at: usize, level: u8, a: u32, b: u32) -> f64 {
        if level == 0 {
            return 0.0;
        }
        let by_table = self.weights.chances[class][at][level as usize];
        if !matches!(class, RELATIVE | STRANGER) {
            return by_table;
        }
        let kind = self.model.fields[at].kind;
        let crowd = if kind == Kind::Date { self.crowd_of_day(at, level, a, b).log2() } else { 0.0 };
        if class == RELATIVE {
            return by_table + crowd;
        }
        let by_frequency = self.frequency(kind, at, level, &self.entry(a), &self.entry(b));
        crowd
            + by_frequency.map_or(by_table, |chance| {
                // of a few records the frequencies say little: as if so many more had been read that are as the table says
                let records = self.weights.records;
                let counted = (chance * records).max(0.5);
                ((counted + self.weights.expected[at][level as usize]) / (records + TABLE)).log2()
            })
    }

    /// What a field says for one person, against strangers or whoever the rival is: bits of evidence by field.
    pub fn evidence(&self, a: u32, b: u32, levels: &Levels, rival: usize) -> [f64; FIELDS] {
        let mut evidence = [0.0; FIELDS];
        for (at, bits) in evidence.iter_mut().enumerate().take(self.model.fields.len()) {
            *bits = self.chance(SAME, at, levels[at], a, b) - self.chance(rival, at, levels[at], a, b);
        }
        evidence
    }

    /// The chance that a stranger has the value too, where it depends on the value.
    fn frequency(&self, kind: Kind, at: usize, level: u8, a: &Entry<'_>, b: &Entry<'_>) -> Option<f64> {
        let (x, y) = (a.field(*self.slots.get(at)?), b.field(*self.slots.get(at)?));
        let table = self.texts[at].first()?;
        let count = |text: u32| f64::from(table.frequency(text));
        let all = self.weights.records;
        // names tell the sex: they are frequent or rare among their own
        let own_sex =
            self.sex_slot.map_or(all, |slot| self.weights.of_sex[a.value(slot) as usize].max(all * 0.2));
        let chance = match (kind, level) {
            (Kind::Surname | Kind::Patronymic, 1) => count(x[0]) / own_sex,
            (Kind::Surname, 2) => 2.0 * count(if y.contains(&x[0]) { x[0] } else { x[1] }) / own_sex,
            (Kind::Surname, 3 | 4) => 0.3 * count(x[0]).max(count(y[0])) / own_sex,
            (Kind::Given, 1) => self.namesakes(x[0], a, b, count(x[0]) / own_sex),
            (Kind::Given, 2) => count(x[0]).max(count(y[0])) / own_sex,
            (Kind::Patronymic, 2) => 0.5 * count(x[0]).max(count(y[0])) / own_sex,
            (Kind::Name, 2) => count(x[0]).max(count(y[0])) / all,
            (Kind::Date, 1) => self.weights.of_year[year_of(x[0])?] / all / 365.0,
            // one person's agree as far as both say: which part that is, is no matter of who it is
            (Kind::Date, 9) => self.said_alike(at, 9) * self.weights.of_year[year_of(x[0])?] / all / 12.0,
            (Kind::Date, 10) => self.said_alike(at, 10) * self.weights.of_year[year_of(x[0])?] / all,
            (Kind::Name | Kind::Phone | Kind::Code, 1) => count(x[0]) / all,
            // either of the two may say less, and a house has more flats than are known
            (Kind::Address, 2) => 2.0 * count(x[0]) / all,
            (Kind::Address, 1) => f64::from(self.texts[at][2].frequency(x[2])) / all,
            (Kind::Snils | Kind::Document, 1) => 1.0 / all,
            (Kind::Snils | Kind::Document, 2) => 0.5 / all,
            (Kind::Address, 3 | 5) => 4.0 * f64::from(self.texts[at][1].frequency(x[1])) / all,
            (Kind::Address, 4) => 2.0 / all,
            _ => return None,
        };
        Some(chance)
    }

    /// By how much more frequent the day and month are in which two dates agree than any are: 1 January is typed, and stands
    /// in passports, where nobody knows the day. As much as chance may have made of it is left out.
    fn crowd_of_day(&self, at: usize, level: u8, a: u32, b: u32) -> f64 {
        let date = |n: u32| self.entry(n).field(self.slots[at])[0];
        let common = match (day_of(date(a)), day_of(date(b))) {
            (Some(day), Some(other)) if day == other => day,
            // of one year, one of them born on 1 January
            (Some(_), Some(_)) if level == YEAR_ONLY => 0,
            _ => return 1.0,
        };
        let day = |records: f64| records / 365.0;
        let chance = 3.0 * (day(self.weights.born).sqrt() + 1.0);
        // of a few records the days say little, as their other values
        ((self.weights.of_day[common] - chance) / day(self.weights.born + TABLE)).max(1.0)
    }

    /// The chance of this level in pairs of one person.
    fn said_alike(&self, at: usize, level: usize) -> f64 {
        self.weights.chances[SAME][at][level].exp2()
    }

    /// The number of a full name.
    pub(super) fn full_name(&self, entry: &Entry<'_>) -> Option<u64> {
        let [surname, given, patronymic] = self.name_fields()?;
        let names = [surname, given, patronymic].map(|at| (at, entry.field(self.slots[at])[0]));
        let whole = names.iter().all(|(at, text)| *text != 0 && self.texts[*at][0].letters(*text).len() > 1);
        whole.then(|| mixed(names.iter().map(|(at, text)| self.texts[*at][0].digest(*text))))
    }

    fn name_fields(&self) -> Option<[usize; 3]> {
        let field = |kind| self.model.of_kind(kind);
        Some([field(Kind::Surname)?, field(Kind::Given)?, field(Kind::Patronymic)?])
    }

    /// By how much more frequent a full name that both have is than its parts make it, as a logarithm: «Иванова Мария
    /// Ивановна» is.
    fn namesakes_at_large(&self, a: u32, b: u32, levels: &Levels) -> f64 {
        let Some(fields) = self.name_fields().filter(|fields| fields.iter().all(|at| levels[*at] == 1))
        else {
            return 0.0;
        };
        let entry = self.entry(a);
        let found = self.full_name(&entry).and_then(|name| self.weights.full_names.get(&name));
        let Some(count) = found else { return 0.0 };
        let all = self.weights.records;
        let own_sex =
            self.sex_slot.map_or(all, |slot| self.weights.of_sex[entry.value(slot) as usize].max(all * 0.2));
        let by_parts: f64 = fields.iter().map(|at| self.chance(STRANGER, *at, 1, a, b)).sum();
        ((f64::from(count - OWN) / own_sex).log2() - by_parts).max(0.0)
    }

    /// How frequent a given name is among those born at about that time: «Нина» of 1940 is no «Нина» of 2010.
    fn namesakes(&self, name: u32, a: &Entry<'_>, b: &Entry<'_>, plain: f64) -> f64 {
        let year = |entry: &Entry<'_>| self.birth_slot.and_then(|slot| year_of(entry.value(slot)));
        let (Some(year), Some(other)) = (year(a), year(b)) else { return plain };
        if year.abs_diff(other) >= COHORT as usize {
            return plain;
        }
        let cohort = year / COHORT as usize;
        let sex = self.sex_slot.map_or(0, |slot| a.value(slot) as usize);
        let own_sex = self.weights.of_sex[sex].max(self.weights.records * 0.2) / self.weights.records;
        let born = self.weights.of_cohort[cohort] * own_sex;
        // of a small cohort the plain frequency says more
        (self.weights.cohorts[name as usize * COHORTS + cohort] + 20.0 * plain) / (born + 20.0)
    }
}

/// The name of a class, as reasons and JSON have it.
pub const fn class_name(class: usize) -> &'static str {
    match class {
        SAME => "same",
        TWIN => "twin",
        RELATIVE => "relative",
        _ => "stranger",
    }
}
