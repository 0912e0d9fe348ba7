//! Named scenarios of the hostile review and the model check, as far as these machines are concerned.
//! D, S, F, R marks name them in FORMAT.md. Longer than 500 lines because it is one list over the same two machines.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    answer::{PacketOutcome, PacketReason},
    position::{Digest, Epoch, Mark, Position, Seq},
};

fn epoch(number: u64) -> Epoch {
    Epoch::new(number).expect("in range")
}

fn position(epoch_number: u64, seq: u64) -> Position {
    Position { epoch: epoch(epoch_number), seq: Seq::new(seq).expect("in range") }
}

/// The packet at a position in one life of its sender.
fn mark(epoch: u64, seq: u64, life: &str) -> Mark {
    Mark { position: position(epoch, seq), digest: Digest::of(format!("{epoch}/{seq} {life}").as_bytes()) }
}

fn data(mark: Mark, previous: Mark) -> Arrival {
    Arrival { mark, previous: Some(previous.digest), part: None }
}

/// The parts of a snapshot that opens `epoch` in one life.
fn snapshot(epoch: u64, n: u32, life: &str) -> Vec<Arrival> {
    let at = |k: u32| mark(epoch, u64::from(k), life);
    let part = |k| Part::new(k, n).expect("exists");
    (1..=n)
        .map(|k| Arrival { mark: at(k), previous: (k > 1).then(|| at(k - 1).digest), part: Some(part(k)) })
        .collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

/// A receiver that has applied up to `last`.
fn receiver(last: Mark) -> Incoming {
    Incoming { last: Some(last), ..Incoming::default() }
}

fn unseen() -> Facts<'static> {
    Facts::default()
}

/// A stream of one life: epoch 1 opened by a snapshot of one part, then data up to `seq`.
fn sender(seq: u64, life: &str) -> Outgoing {
    let mut stream = Outgoing::default();
    let mut opening = stream.open_epoch(1, SnapshotReason::Initial).expect("opens");
    opening.sealed(mark(1, 1, life).digest);
    stream = opening.finish(at(0)).expect("one part");
    for seq in 2..=seq {
        stream.sealed(mark(1, seq, life), at(0));
    }
    stream
}

#[test]
fn s3_a_file_that_is_not_authentic_or_well_formed_consumes_no_number() {
    let stream = receiver(mark(1, 1, "a"));
    let part = Some(Part::new(1, 1).expect("exists"));
    assert!(!Arrival { mark: mark(2, 2, "forged"), previous: None, part }.is_well_formed());
    // nothing was recorded for it, so the authentic packet of that number is judged as if it were alone
    let authentic = data(mark(1, 2, "a"), mark(1, 1, "a"));
    assert!(authentic.is_well_formed());
    assert_eq!(stream.judge(&authentic, &unseen()), Verdict::Ready(Ready::Data(authentic.mark)));
}

#[test]
fn a_refused_snapshot_is_never_echoed_not_even_when_superseded() {
    let mut stream = sender(1, "a");
    let mut sent = SentPacket::new(mark(1, 1, "a"), true, false, at(0));
    assert!(sent.supersede(epoch(2)));
    let refused = PacketOutcome::Refused(PacketReason::Schema);
    let effect = stream.protocol(&mut sent, &mark(1, 1, "a"), 1, refused);
    assert_eq!(effect, AnswerEffect::Refused { reason: PacketReason::Schema, reopen: false });
    // its receiver consumed nothing: an echo of it would look like a restore there
    assert_eq!(stream.echo, None);
}

#[test]
fn s10_a_target_that_exists_is_placed() {
    let mut packet = SentPacket::new(mark(1, 1, "a"), true, false, at(0));
    packet.placed(at(0), &Timing::default(), 0);
    assert_eq!(packet.state, PacketState::Placed);
    // a crash before the commit lost that: the second placing finds the target, with the same result
    let mut again = SentPacket::new(mark(1, 1, "a"), true, false, at(0));
    again.placed(at(5), &Timing::default(), 0);
    assert_eq!(again.state, PacketState::Placed);
    assert!(matches!(again.placing(None, at(5), &Timing::default()), Placing::At(_)));
}

