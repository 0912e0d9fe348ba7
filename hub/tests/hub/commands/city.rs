//! A hub made by `svod-hub init`, and its commands as a script runs them.

use std::{fs, path::Path, path::PathBuf, process::Command, process::Output};

use exchange_endpoint::{config::Config, keys::CardWords, keys::OwnKeys};
use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, RecordId},
};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::Value;
use svod_hub::{
    edges::hub::{self, Hub},
    edges::register::RegisterError,
};

use crate::register::arrived;

pub struct City {
    pub dir: tempfile::TempDir,
}

pub fn centre(unit: u16) -> ParticipantCode {
    ParticipantCode::new(42, unit)
}

pub fn key(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

pub fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_svod-hub"));
    command.args(args).env("USER", "anna").output().expect("started")
}

pub fn init(dir: &Path) -> Output {
    let (dir, code) = (dir.to_str().expect("UTF-8"), centre(0).to_string());
    let args =
        ["init", "--dir", dir, "--code", &code, "--oktmo", "32701000", "--ftps-host", "hub.example.org"];
    run(&[&args[..], &["--format", "json"]].concat())
}

/// The code of the error that a command said, and its exit code.
pub fn refused(output: &Output) -> (i32, String) {
    let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(output.stdout.is_empty(), "an error is no result");
    for part in ["message", "next"] {
        assert!(error["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
    (output.status.code().expect("ended"), error["error"]["code"].as_str().expect("a code").to_owned())
}

pub fn done(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

impl City {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        done(&init(&dir.path().join("hub")));
        Self { dir }
    }

    pub fn hub(&self) -> PathBuf {
        self.dir.path().join("hub")
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let config = self.hub().join("svod-hub.toml");
        let common = ["--config", config.to_str().expect("UTF-8"), "--format", "json"];
        run(&[args, &common].concat())
    }

    /// New keys of a centre: the file of its card, and the fingerprint.
    pub fn card(&self, unit: u16) -> (String, String) {
        self.card_with(unit, None)
    }

    /// [`card`](Self::card), with a certificate authority as only a hub's card has one.
    pub fn card_with(&self, unit: u16, tls_ca: Option<&str>) -> (String, String) {
        self.card_called(unit, &format!("ЦСОН {unit}"), tls_ca)
    }

    /// [`card_with`](Self::card_with), of a centre of this name.
    pub fn card_called(&self, unit: u16, name: &str, tls_ca: Option<&str>) -> (String, String) {
        let keys = tempfile::tempdir_in(self.dir.path()).expect("a directory");
        let today = Zoned::now().date();
        let words = CardWords {
            name: name.to_owned(),
            valid_from: today,
            valid_until: today.saturating_add(1.years()),
            tls_ca: tls_ca.map(str::to_owned),
        };
        let card = OwnKeys::create(&keys.path().join("k"), centre(unit), words).expect("made").card;
        let name = format!("{}.card", &card.fingerprint()[..16]);
        (self.file(&name, card.to_bytes()), card.fingerprint())
    }

    pub fn add(&self, card: &(String, String), password: &str) -> Output {
        let password = self.file("password", format!("{password}\n"));
        self.run(&[
            "centre",
            "add",
            "--card",
            &card.0,
            "--fingerprint",
            &card.1,
            "--password-file",
            &password,
        ])
    }

    /// Two centres, each with a claim: one person by its names, but not by the year of birth, so that staff are asked.
    pub fn with_a_question(&self) {
        for unit in [1, 2] {
            done(&self.add(&self.card(unit), "long enough"));
        }
        for (unit, workplace, birth) in [(1, "Завод", "12.03.1945"), (2, "Шахта", "12.03.1958")] {
            let mut body = Body::new(Kind::RecipientClaim);
            for (field, value) in [
                ("surname", "Белова"),
                ("given", "Анна"),
                ("patronymic", "Ильинична"),
                ("birth_date", birth),
                ("workplace", workplace),
            ] {
                body.set(field, value).expect("plain");
            }
            self.receive(unit, u8::try_from(unit).expect("small"), &body);
        }
    }

    /// Takes in a record of a centre's; what it refers to is there.
    pub fn receive(&self, unit: u16, n: u8, body: &Body) {
        let config = Config::load(&self.hub().join("svod-hub.toml")).expect("read");
        let Hub { mut store, context, .. } = hub::open(&config).expect("opened");
        let (bytes, kind) = (body.to_xml(), body.kind());
        let arrived = arrived(centre(unit), kind, key(n), &bytes);
        let done = store.write(|tx| {
            let row = tx.store_received(None, &arrived)?.expect("new");
            let referent = (kind != Kind::RecipientClaim).then(|| body.text("recipient")).flatten();
            if let Some(referent) = referent.and_then(|text| text.parse().ok()) {
                tx.set_references(centre(unit), row, &[referent], true)?;
            }
            let register = context.register(tx, "test", Timestamp::now());
            match kind {
                Kind::RecipientClaim => drop(register.take_in(&[row], &[])?),
                Kind::ProgrammeClaim | Kind::SupplementClaim => drop(register.take_in(&[], &[row])?),
                _ => {}
            }
            Ok::<_, RegisterError>(())
        });
        done.expect("taken in");
    }

    pub fn review_file(&self, name: &str) -> (String, String) {
        let path = self.dir.path().join(name).to_str().expect("UTF-8").to_owned();
        done(&self.run(&["review", "list", "--out", &path]));
        let text = fs::read_to_string(&path).expect("written");
        (path, text)
    }

    pub fn persons(&self) -> u64 {
        done(&self.run(&["status"]))["persons"].as_u64().expect("a number")
    }

    pub fn uid(&self, unit: u16) -> String {
        let db = rusqlite::Connection::open(self.hub().join("hub.db")).expect("opened");
        let sql = "SELECT uid FROM person_record WHERE origin = ?1";
        db.query_one(sql, [centre(unit).as_str()], |row| row.get(0)).expect("a person")
    }

    /// Events of the journal and actions of the hub's inputs, in order.
    pub fn noted(&self) -> (Vec<String>, Vec<String>) {
        let db = rusqlite::Connection::open(self.hub().join("hub.db")).expect("opened");
        let column = |sql: &str| -> Vec<String> {
            let mut statement = db.prepare(sql).expect("SQL");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, _>>().expect("text")
        };
        let events = column("SELECT event FROM journal ORDER BY n");
        (
            events,
            column("SELECT action FROM hub_input WHERE action NOT IN ('link', 'person.new') ORDER BY at"),
        )
    }
}
