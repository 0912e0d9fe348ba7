//! What waits for too long, as `status` of both daemons tells it: since when, and the step to take.

use exchange_format::stream::{Timing, Wait};
use jiff::Timestamp;
use serde::Serialize;

use crate::messages::{self, Lang};

/// Something that waits for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overdue {
    /// A word of [`Wait`].
    pub what: &'static str,
    /// The other side.
    pub peer: String,
    /// The first packet, if it is about packets.
    pub packet: Option<String>,
    /// How many wait.
    pub count: u64,
    /// Since when, RFC 3339.
    pub since: String,
    /// Seconds since then.
    pub age_s: u64,
}

/// Something that waits, for however long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What.
    pub what: Wait,
    /// The first packet.
    pub packet: Option<String>,
    /// How many.
    pub count: u64,
    /// Since when, RFC 3339.
    pub since: String,
}

/// Those of `waiting` that wait for `peer` for too long.
pub fn overdue(peer: &str, waiting: Vec<Waiting>, now: Timestamp, timing: &Timing) -> Vec<Overdue> {
    let judge = |one: Waiting| {
        let age = one.what.overdue(one.since.parse().ok()?, now, timing)?;
        let (what, peer) = (one.what.word(), peer.to_owned());
        let age_s = age.as_secs().max(0).unsigned_abs();
        Some(Overdue { what, peer, packet: one.packet, count: one.count, since: one.since, age_s })
    };
    waiting.into_iter().filter_map(judge).collect()
}

/// The lines of `status`.
pub fn lines(lang: Lang, all: &[Overdue]) -> Vec<String> {
    let line = |one: &Overdue| {
        let args = [
            ("peer", one.peer.clone().into()),
            ("n", one.count.into()),
            ("since", messages::stored_moment(lang, &one.since).into()),
        ];
        let word = one.what.replace('_', "-");
        let say = |id: &str| messages::text(lang, id, &args);
        format!("  {} {}", say(&format!("overdue-{word}")), say(&format!("overdue-{word}.next")))
    };
    let heading = (!all.is_empty()).then(|| messages::text(lang, "overdue-heading", &[]));
    heading.into_iter().chain(all.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_words_and_a_step() {
        for (what, word) in Wait::ALL {
            let since = Timestamp::UNIX_EPOCH;
            let waiting = vec![Waiting { what, packet: None, count: 2, since: since.to_string() }];
            let timing = Timing::default();
            let now = since + what.deadline(&timing);
            let told = overdue("4200018", waiting.clone(), now, &timing);
            assert_eq!(told.len(), 1, "{word}");
            for lang in [Lang::Ru, Lang::En] {
                let lines = lines(lang, &told);
                assert_eq!(lines.len(), 2, "{word}");
                assert!(!lines[1].contains("overdue-"), "{}", lines[1]);
            }
        }
    }
}
