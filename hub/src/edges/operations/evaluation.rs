//! `merge evaluate`: how right a trial merge is, where the truth is known.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use exchange_endpoint::{
    output::{Exit, Failure},
    tables::{Column, Form, Item, Layout, Map, Sheet, TableError},
};

use crate::{
    decisions::merge::evaluate::{Evaluation, evaluate},
    edges::failure,
};

/// Compares the `column` of the table `told` with the true persons (`record_id,entity_id`).
pub fn compare_with_truth(told: &Path, column: &str, truth: &Path) -> Result<Evaluation, Failure> {
    let (truth, told) = (two_columns(truth, "entity_id")?, two_columns(told, column)?);
    let told: BTreeMap<String, String> = told.into_iter().collect();
    let (mut told_numbers, mut true_numbers) = (BTreeMap::new(), BTreeMap::new());
    let (mut told_groups, mut true_groups) = (Vec::new(), Vec::new());
    let known: BTreeSet<&str> = truth.iter().map(|(record, _)| record.as_str()).collect();
    let unknown = told.keys().filter(|record| !known.contains(record.as_str())).count();
    let mut absent = 0;
    for (record, entity) in &truth {
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
    Ok(rows)
}
