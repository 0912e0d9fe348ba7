//! A whole hub over real files, with centres that speak the format.

mod carried;
mod centre;
mod crash;
mod damage;
mod days;
mod decisions;
mod documents;
mod emptied;
mod exchange;
mod keys;
mod rebuild;
mod recovery;
mod refusals;
mod requests;
mod rules;
mod signing;
mod strangers;

use exchange_endpoint::config::Config;
use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, Record, RecordId},
    signature::{RecordText, sign_record},
};

use self::centre::{TestCentre, now};
use svod_hub::edges::{
    config::HubConfig,
    hub::{self, Hub},
    intake::Taken,
    operations::{enrol, init},
};

/// A hub in a temporary directory.
pub struct TestHub {
    pub dir: tempfile::TempDir,
    pub hub: Hub,
}

impl TestHub {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let new = init::NewHub {
            dir: dir.path(),
            code: ParticipantCode::new(42, 0),
            name: "ТКЦ",
            host: None,
            port: 0,
            oktmo: "32701000",
            actor: "test",
        };
        init::init(&new, now()).expect("made");
        let hub = Self::opened(dir.path());
        Self { dir, hub }
    }

    fn opened(dir: &std::path::Path) -> Hub {
        let config = Config::load(&dir.join("svod-hub.toml")).expect("read");
        hub::open(&config).expect("opened")
    }

    /// What commands go by: they open the hub for themselves.
    fn config(&self) -> Config<HubConfig> {
        Config::load(&self.dir.path().join("svod-hub.toml")).expect("read")
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
        enrol::add(&self.config(), &card, &fingerprint, &password, "test", now()).expect("added");
        self.hub.context.reload().expect("loaded");
        centre
    }

    /// `record` as this hub would have published it to `centre`.
    fn signed(&self, centre: &TestCentre, record: &Record) -> Record {
        let hash = record.hash();
        let text = RecordText::of(centre.code, record, &hash);
        let signature = sign_record(&self.hub.context.keys.signing, &text);
        Record { signature: Some(signature), ..record.clone() }
    }

    fn take(&mut self, centre: &TestCentre, name: &str) -> Taken {
        self.hub.take(centre.code, name, now()).expect("judged")
    }

    /// Nothing is asked of `centre` any more.
    fn store_is_quiet(&mut self, centre: &TestCentre) {
        let in_force = self
            .hub
            .store
            .read(|tx| Ok::<_, svod_hub::database::DatabaseError>(tx.requests().in_force(centre.code)?));
        assert_eq!(in_force.expect("read"), []);
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

/// Of one whose names are Anna's: a birth date that may be hers mistyped, or her mother's.
const DOUBTFUL: (&str, &str) = ("birth_date", "12.03.1958");

/// Анна Белова, `more` told of her.
fn anna(key: u8, version: u32, more: &[(&'static str, &'static str)]) -> Record {
    let base: [(&str, &str); 4] =
        [("surname", "Белова"), ("given", "Анна"), ("patronymic", "Ильинична"), ("birth_date", "12.03.1945")];
    record(Kind::RecipientClaim, key, version, &[&base[..], more].concat())
}
