//! The log: English lines for administrators, to standard error or appended to a file. Never personal data.

use std::{
    fs::OpenOptions,
    path::Path,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{filter::Targets, fmt, prelude::*};

use crate::output::{Exit, Failure};

/// The variable whose filter wins over the configured one.
pub const FILTER_VARIABLE: &str = "RUST_LOG";

/// Starts logging for this process: to `file` (appended) or to standard error. `filter` is a list such as
/// `info,svod_hub::edges=debug`; [`FILTER_VARIABLE`] in the environment wins.
pub fn start(filter: &str, file: Option<&Path>) -> Result<(), Failure> {
    let from_environment = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    begin(parse(from_environment.as_deref().unwrap_or(filter))?, file)
}

fn begin(filter: Targets, file: Option<&Path>) -> Result<(), Failure> {
    let log = fmt::layer().with_ansi(false).with_target(true);
    let filtered = tracing_subscriber::registry().with(filter);
    let started = match file {
        None => filtered.with(log.with_writer(std::io::stderr)).try_init(),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| {
                Failure::new(Exit::of_io(&error), "log-file")
                    .told("file", path.display())
                    .because("detail", error)
            })?;
            filtered.with(log.with_writer(Mutex::new(Arc::new(file)))).try_init()
        }
    };
    started.map_err(|error| Failure::bug(&error))
}

fn parse(filter: &str) -> Result<Targets, Failure> {
    filter.parse().map_err(|error| {
        Failure::new(Exit::Usage, "log-filter").with("filter", filter.to_owned()).told("detail", error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_and_an_unwritable_file_are_told() {
        let failure = parse("svod=loudly").expect_err("no such level");
        assert_eq!((failure.code(), failure.exit()), ("log-filter", Exit::Usage));
        let failure = start("info", Some(Path::new("/nonexistent/hub.log"))).expect_err("no directory");
        assert_eq!((failure.code(), failure.exit()), ("log-file", Exit::Usage));
    }

    #[test]
    fn lines_are_appended_to_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("hub.log");
        std::fs::write(&path, "before\n").expect("written");
        begin(parse("info").expect("a level"), Some(&path)).expect("the first of this process");
        tracing::info!(packets = 3, "sealed");
        tracing::debug!("not shown");
        let log = std::fs::read_to_string(&path).expect("read");
        assert!(log.starts_with("before\n") && log.contains("sealed packets=3"), "{log}");
        assert!(!log.contains("not shown"));
    }
}
