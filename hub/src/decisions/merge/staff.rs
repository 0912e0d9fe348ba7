//! Persons by evidence and by what staff have decided. The result depends on the set of records, links and
//! decisions only, never on the order of their arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    came::{Came, near, parts, said, unsaid},
    clusters::Said,
    groups::{Groups, Rule},
    model::Cut,
    parted::Parted,
};

/// Staff's word about two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// «один»: one person.
    Same,
    /// «разные»: two people.
    Different,
}

impl Decision {
    /// As stored and told.
    pub fn code(self) -> &'static str {
        if self == Self::Same { "same" } else { "different" }
    }
}

/// Two records, the lesser first.
pub type Two = (u32, u32);

/// Records that links or staff's decisions tie to each other, numbered from 0 in an order that does not hang on
/// their arrival.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// How many there are.
    pub size: usize,
    /// Pairs that are beyond doubt, with their weight in bits.
    pub links: Vec<(Two, f64)>,
    /// Pairs that may be one and are no link, with theirs: whom a record may be instead.
    pub near: Vec<(Two, f64)>,
    /// Staff's decisions, in the order of their taking.
    pub decisions: Vec<(Two, Decision)>,
    /// Records that are one person as it is known to centres: nothing but staff parts them, or joins them to another
    /// such person.
    pub standing: Vec<Vec<u32>>,
    /// Persons that do not stand, as all is weighed anew, and that are one by staff's word: what was one before it was said is.
    pub held: Vec<Vec<u32>>,
    /// Records that are one person as of now, whether or not it stands: where staff's word holds some of them, they are weighed
    /// by what evidence holds together in it, nobody else's records are; and nobody is taken from one of two whom staff have parted
    /// for being like the other.
    pub now: Vec<Vec<u32>>,
    /// Records that were one person before staff joined that person with others. What stands and is in none of these
    /// has been one person always.
    pub came: Vec<Vec<u32>>,
    /// Those of them whose person never stood by itself: they came to a joined person, as like to one of it as to another.
    pub new: BTreeSet<u32>,
}

/// The last word of staff about each pair, the newest first.
pub(super) fn last_words(decisions: &[(Two, Decision)]) -> Vec<(Two, Decision)> {
    let mut last = BTreeMap::new();
    for (at, (pair, decision)) in decisions.iter().enumerate() {
        last.insert(*pair, (at, *decision));
    }
    let mut words: Vec<_> = last.into_iter().collect();
    words.sort_by_key(|(_, (at, _))| std::cmp::Reverse(*at));
    words.into_iter().map(|(pair, (_, decision))| (pair, decision)).collect()
}

/// The persons of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persons {
    /// Each a list of records; every record is in exactly one.
    pub records: Vec<Vec<u32>>,
    /// Links that would have made more records one person than one has: staff are asked of them.
    pub crowded: BTreeSet<Two>,
    /// Of each record whom it would be together with if staff had never said «один» and these stood each by itself: the same number
    /// stands for these. By this everybody goes back when a word is taken back.
    pub alone: Vec<u32>,
}

/// Makes persons of `component`. `says` weighs any two.
///
/// Staff's decisions always win: «разные» over «один», and of these the later over the earlier. What came as one person into what
/// staff joined stays one, unless they part just that; of two groups that «один» holds together each goes on speaking for itself about
/// whom is of that person already. Then what stands stays as it is. Whoever is not of a person yet is weighed against the whole of it. Another record that links tie to two standing persons joins neither: that would be a guess.
pub fn persons(component: &Component, cut: Cut, says: &dyn Fn(u32, u32) -> Said) -> Persons {
    let (groups, crowded) = made(component, cut, says);
    let is_said = component.decisions.iter().any(|(_, decision)| *decision == Decision::Same);
    let alone = if is_said { made(&unsaid(component, cut, says), cut, says).0.of } else { groups.of.clone() };
    Persons { records: groups.into_groups(), crowded, alone }
}

