//! Directed histories, one a mark of the exchange's rules (D, W, L, S, F): a small city, one thing that went wrong once, and
//! what must come of it. A function's name begins with its mark; docs/RELIABILITY.md says which mark is proven where.
//!
//! [`town`] what can be done and asked · [`records`] D, W, L · [`packets`] S · [`traces`] F.

pub mod packets;
pub mod records;
pub mod town;
pub mod traces;

use std::{fs, path::Path};

use self::town::Town;
use super::{checks, history, template::Template, time::Time, trace::Trace};

/// What did not come out as it must.
pub type Held = Result<(), String>;

/// A directed history.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name: the mark, and what must be true.
    pub name: &'static str,
    run: fn(&mut Town) -> Held,
}

impl Scenario {
    /// The mark that it is of, as `F4`.
    pub fn mark(&self) -> String {
        self.name.split('_').next().unwrap_or_default().to_uppercase()
    }
}

/// Makes the list of a file's scenarios.
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        /// All of this file.
        pub const ALL: &[super::Scenario] = &[$(super::Scenario { name: stringify!($name), run: $name }),*];
    };
}
use scenarios;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [records::ALL, packets::ALL, traces::ALL].into_iter().flatten()
}

/// Those called `asked`, of the mark `asked`, or all.
pub fn asked_for(asked: &str) -> Vec<&'static Scenario> {
    let is = |one: &&Scenario| asked == "all" || one.name == asked || one.mark().eq_ignore_ascii_case(asked);
    all().filter(is).collect()
}

/// What a scenario came to.
#[derive(Debug)]
pub struct Played {
    /// Its name.
    pub name: &'static str,
    /// What happened.
    pub trace: String,
    /// What was not as it must be.
    pub broken: Vec<String>,
}

/// Plays `scenario` in a copy of `template` at `dir`; afterwards everything must be true that is true of any history.
pub fn play(template: &Template, dir: &Path, scenario: &Scenario) -> Played {
    let _given = history::chance_of(0);
    let (trace, broken) = match Town::begin(template, dir) {
        Ok(mut town) => {
            // whoever was put back or copied is helped, as in any history
            let recovered = |town: &mut Town| town.city.recover(town::ROUNDS);
            let broken = match (scenario.run)(&mut town).and_then(|()| recovered(&mut town)) {
                Ok(()) => {
                    let broken = checks::check(&mut town.city);
                    town.unexpected(broken)
                }
                Err(error) => vec![error],
            };
            (town.city.trace.clone(), broken)
        }
        Err(error) => (Trace::new(Time::default()), vec![error]),
    };
    for one in &broken {
        trace.tell("!!", one);
    }
    let _ = fs::remove_dir_all(dir);
    Played { name: scenario.name, trace: trace.text(), broken }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_holds() {
        let dir = tempfile::tempdir().expect("a directory");
        let template = Template::make(&dir.path().join("template"), 2).expect("made");
        let broken: Vec<String> = all()
            .map(|scenario| play(&template, &dir.path().join(scenario.name), scenario))
            .filter(|played| !played.broken.is_empty())
            .map(|played| format!("{}: {:?}\n{}", played.name, played.broken, played.trace))
            .collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    #[test]
    fn every_mark_is_told_of() {
        let document = include_str!("../../../../docs/RELIABILITY.md");
        let untold: Vec<_> = all().filter(|one| !document.contains(&format!("`{}`", one.name))).collect();
        assert!(untold.is_empty(), "{untold:?}");
        assert!(asked_for("f4").iter().all(|one| one.mark() == "F4") && !asked_for("F4").is_empty());
    }
}
