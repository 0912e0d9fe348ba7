//! `merge evaluate`: how right a trial merge is, where the truth is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    output::{Exit, Failure},
    tables::{Column, Form, Item, Layout, Map, Sheet, TableError},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{model_file, trial};
use crate::{
    decisions::merge::{
        evaluate::{Evaluation, evaluate},
        recall::Recall,
    },
    edges::failure,
};

/// What is to be judged.
#[derive(Debug)]
pub struct Order<'a> {
    /// The table with the persons told.
    pub told: &'a Path,
    /// Its column that tells them.
    pub column: &'a str,
    /// The table with the true ones (`record_id,entity_id`).
    pub truth: &'a Path,
    /// The tables that the trial read, if what its keys found is to be told too.
    pub tables: &'a [PathBuf],
    /// Which of their headings mean what.
    pub map: Option<&'a Path>,
    /// The model by which they are read; else the one that comes with the program.
    pub model: Option<&'a Path>,
    /// When it is: nobody was born later.
    pub now: Timestamp,
}

/// How right persons are, and what was compared at all.
#[derive(Debug, Serialize)]
pub struct Evaluated {
    /// The figures of the persons.
    #[serde(flatten)]
    pub figures: Evaluation,
    /// What the keys found, if the tables were given.
    pub candidates: Option<Recall>,
}

/// Judges by the truth.
pub fn judge(order: &Order<'_>) -> Result<Evaluated, Failure> {
    let truth = two_columns(order.truth, "entity_id")?;
    let figures = compare_with_truth(order.told, order.column, &truth)?;
    if figures.records_absent_from_pred == figures.records {
        let told = Failure::new(Exit::Refused, "evaluate-nothing").told("file", order.told.display());
        return Err(told.told("truth", order.truth.display()));
    }
    if order.tables.is_empty() {
        return Ok(Evaluated { figures, candidates: None });
    }
    let (ids, register) = trial::closed(order.tables, order.map, model_file::model(order.model)?, order.now)?;
    let truth: BTreeMap<&str, &str> =
        truth.iter().map(|(record, entity)| (record.as_str(), entity.as_str())).collect();
    let mut numbers = BTreeMap::new();
    let mut people = Vec::with_capacity(ids.len());
    for id in &ids {
        // a record that the truth does not know is a person by itself
        let entity = truth.get(id.as_str()).map_or((true, id.as_str()), |entity| (false, *entity));
        people.push(numbered(&mut numbers, entity));
    }
    Ok(Evaluated { figures, candidates: Some(register.recall(&people)) })
}

/// Compares the `column` of the table `told` with the true persons.
fn compare_with_truth(told: &Path, column: &str, truth: &[(String, String)]) -> Result<Evaluation, Failure> {
    let told = two_columns(told, column)?;
    let told: BTreeMap<String, String> = told.into_iter().collect();
    let (mut told_numbers, mut true_numbers) = (BTreeMap::new(), BTreeMap::new());
    let (mut told_groups, mut true_groups) = (Vec::new(), Vec::new());
    let known: BTreeSet<&str> = truth.iter().map(|(record, _)| record.as_str()).collect();
    let unknown = told.keys().filter(|record| !known.contains(record.as_str())).count();
    let mut absent = 0;
    for (record, entity) in truth {
        // a record that nobody told of is a person by itself
        let group = told.get(record).map_or((true, record), |group| (false, group));
        absent += usize::from(group.0);
        told_groups.push(numbered(&mut told_numbers, group));
        true_groups.push(numbered(&mut true_numbers, entity));
    }
    let figures = evaluate(&told_groups, &true_groups);
    Ok(Evaluation { records_absent_from_pred: absent, records_unknown_to_truth: unknown, ..figures })
}

fn numbered<K: Ord>(numbers: &mut BTreeMap<K, u32>, key: K) -> u32 {
    let next = u32::try_from(numbers.len()).expect("fewer than 2^32 records");
    *numbers.entry(key).or_insert(next)
}

fn two_columns(path: &Path, value: &str) -> Result<Vec<(String, String)>, Failure> {
    let column = |name: &str| Column { name: name.to_owned(), form: Form::Text };
    let layout = Layout { columns: vec![column("record_id"), column(value)], passed_over: Vec::new() };
    let mut sheet = Sheet::of_others(path, layout, &Map::default()).map_err(failure::table)?;
    let place = |name: &str| {
        let missing = || {
            Failure::new(Exit::Refused, "trial-no-column")
                .told("file", path.display())
                .with("column", name.to_owned())
        };
        sheet.columns.iter().position(|column| column.as_deref() == Some(name)).ok_or_else(missing)
    };
    let (record, value) = (place("record_id")?, place(value)?);
    let mut rows = Vec::new();
    sheet
        .for_each(|item| {
            if let Item::Row(_, mut values) = item {
                rows.push((std::mem::take(&mut values[record]), std::mem::take(&mut values[value])));
            }
            Ok::<_, TableError>(())
        })
        .map_err(failure::table)?;
    if let Some(at) = rows.iter().position(|(_, value)| value.trim().is_empty()) {
        let told = Failure::new(Exit::Refused, "evaluate-blank").told("file", path.display());
        return Err(told.with("nth", (at + 1).to_string()).with("column", value.to_owned()));
    }
    let mut known = BTreeSet::new();
    if let Some(at) = rows.iter().position(|(record, _)| !known.insert(record.as_str())) {
        let told = Failure::new(Exit::Refused, "evaluate-ids").told("file", path.display());
        return Err(told.with("nth", (at + 1).to_string()));
    }
    Ok(rows)
}
