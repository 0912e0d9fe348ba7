//! Groups of records that become one person.

use std::collections::{BTreeMap, BTreeSet};

use super::{clusters::Said, parted::Parted};

/// Who is together. A group is called by the least of its members.
#[derive(Clone)]
pub(super) struct Groups {
    /// The group of each.
    pub(super) of: Vec<u32>,
    /// Of each group of more than one where its members stand in `lists`, and 1; 0 of all others.
    places: Vec<u32>,
    /// The members of a group, in order.
    lists: Vec<Vec<u32>>,
    /// Who would have been in a group too large for one person.
    crowded: BTreeSet<u32>,
    /// Of each by what it is in its group, where some are held there by a word and not by evidence; empty if nobody is.
    units: Vec<u32>,
}

/// When groups are joined.
#[derive(Clone, Copy)]
pub(super) struct Rule<'a> {
    /// What speaks for it, in bits, must come to so much.
    pub(super) least: f64,
    /// No pair counts for more.
    pub(super) most: f64,
    /// More records are no one person by evidence.
    pub(super) largest: usize,
    /// Whether two groups of more than three records may be joined though nothing but one pair speaks for it.
    pub(super) bridges: bool,
    /// What a pair says.
    pub(super) says: &'a dyn Fn(u32, u32) -> Said,
    /// Two records that are no link, and their bits: whom a record may be instead, in no order.
    pub(super) near: &'a [(u32, u32, f64)],
    /// Whom staff have parted.
    pub(super) parted: Option<Parted<'a>>,
    /// Whether both of any two records are of one person already: only what is one in a group by evidence
    /// ([`Groups::unit`]) speaks then, as it was known to be unlike the rest when that was said to be one.
    pub(super) by_parts: bool,
    /// Which groups are kept apart.
    pub(super) apart: &'a dyn Fn(&Groups, u32, u32) -> bool,
    /// Which besides are not joined though either may be the other: whoever is like to two persons that stand is neither's, but
    /// nobody else's for that.
    pub(super) torn: &'a dyn Fn(&Groups, u32, u32) -> bool,
}

impl<'a> Rule<'a> {
    /// By evidence alone: nobody stands, and staff have said nothing.
    pub(super) fn by_evidence(
        (least, most, largest): (f64, f64, usize),
        bridges: bool,
        says: &'a dyn Fn(u32, u32) -> Said,
        near: &'a [(u32, u32, f64)],
    ) -> Self {
        let nobody = &|_: &Groups, _, _| false;
        let (parted, by_parts) = (None, false);
        Self { least, most, largest, bridges, says, near, parted, by_parts, apart: nobody, torn: nobody }
    }
}

/// By so many bits one of two possible joins must be likelier, where hardly both can be: 0.7 is five to three. Where the two others
/// are never joined by evidence, as twins, the chance that they are two and that it is the wrong one must besides be as small as with
/// any link.
pub(super) const CLEARER: f64 = 0.7;

/// Two weights that differ by less are equal: what is left is how they were added up.
const EQUAL: f64 = 0.01;

/// Two who come to no more bits are certainly two people.
const CERTAINLY_TWO: f64 = -8.0;

/// By so many bits the evidence must be stronger within a group that is too large, until it falls into ones that are not.
const STRICTER: f64 = 2.0;

impl Groups {
    /// Each by itself.
    pub(super) fn new(size: usize) -> Self {
        let (places, lists) = (vec![0; size], Vec::new());
        Self { of: (0..).take(size).collect(), places, lists, crowded: BTreeSet::new(), units: Vec::new() }
    }

    pub(super) fn find(&self, member: u32) -> u32 {
        self.of[member as usize]
    }

    pub(super) fn members(&self, group: u32) -> &[u32] {
        match self.places[group as usize].checked_sub(1) {
            Some(place) => &self.lists[place as usize],
            None => std::slice::from_ref(&self.of[group as usize]),
        }
    }

    /// Whom the member is together with in its group by more than a word ([`Groups::hold`]).
    pub(super) fn unit(&self, member: u32) -> u32 {
        self.units.get(member as usize).copied().unwrap_or_else(|| self.find(member))
    }

