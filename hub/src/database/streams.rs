//! Streams and packets: the stored state of the machines of `exchange_format::stream`.

use exchange_format::{
    participant::ParticipantCode,
    position::{Digest, Epoch, Mark, Position, Seq},
    state_digest::StateDigest,
    stream::{Arrival, Incoming, Outgoing, PacketState, Part, SentPacket, Stop},
};
use rusqlite::{Row, params};
use serde::Serialize;

use super::{DatabaseError, Result, Tx, answers::SUPERSEDED, parsed, parsed_optional};

/// Both streams with a peer.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    /// Ours to the peer.
    pub outgoing: Outgoing,
    /// The peer's to us.
    pub incoming: Incoming,
    /// Sum over what we sent.
    pub sent: StateDigest,
    /// Sum over what we received.
    pub received: StateDigest,
}

/// A packet or answer to note.
#[derive(Debug, Clone)]
pub struct PacketRow<'a> {
    /// Its file name.
    pub name: &'a str,
    /// `in` or `out`.
    pub direction: &'a str,
    /// The other side.
    pub peer: ParticipantCode,
    /// Two letters.
    pub kind: &'a str,
    /// Its position and digest; `None` if it could not be opened.
    pub mark: Option<Mark>,
    /// A state of [`PacketState`], or for incoming ones `HELD APPLIED REFUSED QUARANTINED`.
    pub state: &'a str,
    /// A reason code.
    pub reason: Option<&'a str>,
    /// The previous packet's digest.
    pub previous: Option<Digest>,
    /// Of a snapshot, which part.
    pub part: Option<Part>,
    /// Of an answer: the digest answered, and a PR's revision.
    pub answered: Option<(Digest, Option<u32>)>,
    /// A snapshot sealed while recovering.
    pub unconfirmed: bool,
    /// When, RFC 3339.
    pub at: &'a str,
    /// How many records or lines it has.
    pub records: u64,
    /// Of ours: SHA-256 of the sealed file.
    pub sha256: Option<Digest>,
}

/// A file that nobody's signature proves: its name is a claim.
#[derive(Debug, Clone, Copy)]
pub struct Unproven<'a> {
    /// In whose folder it lay.
    pub centre: ParticipantCode,
    /// Its name.
    pub name: &'a str,
    /// Its name in the quarantine.
    pub kept: &'a str,
    /// Two letters, or `??`.
    pub kind: &'a str,
    /// Its place, as its name has it.
    pub position: Option<Position>,
    /// A reason code.
    pub reason: &'a str,
    /// When, RFC 3339.
    pub at: &'a str,
}

