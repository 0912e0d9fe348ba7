//! Why a world could not be brought up or observed.

use std::{path::PathBuf, time::Duration};

use exchange_endpoint::output::{Exit, Failure};

/// What went wrong, with the evidence. Nothing here bears personal data: commands name rows by their ids.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A command of a daemon ended in another way than it should.
    #[error("`{command}` ended with {exit}: {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        exit: String,
        /// What it said.
        stderr: String,
    },
    /// A command's result is not what its documentation says.
    #[error("`{command}` did not print {missing}")]
    Answer {
        /// The command line.
        command: String,
        /// What should be in its JSON.
        missing: &'static str,
    },
    /// A daemon that should run has ended.
    #[error("{who} has ended by itself ({exit}); its log is {log}")]
    Died {
        /// Which.
        who: String,
        /// How.
        exit: String,
        /// Where to read why.
        log: PathBuf,
    },
    /// Something did not come about in time.
    #[error("waited {} s for {what}; seen last: {seen}", after.as_secs())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        after: Duration,
        /// The last state seen.
        seen: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A database could not be read or written.
    #[error("{path}: {source}")]
    Sql {
        /// The database.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The directory to build in has something in it.
    #[error("{0} is not empty")]
    NotEmpty(PathBuf),
    /// The world lacks what an act needs, as a person known to two centres.
    #[error("this city has no {0}")]
    Lacking(&'static str),
}

impl WorldError {
    /// An error of the file system at `path`.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// An error of SQLite at `path`.
    pub fn sql(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| Self::Sql { path, source }
    }
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Self {
        let (exit, code) = match &error {
            WorldError::Command { .. } => (Exit::Bug, "demo-command"),
            WorldError::Answer { .. } => (Exit::Bug, "demo-answer"),
            WorldError::Died { .. } => (Exit::Bug, "demo-died"),
            WorldError::TimedOut { .. } => (Exit::Temporary, "demo-timed-out"),
            WorldError::File { .. } => (Exit::Temporary, "demo-file"),
            WorldError::Sql { .. } => (Exit::Bug, "demo-sql"),
            WorldError::NotEmpty(_) => (Exit::Usage, "demo-not-empty"),
            WorldError::Lacking(_) => (Exit::Usage, "demo-lacking"),
        };
        match error {
            WorldError::NotEmpty(dir) => Self::new(exit, code).told("detail", dir.display()),
            other => Self::new(exit, code).told("detail", other),
        }
    }
}
