//! Two parties over a mailbox that loses, repeats and reorders, with a crash possible between any two steps.
//!
//! A party is a value; a step works on a copy, and a crash throws the copy away. Every record version that
//! was sealed must be applied exactly once, every packet end answered, and nobody be taken for restored.
//! A second test does put one party back to an older copy: it must find out, or nothing was lost.

mod party;

use proptest::prelude::*;

use self::party::{Fate, File, Party, TIMING};
use super::{Edition, PacketState, SnapshotReason};
use crate::answer::PacketReason;

/// Two parties and what lies in the mailbox for each.
#[derive(Debug, Default)]
struct World {
    parties: [Party; 2],
    mail: [Vec<File>; 2],
}

/// One thing that happens to party `who`; `random` decides the details.
#[derive(Debug, Clone, Copy)]
struct Step {
    what: u8,
    who: bool,
    crash: bool,
    random: u32,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_u8..12, any::<bool>(), prop::bool::weighted(0.15), any::<u32>());
    prop::collection::vec(
        step.prop_map(|(what, who, crash, random)| Step { what, who, crash, random }),
        1..120,
    )
}

impl World {
    fn run(&mut self, steps: Vec<Step>) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: Step) {
        let Step { what, who, crash, random } = step;
        let (me, peer) = (usize::from(who), usize::from(!who));
        let mut party = self.parties[me].clone();
        party.now += i64::from(random % 7);
        let mut placed = Vec::new();
        match what {
            0..=2 => party.edit(u8::try_from(random % 6).expect("small")),
            3 | 4 => party.seal(1 + random % 3),
            5 if random.is_multiple_of(4) => party.open(1 + random % 3, SnapshotReason::Initial),
            6 | 7 => placed = party.place(random),
            8 => party.now += 30,
            _ if !self.mail[me].is_empty() => {
                let at = random as usize % self.mail[me].len();
                let file = self.mail[me][at].clone();
                party.take(&file, random);
                if !crash && random.is_multiple_of(3) {
                    self.mail[me].swap_remove(at);
                }
            }
            _ => {}
        }
        // a crash before the commit loses the step, but not what it had already placed
        self.mail[peer].extend(placed.into_iter().filter(|_| !random.is_multiple_of(5)));
        if !crash {
            self.parties[me] = party;
        }
    }

    /// The faults stop: time goes on, heartbeats are sent, every file arrives.
    fn settle(&mut self) {
        for round in 0..60 {
            for me in 0..2 {
                let party = &mut self.parties[me];
                party.now += 200;
                let now = party.clock();
                let heartbeat = party.outgoing.heartbeat_at(&TIMING, now).is_some_and(|due| due <= now);
                let pending = !party.pending().is_empty();
                if round < 30 && (heartbeat || pending || party.outgoing.last.is_none()) {
                    party.seal(1);
                }
                let files = party.place(7);
                self.mail[1 - me].extend(files);
                for file in std::mem::take(&mut self.mail[me]) {
                    self.parties[me].take(&file, 7);
                }
            }
        }
    }

    /// What must hold of the stream from `sender` to `receiver` when it has settled.
    fn check_stream(sender: &Party, receiver: &Party) -> Result<(), TestCaseError> {
        prop_assert_eq!(&receiver.copies, &sender.records);
        prop_assert!(sender.registered.is_empty(), "every change is answered");
        prop_assert_eq!(receiver.incoming.last, sender.outgoing.last);
        for packet in sender.sent.values().map(|sent| &sent.packet) {
            let ended = matches!(packet.state, PacketState::Applied | PacketState::Superseded);
            prop_assert!(ended, "{:?}", packet);
        }
        let epoch = sender.outgoing.epoch();
        let held = receiver.received.values().find(|received| received.fate == Fate::Held);
        prop_assert!(held.is_none(), "{:?} in epoch {:?}", held, epoch);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_version_sealed_is_applied_exactly_once(steps in steps()) {
        let mut world = World::default();
        world.run(steps);
        world.settle();
        for (sender, receiver) in [(0, 1), (1, 0)] {
            let (sender, receiver) = (&world.parties[sender], &world.parties[receiver]);
            prop_assert_eq!((sender.outgoing.stop, sender.incoming.stopped), (None, None), "false alarm");
            World::check_stream(sender, receiver)?;
            prop_assert!(receiver.orphans == 0 && receiver.applied.values().all(|times| *times == 1));
            for sent in sender.sent.values() {
                if sent.packet.state == PacketState::Applied {
                    let once = |(key, edition): (&u8, &Edition)| receiver.applied.contains_key(&(*key, edition.version));
                    prop_assert!(sent.carried.iter().all(once), "{:?}", sent.packet);
                }
            }
            for received in receiver.received.values() {
                prop_assert!(received.fate != Fate::Quarantined(PacketReason::Fork), "{:?}", received);
            }
        }
    }

    #[test]
    fn a_restored_party_finds_out_unless_nothing_was_lost(
        before in steps(),
        between in steps(),
        after in steps(),
        quiet in any::<bool>(),
    ) {
        let mut world = World::default();
        world.run(before);
        let old = world.parties[0].clone();
        // a party that only receives can be told by the echo alone
        world.run(between.into_iter().filter(|step| !quiet || step.who || step.what > 5).collect());
        let now = world.parties[0].now;
        world.parties[0] = Party { life: 1, now, ..old };
        world.run(after);
        world.settle();
        let [restored, peer] = &world.parties;
        prop_assert_eq!(peer.outgoing.stop, None, "the wrong party was accused");
        if restored.outgoing.stop.is_none() && peer.orphans == 0 {
            World::check_stream(restored, peer)?;
            World::check_stream(peer, restored)?;
        }
    }
}