impl Tx<'_> {
    /// The streams with `peer`; fresh ones if there are none yet.
    pub fn streams(&self, peer: ParticipantCode) -> Result<Streams> {
        let found = self.row("SELECT * FROM stream WHERE peer = ?1", [peer.as_str()], read_streams)?;
        Ok(found.unwrap_or_default())
    }

    /// Stores the streams with `peer`.
    pub fn set_streams(&self, peer: ParticipantCode, streams: &Streams) -> Result<()> {
        let Streams { outgoing, incoming, sent, received } = streams;
        let mark = |mark: Option<Mark>| {
            let epoch = mark.map(|mark| mark.position.epoch.get());
            (epoch, mark.map(|mark| mark.position.seq.get()), mark.map(|mark| mark.digest.to_string()))
        };
        let (out, echo, inward) = (mark(outgoing.last), mark(outgoing.echo), mark(incoming.last));
        let stop = outgoing.stop.and_then(|stop| Stop::ALL.iter().find(|(one, _)| *one == stop));
        self.run(
            "INSERT OR REPLACE INTO stream VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            params![
                peer.as_str(),
                out.0,
                out.1,
                out.2,
                outgoing.sealed_at.map(|at| at.to_string()),
                outgoing.highest_epoch.map(Epoch::get),
                echo.0,
                echo.1,
                echo.2,
                stop.map(|(_, word)| *word),
                inward.0,
                inward.1,
                inward.2,
                incoming.stopped.map(Epoch::get),
                incoming.closed.map(Epoch::get),
                sent.to_string(),
                received.to_string(),
            ],
        )?;
        Ok(())
    }

    /// Notes a packet or answer; in place of one with the same name.
    pub fn put_packet(&self, packet: &PacketRow<'_>) -> Result<()> {
        // an unproven file that bore the name gives it up to the packet that it belongs to
        self.run(
            "UPDATE OR REPLACE packet SET name = 'quarantine/' || peer || '/' || name
             WHERE name = ?1 AND state = 'QUARANTINED' AND digest IS NULL",
            [packet.name],
        )?;
        let position = packet.mark.map(|mark| mark.position);
        let answered = packet.answered;
        self.run(
            "INSERT OR REPLACE INTO packet(name, direction, peer, kind, epoch, seq, state, reason, digest,
               previous, part, parts, answered, revision, unconfirmed, next_at, at, records, sha256)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16, ?17, ?18)",
            params![
                packet.name,
                packet.direction,
                packet.peer.as_str(),
                packet.kind,
                position.map(|position| position.epoch.get()),
                position.map(|position| position.seq.get()),
                packet.state,
                packet.reason,
                packet.mark.map(|mark| mark.digest.to_string()),
                packet.previous.map(|digest| digest.to_string()),
                packet.part.map(Part::k),
                packet.part.map(Part::n),
                answered.map(|(digest, _)| digest.to_string()),
                answered.and_then(|(_, revision)| revision),
                packet.unconfirmed,
                packet.at,
                packet.records,
                packet.sha256.map(|sha256| sha256.to_string()),
            ],
        )?;
        Ok(())
    }

    /// A packet with so many records is being applied.
    pub fn packet_applied(&self, name: &str, records: u64) -> Result<()> {
        self.run(
            "UPDATE packet SET state = 'APPLIED', reason = NULL, records = ?2 WHERE name = ?1",
            params![name, records],
        )?;
        Ok(())
    }

    /// Sets the state of a packet.
    pub fn set_packet_state(&self, name: &str, state: &str, reason: Option<&str>) -> Result<()> {
        self.run("UPDATE packet SET state = ?2, reason = ?3 WHERE name = ?1", params![name, state, reason])?;
        Ok(())
    }

    /// Notes a file in quarantine that nobody's signature proves; of the same bytes under the same name that they have
    /// come again. Its row bears its name, unless a packet or another
    /// such file has it: then its place in the quarantine.
    pub fn put_unproven(&self, file: &Unproven<'_>) -> Result<()> {
        let sql = "SELECT 1 FROM packet WHERE name = ?1
                   AND NOT (peer = ?2 AND state = 'QUARANTINED' AND digest IS NULL)";
        let taken = self.value::<i64>(sql, params![file.name, file.centre.as_str()])?.is_some();
        let place = format!("quarantine/{}/{}", file.centre, file.kept);
        self.run(
            "INSERT INTO packet(name, direction, peer, kind, epoch, seq, state, reason, next_at, at, attempts)
             VALUES(?1, 'in', ?2, ?3, ?4, ?5, 'QUARANTINED', ?6, ?7, ?7, 1)
             ON CONFLICT(name) DO UPDATE SET reason = excluded.reason, next_at = excluded.next_at,
               attempts = attempts + 1",
            params![
                if taken || file.kept != file.name { &place } else { file.name },
                file.centre.as_str(),
                file.kind,
                file.position.map(|position| position.epoch.get()),
                file.position.map(|position| position.seq.get()),
                file.reason,
                file.at,
            ],
        )?;
        Ok(())
    }

    /// The digests of numbered packets at a position, with name and state; all lives of it.
    pub fn packets_at(
        &self,
        direction: &str,
        peer: ParticipantCode,
        position: Position,
    ) -> Result<Vec<AtPosition>> {
        self.rows(
            "SELECT * FROM packet WHERE direction = ?1 AND peer = ?2 AND epoch = ?3 AND seq = ?4
               AND kind IN ('DT', 'SN', 'KY') AND digest IS NOT NULL ORDER BY at",
            params![direction, peer.as_str(), position.epoch.get(), position.seq.get()],
            read_at_position,
        )
    }

    /// The names of the packets of `peer` in `epoch` that were applied, but for those of which the mirror alone counts, in order.
    pub fn applied_in(&self, peer: ParticipantCode, epoch: Epoch) -> Result<Vec<String>> {
        self.rows(
            "SELECT name FROM packet WHERE direction = 'in' AND peer = ?1 AND epoch = ?2 AND state = 'APPLIED'
               AND kind IN ('DT', 'SN') AND unconfirmed = 0 ORDER BY seq",
            params![peer.as_str(), epoch.get()],
            |row| Ok(row.get(0)?),
        )
    }

    /// The packets of `peer` that were applied and bear records, of all its epochs, in their order.
    pub fn applied_from(&self, peer: ParticipantCode) -> Result<Vec<String>> {
        self.rows(
            "SELECT name FROM packet WHERE direction = 'in' AND peer = ?1 AND state = 'APPLIED'
               AND kind IN ('DT', 'SN') AND unconfirmed = 0 AND records > 0 ORDER BY epoch, seq",
            [peer.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    /// Whether a part of the snapshot that opened `epoch` for `peer` was never answered, and never will be.
    pub fn is_superseded(&self, peer: ParticipantCode, epoch: Epoch) -> Result<bool> {
        let sql = "SELECT 1 FROM packet WHERE direction = 'out' AND peer = ?1 AND epoch = ?2 AND kind = 'SN'
                   AND state = 'SUPERSEDED' LIMIT 1";
        Ok(self.value::<i64>(sql, params![peer.as_str(), epoch.get()])?.is_some())
    }

    /// The held packets of `peer` in `epoch`, in order.
    pub fn held(&self, peer: ParticipantCode, epoch: Epoch) -> Result<Vec<AtPosition>> {
        self.rows(
            "SELECT * FROM packet WHERE direction = 'in' AND peer = ?1 AND epoch = ?2 AND state = 'HELD' ORDER BY seq",
            params![peer.as_str(), epoch.get()],
            read_at_position,
        )
    }

    /// The packets of `peer` still held in epochs below `epoch`.
    pub fn held_below(&self, peer: ParticipantCode, epoch: Epoch) -> Result<Vec<AtPosition>> {
        self.rows(
            "SELECT * FROM packet WHERE direction = 'in' AND peer = ?1 AND epoch < ?2 AND state = 'HELD' ORDER BY epoch, seq",
            params![peer.as_str(), epoch.get()],
            read_at_position,
        )
    }

    /// The names of the answers (KV, then the PR of the highest revision) sent for a packet.
    pub fn answers_to(&self, peer: ParticipantCode, answered: Digest) -> Result<Vec<String>> {
        self.rows(
            &format!(
                "SELECT name FROM packet p WHERE answered = ?1 AND peer = ?2 AND direction = 'out' AND NOT {SUPERSEDED}
                 ORDER BY kind"
            ),
            params![answered.to_string(), peer.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    /// The sent packet with this mark, and its name.
    pub fn sent_packet(&self, peer: ParticipantCode, mark: &Mark) -> Result<Option<(String, SentPacket)>> {
        self.row(
            "SELECT * FROM packet WHERE direction = 'out' AND peer = ?1 AND digest = ?2",
            params![peer.as_str(), mark.digest.to_string()],
            read_sent,
        )
    }

    /// The SHA-256 of the file of our packet `name` as it was sealed.
    pub fn sealed_file(&self, name: &str) -> Result<Option<Digest>> {
        let sql = "SELECT sha256 FROM packet WHERE name = ?1 AND direction = 'out'";
        let found: Option<String> = self.value::<Option<String>>(sql, [name])?.flatten();
        found.map(|text| text.parse().map_err(|_| DAMAGED)).transpose()
    }

    /// Whether there is a packet, an answer or a request with this name.
    pub fn knows_packet(&self, name: &str) -> Result<bool> {
        let found: Option<i64> = self.value("SELECT 1 FROM packet WHERE name = ?1", [name])?;
        Ok(found.is_some())
    }

    /// Packets to `peer` that have no PR yet, in order.
    pub fn open_packets(&self, peer: ParticipantCode) -> Result<Vec<(String, SentPacket)>> {
        self.rows(
            "SELECT * FROM packet WHERE direction = 'out' AND peer = ?1 AND kind IN ('DT', 'SN', 'KY')
               AND state IN ('SEALED', 'PLACED', 'RECEIVED') ORDER BY epoch, seq",
            [peer.as_str()],
            read_sent,
        )
    }

    /// Stores what became of a sent packet.
    pub fn set_sent_packet(&self, name: &str, packet: &SentPacket) -> Result<()> {
        self.run(
            "UPDATE packet SET state = ?2, attempts = ?3, next_at = ?4, revision = ?5 WHERE name = ?1",
            params![
                name,
                packet.state.as_str(),
                packet.attempts,
                packet.next_at.to_string(),
                packet.revision
            ],
        )?;
        Ok(())
    }

    /// Answers to `peer` that are sealed and not yet placed.
    pub fn answers_to_place(&self, peer: ParticipantCode) -> Result<Vec<String>> {
        self.rows(
            &format!(
                "SELECT name FROM packet p WHERE direction = 'out' AND peer = ?1 AND kind IN ('KV', 'PR', 'RQ')
                   AND state = 'SEALED' AND NOT {SUPERSEDED} ORDER BY at, kind"
            ),
            [peer.as_str()],
            |row| Ok(row.get(0)?),
        )
    }

    /// Notes an incident; of the same one that is open that it has happened again.
    pub fn add_incident(
        &self,
        peer: ParticipantCode,
        code: &str,
        packet: Option<&str>,
        at: &str,
    ) -> Result<()> {
        let said = params![at, peer.as_str(), code, packet];
        let again = self.run(
            "UPDATE incident SET times = times + 1, last_at = ?1
             WHERE peer = ?2 AND code = ?3 AND packet IS ?4 AND closed_at IS NULL",
            said,
        )?;
        if again == 0 {
            let sql = "INSERT INTO incident(at, last_at, peer, code, packet) VALUES(?1, ?1, ?2, ?3, ?4)";
            self.run(sql, said)?;
        }
        Ok(())
    }

    /// Open incidents, oldest first.
    pub fn incidents(&self) -> Result<Vec<Incident>> {
        self.rows("SELECT * FROM incident WHERE closed_at IS NULL ORDER BY n", [], read_incident)
    }

    /// The last ten incidents that are over, the newest first: some are over in the moment in which they are found, for what they are
    /// about was put right at once, and people are to learn of it all the same.
    pub fn closed_incidents(&self) -> Result<Vec<Incident>> {
        let sql = "SELECT * FROM incident WHERE closed_at IS NOT NULL ORDER BY n DESC LIMIT 10";
        self.rows(sql, [], read_incident)
    }

    /// Counts of packets by peer, direction, kind and state.
    pub fn packet_counts(&self) -> Result<Vec<PacketCount>> {
        self.rows(
            "SELECT peer, direction, kind, state, count(*) FROM packet GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
    }

    /// When the last verified file of `peer` came, as far as is known at `now`: a moment that lies ahead is a wrong clock's, and is
    /// told only if there is no other.
    pub fn last_heard(&self, peer: ParticipantCode, now: &str) -> Result<Option<String>> {
        let sql = "SELECT coalesce(max(at) FILTER (WHERE at <= ?2), min(at)) FROM packet
                   WHERE direction = 'in' AND peer = ?1 AND digest IS NOT NULL";
        Ok(self.value::<Option<String>>(sql, [peer.as_str(), now])?.flatten())
    }
}

fn read_incident(row: &Row<'_>) -> Result<Incident> {
    Ok(Incident {
        n: row.get("n")?,
        at: row.get("at")?,
        centre: row.get("peer")?,
        code: row.get("code")?,
        packet: row.get("packet")?,
        times: row.get("times")?,
        last_at: row.get("last_at")?,
        closed_at: row.get("closed_at")?,
    })
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// Its number.
    pub n: i64,
    /// When it happened first.
    pub at: String,
    /// With whom.
    pub centre: String,
    /// Which.
    pub code: String,
    /// About which packet.
    pub packet: Option<String>,
    /// How often it has happened.
    pub times: u64,
    /// When last.
    pub last_at: String,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<String>,
}

/// Peer, direction, kind, state, and how many packets.
pub type PacketCount = (String, String, String, String, u64);

/// A numbered packet in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtPosition {
    /// Its file name.
    pub name: String,
    /// Its place in the stream.
    pub arrival: Arrival,
    /// Its state.
    pub state: String,
}

const DAMAGED: DatabaseError = DatabaseError::Damaged { table: "packet", column: "epoch, seq" };

fn epoch(number: u16) -> Result<Epoch> {
    Epoch::new(u64::from(number)).map_err(|_| DAMAGED)
}

fn read_mark(row: &Row<'_>, table: &'static str, columns: [&'static str; 3]) -> Result<Option<Mark>> {
    let (number, seq): (Option<u16>, Option<u32>) = (row.get(columns[0])?, row.get(columns[1])?);
    let digest: Option<Digest> = parsed_optional(row, table, columns[2])?;
    let (Some(number), Some(seq), Some(digest)) = (number, seq, digest) else { return Ok(None) };
    let seq = Seq::new(u64::from(seq)).map_err(|_| DAMAGED)?;
    Ok(Some(Mark { position: Position { epoch: epoch(number)?, seq }, digest }))
}

fn read_streams(row: &Row<'_>) -> Result<Streams> {
    let number = |column: &'static str| row.get::<_, Option<u16>>(column)?.map(epoch).transpose();
    Ok(Streams {
        outgoing: Outgoing {
            last: read_mark(row, "stream", ["out_epoch", "out_seq", "out_digest"])?,
            sealed_at: parsed_optional(row, "stream", "sealed_at")?,
            highest_epoch: number("highest_epoch")?,
            echo: read_mark(row, "stream", ["echo_epoch", "echo_seq", "echo_digest"])?,
            // an unknown word taken for "none" would let a stopped stream go on
            stop: parsed_optional(row, "stream", "stop")?,
        },
        incoming: Incoming {
            last: read_mark(row, "stream", ["in_epoch", "in_seq", "in_digest"])?,
            stopped: number("stopped_epoch")?,
            closed: number("closed_epoch")?,
        },
        sent: parsed(row, "stream", "sent_digest")?,
        received: parsed(row, "stream", "received_digest")?,
    })
}

fn read_part(row: &Row<'_>) -> Result<Option<Part>> {
    let (k, n): (Option<u32>, Option<u32>) = (row.get("part")?, row.get("parts")?);
    k.zip(n).map(|(k, n)| Part::new(k, n).map_err(|_| DAMAGED)).transpose()
}

fn read_at_position(row: &Row<'_>) -> Result<AtPosition> {
    let mark = read_mark(row, "packet", ["epoch", "seq", "digest"])?.ok_or(DAMAGED)?;
    let previous = parsed_optional(row, "packet", "previous")?;
    let arrival = Arrival { mark, previous, part: read_part(row)? };
    Ok(AtPosition { name: row.get("name")?, arrival, state: row.get("state")? })
}

fn read_sent(row: &Row<'_>) -> Result<(String, SentPacket)> {
    let state: PacketState = parsed(row, "packet", "state")?;
    let packet = SentPacket {
        mark: read_mark(row, "packet", ["epoch", "seq", "digest"])?.ok_or(DAMAGED)?,
        snapshot: read_part(row)?.is_some(),
        unconfirmed: row.get("unconfirmed")?,
        state,
        attempts: row.get("attempts")?,
        next_at: parsed(row, "packet", "next_at")?,
        revision: row.get("revision")?,
    };
    Ok((row.get("name")?, packet))
}
