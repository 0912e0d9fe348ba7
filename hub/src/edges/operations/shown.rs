//! One question to staff in full: both records side by side, what differs, and what speaks for and against.

use std::collections::BTreeMap;

use exchange_endpoint::{
    config::Config,
    messages::{self, Lang},
    output::{Exit, Failure},
};
use exchange_format::record::Kind;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    others,
    questions::{Question, question},
    table_file::SHOWN,
};
use crate::{
    database::{
        linking::ClaimName,
        reviews::{LastAct, Review},
    },
    decisions::merge::{
        Model,
        clusters::Doubtful,
        explain::{self, Explanation},
        weigh::class_name,
    },
    edges::{
        config::HubConfig,
        hub::{Hub, open},
        register::Register,
    },
};

/// A question with all that helps to answer it. Personal data.
#[derive(Serialize)]
pub struct Shown {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// `open`, `decided` or `gone`.
    pub state: String,
    /// What was decided, by whom and why; or why it was put off.
    pub last: Option<LastAct>,
    /// Each field that either record states.
    pub fields: Vec<Compared>,
    /// Of two records of people: what speaks for and against their being one.
    pub evidence: Option<Evidence>,
}

/// A field of both records.
#[derive(Serialize)]
pub struct Compared {
    /// The field.
    pub field: &'static str,
    /// What the first record says.
    pub one: Option<String>,
    /// What the second says.
    pub other: Option<String>,
    /// Whether the two say something different.
    pub differs: bool,
}

/// The evidence, in bits: 1 is twice as likely, 10 a thousand times.
#[derive(Serialize)]
pub struct Evidence {
    /// log2 of the odds that it is one person.
    pub bits: f64,
    /// The same as a share of 1.
    pub chance: f64,
    /// The likeliest other explanation: `twin`, `relative` or `stranger`.
    pub against: &'static str,
    /// What is to be said before any field was looked at: how much more frequent one person is than the rival; negative: rarer.
    pub before: f64,
    /// Why they are never linked without asking.
    pub barred: Option<&'static str>,
    /// Why they are never one person, whatever the fields say: `DEATH`, of one before the other first applied.
    pub never: Option<&'static str>,
    /// Each field that both state, the weightiest first.
    pub said: Vec<Said>,
}

/// What one field says.
#[derive(Clone, Serialize)]
pub struct Said {
    /// The field of the model.
    pub field: String,
    /// Its kind, as the model names it.
    pub kind: &'static str,
    /// How the two values agree.
    pub level: &'static str,
    /// For one person; negative: against.
    pub bits: f64,
    /// What was compared: the value of the first record as it is read.
    pub one: String,
    /// That of the second.
    pub other: String,
}

/// The question `n`.
pub fn show(config: &Config<HubConfig>, n: i64, now: Timestamp) -> Result<Shown, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        let review = known(&register, n)?;
        let evidence = if review.kind == "pair" { evidence(&register, &review)? } else { None };
        let (state, last) = (review.state.clone(), review.last.clone());
        let besides = others::of(&register, &[&review], false)?.remove(&n).unwrap_or_default();
        let question = question(&register, review, besides)?;
        let fields = SHOWN.iter().filter_map(|field| compared(&question, field)).collect();
        Ok(Shown { question, state, last, fields, evidence })
    })
}

/// The review `n`, or the error for staff that there is none.
pub(super) fn known(register: &Register<'_>, n: i64) -> Result<Review, Failure> {
    let unknown = || Failure::new(Exit::Refused, "review-unknown").with("review", n.to_string());
    register.tx.review(n)?.ok_or_else(unknown)
}

fn compared(question: &Question, field: &'static str) -> Option<Compared> {
    let of = |values: &BTreeMap<&'static str, String>| values.get(field).cloned();
    let (one, other) = (of(&question.one.values), of(&question.other.values));
    (one.is_some() || other.is_some()).then(|| Compared { field, differs: one != other, one, other })
}

/// A weight as staff read it: to a tenth of a bit.
fn tenth(bits: f64) -> f64 {
    (bits * 10.0).round() / 10.0
}

fn evidence(register: &Register<'_>, review: &Review) -> Result<Option<Evidence>, Failure> {
    let id = |name: ClaimName| register.tx.known(name.0, Kind::RecipientClaim, name.1);
    let (Some(one), Some(other)) = (id(review.one)?, id(review.other)?) else { return Ok(None) };
    let found = register.explain(one.id, other.id)?;
    Ok(found.map(|(model, explanation)| Evidence::of(&model, explanation)))
}

impl Evidence {
    /// What `explanation` says, in the words of `model`.
    pub(super) fn of(model: &Model, explanation: Explanation) -> Self {
        let of_field = |said: explain::Said| {
            let field = &model.fields[said.field];
            let [one, other] = said.read;
            let (field, kind) = (field.name.clone(), field.kind.word());
            Said { field, kind, level: said.level, bits: tenth(said.bits), one, other }
        };
        let odds = explanation.bits.exp2();
        Self {
            bits: tenth(explanation.bits),
            chance: ((odds / (1.0 + odds)) * 1000.0).round() / 1000.0,
            against: class_name(explanation.rival),
            before: tenth(explanation.before),
            barred: explanation.barred.map(Doubtful::code),
            never: explanation.dead_before.then_some("DEATH"),
            said: explanation.said.into_iter().map(of_field).collect(),
        }
    }

    /// What is to be said before any field was looked at, for staff.
    pub fn before_words(&self, lang: Lang) -> String {
        let against = messages::word(lang, "rival", self.against);
        messages::text(lang, "hub-evidence-before", &[("against", against.into())])
    }
}

impl Said {
    /// The field, how the two agree, and what was compared, for staff. Personal data.
    pub fn words(&self, lang: Lang) -> String {
        let field = messages::find(lang, &format!("evidence-{}", self.kind), &[]);
        let field = field.unwrap_or_else(|| self.field.clone());
        let read = match (self.one.as_str(), self.other.as_str()) {
            ("", "") => String::new(),
            (one, other) if one == other => format!(" ({one})"),
            (one, other) => format!(" ({one} / {other})"),
        };
        format!("{field}: {}{read}", messages::word(lang, "level", self.level))
    }
}
