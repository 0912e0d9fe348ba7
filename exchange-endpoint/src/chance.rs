//! Chance at the edges: ids, nonces, jitter, names of unfinished files. It comes from the operating system, unless
//! this thread was given a source of its own: so a simulated history repeats itself to the byte. Secret keys are never
//! made from here.

use std::{cell::RefCell, io};

/// Fills bytes.
pub type Source = Box<dyn FnMut(&mut [u8])>;

thread_local! {
    static GIVEN: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// Fills `bytes` by chance.
///
/// # Errors
/// The operating system gives none.
pub fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    GIVEN.with_borrow_mut(|given| match given {
        Some(source) => {
            source(bytes);
            Ok(())
        }
        None => getrandom::fill(bytes),
    })
}

/// A number by chance.
///
/// # Errors
/// As [`fill`].
pub fn number() -> Result<u32, getrandom::Error> {
    let mut bytes = [0; 4];
    fill(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

/// Sixteen letters by chance, for the name of a file that is not whole yet.
///
/// # Errors
/// As [`fill`].
pub fn letters() -> io::Result<String> {
    let mut bytes = [0; 8];
    fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

/// Lets this thread take its chance from `source` until the value is dropped.
pub fn given(source: Source) -> Given {
    GIVEN.set(Some(source));
    Given(())
}

/// While it lives, this thread has a source of its own.
#[derive(Debug)]
#[must_use]
pub struct Given(());

impl Drop for Given {
    fn drop(&mut self) {
        GIVEN.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_source_is_this_threads_alone_and_ends_with_its_value() {
        let given = given(Box::new(|bytes| bytes.fill(7)));
        assert_eq!(number().expect("given"), 0x0707_0707);
        let other = std::thread::spawn(|| number().expect("from the operating system"));
        assert_ne!(other.join().expect("ended"), 0x0707_0707);
        drop(given);
        assert_ne!(number().expect("from the operating system"), 0x0707_0707);
    }
}