#[test]
fn f4_only_a_protocol_ends_the_placing() {
    let timing = Timing::default();
    let mut packet = SentPacket::new(mark(1, 1, "a"), false, false, at(0));
    assert_eq!(packet.placing(None, at(0), &timing), Placing::Now);
    packet.placed(at(0), &timing, u32::MAX / 2);
    assert!(packet.receipt(&packet.mark.clone(), at(1), &timing, u32::MAX / 2));
    assert_eq!(packet.state, PacketState::Received);
    let before = packet.clone();
    assert!(!packet.receipt(&packet.mark.clone(), at(2), &timing, 0), "a repeated KV moves no deadline");
    assert_eq!(packet, before);

    let (mut now, mut longest) = (at(1), SignedDuration::ZERO);
    for _ in 0..5_000 {
        let Placing::At(next) = packet.placing(None, now, &timing) else {
            panic!("it waits, and never gives up")
        };
        longest = longest.max(next.duration_since(now));
        now = next;
        assert_eq!(packet.placing(None, now, &timing), Placing::Now);
        packet.placed(now, &timing, u32::MAX);
    }
    assert_eq!(packet.state, PacketState::Received);
    assert!(longest <= timing.cap + timing.cap / 4);
    let mut stream = sender(1, "a");
    packet.mark = stream.last.expect("sealed");
    let answered = packet.mark;
    assert_eq!(stream.protocol(&mut packet, &answered, 1, PacketOutcome::Applied), AnswerEffect::Close);
    assert_eq!(packet.placing(None, Timestamp::MAX, &timing), Placing::Never);
    assert_eq!(stream.echo, Some(answered));
}

#[test]
fn waits_grow_and_are_spread_by_a_quarter() {
    let timing = Timing { receipt: SignedDuration::from_secs(100), ..Timing::default() };
    let mut packet = SentPacket::new(mark(1, 1, "a"), false, false, at(0));
    let mut waits = Vec::new();
    for random in [0, u32::MAX, 0, u32::MAX] {
        packet.placed(at(0), &timing, random);
        waits.push(packet.next_at.as_second());
    }
    assert_eq!(waits, [75, 250, 300, 1000]);
    packet.placing_failed(at(0), &timing, 0);
    assert_eq!(packet.next_at, at(12), "an absent mailbox is tried by its own, shorter wait");
}

#[test]
fn a_late_receipt_after_a_protocol_reopens_nothing() {
    let mut stream = sender(1, "a");
    let mut packet = SentPacket::new(mark(1, 1, "a"), true, false, at(0));
    let answered = packet.mark;
    stream.protocol(&mut packet, &answered, 1, PacketOutcome::AppliedPartial);
    assert!(!packet.receipt(&answered, at(1), &Timing::default(), 0));
    assert_eq!(packet.state, PacketState::AppliedPartial);
    // the held record was applied: the higher revision counts, in whichever order they come
    assert_eq!(stream.protocol(&mut packet, &answered, 3, PacketOutcome::Applied), AnswerEffect::Close);
    let late = stream.protocol(&mut packet, &answered, 2, PacketOutcome::AppliedPartial);
    assert_eq!((late, packet.state), (AnswerEffect::Nothing, PacketState::Applied));
}

#[test]
fn f6_a_restored_receiver_is_told_by_the_echo() {
    let control = Control { ack: None, echo: Some(mark(1, 1, "h")) };
    let restored = OwnHistory::default();
    assert_eq!(judge_control(&control, &restored), Some(Evidence::Echoed(mark(1, 1, "h"))));
    let consumed_at_echo = Some(mark(1, 1, "h").digest);
    let intact = OwnHistory { receiving: Some(epoch(1)), consumed_at_echo, ..OwnHistory::default() };
    assert_eq!(judge_control(&control, &intact), None);
    // an older epoch proves nothing
    let newer = OwnHistory { receiving: Some(epoch(2)), ..OwnHistory::default() };
    assert_eq!(judge_control(&control, &newer), None);
}

