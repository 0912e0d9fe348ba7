//! A whole hub over real files, with centres that speak the format.

mod centre;
mod exchange;
mod refusals;

use exchange_endpoint::config::Config;
use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, Record, RecordId},
};

use self::centre::{TestCentre, now};
use super::{
    hub::{self, Hub},
    intake::Taken,
    operations::enrol,
};

/// A hub in a temporary directory.
pub struct TestHub {
    pub dir: tempfile::TempDir,
    pub hub: Hub,
}

impl TestHub {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let new = enrol::NewHub {
            dir: dir.path(),
            code: ParticipantCode::new(42, 0),
            name: "ТКЦ",
            oktmo: None,
            listen: "127.0.0.1:0",
        };
        enrol::init(&new, now()).expect("made");
        let hub = Self::opened(dir.path());
        Self { dir, hub }
    }

    fn opened(dir: &std::path::Path) -> Hub {
        let config = Config::load(&dir.join("svod-hub.toml")).expect("read");
        hub::open(&config).expect("opened")
    }

    /// Opens it again, as after a crash.
    fn reopen(&mut self) {
        self.hub = Self::opened(self.dir.path());
    }

    /// Enrols a new centre.
    fn centre(&mut self, unit: u16) -> TestCentre {
        let centre = TestCentre::new(unit, self);
        let (card, password) = (self.dir.path().join("c.card"), self.dir.path().join("password"));
        std::fs::write(&card, centre.keys.card.to_bytes()).expect("written");
        std::fs::write(&password, "long enough\n").expect("written");
        let fingerprint = centre.keys.card.fingerprint();
        enrol::add_centre(&mut self.hub, &card, &fingerprint, &password, now()).expect("added");
        centre
    }

    fn take(&mut self, centre: &TestCentre, name: &str) -> Taken {
        self.hub.take(centre.code, name, now()).expect("judged")
    }

    /// Seals and places.
    fn send(&mut self) {
        self.hub.seal(now()).expect("sealed");
        self.hub.place(now()).expect("placed");
    }
}

fn id(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

fn record(kind: Kind, key: u8, version: u32, fields: &[(&str, &str)]) -> Record {
    let mut body = Body::new(kind);
    for (field, value) in fields {
        body.set(field, value).expect("plain");
    }
    Record::live(id(key), version, &body)
}

/// Анна Белова, `more` told of her.
fn anna(key: u8, version: u32, more: &[(&'static str, &'static str)]) -> Record {
    let base: [(&str, &str); 4] =
        [("surname", "Белова"), ("given", "Анна"), ("patronymic", "Ильинична"), ("birth_date", "12.03.1945")];
    record(Kind::RecipientClaim, key, version, &[&base[..], more].concat())
}
