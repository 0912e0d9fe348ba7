//! Claims as the engine sees them: by the model in force and by what was counted for it. A packet costs what its
//! claims and their likes cost; only a merge reads the whole register, and counts anew.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind},
};

use super::{Register, RegisterError, asking::DEATH};
use crate::{
    database::{
        DatabaseError,
        linking::{ClaimName, ClaimToLink, Likeness},
        received::{ClaimId, Received, Standing},
    },
    decisions::merge::{
        self, Model,
        candidates::{LARGEST, Pair},
        clusters::{Doubtful, Edge, Said},
        explain::Explanation,
        reading::{self, Reading},
    },
    edges::cores::{self, on_all_cores, weighed},
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

/// A claim with what it says.
type Read = (ClaimName, ClaimId, Reading);

impl Weighing {
    fn new(model: Model) -> Self {
        let mut engine = merge::Register::new(model);
        engine.fewest = FEWEST;
        Self { engine, ids: Vec::new(), numbers: BTreeMap::new(), sources: BTreeMap::new() }
    }

    /// Reads `claims`, on all cores.
    fn read(&self, claims: &[ClaimToLink]) -> Vec<Read> {
        let model = &self.engine.model;
        let read = |claim: &ClaimToLink| {
            let body = Body::from_xml(Kind::RecipientClaim, &claim.bytes).ok()?;
            Some((claim.name, claim.id, Reading::of_claim(model, &body)))
        };
        on_all_cores(claims, |share| share.iter().filter_map(read).collect())
    }

    /// Takes claims in, in the order of their names.
    fn add_all(&mut self, claims: &[Read]) {
        for (name, id, reading) in claims {
            self.add(*name, *id, reading);
        }
    }

    fn add(&mut self, name: ClaimName, id: ClaimId, reading: &Reading) {
        let next = u32::try_from(self.sources.len()).expect("fewer than 2^32 centres");
        let source = *self.sources.entry(name.0).or_insert(next);
        let number = u32::try_from(self.ids.len()).expect("fewer than 2^32 claims");
        self.engine.add(source, reading);
        self.ids.push(id);
        self.numbers.insert(name, number);
    }

    /// What two claims say of being one person; nothing, and barred, if one of them is not here.
    pub fn says(&self, one: ClaimName, other: ClaimName) -> Said {
        match self.numbers.get(&one).zip(self.numbers.get(&other)) {
            Some((a, b)) => self.engine.says(*a.min(b), *a.max(b)),
            None => Said { bits: f64::NEG_INFINITY, barred: true },
        }
    }

    /// How much speaks for two claims being of one person, in bits, and the code of what bars a link without asking: a
    /// doubt, or that one had died before the other first applied.
    pub fn speaks(&self, one: ClaimName, other: ClaimName) -> Option<(f64, Option<&'static str>)> {
        let (a, b) = self.numbers.get(&one).zip(self.numbers.get(&other))?;
        let said = self.engine.explain(*a, *b);
        let barred = if said.dead_before { Some(DEATH) } else { said.barred.map(Doubtful::code) };
        Some((said.bits, barred))
    }

    /// Two claims each of which one tells a death before the other's first application.
    pub(super) fn contradicting(&self) -> Vec<(ClaimName, ClaimName)> {
        let numbered: Vec<(u32, ClaimName)> = (0..).zip(self.names()).collect();
        let two = |(at, (a, one)): (usize, &(u32, ClaimName))| {
            let others = numbered[at + 1..].iter().filter(|(b, _)| self.engine.is_dead_before(*a, *b));
            others.map(|(_, other)| (*one, *other)).collect::<Vec<_>>()
        };
        numbered.iter().enumerate().flat_map(two).collect()
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

    fn by_id(&self) -> BTreeMap<ClaimId, u32> {
        self.claims().map(|(number, id)| (id, number)).collect()
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

/// The records of `pairs` with somebody who has died.
fn beside_dead(engine: &merge::Register, pairs: &[Pair]) -> BTreeSet<u32> {
    let pairs = pairs.iter().filter(|(a, b)| engine.is_dead(*a) || engine.is_dead(*b));
    pairs.flat_map(|(a, b)| [*a, *b]).collect()
}

/// The records that links tie to somebody who has died, over others too.
fn chained_with_dead(engine: &merge::Register, edges: &[Edge]) -> BTreeSet<u32> {
    let links: Vec<Pair> =
        edges.iter().filter(|edge| edge.links(engine.model.cut)).map(|edge| (edge.a, edge.b)).collect();
    let mut chained = beside_dead(engine, &links);
    loop {
        let before = chained.len();
        for (a, b) in &links {
            if chained.contains(a) || chained.contains(b) {
                chained.extend([*a, *b]);
            }
        }
        if chained.len() == before {
            return chained;
        }
    }
}

/// When somebody had applied by, as a paper of theirs says, as `YYYYMMDD`: a programme, a supplement, a contract.
fn applied(document: &Body) -> Option<u32> {
    let fields: &[&str] = match document.kind() {
        Kind::ProgrammeClaim => &["application_date", "date"],
        Kind::SupplementClaim | Kind::Contract => &["date"],
        _ => return None,
    };
    let said = |field: &&str| document.text(field).map(reading::first_day).filter(|day| *day != 0);
    fields.iter().find_map(said)
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
        let mut standing = BTreeSet::new();
        for id in ids {
            standing.extend(self.tx.linkable(*id)?.map(|_| *id));
        }
        let mut weighing = self.opened(&standing)?;
        let all: Vec<u32> = weighing.claims().map(|(number, _)| number).collect();
        weighing.engine.count_by(&all, |key| self.tx.counted(key))?;
        Ok(weighing)
    }

    /// As [`Register::weighing`], to read keys, and to compare as far as that says what cannot come to anything.
    fn opened(&self, ids: &BTreeSet<ClaimId>) -> Result<Weighing, RegisterError> {
        let mut weighing = Weighing::new(self.model()?);
        let (mut known, mut claims) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            let read = self
                .tx
                .reading(*id)?
                .and_then(|(name, read)| Some((name, *id, weighing.engine.unpack(&read)?)));
            if read.is_none() {
                claims.extend(self.tx.claim_to_link(*id)?);
            }
            known.extend(read);
        }
        known.extend(weighing.read(&claims));
        known.sort_unstable_by_key(|(name, ..)| *name);
        weighing.add_all(&known);
        weighing.engine.open_by(|key| self.tx.counted(key))?;
        Ok(weighing)
    }

    /// As [`Register::weighing`], of groups that may be one person each: where somebody has died it is known when the
    /// others first applied.
    pub fn weighing_groups(&self, groups: &[BTreeSet<ClaimId>]) -> Result<Weighing, RegisterError> {
        let mut weighing = self.weighing(&groups.iter().flatten().copied().collect())?;
        let numbers = weighing.by_id();
        let mut beside_dead = BTreeSet::new();
        for group in groups {
            let group = group.iter().filter_map(|id| numbers.get(id).copied());
            if group.clone().any(|n| weighing.engine.is_dead(n)) {
                beside_dead.extend(group);
            }
        }
        self.note_applications(&mut weighing, &beside_dead)?;
        Ok(weighing)
    }

    /// Tells the engine when the people of `claims` first applied: who died before that is somebody else.
    fn note_applications(
        &self,
        weighing: &mut Weighing,
        claims: &BTreeSet<u32>,
    ) -> Result<(), RegisterError> {
        for n in claims {
            let id = weighing.ids[*n as usize];
            let Some(name) = self.tx.linkable(id)? else { continue };
            let mut first: Option<u32> = None;
            for document in self.tx.referring(name.0, name.1)? {
                let Some(found) = self.standing_claim(document)? else { continue };
                first = first.into_iter().chain(applied(&found.claim.body)).min();
            }
            weighing.engine.set_applied(*n, first.unwrap_or(0));
        }
        Ok(())
    }

    /// Puts the recipient claims `ids` into the index as they now read, and compares them with their likes. Gives back
    /// them and whomever they were like before.
    pub fn index(&self, ids: &[ClaimId]) -> Result<BTreeSet<ClaimId>, RegisterError> {
        let arrived: BTreeSet<ClaimId> = ids.iter().copied().collect();
        let mut touched = arrived.clone();
        for id in &arrived {
            touched.extend(self.tx.clear_pairs(*id)?);
            self.tx.forget_reading(*id)?;
        }
        let weighing = self.opened(&arrived)?;
        let mut keys: BTreeMap<ClaimId, BTreeSet<i64>> =
            arrived.iter().map(|id| (*id, BTreeSet::new())).collect();
        for (number, id) in weighing.claims() {
            let parted = &mut |key: u64| self.tx.counted(key.cast_signed()).map(|n| n > 0);
            let of_claim = weighing.engine.keys(number, parted)?;
            keys.insert(id, of_claim.into_iter().map(u64::cast_signed).collect());
        }
        self.tx.set_link_keys(&keys)?;
        self.keep_readings(&weighing)?;
        let pairs = self.tx.candidates(&keys, LARGEST)?;
        self.compare(&pairs)?;
        Ok(touched)
    }

    /// Keeps what the claims were read to say: of claims of which nothing but themselves has been told to the engine.
    fn keep_readings(&self, weighing: &Weighing) -> Result<(), RegisterError> {
        let names = weighing.names();
        for (id, number) in weighing.by_id() {
            if let Some(reading) = weighing.engine.packed(number) {
                self.tx.set_reading(id, names[number as usize], &reading)?;
            }
        }
        Ok(())
    }

    fn compare(&self, pairs: &BTreeSet<(ClaimId, ClaimId)>) -> Result<(), RegisterError> {
        let mut weighing = self.opened(&pairs.iter().flat_map(|(a, b)| [*a, *b]).collect())?;
        let numbers = weighing.by_id();
        let pair = |(a, b): &(ClaimId, ClaimId)| {
            let (a, b) = (*numbers.get(a)?, *numbers.get(b)?);
            Some((a.min(b), a.max(b)))
        };
        let pairs: Vec<_> = pairs.iter().filter_map(pair).collect();
        let known = beside_dead(&weighing.engine, &pairs);
        self.note_applications(&mut weighing, &known)?;
        // most pairs are of strangers: how frequent what they say is need not be looked up
        let mut near = cores::compared(&weighing.engine, &pairs);
        let mut records: BTreeSet<u32> = near.iter().flat_map(|((a, b), _)| [*a, *b]).collect();
        // what was read of a claim by which the hub goes no more says nothing
        for n in records.clone() {
            if self.tx.linkable(weighing.ids[n as usize])?.is_none() {
                records.remove(&n);
            }
        }
        near.retain(|((a, b), _)| records.contains(a) && records.contains(b));
        weighing.engine.count_by(&records.into_iter().collect::<Vec<_>>(), |key| self.tx.counted(key))?;
        let (engine, least) = (&weighing.engine, weighing.engine.model.cut.ask);
        let edges = near.iter().filter_map(|(pair, levels)| engine.edge_above(*pair, levels, least));
        self.keep(&weighing, &edges.collect::<Vec<_>>())
    }

    fn keep(&self, weighing: &Weighing, edges: &[Edge]) -> Result<(), RegisterError> {
        let mut likenesses: Vec<_> = edges.iter().map(|edge| weighing.likeness(edge)).collect();
        likenesses.sort_unstable_by_key(|(claim, likeness)| {
            (*claim.min(&likeness.other), *claim.max(&likeness.other))
        });
        likenesses.iter().try_for_each(|(claim, likeness)| Ok(self.tx.set_likeness(*claim, likeness)?))
    }

    /// Why two claims are taken for one person, or are not, and by which model; `None` if the hub does not go by both.
    pub fn explain(
        &self,
        one: ClaimId,
        other: ClaimId,
    ) -> Result<Option<(Model, Explanation)>, RegisterError> {
        let weighing = self.weighing_groups(&[BTreeSet::from([one, other])])?;
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
        let mut weighing = self.weighing_all(self.model()?, waiting)?;
        let candidates = cores::candidates(&weighing.engine);
        let engine = &weighing.engine;
        let counts = engine.counts().into_iter();
        self.tx.set_counted(counts.chain(candidates.parted.iter().map(|key| (key.cast_signed(), 1))))?;
        self.tx.set_all_link_keys(weighing.by_id().into_iter().map(|(id, number)| {
            let parted = &mut |key: u64| Ok::<_, RegisterError>(candidates.parted.contains(&key));
            let of_claim = engine.keys(number, parted)?;
            Ok::<_, RegisterError>((id, of_claim.into_iter().map(u64::cast_signed).collect()))
        }))?;
        self.keep_readings(&weighing)?;
        let known = beside_dead(&weighing.engine, &candidates.pairs);
        self.note_applications(&mut weighing, &known)?;
        let engine = &weighing.engine;
        let edges = weighed(engine, &candidates.pairs);
        self.keep(&weighing, &edges)?;
        let chained = chained_with_dead(&weighing.engine, &edges);
        self.note_applications(&mut weighing, &chained)?;
        Ok(weighing)
    }

    /// All claims of `centre`.
    fn read_all(
        &self,
        centre: ParticipantCode,
        waiting: bool,
        weighing: &mut Weighing,
    ) -> Result<(), RegisterError> {
        let mut after = None;
        loop {
            let page = self.tx.claims_to_link(centre, after, PAGE, waiting)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.name.1);
            let page = weighing.read(&page);
            weighing.add_all(&page);
        }
    }
}