#[test]
fn f10_a_restored_sender_is_told_by_the_ack() {
    let control = Control { ack: Some(mark(1, 2, "former life")), echo: None };
    let sealed =
        |digest| OwnHistory { sending: Some(epoch(1)), sealed_at_ack: digest, ..OwnHistory::default() };
    let evidence = Some(Evidence::Acked(mark(1, 2, "former life")));
    assert_eq!(judge_control(&control, &sealed(None)), evidence);
    assert_eq!(judge_control(&control, &sealed(Some(mark(1, 2, "new life").digest))), evidence);
    assert_eq!(judge_control(&control, &sealed(Some(mark(1, 2, "former life").digest))), None);
    assert!(control.acknowledges(position(1, 2)) && !control.acknowledges(position(1, 3)));
}

#[test]
fn f8_a_fork_in_held_packets_is_named() {
    let mut stream = receiver(mark(1, 1, "a"));
    let held = data(mark(1, 3, "a"), mark(1, 2, "a"));
    assert_eq!(stream.judge(&held, &unseen()), Verdict::Gap(Some(position(1, 2))));
    let restored = data(mark(1, 2, "restored"), mark(1, 1, "a"));
    let Verdict::Ready(ready) = stream.judge(&restored, &unseen()) else { panic!("next in order") };
    assert_eq!(stream.consume(&ready), None);
    assert_eq!(stream.next(), Some(held.mark.position));
    let breach = Breach::Chain(mark(1, 2, "restored").digest);
    assert_eq!(stream.judge_held(&held), Verdict::Fork(breach));
}

#[test]
fn f9_a_protocol_of_another_life_clears_nothing() {
    let mut stream = sender(5, "new life");
    let mut packet = SentPacket::new(mark(1, 5, "new life"), false, false, at(0));
    let before = packet.clone();
    let former = mark(1, 5, "former life");
    assert_eq!(stream.protocol(&mut packet, &former, 9, PacketOutcome::Applied), AnswerEffect::Nothing);
    assert!(!packet.receipt(&former, at(1), &Timing::default(), 0));
    assert_eq!((&packet, stream.echo), (&before, None));
    assert_eq!(judge_own_mark(&former, Some(packet.mark.digest), stream.epoch()), Named::Unknown);
    assert_eq!(judge_own_mark(&packet.mark, Some(packet.mark.digest), stream.epoch()), Named::Ours);
    assert_eq!(judge_own_mark(&former, None, Some(epoch(2))), Named::FormerLife);
}

#[test]
fn f10_a_fork_is_refused_stops_the_stream_and_proves_the_restore() {
    let mut receiving = receiver(mark(1, 2, "a"));
    let clash = data(mark(1, 2, "restored"), mark(1, 1, "a"));
    let facts = Facts { other: Some(mark(1, 2, "a").digest), ..unseen() };
    assert_eq!(receiving.judge(&clash, &facts), Verdict::Fork(Breach::SameNumber(mark(1, 2, "a").digest)));
    receiving.fork(epoch(1));
    assert_eq!(receiving.judge(&clash, &Facts { known: true, ..facts }), Verdict::Duplicate);
    // F18: the other machine of a pair learns it too
    let honest = data(mark(1, 3, "a"), mark(1, 2, "a"));
    assert_eq!(receiving.judge(&honest, &unseen()), Verdict::Fork(Breach::Stopped));

    let mut stream = sender(2, "restored");
    let mut packet = SentPacket::new(mark(1, 2, "restored"), false, false, at(0));
    let outcome = PacketOutcome::Refused(PacketReason::Fork);
    let evidence = Evidence::Refused { packet: packet.mark, reason: PacketReason::Fork };
    let effect = stream.protocol(&mut packet, &mark(1, 2, "restored"), 1, outcome);
    assert_eq!(effect, AnswerEffect::Restored(evidence));
    assert_eq!(stream.echo, None, "a refused fork consumed no number");

    // the next epoch ends the stop
    let [opening] = snapshot(2, 1, "restored")[..] else { panic!("one part") };
    let Verdict::Ready(ready) = receiving.judge(&opening, &unseen()) else { panic!("a whole snapshot") };
    assert_eq!(receiving.consume(&ready), Some(epoch(2)));
    let next = data(mark(2, 2, "restored"), opening.mark);
    assert_eq!(receiving.judge(&next, &unseen()), Verdict::Ready(Ready::Data(next.mark)));
}

