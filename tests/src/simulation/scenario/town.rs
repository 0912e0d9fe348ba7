//! A city of two centres in which nothing goes wrong but what is done to it here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_format::{record::RecordId, state_digest::StateDigest};
use rusqlite::Connection;

use super::{
    super::{
        centre::Turn,
        checks,
        clerk::Rows,
        fate::{Backup, Fate},
        history::City,
        hub,
        mishap::Mishap,
        template::{Template, centre_code},
        trace::short,
    },
    Held,
};

/// Rounds until rest, at most.
pub const ROUNDS: u32 = 200;
/// A little longer than a heartbeat of a simulated city, in milliseconds.
pub const HEARTBEAT: i64 = 7_300_000;

/// Files taken out of a folder.
pub type Taken = Vec<(PathBuf, Vec<u8>)>;

/// The city.
pub struct Town {
    /// Its machines.
    pub city: City,
    dir: PathBuf,
    /// Alarms that this history is about.
    expected: Vec<String>,
}

/// A database as text: the first column of the first row.
fn value(connection: &Connection, sql: &str) -> Result<String, String> {
    let read = connection.query_row(sql, [], |row| row.get::<_, Option<rusqlite::types::Value>>(0));
    match read.map_err(|error| format!("{sql}: {error}"))? {
        Some(rusqlite::types::Value::Integer(n)) => Ok(n.to_string()),
        Some(rusqlite::types::Value::Text(text)) => Ok(text),
        _ => Ok(String::new()),
    }
}

/// Rows of five columns, as text.
fn terms(connection: &Connection, sql: &str, of: &str) -> rusqlite::Result<Vec<[String; 5]>> {
    let text = |value: rusqlite::types::Value| match value {
        rusqlite::types::Value::Integer(n) => n.to_string(),
        rusqlite::types::Value::Text(text) => text,
        _ => String::new(),
    };
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([of], |row| {
        Ok([text(row.get(0)?), text(row.get(1)?), text(row.get(2)?), text(row.get(3)?), text(row.get(4)?)])
    })?;
    rows.collect()
}

/// The centre with the number `n`, from 1, in a list.
fn at(n: u16) -> usize {
    usize::from(n) - 1
}

impl Town {
    /// A copy of `template` in `dir`.
    ///
    /// # Errors
    /// A file or a database.
    pub fn begin(template: &Template, dir: &Path) -> Result<Self, String> {
        let mut city = City::begin(template, dir, 0)?;
        city.server().calm_down().map_err(|error| error.to_string())?;
        city.hub.turn(Mishap::Nothing)?;
        Ok(Self { city, dir: dir.to_owned(), expected: Vec::new() })
    }

    /// Two centres that know the same person, merged and at rest: `r1` of the first, who has written `Завод`, and `r1` of the
    /// second, who has written `Совхоз`.
    ///
    /// # Errors
    /// It does not come to rest.
    pub fn settle(&mut self) -> Held {
        self.person(1, "r1", "Завод")?;
        self.person(2, "r1", "Совхоз")?;
        self.merge()?;
        self.rest()
    }

    /// The same, and what staff have corrected of her stands at the first centre, which serves her: «Исправлено». Her case number.
    ///
    /// # Errors
    /// It does not come to rest.
    pub fn settle_corrected(&mut self) -> Result<String, String> {
        self.settle()?;
        let who = self.hub_says("SELECT case_number FROM person")?;
        self.confirm(&who, 1)?;
        self.correct(&who, "Исправлено")?;
        self.rest()?;
        Ok(who)
    }

    /// The clerk of the `n`th centre enters a person, always the same one.
    pub fn person(&mut self, n: u16, id: &str, workplace: &str) -> Held {
        self.sql(
            n,
            &format!(
                "INSERT INTO recipient (id, surname, given, patronymic, birth_date, snils, workplace) VALUES \
                 ('{id}', 'Белова', 'Анна', 'Ильинична', '03.05.1941', '112-233-446 96', '{workplace}')"
            ),
        )
    }

