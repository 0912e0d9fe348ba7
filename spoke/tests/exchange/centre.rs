//! A centre as an operator has it: a directory, the program's commands, its database.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use exchange_format::record::{Body, Form, Kind, Record, RecordId};
use rusqlite::Connection;

use super::hub::Hub;

pub struct Centre {
    pub dir: tempfile::TempDir,
    pub hub: Hub,
}

impl Centre {
    /// A centre and its hub, enrolled with each other.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut hub = Hub::new(dir.path());
        let output = Command::new(env!("CARGO_BIN_EXE_svod-spoke"))
            .args(["init", "--format", "json", "--code", hub.centre.as_str()])
            .arg("--dir")
            .arg(dir.path().join("centre"))
            .arg("--hub-card")
            .arg(dir.path().join("hub.card"))
            .args(["--hub-fingerprint", &hub.keys.card.fingerprint()])
            .output()
            .expect("ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let centre_dir = dir.path().join("centre");
        hub.enrol(&centre_dir.join(format!("{}.card", hub.centre)));
        let config = centre_dir.join("svod-spoke.toml");
        let text = fs::read_to_string(&config).expect("the configuration");
        let text = text.replace("path = \"mailbox\"", &format!("path = \"{}\"", hub.mailbox.display()));
        fs::write(&config, text).expect("written");
        Self { dir, hub }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("centre").join(name)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_svod-spoke"));
        command.args(args).arg("--config").arg(self.path("svod-spoke.toml")).env("RUST_BACKTRACE", "0");
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("ran")
    }

    /// Runs a command that must end with 0 and gives its JSON.
    pub fn ok(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(&[args, &["--format", "json"]].concat());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let log = fs::read_to_string(self.path("spoke.log")).unwrap_or_default();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{args:?}: {:?} {told} {error}\n{log}", output.status);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Runs a command that must end with `code`; gives its standard output and error.
    pub fn ends(&self, args: &[&str], code: i32) -> (String, String) {
        let output = self.run(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}: {out} {error}");
        (out, error)
    }

    pub fn db(&self) -> Connection {
        let connection = Connection::open(self.path("centre.db")).expect("opens");
        connection.busy_timeout(std::time::Duration::from_secs(20)).expect("set");
        connection.execute_batch("PRAGMA foreign_keys = OFF").expect("set");
        connection
    }

    pub fn sql(&self, sql: &str) {
        self.db().execute_batch(sql).expect(sql);
    }

    pub fn value(&self, sql: &str) -> String {
        let value: Option<rusqlite::types::Value> =
            self.db().query_row(sql, [], |row| row.get(0)).expect(sql);
        match value {
            None | Some(rusqlite::types::Value::Null) => String::new(),
            Some(rusqlite::types::Value::Text(text)) => text,
            Some(rusqlite::types::Value::Integer(n)) => n.to_string(),
            Some(other) => panic!("{sql}: {other:?}"),
        }
    }

    /// The key of a row's record.
    pub fn key(&self, table: &str, id: &str) -> RecordId {
        let sql = format!("SELECT key FROM svod_record WHERE kind = '{table}' AND id = '{id}'");
        self.value(&sql).parse().expect("a key")
    }

    /// A centre with a recipient `r1`, sent and answered.
    pub fn with_recipient() -> Self {
        let mut centre = Self::new();
        centre.sql(
            "INSERT INTO recipient (id, surname, given, phone) VALUES ('r1', 'Иванова', 'Анна', '+7900')",
        );
        centre.settle();
        centre
    }

    /// One round in which the hub answers everything.
    pub fn settle(&mut self) {
        self.ok(&["sync"]);
        for packet in self.hub.take_data() {
            self.hub.answer(&packet, &[]);
        }
        self.ok(&["sync"]);
    }

    /// A round in which the hub's packets are applied. While data stop, whoever asked is told by the exit.
    pub fn sync(&self) {
        let ended = self.command(&["sync"]).output().expect("it ends");
        let stop = self.value("SELECT max(stop) FROM svod_stream WHERE direction = 'out'");
        let expected = if stop.is_empty() { 0 } else { 3 };
        assert_eq!(ended.status.code(), Some(expected), "{}", String::from_utf8_lossy(&ended.stderr));
    }

    /// The hub makes the claim of `row` part of the person `uid` with this surname.
    pub fn publish_person(&mut self, uid: RecordId, row: &str, surname: &str) -> String {
        let (person, link) = (self.person(uid, surname), self.link(self.key("recipient", row), uid, true));
        self.hub.publish(&[person, link])
    }

    pub fn person(&self, uid: RecordId, surname: &str) -> Record {
        self.hub.record(uid, Form::Live, &person_body(surname))
    }

    pub fn link(&self, claim: RecordId, uid: RecordId, primary: bool) -> Record {
        let mut body = Body::new(Kind::Link);
        for (field, value) in [
            ("claim_kind", "recipient_claim".to_owned()),
            ("claim", claim.to_string()),
            ("target", uid.to_string()),
            ("primary", u8::from(primary).to_string()),
            ("based_on", "1".to_owned()),
        ] {
            body.set(field, &value).expect("text");
        }
        self.hub.record(claim, Form::Live, &body)
    }
}

pub fn person_body(surname: &str) -> Body {
    let mut body = Body::new(Kind::Person);
    let stem = "42-32701000-000001-";
    let check = char::from(exchange_format::check_digit::mod_11_10(stem));
    for (field, value) in [
        ("case_number", format!("{stem}{check}")),
        ("surname", surname.to_owned()),
        ("given", "Анна".to_owned()),
    ] {
        body.set(field, &value).expect("text");
    }
    assert_eq!(body.findings(), []);
    body
}

pub fn uid(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}
