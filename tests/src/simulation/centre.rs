//! A centre: its machine with the real program on it, opened from its files after each end.

use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use exchange_endpoint::{chance, clock::Clock, output::Failure};
use exchange_format::participant::ParticipantCode;
use rusqlite::{Connection, functions::FunctionFlags};
use svod_spoke::{
    database::{own_records, returned::What},
    edges::{
        config,
        event_loop::Day,
        init, new_keys,
        resync::{self, Keep},
        station::{self, Station},
    },
};

use super::{
    line::Line,
    mishap::{End, Mishap, Noting, under},
    secrets::secrets_of,
    template::{centre_code, centre_dir},
    time::{LocalClock, Time},
    trace::{Trace, short},
};

/// The program waits so many milliseconds for what is due, at least.
const SHORTEST: i64 = 20;

/// A centre's machine.
pub struct Centre {
    /// Its number, from 1.
    pub n: u16,
    /// Its code.
    pub code: ParticipantCode,
    /// Its clock.
    pub clock: Arc<LocalClock>,
    dir: PathBuf,
    line: Line,
    life: Option<(Station, Day)>,
    /// Its program has ended in its last turn without being asked.
    pub crashed: bool,
    /// How many times its keys have changed.
    pub changes: u32,
    /// It was shut out and has come again, on another machine that does not know how far the former one was.
    pub returned: bool,
    trace: Trace,
}

/// What its program does in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Somebody may have written.
    Look,
    /// The mailbox may have something.
    Fetch,
    /// Something may be due.
    Due,
}

impl Centre {
    /// The `n`th centre of the city in `city`.
    pub fn new(city: &Path, n: u16, line: Line, time: &Time, trace: Trace) -> Self {
        Self::at(centre_dir(city, n), n, line, time, trace)
    }

    /// The `n`th centre, as it lies in `dir`.
    pub fn at(dir: PathBuf, n: u16, line: Line, time: &Time, trace: Trace) -> Self {
        let (code, clock) = (centre_code(n), time.clock());
        Self { n, code, clock, dir, line, life: None, crashed: false, changes: 0, returned: false, trace }
    }

    /// Its way to the server.
    pub fn line(&self) -> Line {
        self.line.clone()
    }

    /// What the trace calls it.
    pub fn name(&self) -> String {
        format!("c{}", self.n)
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.dir.join(init::DATABASE)
    }

    /// The directory of the machine.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its configuration.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn config(&self) -> Result<exchange_endpoint::config::Config<config::SpokeConfig>, Failure> {
        Ok(config::load(&self.dir.join(init::FILE))?)
    }

    /// Its keys begin to change.
    ///
    /// # Errors
    /// The command's.
    pub fn rotate(&mut self) -> Result<String, Failure> {
        self.changes += 1;
        new_keys::begin(&self.config()?, &secrets_of(self.code, self.changes), self.clock.now())?;
        Ok(format!("{} changes its keys", self.name()))
    }

    /// Somebody lets the stream go on that a restore has stopped, with `keep` of what has moved apart. Whether something is to
    /// be done yet: `ready` was confirmed now, `asked` waits for the hub, `none` needs nothing.
    ///
    /// # Errors
    /// The command's.
    pub fn resync(&self, keep: Keep) -> Result<&'static str, Failure> {
        let config = self.config()?;
        let mut connection = station::open_database(&config)?;
        let standing = resync::look(&config, &connection, &mut |_| Ok(()))?;
        if let ("ready", Some(digest)) = (standing.stage, &standing.snapshot) {
            resync::confirm(&mut connection, config.code, digest, Some(keep), self.clock.now())?;
        }
        Ok(standing.stage)
    }

    /// What `resync` shows: each table, what becomes of how many of its records, and packets that nobody knows any more.
    ///
    /// # Errors
    /// The command's.
    pub fn shown_by_resync(&self) -> Result<String, Failure> {
        let config = self.config()?;
        let connection = station::open_database(&config)?;
        let shown = resync::look(&config, &connection, &mut |_| Ok(()))?;
        let one = |(table, all): (&&str, &BTreeMap<_, u64>)| {
            all.iter()
                .map(|(what, n): (&What, _)| format!("{table} {}: {n}", what.word()))
                .collect::<Vec<_>>()
        };
        let unknown = shown.unknown.iter().map(|name| format!("{} unknown", short(name)));
        Ok(shown.records.iter().flat_map(one).chain(unknown).collect::<Vec<_>>().join(", "))
    }

    /// Ends the program, if it runs.
    pub fn stop(&mut self) {
        self.life = None;
    }

    /// The program's turn under `mishap`. An end by a mishap is told; any other failure is an error.
    ///
    /// # Errors
    /// What went wrong without a mishap.
    pub fn turn(&mut self, turn: Turn, mishap: Mishap) -> Result<(), String> {
        self.turn_noting(turn, mishap, None)
    }

    /// As [`Self::turn`]; `noting` is told of each step.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub fn turn_noting(&mut self, turn: Turn, mishap: Mishap, noting: Noting) -> Result<(), String> {
        let ended = under(mishap, noting, || self.act(turn));
        self.crashed = matches!(ended, End::Crashed(_));
        let goes_on = ended.told(&self.trace, &self.name(), &format!("{turn:?}"), mishap);
        if !matches!(goes_on, Ok(true)) {
            self.life = None;
        }
        goes_on.map(drop)
    }

    fn act(&mut self, turn: Turn) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        if self.life.is_none() {
            self.begin()?;
        }
        let (station, day) = self.life.as_mut().expect("begun");
        let done = match turn {
            Turn::Look => at_once(day.look_at_database(station, &self.line)),
            Turn::Fetch => at_once(day.fetch(station, &self.line)),
            Turn::Due => at_once(day.due(station, &self.line)),
        };
        done.map_err(|error| told(&error))
    }

    /// Opens everything, as the program does when it starts.
    fn begin(&mut self) -> Result<(), String> {
        let config = self.config().map_err(|error| format!("{error:?}"))?;
        let mut station = Station::open(config).map_err(|error| error.to_string())?;
        own_chance(&station.connection).map_err(|error| error.to_string())?;
        own_records::settle(&station.connection, 0).map_err(|error| error.to_string())?;
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let mut day = Day::begin(&mut station, clock).map_err(|error| error.to_string())?;
        let begun = at_once(day.work(&mut station, &self.line));
        self.life = Some((station, day));
        begun.map_err(|error| error.to_string())
    }

    /// Whether something is due by its clock; of a program that does not run, that it begins.
    pub fn is_due(&self) -> bool {
        self.until_due().is_none_or(|wait| wait <= SHORTEST)
    }

    /// Milliseconds until something is due by its clock, if it runs.
    pub fn until_due(&self) -> Option<i64> {
        let (station, day) = self.life.as_ref()?;
        let wait = day.until_due(station).ok()?;
        i64::try_from(wait.as_millis()).ok()
    }
}

/// The result of `work`, which never waits: nothing here is done by anybody else.
fn at_once<F: Future>(work: F) -> F::Output {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits for something outside of the simulation"),
    }
}

/// Lets SQLite take the chance of its `randomblob` and `random` from this thread's.
///
/// # Errors
/// SQLite's.
pub fn own_chance(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let none = |_| rusqlite::Error::UnwindingPanic;
    connection.create_scalar_function("randomblob", 1, flags, move |context| {
        let mut bytes = vec![0; context.get(0)?];
        chance::fill(&mut bytes).map_err(none)?;
        Ok(bytes)
    })?;
    connection
        .create_scalar_function("random", 0, flags, move |_| Ok(i64::from(chance::number().map_err(none)?)))
}