    /// The clerk of the `n`th centre enters somebody else.
    pub fn stranger(&mut self, n: u16, id: &str, surname: &str) -> Held {
        self.sql(
            n,
            &format!(
                "INSERT INTO recipient (id, surname, given, birth_date, workplace) VALUES ('{id}', '{surname}', 'Вера', \
                 '17.11.1950', '{surname} работала')"
            ),
        )
    }

    /// The clerk of the `n`th centre writes.
    pub fn sql(&mut self, n: u16, sql: &str) -> Held {
        self.city
            .trace
            .tell(&format!("k{n}"), sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ").as_str());
        self.city.clerks[at(n)].connection().execute_batch(sql).map_err(|error| format!("{sql}: {error}"))
    }

    /// Something is done in the hub's database, past its program.
    pub fn at_hub(&mut self, sql: &str) -> Held {
        self.city.hub.stop();
        let write = || Connection::open(self.city.hub.database())?.execute_batch(sql);
        write().map_err(|error| format!("{sql}: {error}"))
    }

    /// The sums that the hub keeps of its streams with the `n`th centre are made anew from its rows, as whoever covers his tracks does.
    ///
    /// # Errors
    /// The database, or a row that cannot be read.
    pub fn believe_hub(&mut self, n: u16) -> Held {
        let code = centre_code(n);
        for (sum, rows) in [
            (
                "received_digest",
                "SELECT kind, key, version, form, sha256 FROM received WHERE origin = ?1 AND in_digest AND form <> 'tombstone'",
            ),
            (
                "sent_digest",
                "SELECT kind, key, version, sealed_form, sealed_sha256 FROM publication WHERE centre = ?1 AND sealed_form <> 'tombstone'",
            ),
        ] {
            let connection = Connection::open(self.city.hub.database()).map_err(|error| error.to_string())?;
            let found = terms(&connection, rows, code.as_str()).map_err(|error| error.to_string())?;
            let mut anew = StateDigest::default();
            for [kind, key, version, form, hash] in found {
                let term = (|| {
                    let (key, version) = (key.parse::<RecordId>().ok()?, version.parse().ok()?);
                    let (kind, form) = (kind.parse().ok()?, form.parse().ok()?);
                    Some(StateDigest::term(kind, key, version, form, &hash.parse().ok()?))
                })();
                anew.add(&term.ok_or("a row that cannot be read")?);
            }
            self.at_hub(&format!("UPDATE stream SET {sum} = '{anew}' WHERE peer = '{code}'"))?;
        }
        Ok(())
    }

    /// The archive of the hub loses what the `n`th centre has sent.
    pub fn lose_archive(&mut self, n: u16) -> Held {
        let code = centre_code(n);
        let archive = self.city.hub.dir().join("archive").join(code.as_str());
        for entry in fs::read_dir(archive).map_err(|error| error.to_string())?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_sent = name.starts_with("SVOD1_DT_") || name.starts_with("SVOD1_SN_");
            if is_sent && name.split('_').nth(3) == Some(code.as_str()) {
                fs::remove_file(entry.path()).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// What the `n`th centre's database says.
    pub fn centre(&self, n: u16, sql: &str) -> Result<String, String> {
        value(self.city.clerks[at(n)].connection(), sql)
    }

    /// What the hub's database says. `?` stands for the code of the first centre.
    pub fn hub_says(&self, sql: &str) -> Result<String, String> {
        let connection = Connection::open(self.city.hub.database()).map_err(|error| error.to_string())?;
        value(&connection, &sql.replace('?', &format!("'{}'", centre_code(1))))
    }

    /// Staff confirm that the `n`th centre serves `who`.
    ///
    /// # Errors
    /// The command's.
    pub fn confirm(&self, who: &str, n: u16) -> Held {
        self.city.hub.confirm_for(who, n).map(drop).map_err(|error| format!("{error:?}"))
    }

    /// Staff enter where `who` has worked.
    ///
    /// # Errors
    /// The command's.
    pub fn correct(&self, who: &str, value: &str) -> Held {
        self.city.hub.correct_to(who, value).map(drop).map_err(|error| format!("{error:?}"))
    }

    /// That the `n`th centre's database says so.
    pub fn centre_is(&self, n: u16, sql: &str, expected: &str) -> Held {
        same(&format!("c{n}: {sql}"), &self.centre(n, sql)?, expected)
    }

    /// That the hub's database says so.
    pub fn hub_is(&self, sql: &str, expected: &str) -> Held {
        same(&format!("hub: {sql}"), &self.hub_says(sql)?, expected)
    }

    /// The `n`th centre's program looks whether somebody has written, and sends it.
    pub fn look(&mut self, n: u16) -> Held {
        self.city.centres[at(n)].turn(Turn::Look, Mishap::Nothing)
    }

    /// The `n`th centre's program brings what there is for it.
    pub fn fetch(&mut self, n: u16) -> Held {
        self.city.centres[at(n)].turn(Turn::Fetch, Mishap::Nothing)
    }

    /// The `n`th centre's program does what is due.
    pub fn due(&mut self, n: u16) -> Held {
        self.city.centres[at(n)].turn(Turn::Due, Mishap::Nothing)
    }

    /// A turn under `mishap`.
    pub fn under(&mut self, n: u16, turn: Turn, mishap: Mishap) -> Held {
        self.city.centres[at(n)].turn(turn, mishap)
    }

    /// The hub's turn.
    pub fn hub(&mut self) -> Held {
        self.city.hub.turn(Mishap::Nothing)
    }

    /// The hub's turn under `mishap`.
    pub fn hub_under(&mut self, mishap: Mishap) -> Held {
        self.city.hub.turn(mishap)
    }

    /// The `n`th centre sends, the hub takes, the centre brings the answers.
    pub fn send(&mut self, n: u16) -> Held {
        self.look(n)?;
        self.hub()?;
        self.fetch(n)
    }

    /// Everybody has a turn.
    pub fn round(&mut self) -> Held {
        self.city.round()
    }

    /// Staff merge the initial loads.
    pub fn merge(&mut self) -> Held {
        self.round()?;
        let told = self.city.hub.merge().map_err(|error| format!("merge: {error:?}"))?;
        self.city.trace.tell("op", &told);
        Ok(())
    }

    /// Everybody goes on until nobody has anything to do.
    pub fn rest(&mut self) -> Held {
        self.city.until_rest(ROUNDS)?;
        if checks::is_at_rest(&self.city).map_err(|error| error.to_string())? {
            Ok(())
        } else {
            Err("it does not come to rest".to_owned())
        }
    }

    /// So many milliseconds pass.
    pub fn pass(&mut self, millis: i64) {
        self.city.time.pass(millis);
    }

    /// The `side` (`in`, `out`) of the `n`th centre's folder.
    pub fn folder(&self, n: u16, side: &str) -> PathBuf {
        self.city.hub.dir().join("ftp").join(centre_code(n).as_str()).join(side)
    }

    /// What lies in a folder, as `DT(1,2)`.
    pub fn lies(&self, n: u16, side: &str) -> Result<Vec<String>, String> {
        Ok(self.files(n, side)?.iter().map(|path| name_of(path)).collect())
    }

    fn files(&self, n: u16, side: &str) -> Result<Vec<PathBuf>, String> {
        let entries = fs::read_dir(self.folder(n, side)).map_err(|error| error.to_string())?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        Ok(paths)
    }

    /// Takes the files whose short name begins with `what` out of a folder. There must be one.
    pub fn take(&mut self, n: u16, side: &str, what: &str) -> Result<Taken, String> {
        let paths = self.files(n, side)?.into_iter().filter(|path| name_of(path).starts_with(what));
        let mut taken = Taken::new();
        for path in paths {
            let bytes = fs::read(&path).map_err(|error| error.to_string())?;
            fs::remove_file(&path).map_err(|error| error.to_string())?;
            self.city.trace.tell("ftp", &format!("{} is lost", name_of(&path)));
            taken.push((path, bytes));
        }
        if taken.is_empty() {
            return Err(format!("no {what} in {side} of c{n}: {:?}", self.lies(n, side)?));
        }
        Ok(taken)
    }

    /// Puts files where they were.
    pub fn give(&mut self, files: &Taken) -> Held {
        for (path, bytes) in files {
            self.city.trace.tell("ftp", &format!("{} comes late", name_of(path)));
            fs::write(path, bytes).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Empties the `n`th centre's spool of files whose short name begins with `what`.
    pub fn lose_spool(&mut self, n: u16, what: &str) -> Held {
        let spool = self.city.centres[at(n)].dir().join("spool");
        for entry in fs::read_dir(spool).map_err(|error| error.to_string())?.flatten() {
            if name_of(&entry.path()).starts_with(what) {
                self.city
                    .trace
                    .tell(&format!("c{n}"), &format!("{} is gone from the spool", name_of(&entry.path())));
                fs::remove_file(entry.path()).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// A copy of the `n`th centre's database; with what lies beside its keys, if it is `whole`.
    pub fn copy(&mut self, n: u16, whole: bool) -> Result<Backup, String> {
        self.city.trace.tell(&format!("c{n}"), "is copied");
        let dir = self.dir.join(format!("copy of {n}"));
        Backup::take(self.city.centres[at(n)].dir(), svod_spoke::edges::init::DATABASE, dir, whole)
            .map_err(|error| error.to_string())
    }

    /// The copy takes the place of what it was made of.
    pub fn put_back(&mut self, n: u16, copy: &Backup) -> Held {
        self.city.trace.tell(&format!("c{n}"), "is put back");
        let centre = &mut self.city.centres[at(n)];
        centre.stop();
        let clerk = &mut self.city.clerks[at(n)];
        clerk.leave().map_err(|error| error.to_string())?;
        copy.put_back(centre.dir(), svod_spoke::edges::init::DATABASE).map_err(|error| error.to_string())?;
        clerk.come_back(&centre.database(), Rows::default()).map_err(|error| error.to_string())?;
        self.city.fates[at(n)] = Fate::Restored;
        Ok(())
    }

    /// The copy comes back while the program runs: into the file, or in its place. A clerk who has it open opens it again when the
    /// program has looked at it: whoever opens a database in the moment after a rename gets it with the log of the former one.
    pub fn put_back_beside(&mut self, n: u16, copy: &Backup, in_place: bool) -> Held {
        self.city.trace.tell(&format!("c{n}"), "is put back while it runs");
        let (centre, clerk) = (&self.city.centres[at(n)], &mut self.city.clerks[at(n)]);
        let failed = |error: &dyn std::fmt::Display| error.to_string();
        clerk.leave().map_err(|error| failed(&error))?;
        if in_place {
            let done = copy.restore_into(&centre.database(), svod_spoke::edges::init::DATABASE);
            done.map_err(|error| failed(&error))?;
        } else {
            let done = copy.rename_over(&centre.database(), svod_spoke::edges::init::DATABASE);
            done.map_err(|error| failed(&error))?;
            self.look(n)?;
        }
        self.city.fates[at(n)] = Fate::Restored;
        let (centre, clerk) = (&self.city.centres[at(n)], &mut self.city.clerks[at(n)]);
        clerk.come_back(&centre.database(), Rows::default()).map_err(|error| failed(&error))
    }

    /// A copy of the hub's database.
    pub fn copy_hub(&mut self) -> Result<Backup, String> {
        self.city.trace.tell("hub", "is copied");
        Backup::take(self.city.hub.dir(), hub::DATABASE, self.dir.join("copy of the hub"), false)
            .map_err(|error| error.to_string())
    }

    /// The copy takes the place of the hub's database, whose daemon does not run meanwhile.
    pub fn put_hub_back(&mut self, copy: &Backup) -> Held {
        self.city.trace.tell("hub", "is put back");
        self.city.hub.stop();
        self.city.hub_fate = Fate::Restored;
        copy.put_back(self.city.hub.dir(), hub::DATABASE).map_err(|error| error.to_string())
    }

    /// The copy comes back while the hub's daemon runs: into the file, or in its place.
    pub fn put_hub_back_beside(&mut self, copy: &Backup, in_place: bool) -> Held {
        self.city.trace.tell("hub", "is put back while it runs");
        self.city.hub_fate = Fate::Restored;
        let to = self.city.hub.database();
        if in_place {
            copy.restore_into(&to, hub::DATABASE).map_err(|error| error.to_string())
        } else {
            copy.rename_over(&to, hub::DATABASE).map_err(|error| error.to_string())
        }
    }

    /// Somebody writes in the `n`th centre's database past everything that guards it.
    pub fn past_the_guards(&mut self, n: u16, sql: &str) -> Held {
        self.city.trace.tell(&format!("c{n}"), "is written past the guards");
        let connection = self.city.clerks[at(n)].connection();
        let write = || -> rusqlite::Result<()> {
            let mut select = connection
                .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")?;
            let all = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let triggers: Vec<(String, String)> = all.collect::<rusqlite::Result<_>>()?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            for (name, _) in &triggers {
                connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
            }
            connection.execute_batch(sql)?;
            triggers.iter().try_for_each(|(_, sql)| connection.execute_batch(sql))?;
            connection.execute_batch("COMMIT")
        };
        write().map_err(|error| format!("{sql}: {error}"))
    }

    /// What `resync` of the `n`th centre shows.
    pub fn shown_by_resync(&self, n: u16) -> Result<String, String> {
        self.city.centres[at(n)].shown_by_resync().map_err(|error| format!("{error:?}"))
    }

    /// That the `n`th centre tells of `code`, which this history is about.
    pub fn told(&mut self, n: u16, code: &str) -> Held {
        self.expected.push(code.to_owned());
        let found = self.centre(n, &format!("SELECT count(*) FROM svod_incident WHERE code = '{code}'"))?;
        ensure(found != "0", &format!("c{n} does not tell of {code}"))
    }

    /// Whether the machine that runs beside the `n`th centre's knows that it was put back or copied.
    pub fn twin_knows(&self, n: u16) -> Result<bool, String> {
        let database = self.city.twins_of(at(n)).next().ok_or("nothing runs twice")?;
        let connection = Connection::open(database).map_err(|error| error.to_string())?;
        Ok(value(&connection, "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED'")? != "0")
    }

    /// This history is about `what` that checks find.
    pub fn expect(&mut self, what: &str) {
        self.expected.push(what.to_owned());
    }

    /// That the hub tells of `code`.
    pub fn hub_told(&mut self, code: &str) -> Held {
        self.expected.push(code.to_owned());
        let found = self.hub_says(&format!("SELECT count(*) FROM incident WHERE code = '{code}'"))?;
        ensure(found != "0", &format!("the hub does not tell of {code}"))
    }

    /// What of `broken` this history is not about.
    pub fn unexpected(&self, mut broken: Vec<String>) -> Vec<String> {
        broken.retain(|one| {
            let is_expected = |code: &String| {
                one.contains(&format!("a false alarm: {code}")) || one.contains(&format!(" {code}: "))
            };
            !self.expected.iter().any(is_expected)
        });
        broken
    }
}

/// That it is so.
pub fn ensure(is_so: bool, what: &str) -> Held {
    if is_so { Ok(()) } else { Err(what.to_owned()) }
}

/// That two texts are the same.
pub fn same(what: &str, found: &str, expected: &str) -> Held {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, not {expected:?}")) }
}

fn name_of(path: &Path) -> String {
    short(&path.file_name().unwrap_or_default().to_string_lossy())
}
