//! A centre's people into a file and out of one, as CSV and as a workbook: what bounds the memory is the row, not the
//! file. The workbook that is imported is as Excel writes it, with shared strings, which are held.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::tables::{Column, Item, Layout, Map, Sheet, TableError};
use fixtures::city::CityPlan;
use rust_xlsxwriter::Workbook;

use super::{Measured, measure::watch, stage::filled};
use crate::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan},
    copy_dir,
    daemon::Daemons,
    programs::Who,
};

/// Which way, and in which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// The name of the measurement.
    pub name: &'static str,
    /// Whether the file is read.
    pub import: bool,
    /// The file's ending.
    pub ending: &'static str,
}

/// Measures `runs` runs, each on a fresh database.
///
/// # Errors
/// Those of [`World`], or a command did not end well.
pub fn measure(
    dir: &Path,
    programs: Programs,
    recipients: usize,
    runs: usize,
    which: Which,
) -> Result<Measured, WorldError> {
    let (full, _) = filled(&dir.join("full"), programs.clone(), 1, recipients, Way::Directory)?;
    let exported = if which.import { "csv" } else { which.ending };
    let file = dir.join(format!("people.{exported}"));
    let mut ours = Vec::new();
    if which.import {
        run(&full, &["export", "recipient", "--out", &text(&file)])?;
        let file =
            if which.ending == "xlsx" { as_excel_writes(&file, &dir.join("people.xlsx"))? } else { file };
        let empty = empty(&dir.join("empty"), programs)?;
        let fresh = dir.join("fresh");
        copy_dir(&empty.layout.centre(1), &fresh)?;
        for _ in 0..runs {
            let centre = empty.layout.centre(1);
            fs::remove_dir_all(&centre).map_err(WorldError::file(&centre))?;
            copy_dir(&fresh, &centre)?;
            ours.push(run(&empty, &["import", "recipient", &text(&file)])?);
        }
    } else {
        for _ in 0..runs {
            ours.push(run(&full, &["export", "recipient", "--out", &text(&file)])?);
        }
    }
    Ok(Measured::watched(which.name, recipients, &ours, Vec::new()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A centre that knows nobody.
fn empty(dir: &Path, programs: Programs) -> Result<World, WorldError> {
    let city = CityPlan { seed: 1, centres: 1, recipients: 1 };
    let plan = WorldPlan { dir: dir.to_owned(), city, way: Way::Directory, patience: super::stage::PATIENCE };
    World::make(&plan, programs, Daemons::default())
}

/// A command of the centre to its end: seconds, peak resident set, CPU seconds.
fn run(world: &World, args: &[&str]) -> Result<(f64, u64, f64), WorldError> {
    let mut command = world.programs.command(Who::Spoke);
    command.args(args).arg("--config").arg(world.layout.centre_config(1));
    let (watched, status) = watch(&mut command)?;
    if status.success() {
        return Ok(watched);
    }
    let (command, stderr) = (args.join(" "), String::new());
    Err(WorldError::Command { command, exit: status.to_string(), stderr })
}

/// The same table as a workbook with shared strings.
fn as_excel_writes(csv: &Path, to: &Path) -> Result<PathBuf, WorldError> {
    let failed = |error: String| WorldError::Command {
        command: "a workbook".to_owned(),
        exit: error,
        stderr: String::new(),
    };
    let table = |error: TableError| failed(error.to_string());
    let columns: Vec<Column> = svod_spoke::decisions::tables::table("recipient")
        .expect("a table")
        .all_columns()
        .into_iter()
        .map(Column::of)
        .collect();
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let layout = Layout { columns, passed_over: ["state", "alias_of"].map(str::to_owned).into() };
    let mut sheet = Sheet::open(csv, layout, &Map::default(), None, "id").map_err(table)?;
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    let order: Vec<usize> = (0..sheet.columns.len()).filter(|n| sheet.columns[*n].is_some()).collect();
    let headings: Vec<String> = order.iter().filter_map(|n| sheet.columns[*n].clone()).collect();
    assert!(headings.iter().all(|heading| names.contains(heading)), "the columns are the table's");
    let mut row = 0;
    let mut put = |cells: &mut dyn Iterator<Item = &str>| {
        for (column, cell) in (0..).zip(cells) {
            if !cell.is_empty() {
                page.write_string(row, column, cell).expect("a cell of a sheet");
            }
        }
        row += 1;
    };
    put(&mut headings.iter().map(String::as_str));
    sheet
        .for_each::<TableError>(|item| {
            if let Item::Row(_, values) = item {
                put(&mut order.iter().map(|n| values[*n].as_str()));
            }
            Ok(())
        })
        .map_err(table)?;
    book.save(to).map_err(|error| failed(error.to_string()))?;
    Ok(to.to_owned())
}
