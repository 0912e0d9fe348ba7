//! `model`: by what claims are weighed; what another model would change; putting it in force.

use std::{collections::BTreeMap, path::Path};

use exchange_endpoint::{
    config::Config,
    durable_file,
    journal_table::Event,
    messages::{self, Told},
    output::{Exit, Failure},
};
use exchange_format::{position::Digest, record::Kind};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    decided::{Decided, Decision},
    model_file, question_table, trial,
};
use crate::{
    database::{
        Tx,
        linking::{ClaimName, ModelRow},
        noted::WEIGHED,
    },
    decisions::merge::{Model, clusters::Edge, compare},
    edges::{
        config::HubConfig,
        cores,
        failure::file,
        hub::{Context, Hub, open},
        register::{Register, Weighing},
    },
};

/// A model as staff read it.
#[derive(Debug, Serialize)]
pub struct ModelView {
    /// What it is called.
    pub name: String,
    /// Where its figures are from.
    pub source: String,
    /// SHA-256 of its text.
    pub sha256: String,
    /// Whether it is the one that comes with the program.
    pub shipped: bool,
    /// Pairs of one person, of twins and of other relatives, for each record.
    pub pairs: [f64; 3],
    /// Bits from which on: linked if nobody is asked; linked; asked.
    pub cut: [f64; 3],
    /// Given names that are one name here, beside those that the program knows.
    pub variants: Vec<Vec<String>>,
    /// Its fields.
    pub fields: Vec<FieldView>,
    /// The models that were in force, the last first; empty before the first merge, and of a file.
    pub history: Vec<ModelRow>,
    /// The whole text.
    #[serde(skip)]
    pub text: String,
}

/// A field of a model.
#[derive(Debug, Serialize)]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// The columns that say it.
    pub columns: Vec<String>,
    /// Its levels, the closest first.
    pub levels: Vec<LevelView>,
}

/// A level of agreement.
#[derive(Debug, Serialize)]
pub struct LevelView {
    /// Its name.
    pub level: &'static str,
    /// How often among pairs of one person, of twins, of relatives, of strangers.
    pub chances: [f64; 4],
    /// Bits for one person against strangers, where no frequency says better.
    pub bits: f64,
}

fn view(model: &Model, text: String, history: Vec<ModelRow>) -> ModelView {
    let tenth = |bits: f64| (bits * 10.0).round() / 10.0;
    let level = |field: &crate::decisions::merge::model::Field, level: &'static str| {
        let (chances, bits) = (field.level[level].of_classes(), tenth(Model::worth(field, level)));
        LevelView { level, chances, bits }
    };
    let fields = model.fields.iter().map(|field| FieldView {
        name: field.name.clone(),
        kind: field.kind.word(),
        columns: field.columns.clone(),
        levels: field.levels().map(|one| level(field, one)).collect(),
    });
    ModelView {
        name: model.name.clone(),
        source: model.source.clone(),
        variants: model.variants.clone(),
        sha256: Digest::of(text.as_bytes()).to_string(),
        shipped: text == Model::RECIPIENTS,
        pairs: [model.pairs.same, model.pairs.twin, model.pairs.relative],
        cut: [model.cut.one, model.cut.auto, model.cut.ask],
        fields: fields.collect(),
        history,
        text,
    }
}

/// The model in `path`.
pub fn of_file(path: &Path) -> Result<ModelView, Failure> {
    let (model, text) = read(path)?;
    Ok(view(&model, text, Vec::new()))
}

/// The model in force: before the first merge the one that comes with the program.
pub fn in_force(config: &Config<HubConfig>, now: Timestamp) -> Result<ModelView, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let history = tx.models()?;
        let model = context.register(tx, context.code.as_str(), now).model()?;
        let text = history.first().map_or_else(|| Model::RECIPIENTS.to_owned(), |row| row.text.clone());
        Ok(view(&model, text, history))
    })
}

/// Writes `text` into the new file `path`.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    question_table::refuse_existing(path)?;
    durable_file::create_new(path, text.as_bytes(), 0o640).map_err(file(path))
}

/// A model by which claims can be weighed: each of its fields is one of theirs.
fn read(path: &Path) -> Result<(Model, String), Failure> {
    let (model, text) = model_file::read(path)?;
    let is_stated =
        |column: &String| Kind::RecipientClaim.schema().fields.iter().any(|field| field.name == column);
    let strange = model
        .fields
        .iter()
        .find(|field| field.kind != compare::Kind::Source && !field.columns.iter().any(is_stated));
    if let Some(field) = strange {
        let problem = Told::at(&field.name, Told::of("model-unfit-column", &[]));
        return Err(Failure::new(Exit::Usage, "model")
            .told("file", path.display())
            .because("detail", problem));
    }
    Ok((model, text))
}

/// What another model would change.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// By the model in force.
    pub now: Weighed,
    /// By the other one.
    pub then: Weighed,
    /// Pairs of claims of which they say something different: before and after, how many.
    pub changes: Vec<Change>,
    /// Those pairs.
    pub pairs: Vec<ChangedPair>,
}

