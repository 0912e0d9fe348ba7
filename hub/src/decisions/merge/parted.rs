//! Whom staff have parted: nobody who may be either is given to one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    groups::{Groups, Rule},
    staff::Two,
};

/// Whom staff have parted, and who may be either.
#[derive(Clone, Copy)]
pub(super) struct Parted<'a> {
    /// Two records each.
    pub(super) pairs: &'a BTreeSet<Two>,
    /// All links, be they for staff.
    pub(super) ties: &'a [(u32, u32, f64)],
    /// Whether two are one person as of now of whom staff have parted nobody: whoever is of one of the parted already stays.
    pub(super) are_one: &'a dyn Fn(u32, u32) -> bool,
}

impl Groups {
    /// Whether staff keep the groups of the two apart.
    pub(super) fn are_kept_apart(&self, parted: &BTreeSet<Two>, a: u32, b: u32) -> bool {
        let two = [self.find(a), self.find(b)];
        let is_between = |(x, y): &Two| {
            let (x, y) = (self.find(*x), self.find(*y));
            [x, y] == two || [y, x] == two
        };
        parted.iter().any(is_between)
    }

    /// The ties of whoever came to one of two groups that staff have parted, though it may be the other: nobody is more certainly
    /// somebody else. Two links are two possible people however unlike they are; what is no link is one unless the other is likelier
    /// by as much as any link. `joined` is what has become of this.
    pub(super) fn between_parted(&self, joined: &Self, rule: Rule<'_>) -> BTreeSet<Two> {
        let mut between = BTreeSet::new();
        let Some(Parted { pairs, ties, are_one }) = rule.parted.filter(|parted| !parted.pairs.is_empty())
        else {
            return between;
        };
        let mut of: BTreeMap<u32, Vec<(u32, f64, bool)>> = BTreeMap::new();
        for (a, b, bits) in ties {
            of.entry(*a).or_default().push((*b, *bits, true));
            of.entry(*b).or_default().push((*a, *bits, true));
        }
        for (a, b, bits) in rule.near {
            of.entry(*a).or_default().push((*b, *bits, false));
            of.entry(*b).or_default().push((*a, *bits, false));
        }
        let is_open = |one: u32, other: u32| {
            let (own, group) = (self.find(one), self.find(other));
            own != group && !(rule.apart)(self, own, group)
        };
        let is_crowd = |one: u32| joined.members(joined.find(one)).len() > rule.largest;
        for (one, mut others) in of.into_iter().filter(|(one, _)| !is_crowd(*one)) {
            others.retain(|(other, ..)| is_open(one, *other));
            for (n, (a, bits, is_link)) in others.iter().enumerate() {
                for (b, other, is_other_link) in &others[n + 1..] {
                    let groups = [*a, *b].map(|other| joined.find(other));
                    let may_be = *is_link && *is_other_link
                        || (*is_link || *is_other_link) && (bits - other).abs() < rule.least;
                    if may_be
                        && groups[0] != groups[1]
                        && groups.contains(&joined.find(one))
                        && !are_one(one, *a)
                        && !are_one(one, *b)
                        && joined.are_kept_apart(pairs, *a, *b)
                    {
                        between.extend([a, b].map(|other| (one.min(*other), one.max(*other))));
                    }
                }
            }
        }
        between
    }
}
