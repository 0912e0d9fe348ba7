//! A small world of real programs, one centre of which the tests themselves can play, and how they look at what
//! has become of something.

use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Cursor,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use exchange_endpoint::keys::OwnKeys;
use exchange_format::{
    answer::{Protocol, ProtocolReader, RecordLine},
    error::PacketError,
    file_name::{FileName, PacketKind},
    packet::{
        Header, Limits, MemberName, Nonce, Purpose,
        manifest::{SnapshotBasis, SnapshotPart},
        open_sealed,
    },
    position::{Digest, Mark},
    record::Record,
    state_digest::StateDigest,
    stream::{Control, Part},
};
use fixtures::{
    city::{City, CityPlan},
    packets::{self, Forgery},
    places::{centre_code, hub_code},
};
use rusqlite::types::ValueRef;
use serde_json::Value;
use svod_tests::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan},
    daemon::Daemons,
    programs::Who,
    read::Reader,
    wait::{Look, until},
};
use tempfile::TempDir;

pub const DEMO: &str = env!("CARGO_BIN_EXE_svod-demo");
pub const PATIENCE: Duration = Duration::from_mins(2);

/// A hub and `centres` centres that know each other, over folders; nothing runs.
pub fn world(centres: usize) -> (TempDir, World) {
    world_of(centres, 0, &Programs::find(DEMO))
}

/// The same, with `recipients` in each centre's database.
pub fn world_of(centres: usize, recipients: usize, programs: &Programs) -> (TempDir, World) {
    let dir = tempfile::tempdir().expect("a directory");
    let city = CityPlan { seed: 5, centres, recipients };
    let plan = WorldPlan { dir: dir.path().join("city"), city, way: Way::Directory, patience: PATIENCE };
    let mut world = World::make(&plan, programs.clone(), Daemons::default()).expect("a world");
    if recipients > 0 {
        world.fill(&City::generate(city)).expect("filled");
    }
    (dir, world)
}

/// The programs under a limit of `kib` on the length of any file they write: a disk that is full. The kernel's
/// signal is ignored, so that a write fails as it does on a full disk.
pub fn limited(dir: &Path, kib: u64) -> Programs {
    let script = dir.join(format!("limited-{kib}"));
    let daemons = match std::env::var_os("SVOD_BIN_DIR") {
        Some(bin) => format!("program={}/svod-$1; shift", Path::new(&bin).display()),
        None => format!("program={DEMO}"),
    };
    let text = format!("#!/bin/bash\ntrap '' XFSZ\n{daemons}\nulimit -f {kib}\nexec \"$program\" \"$@\"\n");
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    Programs::both_in(script)
}

/// Runs a command of a daemon on `config` to its end.
pub fn run(programs: &Programs, who: Who, config: &Path, args: &[&str]) -> Output {
    let tail: [&OsStr; 4] = ["--config".as_ref(), config.as_ref(), "--format".as_ref(), "json".as_ref()];
    let args: Vec<OsString> = args.iter().map(OsString::from).chain(tail.map(OsString::from)).collect();
    programs.output(who, &args).expect("it ends")
}

/// The error that a program ended with: exit and code as expected, a sentence and a next step in both languages'
/// form, nothing on standard output. Returns its message.
#[track_caller]
pub fn failed(output: &Output, exit: i32, code: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{code} expected: {said}");
    assert!(output.stdout.is_empty(), "the result is empty: {}", String::from_utf8_lossy(&output.stdout));
    let line = said.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {said}"));
    let text = |key: &str| error["error"][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("code"), code, "{said}");
    assert!(!text("next").is_empty() && !text("message").contains("error-"), "{said}");
    text("message")
}

