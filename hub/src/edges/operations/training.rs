//! `model train`: a model is made of the data themselves and written. Nothing goes by it before it is put in force.

use std::path::{Path, PathBuf};

use exchange_endpoint::{config::Config, durable_file, output::Failure};
use jiff::Timestamp;
use serde::Serialize;

use super::{model_file, operator, question_table, trial};
use crate::{
    decisions::merge::Model,
    edges::{
        config::HubConfig,
        cores,
        failure::file,
        hub::{Hub, open},
    },
};

/// From what a model is made.
#[derive(Debug)]
pub struct Training<'a> {
    /// Tables of others; none: the hub's own register.
    pub files: &'a [PathBuf],
    /// Which of their headings mean what.
    pub map: Option<&'a Path>,
    /// The model to begin with; else the one that comes with the program.
    pub base: Option<&'a Path>,
    /// What the new one is called.
    pub name: &'a str,
    /// Where it is written.
    pub out: &'a Path,
}

/// What a training came to.
#[derive(Debug, Serialize)]
pub struct TrainingReport {
    /// The new model.
    pub model: String,
    /// Its file.
    pub file: PathBuf,
    /// Records.
    pub records: usize,
    /// Pairs that were compared.
    pub pairs: usize,
    /// Of them expected to be of one person.
    pub same: f64,
    /// Rounds.
    pub rounds: u32,
}

/// Makes a model of the data themselves and writes it; nothing goes by it before it is put in force.
pub fn train(
    training: &Training<'_>,
    config: Option<&Config<HubConfig>>,
    now: Timestamp,
) -> Result<TrainingReport, Failure> {
    question_table::refuse_existing(training.out)?;
    let base = model_file::model(training.base)?;
    model_file::fits(training.out, &Model { name: training.name.to_owned(), ..base.clone() })?;
    let (trained, records) = if let Some(config) = config {
        let Hub { mut store, context, .. } = open(config)?;
        let actor = operator();
        store.read(|tx| {
            let mut weighing = context.register(tx, &actor, now).weighing_all(base.clone(), true)?;
            let engine = weighing.engine();
            let pairs = cores::candidates(engine).pairs;
            Ok::<_, Failure>((engine.train(&pairs), engine.len()))
        })?
    } else {
        let (_, mut register) = trial::closed(training.files, training.map, base.clone(), now)?;
        let pairs = cores::candidates(&register).pairs;
        (register.train(&pairs), register.len())
    };
    let mut model = trained.model;
    training.name.clone_into(&mut model.name);
    model.source = format!(
        "EM: {records} records, {} pairs, {} rounds, from «{}»; nobody told who is who.",
        trained.pairs, trained.rounds, base.name
    );
    let text = model.to_text();
    Model::parse(&text).map_err(|error| Failure::bug(&error))?;
    durable_file::create_new(training.out, text.as_bytes(), 0o640).map_err(file(training.out))?;
    Ok(TrainingReport {
        model: model.name,
        file: training.out.to_owned(),
        records,
        pairs: trained.pairs,
        same: trained.same.round(),
        rounds: trained.rounds,
    })
}
