//! The commands of `svod-hub` as a script sees them: exit code, JSON, and what is left on the disk.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use exchange_endpoint::{
    config::Config,
    keys::{CardWords, OwnKeys},
    output::Lang,
    protocol::{Kind as ProtocolKind, Line, Protocol, Protocols},
};
use exchange_format::{
    answer::{PacketReason, RecordLine, RecordOutcome, RecordReason},
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Form, Kind, RecordId},
};
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::Value;
use svod_hub::{
    database::received::{Arrived, Standing},
    edges::{
        hub::{self, Hub},
        register::RegisterError,
    },
};

struct City {
    dir: tempfile::TempDir,
}

fn centre(unit: u16) -> ParticipantCode {
    ParticipantCode::new(42, unit)
}

fn key(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_svod-hub"));
    command.args(args).env("USER", "anna").env_remove("SUDO_USER").output().expect("started")
}

fn init(dir: &Path) -> Output {
    let (dir, code) = (dir.to_str().expect("UTF-8"), centre(0).to_string());
    let args =
        ["init", "--dir", dir, "--code", &code, "--oktmo", "32701000", "--ftps-host", "hub.example.org"];
    run(&[&args[..], &["--format", "json"]].concat())
}

/// The code of the error that a command said, and its exit code.
fn refused(output: &Output) -> (i32, String) {
    let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(output.stdout.is_empty(), "an error is no result");
    for part in ["message", "next"] {
        assert!(error["error"][part].as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
    (output.status.code().expect("ended"), error["error"]["code"].as_str().expect("a code").to_owned())
}

fn done(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

impl City {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        done(&init(&dir.path().join("hub")));
        Self { dir }
    }

    fn hub(&self) -> PathBuf {
        self.dir.path().join("hub")
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        let config = self.hub().join("svod-hub.toml");
        let common = ["--config", config.to_str().expect("UTF-8"), "--format", "json"];
        run(&[args, &common].concat())
    }

    /// New keys of a centre: the file of its card, and the fingerprint.
    fn card(&self, unit: u16) -> (String, String) {
        let keys = tempfile::tempdir_in(self.dir.path()).expect("a directory");
        let today = Zoned::now().date();
        let words = CardWords {
            name: format!("ЦСОН {unit}"),
            valid_from: today,
            valid_until: today.saturating_add(1.years()),
            tls_ca: None,
        };
        let card = OwnKeys::create(&keys.path().join("k"), centre(unit), words).expect("made").card;
        let name = format!("{}.card", &card.fingerprint()[..16]);
        (self.file(&name, card.to_bytes()), card.fingerprint())
    }

    fn add(&self, card: &(String, String), password: &str) -> Output {
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

    /// Two centres, each with a claim: one person by all but СНИЛС and address, so that staff are asked.
    fn with_a_question(&self) {
        for unit in [1, 2] {
            done(&self.add(&self.card(unit), "long enough"));
        }
        let config = Config::load(&self.hub().join("svod-hub.toml")).expect("read");
        let Hub { mut store, context, .. } = hub::open(&config).expect("opened");
        for (unit, workplace) in [(1, "Завод"), (2, "Шахта")] {
            let mut body = Body::new(Kind::RecipientClaim);
            for (field, value) in [
                ("surname", "Белова"),
                ("given", "Анна"),
                ("patronymic", "Ильинична"),
                ("birth_date", "12.03.1945"),
                ("workplace", workplace),
            ] {
                body.set(field, value).expect("plain");
            }
            let bytes = body.to_xml();
            let arrived = Arrived {
                origin: centre(unit),
                kind: Kind::RecipientClaim,
                key: key(u8::try_from(unit).expect("small")),
                version: 1,
                form: Form::Live,
                hash: Digest::of(&bytes),
                body: &bytes,
                outcome: "new",
                rule: None,
                packet: "P",
                standing: Standing::Applied,
                keep_basis: false,
            };
            store
                .write(|tx| {
                    let row = tx.store_received(None, &arrived)?.expect("new");
                    context.register(tx, "test", Timestamp::now()).take_in(&[row], &[])?;
                    Ok::<_, RegisterError>(())
                })
                .expect("taken in");
        }
    }

    fn review_file(&self, name: &str) -> (String, String) {
        let path = self.dir.path().join(name).to_str().expect("UTF-8").to_owned();
        done(&self.run(&["review", "list", "--out", &path]));
        let text = fs::read_to_string(&path).expect("written");
        (path, text)
    }

    fn persons(&self) -> u64 {
        done(&self.run(&["status"]))["persons"].as_u64().expect("a number")
    }

    fn uid(&self, unit: u16) -> String {
        let db = rusqlite::Connection::open(self.hub().join("hub.db")).expect("opened");
        let sql = "SELECT uid FROM person_record WHERE origin = ?1";
        db.query_one(sql, [centre(unit).as_str()], |row| row.get(0)).expect("a person")
    }

    /// Events of the journal and actions of the hub's inputs, in order.
    fn noted(&self) -> (Vec<String>, Vec<String>) {
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

#[test]
fn init_makes_a_hub_and_overwrites_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let hub = dir.path().join("hub");
    let told = done(&init(&hub));
    assert_eq!(told["fingerprint"].as_str().expect("text").len(), 64);
    assert_eq!(told["card"], hub.join(format!("{}.card", centre(0))).to_str().expect("UTF-8"));
    for name in
        ["svod-hub.toml", "hub.db", "pki/ca.pem", "pki/server.pem", "pki/server.key", "keys/watermark"]
    {
        assert!(hub.join(name).is_file(), "{name}");
    }
    for name in ["keys", "trust", "ftp", "archive", "quarantine", "protocols"] {
        assert!(hub.join(name).is_dir(), "{name}");
    }
    let mode = fs::metadata(hub.join("keys/signing.key")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(hub.join("svod-hub.toml")).expect("text").contains("0.0.0.0:2121"));
    let config = hub.join("svod-hub.toml");
    let card = run(&["centre", "card", "--format", "json", "--config", config.to_str().expect("UTF-8")]);
    assert_eq!(done(&card)["fingerprint"], told["fingerprint"]);

    let files = |dir: &Path| fs::read_dir(dir).expect("a directory").count();
    let before = (files(&hub), fs::read(hub.join("keys/signing.key")).expect("read"));
    assert_eq!(refused(&init(&hub)), (3, "hub-exists".into()));
    assert_eq!((files(&hub), fs::read(hub.join("keys/signing.key")).expect("read")), before);
    // one thing that is in the way keeps everything from being made
    let other = dir.path().join("other");
    fs::create_dir_all(other.join("protocols")).expect("made");
    assert_eq!(refused(&init(&other)), (3, "hub-exists".into()));
    assert_eq!(files(&other), 1);
    assert_eq!(refused(&init(Path::new("/proc/none/hub"))), (2, "hub-file".into()));
}

#[test]
fn a_centre_is_enrolled_again_renewed_shut_out_and_returns_with_new_keys_only() {
    let city = City::new();
    let first = city.card(1);
    let added = |output: &Output| {
        let told = done(output);
        (told["card"].as_str().expect("text").to_owned(), told["password_changed"] == true)
    };
    assert_eq!(added(&city.add(&first, "long enough")), ("new".into(), true));
    assert_eq!(added(&city.add(&first, "long enough")), ("known".into(), false));
    assert_eq!(added(&city.add(&first, "another one")), ("known".into(), true));
    let code = centre(1).to_string();
    for name in [format!("ftp/{code}/in"), format!("ftp/{code}/out"), format!("quarantine/{code}")] {
        assert!(city.hub().join(&name).is_dir(), "{name}");
    }
    assert_eq!(added(&city.add(&city.card(1), "another one")), ("superseded".into(), false));
    assert_eq!(fs::read_dir(city.hub().join("trust")).expect("there").count(), 2, "the old card is kept");

    fs::write(city.hub().join(format!("ftp/{code}/out/x.zip")), b"x").expect("written");
    let told = done(&city.run(&["centre", "disable", &code, "--reason", "утрачен компьютер"]));
    assert_eq!((&told["changed"], &told["removed"]), (&true.into(), &1.into()));
    assert_eq!(done(&city.run(&["centre", "disable", &code, "--reason", "ещё раз"]))["changed"], false);
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"][0]["state"], "disabled");
    assert_eq!(refused(&city.add(&first, "another one")), (3, "centre-revoked".into()));
    assert_eq!(added(&city.add(&city.card(1), "another one")), ("superseded".into(), false));
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"][0]["state"], "active");
    let added = ["centre.added", "centre.password", "centre.added", "centre.disabled", "centre.added"];
    let (events, inputs) = city.noted();
    assert_eq!((&events[1..], &inputs[..]), (&added.map(str::to_owned)[..], &added.map(str::to_owned)[..]));
    assert_eq!(events[0], "hub.created");
}

#[test]
fn what_is_wrong_with_an_enrolment_is_told() {
    let city = City::new();
    let (card, other) = (city.card(1), city.card(2));
    assert_eq!(refused(&city.add(&(card.0.clone(), other.1), "long enough")), (3, "card-fingerprint".into()));
    assert_eq!(refused(&city.add(&card, "short")), (3, "password-short".into()));
    let own = city.hub().join(format!("{}.card", centre(0))).to_str().expect("UTF-8").to_owned();
    let print = done(&city.run(&["centre", "card"]))["fingerprint"].as_str().expect("text").to_owned();
    assert_eq!(refused(&city.add(&(own, print), "long enough")), (3, "centre-is-hub".into()));
    let garbage = (city.file("garbage", "no card"), card.1.clone());
    assert_eq!(refused(&city.add(&garbage, "long enough")), (3, "card-malformed".into()));
    let missing =
        city.run(&["centre", "add", "--card", &card.0, "--fingerprint", &card.1, "--password-file", "/none"]);
    assert_eq!(refused(&missing), (2, "password-file".into()));
    let unknown = centre(9).to_string();
    assert_eq!(
        refused(&city.run(&["centre", "disable", &unknown, "--reason", "x"])),
        (3, "centre-unknown".into())
    );
    assert_eq!(refused(&city.run(&["centre", "disable", "4200001", "--reason", "x"])), (2, "usage".into()));
    assert_eq!(refused(&city.run(&["centre", "disable", &unknown, "--reason", " "])), (2, "usage".into()));
    assert_eq!(done(&city.run(&["centre", "list"]))["centres"], serde_json::json!([]));
    assert_eq!(city.noted().0, ["hub.created"]);
}

#[test]
fn staff_correct_a_person_and_confirm_who_serves_it() {
    let city = City::new();
    city.with_a_question();
    let (uid, code) = (city.uid(1), centre(1).to_string());
    let shown = done(&city.run(&["person", "show", &uid]));
    assert_eq!(shown["claims"][0]["rule"], "SINGLE");
    let field = |shown: &Value, name: &str| {
        let fields = shown["fields"].as_array().expect("fields").iter();
        fields.clone().find(|field| field["field"] == name).cloned().expect("stated")
    };
    let workplace = field(&shown, "workplace");
    assert_eq!((&workplace["value"], &workplace["centre"]), (&"Завод".into(), &code.as_str().into()));
    let case = shown["case_number"].as_str().expect("text");
    assert!(case.starts_with("42-32701000-"), "{case}");

    let confirm = |centre: &str| city.run(&["service", "confirm", centre, case, "--reason", "обслуживается"]);
    assert_eq!(done(&confirm(&code))["changed"], true);
    assert_eq!(done(&confirm(&code))["changed"], false);
    assert_eq!(refused(&confirm(centre(2).as_str())), (3, "centre-no-claim".into()));
    assert_eq!(refused(&confirm(centre(9).as_str())), (3, "centre-unknown".into()));

    let set =
        |field: &str, value: &str| city.run(&["person", "set", &uid, field, value, "--reason", "паспорт"]);
    let told = done(&set("birth_date", "13.03.1945"));
    assert_eq!((&told["changed"], &told["centres"][0]), (&true.into(), &code.as_str().into()));
    assert_eq!(done(&set("birth_date", "1945-03-13"))["changed"], false);
    let birth = field(&done(&city.run(&["person", "show", case])), "birth_date");
    assert_eq!((&birth["value"], &birth["source"]), (&"1945-03-13".into(), &"hub".into()));
    assert_eq!(
        (&birth["entry"]["actor"], &birth["losing"][0]["value"]),
        (&"anna".into(), &"1945-03-12".into())
    );
    assert_eq!(done(&set("birth_date", ""))["changed"], true);
    let birth = field(&done(&city.run(&["person", "show", case])), "birth_date");
    assert_eq!(birth["value"], "1945-03-12");

    let output = set("snils", "112-233-445 96");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("112"), "a value is never repeated");
    assert_eq!(refused(&output), (3, "value-unfit".into()));
    assert_eq!(refused(&set("case_number", "1")), (2, "field-unknown".into()));
    assert_eq!(refused(&city.run(&["person", "show", "Белова"])), (3, "person-unknown".into()));
    let (events, inputs) = city.noted();
    assert_eq!(&events[3..], ["service.confirmed", "person.entry", "person.entry"]);
    assert_eq!(&inputs[2..], ["confirm", "entry", "entry.removed"]);
}

#[test]
fn a_filled_in_table_is_applied_whole_once_and_in_any_form() {
    for (delimiter, encoding) in [(";", "utf-8"), (",", "utf-8"), (";", "windows-1251")] {
        let city = City::new();
        city.with_a_question();
        assert_eq!(city.persons(), 2);
        let (path, text) = city.review_file("out.csv");
        assert!(text.starts_with("\u{feff}review;kind;why;centre_1;"), "{text}");
        assert!(text.contains("Белова;Белова;Анна;Анна") && text.ends_with(";;\r\n"), "{text}");
        assert_eq!(refused(&city.run(&["review", "list", "--out", &path])), (3, "hub-exists".into()));
        let filled = text.replace(";;\r\n", ";Один;сёстры подтвердили\r\n").replace(';', delimiter);
        let bytes = match encoding {
            "utf-8" => filled.into_bytes(),
            _ => encoding_rs::WINDOWS_1251.encode(filled.trim_start_matches('\u{feff}')).0.into_owned(),
        };
        let filled = city.file("filled.csv", bytes);
        let told = done(&city.run(&["review", "apply", &filled]));
        assert_eq!((&told["decided"], &told["left"]), (&1.into(), &0.into()), "{delimiter} {encoding}");
        assert_eq!((city.persons(), city.uid(1)), (1, city.uid(2)));
        assert_eq!(done(&city.run(&["review", "apply", &filled]))["unchanged"], 1);
        assert_eq!(done(&city.run(&["review", "list"]))["reviews"], serde_json::json!([]));

        let other = city.file("other.csv", "review;decision;reason\n1;разные;ошибка\n");
        let output = city.run(&["review", "apply", &other]);
        assert_eq!(refused(&output), (3, "table-line".into()));
        assert_eq!(done(&city.run(&["review", "apply", &other, "--revise"]))["decided"], 1);
        assert_eq!(city.persons(), 2);
    }
}

#[test]
fn two_who_apply_the_same_table_at_once_decide_once() {
    let city = City::new();
    city.with_a_question();
    let (_, text) = city.review_file("out.csv");
    let filled = city.file("filled.csv", text.replace(";;\r\n", ";один;сёстры подтвердили\r\n"));
    let told = std::thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| done(&city.run(&["review", "apply", &filled]))));
        both.map(|one| one.join().expect("applied"))
    });
    let mut decided = told.map(|one| (one["decided"].as_u64(), one["unchanged"].as_u64()));
    decided.sort_unstable();
    assert_eq!(decided, [(Some(0), Some(1)), (Some(1), Some(0))]);
    assert_eq!(city.noted().0.iter().filter(|event| *event == "review.decided").count(), 1);
}