#[test]
fn the_next_number_after_another_packet_is_a_fork() {
    let stream = receiver(mark(1, 1, "a"));
    let next = data(mark(1, 2, "b"), mark(1, 1, "b"));
    assert_eq!(stream.judge(&next, &unseen()), Verdict::Fork(Breach::Chain(mark(1, 1, "a").digest)));
    let unchained = Arrival { previous: None, ..next };
    assert!(matches!(stream.judge(&unchained, &unseen()), Verdict::Fork(Breach::Chain(_))));
}

#[test]
fn f11_every_stream_and_epoch_begins_with_a_snapshot() {
    assert_eq!(Outgoing::default().next_slot(), Err(CannotSeal::NotBegun));
    assert_eq!(Outgoing::default().heartbeat_at(&Timing::default(), at(0)), None);
    let first = data(mark(1, 1, "a"), mark(1, 1, "x"));
    assert_eq!(Incoming::default().judge(&first, &unseen()), Verdict::Gap(None));
    // the snapshot mends the gap behind which it would have stood in its own epoch
    let mut stream = Incoming::default();
    let [opening] = snapshot(2, 1, "restored")[..] else { panic!("one part") };
    let Verdict::Ready(ready) = stream.judge(&opening, &unseen()) else { panic!("a whole snapshot") };
    assert_eq!(stream.consume(&ready), Some(epoch(2)));
    // inside an epoch there is no place for one
    let late = Arrival { mark: mark(2, 2, "a"), part: Part::new(2, 2).ok(), previous: None };
    assert_eq!(stream.judge(&late, &unseen()), Verdict::Fork(Breach::OtherOpening));
}

#[test]
fn f17_parts_of_two_lives_are_never_mixed() {
    let (old, new) = (snapshot(2, 2, "old"), snapshot(2, 2, "new"));
    let stream = receiver(mark(1, 1, "a"));
    let facts = Facts { parts: &old[..1], ..unseen() };
    assert_eq!(stream.judge(&new[1], &facts), Verdict::Fork(Breach::Chain(old[0].mark.digest)));
    let clash = Facts { other: Some(old[0].mark.digest), ..facts };
    assert!(matches!(stream.judge(&new[0], &clash), Verdict::Fork(Breach::SameNumber(_))));
    let longer = snapshot(2, 3, "new");
    assert_eq!(stream.judge(&longer[1], &facts), Verdict::Fork(Breach::OtherOpening));
}

#[test]
fn f17_a_fork_between_the_parts_stops_until_a_newer_epoch() {
    let mut stream = receiver(mark(1, 1, "a"));
    stream.fork(epoch(2));
    let part = snapshot(2, 2, "old")[0];
    assert_eq!(stream.judge(&part, &unseen()), Verdict::Fork(Breach::Stopped));
    let [opening] = snapshot(3, 1, "new")[..] else { panic!("one part") };
    assert!(matches!(stream.judge(&opening, &unseen()), Verdict::Ready(Ready::Snapshot(_))));
}