/// Who is together, and which links would have made more records one person than one has.
fn made(component: &Component, cut: Cut, says: &dyn Fn(u32, u32) -> Said) -> (Groups, BTreeSet<Two>) {
    let mut groups = Groups::new(component.size);
    let ((parted, joined), near) = (said(component), near(component, says));
    let unless_parted = |groups: &mut Groups, a: u32, b: u32| {
        if !groups.are_kept_apart(&parted, a, b) {
            groups.union(a, b);
        }
    };
    let came = Came::of(component, &parted, &near, cut.auto);
    let units = component.standing.iter().chain(&component.held).flat_map(|person| came.within(person));
    let units = units.filter(|unit| !came.is_open(unit[0]));
    for unit in units.flat_map(|unit| parts(&unit, &parted)) {
        unit.windows(2).for_each(|two| unless_parted(&mut groups, two[0], two[1]));
    }
    let hold_unless_parted = |groups: &mut Groups, a: u32, b: u32| {
        if !groups.are_kept_apart(&parted, a, b) {
            groups.hold(a, b);
        }
    };
    for (a, b) in joined {
        hold_unless_parted(&mut groups, a, b);
    }
    let standing: Vec<Vec<u32>> =
        component.standing.iter().flat_map(|person| came.stands(person, &parted)).collect();
    for (a, b) in standing.iter().flat_map(|person| person.windows(2)).map(|two| (two[0], two[1])) {
        if came.spoken.find(a) == came.spoken.find(b) || came.is_open(a) || came.is_open(b) {
            hold_unless_parted(&mut groups, a, b);
        } else {
            unless_parted(&mut groups, a, b);
        }
    }
    let stands: BTreeSet<u32> = standing.into_iter().flatten().collect();
    let mut links = component.links.clone();
    links.sort_by(|(x, weight), (y, other)| other.total_cmp(weight).then(x.cmp(y)));
    let pairs: Vec<Two> = links.iter().map(|(pair, _)| *pair).collect();
    let ties: Vec<(u32, u32, f64)> = links.iter().map(|((a, b), weight)| (*a, *b, *weight)).collect();
    let said = ties.iter().copied();
    let is_person =
        |groups: &Groups, group: u32| groups.members(group).iter().any(|one| stands.contains(one));
    let between = torn(&pairs, &groups, &is_person);
    let apart = |groups: &Groups, a: u32, b: u32| {
        is_person(groups, a) && is_person(groups, b) || groups.are_kept_apart(&parted, a, b)
    };
    let torn = |groups: &Groups, a: u32, b: u32| {
        let is_between = |group: u32| groups.members(group).iter().any(|one| between.contains(one));
        is_person(groups, a) && is_between(b) || is_person(groups, b) && is_between(a)
    };
    let (least, most, largest) = (cut.auto, cut.most, cut.largest);
    let has_parted =
        |person: &&Vec<u32>| parted.iter().any(|(a, b)| person.contains(a) && person.contains(b));
    let mut whose = vec![None; component.size];
    for (n, person) in (0..).zip(component.now.iter().filter(|person| !has_parted(person))) {
        for one in person {
            whose[*one as usize] = Some(n);
        }
    }
    let are_one = |a: u32, b: u32| whose[a as usize].is_some_and(|n: u32| whose[b as usize] == Some(n));
    let rule = Rule {
        least,
        most,
        largest,
        bridges: false,
        says,
        near: &near,
        parted: Some(Parted { pairs: &parted, ties: &ties, are_one: &are_one }),
        by_parts: false,
        apart: &apart,
        torn: &torn,
    };
    // who may be somebody else too is not given to whom is published for being so
    let undecided = groups.undecided(said.clone(), rule);
    let said = said.filter(|(a, b, _)| !undecided.contains(&(*a.min(b), *a.max(b))));
    // of whom staff hold together first those who are of that person already
    let now = of_held(&component.now, &groups);
    let within = said.clone().filter(|(a, b, _)| now.get(a).is_some_and(|person| now.get(b) == Some(person)));
    groups.join(within, Rule { by_parts: true, ..rule });
    // who is like a standing person is not drawn to another by a third
    let direct = said.clone().filter(|(a, b, _)| stands.contains(a) != stands.contains(b));
    groups.join(direct, rule);
    groups.join(said, rule);
    let is_crowded = |(a, b): &Two| groups.find(*a) != groups.find(*b) && groups.are_crowded(*a, *b);
    let crowded = pairs.into_iter().filter(is_crowded).collect();
    (groups, crowded)
}

