//! What must be true when everything has come to rest, read from the databases of both sides.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use exchange_endpoint::journal_table;
use rusqlite::{Connection, OpenFlags, Row, types::Value};
use svod_spoke::edges::audit;

use super::{centre::Centre, clerk::Clerk, fate::Fate, history::City};

/// A row as text, column by column.
type Line = Vec<String>;

/// What is broken in `city`.
pub fn check(city: &mut City) -> Vec<String> {
    match look(city) {
        Ok(broken) => broken,
        Err(error) => vec![error],
    }
}

fn look(city: &City) -> Result<Vec<String>, String> {
    let told = |error: rusqlite::Error| error.to_string();
    let mut broken = Broken::default();
    let hub = read_only(&city.hub.database()).map_err(told)?;
    for (n, centre) in city.centres.iter().enumerate() {
        let own = city.clerks[n].connection();
        let sides = Sides { own, hub: &hub, centre, code: centre.code.as_str() };
        let mut found = Broken::default();
        sides.look(&city.clerks[n], &mut found).map_err(told)?;
        let config = centre.config().map_err(|error| format!("{error:?}"))?;
        let audit = audit::look_only(&config, own).map_err(|error| error.to_string())?;
        if !audit.whole {
            found.tell(centre, "verify", &format!("{:?}", audit.found));
        }
        let fate = (city.fates[n], city.hub_fate);
        if fate == (Fate::Plain, Fate::Plain) {
            sides.alarms(city.tampered[n], &mut found).map_err(told)?;
        }
        if fate.0 == Fate::Disabled {
            if city.had[n].as_ref() != Some(&had(city, n).map_err(told)?) {
                broken.tell(centre, "shut out", "and yet heard");
            }
        } else {
            // after a restore or a copy too, for somebody has let the exchange go on
            broken.0.extend(found.0.iter().map(|one| match fate {
                (Fate::Plain, Fate::Plain) => one.clone(),
                (own, hub) => format!("{one} (centre {own:?}, hub {hub:?})"),
            }));
        }
        sides.nothing_is_foreign(&mut broken).map_err(told)?;
        journal(own, journal_table::CENTRE_TABLE, &centre.name(), &mut broken);
    }
    if city.kinds.power {
        nothing_synced_is_lost(city, &hub, &mut broken).map_err(told)?;
    }
    journal(&hub, journal_table::HUB_TABLE, "hub", &mut broken);
    hub_alone(&hub, &mut broken).map_err(told)?;
    Ok(broken.0)
}

/// The codes of all incidents that anybody was told of.
pub(super) fn incidents(city: &City) -> rusqlite::Result<BTreeSet<String>> {
    let mut codes = rows(&read_only(&city.hub.database())?, "SELECT DISTINCT code FROM incident", [])?;
    for clerk in &city.clerks {
        codes.extend(rows(clerk.connection(), "SELECT DISTINCT code FROM svod_incident", [])?);
    }
    Ok(codes.into_iter().flatten().collect())
}

/// How many packets and answers the hub knows.
pub(super) fn packets(city: &City) -> rusqlite::Result<u64> {
    read_only(&city.hub.database())?.query_row("SELECT count(*) FROM packet", [], |row| row.get(0))
}

/// Whether the hub's staff are told that the `n`th centre, from 0, may be two machines.
pub(super) fn is_told_twice(city: &City, n: usize) -> rusqlite::Result<bool> {
    let hub = read_only(&city.hub.database())?;
    let told = "SELECT 1 FROM incident WHERE peer = ?1 AND code = 'CLONE'";
    Ok(!rows(&hub, told, [city.centres[n].code.as_str()])?.is_empty())
}

/// What the hub has of the `n`th centre, from 0.
pub(super) fn had(city: &City, n: usize) -> rusqlite::Result<String> {
    let hub = read_only(&city.hub.database())?;
    let of = [city.centres[n].code.as_str()];
    let records = "SELECT kind, key, version FROM received WHERE origin = ?1 ORDER BY kind, key";
    let packets = "SELECT count(*) FROM packet WHERE peer = ?1 AND direction = 'in' AND state = 'APPLIED'";
    Ok(format!("{:?} {:?}", rows(&hub, records, of)?, rows(&hub, packets, of)?))
}