#[test]
fn f19_a_packet_of_an_ended_epoch_is_answered() {
    let stream = receiver(mark(2, 1, "a"));
    let old = data(mark(1, 7, "a"), mark(1, 6, "a"));
    assert_eq!(stream.judge(&old, &unseen()), Verdict::StaleEpoch);
    assert_eq!(stream.judge(&old, &Facts { known: true, ..unseen() }), Verdict::Duplicate);
    let part = snapshot(1, 1, "twin")[0];
    assert_eq!(stream.judge(&part, &unseen()), Verdict::StaleEpoch);

    // for a sender that knows no newer epoch it is evidence; for one that opened it, it is nothing
    let stale = PacketOutcome::Refused(PacketReason::StaleEpoch);
    let mut twin = sender(7, "a");
    let mut packet = SentPacket::new(mark(1, 7, "a"), false, false, at(0));
    let mut same = packet.clone();
    let effect = twin.protocol(&mut packet, &old.mark, 1, stale);
    assert!(matches!(effect, AnswerEffect::Restored(Evidence::Refused { .. })));
    let mut opening = twin.open_epoch(1, SnapshotReason::Requested).expect("opens");
    opening.sealed(mark(2, 1, "a").digest);
    let mut opened = opening.finish(at(9)).expect("one part");
    assert!(same.supersede(epoch(2)));
    assert_eq!(opened.protocol(&mut same, &old.mark, 1, stale), AnswerEffect::Nothing);
    assert_eq!(same.state, PacketState::Superseded);
}

#[test]
fn what_lies_in_quarantine_is_known_but_takes_no_number() {
    let arrival = data(mark(1, 2, "a"), mark(1, 1, "a"));
    let (own, twin) = (arrival.mark.digest, mark(1, 2, "twin").digest);
    let facts = |at: &[(Digest, bool)]| {
        let facts = Facts::of(&arrival, at, &[]);
        (facts.known, facts.other)
    };
    assert_eq!(facts(&[]), (false, None));
    assert_eq!(facts(&[(twin, false)]), (false, None));
    assert_eq!(facts(&[(twin, true)]), (false, Some(twin)));
    assert_eq!(facts(&[(twin, true), (own, false)]), (true, Some(twin)));
}

#[test]
fn f16_a_closed_epoch_takes_nothing_more() {
    let mut stream = receiver(mark(1, 2, "a"));
    stream.close(epoch(1));
    let next = data(mark(1, 3, "a"), mark(1, 2, "a"));
    assert_eq!(stream.judge(&next, &unseen()), Verdict::StaleEpoch);
    assert_eq!(stream.judge(&next, &Facts { known: true, ..unseen() }), Verdict::Duplicate);
    assert!(matches!(stream.judge(&snapshot(2, 1, "a")[0], &unseen()), Verdict::Ready(_)));
}

