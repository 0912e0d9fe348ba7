//! What befalls a program at one of its durable steps: it ends there, or the disk refuses.

use std::{
    cell::RefCell,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

use exchange_endpoint::failpoint::{self, Step};
use fixtures::dice::Dice;

use super::trace::Trace;

/// What is to befall it, at the step with that number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    Nothing,
    /// The program ends before the step is done.
    EndBefore(u32),
    /// The program ends when the step is done.
    EndAfter(u32),
    /// The disk refuses this step.
    Refused(u32),
    /// The disk is full from this step on.
    Full(u32),
}

impl Mishap {
    /// One of them, at an early step.
    pub fn throw(dice: &mut Dice) -> Self {
        let step = 1 + u32::try_from(dice.below(9)).expect("small");
        match dice.below(8) {
            0..3 => Self::EndBefore(step),
            3..6 => Self::EndAfter(step),
            6 => Self::Refused(step),
            _ => Self::Full(step),
        }
    }
}

/// How a turn ended.
#[derive(Debug)]
pub enum End<T> {
    /// Of itself; whether the disk has refused something.
    Done(T, bool),
    /// At this step.
    Crashed(String),
    /// It panicked: a bug.
    Panicked(String),
}

/// Thrown by a step at which the program ends.
struct Crash;

/// Is told of each step before it is done (`true`) and after it.
pub type Noting = Option<Box<dyn FnMut(Step<'_>, bool)>>;

/// Does `work` under `mishap`.
pub fn under<T>(mishap: Mishap, mut noting: Noting, work: impl FnOnce() -> T) -> End<T> {
    let fired: Rc<RefCell<Option<String>>> = Rc::default();
    let _watched = (mishap != Mishap::Nothing || noting.is_some()).then(|| {
        let fired = Rc::clone(&fired);
        let mut passed = 0;
        failpoint::watch(Box::new(move |step, before| {
            let name = step.name;
            passed += u32::from(before);
            if let Some(note) = &mut noting {
                note(step, before);
            }
            let at = |side| format!("{side} {name} {passed}");
            match mishap {
                Mishap::EndBefore(n) if before && passed == n => end(&fired, at("before")),
                Mishap::EndAfter(n) if !before && passed == n => end(&fired, at("after")),
                Mishap::Refused(n) if before && passed == n => {
                    refuse(&fired, at("refused"), io::ErrorKind::Other)
                }
                Mishap::Full(n) if before && passed >= n => {
                    refuse(&fired, at("full"), io::ErrorKind::StorageFull)
                }
                _ => Ok(()),
            }
        }))
    });
    let done = catch_unwind(AssertUnwindSafe(work));
    let fired = fired.borrow_mut().take();
    match done {
        Ok(done) => End::Done(done, fired.is_some()),
        Err(thrown) if thrown.is::<Crash>() => End::Crashed(fired.unwrap_or_default()),
        Err(thrown) => {
            let text = thrown.downcast_ref::<String>().map(String::as_str);
            End::Panicked(text.or_else(|| thrown.downcast_ref::<&str>().copied()).unwrap_or("?").to_owned())
        }
    }
}

impl End<Result<(), String>> {
    /// Tells in `trace` what a mishap has done to `who` at `what`. Whether its program goes on; what went wrong
    /// without a mishap is an error.
    pub fn told(self, trace: &Trace, who: &str, what: &str, mishap: Mishap) -> Result<bool, String> {
        match self {
            Self::Done(Ok(()), false) => Ok(true),
            Self::Done(Ok(()), true) => {
                trace.tell(who, &format!("{what}: {mishap:?}, and went on"));
                Ok(true)
            }
            Self::Done(Err(error), true) => {
                trace.tell(who, &format!("{what}: {mishap:?}, ended"));
                tracing::debug!(error, "ended by a mishap");
                Ok(false)
            }
            Self::Done(Err(error), false) => Err(format!("{who} {what}: {error}")),
            Self::Crashed(at) => {
                trace.tell(who, &format!("{what}: crashed {at}"));
                Ok(false)
            }
            Self::Panicked(text) => Err(format!("{who} {what} panicked: {text}")),
        }
    }
}

fn end(fired: &RefCell<Option<String>>, at: String) -> io::Result<()> {
    fired.replace(Some(at));
    // not a panic: nothing is printed
    resume_unwind(Box::new(Crash))
}

fn refuse(fired: &RefCell<Option<String>>, at: String, kind: io::ErrorKind) -> io::Result<()> {
    fired.borrow_mut().get_or_insert(at);
    Err(kind.into())
}
