//! An auditor's desk: cards, keys, packets, and the program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use exchange_format::{
    card::{Card, CardContent},
    file_name::FileName,
    packet::{
        Header, MemberName, Purpose, SnapshotBasis, SnapshotPart,
        manifest::{LogEvidence, Nonce},
    },
    participant::ParticipantCode,
    position::Digest,
    record::{Kind, Record},
    seal::{self, Identity},
    signature::{RecordText, SigningKey, sign_record},
    state_digest::StateDigest,
    stream::{Control, Part},
};
use fixtures::{
    examples,
    packets::{self, Forgery, centre, hub, signing_key},
};
use jiff::civil::date;
use serde_json::Value;
use tempfile::TempDir;

/// A directory with `trust/`, `age.key` of the receiver and `other.key` of nobody.
pub struct Desk {
    pub dir: TempDir,
    pub receiver: Identity,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the error on standard error.
    #[track_caller]
    pub fn error(&self) -> String {
        let error: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        error["error"]["code"].as_str().unwrap().to_owned()
    }

    /// The results of the checks: `name` → `proven`.
    #[track_caller]
    pub fn check(&self, name: &str) -> String {
        let json = self.json();
        let check = json["checks"].as_array().unwrap().iter().find(|check| check["check"] == name);
        check.map_or_else(|| "none".to_owned(), |check| check["result"].as_str().unwrap().to_owned())
    }
}

pub fn card(key: &SigningKey, years: (i16, i16), tls_ca: bool) -> Card {
    let content = CardContent {
        code: key.participant(),
        name: "Участник проверки".to_owned(),
        signing_key: key.verifying_key(),
        age_recipient: Identity::generate().recipient(),
        archive_recipient: Identity::generate().recipient(),
        valid_from: date(years.0, 1, 1),
        valid_until: date(years.1, 12, 31),
        tls_ca: tls_ca.then(|| "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
    };
    Card::sign(content, key).unwrap()
}

/// A snapshot of one part with the right sum.
pub fn snapshot(from: ParticipantCode, to: ParticipantCode, records: &[Record]) -> Header {
    let part =
        SnapshotPart { basis: SnapshotBasis::Initial, unconfirmed: false, part: Part::new(1, 1).unwrap() };
    let mut sum = StateDigest::default();
    for record in records {
        sum.add(&record.term(&record.hash()).unwrap());
    }
    Header {
        from,
        to,
        previous: None,
        state_digest: Some(sum),
        nonce: Nonce([9; 16]),
        control: Control::default(),
        log: LogEvidence::default(),
        ..packets::header(Purpose::Snapshot(part), 1, 1)
    }
}

/// Members of `records`, in the order given.
pub fn members(records: &[Record]) -> Vec<(MemberName, Vec<String>)> {
    let mut members: Vec<(MemberName, Vec<String>)> = Vec::new();
    for record in records {
        let mut line = Vec::new();
        record.write_line(&mut line);
        let (line, name) =
            (String::from_utf8(line).unwrap(), MemberName::records(record.kind.name()).unwrap());
        match members.last_mut() {
            Some((last, lines)) if *last == name => lines.push(line),
            _ => members.push((name, vec![line])),
        }
    }
    members
}

/// What a centre sends: records of its own.
pub fn claims() -> Vec<Record> {
    [Kind::RecipientClaim, Kind::Contract, Kind::Contact].map(examples::record).into()
}

/// What the hub publishes to `to`, each signed.
pub fn publications(to: ParticipantCode) -> Vec<Record> {
    [Kind::Person, Kind::NeedDecision, Kind::Programme].map(|kind| signed(to, examples::record(kind))).into()
}

/// `record` as the hub signs it for `to`.
pub fn signed(to: ParticipantCode, mut record: Record) -> Record {
    let hash = record.hash();
    record.signature = Some(sign_record(&signing_key(hub()), &RecordText::of(to, &record, &hash)));
    record
}

/// The centre's snapshot, sound.
pub fn from_centre() -> Forgery {
    let records = claims();
    Forgery::of(snapshot(centre(1), hub(), &records), &members(&records), signing_key(centre(1)))
}

impl Desk {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let receiver = Identity::generate();
        let trust = dir.path().join("trust");
        fs::create_dir(&trust).unwrap();
        for (code, is_hub) in [(hub(), true), (centre(1), false)] {
            let card = card(&signing_key(code), (2026, 2027), is_hub);
            fs::write(trust.join(format!("{code}.card")), card.to_bytes()).unwrap();
        }
        fs::write(dir.path().join("age.key"), receiver.to_secret_text()).unwrap();
        fs::write(dir.path().join("other.key"), Identity::generate().to_secret_text()).unwrap();
        Self { dir, receiver }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts `bytes` on the desk.
    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Puts the packet on the desk, in its envelope.
    pub fn sealed(&self, forgery: &Forgery) -> PathBuf {
        let name = FileName { sealed: true, ..forgery.name() };
        let bytes =
            seal::seal_all(&[self.receiver.recipient()], &mut &forgery.to_bytes()[..], Vec::new()).unwrap();
        self.put(&name.to_string(), &bytes)
    }

    /// Puts the packet on the desk, open.
    pub fn open(&self, forgery: &Forgery) -> PathBuf {
        self.put(&forgery.name().to_string(), &forgery.to_bytes())
    }

    /// Runs `svod-packet` in the desk's directory.
    pub fn run(&self, args: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        Ended {
            code: status.code().unwrap(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The same, all of the output thrown at a full disk.
    pub fn run_into_full_disk(&self, args: &[&str]) -> i32 {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        self.command(args).stdout(Stdio::from(full)).stderr(Stdio::null()).status().unwrap().code().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_svod-packet"));
        command.args(args).current_dir(self.dir.path());
        command
    }

    /// `verify FILE --trust trust --key age.key --format json`.
    pub fn verify(&self, file: &Path) -> Ended {
        let file = file.to_str().unwrap();
        self.run(&["verify", file, "--trust", "trust", "--key", "age.key", "--format", "json"])
    }
}

/// A protocol or receipt of the hub for the centre's packet with `digest`, in these lines.
pub fn answer(purpose: Purpose, lines: &[&str]) -> Forgery {
    let header = Header {
        from: hub(),
        to: centre(1),
        previous: None,
        control: Control::default(),
        ..packets::header(purpose, 1, 1)
    };
    Forgery::of(header, &[(MemberName::Answer, lines.to_vec())], signing_key(hub()))
}

/// Digest of a packet that is answered.
pub fn answered() -> Digest {
    Digest::of(b"answered")
}