#[test]
fn f21_a_database_behind_the_watermark_file_was_restored() {
    let file = Watermark { sealed: Some(position(1, 5)), applied: Some(position(2, 1)) };
    assert_eq!(file.judge(&file), None);
    let ahead = Watermark { sealed: Some(position(1, 6)), applied: Some(position(3, 1)) };
    assert_eq!(file.judge(&ahead), None, "a crash before the file was written");
    assert_eq!(Watermark::default().judge(&file), None);
    let what = |database: Watermark| match file.judge(&database) {
        Some(Evidence::BehindWatermark { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(what(Watermark { sealed: Some(position(1, 4)), ..file }), "sealed");
    assert_eq!(what(Watermark { applied: Some(position(1, 9)), ..file }), "applied");
    assert_eq!(what(Watermark::default()), "sealed");
}

#[test]
fn an_incident_stops_data_but_not_requested_snapshots() {
    let stream = Outgoing { stop: Some(Stop::Restored), ..sender(3, "a") };
    assert_eq!(stream.next_slot(), Err(CannotSeal::Stopped(Stop::Restored)));
    assert_eq!(stream.heartbeat_at(&Timing::default(), at(0)), None);
    let packet = SentPacket::new(mark(1, 3, "a"), false, false, at(0));
    assert_eq!(packet.placing(stream.stop, at(9), &Timing::default()), Placing::Never);
    assert!(matches!(stream.open_epoch(1, SnapshotReason::Initial), Err(CannotSeal::Stopped(_))));

    let mut requested = stream.open_epoch(1, SnapshotReason::Requested).expect("goes on");
    assert!(requested.unconfirmed());
    let sealed = requested.sealed(mark(2, 1, "a").digest).expect("one part");
    let stream = requested.finish(at(1)).expect("all parts");
    assert_eq!(stream.stop, Some(Stop::Restored));
    let mut packet = SentPacket::new(sealed, true, true, at(1));
    assert_eq!(packet.placing(stream.stop, at(1), &Timing::default()), Placing::Now);
    let mut stream = stream;
    let echo = stream.echo;
    assert_eq!(stream.protocol(&mut packet, &sealed, 1, PacketOutcome::Applied), AnswerEffect::Close);
    assert_eq!((packet.state, stream.echo), (PacketState::Applied, echo), "answered, and not consumed");
    let cloned = Outgoing { stop: Some(Stop::Clone), ..stream.clone() };
    assert_eq!((stream.honours_requests(), cloned.honours_requests()), (true, false));

    let mut recovered = stream.open_epoch(1, SnapshotReason::Recovered).expect("ends it");
    assert!(!recovered.unconfirmed());
    recovered.sealed(mark(3, 1, "a").digest);
    let stream = recovered.finish(at(2)).expect("all parts");
    assert_eq!((stream.stop, stream.epoch()), (None, Some(epoch(3))));
}

#[test]
fn r7_an_epoch_is_above_every_epoch_known_and_chained() {
    let mut stream = sender(2, "restored");
    stream.told_epoch(epoch(7));
    let mut opening = stream.open_epoch(3, SnapshotReason::Recovered).expect("opens");
    assert_eq!(opening.epoch(), epoch(8));
    let mut previous = mark(1, 2, "restored").digest;
    for k in 1..=3 {
        let slot = opening.next_part().expect("a part is left");
        assert_eq!((slot.position, slot.part), (position(8, u64::from(k)), Part::new(k, 3).ok()));
        assert_eq!(slot.previous, Some(previous));
        assert_eq!(opening.clone().finish(at(1)), None, "an epoch is opened whole or not at all");
        previous = opening.sealed(mark(8, u64::from(k), "restored").digest).expect("sealed").digest;
    }
    assert_eq!((opening.next_part(), opening.sealed(previous)), (None, None));
    let stream = opening.finish(at(1)).expect("all parts");
    let slot = stream.next_slot().expect("data go on");
    assert_eq!((slot.position, slot.previous, slot.part), (position(8, 4), Some(previous), None));
    assert_eq!(stream.open_epoch(0, SnapshotReason::Initial).err(), Some(CannotSeal::NoParts));
}

#[test]
fn a_packet_refused_whole_consumes_its_number_but_a_snapshot_opens_nothing() {
    let schema = PacketOutcome::Refused(PacketReason::Schema);
    let mut stream = sender(2, "a");
    let mut packet = SentPacket::new(mark(1, 2, "a"), false, false, at(0));
    let effect = stream.protocol(&mut packet, &mark(1, 2, "a"), 1, schema);
    assert_eq!(effect, AnswerEffect::Refused { reason: PacketReason::Schema, reopen: false });
    assert_eq!((packet.state, stream.echo), (PacketState::Refused, Some(packet.mark)));
    let mut receiving = receiver(mark(1, 1, "a"));
    receiving.consume(&Ready::Data(packet.mark));
    let next = data(mark(1, 3, "a"), packet.mark);
    assert_eq!(receiving.judge(&next, &unseen()), Verdict::Ready(Ready::Data(next.mark)));

    let mut stream = sender(1, "a");
    let mut part = SentPacket::new(mark(1, 1, "a"), true, false, at(0));
    let effect = stream.protocol(&mut part, &mark(1, 1, "a"), 1, schema);
    assert_eq!(effect, AnswerEffect::Refused { reason: PacketReason::Schema, reopen: true });
    assert_eq!(stream.echo, None, "else the receiver would take itself for restored");
}

#[test]
fn r3_a_heartbeat_is_due_a_period_after_the_last_packet() {
    let timing = Timing { heartbeat: SignedDuration::from_secs(60), ..Timing::default() };
    let mut stream = sender(1, "a");
    assert_eq!(stream.heartbeat_at(&timing, at(0)), Some(at(60)));
    stream.sealed(mark(1, 2, "a"), at(50));
    assert_eq!(stream.heartbeat_at(&timing, at(50)), Some(at(110)));
}

#[test]
fn a_clock_that_was_set_back_keeps_nothing_waiting() {
    let timing = Timing { heartbeat: SignedDuration::from_secs(60), ..Timing::default() };
    let now = at(1_000);
    let cap = timing.cap.as_secs();
    for (ahead, due) in [(cap * 2, false), (cap * 2 + 1, true), (i64::from(u32::MAX), true)] {
        let packet =
            SentPacket { next_at: at(1_000 + ahead), ..SentPacket::new(mark(1, 1, "a"), false, false, now) };
        assert_eq!(packet.placing(None, now, &timing) == Placing::Now, due, "{ahead}");
    }
    let mut stream = sender(1, "a");
    for (sealed_at, beat_at) in [(1_060, 1_120), (1_061, 1_000), (i64::from(u32::MAX), 1_000)] {
        stream.sealed(mark(1, 2, "a"), at(sealed_at));
        assert_eq!(stream.heartbeat_at(&timing, now), Some(at(beat_at)), "{sealed_at}");
    }
    assert_eq!(timing.due_again(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
}

#[test]
fn s1_states_are_compared_only_where_told_and_never_while_recovering() {
    assert_eq!(check_state(None, &1, false), StateCheck::NotCompared);
    assert_eq!(check_state(Some(&2), &1, true), StateCheck::NotCompared);
    assert_eq!(check_state(Some(&1), &1, false), StateCheck::Agrees);
    assert_eq!(check_state(Some(&2), &1, false), StateCheck::Diverged);
}

#[test]
fn states_read_back() {
    for (state, word) in PacketState::ALL {
        assert_eq!(word.parse(), Ok(state));
        assert_eq!(state.to_string(), word);
    }
    assert!("sealed".parse::<PacketState>().is_err());
    for (stop, word) in Stop::ALL {
        assert_eq!((word.parse(), stop.to_string().as_str()), (Ok(stop), word));
    }
    assert!("".parse::<Stop>().is_err());
    assert!(Part::new(0, 1).is_err() && Part::new(2, 1).is_err() && Part::new(1, u32::MAX).is_err());
}

proptest! {
    /// Parts in any order and duplicated: each is held until the last, then all apply, in order, once.
    #[test]
    fn a_snapshot_applies_when_its_last_part_came(
        n in 1_u32..7,
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        repeats in prop::collection::vec(0..7_usize, 0..6),
    ) {
        let parts = snapshot(2, n, "a");
        let mut stream = receiver(mark(1, 9, "a"));
        let mut held: Vec<Arrival> = Vec::new();
        let mut applied = 0;
        for k in order.iter().flat_map(|k| [Some(*k), repeats.get(*k).copied()]).flatten() {
            let Some(part) = parts.get(k) else { continue };
            let known = held.contains(part);
            match stream.judge(part, &Facts { known, other: None, parts: &held }) {
                Verdict::Duplicate => prop_assert!(known),
                Verdict::Incomplete { held: so_far, of } => {
                    held.push(*part);
                    prop_assert_eq!((so_far, of), (held.len(), n));
                }
                Verdict::Ready(ready) => {
                    held.push(*part);
                    applied += 1;
                    let marks = parts.iter().map(|part| part.mark).collect();
                    prop_assert_eq!(&ready, &Ready::Snapshot(marks));
                    prop_assert_eq!(stream.consume(&ready), Some(epoch(2)));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        prop_assert_eq!(applied, 1);
        prop_assert_eq!(stream.last, parts.last().map(|part| part.mark));
    }
}