    /// Whether a word holds some of the member's group to each other.
    pub(super) fn is_held(&self, member: u32) -> bool {
        let unit = self.unit(member);
        self.members(self.find(member)).iter().any(|one| self.unit(*one) != unit)
    }

    /// The members of one unit.
    fn unit_members(&self, member: u32) -> impl Iterator<Item = u32> {
        let unit = self.unit(member);
        self.members(self.find(member)).iter().copied().filter(move |one| self.unit(*one) == unit)
    }

    /// Joins the groups of two because somebody says so: what evidence holds together in each goes on speaking for itself.
    pub(super) fn hold(&mut self, a: u32, b: u32) {
        if self.units.is_empty() {
            self.units.clone_from(&self.of);
        }
        self.union_groups(a, b);
    }

    /// Joins the groups of two, and what they are by evidence.
    pub(super) fn union(&mut self, a: u32, b: u32) {
        let (unit, other) = (self.unit(a).min(self.unit(b)), self.unit(a).max(self.unit(b)));
        self.union_groups(a, b);
        if !self.units.is_empty() {
            for member in self.members(self.find(a)).to_vec() {
                let of = &mut self.units[member as usize];
                *of = if *of == other { unit } else { *of };
            }
        }
    }

    fn union_groups(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (group, other) = (a.min(b), a.max(b));
        let mut all = Vec::with_capacity(self.members(group).len() + self.members(other).len());
        all.extend_from_slice(self.members(group));
        all.extend_from_slice(self.members(other));
        all.sort_unstable();
        for member in self.members(other).to_vec() {
            self.of[member as usize] = group;
        }
        self.forget(other);
        self.keep(group, all);
    }

    /// Forgets the members of a group that is none any more.
    fn forget(&mut self, group: u32) {
        let place = std::mem::take(&mut self.places[group as usize]);
        if let Some(place) = place.checked_sub(1) {
            self.lists[place as usize] = Vec::new();
        }
    }

    /// Keeps the members of a group, in order.
    fn keep(&mut self, group: u32, all: Vec<u32>) {
        if let Some(place) = self.places[group as usize].checked_sub(1) {
            self.lists[place as usize] = all;
        } else {
            self.lists.push(all);
            self.places[group as usize] = u32::try_from(self.lists.len()).expect("fewer lists than records");
        }
    }

    /// Joins the groups of `edges` (two records, and their bits), which come by falling weight, as `rule` says. A group that comes to be
    /// too large for one person is taken apart again, into what stronger evidence holds together.
    pub(super) fn join(&mut self, edges: impl Iterator<Item = (u32, u32, f64)> + Clone, rule: Rule<'_>) {
        let (before, units) = (self.of.clone(), self.units.clone());
        if rule.bridges {
            edges.clone().for_each(|(a, b, _)| self.join_two(a, b, rule));
        } else {
            let mut undecided = self.undecided(edges.clone(), rule);
            loop {
                let decided = edges.clone().filter(|(a, b, _)| !undecided.contains(&(*a.min(b), *a.max(b))));
                let mut joined = self.clone();
                decided.clone().for_each(|(a, b, _)| joined.join_two(a, b, rule));
                let known = undecided.len();
                undecided.extend(self.tossed(decided, &joined, rule));
                undecided.extend(self.between_parted(&joined, rule));
                if undecided.len() == known {
                    *self = joined;
                    break;
                }
            }
        }
        let has_grown = |all: &[u32]| all.iter().any(|one| before[*one as usize] != before[all[0] as usize]);
        let crowds: Vec<Vec<u32>> =
            self.lists.iter().filter(|all| all.len() > rule.largest && has_grown(all)).cloned().collect();
        if crowds.is_empty() {
            return;
        }
        let crowd: BTreeMap<u32, u32> =
            crowds.iter().flat_map(|all| all.iter().map(|one| (*one, all[0]))).collect();
        for all in &crowds {
            self.part(all, &before, &units);
        }
        let (least, most) = (rule.least + STRICTER, rule.most + STRICTER);
        let together = |a: &u32, b: &u32| crowd.get(a).is_some_and(|one| crowd.get(b) == Some(one));
        let within: Vec<(u32, u32, f64)> =
            edges.filter(|(a, b, bits)| *bits >= least && together(a, b)).collect();
        if !within.is_empty() {
            self.join(within.iter().copied(), Rule { least, most, ..rule });
        }
        self.crowded.extend(crowd.into_keys());
    }

