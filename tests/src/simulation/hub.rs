//! The hub: the real daemon without its FTPS server, and its staff, whose commands are programs of their own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use exchange_endpoint::{
    clock::Clock,
    config::Config,
    keys::OwnKeys,
    output::{Failure, Lang},
};
use fixtures::dice::Dice;
use svod_hub::{
    database::linking::Act,
    edges::{
        config::HubConfig,
        event_loop::Daemon,
        hub,
        operations::{
            enrol, init, keys, merge, people, questions,
            reviews::{self, Insist},
        },
        resync,
    },
};

use super::{
    mishap::{End, Mishap, Noting, under},
    secrets::secrets_of,
    template::{centre_code, hub_code, new_centre},
    time::{LocalClock, Time},
    trace::Trace,
};

/// The file of its database.
pub const DATABASE: &str = "hub.db";

/// The hub's machine.
pub struct HubSide {
    /// Its clock.
    pub clock: Arc<LocalClock>,
    dir: PathBuf,
    daemon: Option<Daemon>,
    /// One of its programs has ended in its last turn without being asked.
    pub crashed: bool,
    trace: Trace,
    entries: u32,
    /// How many times its keys have changed.
    changes: u32,
}

/// What a command of staff came to.
type Command = Result<String, Failure>;

impl HubSide {
    /// The hub of the city in `city`.
    pub fn new(city: &Path, time: &Time, trace: Trace) -> Self {
        Self {
            clock: time.clock(),
            dir: city.join("hub"),
            daemon: None,
            crashed: false,
            trace,
            entries: 0,
            changes: 0,
        }
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.dir.join(DATABASE)
    }

