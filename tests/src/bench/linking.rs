//! Who is one person: ours and Splink on the same files, in one run, against the truth. Generator and peer are scripts in
//! Python that are no part of this repository; where Python or Splink is missing, ours runs alone and that is said.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use exchange_endpoint::{
    messages::{Value as Word, text},
    output::{Failure, Lang},
};
use serde::Serialize;
use serde_json::Value;
use svod_hub::{
    decisions::merge::{Model, Register, clusters::Edge, evaluate::evaluate, recall::Recall},
    edges::operations::trial,
};

use super::measure::{commit, watch};
use crate::world::{Programs, WorldError, programs::Who};

/// What is to be measured, with what.
pub struct Plan<'a> {
    /// Where files are made.
    pub dir: &'a Path,
    /// Our programs.
    pub programs: &'a Programs,
    /// Records of each of six centres.
    pub recipients: usize,
    /// One register for each.
    pub seeds: &'a [u64],
    /// Where `gen_ru.py` and `run_splink_ru.py` are.
    pub tools: &'a Path,
    /// The Python that runs them.
    pub python: &'a Path,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Linking {
    bench: &'static str,
    n: usize,
    commit: String,
    /// Means over the seeds, by name.
    mean: BTreeMap<String, f64>,
    /// Why the peer did not run.
    peer_missing: Option<String>,
    seeds: Vec<OfSeed>,
    /// Of the first seed.
    errors: Errors,
}

#[derive(Debug, Serialize)]
struct OfSeed {
    seed: u64,
    records: usize,
    people: usize,
    ours: Ours,
    /// What was compared at all.
    candidates: Recall,
    peer: Option<Peer>,
}

/// How right groups are.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Judged {
    pub(super) precision: f64,
    pub(super) recall: f64,
    pub(super) f1: f64,
    b3_f1: f64,
    /// Pairs of different people of whom records are in one group.
    people_merged: usize,
}

#[derive(Debug, Serialize)]
struct Ours {
    wall_s: f64,
    cpu_s: f64,
    peak_rss_mb: f64,
    /// One decision, nobody asked.
    one: Judged,
    /// What is beyond doubt.
    auto: Judged,
    /// Recall at the lowest cut with a precision of .995.
    recall_at_995: Option<f64>,
    questions_per_1000: f64,
    /// The share of the questions that are about one person.
    questions_true: f64,
    /// If staff answer each question rightly.
    answered: Judged,
}

#[derive(Debug, Serialize)]
struct Peer {
    wall_s: f64,
    cpu_s: f64,
    peak_rss_mb: f64,
    /// Its groups at the threshold that is best by the truth.
    best: Judged,
    /// Its F1 at the probability .99.
    f1_at_99: f64,
}

/// The worst errors of each kind.
#[derive(Debug, Default, Serialize)]
struct Errors {
    /// Joined wrongly by the one decision: the pairs that weigh most.
    merged: Vec<Wrong>,
    /// Missed by it: those that weigh least.
    missed: Vec<Wrong>,
    /// Joined wrongly without asking: those that weigh most.
    auto_merged: Vec<Wrong>,
}

#[derive(Debug, Serialize)]
struct Wrong {
    one: String,
    other: String,
    bits: f64,
    /// What the compared fields say, the weightiest first.
    said: Vec<Said>,
}

#[derive(Debug, Serialize)]
struct Said {
    field: String,
    level: &'static str,
    bits: f64,
}

/// So many errors of each kind are told.
const WORST: usize = 20;

/// Measures.
///
/// # Errors
/// A script or program of ours does not do what it should.
pub fn measure(plan: &Plan<'_>) -> Result<Linking, Failure> {
    let peer_missing = peer_missing(plan);
    let (mut seeds, mut errors) = (Vec::new(), Errors::default());
    for seed in plan.seeds {
        let dir = plan.dir.join(format!("seed-{seed}"));
        let per_centre = plan.recipients.to_string();
        let seed_text = seed.to_string();
        let args = [
            dir.as_os_str(),
            "--per-centre".as_ref(),
            per_centre.as_ref(),
            "--seed".as_ref(),
            seed_text.as_ref(),
        ];
        script(plan, "gen_ru.py", &args)?;
        let files = tables(&dir)?;
        let cost = ours_alone(plan, &dir, &files)?;
        let (ids, mut register, edges) = trial::weighed(&files, Model::recipients(), jiff::Timestamp::now())?;
        let truth = truth(&dir.join("truth.csv"), &ids)?;
        let ours = judged(&mut register, &edges, &truth, cost);
        if seeds.is_empty() {
            errors = worst(&register, &edges, &truth, &ids);
        }
        let peer = if peer_missing.is_none() { Some(peer(plan, &dir, &ids, &truth)?) } else { None };
        let people = truth.iter().collect::<BTreeSet<_>>().len();
        let candidates = register.recall(&truth);
        seeds.push(OfSeed { seed: *seed, records: ids.len(), people, ours, candidates, peer });
    }
    let (n, mean) = (plan.recipients, means(&seeds));
    Ok(Linking { bench: "linking", n, commit: commit(), mean, peer_missing, seeds, errors })
}