#[test]
fn every_bad_line_of_a_table_is_told_and_nothing_is_applied() {
    let city = City::new();
    city.with_a_question();
    let table = format!(
        "review;key_1;decision;reason\n1;{};один;да\n1;;один;да\n7;;один;да\nx;;один;да\n1;;может быть;да\n1;;один;\n1;;принять;да\n;;;\n",
        key(9)
    );
    let path = city.file("bad.csv", table);
    let output = city.run(&["review", "apply", &path, "--lang", "en"]);
    let error: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    let message = error["error"]["message"].as_str().expect("text").to_owned();
    assert_eq!(refused(&output), (3, "table-line".into()));
    let expected = [
        ":2: column key_1: not of this question",
        ":4: column review: there is no such question",
        ":5: column review: not a number",
        ":6: column decision: must be one of",
        ":7: column reason: a reason is required",
        ":8: column decision: of two records",
    ];
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{message}");
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{line} has no {part}");
    }
    assert_eq!(city.persons(), 2);
    let ragged = city.file("ragged.csv", "review;decision;reason\n1;один\n");
    assert_eq!(refused(&city.run(&["review", "apply", &ragged])), (3, "table-line".into()));
    assert_eq!(refused(&city.run(&["review", "apply", "/none.csv"])), (2, "hub-file".into()));
    assert!(!city.noted().0.contains(&"review.decided".to_owned()));
}

