//! Waiting for a state, never longer than told.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::WorldError;

const STEP: Duration = Duration::from_millis(50);

/// What one look at the world showed.
#[derive(Debug)]
pub enum Look<T> {
    /// The state is reached.
    Reached(T),
    /// Not yet; how it stands, for the error and for progress.
    NotYet(String),
}

/// Looks again and again until the state is reached.
///
/// # Errors
/// [`WorldError::TimedOut`] after `at_most`; whatever a look returns.
pub fn until<T>(
    what: &str,
    at_most: Duration,
    mut look: impl FnMut() -> Result<Look<T>, WorldError>,
) -> Result<T, WorldError> {
    let begun = Instant::now();
    loop {
        match look()? {
            Look::Reached(value) => return Ok(value),
            Look::NotYet(seen) if begun.elapsed() >= at_most => {
                return Err(WorldError::TimedOut { what: what.to_owned(), after: at_most, seen });
            }
            Look::NotYet(_) => thread::sleep(STEP),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_what_was_seen_last() {
        let mut n = 0;
        let error = until::<()>("rain", Duration::ZERO, || {
            n += 1;
            Ok(Look::NotYet(format!("{n} clouds")))
        });
        let text = error.expect_err("it never rains").to_string();
        assert_eq!(text, "waited 0 s for rain; seen last: 1 clouds");
    }
}