/// What a model says of all claims, if nothing had been decided before.
#[derive(Debug, Serialize)]
pub struct Weighed {
    /// The model.
    pub model: String,
    /// Pairs that are linked without asking.
    pub links: usize,
    /// Questions to staff.
    pub questions: usize,
    /// Persons, by what is beyond doubt.
    pub persons: usize,
}

/// What becomes of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// One person, without asking.
    Link,
    /// Staff are asked.
    Ask,
    /// Two people.
    Apart,
}

impl Verdict {
    /// Its word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ask => "ask",
            Self::Apart => "apart",
        }
    }
}

/// How many pairs change in one way.
#[derive(Debug, Serialize)]
pub struct Change {
    /// By the model in force.
    pub before: Verdict,
    /// By the other.
    pub after: Verdict,
    /// How many.
    pub pairs: usize,
    /// Of them decided by staff: that stands.
    pub decided: usize,
}

/// A pair of claims of which two models say something different. No personal data.
#[derive(Debug, Clone, Serialize)]
pub struct ChangedPair {
    /// One claim, `CENTRE:KEY`.
    pub one: String,
    /// The other.
    pub other: String,
    /// By the model in force.
    pub before: Verdict,
    /// By the other model.
    pub after: Verdict,
    /// log2 of the odds by the model in force.
    pub bits_before: f64,
    /// By the other model.
    pub bits_after: f64,
    /// What staff have decided: that stands whatever a model says.
    pub decided: Option<&'static str>,
    /// Whether the two are one person now: that stands until a merge or staff say otherwise.
    pub one_person: bool,
}

/// Told in JSON and text at most; all of them go into a file.
pub const LISTED: usize = 100;

/// What the model in `path` would change. Writes nothing into the database; all changed pairs into `out`.
pub fn compare(
    config: &Config<HubConfig>,
    path: &Path,
    out: Option<&Path>,
    now: Timestamp,
) -> Result<Comparison, Failure> {
    if let Some(out) = out {
        question_table::refuse_existing(out)?;
    }
    let (other, _) = read(path)?;
    let Hub { mut store, context, .. } = open(config)?;
    let mut comparison = store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        compared(&register, other)
    })?;
    if let Some(out) = out {
        trial::write(out, table(&comparison.pairs))?;
    }
    comparison.pairs.truncate(LISTED);
    Ok(comparison)
}

/// What one model says: of each pair that anybody could care about.
struct Said {
    weighing: Weighing,
    weighed: Weighed,
    verdicts: BTreeMap<(u32, u32), Verdict>,
}

impl Said {
    fn of(register: &Register<'_>, model: Model) -> Result<Self, Failure> {
        let mut weighing = register.weighing_all(model, true)?;
        let engine = weighing.engine();
        let edges = cores::weighed(engine, &cores::candidates(engine).pairs);
        let cut = engine.model.cut;
        let verdict = |edge: &Edge| if edge.links(cut) { Verdict::Link } else { Verdict::Ask };
        let verdicts: BTreeMap<_, _> = edges.iter().map(|edge| ((edge.a, edge.b), verdict(edge))).collect();
        let links = verdicts.values().filter(|verdict| **verdict == Verdict::Link).count();
        let outcome = engine.decide(edges);
        let persons = outcome.auto.iter().zip(0..).filter(|(person, n)| **person == *n).count();
        let (model, questions) = (engine.model.name.clone(), outcome.doubts.len());
        Ok(Self { weighing, weighed: Weighed { model, links, questions, persons }, verdicts })
    }

    fn verdict(&self, pair: (u32, u32)) -> Verdict {
        self.verdicts.get(&pair).copied().unwrap_or(Verdict::Apart)
    }

    fn bits(&mut self, (a, b): (u32, u32)) -> f64 {
        (self.weighing.engine().weigh(a, b).bits * 10.0).round() / 10.0
    }
}

fn compared(register: &Register<'_>, other: Model) -> Result<Comparison, Failure> {
    let mut now = Said::of(register, register.model()?)?;
    let mut then = Said::of(register, other)?;
    let names = now.weighing.names();
    let mut pairs: Vec<(u32, u32)> = now.verdicts.keys().chain(then.verdicts.keys()).copied().collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.retain(|pair| now.verdict(*pair) != then.verdict(*pair));
    let (mut listed, mut counts) = (Vec::new(), BTreeMap::new());
    for pair in pairs {
        let (one, other) = (names[pair.0 as usize], names[pair.1 as usize]);
        let (before, after) = (now.verdict(pair), then.verdict(pair));
        let decided = decided(register, one, other)?;
        let uid = |name: ClaimName| register.tx.uid_of_key(name.0, Kind::RecipientClaim, name.1);
        let whose = uid(one)?;
        let count: &mut (usize, usize) = counts.entry((before, after)).or_default();
        *count = (count.0 + 1, count.1 + usize::from(decided.is_some()));
        listed.push(ChangedPair {
            one: format!("{}:{}", one.0, one.1),
            other: format!("{}:{}", other.0, other.1),
            bits_before: now.bits(pair),
            bits_after: then.bits(pair),
            one_person: whose.is_some() && whose == uid(other)?,
            before,
            after,
            decided,
        });
    }
    let moved = |pair: &ChangedPair| (pair.bits_before - pair.bits_after).abs();
    listed.sort_by(|x, y| (x.before, x.after).cmp(&(y.before, y.after)).then(moved(y).total_cmp(&moved(x))));
    let change = |((before, after), (pairs, decided))| Change { before, after, pairs, decided };
    let changes: Vec<Change> = counts.into_iter().map(change).collect();
    Ok(Comparison { now: now.weighed, then: then.weighed, changes, pairs: listed })
}

