//! Sealed packets into the mailbox: what to place follows the database, never a listing (exchange §5).

use std::{io, path::Path};

use exchange_endpoint::{
    mailbox::{Mailbox, MailboxError},
    sum,
};
use exchange_format::stream::Placing;
use jiff::Timestamp;

use super::{
    SpokeError,
    station::{Station, journal, random_u32},
};
use crate::database::{
    book::{self, OutPacket},
    write::{self, Scope},
};

/// What placing did.
#[derive(Debug, Default)]
pub struct Placed {
    /// Files that stand in the mailbox now.
    pub placed: usize,
    /// Why the rest does not.
    pub failed: Option<MailboxError>,
    /// What is gone from the spool, or damaged there: the rest is placed all the same.
    pub lost: Vec<Lost>,
}

/// A packet or an answer of ours whose file is not in the spool as it was written.
#[derive(Debug)]
pub struct Lost {
    /// Its name.
    pub name: String,
    /// Whether it is a packet, not an answer.
    pub is_numbered: bool,
    /// The file is there, and another.
    pub is_damaged: bool,
}

/// Places what is due, answers first. A dead line ends the round; everything is due again later.
///
/// # Errors
/// The database. That the mailbox does not answer is in the result.
pub async fn place(
    station: &mut Station,
    mailbox: &dyn Mailbox,
    now: Timestamp,
) -> Result<Placed, SpokeError> {
    let stop = book::out_stream(&station.connection, station.hub())?.machine.stop;
    let timing = station.config.exchange.timing();
    let due = book::due(&station.connection, &|at| timing.due_again(at, now) <= now)?;
    let due: Vec<OutPacket> = due
        .into_iter()
        .filter(|packet| {
            !packet.kind.is_numbered() || packet.sent.placing(stop, now, &timing) == Placing::Now
        })
        .collect();
    let mut result = Placed::default();
    let mut done: Vec<(OutPacket, bool)> = Vec::new();
    for packet in due {
        let file = station.file(&packet.file);
        if let Some(is_damaged) = is_lost(&packet, &file)? {
            let is_numbered = packet.kind.is_numbered();
            result.lost.push(Lost { name: packet.name, is_numbered, is_damaged });
            continue;
        }
        let outcome = mailbox.put(&file, &packet.name).await;
        match outcome {
            Ok(_) => {
                result.placed += 1;
                done.push((packet, true));
            }
            Err(error) => {
                tracing::warn!(packet = packet.name, %error, "not placed");
                let dead = error.is_temporary();
                result.failed = Some(error);
                done.push((packet, false));
                if dead {
                    break;
                }
            }
        }
    }
    if !done.is_empty() {
        record(station, &mut done, now)?;
    }
    Ok(result)
}

/// Whether the file of `packet` is not there as it was written: gone, or (true) damaged.
fn is_lost(packet: &OutPacket, file: &Path) -> Result<Option<bool>, SpokeError> {
    let found = match sum::of_file(file) {
        Ok((_, found)) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(false)),
        Err(error) => return Err(SpokeError::io(file)(error)),
    };
    Ok(packet.sha256.is_some_and(|written| written != found).then_some(true))
}

fn record(station: &mut Station, done: &mut [(OutPacket, bool)], now: Timestamp) -> Result<(), SpokeError> {
    let (own, timing) = (station.own(), station.config.exchange.timing());
    write::write(&mut station.connection, Scope::Book, |transaction| {
        for (packet, placed) in done {
            match (*placed, packet.kind.is_numbered()) {
                (true, false) => book::answer_placed(transaction, &packet.name, now)?,
                (true, true) => packet.sent.placed(now, &timing, random_u32()),
                (false, _) => packet.sent.placing_failed(now, &timing, random_u32()),
            }
            if packet.kind.is_numbered() || !*placed {
                book::update_out_packet(transaction, &packet.name, &packet.sent, now)?;
            }
            if *placed {
                let digest = packet.sent.mark.digest;
                journal(transaction, own, now, "packet.placed", &packet.name, "", &[digest])?;
            }
        }
        Ok::<_, SpokeError>(())
    })
}
