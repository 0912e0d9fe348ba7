//! Somebody else writes into the hub's database while its daemon has it open.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use exchange_endpoint::clock::Clock;
use jiff::Timestamp;
use svod_hub::{
    database::DatabaseError,
    edges::{event_loop::Daemon, hub::HubError},
};

use super::{TestHub, centre::now, requests::published};

/// A clock that goes on by a second whenever it is asked.
#[derive(Default)]
struct Asked(AtomicU64);

impl Clock for Asked {
    fn now(&self) -> Timestamp {
        now()
    }

    fn running(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[test]
fn who_writes_on_and_on_has_a_tenth_of_the_time_looked_at() {
    let (hub, ..) = published();
    let TestHub { dir, hub } = hub;
    let beside = || {
        let db = rusqlite::Connection::open(dir.path().join("hub.db")).expect("opened");
        db.execute("UPDATE centre SET name = name || '.'", []).expect("written");
    };
    let mut daemon = Daemon::new(hub, Arc::new(Asked::default()));
    daemon.start().expect("begins, and has looked");
    for _ in 0..3 {
        beside();
        let mut waited = 0;
        while let Err(error) = daemon.stand() {
            assert!(matches!(error, HubError::Database(DatabaseError::Unlooked)), "{error}");
            let store = &mut daemon.hub().store;
            let written = store.write(|_| Ok::<_, DatabaseError>(()));
            assert!(matches!(written, Err(DatabaseError::Unlooked)), "nothing is done before");
            waited += 1;
            assert!(waited < 100, "it is looked at some day");
        }
        assert!(waited >= 7, "nine times as long as it took: {waited}");
        daemon.stand().expect("once");
        daemon.hub().store.write(|_| Ok::<_, DatabaseError>(())).expect("goes on");
    }
}