/// Whether nobody has anything to do but heartbeats, and what was stopped for a person.
pub(super) fn is_at_rest(city: &City) -> rusqlite::Result<bool> {
    if one(&read_only(&city.hub.database())?, &hub_open())? != "0" {
        return Ok(false);
    }
    let centre_open = centre_open();
    for (n, clerk) in city.clerks.iter().enumerate() {
        let goes_on = matches!(city.fates[n], Fate::Plain | Fate::Restored);
        if goes_on && one(clerk.connection(), &centre_open)? != "0" {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A packet, of either side, with which something is to be done yet.
const OPEN: &str = "(direction = 'out' AND (state IN ('PLACED', 'RECEIVED') AND kind IN ('DT', 'SN', 'KY') OR state = 'SEALED') \
     OR direction = 'in' AND state = 'HELD')";

/// What the hub has to do yet.
fn hub_open() -> String {
    format!(
        "SELECT (SELECT count(*) FROM (SELECT peer FROM packet WHERE {OPEN}) p JOIN centre c ON c.code = p.peer \
     JOIN stream s ON s.peer = p.peer WHERE c.state = 'active' AND s.stop IS NULL \
     AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.peer = p.peer AND i.code IN ('FORK', 'STALE_EPOCH') AND i.closed_at IS NULL)) \
     + (SELECT count(*) FROM publication p JOIN centre c ON c.code = p.centre JOIN stream s ON s.peer = c.code \
     WHERE p.state = 'pending' AND c.state = 'active' AND s.stop IS NULL) \
     + (SELECT count(*) FROM hub_input WHERE packet IS NULL) + (SELECT count(*) FROM change)"
    )
}

/// What a centre has to do yet.
fn centre_open() -> String {
    format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM svod_stream WHERE stop IS NOT NULL) THEN 0 ELSE \
     (SELECT count(*) FROM svod_packet WHERE {OPEN}) + (SELECT count(*) FROM svod_change WHERE problem IS NULL) END"
    )
}

#[derive(Default)]
struct Broken(Vec<String>);

impl Broken {
    fn tell(&mut self, centre: &Centre, what: &str, detail: &str) {
        self.0.push(format!("{} {what}: {detail}", centre.name()));
    }
}

/// A centre and the hub.
struct Sides<'a> {
    own: &'a Connection,
    hub: &'a Connection,
    centre: &'a Centre,
    code: &'a str,
}

