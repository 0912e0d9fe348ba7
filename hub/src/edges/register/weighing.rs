//! Claims as the engine sees them: by the model in force and by what was counted for it. A packet costs what its
//! claims and their likes cost; only a merge reads the whole register, and counts anew.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind},
};

use super::{Register, RegisterError};
use crate::{
    database::{
        DatabaseError,
        linking::{ClaimName, Likeness},
        received::{ClaimId, Received, Standing},
    },
    decisions::merge::{
        self, Model, candidates::LARGEST, clusters::Edge, explain::Explanation, reading::Reading,
    },
    edges::cores::{on_all_cores, weighed},
};

/// A hub begins with few records and does not stay so: its registers are taken for ones of so many at least, or
/// hardly anything would be chance.
const FEWEST: u32 = 5000;
/// Claims that are read at a time.
const PAGE: u32 = 8192;

/// Claims in the engine, in the order of their names, so that nothing hangs on the order of their arrival.
pub struct Weighing {
    engine: merge::Register,
    ids: Vec<ClaimId>,
    numbers: BTreeMap<ClaimName, u32>,
    sources: BTreeMap<ParticipantCode, u32>,
}

impl Weighing {
    fn new(model: Model) -> Self {
        let mut engine = merge::Register::new(model);
        engine.fewest = FEWEST;
        Self { engine, ids: Vec::new(), numbers: BTreeMap::new(), sources: BTreeMap::new() }
    }

    fn add(&mut self, name: ClaimName, id: ClaimId, reading: &Reading) {
        let next = u32::try_from(self.sources.len()).expect("fewer than 2^32 centres");
        let source = *self.sources.entry(name.0).or_insert(next);
        let number = u32::try_from(self.ids.len()).expect("fewer than 2^32 claims");
        self.engine.add(source, reading);
        self.ids.push(id);
        self.numbers.insert(name, number);
    }

    /// How much speaks for two claims being of one person, in bits, if they may be linked without asking.
    pub fn bits(&self, one: ClaimName, other: ClaimName) -> Option<f64> {
        let (a, b) = self.numbers.get(&one).zip(self.numbers.get(&other))?;
        self.engine.unbarred(*a.min(b), *a.max(b))
    }

    /// The engine, for whoever needs more than pairs of known claims.
    pub fn engine(&mut self) -> &mut merge::Register {
        &mut self.engine
    }

    /// The names of all claims, in the order of their numbers.
    pub fn names(&self) -> Vec<ClaimName> {
        let mut names: Vec<(u32, ClaimName)> = self.numbers.iter().map(|(name, n)| (*n, *name)).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// The rows of all claims.
    pub fn ids(&self) -> impl Iterator<Item = ClaimId> {
        self.ids.iter().copied()
    }

    fn claims(&self) -> impl Iterator<Item = (u32, ClaimId)> {
        (0..).zip(self.ids.iter().copied())
    }

    /// What an edge says, from its first claim.
    fn likeness(&self, edge: &Edge) -> (ClaimId, Likeness) {
        let cut = self.engine.model.cut;
        let likeness = Likeness {
            other: self.ids[edge.b as usize],
            link: edge.links(cut),
            doubt: edge.doubt(cut),
            bits: edge.weight.bits,
        };
        (self.ids[edge.a as usize], likeness)
    }
}

impl Register<'_> {
    /// The model in force: before the first merge the one that comes with the program.
    pub fn model(&self) -> Result<Model, RegisterError> {
        let Some(text) = self.tx.model()? else { return Ok(Model::recipients()) };
        let damaged = DatabaseError::Damaged { table: "model", column: "text" };
        Ok(Model::parse(&text).map_err(|_| damaged)?)
    }

    /// A claim that the hub goes by.
    pub(super) fn standing_claim(&self, id: ClaimId) -> Result<Option<Received>, RegisterError> {
        let found = self.tx.received(id)?;
        Ok(found.filter(|found| !matches!(found.standing, Standing::Gone | Standing::Refused)))
    }

    /// The claims `ids` for the engine, weighed as the register was when it was last weighed as a whole.
    pub(super) fn weighing(&self, ids: &BTreeSet<ClaimId>) -> Result<Weighing, RegisterError> {
        let mut weighing = Weighing::new(self.model()?);
        let mut readings = BTreeMap::new();
        for id in ids {
            if let Some(claim) = self.standing_claim(*id)?.map(|found| found.claim) {
                let reading = Reading::of_claim(&weighing.engine.model, &claim.body);
                readings.insert((claim.origin, claim.key), (*id, reading));
            }
        }
        for (name, (id, reading)) in readings {
            weighing.add(name, id, &reading);
        }
        weighing.engine.close_by(|key| self.tx.counted(key))?;
        Ok(weighing)
    }

