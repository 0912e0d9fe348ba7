//! Wrong passwords, counted for each account and address: they slow the answer, then lock.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// At most so many pairs are remembered; beyond that the oldest is forgotten.
const MAX_ENTRIES: usize = 4096;

/// The count. Time comes in as a parameter.
#[derive(Debug)]
pub(super) struct LoginGuard {
    failures: u32,
    lock: Duration,
    delay: Duration,
    seen: BTreeMap<(String, IpAddr), Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u32,
    last: Instant,
}

impl LoginGuard {
    pub fn new(failures: u32, lock: Duration, delay: Duration) -> Self {
        Self { failures: failures.max(1), lock, delay, seen: BTreeMap::new() }
    }

    /// Whether `user` may not try from `address` now.
    pub fn is_locked(&self, user: &str, address: IpAddr, now: Instant) -> bool {
        let seen = self.seen.get(&(user.to_owned(), address));
        seen.is_some_and(|s| s.count >= self.failures && now.duration_since(s.last) < self.lock)
    }

    /// Notes a failure; returns how long its answer is to wait.
    pub fn failed(&mut self, user: &str, address: IpAddr, now: Instant) -> Duration {
        let key = (user.to_owned(), address);
        if self.seen.len() >= MAX_ENTRIES && !self.seen.contains_key(&key) {
            self.make_room(now);
        }
        let seen = self.seen.entry(key).or_insert(Seen { count: 0, last: now });
        if now.duration_since(seen.last) >= self.lock {
            seen.count = 0;
        }
        seen.count = seen.count.saturating_add(1);
        seen.last = now;
        self.delay * seen.count.min(self.failures)
    }

    fn make_room(&mut self, now: Instant) {
        self.seen.retain(|_, s| now.duration_since(s.last) < self.lock);
        if self.seen.len() >= MAX_ENTRIES
            && let Some(oldest) = self.seen.iter().min_by_key(|(_, s)| s.last).map(|(key, _)| key.clone())
        {
            self.seen.remove(&oldest);
        }
    }

    /// Forgets the failures of an account that has logged in.
    pub fn succeeded(&mut self, user: &str, address: IpAddr) {
        self.seen.remove(&(user.to_owned(), address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn failures_slow_then_lock_one_account_from_one_address_until_the_term_ends() {
        let second = Duration::from_secs(1);
        let mut guard = LoginGuard::new(3, 900 * second, second);
        let start = Instant::now();
        for n in 1..=3 {
            assert!(!guard.is_locked("7700012", HERE, start));
            assert_eq!(guard.failed("7700012", HERE, start), n * second);
        }
        assert!(guard.is_locked("7700012", HERE, start + 899 * second));
        assert!(!guard.is_locked("7700012", THERE, start));
        assert!(!guard.is_locked("7700029", HERE, start));
        let later = start + 900 * second;
        assert!(!guard.is_locked("7700012", HERE, later));
        assert_eq!(guard.failed("7700012", HERE, later), second, "the count begins anew");
    }

    #[test]
    fn a_login_clears_the_count_and_the_table_is_bounded() {
        let mut guard = LoginGuard::new(2, Duration::from_mins(15), Duration::ZERO);
        let start = Instant::now();
        guard.failed("a", HERE, start);
        guard.succeeded("a", HERE);
        guard.failed("a", HERE, start);
        assert!(!guard.is_locked("a", HERE, start));
        for n in 0..4096 + 5 {
            guard.failed("b", IpAddr::V4(n.into()), start + Duration::from_millis(n.into()));
        }
        assert_eq!(guard.seen.len(), MAX_ENTRIES);
    }
}