/// Of the records of each of the persons `now` in which a word holds some which person they are of.
fn of_held(now: &[Vec<u32>], groups: &Groups) -> BTreeMap<u32, usize> {
    let held = now.iter().enumerate().filter(|(_, person)| person.iter().any(|one| groups.is_held(*one)));
    held.flat_map(|(n, person)| person.iter().map(move |one| (*one, n))).collect()
}

/// The records that do not stand and that `links` tie to more than one standing person.
fn torn(links: &[Two], groups: &Groups, is_person: &dyn Fn(&Groups, u32) -> bool) -> BTreeSet<u32> {
    let mut ties: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (a, b) in links.iter().map(|(a, b)| (groups.find(*a), groups.find(*b))) {
        match (is_person(groups, a), is_person(groups, b)) {
            (true, false) => ties.entry(b).or_default().insert(a),
            (false, true) => ties.entry(a).or_default().insert(b),
            _ => continue,
        };
    }
    ties.into_iter()
        .filter(|(_, people)| people.len() > 1)
        .flat_map(|(group, _)| groups.members(group).iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::merge::{Model, came::taken_back_with, identity::assign};

    const fn likely(bits: f64) -> Said {
        Said { bits, barred: false }
    }

    fn made(size: usize, links: &[(u32, u32, f64)], decisions: &[(Two, Decision)]) -> Vec<Vec<u32>> {
        let links: Vec<(Two, f64)> = links.iter().map(|(a, b, bits)| ((*a, *b), *bits)).collect();
        let component =
            Component { size, links: links.clone(), decisions: decisions.to_vec(), ..Component::default() };
        let bits = |a: u32, b: u32| {
            likely(links.iter().find(|(pair, _)| *pair == (a, b)).map_or(-3.0, |(_, bits)| *bits))
        };
        persons(&component, Model::recipients().cut, &bits).records
    }

    #[test]
    fn links_chain_unless_the_whole_speaks_against_it() {
        assert_eq!(made(3, &[(0, 1, 12.0), (1, 2, 11.0), (0, 2, 3.0)], &[]), [vec![0, 1, 2]]);
        assert_eq!(made(3, &[(0, 1, 12.0), (1, 2, 11.0)], &[]), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn staff_always_win() {
        use Decision::{Different, Same};
        assert_eq!(made(2, &[(0, 1, 30.0)], &[((0, 1), Different)]), [vec![0], vec![1]]);
        assert_eq!(made(2, &[], &[((0, 1), Same)]), [vec![0, 1]]);
        assert_eq!(made(2, &[], &[((0, 1), Same), ((0, 1), Different)]), [vec![0], vec![1]]);
        // what they parted is not chained through a third, which may be either: that would be a guess
        let links = [(0, 1, 12.0), (1, 2, 11.0), (0, 2, 10.0)];
        assert_eq!(made(3, &links, &[((0, 2), Different)]), [vec![0], vec![1], vec![2]]);
        assert_eq!(made(3, &[links[0], links[2]], &[((0, 2), Different)]), [vec![0, 1], vec![2]]);
        // of decisions that contradict each other «разные» stands, and the newer «один»
        let decisions = [((0, 2), Different), ((0, 1), Same), ((1, 2), Same)];
        assert_eq!(made(3, &[], &decisions), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn what_stands_is_neither_joined_nor_broken_up_by_evidence() {
        let made = |links: &[(Two, f64)], decisions: &[(Two, Decision)]| {
            let standing = vec![vec![0, 1], vec![2]];
            let component = Component {
                size: 5,
                links: links.to_vec(),
                decisions: decisions.to_vec(),
                standing,
                ..Component::default()
            };
            persons(&component, Model::recipients().cut, &|_, _| likely(8.0)).records
        };
        // nothing ties 0 and 1 any more; 2 is like them; 3 is like both persons, and 4 like 3; or 3 like one of them
        assert_eq!(made(&[((1, 2), 30.0)], &[]), [vec![0, 1], vec![2], vec![3], vec![4]]);
        let bridge = [((1, 3), 20.0), ((2, 3), 9.0), ((3, 4), 8.0)];
        assert_eq!(made(&bridge, &[]), [vec![0, 1], vec![2], vec![3, 4]]);
        assert_eq!(made(&[((1, 3), 20.0)], &[]), [vec![0, 1, 3], vec![2], vec![4]]);
        // each goes to whom it is like, though they are more alike to each other
        let chain = [((1, 3), 20.0), ((2, 4), 9.0), ((3, 4), 30.0)];
        assert_eq!(made(&chain, &[]), [vec![0, 1, 3], vec![2, 4]]);
        // staff may
        assert_eq!(made(&bridge, &[((1, 2), Decision::Same)]), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(made(&[], &[((0, 1), Decision::Different)])[..2], [vec![0], vec![1]]);
        // of three that stood together staff took one out: the others stay together, and it joins nobody by evidence
        let component = |decisions: &[(Two, Decision)]| Component {
            size: 4,
            links: vec![((0, 2), 30.0), ((2, 3), 30.0)],
            decisions: decisions.to_vec(),
            standing: vec![vec![0, 1, 2], vec![3]],
            ..Component::default()
        };
        let made_of = |decisions: &[(Two, Decision)]| {
            persons(&component(decisions), Model::recipients().cut, &|_, _| likely(8.0)).records
        };
        let out = [((0, 2), Decision::Different), ((1, 2), Decision::Different)];
        assert_eq!(made_of(&out), [vec![0, 1], vec![2], vec![3]]);
        // of whom they have not said to which side it belongs evidence speaks: nothing ties it
        assert_eq!(made_of(&out[..1]), [vec![0], vec![1], vec![2, 3]]);
        // 3 is said to be of the second person: the first is still another
        assert_eq!(made(&bridge, &[((2, 3), Decision::Same)]), [vec![0, 1], vec![2, 3, 4]]);
        // 1 is like 0, who stands, and like 2, who is somebody else and not published yet
        let links = vec![((0, 1), 10.0), ((1, 2), 10.0)];
        let component = Component { size: 3, links, standing: vec![vec![0]], ..Component::default() };
        let twins = |a: u32, b: u32| {
            if (a, b) == (0, 2) { Said { bits: -5.0, barred: true } } else { likely(10.0) }
        };
        let made = persons(&component, Model::recipients().cut, &twins).records;
        assert_eq!(made, [vec![0], vec![1], vec![2]]);
        // 3 may be 0 or 1, and 4 may be 1, 2 or 3, who is certainly not 2: neither is whose it is for being like the other
        let links = [((0, 3), 8.0), ((1, 3), 8.0), ((1, 4), 7.5), ((2, 4), 7.5), ((3, 4), 8.0)].to_vec();
        let standing = vec![vec![0], vec![1], vec![2]];
        let component = Component { size: 5, links, standing, ..Component::default() };
        let three = |a: u32, b: u32| {
            if b < 3 || (a, b) == (2, 3) { Said { bits: -5.0, barred: true } } else { likely(8.0) }
        };
        let made = persons(&component, Model::recipients().cut, &three).records;
        assert_eq!(made, [vec![0], vec![1], vec![2], vec![3], vec![4]]);
        // the like of one of them is no link, and yet so near that it may be that one
        let made = |near: f64| {
            let component = Component {
                size: 3,
                links: vec![((0, 1), 8.0)],
                near: vec![((1, 2), near)],
                ..Component::default()
            };
            persons(&component, Model::recipients().cut, &twins).records
        };
        assert_eq!(made(5.9), [vec![0], vec![1], vec![2]]);
        assert_eq!(made(0.5), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn whom_staff_hold_together_speak_by_their_parts_of_each_other_and_as_one_of_anybody_else() {
        // 0 and 1 are one by evidence, 2 by staff's word alone; 3 is like 0 or like 2, and unlike the other
        let made = |now: &[Vec<u32>], like: u32, barred: bool| {
            let says = |a: u32, b: u32| match (a, b) {
                (0, 1) => likely(12.0),
                (_, 3) if a == like => likely(9.0),
                (_, 3) if a + like == 2 => Said { bits: -5.0, barred },
                (_, 3) => likely(0.0),
                _ => likely(-9.0),
            };
            let component = Component {
                size: 4,
                links: vec![((0, 1), 12.0), ((like, 3), 9.0)],
                decisions: vec![((0, 2), Decision::Same)],
                now: now.to_vec(),
                ..Component::default()
            };
            persons(&component, Model::recipients().cut, &says).records
        };
        for like in [0, 2] {
            for barred in [false, true] {
                let came = [vec![0, 1], vec![2], vec![3]];
                assert_eq!(made(&came, like, barred), [vec![0, 1, 2], vec![3]], "{like} {barred}");
                let of_it = [vec![0, 1, 2, 3]];
                assert_eq!(made(&of_it, like, barred), [vec![0, 1, 2, 3]], "{like} {barred}");
            }
        }
    }

    /// Numbers that look like chance, the same at every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).expect("31 bits") % most
        }
    }

    /// Published persons, what ties them, and what staff say of them, as the hub keeps it: which person each record is and came as.
    struct Register {
        component: Component,
        uids: Vec<usize>,
        homes: Vec<usize>,
    }

    impl Register {
        fn groups_of(of: &[usize]) -> Vec<Vec<u32>> {
            let mut groups: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
            (0..).zip(of).for_each(|(record, uid)| groups.entry(*uid).or_default().push(record));
            groups.into_values().collect()
        }

        fn settle(&mut self, bits: &dyn Fn(u32, u32) -> Said) {
            (self.component.standing, self.component.held) = (Self::groups_of(&self.uids), Vec::new());
            self.become_persons(bits);
        }

        /// As `svod-hub merge`: all is weighed anew.
        fn merge(&mut self, bits: &dyn Fn(u32, u32) -> Said) {
            (self.component.held, self.component.standing) = (Self::groups_of(&self.uids), Vec::new());
            let words = last_words(&self.component.decisions);
            let is_within = |of: &Vec<u32>, (a, b): &Two, word| {
                word == Decision::Same && of.contains(a) && of.contains(b)
            };
            self.component.held.retain(|of| words.iter().any(|(pair, word)| is_within(of, pair, *word)));
            self.become_persons(bits);
        }

        fn become_persons(&mut self, bits: &dyn Fn(u32, u32) -> Said) {
            self.component.now = Self::groups_of(&self.uids);
            self.component.came = Self::groups_of(&self.homes);
            let made = persons(&self.component, Model::recipients().cut, bits).records;
            let clusters: Vec<BTreeSet<usize>> =
                made.iter().map(|of| of.iter().map(|one| *one as usize).collect()).collect();
            let homes: BTreeMap<usize, usize> = self.homes.iter().copied().enumerate().collect();
            let age = self.homes.iter().map(|home| (*home, u64::try_from(*home).expect("small"))).collect();
            for (cluster, assigned) in clusters.iter().zip(assign(&clusters, &homes, &age)) {
                let uid = assigned.uid.expect("nobody is new");
                for one in cluster {
                    self.uids[*one] = uid;
                    let home = self.homes[*one];
                    assert!(home == uid || assigned.absorbed.contains(&home), "a record changed its person");
                }
            }
        }

        fn say(&mut self, pair: Two, decision: Decision) {
            if decision == Decision::Different {
                for at in
                    taken_back_with(&self.component, pair, Model::recipients().cut.auto).into_iter().rev()
                {
                    self.component.decisions.remove(at);
                }
            }
            self.component.decisions.push((pair, decision));
        }
    }

    #[test]
    fn joins_taken_back_in_any_order_leave_what_the_others_would_have_made() {
        for seed in 0..1500 {
            let mut chance = Chance(seed);
            let mut homes = Vec::new();
            for person in 0..2 + chance.below(5) {
                homes.extend(std::iter::repeat_n(person, 1 + chance.below(3)));
            }
            let size = homes.len();
            let merges = seed % 3 == 0;
            // links within persons, and some between them: of these nothing is joined but by staff
            let mut links = Vec::new();
            for (a, b) in (0..size).flat_map(|a| (a + 1..size).map(move |b| (a, b))) {
                if homes[a] == homes[b] || !merges && chance.below(6) == 0 {
                    let pair = (u32::try_from(a).expect("small"), u32::try_from(b).expect("small"));
                    links.push((pair, [8.0, 12.0, 30.0][chance.below(3)]));
                }
            }
            let bits = |a: u32, b: u32| {
                likely(links.iter().find(|(pair, _)| *pair == (a, b)).map_or(-20.0, |(_, bits)| *bits))
            };
            let component = Component { size, links: links.clone(), ..Component::default() };
            let mut register = Register { component, uids: homes.clone(), homes: homes.clone() };
            register.settle(&bits);
            assert_eq!(register.uids, homes);
            let pair_of = |x: usize, y: usize| {
                (u32::try_from(x.min(y)).expect("small"), u32::try_from(x.max(y)).expect("small"))
            };
            let mut joins: Vec<Two> = Vec::new();
            for _ in 0..=chance.below(6) {
                let (x, y) = (chance.below(size), chance.below(size));
                let (one, other) = (register.uids[x], register.uids[y]);
                if one == other {
                    continue;
                }
                let of =
                    |uid: usize| -> Vec<usize> { (0..size).filter(|at| register.uids[*at] == uid).collect() };
                let (ones, others) = (of(one), of(other));
                joins.push(pair_of(x, y));
                register.say(pair_of(x, y), Decision::Same);
                // as with `--all`: said of others between the two besides
                for (a, b) in ones.iter().flat_map(|a| others.iter().map(move |b| (*a, *b))) {
                    if (a, b) != (x, y) && seed % 2 == 0 && chance.below(2) == 0 {
                        register.say(pair_of(a, b), Decision::Same);
                    }
                }
                register.settle(&bits);
                assert_eq!(register.uids[x], register.uids[y], "{seed}");
                if merges {
                    let before = register.uids.clone();
                    register.merge(&bits);
                    assert_eq!((&register.uids, &register.homes), (&before, &homes), "seed {seed}: a merge");
                }
            }
            let mut rest = joins.clone();
            for _ in 0..chance.below(joins.len() + 1) {
                let pair = rest.remove(chance.below(rest.len()));
                register.say(pair, Decision::Different);
                register.settle(&bits);
                // the oldest of those that the other joins tie to each other
                let mut expected = homes.clone();
                for _ in 0..size {
                    for (a, b) in rest.iter().map(|(a, b)| (*a as usize, *b as usize)) {
                        let (one, other) = (expected[a], expected[b]);
                        let oldest = one.min(other);
                        expected
                            .iter_mut()
                            .filter(|uid| [one, other].contains(uid))
                            .for_each(|uid| *uid = oldest);
                    }
                }
                assert_eq!(register.uids, expected, "seed {seed}: of {joins:?} {pair:?} was taken back");
                if merges {
                    register.merge(&bits);
                    assert_eq!(
                        register.uids, expected,
                        "seed {seed}: a merge after {pair:?} of {joins:?} was taken back"
                    );
                }
                assert_eq!(register.homes, homes);
            }
        }
    }
}
