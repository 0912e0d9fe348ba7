//! What waits for the hub, and since when.

use exchange_endpoint::overdue::Waiting;
use exchange_format::{
    participant::ParticipantCode,
    stream::{Stop, Wait},
};
use rusqlite::Connection;

use super::{DatabaseError, book};

/// What waits for `hub`; `compared`: the snapshot that a restored database is compared with has come; `decided`: a person has
/// decided what is taken back of it.
///
/// # Errors
/// SQLite's.
pub fn waits_for(
    connection: &Connection,
    hub: ParticipantCode,
    (compared, decided): (bool, bool),
) -> Result<Vec<Waiting>, DatabaseError> {
    let recovering = book::out_stream(connection, hub)?.machine.stop == Some(Stop::Restored);
    let out = "SELECT min(at), min(name), count(*) FROM svod_packet WHERE direction = 'out' AND kind IN ('DT', 'SN', 'KY') \
               AND state = ?1";
    let held = "SELECT min(at), min(name), count(*) FROM svod_packet WHERE direction = 'in' AND state = ?1";
    let asked = "SELECT min(at), min(packet), count(*) FROM svod_request WHERE direction = 'out' AND next_at IS NOT NULL \
                 AND asks <> ?1";
    let incident = "SELECT min(at), NULL, count(*) FROM svod_incident WHERE code = ?1 AND closed_at IS NULL";
    // nothing has come yet: since the first packet went
    let silence = "SELECT coalesce((SELECT max(at) FROM svod_packet WHERE direction = 'in' AND state <> 'QUARANTINED'), \
                   (SELECT min(at) FROM svod_packet)), NULL, 1 WHERE ?1 IS NOT NULL";
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
        (Wait::Silence, silence, "", true),
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
