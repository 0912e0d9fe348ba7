//! Directed histories, one a mark of the exchange's rules (D, W, L, S, F): a small city, one thing that went wrong once, and
//! what must come of it. A function's name begins with its mark; docs/RELIABILITY.md says which mark is proven where.
//!
//! [`town`] what can be done and asked · [`records`] D, W, L · [`strangers`] D10 of rows altered past the hub · [`packets`] S ·
//! [`traces`] F · [`rules`] of all of them what needs whole programs rather than a mishap · [`horrors`] what is named after no mark.

pub mod horrors;
pub mod packets;
pub mod records;
pub mod rules;
pub mod strangers;
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
    [records::ALL, strangers::ALL, packets::ALL, traces::ALL, rules::ALL, horrors::ALL].into_iter().flatten()
}

/// What else a mark, or a horror, is shown by: names begin with this.
const ALSO: [(&str, &str); 13] = [
    ("F1", "s1_"),
    ("F2", "d2_"),
    ("F3", "d5_"),
    ("F7", "s2_"),
    ("F12", "d4_"),
    ("lost-receipt", "f4_"),
    ("restore", "f6_"),
    ("restore", "f21_"),
    ("two-machines", "s8_"),
    ("vanishing-files", "horror_files_"),
    ("partial-file", "horror_a_part_"),
    ("bad-row", "horror_one_bad_row_"),
    ("stuck", "horror_what_is_stuck_"),
];

/// Those called `asked`, of the mark or the horror `asked`, or all.
pub fn asked_for(asked: &str) -> Vec<&'static Scenario> {
    let also = |one: &Scenario| {
        ALSO.iter().any(|(mark, name)| mark.eq_ignore_ascii_case(asked) && one.name.starts_with(name))
    };
    let is = |one: &&Scenario| {
        asked == "all" || one.name == asked || one.mark().eq_ignore_ascii_case(asked) || also(one)
    };
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

    /// Marks of the rules of the exchange; there is no D3, no S7, no F18 and no F20.
    const MARKS: &str = "D1 D2 D4 D5 D6 D7 D8 D9 D10 D11 W1 W2 W3 W4 L1 L2 S1 S2 S3 S4 S5 S6 S8 S9 S10 S11 S12 \
                         F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F19 F21";
    /// What the users of such exchanges suffer from most.
    const HORRORS: &str = "restore lost-receipt vanishing-files partial-file bad-row two-machines stuck";

    #[test]
    fn every_mark_and_every_horror_is_played() {
        let document = include_str!("../../../../docs/RELIABILITY.md");
        for asked in MARKS.split(' ').chain(HORRORS.split(' ')) {
            assert!(!asked_for(asked).is_empty(), "nothing shows {asked}");
            let rows = document.lines().filter(|line| line.starts_with("| "));
            let told = rows.filter_map(|line| line.split('|').nth(1)).flat_map(|cell| cell.split(','));
            let mut told = told.map(|mark| mark.trim().trim_matches('`'));
            assert!(told.any(|mark| mark == asked), "docs/RELIABILITY.md has no row of {asked}");
        }
        for (_, name) in ALSO {
            assert!(all().any(|one| one.name.starts_with(name)), "nothing is called {name}…");
        }
    }
}