#[test]
fn status_and_protocols_answer_in_json_and_in_words() {
    let city = City::new();
    let (card, code) = (city.card(1), centre(1).to_string());
    done(&city.add(&card, "long enough"));
    let status = done(&city.run(&["status"]));
    assert_eq!((&status["merge_waits"], &status["waiting"]), (&false.into(), &0.into()));
    let one = &status["centres"][0];
    assert_eq!(
        (&one["code"], &one["last_in"], &one["unanswered"]),
        (&code.as_str().into(), &Value::Null, &0.into())
    );
    let config = city.hub().join("svod-hub.toml");
    let words = run(&["status", "--config", config.to_str().expect("UTF-8")]);
    assert!(String::from_utf8(words.stdout).expect("UTF-8").contains(&code));
    assert_eq!(done(&city.run(&["protocol", "list"]))["protocols"], serde_json::json!([]));
    assert_eq!(refused(&city.run(&["protocol", "show", "1"])), (3, "protocol-unknown".into()));
    // nothing to merge: said, and nothing written
    for merge in [&["merge", "--dry-run"][..], &["merge"]] {
        let told = done(&city.run(merge));
        assert_eq!((&told["nothing"], &told["protocol"]), (&true.into(), &Value::Null));
    }
    assert_eq!(done(&city.run(&["protocol", "list"]))["protocols"], serde_json::json!([]));
    assert_eq!(city.noted().0, ["hub.created", "centre.added"]);
    let mut protocols = Protocols::open(&city.hub().join("protocols")).expect("opened");
    let protocol = Protocol::begin(ProtocolKind::Merge, Lang::Ru, centre(0), None, Timestamp::now());
    protocols.write(protocol).expect("written");
    assert_eq!(done(&city.run(&["protocol", "show", "1"]))["kind"], "merge");
    let page = run(&["protocol", "show", "1", "--html", "--config", config.to_str().expect("UTF-8")]);
    assert!(String::from_utf8(page.stdout).expect("UTF-8").contains("<html"));
}

