//! Groups of records that become one person.

use std::collections::BTreeMap;

/// Who is together. A group is called by the least of its members.
pub(super) struct Groups {
    /// The group of each.
    pub(super) of: Vec<u32>,
    /// Of each group of more than one where its members stand in `lists`, and 1; 0 of all others.
    places: Vec<u32>,
    /// The members of a group, in order.
    lists: Vec<Vec<u32>>,
}

impl Groups {
    /// Each by itself.
    pub(super) fn new(size: usize) -> Self {
        Self { of: (0..).take(size).collect(), places: vec![0; size], lists: Vec::new() }
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

    pub(super) fn union(&mut self, a: u32, b: u32) {
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
        let (place, left) = (self.places[group as usize], self.places[other as usize]);
        self.places[other as usize] = 0;
        if let Some(left) = left.checked_sub(1) {
            self.lists[left as usize] = Vec::new();
        }
        if let Some(place) = place.checked_sub(1) {
            self.lists[place as usize] = all;
        } else {
            self.lists.push(all);
            self.places[group as usize] = u32::try_from(self.lists.len()).expect("fewer lists than records");
        }
    }

    /// Joins the groups of `edges`, which come by falling weight, unless `apart` keeps them so, or all that is known of
    /// the two groups together speaks against it: one bad field does not split a person, one good link does not chain
    /// two. No pair counts for more than `most`; of a pair without `bits` staff are asked, whatever speaks for it.
    pub(super) fn join(
        &mut self,
        edges: impl Iterator<Item = (u32, u32)>,
        least: f64,
        most: f64,
        bits: &dyn Fn(u32, u32) -> Option<f64>,
        apart: &dyn Fn(&Self, u32, u32) -> bool,
    ) {
        for (a, b) in edges {
            let (a, b) = (self.find(a), self.find(b));
            if a == b || apart(self, a, b) {
                continue;
            }
            let (left, right) = (self.members(a.min(b)), self.members(a.max(b)));
            let pairs = left.iter().flat_map(|a| right.iter().map(|b| (*a.min(b), *a.max(b))));
            let said = pairs.map(|(a, b)| bits(a, b).map(|bits| bits.clamp(-most, most)));
            if left.len() + right.len() == 2 || said.sum::<Option<f64>>().is_some_and(|sum| sum >= least) {
                self.union(a, b);
            }
        }
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
