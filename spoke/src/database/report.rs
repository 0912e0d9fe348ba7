//! What `status` and `why` tell: ids, codes and dates, never values; `why`, of one row, also the words of the hub's staff.

use exchange_format::record::{Form, Kind};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::{DatabaseError, publications, row_id::RowId, rows, tables::Table};

/// One direction of the exchange with the hub.
#[derive(Debug, Serialize)]
pub struct StreamState {
    /// `out` or `in`.
    pub direction: String,
    /// The epoch; none before the first packet.
    pub epoch: Option<u32>,
    /// The number of the last packet sealed or applied.
    pub seq: Option<u32>,
    /// When the last one was sealed.
    pub sealed_at: Option<String>,
    /// Why data are stopped, if they are.
    pub stop: Option<String>,
}

/// A packet of ours that has no PR yet.
#[derive(Debug, Serialize)]
pub struct Unanswered {
    /// Its name.
    pub packet: String,
    /// SEALED, PLACED or RECEIVED.
    pub state: String,
    /// When it was sealed.
    pub sealed_at: String,
    /// When it is placed again if nothing comes.
    pub deadline: Option<String>,
    /// Records in it.
    pub records: u64,
}

/// A record that needs somebody's attention.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// The kind on the wire, or the table.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The row, if there is one.
    pub id: Option<String>,
    /// `refused`, `held`, `proposed`, `unsendable`.
    pub outcome: String,
    /// The rule, or the problem.
    pub rule: String,
    /// The reason code.
    pub reason: String,
    /// The packet.
    pub packet: String,
}

