//! Claims become persons. Costs what the touched claims and their likes cost, not what the register is large.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::record::{Kind, RecordId};

use super::{Affected, Input, Register, RegisterError, new_id};
use crate::{
    database::{
        linking::ClaimName,
        received::{ClaimId, Received, Standing},
    },
    decisions::linking::{
        Features, Reason, Rule, Verdict,
        clusters::{Component, Decision, Persons, persons},
        identity::assign,
    },
};

/// A block of more claims than this shares no fact about a person. Its claims are compared by their other keys only,
/// and `status` tells of it.
pub const LARGEST_BLOCK: usize = 200;

/// What settling has done.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Persons whose publications may have changed.
    pub affected: Affected,
    /// Persons that were made.
    pub created: u64,
    /// Claims settled, by rule.
    pub by_rule: BTreeMap<&'static str, u64>,
}

/// A connected component with the rows it was made from.
struct Loaded {
    component: Component<ClaimName>,
    rows: BTreeMap<ClaimName, ClaimId>,
    /// Likenesses between claims of the component and any others.
    likenesses: Vec<(ClaimName, ClaimName, Reason)>,
}

impl Register<'_> {
    /// Puts the recipient claim `id` into the index as it now reads, and compares it with its likes.
    /// Gives back whom it was linked to, or was like, before. What staff were asked about it is asked again
    /// when it is settled, if it is still to be asked.
    pub fn index(&self, id: ClaimId) -> Result<Vec<ClaimId>, RegisterError> {
        let claim = self.standing_claim(id)?;
        let mut before = self.tx.clear_pairs(id)?;
        if let Some((origin, _, key)) = self.tx.name_of(id)? {
            for other in self.tx.end_reviews_of("pair", (origin, key), &self.at())? {
                before.extend(self.tx.known(other.0, Kind::RecipientClaim, other.1)?.map(|known| known.id));
            }
        }
        let Some(claim) = claim else {
            self.tx.set_link_keys(id, &[])?;
            return Ok(before);
        };
        let features = Features::of(&claim.claim.body);
        let keys = self.linker.keys(&features);
        self.tx.set_link_keys(id, &keys)?;
        for other in self.tx.candidates(id, &keys, LARGEST_BLOCK)? {
            if let Some(claim) = self.standing_claim(other)? {
                let verdict = self.linker.decide(&features, &Features::of(&claim.claim.body));
                self.tx.set_pair(id, other, verdict)?;
            }
        }
        Ok(before)
    }

    /// A claim that the hub goes by.
    fn standing_claim(&self, id: ClaimId) -> Result<Option<Received>, RegisterError> {
        let found = self.tx.received(id)?;
        Ok(found.filter(|found| !matches!(found.standing, Standing::Gone | Standing::Refused)))
    }

    /// Makes persons of all components that `ids` are in. `ids` must be indexed.
    pub fn settle(&self, ids: &[ClaimId]) -> Result<Settled, RegisterError> {
        let mut settled = Settled::default();
        let mut seen: BTreeSet<ClaimId> = BTreeSet::new();
        for id in ids {
            if seen.contains(id) {
                continue;
            }
            if self.standing_claim(*id)?.is_none() {
                settled.affected.extend(self.tx.uid_of(*id)?);
                self.tx.remove_person_record(*id)?;
                continue;
            }
            let loaded = self.load(*id)?;
            seen.extend(loaded.rows.values());
            self.settle_component(&loaded, &mut settled)?;
        }
        Ok(settled)
    }

    /// The component of `start`: links, «один», and claims that are one person as of now.
    fn load(&self, start: ClaimId) -> Result<Loaded, RegisterError> {
        let mut loaded = Loaded {
            component: Component { claims: BTreeMap::new(), links: BTreeMap::new(), decisions: Vec::new() },
            rows: BTreeMap::new(),
            likenesses: Vec::new(),
        };
        let mut decisions = BTreeMap::new();
        let (mut open, mut seen) = (vec![start], BTreeSet::from([start]));
        while let Some(id) = open.pop() {
            let Some(claim) = self.standing_claim(id)?.map(|found| found.claim) else { continue };
            let name = (claim.origin, claim.key);
            loaded.component.claims.insert(name, Features::of(&claim.body).snils);
            loaded.rows.insert(name, id);
            let mut next: Vec<ClaimId> = Vec::new();
            for (other, verdict) in self.tx.pairs(id)? {
                let Some(other_claim) = self.standing_claim(other)?.map(|found| found.claim) else {
                    continue;
                };
                let other_name = (other_claim.origin, other_claim.key);
                let pair = (name.min(other_name), name.max(other_name));
                match verdict {
                    Verdict::Link(rule) => {
                        loaded.component.links.insert(pair, rule);
                        next.push(other);
                    }
                    Verdict::Review(reason) => loaded.likenesses.push((pair.0, pair.1, reason)),
                    Verdict::Apart => {}
                }
            }
            for (n, decision) in self.tx.staff_decisions("pair", name)? {
                let other = if decision.one == name { decision.other } else { decision.one };
                if decision.decision == Decision::Same
                    && let Some(found) = self.tx.received_by_key(other.0, Kind::RecipientClaim, other.1)?
                {
                    next.push(found.id);
                }
                decisions.insert(n, ((decision.one, decision.other), decision.decision));
            }
            if let Some(uid) = self.tx.uid_of(id)? {
                next.extend(self.tx.claims_of(uid)?);
            }
            open.extend(next.into_iter().filter(|id| seen.insert(*id)));
        }
        let both = |pair: &(ClaimName, ClaimName)| {
            loaded.rows.contains_key(&pair.0) && loaded.rows.contains_key(&pair.1)
        };
        loaded.component.decisions = decisions.into_values().filter(|(pair, _)| both(pair)).collect();
        Ok(loaded)
    }

    fn settle_component(&self, loaded: &Loaded, settled: &mut Settled) -> Result<(), RegisterError> {
        let Persons { clusters, contested } = persons(&loaded.component);
        let (mut known, mut age) = (BTreeMap::new(), BTreeMap::new());
        for (name, id) in &loaded.rows {
            if let Some(uid) = self.tx.uid_of(*id)? {
                known.insert(*name, uid);
                if let Some(person) = self.tx.person(uid)? {
                    age.insert(uid, person.serial);
                }
            }
        }
        settled.affected.extend(known.values());
        let mut person_of: BTreeMap<ClaimName, RecordId> = BTreeMap::new();
        for (cluster, assigned) in clusters.iter().zip(assign(&clusters, &known, &age)) {
            let uid = match assigned.uid {
                Some(uid) => uid,
                None => self.new_person(settled)?,
            };
            for absorbed in assigned.absorbed {
                self.tx.set_merged_into(absorbed, Some(uid))?;
                self.note(&Input {
                    action: "person.merge",
                    subject: Some(("person", absorbed)),
                    other: Some(uid),
                    engine: Some(self.linker.engine()),
                    ..Input::default()
                })?;
            }
            settled.affected.insert(uid);
            for name in cluster {
                person_of.insert(*name, uid);
                let rule = rule_of(*name, cluster, &loaded.component);
                *settled.by_rule.entry(rule.code()).or_default() += 1;
                if known.get(name) != Some(&uid) {
                    self.link(*name, loaded.rows[name], uid, rule)?;
                }
            }
        }
        self.review_pairs(loaded, &person_of, &contested)
    }

    fn new_person(&self, settled: &mut Settled) -> Result<RecordId, RegisterError> {
        let (uid, serial) = (new_id()?, self.tx.last_serial()? + 1);
        let case_number = self.numbering.number(serial)?;
        self.tx.add_person(uid, &case_number, serial)?;
        self.note(&Input {
            action: "person.new",
            subject: Some(("person", uid)),
            value: Some(&case_number),
            ..Input::default()
        })?;
        settled.created += 1;
        Ok(uid)
    }

    fn link(&self, name: ClaimName, id: ClaimId, uid: RecordId, rule: Rule) -> Result<(), RegisterError> {
        self.tx.set_person_record(name.0, Kind::RecipientClaim, name.1, id, uid, rule.code())?;
        self.note(&Input {
            action: "link",
            subject: Some((Kind::RecipientClaim.name(), name.1)),
            other: Some(uid),
            centre: Some(name.0),
            value: Some(rule.code()),
            engine: Some(self.linker.engine()),
            ..Input::default()
        })
    }

    /// Asks staff about likenesses between different persons, and takes back what has answered itself.
    fn review_pairs(
        &self,
        loaded: &Loaded,
        person_of: &BTreeMap<ClaimName, RecordId>,
        contested: &[(ClaimName, ClaimName)],
    ) -> Result<(), RegisterError> {
        let at = self.at();
        let contested = contested.iter().map(|(one, other)| (*one, *other, Reason::Contested));
        for (one, other, reason) in loaded.likenesses.iter().copied().chain(contested) {
            let same = person_of.get(&one).is_some() && person_of.get(&one) == person_of.get(&other);
            if same {
                self.tx.close_review("pair", one, other, &at)?;
            } else {
                self.tx.open_review("pair", reason.code(), one, other, &at)?;
            }
        }
        Ok(())
    }
}

/// The strongest rule that ties a claim to others of its person.
fn rule_of(name: ClaimName, cluster: &BTreeSet<ClaimName>, component: &Component<ClaimName>) -> Rule {
    let links = component
        .links
        .iter()
        .filter(|((a, b), _)| (*a == name && cluster.contains(b)) || (*b == name && cluster.contains(a)));
    let by_staff = component.decisions.iter().any(|((a, b), decision)| {
        *decision == Decision::Same
            && ((*a == name && cluster.contains(b)) || (*b == name && cluster.contains(a)))
    });
    match links.map(|(_, rule)| *rule).min() {
        _ if by_staff => Rule::Staff,
        Some(rule) => rule,
        None => Rule::Single,
    }
}