/// The JSON of a command that must be done.
#[track_caller]
pub fn done(output: &Output) -> Value {
    let said = [&output.stderr[..], &output.stdout].map(String::from_utf8_lossy).concat();
    assert_eq!(output.status.code(), Some(0), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Every table and column of `db` that holds `marker` anywhere.
pub fn places_of(db: &Path, marker: &str) -> Vec<String> {
    let reader = rusqlite::Connection::open(db).expect("opens");
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = reader
        .prepare(sql)
        .expect("SQL")
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .expect("tables");
    let mut found = Vec::new();
    for table in tables {
        let mut statement = reader.prepare(&format!("SELECT * FROM \"{table}\"")).expect("SQL");
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            for (at, column) in columns.iter().enumerate() {
                let value = row.get_ref(at).expect("a value");
                let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = value else { continue };
                if bytes.windows(marker.len()).any(|window| window == marker.as_bytes()) {
                    found.push(format!("{table}.{column}"));
                }
            }
        }
    }
    found
}

/// Waits until `sql` gives a first row in the database at `db` and returns its first column.
pub fn wait_for(world: &World, db: &Path, sql: &str) -> String {
    until(sql, PATIENCE, || -> Result<Look<String>, WorldError> {
        world.daemons.check()?;
        let found = Reader::open(db)?.one(sql, [], |row| row.get::<_, String>(0))?;
        Ok(found.map_or_else(|| Look::NotYet("nothing".to_owned()), Look::Reached))
    })
    .expect("it comes about")
}

/// The one number that `sql` gives.
pub fn count(db: &Path, sql: &str) -> u64 {
    Reader::open(db).expect("opens").count(sql, []).expect("counted")
}

/// Puts a file under its name at once, as a mailbox does.
pub fn drop_into(folder: &Path, name: impl AsRef<OsStr>, bytes: &[u8]) {
    let part = folder.join(".dropped.part");
    fs::write(&part, bytes).expect("written");
    fs::rename(part, folder.join(name.as_ref())).expect("named");
}

/// The names in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Centre 1 as the tests play it, with the real centre's keys.
pub struct Player {
    pub keys: OwnKeys,
    nonce: u8,
}

impl Player {
    pub fn of(world: &World) -> Self {
        let keys = OwnKeys::load(&world.layout.centre(1).join("keys"), centre_code(1)).expect("keys");
        Self { keys, nonce: 0 }
    }

    /// A header that is like no other.
    pub fn header(&mut self, purpose: Purpose, seq: u64, previous: Option<Digest>) -> Header {
        self.nonce += 1;
        let mut header = packets::header(purpose, 1, seq);
        (header.to, header.from) = (hub_code(), centre_code(1));
        (header.previous, header.control) = (previous, Control::default());
        header.nonce = Nonce([self.nonce; 16]);
        header
    }

    /// The snapshot in one part that opens the stream, with these lines.
    pub fn snapshot<L: AsRef<[u8]>>(&mut self, lines: &[(&str, Vec<L>)]) -> Forgery {
        let part = Part::new(1, 1).expect("one part");
        let part = SnapshotPart { basis: SnapshotBasis::Initial, unconfirmed: false, part };
        let header = self.header(Purpose::Snapshot(part), 1, None);
        self.forge(header, lines)
    }

    /// A packet with this header and these lines.
    pub fn forge<L: AsRef<[u8]>>(&self, header: Header, lines: &[(&str, Vec<L>)]) -> Forgery {
        let named = |(kind, lines): &(&str, Vec<L>)| {
            let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_ref().to_vec()).collect();
            (MemberName::records(kind).expect("a kind"), lines)
        };
        let lines: Vec<_> = lines.iter().map(named).collect();
        Forgery::of(header, &lines, self.keys.signing.clone())
    }
}

/// The mark of a forgery.
pub fn mark(forgery: &Forgery) -> Mark {
    Mark { position: forgery.header.position, digest: Digest::of(&forgery.manifest) }
}

/// The folder of centre 1.
pub fn folder(world: &World, which: &str) -> PathBuf {
    world.layout.mailbox(centre_code(1), which)
}

/// The sum that a stream has after records with these lines, whatever becomes of them.
pub fn sum_of<L: AsRef<[u8]>>(members: &[(&str, Vec<L>)]) -> StateDigest {
    let mut sum = StateDigest::default();
    for (kind, lines) in members {
        for line in lines {
            let kind = kind.parse().expect("a kind");
            let (record, _) = Record::read_line(kind, line.as_ref()).expect("a record");
            if let Some(term) = record.term(&record.hash()) {
                sum.add(&term);
            }
        }
    }
    sum
}

/// What the PR says that stands in `folder` and answers `packet`, opened as `reader` by the keys of both ends.
pub fn answered(
    folder: &Path,
    packet: &Mark,
    reader: &OwnKeys,
    sender: &OwnKeys,
) -> (Protocol, Vec<RecordLine>) {
    let found = until("a PR", PATIENCE, || -> Result<Look<_>, WorldError> {
        for name in names(folder) {
            let Some(name) = name.parse::<FileName>().ok().filter(|name| name.kind == PacketKind::Protocol)
            else {
                continue;
            };
            let bytes = fs::read(folder.join(name.to_string())).expect("read");
            let spool = Cursor::new(Vec::new());
            let opened =
                open_sealed(&bytes[..], &reader.identities, spool, &Limits::default()).expect("ours");
            let key = &sender.card.content.signing_key;
            let mut opened = opened.verify(&name, |_| Some(key.clone())).expect("signed");
            let mut body = Vec::new();
            let line = |line: &[u8]| {
                body.extend([line, b"\n"].concat());
                Ok::<_, PacketError>(())
            };
            opened.check_members().expect("whole").for_each_line(&MemberName::Answer, line).expect("read");
            let mut protocol = ProtocolReader::new(Cursor::new(body), 1000).expect("a protocol");
            if protocol.head().answered == *packet {
                let mut lines = Vec::new();
                while let Some(line) = protocol.next_line().expect("a line") {
                    lines.push(line);
                }
                return Ok(Look::Reached((*protocol.head(), lines)));
            }
        }
        Ok(Look::NotYet(names(folder).join(" ")))
    });
    found.expect("answered")
}

/// A line with record `n` of a recipient called `surname`.
pub fn recipient(n: u32, surname: &str) -> String {
    line(n, &format!("<recipient_claim><surname>{surname}</surname></recipient_claim>"))
}

/// A line with record `n` that says `body`.
pub fn line(n: u32, body: &str) -> String {
    format!(r#"<record key="00000000-0000-4000-8000-{n:012}" version="1" form="live">{body}</record>"#)
}

/// Nothing that is written for people or kept as a name below `dir` (but the mailbox, which others fill) repeats
/// `marker`: no log, no protocol, no file's name.
pub fn never_told(dir: &Path, marker: &str) {
    for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry")) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        assert!(!name.contains(marker), "{}", path.display());
        if path.is_dir() && name != "ftp" {
            never_told(&path, marker);
        } else if ["log", "err", "json", "html"].iter().any(|ending| name.ends_with(ending)) {
            let text = fs::read_to_string(&path).expect("text");
            assert!(!text.contains(marker), "{}", path.display());
        }
    }
}
