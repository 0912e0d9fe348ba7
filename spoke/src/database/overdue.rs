//! What waits for the hub, and since when.

use exchange_endpoint::overdue::Waiting;
use exchange_format::{
    participant::ParticipantCode,
    stream::{Stop, Wait},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{DatabaseError, book};

/// What waits for `hub`; `compared`: the snapshot that a restored database is compared with has come; `decided`: a person has
/// decided what is taken back of it. What came at a time that lies ahead of `now` came while the clock was wrong, and proves
/// nothing.
///
/// # Errors
/// SQLite's.
pub fn waits_for(
    connection: &Connection,
    hub: ParticipantCode,
    (compared, decided): (bool, bool),
    now: Timestamp,
) -> Result<Vec<Waiting>, DatabaseError> {
    let recovering = book::out_stream(connection, hub)?.machine.stop == Some(Stop::Restored);
    let out = "SELECT min(at), min(name), count(*) FROM svod_packet WHERE direction = 'out' AND kind IN ('DT', 'SN', 'KY') \
               AND state = ?1";
    let held = "SELECT min(at), min(name), count(*) FROM svod_packet WHERE direction = 'in' AND state = ?1";
    let asked = "SELECT min(at), min(packet), count(*) FROM svod_request WHERE direction = 'out' AND next_at IS NOT NULL \
                 AND asks <> ?1";
    let incident = "SELECT min(at), NULL, count(*) FROM svod_incident WHERE code = ?1 AND closed_at IS NULL";
    // nothing has come yet: since the first packet went
    let silence = "SELECT coalesce((SELECT max(at) FROM svod_packet WHERE direction = 'in' AND state <> 'QUARANTINED' \
                   AND at <= ?1), (SELECT min(at) FROM svod_packet)), NULL, 1";
    let now = now.to_string();
    let stopped = match (compared, decided) {
        (false, _) => Wait::Comparison,
        (true, false) => Wait::Recovery,
        (true, true) => Wait::Decided,
    };
    let mut all = Vec::new();
    for (what, sql, word, holds) in [
        (Wait::Placing, out, "SEALED", !recovering),
        (Wait::Receipt, out, "PLACED", !recovering),
        (Wait::Protocol, out, "RECEIVED", !recovering),
        (Wait::Held, held, "HELD", true),
        (Wait::Asked, asked, "range_reply", !recovering),
        (stopped, incident, "RESTORED", recovering),
        (Wait::PeerRecovery, incident, "PEER_RESTORED", true),
        (Wait::Silence, silence, &now, true),
    ] {
        let found = connection.prepare_cached(sql)?.query_row([word], |row| {
            let since: Option<String> = row.get(0)?;
            Ok((since, row.get::<_, Option<String>>(1)?, row.get::<_, u64>(2)?))
        })?;
        if let (Some(since), packet, count) = found
            && holds
        {
            all.push(Waiting { what, packet, count, since });
        }
    }
    Ok(all)
}

/// How many, and since when.
type Since = (u64, Option<String>);

/// What waits for people: rows of an initial load of which the hub has published nothing, proposals that are not decided, files in
/// quarantine that nobody has looked into.
///
/// # Errors
/// SQLite's.
pub fn waits_for_people(connection: &Connection) -> Result<[(&'static str, Since); 3], DatabaseError> {
    let merge = "SELECT (SELECT count(*) FROM svod_record WHERE state = 'provisional'), min(at) FROM svod_packet \
                 WHERE direction = 'out' AND kind IN ('DT', 'SN') AND state = 'APPLIED' AND records > 0 \
                 AND EXISTS (SELECT 1 FROM svod_record WHERE state = 'provisional') \
                 AND NOT EXISTS (SELECT 1 FROM svod_publication WHERE kind = 'person')";
    let proposal = "SELECT count(*), min(at) FROM svod_proposal WHERE state IN ('open', 'sent')";
    let quarantine = "SELECT count(*), min(i.at) FROM svod_incident i WHERE i.closed_at IS NULL AND EXISTS \
                      (SELECT 1 FROM svod_packet p WHERE p.name IN (i.subject, 'in/' || i.subject) \
                       AND p.direction = 'in' AND p.state = 'QUARANTINED')";
    let found = |sql: &str| -> Result<Since, DatabaseError> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
    };
    Ok([("first_merge", found(merge)?), ("proposal", found(proposal)?), ("quarantine", found(quarantine)?)])
}

/// When the daemon did something last that is known by its moment.
///
/// # Errors
/// SQLite's.
pub fn last_at_work(connection: &Connection, now: Timestamp) -> Result<Option<String>, DatabaseError> {
    let sql = "SELECT max(at) FROM svod_packet WHERE at <= ?1";
    Ok(connection.prepare_cached(sql)?.query_row([now.to_string()], |row| row.get(0))?)
}