/// Runs a script to its end; what it printed.
fn script(plan: &Plan<'_>, name: &str, args: &[&std::ffi::OsStr]) -> Result<String, WorldError> {
    let mut command = Command::new(plan.python);
    command.arg(plan.tools.join(name)).args(args);
    let output = command.output().map_err(WorldError::file(plan.python))?;
    if !output.status.success() {
        let stderr = last_line(&output.stderr);
        return Err(WorldError::Command {
            command: name.to_owned(),
            exit: output.status.to_string(),
            stderr,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(super) fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned()
}

/// Why the peer cannot run.
fn peer_missing(plan: &Plan<'_>) -> Option<String> {
    let output = Command::new(plan.python).args(["-c", "import splink, duckdb, pandas, scipy"]).output();
    match output {
        Err(error) => Some(format!("{}: {error}", plan.python.display())),
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("{}: {}", plan.python.display(), last_line(&output.stderr))),
    }
}

fn tables(dir: &Path) -> Result<Vec<PathBuf>, WorldError> {
    let entries = fs::read_dir(dir).map_err(WorldError::file(dir))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("centre_") && file.extension().is_some_and(|ending| ending == "csv")
    });
    files.sort();
    Ok(files)
}

/// Seconds, MB and CPU seconds of our program, from the files to the persons.
fn ours_alone(plan: &Plan<'_>, dir: &Path, files: &[PathBuf]) -> Result<(f64, f64, f64), WorldError> {
    let mut command = plan.programs.command(Who::Hub);
    command.args(["merge", "trial"]).args(files).arg("--out").arg(dir.join("ours.csv"));
    command.arg("--review").arg(dir.join("review.csv")).args(["--format", "json"]);
    let ((wall, peak_kb, cpu), status) = watch(&mut command)?;
    if !status.success() {
        let (command, stderr) = ("merge trial".to_owned(), String::new());
        return Err(WorldError::Command { command, exit: status.to_string(), stderr });
    }
    let peak = f64::from(u32::try_from(peak_kb / 1024).unwrap_or(u32::MAX));
    Ok((wall, peak, cpu))
}

/// The second column of a table of ours or the peer's, by the first.
fn column(path: &Path) -> Result<BTreeMap<String, String>, WorldError> {
    let text = fs::read_to_string(path).map_err(WorldError::file(path))?;
    let line = |line: &str| {
        let (record, rest) = line.split_once(',')?;
        Some((record.to_owned(), rest.split(',').next()?.trim().to_owned()))
    };
    Ok(text.lines().skip(1).filter_map(line).collect())
}

/// What `path` says of each of `ids`, numbered; a record of which it says nothing is by itself.
pub(super) fn truth(path: &Path, ids: &[String]) -> Result<Vec<u32>, WorldError> {
    let said = column(path)?;
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let next = u32::try_from(numbers.len()).expect("fewer than 2^32 records");
        all.push(*numbers.entry(said.get(id).unwrap_or(id)).or_insert(next));
    }
    Ok(all)
}

