//! Claims become persons. Costs what the touched claims and their likes cost, not what the register is large.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::record::{Kind, RecordId};

use super::{Affected, Input, Register, RegisterError, new_id, weighing::Weighing};
use crate::{
    database::{
        DatabaseError,
        linking::{ClaimName, Likeness},
        received::ClaimId,
    },
    decisions::merge::{
        clusters::Doubtful,
        identity::assign,
        model::Cut,
        staff::{Component, Decision, persons},
    },
};

/// Components that are weighed together.
const TOGETHER: usize = 1000;

/// By what a claim is of its person.
mod rule {
    /// Staff said so.
    pub const STAFF: &str = "STAFF";
    /// The weight of evidence.
    pub const EVIDENCE: &str = "EVIDENCE";
    /// It is the only claim of its person.
    pub const SINGLE: &str = "SINGLE";
}

/// What settling has done.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// Persons whose publications may have changed.
    pub affected: Affected,
    /// Persons that were made.
    pub created: u64,
}

/// Persons with their claims.
type People = BTreeMap<RecordId, BTreeSet<ClaimName>>;

/// Claims that links, «один», or being one person as of now tie to each other.
#[derive(Clone, Default)]
struct Loaded {
    claims: BTreeMap<ClaimName, ClaimId>,
    links: BTreeMap<(ClaimName, ClaimName), Likeness>,
    /// The bits of pairs that may be one and are no link.
    near: BTreeMap<(ClaimName, ClaimName), f64>,
    /// Staff's decisions by their numbers.
    decisions: BTreeMap<i64, ((ClaimName, ClaimName), Decision)>,
    /// The claims of persons whom nothing but staff joins or parts.
    standing: People,
    /// The claims of persons that staff have made of several, if all is weighed anew.
    held: People,
    /// All claims by the persons that they are as of now.
    now: People,
    /// The claims of those who stand or are held by the persons that they were before these turned out to be one.
    came: People,
    /// Those of them whose person nobody was ever told of.
    new: BTreeSet<ClaimName>,
}

impl Loaded {
    /// For the engine, with each claim's number in the order of the names.
    fn component(&self) -> (Vec<ClaimName>, Component) {
        let names: Vec<ClaimName> = self.claims.keys().copied().collect();
        let numbers: BTreeMap<ClaimName, u32> = names.iter().copied().zip(0..).collect();
        let numbered = |pair: &(ClaimName, ClaimName)| Some((*numbers.get(&pair.0)?, *numbers.get(&pair.1)?));
        let links = self.links.iter().filter_map(|(pair, link)| Some((numbered(pair)?, link.bits)));
        let near = self.near.iter().filter_map(|(pair, bits)| Some((numbered(pair)?, *bits)));
        let decisions = self.decisions.values().filter_map(|(pair, word)| Some((numbered(pair)?, *word)));
        let in_numbers = |people: &People| {
            people.values().map(|of| of.iter().map(|name| numbers[name]).collect()).collect()
        };
        let component = Component {
            size: names.len(),
            links: links.collect(),
            near: near.collect(),
            decisions: decisions.collect(),
            standing: in_numbers(&self.standing),
            held: in_numbers(&self.held),
            now: in_numbers(&self.now),
            came: in_numbers(&self.came),
            new: self.new.iter().map(|name| numbers[name]).collect(),
        };
        (names, component)
    }

    /// Whether staff have said «один» of any two.
    fn is_held(&self) -> bool {
        self.decisions.values().any(|(_, decision)| *decision == Decision::Same)
    }

    fn rule_of(&self, name: ClaimName, cluster: &BTreeSet<ClaimName>) -> &'static str {
        let ties = |(a, b): &(ClaimName, ClaimName)| {
            (*a == name && cluster.contains(b)) || (*b == name && cluster.contains(a))
        };
        if self.decisions.values().any(|(pair, decision)| *decision == Decision::Same && ties(pair)) {
            rule::STAFF
        } else if cluster.len() > 1 {
            rule::EVIDENCE
        } else {
            rule::SINGLE
        }
    }
}

/// By what claims are settled.
struct Engine<'a> {
    name: String,
    cut: Cut,
    all: Option<&'a Weighing>,
}