impl Sides<'_> {
    fn look(&self, clerk: &Clerk, broken: &mut Broken) -> rusqlite::Result<()> {
        self.nothing_is_stuck(broken)?;
        self.same(
            broken,
            "what the centre sent is at the hub",
            "SELECT kind, key, version, form, sha256 FROM svod_sent ORDER BY kind, key",
            "SELECT kind, key, version, form, sha256 FROM received WHERE origin = ?1 AND in_digest = 1 ORDER BY kind, key",
        )?;
        self.same(
            broken,
            "what the hub published is at the centre",
            "SELECT kind, key, version, form, sha256 FROM svod_publication p WHERE epoch = (SELECT epoch FROM svod_stream \
             WHERE direction = 'in') ORDER BY kind, key",
            "SELECT kind, key, version, sealed_form, sealed_sha256 FROM publication WHERE centre = ?1 AND version > 0 \
             ORDER BY kind, key",
        )?;
        self.same(
            broken,
            "the sums of both streams agree",
            "SELECT coalesce((SELECT state_digest FROM svod_stream WHERE direction = 'out'), hex(zeroblob(32))), \
             coalesce((SELECT state_digest FROM svod_stream WHERE direction = 'in'), hex(zeroblob(32)))",
            "SELECT received_digest, sent_digest FROM stream WHERE peer = ?1 UNION ALL SELECT hex(zeroblob(32)), hex(zeroblob(32)) \
             WHERE NOT EXISTS (SELECT 1 FROM stream WHERE peer = ?1)",
        )?;
        self.positions(broken)?;
        self.nothing_is_gone(clerk, broken)
    }

    /// Nobody is told of what did not happen, and altered rows are told of.
    fn alarms(&self, tampered: u32, broken: &mut Broken) -> rusqlite::Result<()> {
        let own = "SELECT code, detail FROM svod_incident WHERE code IN ('RESTORED', 'FORK', 'CLONE', 'STALE_EPOCH', 'DIVERGED', 'TAMPERED')";
        let hub = "SELECT code FROM incident WHERE peer = ?1 AND code IN ('RESTORED', 'FORK', 'CLONE', 'STALE_EPOCH', 'DIVERGED', 'COLLISION')";
        let found = rows(self.own, own, [])?;
        let (about_rows, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|line| line[0] == "TAMPERED");
        for line in others.iter().chain(&rows(self.hub, hub, [self.code])?) {
            // who returns with new keys is told its next epoch by this
            if self.centre.returned && line[0] == "STALE_EPOCH" {
                continue;
            }
            broken.tell(self.centre, "a false alarm", &brief(line));
        }
        if about_rows.is_empty() != (tampered == 0) {
            broken.tell(self.centre, "altered rows", &format!("{tampered} times, told {about_rows:?}"));
        }
        Ok(())
    }

    fn same(&self, broken: &mut Broken, what: &str, own: &str, hub: &str) -> rusqlite::Result<()> {
        let (ours, theirs) = (rows(self.own, own, [])?, rows(self.hub, hub, [self.code])?);
        let only = |one: &[Line], other: &[Line]| {
            let other: BTreeSet<&Line> = other.iter().collect();
            one.iter().filter(|line| !other.contains(line)).take(3).map(brief).collect::<Vec<_>>()
        };
        if ours != theirs {
            let detail = format!(
                "only at the centre {:?}, only at the hub {:?}",
                only(&ours, &theirs),
                only(&theirs, &ours)
            );
            broken.tell(self.centre, what, &detail);
        }
        Ok(())
    }

    /// No packet without a protocol, nothing that waits, no question without a reply.
    fn nothing_is_stuck(&self, broken: &mut Broken) -> rusqlite::Result<()> {
        let own = format!(
            "SELECT direction, kind, epoch, seq, state FROM svod_packet WHERE {OPEN} UNION ALL SELECT 'change', kind, '', '', '' FROM svod_change WHERE problem IS NULL \
             UNION ALL SELECT 'request', asks, '', '', '' FROM svod_request WHERE direction = 'out' AND next_at IS NOT NULL \
             UNION ALL SELECT 'stopped', '', '', '', stop FROM svod_stream WHERE stop IS NOT NULL"
        );
        let hub = format!(
            "SELECT direction, kind, epoch, seq, state FROM packet WHERE peer = ?1 AND {OPEN} \
             UNION ALL SELECT 'publication', kind, '', '', state FROM publication WHERE centre = ?1 AND state NOT IN ('applied') \
             UNION ALL SELECT 'stopped', '', '', '', stop FROM stream WHERE peer = ?1 AND stop IS NOT NULL"
        );
        for (side, stuck) in
            [("centre", rows(self.own, &own, [])?), ("hub", rows(self.hub, &hub, [self.code])?)]
        {
            for line in stuck.iter().take(3) {
                broken.tell(self.centre, "stuck", &format!("at the {side} {}", brief(line)));
            }
        }
        Ok(())
    }

    /// Each number was applied once at most, and both sides stand at the same.
    fn positions(&self, broken: &mut Broken) -> rusqlite::Result<()> {
        let twice = "SELECT epoch, seq, count(*) FROM packet WHERE direction = 'in' AND peer = ?1 AND state = 'APPLIED' \
             AND kind IN ('DT', 'SN', 'KY') GROUP BY epoch, seq HAVING count(*) > 1";
        let own = "SELECT epoch, seq, count(*) FROM svod_packet WHERE direction = 'in' AND state = 'APPLIED' \
             AND kind IN ('DT', 'SN', 'KY') GROUP BY epoch, seq HAVING count(*) > 1";
        for line in rows(self.hub, twice, [self.code])?.iter().chain(&rows(self.own, own, [])?) {
            broken.tell(self.centre, "a number was applied twice", &brief(line));
        }
        self.same(
            broken,
            "both sides stand at the same packet",
            "SELECT (SELECT epoch || '/' || seq || ' ' || digest FROM svod_stream WHERE direction = 'out'), \
             (SELECT epoch || '/' || seq || ' ' || digest FROM svod_stream WHERE direction = 'in')",
            "SELECT in_epoch || '/' || in_seq || ' ' || in_digest, out_epoch || '/' || out_seq || ' ' || out_digest \
             FROM stream WHERE peer = ?1",
        )
    }

    /// What the clerk wrote last of each row is at the hub: in the centre's record, or in a proposal.
    fn nothing_is_gone(&self, clerk: &Clerk, broken: &mut Broken) -> rusqlite::Result<()> {
        let bodies =
            rows(self.hub, "SELECT CAST(body AS TEXT) FROM received WHERE origin = ?1", [self.code])?;
        for ((table, id), written) in &clerk.memory.rows {
            let state: Option<String> = rows(
                self.own,
                "SELECT state FROM svod_record WHERE kind = ?1 AND id = ?2",
                [*table, id.as_str()],
            )?
            .pop()
            .map(|mut line| line.remove(0));
            // after a restore what stands is of one of the lives
            let mut lives = clerk.former.iter().filter_map(|rows| rows.get(&(*table, id.clone())));
            if lives.any(|former| former.deleted) {
                continue;
            }
            if written.deleted {
                if clerk.former.is_empty()
                    && state.as_deref().is_some_and(|state| matches!(state, "own" | "provisional"))
                {
                    broken.tell(self.centre, "a deleted row has a record", &format!("{table} {id}"));
                }
                continue;
            }
            let Some(mark) = &written.mark else { continue };
            // of a life that has ended the hub may have heard of any
            let former = clerk.former.iter().filter_map(|rows| rows.get(&(*table, id.clone())));
            let former = former.flat_map(|row| row.former.iter().chain(&row.mark));
            let marks: Vec<String> = former.chain([mark]).map(|mark| format!("{mark}<")).collect();
            // what is unfit waits here, and is listed
            let unfit = "SELECT 1 FROM svod_change c JOIN svod_record r ON r.kind = c.kind AND r.key = c.key \
                 WHERE r.kind = ?1 AND r.id = ?2 AND c.problem IS NOT NULL";
            if !rows(self.own, unfit, [*table, id.as_str()])?.is_empty() {
                continue;
            }
            if !bodies.iter().any(|line| marks.iter().any(|mark| line[0].contains(mark))) {
                let state = state.unwrap_or_default();
                broken.tell(
                    self.centre,
                    "what was written is gone",
                    &format!("{table} {id} ({state}): {mark}"),
                );
            }
        }
        Ok(())
    }

    /// Nothing of another centre's is here, but of persons that this centre was confirmed to serve.
    fn nothing_is_foreign(&self, broken: &mut Broken) -> rusqlite::Result<()> {
        let unlinked = "SELECT p.kind, p.key FROM publication p WHERE p.centre = ?1 AND p.kind = 'person' AND p.form = 'live' \
             AND NOT EXISTS (SELECT 1 FROM person_record r WHERE r.origin = ?1 AND r.uid = p.key)";
        for line in rows(self.hub, unlinked, [self.code])? {
            broken.tell(self.centre, "a person is published who is not known there", &brief(&line));
        }
        // who was confirmed for a person was so for the one that it turned out to be
        let confirmed = "SELECT uid FROM service WHERE centre = ?1 UNION \
             SELECT p.merged_into FROM service s JOIN person p ON p.uid = s.uid WHERE s.centre = ?1 AND p.merged_into IS NOT NULL";
        let served: BTreeSet<String> =
            rows(self.hub, confirmed, [self.code])?.into_iter().flatten().collect();
        let told = rows(self.own, "SELECT kind, key, CAST(bytes AS TEXT) FROM svod_publication", [])?;
        // what was written here, and at the machine that ran beside
        let own = [0, 1000].map(|beside| format!("ц{}<", self.centre.n + beside));
        for line in told {
            let foreign = line[2].match_indices(" ц").any(|(at, _)| {
                let rest = &line[2][at + 1..];
                !own.iter().any(|own| rest.starts_with(own.as_str()))
            });
            if foreign && line[0] == "person" && !served.contains(&line[1]) {
                broken.tell(
                    self.centre,
                    "another centre's value is here",
                    &format!("{} {}", line[0], line[1]),
                );
            }
        }
        Ok(())
    }
}