    /// The edges by which a record is about as like to one as to another who is not that one: to join it with either would be a
    /// guess. Of two such edges neither is clear beside the other ([`CLEARER`]); the other may be no link.
    pub(super) fn undecided(
        &self,
        edges: impl Iterator<Item = (u32, u32, f64)>,
        rule: Rule<'_>,
    ) -> BTreeSet<(u32, u32)> {
        let near = rule.near.iter().map(|(a, b, bits)| (*a, *b, *bits, false));
        let mut ties: Vec<(u32, u32, f64, bool)> = edges
            .map(|(a, b, bits)| (a, b, bits, true))
            .chain(near)
            .flat_map(|(a, b, bits, is_link)| [(a, b, bits, is_link), (b, a, bits, is_link)])
            .collect();
        ties.sort_unstable_by_key(|(one, other, ..)| (*one, *other));
        let has_tie = |a: u32, b: u32| {
            let found = ties.binary_search_by_key(&(a, b), |(one, other, ..)| (*one, *other));
            found.is_ok_and(|at| ties[at].3)
        };
        let is_open = |one: u32, other: u32| {
            let (one, other) = (self.find(one), self.find(other));
            one != other && !(rule.apart)(self, one, other)
        };
        let is_unclear = |a: u32, b: u32, gap: f64| {
            let Said { bits, barred } = (rule.says)(a.min(b), a.max(b));
            // how likely it is that they are two, and that it is the other
            let risk = 1.0 / ((1.0 + bits.exp2()) * (1.0 + gap.exp2()));
            barred && risk > (-rule.least).exp2() || (barred || bits < CERTAINLY_TWO) && gap < CLEARER
        };
        let mut undecided = BTreeSet::new();
        for of in ties.chunk_by(|x, y| x.0 == y.0).filter(|of| of.len() > 1) {
            for (n, (one, a, bits, is_link)) in of.iter().enumerate() {
                for (_, b, other, is_other_link) in &of[n + 1..] {
                    let gap = (bits - other).abs();
                    let may_decide = gap < rule.least && (*is_link || *is_other_link);
                    let is_tie = may_decide && is_open(*one, *a) && is_open(*one, *b);
                    if is_tie && self.find(*a) != self.find(*b) && !has_tie(*a, *b) && is_unclear(*a, *b, gap)
                    {
                        undecided.extend([a, b].map(|other| (*one.min(other), *one.max(other))));
                    }
                }
            }
        }
        undecided
    }

