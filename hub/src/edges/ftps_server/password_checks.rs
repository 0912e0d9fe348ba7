//! Password checks: few at a time, in memory that is kept for them.
//!
//! Each takes [`hash_password`](super::hash_password)'s 19 MiB. Taken anew on whatever thread a check happens to run, they
//! stay with the allocator of each of these threads: a hub at which 219 centres log in grew to 1.8 GB by that alone.

use std::sync::{Mutex, PoisonError};

use argon2::Block;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Checks at a time: each takes a core, too.
const AT_A_TIME: usize = 2;

/// Who may check a password now, and where.
#[derive(Debug)]
pub(super) struct PasswordChecks {
    permits: Semaphore,
    memory: Mutex<Vec<Memory>>,
}

/// What a check works in. Empty until the first one.
pub(super) type Memory = Vec<Block>;

impl PasswordChecks {
    pub fn new() -> Self {
        Self { permits: Semaphore::new(AT_A_TIME), memory: Mutex::default() }
    }

    /// Waits for a turn. `None`: the server stops.
    pub async fn turn(&self) -> Option<Turn<'_>> {
        let permit = self.permits.acquire().await.ok()?;
        let kept = self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Some(Turn { memory: kept.unwrap_or_default(), checks: self, _permit: permit })
    }
}

/// One's turn to check passwords.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    /// To be put back as soon as the check is done.
    pub memory: Memory,
    checks: &'a PasswordChecks,
    _permit: SemaphorePermit<'a>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.checks.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_memory_is_kept_than_checks_are_at_work_at_a_time() {
        let checks = PasswordChecks::new();
        for _ in 0..3 {
            let (mut one, mut other) =
                (checks.turn().await.expect("open"), checks.turn().await.expect("open"));
            for turn in [&mut one, &mut other] {
                turn.memory.resize(8, Block::new());
            }
        }
        let kept = checks.memory.lock().expect("nobody panicked");
        assert_eq!(kept.iter().map(Vec::len).collect::<Vec<_>>(), [8; AT_A_TIME]);
    }
}