    /// Puts the recipient claims `ids` into the index as they now read, and compares them with their likes. Gives back
    /// them and whomever they were like before.
    pub fn index(&self, ids: &[ClaimId]) -> Result<BTreeSet<ClaimId>, RegisterError> {
        let arrived: BTreeSet<ClaimId> = ids.iter().copied().collect();
        let mut touched = arrived.clone();
        for id in &arrived {
            touched.extend(self.tx.clear_pairs(*id)?);
        }
        let weighing = self.weighing(&arrived)?;
        let mut keys: BTreeMap<ClaimId, BTreeSet<i64>> =
            arrived.iter().map(|id| (*id, BTreeSet::new())).collect();
        for (number, id) in weighing.claims() {
            let parted = &mut |key: u64| self.tx.counted(key.cast_signed()).map(|n| n > 0);
            let of_claim = weighing.engine.keys(number, parted)?;
            keys.insert(id, of_claim.into_iter().map(u64::cast_signed).collect());
        }
        for (id, keys) in &keys {
            self.tx.set_link_keys(*id, keys)?;
        }
        let mut pairs = BTreeSet::new();
        for (id, keys) in &keys {
            let others = self.tx.candidates(*id, keys, LARGEST)?;
            pairs.extend(others.into_iter().map(|other| (*id.min(&other), *id.max(&other))));
        }
        self.compare(&pairs)?;
        Ok(touched)
    }

    fn compare(&self, pairs: &BTreeSet<(ClaimId, ClaimId)>) -> Result<(), RegisterError> {
        let weighing = self.weighing(&pairs.iter().flat_map(|(a, b)| [*a, *b]).collect())?;
        let numbers: BTreeMap<ClaimId, u32> = weighing.claims().map(|(number, id)| (id, number)).collect();
        let pair = |(a, b): &(ClaimId, ClaimId)| {
            let (a, b) = (*numbers.get(a)?, *numbers.get(b)?);
            Some((a.min(b), a.max(b)))
        };
        let pairs: Vec<_> = pairs.iter().filter_map(pair).collect();
        self.keep(&weighing, &weighed(&weighing.engine, &pairs))
    }

    fn keep(&self, weighing: &Weighing, edges: &[Edge]) -> Result<(), RegisterError> {
        for edge in edges {
            let (claim, likeness) = weighing.likeness(edge);
            self.tx.set_likeness(claim, &likeness)?;
        }
        Ok(())
    }

    /// Why two claims are taken for one person, or are not, and by which model; `None` if the hub does not go by both.
    pub fn explain(
        &self,
        one: ClaimId,
        other: ClaimId,
    ) -> Result<Option<(Model, Explanation)>, RegisterError> {
        let weighing = self.weighing(&BTreeSet::from([one, other]))?;
        if weighing.ids.len() < 2 {
            return Ok(None);
        }
        let explanation = weighing.engine.explain(0, 1);
        Ok(Some((weighing.engine.model, explanation)))
    }

    /// All claims in the engine by `model`, counted; with `waiting` those too that wait for their merge.
    pub fn weighing_all(&self, model: Model, waiting: bool) -> Result<Weighing, RegisterError> {
        let mut weighing = Weighing::new(model);
        let mut centres: Vec<ParticipantCode> =
            self.tx.centres()?.into_iter().map(|centre| centre.code).collect();
        centres.sort_unstable();
        for centre in centres {
            self.read_all(centre, waiting, &mut weighing)?;
        }
        weighing.engine.close();
        Ok(weighing)
    }

    /// Counts and compares all claims anew by the model in force: by this later ones are weighed too.
    pub fn index_all(&self, waiting: bool) -> Result<Weighing, RegisterError> {
        let weighing = self.weighing_all(self.model()?, waiting)?;
        let engine = &weighing.engine;
        let candidates = engine.candidates();
        let counts = engine.counts().into_iter();
        self.tx.set_counted(counts.chain(candidates.parted.iter().map(|key| (key.cast_signed(), 1))))?;
        self.tx.clear_links()?;
        let mut keys = Vec::new();
        for (number, id) in weighing.claims() {
            let parted = &mut |key: u64| Ok::<_, RegisterError>(candidates.parted.contains(&key));
            let of_claim = weighing.engine.keys(number, parted)?;
            keys.extend(of_claim.into_iter().map(|key| (key.cast_signed(), id)));
        }
        keys.sort_unstable();
        self.tx.add_link_keys(keys.into_iter())?;
        self.keep(&weighing, &weighed(&weighing.engine, &candidates.pairs))?;
        Ok(weighing)
    }

    /// All claims of `centre`, read on all cores.
    fn read_all(
        &self,
        centre: ParticipantCode,
        waiting: bool,
        weighing: &mut Weighing,
    ) -> Result<(), RegisterError> {
        let mut after = None;
        loop {
            let page = self.tx.claims_to_link(centre, after, PAGE, waiting)?;
            let Some((_, last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            let model = &weighing.engine.model;
            let readings = on_all_cores(&page, |page| {
                let read = |bytes| Body::from_xml(Kind::RecipientClaim, bytes).ok();
                let reading = |body| Reading::of_claim(model, &body);
                page.iter().map(|(_, _, bytes)| read(bytes).map(reading)).collect()
            });
            for ((id, key, _), reading) in page.iter().zip(readings) {
                if let Some(reading) = reading {
                    weighing.add((centre, *key), *id, &reading);
                }
            }
        }
    }
}
