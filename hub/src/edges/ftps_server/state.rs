//! What the sessions share: the configuration, the accounts, and the state of each centre across its connections.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::accounts::Accounts;
use super::config::FtpsConfig;
use super::login_guard::LoginGuard;
use super::password_checks::PasswordChecks;
use super::tls::ServerTls;

/// A file stands whole and durable under its final name in a centre's `in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The centre whose login brought it.
    pub centre: String,
    /// Its name.
    pub name: String,
}

/// Tells waiting sessions that a centre's `out` has gained a file.
#[derive(Debug, Clone)]
pub struct Announcer(pub(super) Arc<Centres>);

impl Announcer {
    /// Wakes every `SITE WAIT` of `centre`; call it after the file has its name in `out`.
    pub fn announce(&self, centre: &str) {
        self.0.get(centre).news.send_modify(|n| *n = n.wrapping_add(1));
    }
}

/// The centres that have logged in or been announced to.
#[derive(Debug, Default)]
pub(super) struct Centres(Mutex<BTreeMap<String, Arc<Centre>>>);

impl Centres {
    pub fn get(&self, code: &str) -> Arc<Centre> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(code.to_owned()).or_default().clone()
    }
}

/// One centre, over all its connections.
#[derive(Debug, Default)]
pub(super) struct Centre {
    connections: AtomicUsize,
    /// Counts the announcements.
    pub news: watch::Sender<u64>,
    /// Bytes that all its uploads have brought since the server started.
    pub brought: AtomicU64,
    /// Those of them that are in no file yet, so that a measure of the files is without them.
    pub on_the_way: AtomicU64,
    /// Parts being written.
    busy: Mutex<BTreeSet<String>>,
}

impl Centre {
    /// A place for one more connection, if fewer than `limit` are taken.
    pub fn sit(self: &Arc<Self>, limit: usize) -> Option<Seat> {
        let taken = self
            .connections
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < limit).then_some(n + 1));
        taken.ok().map(|_| Seat(self.clone()))
    }

    /// How many bytes were brought, and how many of them are on their way. Read in this order before the files are
    /// measured, nothing is left out; what comes between is counted twice.
    pub fn counted(&self) -> (u64, u64) {
        (self.brought.load(Ordering::Acquire), self.on_the_way.load(Ordering::Acquire))
    }

    /// The right to write `part`, if nobody else has it.
    pub fn claim(self: &Arc<Self>, part: &str) -> Option<Claim> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(part.to_owned()).then(|| Claim { centre: self.clone(), part: part.to_owned() })
    }
}

/// So many bytes on their way into a file; once it is dropped they are there, or lost.
#[derive(Debug)]
pub(super) struct OnTheWay(Arc<Centre>, u64);

impl OnTheWay {
    /// Counts `n` bytes of `centre`, and how many it has brought with them.
    pub fn count(centre: &Arc<Centre>, n: u64) -> (Self, u64) {
        centre.on_the_way.fetch_add(n, Ordering::AcqRel);
        let brought = centre.brought.fetch_add(n, Ordering::AcqRel) + n;
        (Self(centre.clone(), n), brought)
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.on_the_way.fetch_sub(self.1, Ordering::AcqRel);
    }
}

/// One connection's place; given back on drop.
#[derive(Debug)]
pub(super) struct Seat(pub Arc<Centre>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The right to one part; given back on drop.
#[derive(Debug)]
pub(super) struct Claim {
    centre: Arc<Centre>,
    part: String,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut busy = self.centre.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.part);
    }
}

/// How many connections each address has.
#[derive(Debug, Default)]
pub(super) struct Addresses(Mutex<BTreeMap<IpAddr, usize>>);

impl Addresses {
    /// A place for one more connection from `address`, if fewer than `limit` are taken.
    pub fn sit(self: &Arc<Self>, address: IpAddr, limit: usize) -> Option<AddressSeat> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(address).or_insert(0);
        if *taken >= limit {
            return None;
        }
        *taken += 1;
        Some(AddressSeat { all: self.clone(), address })
    }
}

/// One connection's place among those of its address; given back on drop.
#[derive(Debug)]
pub(super) struct AddressSeat {
    all: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&self.address) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.address);
            }
        }
    }
}

/// What every session holds.
pub(super) struct Shared {
    pub config: FtpsConfig,
    pub accounts: Arc<dyn Accounts>,
    pub tls: ServerTls,
    pub guard: Mutex<LoginGuard>,
    pub centres: Arc<Centres>,
    pub checks: PasswordChecks,
    pub uploaded: mpsc::UnboundedSender<Uploaded>,
    /// Becomes true when the server stops.
    pub closing: watch::Receiver<bool>,
    /// Where the search for a free passive port goes on.
    pub next_port: AtomicU16,
}

impl Shared {
    pub fn guard(&self) -> std::sync::MutexGuard<'_, LoginGuard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