#[test]
fn what_hinders_a_command_is_told_with_its_exit_code() {
    let city = City::new();
    assert_eq!(refused(&run(&["status", "--format", "json"])), (2, "config-not-named".into()));
    let config = city.hub().join("svod-hub.toml");
    let good = fs::read_to_string(&config).expect("read");
    fs::write(&config, good.replace("#: busy_s = 30", "busy_s = 0")).expect("written");
    let db = city.hub().join("hub.db");
    let writer = rusqlite::Connection::open(&db).expect("opened");
    writer.execute_batch("BEGIN IMMEDIATE").expect("begun");
    done(&city.run(&["status"])); // a reader is not hindered
    assert_eq!(refused(&city.run(&["merge"])), (4, "hub-busy".into()));
    drop(writer);
    fs::write(&config, good.replace("[exchange]", "[exchange]\nheart = 1")).expect("written");
    let output = city.run(&["status"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("exchange.heart"), "{output:?}");
    assert_eq!(refused(&output), (2, "config-unknown-key".into()));
    fs::write(&config, &good).expect("written");
    let keys = city.hub().join("keys/signing.key");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(refused(&city.run(&["merge"])), (2, "keys-exposed".into()));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("set");
    fs::write(&db, "not a database, but long enough to look at").expect("written");
    assert_eq!(refused(&city.run(&["status"])), (2, "hub-database-foreign".into()));
    fs::remove_file(&db).expect("removed");
    assert_eq!(refused(&city.run(&["status"])), (2, "hub-no-database".into()));
}

#[test]
fn case_numbers_need_a_municipality() {
    let dir = tempfile::tempdir().expect("a directory");
    let hub = dir.path().join("hub");
    let code = centre(0).to_string();
    let init = ["init", "--dir", hub.to_str().expect("UTF-8"), "--code", &code, "--format", "json"];
    assert_eq!(refused(&run(&init)), (2, "oktmo-missing".into()));
    let zeros = run(&[&init[..], &["--oktmo", "00000000"]].concat());
    assert_eq!(refused(&zeros), (2, "hub-case-numbers".into()));
    assert!(!hub.exists(), "nothing is made");
}

#[test]
fn a_centre_is_given_a_client_certificate_another_and_none() {
    let city = City::new();
    let card = city.card(1);
    done(&city.add(&card, "long enough"));
    let code = centre(1).to_string();
    let out = city.dir.path().join("handed over");
    let out = out.to_str().expect("UTF-8");
    let issue = ["centre", "certificate", &code, "--out", out];
    let told = done(&city.run(&issue));
    let (certificate, key) = (told["certificate_file"].as_str(), told["key_file"].as_str());
    let (certificate, key) = (certificate.expect("a path"), key.expect("a path"));
    let mode = fs::metadata(key).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(fs::read_to_string(key).expect("text").contains("PRIVATE KEY"));
    let listed = |city: &City| done(&city.run(&["centre", "list"]))["centres"][0]["certificate"].clone();
    assert_eq!(listed(&city), told["certificate"]);
    assert_eq!(told["certificate"].as_str().expect("a digest").len(), 64);
    assert_eq!(refused(&city.run(&issue)), (3, "hub-exists".into()), "a key is never overwritten");
    assert_eq!(listed(&city), told["certificate"]);
    // a new card or password does not take it away
    done(&city.add(&card, "another one"));
    assert_eq!(listed(&city), told["certificate"]);

    let revoke = ["centre", "certificate", &code, "--revoke"];
    assert_eq!((&done(&city.run(&revoke))["changed"], listed(&city)), (&true.into(), Value::Null));
    assert_eq!(done(&city.run(&revoke))["changed"], false);
    let pin = |file: &str| city.run(&["centre", "certificate", &code, "--cert", file]);
    assert_eq!(done(&pin(certificate))["certificate"], told["certificate"]);
    let ca = city.hub().join("pki/ca.pem");
    let rubbish = city.file("rubbish.pem", "rubbish");
    for file in [ca.to_str().expect("UTF-8"), &rubbish, key] {
        assert_eq!(refused(&pin(file)), (3, "client-certificate".into()), "{file}");
    }
    assert_eq!(refused(&pin("/none.pem")), (2, "hub-file".into()));
    let what = city.run(&["centre", "certificate", &code]);
    assert_eq!(refused(&what), (2, "client-certificate-what".into()));
    let both = city.run(&["centre", "certificate", &code, "--revoke", "--cert", certificate]);
    assert_eq!(refused(&both), (2, "client-certificate-what".into()));
    let nobody = city.run(&["centre", "certificate", centre(7).as_str(), "--revoke"]);
    assert_eq!(refused(&nobody), (3, "centre-unknown".into()));
    let (events, inputs) = city.noted();
    let given = ["centre.certificate", "centre.certificate.revoked", "centre.certificate"];
    let of = |all: Vec<String>| -> Vec<String> {
        all.into_iter().filter(|one| one.starts_with("centre.certificate")).collect()
    };
    assert_eq!(
        (of(events), of(inputs)),
        (given.map(str::to_owned).to_vec(), given.map(str::to_owned).to_vec())
    );
}

/// As the page writes a text.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
}