    /// The edges by which a record went to one of two groups that hold two whom nothing joins, though it is as like to one of the
    /// other: which it is had hung on the order of the records. `joined` is what has become of this.
    fn tossed(
        &self,
        edges: impl Iterator<Item = (u32, u32, f64)>,
        joined: &Self,
        rule: Rule<'_>,
    ) -> BTreeSet<(u32, u32)> {
        let mut ties: Vec<(u32, f64, u32)> =
            edges.flat_map(|(a, b, bits)| [(a, bits, b), (b, bits, a)]).collect();
        ties.sort_unstable_by(|x, y| x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.cmp(&y.2)));
        let is_open = |one: u32, other: u32| {
            let (one, other) = (self.find(one), self.find(other));
            one != other && !(rule.apart)(self, one, other)
        };
        let others = |one: u32, of: u32| {
            let came_with = self.find(one);
            let members = joined.members(joined.find(of)).iter().copied();
            members.filter(move |member| self.find(*member) != came_with)
        };
        let are_barred = |one: u32, a: u32, b: u32| {
            others(one, a).any(|x| others(one, b).any(|y| (rule.says)(x.min(y), x.max(y)).barred))
        };
        let mut tossed = BTreeSet::new();
        for of in ties.chunk_by(|x, y| x.0 == y.0).filter(|of| of.len() > 1) {
            for (n, (one, bits, a)) in of.iter().enumerate() {
                for (_, _, b) in of[n + 1..].iter().take_while(|(_, other, _)| other - bits < EQUAL) {
                    let groups = [*a, *b].map(|other| joined.find(other));
                    let is_tossed = groups[0] != groups[1]
                        && groups.contains(&joined.find(*one))
                        && is_open(*one, *a)
                        && is_open(*one, *b)
                        && are_barred(*one, *a, *b);
                    if is_tossed {
                        tossed.extend([a, b].map(|other| (*one.min(other), *one.max(other))));
                    }
                }
            }
        }
        tossed
    }

    /// Joins the groups of two records unless they are kept apart, or all that is known of the two groups together speaks against it:
    /// one bad field does not split a person, one good link does not chain two. Of two who are of one person already whom a word holds
    /// besides says nothing ([`Rule::by_parts`]); who is not is weighed against the whole.
    fn join_two(&mut self, a: u32, b: u32, rule: Rule<'_>) {
        let groups = (self.find(a), self.find(b));
        let is_apart = || (rule.apart)(self, groups.0, groups.1) || (rule.torn)(self, groups.0, groups.1);
        if self.unit(a) == self.unit(b) || groups.0 != groups.1 && is_apart() {
            return;
        }
        let (a, b) = if groups.0 <= groups.1 { (a, b) } else { (b, a) };
        let speak = |one: u32| -> Vec<u32> {
            if rule.by_parts || groups.0 == groups.1 {
                self.unit_members(one).collect()
            } else {
                self.members(self.find(one)).to_vec()
            }
        };
        let (left, right) = (speak(a), speak(b));
        if left.len() + right.len() > 2 {
            let (mut sum, mut speaking) = (0.0, 0);
            for (a, b) in left.iter().flat_map(|a| right.iter().map(|b| (*a.min(b), *a.max(b)))) {
                let Said { bits, barred } = (rule.says)(a, b);
                if barred {
                    return;
                }
                sum += bits.clamp(-rule.most, rule.most);
                speaking += usize::from(bits > 0.0);
            }
            let is_bridge = speaking < 2 && left.len() + right.len() > 3;
            if sum < rule.least || is_bridge && !rule.bridges {
                return;
            }
        }
        self.union(a, b);
    }

    /// Takes the group `all` apart into the groups that were `before`.
    fn part(&mut self, all: &[u32], before: &[u32], units: &[u32]) {
        self.forget(all[0]);
        for one in all.iter().map(|one| *one as usize).filter(|one| *one < units.len()) {
            self.units[one] = units[one];
        }
        let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for one in all {
            self.of[*one as usize] = before[*one as usize];
            parts.entry(before[*one as usize]).or_default().push(*one);
        }
        for (group, part) in parts.into_iter().filter(|(_, part)| part.len() > 1) {
            self.keep(group, part);
        }
    }

    /// Whether one of two records would have been in a group too large for one person.
    pub(super) fn are_crowded(&self, a: u32, b: u32) -> bool {
        self.crowded.contains(&a) || self.crowded.contains(&b)
    }

    /// The groups, each in order.
    pub(super) fn into_groups(self) -> Vec<Vec<u32>> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (member, group) in (0..).zip(self.of) {
            groups.entry(group).or_default().push(member);
        }
        groups.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pairs with their bits, by falling weight.
    fn pairs(size: u32, bits: &dyn Fn(u32, u32) -> Option<f64>) -> Vec<(u32, u32, f64)> {
        let all = (0..size).flat_map(|a| (a + 1..size).map(move |b| (a, b)));
        let mut pairs: Vec<_> = all.filter_map(|(a, b)| Some((a, b, bits(a, b)?))).collect();
        pairs.sort_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
        pairs.retain(|(.., bits)| *bits >= 7.0);
        pairs
    }

    fn joined(size: u32, bridges: bool, bits: &dyn Fn(u32, u32) -> Option<f64>) -> Groups {
        let mut groups = Groups::new(size as usize);
        let says =
            |a, b| bits(a, b).map_or(Said { bits: -9.0, barred: true }, |bits| Said { bits, barred: false });
        let rule = Rule::by_evidence((7.0, 8.0, 12), bridges, &says, &[]);
        groups.join(pairs(size, bits).into_iter(), rule);
        groups
    }

    #[test]
    fn a_chain_of_bridges_makes_no_person_of_many() {
        // five people of two records each; the second of each is like the first of the next, of the rest nobody can tell anything
        let chain = |a: u32, b: u32| {
            Some(if a / 2 == b / 2 {
                12.0
            } else if a + 1 == b {
                10.0
            } else {
                0.0
            })
        };
        assert_eq!(joined(10, false, &chain).into_groups(), [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]);
        assert_eq!(joined(10, true, &chain).into_groups().len(), 1, "what a bridge would do");
        // a third record is taken in, and the chain ends there
        let next = |a: u32, b: u32| Some(if a + 1 == b { 10.0 } else { 0.0 });
        assert!(joined(9, false, &next).into_groups().iter().all(|group| group.len() <= 3));
        // two links are more than a bridge, and so is one with others that speak for it
        let twice = |a: u32, b: u32| Some(if a + 3 == b { 0.0 } else { 9.0 });
        assert_eq!(joined(4, false, &twice).into_groups().len(), 1);
        let supported = |a: u32, b: u32| Some(if a + 1 == b { 9.0 } else { 0.5 });
        assert_eq!(joined(4, false, &supported).into_groups().len(), 1);
    }

    #[test]
    fn whoever_is_as_like_to_two_groups_that_nothing_joins_goes_to_neither_in_whatever_order() {
        // 0 and 1 are one, and so may 2 be, but of 0 and 2 staff are asked; 3 is as like to 1 as to 2
        let of = |order: [u32; 4], nearer: f64| {
            let named = |a: u32, b: u32| {
                let [a, b] = [a, b].map(|at| order[at as usize]);
                (a.min(b), a.max(b))
            };
            let bits = |a, b| match named(a, b) {
                (0, 1) => 16.0,
                (1, 2) => 12.0,
                (1, 3) => 14.86 + nearer,
                (2, 3) => 14.86,
                (0, 2) => 5.0,
                _ => 2.0,
            };
            let says = |a, b| Said { bits: bits(a, b), barred: named(a, b) == (0, 2) };
            let rule = Rule::by_evidence((7.0, 8.0, 12), false, &says, &[]);
            let mut groups = Groups::new(4);
            groups.join(pairs(4, &|a, b| Some(bits(a, b))).into_iter(), rule);
            let group = |name| groups.find((0..4).find(|at| order[*at as usize] == name).expect("there"));
            [0, 1, 2, 3].map(group)
        };
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 3, 2, 0], [2, 1, 3, 0]] {
            let group = of(order, 0.0);
            assert_eq!(group[0], group[1], "{order:?}");
            assert!(
                group[3] != group[1] && group[3] != group[2] && group[2] != group[1],
                "{order:?}: {group:?}"
            );
            // a difference decides
            let group = of(order, 0.5);
            assert!(group[3] == group[1] && group[2] != group[1], "{order:?}: {group:?}");
        }
    }

    #[test]
    fn a_group_too_large_for_one_person_falls_into_what_stronger_evidence_holds() {
        // fifty whom nothing tells apart
        let alike = joined(50, false, &|_, _| Some(20.0));
        assert_eq!(alike.of, (0..50).collect::<Vec<_>>(), "none is joined");
        assert!(alike.are_crowded(0, 49));
        // among them ten pairs that are known better, and beside them an ordinary person
        let better = |a: u32, b: u32| match (a < 20, b < 20) {
            (true, true) if a / 2 == b / 2 => Some(30.0),
            _ if b >= 50 => (a >= 50).then_some(20.0),
            _ => Some(10.0),
        };
        let groups = joined(52, false, &better);
        assert_eq!((groups.find(1), groups.find(2), groups.find(3), groups.find(30)), (0, 2, 2, 30));
        assert_eq!((groups.find(51), groups.are_crowded(50, 51)), (50, false));
        assert_eq!(groups.into_groups().len(), 10 + 30 + 1);
        // twelve are a person
        assert_eq!(joined(12, false, &|_, _| Some(20.0)).into_groups().len(), 1);
    }
}
