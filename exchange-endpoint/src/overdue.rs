//! What waits for too long, as `status` of both daemons tells it: since when, and the step to take.

use exchange_format::{
    card::Card,
    stream::{Timing, Wait, waits_beyond},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    instance::Service,
    key_table::KeysTellings,
    keys::OwnKeys,
    messages::{self, Lang},
    request_table::RequestError,
};

/// So many days before the last day of a card it is told that keys are to be changed.
pub const KEYS_DAYS: i32 = 60;

/// Something that waits for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overdue {
    /// A word of [`Wait`]; of what people are to do `keys`, `peer_keys`, `keys_refused`, `merge`, `review`, `service`, `signature`,
    /// `proposal`, `quarantine`; of a daemon that does not run `stopped`.
    pub what: &'static str,
    /// The other side; this one of what nobody else has to do with.
    pub peer: String,
    /// The first packet, if it is about packets.
    pub packet: Option<String>,
    /// How many wait.
    pub count: u64,
    /// Since when, RFC 3339.
    pub since: String,
    /// Seconds since then.
    pub age_s: u64,
    /// Of keys: the last day on which they count, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// Whether `since` lies ahead of the clock, which was wrong then or is wrong now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_ahead: bool,
}

impl Overdue {
    /// What of a participant waits since `since`, if that is `deadline` or longer.
    fn of(
        (what, peer, count): (&'static str, &str, u64),
        since: String,
        now: Timestamp,
        deadline: SignedDuration,
    ) -> Option<Self> {
        let at: Timestamp = since.parse().ok()?;
        let age_s = waits_beyond(at, now, deadline)?.as_secs().unsigned_abs();
        let (peer, packet, until, is_ahead) = (peer.to_owned(), None, None, at > now);
        Some(Self { what, peer, packet, count, since, age_s, until, is_ahead })
    }

    /// What waits for people since the oldest of `count`, if that is `days` or more.
    pub fn of_people(
        what: &'static str,
        own: &str,
        (count, since): (u64, Option<String>),
        now: Timestamp,
        days: u32,
    ) -> Option<Self> {
        let days = SignedDuration::from_hours(24 * i64::from(days));
        Self::of((what, own, count), since?, now, days)
    }

    /// The keys of `card`, if its last day is near or over: `what` is `keys` of one's own, `peer_keys` of another's.
    pub fn of_card(what: &'static str, card: &Card, now: Timestamp) -> Option<Self> {
        let until = card.content.valid_until;
        let from = until.saturating_sub(KEYS_DAYS.days()).to_zoned(TimeZone::UTC).ok()?.timestamp();
        let of = (what, card.content.code.as_str(), 1);
        // a card that lasts for long is no sign of a wrong clock
        let told = (from <= now).then(|| Self::of(of, from.to_string(), now, SignedDuration::ZERO))??;
        Some(Self { until: Some(until), ..told })
    }

    /// Own keys that run out and that nobody changes, or whose successors somebody has refused.
    ///
    /// # Errors
    /// The table.
    pub fn of_own_keys(
        own: &OwnKeys,
        tellings: KeysTellings<'_>,
        now: Timestamp,
    ) -> Result<Option<Self>, RequestError> {
        let Some(next) = &own.next else { return Ok(Self::of_card("keys", &own.card, now)) };
        let (count, since) = tellings.refused(&next.card.fingerprint())?;
        Ok(Self::of_people("keys_refused", own.participant().as_str(), (count, since), now, 0))
    }
}

/// What is known of the other side while the daemon of this one does not run: nothing. What follows from that it does not run
/// is one line, `stopped`; what people are to do stays. `last`: when it did something last; `always`: whether it should run
/// though nothing waits; `queued`: whether something waits for it that is not overdue, such as a row that is to be sent.
pub fn while_stopped(
    mut all: Vec<Overdue>,
    (own, service): (&str, Option<&Service>),
    (last, always, queued): (Option<String>, bool, bool),
    (now, timing): (Timestamp, &Timing),
) -> Vec<Overdue> {
    let Some(service) = service.filter(|service| !service.running) else { return all };
    let stays = [Wait::Recovery, Wait::Decided];
    let is_machine =
        |one: &Overdue| Wait::ALL.iter().any(|(wait, word)| *word == one.what && !stays.contains(wait));
    let waits = queued || all.iter().any(is_machine);
    all.retain(|one| !is_machine(one));
    let since = service.hindered.as_ref().map(|one| one.since.clone()).or(last);
    // as long as that its peers begin to wonder
    let deadline = if waits { SignedDuration::ZERO } else { Wait::Silence.deadline(timing) };
    if (waits || always)
        && let Some(since) = since
    {
        let told = Overdue::of(("stopped", own, 1), since, now, deadline);
        all.splice(0..0, told);
    }
    all
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
        let (word, deadline) = (one.what.word(), one.what.deadline(timing));
        let told = Overdue::of((word, peer, one.count), one.since, now, deadline)?;
        Some(Overdue { packet: one.packet, ..told })
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
            ("until", one.until.map(|day| messages::day(lang, &day.to_string())).unwrap_or_default().into()),
        ];
        let word = one.what.replace('_', "-");
        let say = |id: &str| messages::text(lang, id, &args);
        let mut line =
            format!("  {} {}", say(&format!("overdue-{word}")), say(&format!("overdue-{word}.next")));
        if one.is_ahead {
            line += " ";
            line += &say("overdue-ahead");
        }
        line
    };
    let heading = (!all.is_empty()).then(|| messages::text(lang, "overdue-heading", &[]));
    heading.into_iter().chain(all.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_daemons_are_to_do_has_its_words_and_a_step() {
        let words = [
            "stopped",
            "keys",
            "peer_keys",
            "keys_refused",
            "merge",
            "first_merge",
            "review",
            "service",
            "signature",
            "proposal",
            "quarantine",
        ];
        let (since, now) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(72));
        for word in words {
            let of = |days| Overdue::of_people(word, "4200018", (2, Some(since.to_string())), now, days);
            assert_eq!(of(4), None, "{word}");
            let told = Overdue { until: Some(Date::MAX), ..of(3).expect("told") };
            let ahead = Overdue { is_ahead: true, ..told.clone() };
            for lang in [Lang::Ru, Lang::En] {
                let [heading, told, ahead] = &lines(lang, &[told.clone(), ahead.clone()])[..] else {
                    panic!("{word}")
                };
                assert!(!(told.to_owned() + heading).contains("overdue-"), "{told}");
                assert!(ahead.starts_with(told.as_str()) && ahead.len() > told.len() + 20, "{ahead}");
            }
        }
    }

    #[test]
    fn while_a_daemon_does_not_run_that_is_all_that_is_known_of_the_others() {
        let (now, timing) = (Timestamp::UNIX_EPOCH + SignedDuration::from_hours(72), Timing::default());
        let waiting =
            |what| Waiting { what, packet: None, count: 1, since: Timestamp::UNIX_EPOCH.to_string() };
        let all = || {
            overdue(
                "4200018",
                [Wait::Silence, Wait::Receipt, Wait::Recovery].map(waiting).into(),
                now,
                &timing,
            )
        };
        let queued = std::cell::Cell::new(false);
        let told = |running, last: Option<Timestamp>, always, all| {
            let service = Service { running, hindered: None, damaged: None };
            let last = (last.map(|at| at.to_string()), always, queued.get());
            let told = while_stopped(all, ("4200000", Some(&service)), last, (now, &timing));
            told.into_iter().map(|one| one.what).collect::<Vec<_>>()
        };
        assert_eq!(told(true, Some(now), true, all()), ["silence", "receipt", "recovery"]);
        // what a person is to do stays
        assert_eq!(told(false, Some(now), false, all()), ["stopped", "recovery"]);
        // nothing waits: only what should always run is missed, and not at once
        let long_ago = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(told(false, long_ago, true, Vec::new()), ["stopped"]);
        assert_eq!(told(false, Some(now), true, Vec::new()), [""; 0]);
        assert_eq!(told(false, long_ago, false, Vec::new()), [""; 0]);
        // a row that is to be sent waits, though nothing is overdue
        queued.set(true);
        assert_eq!(told(false, Some(now), false, Vec::new()), ["stopped"]);
        assert_eq!(told(true, Some(now), false, Vec::new()), [""; 0]);
    }

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
