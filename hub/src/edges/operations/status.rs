//! How the exchange is: for each centre what came, what is on its way, what waits for somebody.

use exchange_format::participant::ParticipantCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::OperationError;
use crate::{database::streams::Incident, edges::hub::Hub};

/// A centre silent for so many heartbeats is late.
const LATE_BEATS: i32 = 4;

/// One centre.
#[derive(Debug, Clone, Serialize)]
pub struct CentreStatus {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it may exchange.
    pub active: bool,
    /// Whether its initial load was merged.
    pub merged: bool,
    /// When its last verified file came.
    pub last_heard: Option<String>,
    /// Silent for longer than four heartbeats.
    pub late: bool,
    /// Packets to it without a PR.
    pub unanswered: usize,
    /// Its records that were refused or are held.
    pub not_applied: usize,
    /// Files of it in quarantine.
    pub quarantined: u64,
    /// What of ours it has: state and count.
    pub publications: Vec<(String, u64)>,
    /// Why our stream to it is stopped.
    pub stopped: Option<String>,
}

/// The whole.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// This hub.
    pub code: String,
    /// Persons.
    pub persons: u64,
    /// The centres.
    pub centres: Vec<CentreStatus>,
    /// Open questions for staff: kind, reason, how many.
    pub reviews: Vec<(String, String, u64)>,
    /// Open incidents: when, with whom, which, which file.
    pub incidents: Vec<Incident>,
    /// Entries of the journal.
    pub journal: u64,
}

/// Looks at everything at one moment.
pub fn status(hub: &mut Hub, now: Timestamp) -> Result<Status, OperationError> {
    let Hub { store, context, .. } = hub;
    let patience = context.timing.heartbeat.checked_mul(LATE_BEATS).unwrap_or(SignedDuration::MAX);
    store.read(|tx| {
        let packets = tx.packet_counts()?;
        let publications = tx.publication_counts()?;
        let mut centres = Vec::new();
        for centre in tx.centres()? {
            let code: ParticipantCode = centre.code;
            let last_heard = tx.last_heard(code)?;
            let heard: Option<Timestamp> = last_heard.as_deref().and_then(|text| text.parse().ok());
            let quarantined = packets
                .iter()
                .filter(|(peer, direction, _, state, _)| {
                    *peer == code.as_str() && direction == "in" && state == "QUARANTINED"
                })
                .map(|(.., count)| count)
                .sum();
            let ours = publications.iter().filter(|(of, ..)| *of == code.as_str());
            centres.push(CentreStatus {
                code: code.to_string(),
                name: centre.name,
                active: centre.active,
                merged: centre.merged,
                late: centre.active && heard.is_none_or(|heard| now.duration_since(heard) > patience),
                last_heard,
                unanswered: tx.open_packets(code)?.len(),
                not_applied: tx.not_applied(code)?.len(),
                quarantined,
                publications: ours.map(|(_, state, count)| (state.clone(), *count)).collect(),
                stopped: tx.streams(code)?.outgoing.stop.map(|stop| stop.to_string()),
            });
        }
        Ok(Status {
            code: context.code.to_string(),
            persons: tx.person_count()?,
            centres,
            reviews: tx.review_counts()?,
            incidents: tx.incidents()?,
            journal: tx.journal_size()?,
        })
    })
}