/// Staff's last word about two claims.
fn decided(
    register: &Register<'_>,
    one: ClaimName,
    other: ClaimName,
) -> Result<Option<&'static str>, Failure> {
    let pair = (one.min(other), one.max(other));
    let mut said = register.tx.staff_decisions("pair", one)?.into_iter();
    let last = said.rfind(|(_, said)| (said.one, said.other) == pair);
    Ok(last.map(|(_, said)| said.decision.code()))
}

fn table(pairs: &[ChangedPair]) -> Vec<Vec<String>> {
    let heading =
        ["claim_1", "claim_2", "before", "after", "bits_before", "bits_after", "decided", "one_person"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(pairs.iter().map(|pair| {
        vec![
            pair.one.clone(),
            pair.other.clone(),
            pair.before.word().to_owned(),
            pair.after.word().to_owned(),
            pair.bits_before.to_string(),
            pair.bits_after.to_string(),
            pair.decided.unwrap_or_default().to_owned(),
            u8::from(pair.one_person).to_string(),
        ]
    }));
    rows
}

/// What putting a model in force has done.
#[derive(Debug, Clone, Serialize)]
pub struct Activated {
    /// The model in force.
    pub model: String,
    /// The one before.
    pub before: String,
    /// Whether it is another one.
    pub changed: bool,
    /// Open questions about two records, before and after.
    pub questions: [u64; 2],
    /// The number of the protocol, if anything is other than before.
    pub protocol: Option<u32>,
}

/// How often the work is begun anew beside packets that come meanwhile, before it keeps them waiting.
const ATTEMPTS: u32 = 3;

/// Puts the model in `path` in force. Who is one person stays as it is. All claims are weighed beside the others who use
/// the database, as a merge does it.
pub fn activate(
    config: &Config<HubConfig>,
    path: &Path,
    (actor, reason): (&str, &str),
    now: Timestamp,
) -> Result<Activated, Failure> {
    let (model, text) = read(path)?;
    let mut hub = open(config)?;
    let Hub { store, context, .. } = &mut hub;
    let (before, stands, questions) = store.read(|tx| {
        let before = context.register(tx, actor, now).model()?.name;
        let stood = tx.model()?.unwrap_or_else(|| Model::RECIPIENTS.to_owned());
        Ok::<_, Failure>((before, stood == text, asked(tx)?))
    })?;
    if stands {
        let questions = [questions; 2];
        return Ok(Activated { model: model.name, before, changed: false, questions, protocol: None });
    }
    let work = |tx: &Tx<'_>| -> Result<(), Failure> {
        Ok(context.register(tx, actor, now).activate(&model, &text, reason)?)
    };
    let conclude = |tx: &Tx<'_>| -> Result<Activated, Failure> {
        let register = context.register(tx, actor, now);
        tx.note_change(WEIGHED, &serde_json::Value::Null)?;
        let protocol = conclude(context, &register, (&model, &text, &before), reason)?;
        let (model, before, questions) = (model.name.clone(), before.clone(), [questions, asked(tx)?]);
        Ok(Activated { model, before, changed: true, questions, protocol })
    };
    let mut done = None;
    for _ in 0..ATTEMPTS {
        let ((), basis) = store.draft(work)?;
        done = store.adopt(&basis, conclude)?;
        if done.is_some() {
            break;
        }
    }
    let done = match done {
        Some(done) => done,
        None => store.write(|tx| work(tx).and_then(|()| conclude(tx)))?,
    };
    hub.keep_protocols();
    Ok(done)
}

/// Open questions about two records.
fn asked(tx: &Tx<'_>) -> Result<u64, Failure> {
    let counts = tx.review_counts()?.into_iter();
    Ok(counts.filter(|(kind, ..)| kind == "pair").map(|(.., n)| n).sum())
}

fn conclude(
    context: &Context,
    register: &Register<'_>,
    (model, text, before): (&Model, &str, &str),
    reason: &str,
) -> Result<Option<u32>, Failure> {
    let digest = Digest::of(text.as_bytes());
    register.tx.journal(&Event {
        at: register.now,
        actor: register.actor,
        event: "model.activated",
        subject: &model.word(),
        rule: "",
        digests: &[digest],
    })?;
    let mut decided = Decided::by(context, register);
    let args = [("model", model.name.clone().into()), ("before", before.to_owned().into())];
    decided.tell(Decision {
        kind: "model",
        key: digest.to_string(),
        outcome: "activated",
        rule: &model.word(),
        sentence: messages::text(decided.lang(), "decision-model", &args),
        reason,
    });
    decided.keep(register.tx)
}
