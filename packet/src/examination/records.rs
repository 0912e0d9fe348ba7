//! The content of a packet: each record looked at as its receiver would, by itself.

use std::{collections::BTreeMap, fs::File};

use exchange_format::{
    answer::RecordReason,
    card::Card,
    error::PacketError,
    keys::{self, KeysError},
    packet::{CheckedPacket, MemberName, Purpose},
    record::{Form, Kind, Record, RecordId},
    rules::{self, Around},
    signature::{RecordText, verify_record},
    state_digest::StateDigest,
    stream::Edition,
};
use serde::Serialize;

use super::{Check, Ends, Report, SignerWords, answer};

/// So many flaws are told one by one.
const TOLD: usize = 1000;

/// Records by kind and form.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The kind.
    pub kind: String,
    live: u64,
    withdrawn: u64,
    tombstones: u64,
}

impl KindCount {
    /// Live, withdrawn, tombstones.
    pub fn forms(&self) -> (u64, u64, u64) {
        (self.live, self.withdrawn, self.tombstones)
    }
}

/// A record that its receiver would refuse alone.
#[derive(Debug, Serialize)]
pub struct Flaw {
    /// Its kind.
    pub kind: String,
    /// Which record of its member, from 1.
    pub record: u64,
    /// Its id.
    pub key: String,
    /// Its version.
    pub version: u32,
    /// `INVALID` or `NOT_OWNER`.
    pub reason: &'static str,
    /// The rule, as a PR names it.
    pub rule: String,
}

/// What was counted.
#[derive(Debug, Default, Serialize)]
pub struct Records {
    /// All.
    pub total: u64,
    /// Those that bear a signature of the hub that holds.
    pub signed: u64,
    /// In the order of the members.
    pub kinds: Vec<KindCount>,
    /// The sender's copy of the receiver's own records, by kind; unjudged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mirror: Vec<KindCount>,
    /// How many would be refused alone.
    pub flawed: u64,
    /// The first 1000 of these.
    pub flaws: Vec<Flaw>,
    /// How many name a list of services or a questionnaire that was not given: what rests on it was not checked.
    pub unlisted: u64,
}

/// The sum over a snapshot of one part.
#[derive(Default)]
pub(super) struct State {
    editions: BTreeMap<(Kind, RecordId), Edition>,
}

/// Looks at what the members hold, all of which were proved or at least agree with the manifest.
pub(super) fn content(
    report: &mut Report,
    packet: &mut CheckedPacket<'_, File>,
    ends: &Ends<'_>,
) -> Result<(), PacketError> {
    if !ends.header.kind().is_numbered() {
        report.add(Check::proven("members"));
        let (check, words) = answer::judge(packet)?;
        report.add(check);
        report.answer = words;
        return Ok(());
    }
    if ends.header.purpose == Purpose::Keys {
        report.add(Check::proven("members").with("n", 1));
        let (check, card) = judge_keys(packet, ends.card)?;
        report.add(check);
        report.new_card = card.as_ref().map(SignerWords::of);
        return Ok(());
    }
    let whole = matches!(&ends.header.purpose, Purpose::Snapshot(part) if part.part.n() == 1);
    let mut state = (whole && ends.header.state_digest.is_some()).then(State::default);
    let records = count(packet, Some(ends), state.as_mut())?;
    report.add(Check::proven("members").with("n", packet.manifest().members.len()));
    let check = if records.flawed > 0 {
        let reason = records.flaws.first().map(|flaw| flaw.reason);
        Check {
            reason,
            ..Check::wrong_because("records", format!("{} of {}", records.flawed, records.total))
        }
    } else {
        Check::proven("records")
    };
    let check = check.with("n", records.total).with("signed", records.signed).with("flawed", records.flawed);
    report.add(check);
    report.records = Some(records);
    if let (Some(state), Some(said)) = (state, &ends.header.state_digest) {
        let sum = state.sum();
        report.add(if sum == *said {
            Check::proven("state")
        } else {
            Check::wrong_because("state", format!("the sum is {sum}, the manifest says {said}"))
        });
    }
    Ok(())
}

/// The card that a KY tells, unjudged.
///
/// # Errors
/// Reading failed, or it is no card.
pub fn new_card(packet: &mut CheckedPacket<'_, File>) -> Result<SignerWords, PacketError> {
    let mut bytes = Vec::new();
    packet.copy_member(&MemberName::Card, &mut bytes)?;
    let card = Card::from_bytes(&bytes).map_err(KeysError::from)?;
    Ok(SignerWords::of(&card))
}

/// Whether the card of a KY may follow that of its signer, and the card.
fn judge_keys(
    packet: &mut CheckedPacket<'_, File>,
    old: Option<&Card>,
) -> Result<(Check, Option<Card>), PacketError> {
    let Some(old) = old else { return Ok((Check::unknown("keys", "no-card"), None)) };
    match keys::read_card(packet, old) {
        Ok(card) => Ok((Check::proven("keys"), Some(card))),
        Err(error) if error.reason().is_none() => Err(error),
        Err(error) => Ok((Check::wrong("keys", &error), None)),
    }
}