impl Register<'_> {
    /// Makes persons of all components that `ids` are in, and asks staff about the doubtful. `ids` must be indexed.
    /// What is published stays together and apart as it is, unless a person's command has weighed `all` anew.
    pub fn settle(
        &self,
        ids: impl IntoIterator<Item = ClaimId>,
        all: Option<&Weighing>,
    ) -> Result<Settled, RegisterError> {
        let model = self.model()?;
        let engine = Engine { name: model.word(), cut: model.cut, all };
        let (mut settled, mut seen, mut loaded) =
            (Settled::default(), BTreeSet::<ClaimId>::new(), Vec::new());
        for id in self.without_withdrawn(ids, &mut settled.affected)? {
            if seen.contains(&id) {
                continue;
            }
            let mut component = self.load(id)?;
            if all.is_none() {
                component.standing = self.standing(&component)?;
            } else {
                component.held = self.held(&component)?;
            }
            if !component.decisions.is_empty() {
                component.now = self.people_of(&component, |_| Ok(true))?;
            }
            self.note_homes(&mut component)?;
            seen.extend(component.claims.values());
            loaded.push(component);
            if loaded.len() == TOGETHER {
                self.settle_components(&std::mem::take(&mut loaded), &engine, &mut settled)?;
            }
        }
        self.settle_components(&loaded, &engine, &mut settled)?;
        let asked = self.ask(&settled.affected)?;
        settled.affected.extend(asked);
        if all.is_none() {
            self.end_signatures()?; // a merge does so when its work is taken over
        }
        Ok(settled)
    }

    /// Those of `ids` by which the hub goes. The others leave their persons, who are noted in `affected`.
    fn without_withdrawn(
        &self,
        ids: impl IntoIterator<Item = ClaimId>,
        affected: &mut Affected,
    ) -> Result<Vec<ClaimId>, RegisterError> {
        let (mut left, mut gone) = (Vec::new(), Vec::new());
        for id in ids {
            if self.tx.linkable(id)?.is_some() { left.push(id) } else { gone.push(id) }
        }
        gone.iter().try_for_each(|id| self.carry_words(*id))?;
        for id in gone {
            affected.extend(self.tx.uid_of(id)?);
            self.tx.remove_person_record(id)?;
        }
        Ok(left)
    }

    /// The component of `start`.
    fn load(&self, start: ClaimId) -> Result<Loaded, RegisterError> {
        let mut loaded = Loaded::default();
        let (mut open, mut seen) = (vec![start], BTreeSet::from([start]));
        while let Some(id) = open.pop() {
            let Some(name) = self.tx.linkable(id)? else { continue };
            loaded.claims.insert(name, id);
            let mut next: Vec<ClaimId> = Vec::new();
            for likeness in self.tx.likenesses(id)? {
                let Some(other) = self.tx.linkable(likeness.other)? else { continue };
                let pair = (name.min(other), name.max(other));
                if likeness.link {
                    loaded.links.insert(pair, likeness);
                } else {
                    loaded.near.insert(pair, likeness.bits);
                }
                next.push(likeness.other);
            }
            for (n, decision) in self.tx.staff_decisions("pair", name)? {
                let other = if decision.one == name { decision.other } else { decision.one };
                if decision.decision == Decision::Same {
                    let known = self.tx.known(other.0, Kind::RecipientClaim, other.1)?;
                    next.extend(known.map(|known| known.id));
                }
                loaded.decisions.insert(n, ((decision.one, decision.other), decision.decision));
            }
            if let Some(uid) = self.tx.uid_of(id)? {
                next.extend(self.tx.claims_of(uid)?);
            }
            open.extend(next.into_iter().filter(|id| seen.insert(*id)));
        }
        Ok(loaded)
    }

    fn standing(&self, component: &Loaded) -> Result<People, RegisterError> {
        self.people_of(component, |uid| self.tx.stands(uid))
    }

    /// The persons that staff's «один» has made of several who stood.
    fn held(&self, component: &Loaded) -> Result<People, RegisterError> {
        if !component.is_held() {
            return Ok(People::new());
        }
        let mut held = self.standing(component)?;
        held.retain(|_, names| {
            let is_within = |(a, b): &(ClaimName, ClaimName)| names.contains(a) && names.contains(b);
            component.decisions.values().any(|(pair, word)| *word == Decision::Same && is_within(pair))
        });
        Ok(held)
    }

    /// Notes of those who stand or are held who they came as.
    fn note_homes(&self, component: &mut Loaded) -> Result<(), RegisterError> {
        let (mut came, mut new) = (People::new(), BTreeSet::new());
        for name in component.standing.values().chain(component.held.values()).flatten() {
            if let Some(home) = self.tx.home_of(component.claims[name])? {
                came.entry(home).or_default().insert(*name);
            }
        }
        for (home, names) in &came {
            if component.is_held() && !self.tx.stands(*home)? {
                new.extend(names);
            }
        }
        (component.came, component.new) = (came, new);
        Ok(())
    }

    fn published(&self, component: &Loaded) -> Result<People, RegisterError> {
        self.people_of(component, |uid| self.tx.was_published(uid))
    }

    /// The persons that claims of `component` are as of now, of those that are `wanted`.
    fn people_of(
        &self,
        component: &Loaded,
        wanted: impl Fn(RecordId) -> Result<bool, DatabaseError>,
    ) -> Result<People, RegisterError> {
        let mut people = People::new();
        for (name, id) in &component.claims {
            if let Some(uid) = self.tx.uid_of(*id)? {
                people.entry(uid).or_default().insert(*name);
            }
        }
        let mut found = People::new();
        for (uid, names) in people {
            if wanted(uid)? {
                found.insert(uid, names);
            }
        }
        Ok(found)
    }

    fn settle_components(
        &self,
        loaded: &[Loaded],
        engine: &Engine<'_>,
        settled: &mut Settled,
    ) -> Result<(), RegisterError> {
        let own;
        let weighing = if let Some(all) = engine.all {
            all
        } else {
            // of two claims nothing but their link has a say
            let many = loaded.iter().filter(|component| component.claims.len() > 2);
            let groups: Vec<BTreeSet<ClaimId>> =
                many.map(|component| component.claims.values().copied().collect()).collect();
            own = self.weighing_groups(&groups)?;
            &own
        };
        for component in loaded {
            self.settle_component(component, weighing, engine, settled)?;
        }
        Ok(())
    }

    fn settle_component(
        &self,
        loaded: &Loaded,
        weighing: &Weighing,
        engine: &Engine<'_>,
        settled: &mut Settled,
    ) -> Result<(), RegisterError> {
        let (names, component) = loaded.component();
        let says = |a: u32, b: u32| weighing.says(names[a as usize], names[b as usize]);
        let in_names = |clusters: Vec<Vec<u32>>| -> Vec<BTreeSet<ClaimName>> {
            let of = |cluster: Vec<u32>| cluster.into_iter().map(|n| names[n as usize]).collect();
            clusters.into_iter().map(of).collect()
        };
        let mut made = persons(&component, engine.cut, &says);
        let mut clusters = in_names(made.records);
        if engine.all.is_some() && self.second_signature {
            // what two have to sign no merge does by itself: staff are asked
            let published = self.published(loaded)?;
            let of = |cluster: &BTreeSet<ClaimName>| {
                published.values().filter(|of| !of.is_disjoint(cluster)).count()
            };
            if clusters.iter().any(|cluster| of(cluster) > 1) {
                let mut stands = Loaded { standing: published, held: People::new(), ..loaded.clone() };
                self.note_homes(&mut stands)?;
                made = persons(&stands.component().1, engine.cut, &says);
                clusters = in_names(made.records);
            }
        }
        self.note_crowd(loaded, &names, &made.crowded)?;
        // the ids that the claims had before any of these persons turned out to be another: what is parted gets them back
        let (mut homes, mut current, mut age) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, id) in &loaded.claims {
            if let (Some(uid), Some(home)) = (self.tx.uid_of(*id)?, self.tx.home_of(*id)?) {
                current.insert(*name, uid);
                homes.insert(*name, home);
                age.extend(self.tx.person(home)?.map(|person| (home, person.serial)));
            }
        }
        settled.affected.extend(current.values().chain(homes.values()));
        let alone: BTreeMap<ClaimName, u32> = names.iter().copied().zip(made.alone).collect();
        for (cluster, assigned) in clusters.iter().zip(assign(&clusters, &homes, &age)) {
            let uid = if let Some(uid) = assigned.uid {
                uid
            } else {
                settled.created += 1;
                self.new_person()?
            };
            self.becomes(uid, None, engine)?;
            for absorbed in &assigned.absorbed {
                self.becomes(*absorbed, Some(uid), engine)?;
            }
            settled.affected.insert(uid);
            let is_home = |home: &RecordId| *home == uid || assigned.absorbed.contains(home);
            let came: BTreeMap<ClaimName, RecordId> = cluster
                .iter()
                .filter_map(|name| Some((*name, *homes.get(name).filter(|home| is_home(home))?)))
                .collect();
            // who came goes back to whom it would have come to without staff's word, or is somebody by itself
            let mut goes_to: BTreeMap<u32, RecordId> = BTreeMap::new();
            for (name, home) in &came {
                let to = goes_to.entry(alone[name]).or_insert(*home);
                if age.get(home) < age.get(to) {
                    *to = *home;
                }
            }
            for name in cluster {
                let id = loaded.claims[name];
                if current.get(name) != Some(&uid) {
                    let rule = loaded.rule_of(*name, cluster);
                    self.link(*name, id, uid, (rule, &engine.name))?;
                }
                if came.contains_key(name) {
                    continue;
                }
                let home = match goes_to.get(&alone[name]) {
                    Some(home) => *home,
                    None if goes_to.is_empty() => uid,
                    None => {
                        let own = self.new_person()?;
                        self.becomes(own, Some(uid), engine)?;
                        own
                    }
                };
                goes_to.insert(alone[name], home);
                self.tx.set_home(id, home)?;
            }
        }
        Ok(())
    }

    /// Says of the links of a component which staff are asked about because too many records would be one person.
    fn note_crowd(
        &self,
        loaded: &Loaded,
        names: &[ClaimName],
        crowded: &BTreeSet<(u32, u32)>,
    ) -> Result<(), RegisterError> {
        let crowded: BTreeSet<(ClaimName, ClaimName)> =
            crowded.iter().map(|(a, b)| (names[*a as usize], names[*b as usize])).collect();
        for (pair, link) in &loaded.links {
            let doubt = match link.doubt {
                Doubtful::Others | Doubtful::Oversize if crowded.contains(pair) => Doubtful::Oversize,
                Doubtful::Oversize => Doubtful::Others,
                other => other,
            };
            if doubt != link.doubt {
                let one = if loaded.claims.get(&pair.0) == Some(&link.other) { pair.1 } else { pair.0 };
                let Some(claim) = loaded.claims.get(&one) else { continue };
                self.tx.set_likeness(*claim, &Likeness { doubt, ..*link })?;
            }
        }
        Ok(())
    }

    /// Notes that a person turned out to be another, or stands for itself again.
    fn becomes(
        &self,
        uid: RecordId,
        into: Option<RecordId>,
        engine: &Engine<'_>,
    ) -> Result<(), RegisterError> {
        if self.tx.person(uid)?.is_none_or(|person| person.merged_into == into) {
            return Ok(());
        }
        self.tx.set_merged_into(uid, into)?;
        self.note(&Input {
            action: if into.is_some() { "person.merge" } else { "person.part" },
            subject: Some(("person", uid)),
            other: into,
            engine: Some(&engine.name),
            ..Input::default()
        })
    }

    pub(super) fn new_person(&self) -> Result<RecordId, RegisterError> {
        let (uid, (case_number, serial)) = (new_id()?, self.next_number()?);
        self.tx.add_person(uid, &case_number, serial)?;
        self.note(&Input {
            action: "person.new",
            subject: Some(("person", uid)),
            value: Some(&case_number),
            ..Input::default()
        })?;
        Ok(uid)
    }

    pub(super) fn link(
        &self,
        name: ClaimName,
        id: ClaimId,
        uid: RecordId,
        (rule, engine): (&str, &str),
    ) -> Result<(), RegisterError> {
        self.tx.set_person_record(name.0, Kind::RecipientClaim, name.1, id, uid, rule)?;
        self.note(&Input {
            action: "link",
            subject: Some((Kind::RecipientClaim.name(), name.1)),
            other: Some(uid),
            centre: Some(name.0),
            value: Some(rule),
            engine: Some(engine),
            ..Input::default()
        })
    }
}