#[test]
fn every_outcome_and_reason_is_told_whole_on_screen_and_on_paper_in_both_languages() {
    let city = City::new();
    let mut protocols = Protocols::open(&city.hub().join("protocols")).expect("opened");
    let told = [RecordOutcome::Proposed, RecordOutcome::Held, RecordOutcome::Refused];
    let words = [
        (Lang::Ru, ["предложение", "на проверке", "отклонена"]),
        (Lang::En, ["proposal", "held", "refused"]),
    ];
    for (lang, words) in words {
        let now = Timestamp::now();
        let mut protocol = Protocol::begin(ProtocolKind::Load, lang, centre(0), Some(centre(1)), now);
        // a stale packet and one in conflict are told with what became of them
        for reason in PacketReason::ALL {
            protocol.packet(format!("SVOD1_{reason}.zip"), None, reason.code());
        }
        let mut lines = Vec::new();
        for (outcome, word) in told.into_iter().zip(words) {
            for reason in RecordReason::ALL {
                let n = u8::try_from(lines.len()).expect("few");
                let line = RecordLine {
                    outcome,
                    kind: Kind::RecipientClaim,
                    key: key(n),
                    version: 1,
                    rule: "claim.rule".parse().expect("a rule"),
                    reason: *reason,
                };
                protocol.tell(Line::of_answer(lang, &line));
                lines.push((line, word));
            }
        }
        let number = protocols.write(protocol).expect("written").number.to_string();
        let shown = done(&city.run(&["protocol", "show", &number]));
        let config = city.hub().join("svod-hub.toml");
        let config = config.to_str().expect("UTF-8");
        let page = run(&["protocol", "show", &number, "--html", "--config", config]);
        let page = String::from_utf8(page.stdout).expect("UTF-8");
        let rows: Vec<&str> = page.split("<tr>").collect();
        assert_eq!(shown["lines"].as_array().map(Vec::len), Some(lines.len()));
        for (at, (line, word)) in lines.iter().enumerate() {
            let (text, row) =
                (&shown["lines"][at], rows.iter().find(|row| row.contains(&line.key.to_string())));
            let row = row.unwrap_or_else(|| panic!("{} is on no row", line.key));
            let reason = line.reason;
            for (field, is) in [
                ("outcome", line.outcome.word()),
                ("reason", reason.code()),
                ("rule", "claim.rule"),
                ("sentence", lang.of(reason.sentence())),
                ("next", lang.of(reason.next_action())),
            ] {
                assert_eq!(text[field], is);
                assert!(!is.is_empty());
                assert!(field == "outcome" || row.contains(&escaped(is)), "{field} {is} is missing: {row}");
            }
            assert!(row.contains(word), "{word}: {row}");
        }
        for reason in PacketReason::ALL {
            assert!(page.contains(&format!("SVOD1_{reason}.zip")), "{reason}");
        }
        let other = if lang == Lang::Ru { Lang::En } else { Lang::Ru };
        let foreign = escaped(other.of(RecordReason::ALL[0].sentence()));
        assert!(!page.contains(&foreign), "one language a page");
    }
}

/// Every file and directory below `dir` whose mode gives others than its owner anything.
fn shared(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("read") {
        let path = entry.expect("read").path();
        let metadata = fs::metadata(&path).expect("there");
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(path.clone());
        }
        if metadata.is_dir() {
            found.extend(shared(&path));
        }
    }
    found
}

#[test]
fn all_that_a_hub_makes_is_its_owners_alone() {
    let city = City::new();
    done(&city.add(&city.card(1), "long enough"));
    done(&city.run(&["merge"]));
    assert_eq!(shared(&city.hub()), Vec::<PathBuf>::new());
}