/// Counts the records of `packet`; judges each if it is said between whom it went.
pub(super) fn count(
    packet: &mut CheckedPacket<'_, File>,
    ends: Option<&Ends<'_>>,
    mut state: Option<&mut State>,
) -> Result<Records, PacketError> {
    let mut records = Records::default();
    let members: Vec<MemberName> =
        packet.manifest().members.iter().map(|member| member.name.clone()).collect();
    for member in members {
        let of = member.kind().or(member.mirrored());
        let unknown =
            || PacketError::Line { member: member.to_string(), line: 2, problem: "no kind of record" };
        let kind: Kind = of.and_then(|kind| kind.parse().ok()).ok_or_else(unknown)?;
        let mirror = member.mirrored().is_some();
        let mut counted = KindCount { kind: kind.to_string(), ..KindCount::default() };
        let mut number = 0;
        packet.for_each_line(&member, |line| {
            number += 1;
            let (record, flaw) = Record::read_line(kind, line).map_err(|_| PacketError::Line {
                member: member.to_string(),
                line: number + 2,
                problem: "no record",
            })?;
            *match record.form {
                Form::Live => &mut counted.live,
                Form::Withdrawn => &mut counted.withdrawn,
                Form::Tombstone => &mut counted.tombstones,
            } += 1;
            if mirror {
                return Ok(());
            }
            records.total += 1;
            if let Some(state) = state.as_deref_mut() {
                state.carry(&record);
            }
            let Some(ends) = ends else { return Ok(()) };
            let fault = match flaw {
                Some(flaw) => Some((RecordReason::Invalid, flaw.word().to_owned())),
                None => judge(&record, ends, &mut records),
            };
            if let Some((reason, word)) = fault {
                records.tell(number, &record, reason, &word);
            }
            Ok::<_, PacketError>(())
        })?;
        if mirror { &mut records.mirror } else { &mut records.kinds }.push(counted);
    }
    Ok(records)
}

/// Why `record` would be refused alone; counts it among `records` if the hub's signature of it holds, and if there is no
/// list of its model.
fn judge(record: &Record, ends: &Ends<'_>, records: &mut Records) -> Option<(RecordReason, String)> {
    let header = ends.header;
    let invalid = |word: &str| Some((RecordReason::Invalid, word.to_owned()));
    let owner = record.kind.owner();
    let to_itself = header.from == header.to;
    let may = if to_itself {
        !owner.centre_writes() && !owner.hub_publishes()
    } else if ends.from_hub {
        owner.hub_publishes()
    } else {
        owner.centre_writes()
    };
    let key = ends.card.map(|card| &card.content.signing_key);
    if key.is_some() && !may {
        return Some((RecordReason::NotOwner, "owner".to_owned()));
    }
    if let (Some(key), true, false) = (key, ends.from_hub, to_itself) {
        let hash = record.hash();
        let text = RecordText::of(header.to, record, &hash);
        match &record.signature {
            Some(signature) if verify_record(key, &text, signature).is_ok() => records.signed += 1,
            _ => return invalid("sig"),
        }
    }
    if record.form == Form::Tombstone {
        return None;
    }
    let Ok(body) = record.read_body() else { return invalid("canonical") };
    let listed = match body.kind() {
        Kind::Supplement => body.text("model").is_none_or(|model| ends.lists.care(model).is_some()),
        Kind::Assessment => body.text("model").is_none_or(|model| ends.lists.questionnaire(model).is_some()),
        _ => true,
    };
    records.unlisted += u64::from(!listed);
    let around = Around { lists: listed.then_some(ends.lists), ..Around::nothing() };
    rules::fault_within(&body, &around).and_then(|finding| invalid(finding.word()))
}

impl Records {
    fn tell(&mut self, number: u64, record: &Record, reason: RecordReason, word: &str) {
        self.flawed += 1;
        if self.flaws.len() < TOLD {
            self.flaws.push(Flaw {
                kind: record.kind.to_string(),
                record: number,
                key: record.key.to_string(),
                version: record.version,
                reason: reason.code(),
                rule: format!("{}.{word}", record.kind),
            });
        }
    }
}

impl State {
    fn carry(&mut self, record: &Record) {
        let edition = Edition::of(record);
        let key = (record.kind, record.key);
        if edition.judge(self.editions.get(&key)).refusal().is_none() {
            self.editions.insert(key, edition);
        }
    }

    fn sum(&self) -> StateDigest {
        let mut sum = StateDigest::default();
        for ((kind, key), Edition { version, form, hash }) in &self.editions {
            if *form != Form::Tombstone {
                sum.add(&StateDigest::term(*kind, *key, *version, *form, hash));
            }
        }
        sum
    }
}