/// After power cuts each packet that a database names is where it says, whole: what was answered for is kept.
fn nothing_synced_is_lost(city: &City, hub: &Connection, broken: &mut Broken) -> rusqlite::Result<()> {
    let lost = "code IN ('SPOOL_LOST', 'ARCHIVE_LOST')";
    for line in rows(hub, &format!("SELECT code, peer FROM incident WHERE {lost}"), [])? {
        broken.0.push(format!("hub lost by a power cut: {}", brief(&line)));
    }
    let is_empty = |path: &Path| fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0);
    let came = "SELECT name, peer FROM packet WHERE direction = 'in' AND state LIKE 'APPLIED%'";
    for line in rows(hub, came, [])? {
        let path = city.hub.dir().join("archive").join(&line[1]).join(&line[0]);
        if !path.exists() || is_empty(&path) {
            broken.0.push(format!(
                "hub lost by a power cut: {} of {}",
                super::trace::short(&line[0]),
                line[1]
            ));
        }
    }
    for (n, centre) in city.centres.iter().enumerate() {
        let own = city.clerks[n].connection();
        for line in rows(own, &format!("SELECT code, subject FROM svod_incident WHERE {lost}"), [])? {
            broken.tell(centre, "lost by a power cut", &brief(&line));
        }
        let kept = "SELECT name, file FROM svod_packet WHERE direction = 'in' AND state LIKE 'APPLIED%' AND file IS NOT NULL";
        for line in rows(own, kept, [])? {
            let path = centre.dir().join(&line[1]);
            if !path.exists() || is_empty(&path) {
                broken.tell(centre, "lost by a power cut", &super::trace::short(&line[0]));
            }
        }
    }
    Ok(())
}