pub(super) fn judge(groups: &[u32], truth: &[u32]) -> Judged {
    let figures = evaluate(groups, truth);
    let mut people: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (group, person) in groups.iter().zip(truth) {
        people.entry(*group).or_default().insert(*person);
    }
    let mut merged = BTreeSet::new();
    for people in people.into_values().filter(|people| people.len() > 1) {
        for one in &people {
            merged.extend(people.range(one + 1..).map(|other| (*one, *other)));
        }
    }
    Judged {
        precision: figures.pairwise_p,
        recall: figures.pairwise_r,
        f1: figures.pairwise_f1,
        b3_f1: figures.b3_f1,
        people_merged: merged.len(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
fn judged(
    register: &mut Register,
    edges: &[Edge],
    truth: &[u32],
    (wall_s, peak_rss_mb, cpu_s): (f64, f64, f64),
) -> Ours {
    let outcome = register.decide(edges.to_vec());
    let is_one = |a: u32, b: u32| truth[a as usize] == truth[b as usize];
    let right: Vec<(u32, u32)> =
        outcome.doubts.iter().map(|doubt| (doubt.a, doubt.b)).filter(|(a, b)| is_one(*a, *b)).collect();
    let asked = outcome.doubts.len();
    let answered = joined(&outcome.auto, &right);
    let ours = register.model.cut.one;
    let mut recall_at_995 = None;
    for cut in 0..16 {
        register.model.cut.one = ours + f64::from(cut);
        let found = judge(&register.decide(edges.to_vec()).one, truth);
        if found.precision >= 0.995 {
            recall_at_995 = Some(found.recall);
            break;
        }
    }
    register.model.cut.one = ours;
    Ours {
        wall_s,
        cpu_s,
        peak_rss_mb,
        one: judge(&outcome.one, truth),
        auto: judge(&outcome.auto, truth),
        recall_at_995,
        questions_per_1000: asked as f64 * 1000.0 / truth.len().max(1) as f64,
        questions_true: right.len() as f64 / asked.max(1) as f64,
        answered: judge(&answered, truth),
    }
}

/// `groups` with the groups of each of `pairs` made one.
fn joined(groups: &[u32], pairs: &[(u32, u32)]) -> Vec<u32> {
    let mut into: Vec<u32> = (0..).take(groups.len()).collect();
    let find = |into: &[u32], mut at: u32| {
        while into[at as usize] != at {
            at = into[at as usize];
        }
        at
    };
    for (a, b) in pairs {
        let (a, b) = (find(&into, groups[*a as usize]), find(&into, groups[*b as usize]));
        into[a.max(b) as usize] = a.min(b);
    }
    groups.iter().map(|group| find(&into, *group)).collect()
}

/// The worst errors of the one decision, and of what is joined without asking.
fn worst(register: &Register, edges: &[Edge], truth: &[u32], ids: &[String]) -> Errors {
    let outcome = register.decide(edges.to_vec());
    let pairs = |of: &[u32], apart: &[u32]| -> Vec<(f64, u32, u32)> {
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (n, group) in (0_u32..).zip(of) {
            groups.entry(*group).or_default().push(n);
        }
        let mut found = Vec::new();
        for members in groups.values() {
            for (at, a) in members.iter().enumerate() {
                let others = members[at + 1..].iter().filter(|b| apart[*a as usize] != apart[**b as usize]);
                found.extend(others.map(|b| (register.weigh(*a, *b).bits, *a, *b)));
            }
        }
        found.sort_by(|x, y| y.0.total_cmp(&x.0));
        found
    };
    let wrong = |(bits, a, b): (f64, u32, u32)| Wrong {
        one: ids[a as usize].clone(),
        other: ids[b as usize].clone(),
        bits: tenth(bits),
        said: register
            .explain(a, b)
            .said
            .iter()
            .map(|said| Said {
                field: register.model.fields[said.field].name.clone(),
                level: said.level,
                bits: tenth(said.bits),
            })
            .collect(),
    };
    Errors {
        merged: pairs(&outcome.one, truth).into_iter().take(WORST).map(wrong).collect(),
        missed: pairs(truth, &outcome.one).into_iter().rev().take(WORST).map(wrong).collect(),
        auto_merged: pairs(&outcome.auto, truth).into_iter().take(WORST).map(wrong).collect(),
    }
}

fn tenth(bits: f64) -> f64 {
    (bits * 10.0).round() / 10.0
}

fn peer(plan: &Plan<'_>, dir: &Path, ids: &[String], truth_of: &[u32]) -> Result<Peer, WorldError> {
    let saved = dir.join("peer.csv");
    let printed = script(plan, "run_splink_ru.py", &[dir.as_os_str(), "--save".as_ref(), saved.as_os_str()])?;
    let missing = |missing| WorldError::Answer { command: "run_splink_ru.py".to_owned(), missing };
    let line = printed.lines().rev().find(|line| line.starts_with('{')).ok_or_else(|| missing("JSON"))?;
    let told: Value = serde_json::from_str(line).map_err(|_| missing("JSON"))?;
    let number = |value: &Value| value.as_f64().ok_or_else(|| missing("a figure"));
    Ok(Peer {
        wall_s: number(&told["wall_s"])?,
        cpu_s: number(&told["cpu_s"])?,
        peak_rss_mb: number(&told["peak_rss_mb"])?,
        best: judge(&truth(&saved, ids)?, truth_of),
        f1_at_99: number(&told["clusters_p0.99"]["pairwise_f1"])?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of people are far below 2^52")]
fn means(seeds: &[OfSeed]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut add = |name: &str, value: f64| {
        let sum = sums.entry(name.to_owned()).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    };
    for OfSeed { ours, candidates, peer, .. } in seeds {
        add("ours_candidates_recall", candidates.recall);
        add("ours_f1", ours.one.f1);
        add("ours_b3_f1", ours.one.b3_f1);
        add("ours_people_merged", ours.one.people_merged as f64);
        add("ours_auto_precision", ours.auto.precision);
        add("ours_auto_recall", ours.auto.recall);
        if let Some(recall) = ours.recall_at_995 {
            add("ours_recall_at_995", recall);
        }
        add("ours_questions_per_1000", ours.questions_per_1000);
        add("ours_questions_true", ours.questions_true);
        add("ours_answered_f1", ours.answered.f1);
        add("ours_wall_s", ours.wall_s);
        add("ours_peak_rss_mb", ours.peak_rss_mb);
        if let Some(peer) = peer {
            add("peer_f1", peer.best.f1);
            add("peer_b3_f1", peer.best.b3_f1);
            add("peer_people_merged", peer.best.people_merged as f64);
            add("peer_wall_s", peer.wall_s);
            add("peer_peak_rss_mb", peer.peak_rss_mb);
        }
    }
    sums.into_iter().map(|(name, (sum, n))| (name, (sum / n * 1e5).round() / 1e5)).collect()
}

impl Linking {
    /// For people.
    pub fn text(&self, lang: Lang) -> String {
        let mut lines = vec![format!("linking n=6×{} ({})", self.n, self.commit)];
        lines.extend(self.mean.iter().map(|(name, value)| format!("  {name}: {value}")));
        lines.extend(
            self.peer_missing
                .iter()
                .map(|why| text(lang, "bench-no-peer", &[("why", Word::from(why.clone()))])),
        );
        let Errors { merged, missed, auto_merged } = &self.errors;
        for (kind, errors) in [("merged", merged), ("missed", missed), ("auto-merged", auto_merged)] {
            let n = Word::from(errors.len() as u64);
            lines.push(text(lang, &format!("bench-errors-{kind}"), &[("n", n)]));
            lines.extend(errors.iter().map(Wrong::line));
        }
        lines.join("\n")
    }
}

impl Wrong {
    fn line(&self) -> String {
        let said: Vec<String> =
            self.said.iter().map(|said| format!("{} {} {:+.1}", said.field, said.level, said.bits)).collect();
        format!("  {:>+6.1}  {} {}: {}", self.bits, self.one, self.other, said.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use svod_hub::decisions::merge::reading::Reading;

    use super::*;

    #[test]
    fn the_worst_of_each_kind_are_told_with_what_was_compared() {
        let mut register = Register::new(Model::recipients());
        let rows = [
            ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "112-233-446 96", "3204 123456", "", "", "ж"],
            ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "112-233-446 96", "3204 123456", "", "", "ж"],
            ["Зуев", "Пётр", "Ильич", "05.06.1971", "", "", "", "", "м"],
        ];
        for (source, row) in (0..).zip(&rows) {
            let reading = Reading::of(&register.model, row);
            register.add(source, &reading);
        }
        register.close();
        let edges: Vec<Edge> =
            register.candidates().pairs.into_iter().map(|(a, b)| register.edge(a, b)).collect();
        // the first two are different people, the last two are one
        let ids = ["a", "b", "c"].map(str::to_owned);
        let errors = worst(&register, &edges, &[0, 1, 1], &ids);
        let pairs = |of: &[Wrong]| of.iter().map(|one| one.one.clone() + &one.other).collect::<Vec<_>>();
        assert_eq!(
            [&errors.merged, &errors.missed, &errors.auto_merged].map(|of| pairs(of)),
            [["ab"], ["bc"], ["ab"]]
        );
        assert!(errors.missed[0].bits < 0.0 && errors.merged[0].bits > 7.0);
        let mean = [("ours_f1".to_owned(), 0.5)].into();
        let told = Linking {
            bench: "linking",
            n: 1,
            commit: String::new(),
            mean,
            peer_missing: None,
            seeds: Vec::new(),
            errors,
        };
        let lines = told.text(Lang::En);
        assert_eq!(lines.matches("snils exact +").count(), 2, "{lines}");
        assert!(lines.contains("b c: ") && lines.contains("given other_sex -"), "{lines}");
        let json = serde_json::to_value(&told).expect("JSON");
        assert!(json["errors"]["auto_merged"][0]["said"][0]["field"].is_string());
    }

    #[test]
    fn groups_are_judged_and_joined() {
        let judged = judge(&[0, 0, 0, 3], &[0, 0, 1, 2]);
        assert_eq!((judged.people_merged, judged.recall.to_bits()), (1, 1.0_f64.to_bits()));
        assert!((judged.precision - 1.0 / 3.0).abs() < 1e-4);
        assert_eq!(joined(&[0, 1, 2, 2], &[(1, 3), (0, 1)]), [0, 0, 0, 0]);
        assert_eq!(joined(&[0, 1, 2], &[(1, 2)]), [0, 1, 1]);
    }
}
