//! Statistics of runs, and what the kernel says of a process.

use std::{
    fmt, fs,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::world::WorldError;

/// Least, median, 95th percentile and greatest of some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Median.
    pub median: f64,
    /// 95th percentile, nearest rank.
    pub p95: f64,
    /// Greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one value.
    ///
    /// # Panics
    /// If there is none.
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        assert!(n > 0, "something was measured");
        let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
        Self { min: sorted[0], median, p95: sorted[(n * 95).div_ceil(100) - 1], max: sorted[n - 1] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} – {:.3} – {:.3} (p95 {:.3})", self.min, self.median, self.max, self.p95)
    }
}

/// The highest resident set so far of a living process, KiB (`VmHWM`).
pub fn peak_rss_kb(pid: u32) -> Option<u64> {
    status_kb(pid, "VmHWM:")
}

/// The resident set of a living process, KiB (`VmRSS`).
pub fn rss_kb(pid: u32) -> Option<u64> {
    status_kb(pid, "VmRSS:")
}

fn status_kb(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.trim().trim_end_matches(" kB").parse().ok()
}

/// How many files, sockets and the like a living process has open.
pub fn open_files(pid: u32) -> Option<u64> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64)
}

/// CPU time so far of a living process and its ended threads, in steps of 10 ms (`utime` + `stime`; the unit is fixed at
/// 100 a second for programs on Linux).
pub fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name in brackets may hold blanks; fields 14 and 15 are the 12th and 13th behind it
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|text| text.parse::<u64>().ok());
    Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// Runs a command to its end: seconds, its peak resident set in KiB, CPU seconds; and how it ended.
///
/// # Errors
/// It cannot be started.
pub fn watch(command: &mut Command) -> Result<((f64, u64, f64), ExitStatus), WorldError> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let mut child = command.spawn().map_err(WorldError::file(command.get_program()))?;
    let (mut peak, mut spent) = (0, Duration::ZERO);
    let status = loop {
        // both only grow, so the last look before the end misses at most the last milliseconds
        peak = peak_rss_kb(child.id()).unwrap_or(peak);
        spent = cpu(child.id()).map_or(spent, |now| now.max(spent));
        match child.try_wait().map_err(WorldError::file(command.get_program()))? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Ok(((begun.elapsed().as_secs_f64(), peak, spent.as_secs_f64()), status))
}

/// The commit of the working directory, or what `SVOD_COMMIT` says.
pub fn commit() -> String {
    if let Ok(commit) = std::env::var("SVOD_COMMIT") {
        return commit;
    }
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    text.and_then(|text| String::from_utf8(text).ok())
        .map_or_else(|| "unknown".to_owned(), |t| t.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        let even = Spread::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((even.min, even.median, even.p95, even.max), (1.0, 2.5, 4.0, 4.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((Spread::of(&hundred).p95 - 95.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_kernel_knows_this_process() {
        // not which is the greater: the kernel counts pages on each processor apart and sums them up now and then
        // (proc_pid_status(5): both "inaccurate"), so what it holds now may be read as more than the highest so far
        assert!(peak_rss_kb(std::process::id()).is_some_and(|kb| kb > 100));
        assert!(rss_kb(std::process::id()).is_some_and(|kb| kb > 100));
        assert!(open_files(std::process::id()).is_some_and(|open| open > 2));
        assert!(cpu(std::process::id()).is_some());
    }
}
