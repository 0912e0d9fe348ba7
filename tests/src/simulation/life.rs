//! A real program that ends itself by SIGKILL when it comes to a failpoint: this executable again, as the hub's or a centre's
//! daemon. The programs that are handed out have no such switch.

use std::{env, ffi::OsString, fmt, process::ExitCode};

use exchange_endpoint::failpoint;
use rustix::process::{Signal, getpid, kill_process};

/// Tells this executable whose life it lives: `hub` or `spoke`, and at which point it ends, as [`Point`] is written.
pub const LIFE: &str = "SVOD_SIM_LIFE";

/// The steps of `failpoint` that a daemon comes to.
pub const STEPS: [&str; 4] = ["commit", "file", "remove", "sync"];

/// The point at which a life ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// One of [`STEPS`], by its place.
    pub step: usize,
    /// Before it, or after it.
    pub before: bool,
    /// At which of these steps, from 1.
    pub nth: u32,
}

impl Point {
    /// What it is called: all with the same step and side are.
    pub fn name(self) -> String {
        format!("{} {}", if self.before { "before" } else { "after" }, STEPS[self.step])
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", STEPS[self.step], self.before, self.nth)
    }
}

/// The life that this process is to live, if it was told one.
pub fn told() -> Option<(String, Option<Point>)> {
    let text = env::var(LIFE).ok()?;
    let mut words = text.split(' ');
    let who = words.next()?.to_owned();
    let mut point = || {
        let (step, before, nth) = (words.next()?, words.next()?, words.next()?);
        let step = STEPS.iter().position(|one| *one == step)?;
        Some(Point { step, before: before == "true", nth: nth.parse().ok()? })
    };
    Some((who, point()))
}

/// Lives it with the command line `args`.
pub fn live(who: &str, point: Option<Point>, args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let _watched = point.map(|point| {
        let mut passed = 0;
        failpoint::watch(Box::new(move |step, before| {
            if step.name == STEPS[point.step] && before == point.before {
                passed += 1;
                if passed == point.nth {
                    // no signal handler and nothing that is dropped comes after it
                    let _ = kill_process(getpid(), Signal::KILL);
                }
            }
            Ok(())
        }))
    });
    if who == "hub" { svod_hub::run(args) } else { svod_spoke::run(args) }
}