/// What must hold at the hub whatever the centres are.
fn hub_alone(hub: &Connection, broken: &mut Broken) -> rusqlite::Result<()> {
    let twice = "SELECT origin, key, count(DISTINCT uid) FROM person_record GROUP BY origin, kind, key HAVING count(DISTINCT uid) > 1";
    for line in rows(hub, twice, [])? {
        broken.0.push(format!("hub a claim is two persons: {}", brief(&line)));
    }
    Ok(())
}

fn journal(connection: &Connection, table: &str, who: &str, broken: &mut Broken) {
    let mut applied: BTreeMap<String, u32> = BTreeMap::new();
    let read = journal_table::verify(connection, table, |entry, _| {
        if entry.event == "packet.applied" {
            *applied.entry(entry.subject.clone()).or_default() += 1;
        }
    });
    if let Err(error) = read {
        broken.0.push(format!("{who} {error}"));
    }
    for (name, times) in applied.into_iter().filter(|(_, times)| *times > 1) {
        broken.0.push(format!("{who} applied {} {times} times", super::trace::short(&name)));
    }
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn rows(
    connection: &Connection,
    sql: &str,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Line>> {
    let mut select = connection.prepare(sql)?;
    let columns = select.column_count();
    let line =
        |row: &Row<'_>| (0..columns).map(|at| Ok(text(&row.get(at)?))).collect::<rusqlite::Result<Line>>();
    select.query_map(parameters, line)?.collect()
}

/// The first column of the first row.
fn one(connection: &Connection, sql: &str) -> rusqlite::Result<String> {
    Ok(rows(connection, sql, [])?.swap_remove(0).swap_remove(0))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex::encode(bytes),
    }
}

/// A row without digests, which differ from run to run.
fn brief(line: &Line) -> String {
    line.iter().filter(|text| text.len() != 64).map(String::as_str).collect::<Vec<_>>().join(" ")
}