/// A proposal.
#[derive(Debug, Serialize)]
pub struct ProposalState {
    /// Its key.
    pub key: String,
    /// The table.
    pub table: String,
    /// The row.
    pub id: String,
    /// unfit, open, sent, accepted, declined, refused.
    pub state: String,
    /// When it was made.
    pub at: String,
    /// The published record that it is about.
    pub target: String,
    /// Unfit: why it cannot be sent.
    pub problem: Option<String>,
    /// The packet that took it.
    pub packet: Option<String>,
    /// The packet that brought the decision.
    pub decided_by: Option<String>,
    /// Why it was declined, in the words of the hub's staff: told by `why` only, of one row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// Something that went wrong.
#[derive(Debug, Serialize)]
pub struct Incident {
    /// Its number.
    pub n: i64,
    /// When.
    pub at: String,
    /// What: a reason code.
    pub code: String,
    /// About what.
    pub subject: String,
    /// More.
    pub detail: String,
    /// When it was over, and how; none while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_how: Option<String>,
}

/// Counts by word.
pub type Counts = std::collections::BTreeMap<String, u64>;

fn all<T>(
    connection: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, DatabaseError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Both directions.
///
/// # Errors
/// SQLite's.
pub fn streams(connection: &Connection) -> Result<Vec<StreamState>, DatabaseError> {
    all(
        connection,
        "SELECT direction, epoch, seq, sealed_at, stop FROM svod_stream ORDER BY direction DESC",
        |row| {
            Ok(StreamState {
                direction: row.get(0)?,
                epoch: row.get(1)?,
                seq: row.get(2)?,
                sealed_at: row.get(3)?,
                stop: row.get(4)?,
            })
        },
    )
}

/// Packets of ours without a PR.
///
/// # Errors
/// SQLite's.
pub fn unanswered(connection: &Connection) -> Result<Vec<Unanswered>, DatabaseError> {
    all(
        connection,
        "SELECT name, state, at, next_at, records FROM svod_packet WHERE direction = 'out' AND answers IS NULL \
         AND state IN ('SEALED', 'PLACED', 'RECEIVED') ORDER BY epoch, seq",
        |row| {
            Ok(Unanswered {
                packet: row.get(0)?,
                state: row.get(1)?,
                sealed_at: row.get(2)?,
                deadline: row.get(3)?,
                records: row.get(4)?,
            })
        },
    )
}

/// Own records that the hub refused, holds or took as proposals, own rows that cannot be sent, and
/// publications that wait or were refused here. Not what a packet bears that was refused for its place in the stream: nothing is
/// wrong with it, and the stream's stop says so.
///
/// # Errors
/// SQLite's.
pub fn listed(connection: &Connection) -> Result<Vec<Listed>, DatabaseError> {
    all(
        connection,
        "SELECT s.kind, s.key, r.id, s.outcome, coalesce(s.rule, ''), coalesce(s.reason, ''), p.name \
         FROM svod_sent s LEFT JOIN svod_packet p ON p.direction = 'out' AND p.answers IS NULL \
         AND p.peer = (SELECT value FROM svod_meta WHERE name = 'hub') AND p.epoch = s.epoch AND p.seq = s.seq LEFT JOIN svod_record r ON r.kind = replace(s.kind, '_claim', '') AND r.key = s.key \
         WHERE s.outcome IS NOT NULL \
         UNION ALL SELECT s.kind, s.key, r.id, 'refused', '', coalesce(p.reason, ''), p.name FROM svod_packet p \
         JOIN svod_sent s ON s.epoch = p.epoch AND s.seq = p.seq \
         LEFT JOIN svod_record r ON r.kind = replace(s.kind, '_claim', '') AND r.key = s.key WHERE p.direction = 'out' AND p.answers IS NULL AND p.state = 'REFUSED' \
         AND coalesce(p.reason, '') NOT IN ('FORK', 'CLONE', 'STALE_EPOCH') \
         UNION ALL SELECT c.kind, c.key, r.id, 'unsendable', c.problem, 'INVALID', '' FROM svod_change c \
         LEFT JOIN svod_record r ON r.kind = c.kind AND r.key = c.key WHERE c.problem IS NOT NULL AND c.problem NOT IN ('gone with many others', 'gone past the triggers') \
         UNION ALL SELECT kind, key, NULL, outcome, coalesce(rule, ''), coalesce(reason, ''), packet \
         FROM svod_publication WHERE outcome IN ('held', 'refused')",
        |row| {
            Ok(Listed {
                kind: row.get(0)?,
                key: row.get(1)?,
                id: row.get::<_, Option<RowId>>(2)?.map(|id| id.to_string()),
                outcome: row.get(3)?,
                rule: row.get(4)?,
                reason: row.get(5)?,
                packet: row.get(6)?,
            })
        },
    )
}

const PROPOSAL: &str = "SELECT key, kind, id, state, at, target, problem, packet, decided_by";

fn proposal(row: &Row<'_>) -> rusqlite::Result<ProposalState> {
    Ok(ProposalState {
        key: row.get(0)?,
        table: row.get(1)?,
        id: row.get(2)?,
        state: row.get(3)?,
        at: row.get(4)?,
        target: row.get(5)?,
        problem: row.get(6)?,
        packet: row.get(7)?,
        decided_by: row.get(8)?,
        words: row.get(9)?,
    })
}

/// Proposals.
///
/// # Errors
/// SQLite's.
pub fn proposals(connection: &Connection) -> Result<Vec<ProposalState>, DatabaseError> {
    all(connection, &format!("{PROPOSAL}, NULL FROM svod_proposal ORDER BY at, key"), proposal)
}

/// Proposals about the row `id` of `table`.
///
/// # Errors
/// SQLite's.
pub fn proposals_of(
    connection: &Connection,
    table: &str,
    id: &str,
) -> Result<Vec<ProposalState>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!(
        "{PROPOSAL}, words FROM svod_proposal WHERE kind = ?1 AND id = ?2 ORDER BY at, key"
    ))?;
    Ok(statement.query_map([table, id], proposal)?.collect::<Result<_, _>>()?)
}

const INCIDENT: &str = "SELECT n, at, code, subject, detail, closed_at, closed_how FROM svod_incident";

fn incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    Ok(Incident {
        n: row.get(0)?,
        at: row.get(1)?,
        code: row.get(2)?,
        subject: row.get(3)?,
        detail: row.get(4)?,
        closed_at: row.get(5)?,
        closed_how: row.get(6)?,
    })
}

/// Incidents that are open.
///
/// # Errors
/// SQLite's.
pub fn incidents(connection: &Connection) -> Result<Vec<Incident>, DatabaseError> {
    all(connection, &format!("{INCIDENT} WHERE closed_at IS NULL ORDER BY n"), incident)
}