    /// The directory of the machine.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its configuration.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn config(&self) -> Result<Config<HubConfig>, Failure> {
        Ok(Config::load(&self.dir.join(init::FILE))?)
    }

    /// Ends the program, if it runs.
    pub fn stop(&mut self) {
        self.daemon = None;
    }

    /// The daemon's turn under `mishap`.
    ///
    /// # Errors
    /// What went wrong without a mishap.
    pub fn turn(&mut self, mishap: Mishap) -> Result<(), String> {
        self.turn_noting(mishap, None)
    }

    /// As [`Self::turn`]; `noting` is told of each step.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub fn turn_noting(&mut self, mishap: Mishap, noting: Noting) -> Result<(), String> {
        let ended = under(mishap, noting, || self.act());
        self.crashed = matches!(ended, End::Crashed(_));
        let goes_on = ended.told(&self.trace, "hub", "turn", mishap);
        if !matches!(goes_on, Ok(true)) {
            self.daemon = None;
        }
        goes_on.map(drop)
    }

    fn act(&mut self) -> Result<(), String> {
        let Some(daemon) = &mut self.daemon else {
            let config = self.config().map_err(|error| format!("{error:?}"))?;
            let opened = hub::open(&config).map_err(|error| format!("{error:?}"))?;
            let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
            let mut daemon = Daemon::new(opened, clock);
            daemon.start().map_err(|error| error.to_string())?;
            self.daemon = Some(daemon);
            return Ok(());
        };
        daemon.stand().map_err(|error| error.to_string())?;
        let changed = daemon.changed();
        let found = daemon.scan();
        let due = daemon.hub().next_due(self.clock.now()).map_err(|error| error.to_string())?;
        if changed || found || due.is_some_and(|due| due <= self.clock.now()) {
            daemon.send();
        }
        if daemon.follow_day() {
            daemon.send();
        }
        if daemon.audit() {
            daemon.send();
        }
        Ok(())
    }

    /// Milliseconds until something is due by its clock, if it runs.
    pub fn until_due(&mut self) -> Option<i64> {
        let now = self.clock.now();
        let due = self.daemon.as_mut()?.hub().next_due(now).ok()??;
        i64::try_from(due.duration_since(now).as_millis()).ok()
    }

    /// A command of staff under `mishap`, which ends the command only; `noting` is told of each step.
    ///
    /// # Errors
    /// What went wrong without a mishap.
    pub fn staff(
        &mut self,
        dice: &mut Dice,
        centres: u16,
        mishap: Mishap,
        noting: Noting,
    ) -> Result<(), String> {
        let act = dice.below(8);
        let ended = under(mishap, noting, || match act {
            0 | 1 => self.merge(),
            2 | 3 => self.correct(dice),
            4 => self.confirm(dice, centres),
            _ => self.answer(dice),
        });
        self.crashed = matches!(ended, End::Crashed(_));
        match ended {
            End::Done(Ok(told), _) => self.trace.tell("op", &told),
            End::Done(Err(error), false) if error.exit() == exchange_endpoint::output::Exit::Bug => {
                return Err(format!("staff: {error:?}"));
            }
            End::Done(Err(error), _) => self.trace.tell("op", &format!("refused: {}", error.code())),
            End::Crashed(at) => self.trace.tell("op", &format!("crashed {at}")),
            End::Panicked(text) => return Err(format!("staff panicked: {text}")),
        }
        Ok(())
    }

    /// Merges the initial loads that wait.
    ///
    /// # Errors
    /// The command's.
    pub fn merge(&self) -> Command {
        let mut hub = hub::open(&self.config()?)?;
        let report = merge::merge(&mut hub, self.clock.now(), &mut |_, _, _| ())?;
        Ok(format!("merge: {} claims, {} new", report.claims, report.created))
    }

    /// Staff let every stream go on that a restore has stopped and that can be compared. How many could, and how many cannot
    /// yet.
    ///
    /// # Errors
    /// The command's.
    pub fn resync(&self) -> Result<(usize, usize), Failure> {
        let (config, now) = (self.config()?, self.clock.now());
        let (ready, others): (Vec<_>, Vec<_>) =
            resync::look(&config)?.into_iter().partition(|one| one.stage == "ready");
        if !ready.is_empty() {
            let act = Act { actor: "sim", reason: "сверка", at: &now.to_string() };
            resync::confirm(&config, &ready, act, now)?;
        }
        Ok((ready.len(), others.len()))
    }

    /// The hub's keys begin to change.
    ///
    /// # Errors
    /// The command's.
    pub fn rotate(&mut self) -> Command {
        self.changes += 1;
        let secrets = secrets_of(hub_code(), self.changes);
        keys::rotate_to(&secrets, &self.config()?, "sim", self.clock.now())?;
        Ok("the hub changes its keys".to_owned())
    }

    /// The `n`th centre, which was shut out, is enrolled again: in `dir`, on another machine, with other keys.
    ///
    /// # Errors
    /// The command's.
    pub fn enrol_again(&mut self, n: u16, dir: &Path, changes: u32) -> Command {
        let config = self.config()?;
        let card = OwnKeys::load(&config.path(&config.keys), hub_code())?.card;
        new_centre(dir, n, changes, card, &config, self.clock.now())?;
        Ok(format!("enrols c{n} again"))
    }

    /// Shuts a centre out.
    ///
    /// # Errors
    /// The command's.
    pub fn disable(&self, n: u16) -> Command {
        enrol::disable(&self.config()?, centre_code(n), "закрыт", "sim", self.clock.now())?;
        Ok(format!("shuts c{n} out"))
    }

    /// The persons' ids, in the order of their numbers.
    fn persons(&self) -> Result<Vec<String>, Failure> {
        let bug = |error: rusqlite::Error| Failure::bug(&error);
        let connection = rusqlite::Connection::open(self.database()).map_err(bug)?;
        let mut select = connection
            .prepare("SELECT case_number FROM person WHERE merged_into IS NULL ORDER BY serial")
            .map_err(bug)?;
        let rows = select.query_map([], |row| row.get(0)).map_err(bug)?;
        rows.collect::<Result<_, _>>().map_err(bug)
    }

    fn correct(&mut self, dice: &mut Dice) -> Command {
        let persons = self.persons()?;
        if persons.is_empty() {
            return Ok("nobody to correct".to_owned());
        }
        self.entries += 1;
        let who: &String = dice.pick(&persons);
        self.correct_to(who, &format!("Исправлено {}", self.entries))
    }

    /// Staff enter where `who` has worked.
    ///
    /// # Errors
    /// The command's.
    pub fn correct_to(&self, who: &str, value: &str) -> Command {
        people::set(&self.config()?, who, "workplace", value, ("sim", "сверка"), self.clock.now())?;
        Ok(format!("corrects {who}"))
    }

    pub(super) fn confirm(&self, dice: &mut Dice, centres: u16) -> Command {
        let persons = self.persons()?;
        if persons.is_empty() {
            return Ok("nobody to confirm".to_owned());
        }
        let who: &String = dice.pick(&persons);
        self.confirm_for(who, 1 + u16::try_from(dice.below(usize::from(centres))).expect("small"))
    }

    /// Staff confirm that the `n`th centre serves `who`.
    ///
    /// # Errors
    /// The command's.
    pub fn confirm_for(&self, who: &str, n: u16) -> Command {
        people::confirm(&self.config()?, centre_code(n), who, ("sim", "обслуживается"), self.clock.now())?;
        Ok(format!("confirms {who} for c{n}"))
    }

    /// Answers one of the open questions, or another way one that was answered.
    ///
    /// # Errors
    /// The command's.
    pub fn answer(&self, dice: &mut Dice) -> Command {
        let config = self.config()?;
        let open = questions::list(&config, self.clock.now())?;
        if open.is_empty() {
            return Ok("nothing to answer".to_owned());
        }
        let question = dice.pick(&open);
        let word = *dice.pick(question.answers);
        let (n, one, other) = (question.review, &question.one.version, &question.other.version);
        let table = self.dir.join("answers.csv");
        let text = format!("review;version_1;version_2;decision;reason\n{n};{one};{other};{word};сверка\n");
        std::fs::write(&table, text).map_err(|error| Failure::bug(&error))?;
        reviews::apply(
            &config,
            &table,
            Insist { revise: true, all: true },
            Lang::Ru,
            "sim",
            self.clock.now(),
        )?;
        Ok(format!("answers {} {n}: {word}", question.kind))
    }
}