/// The last ten incidents that are over, the newest first.
///
/// # Errors
/// SQLite's.
pub fn closed_incidents(connection: &Connection) -> Result<Vec<Incident>, DatabaseError> {
    all(connection, &format!("{INCIDENT} WHERE closed_at IS NOT NULL ORDER BY n DESC LIMIT 10"), incident)
}

/// Rows by state.
///
/// # Errors
/// SQLite's.
pub fn rows_by_state(connection: &Connection) -> Result<Counts, DatabaseError> {
    let found = all(connection, "SELECT state, count(*) FROM svod_record GROUP BY state", |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(found.into_iter().collect())
}

/// How many records wait to be sent.
///
/// # Errors
/// SQLite's.
pub fn waiting(connection: &Connection) -> Result<u64, DatabaseError> {
    let sql = "SELECT count(*) FROM svod_change WHERE problem IS NULL";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// What `svod_record` says of a row.
#[derive(Debug, Serialize)]
pub struct RowRecord {
    /// Its key in the exchange.
    pub key: String,
    /// own, provisional, locked, alias, withdrawn.
    pub state: String,
    /// The row to look at instead.
    pub alias_of: Option<String>,
    /// The published record that it shows.
    pub uid: Option<String>,
    /// The version last sent, or published.
    pub version: Option<u32>,
    /// The packet that brought or took it.
    pub packet: Option<String>,
    /// When that packet was applied or sealed.
    pub since: Option<String>,
    /// Whether it waits to be sent.
    pub waits: bool,
    /// What the hub made of the version last sent, if it was not plainly applied: held, proposed, refused.
    #[serde(skip)]
    pub outcome: Option<String>,
    /// Why the hub's staff have declined it, in their words.
    #[serde(skip)]
    pub words: Option<String>,
    /// Why it cannot be sent.
    #[serde(skip)]
    pub problem: Option<String>,
}

/// The record of row `id` of `table`; an id that is no text is told by its bytes, `x'…'`.
///
/// # Errors
/// SQLite's.
pub fn row_record(
    connection: &Connection,
    table: &Table,
    id: &str,
) -> Result<Option<RowRecord>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT r.key, r.state, r.alias_of, r.uid, r.version, r.packet, p.at, EXISTS (SELECT 1 FROM svod_change c \
         WHERE c.kind = r.kind AND c.key = r.key), (SELECT s.outcome FROM svod_sent s WHERE s.kind = ?3 AND s.key = r.key), \
         (SELECT s.words FROM svod_sent s WHERE s.kind = ?3 AND s.key = r.key), \
         (SELECT c.problem FROM svod_change c WHERE c.kind = r.kind AND c.key = r.key) \
         FROM svod_record r LEFT JOIN svod_packet p ON p.name = r.packet WHERE r.kind = ?1 AND r.id IN (?2, ?4, ?5)",
    )?;
    let [text, blob] = RowId::by_bytes(id).map_or([None, None], |both| both.map(Some));
    Ok(statement
        .query_row(params![table.name, id, table.own.map(Kind::name), text, blob], |row| {
            Ok(RowRecord {
                key: row.get(0)?,
                state: row.get(1)?,
                alias_of: row.get(2)?,
                uid: row.get(3)?,
                version: row.get(4)?,
                packet: row.get(5)?,
                since: row.get(6)?,
                waits: row.get(7)?,
                outcome: row.get(8)?,
                words: row.get(9)?,
                problem: row.get(10)?,
            })
        })
        .optional()?)
}

/// The published records that the claim `key` was taken for before the hub corrected that, the oldest first.
///
/// # Errors
/// SQLite's; a kept body that cannot be read.
pub fn superseded(connection: &Connection, key: &str) -> Result<Vec<String>, DatabaseError> {
    let Some(link) = publications::find(connection, Kind::Link, rows::record_id("svod_record", key)?)? else {
        return Ok(Vec::new());
    };
    if link.record.form != Form::Live {
        return Ok(Vec::new());
    }
    let body = publications::read_body(&link.record)?;
    Ok(body.text("supersedes").into_iter().flat_map(|all| all.split(' ')).map(str::to_owned).collect())
}
