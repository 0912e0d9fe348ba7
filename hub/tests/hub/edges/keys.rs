//! A centre changes its keys: what a KY says holds by position, whatever comes first, and nobody else can say it.

use std::fs;

use exchange_format::{
    answer::{PacketOutcome, PacketReason, Request, SnapshotCause},
    card::Card,
    packet::Nonce,
};

use super::{
    TestHub, anna,
    centre::{TestCentre, now},
};
use svod_hub::edges::{
    intake::Taken,
    operations::{enrol, keys},
};

/// A hub and a centre that has begun.
fn begun() -> (TestHub, TestCentre) {
    let mut hub = TestHub::new();
    let mut centre = hub.centre(1);
    for name in centre.snapshot(1, &[vec![anna(1, 1, &[])]]) {
        hub.take(&centre, &name);
    }
    (hub, centre)
}

fn is_applied(taken: &Taken) -> bool {
    matches!(taken, Taken::Done(applied) if applied.iter().any(|one| one.state == "APPLIED"))
}

/// The reasons of what lies in quarantine.
fn quarantine(hub: &TestHub) -> Vec<String> {
    let files = keys::quarantine(&hub.config()).expect("told");
    files.into_iter().filter(|one| !one.taken).map(|one| one.reason).collect()
}

fn card(hub: &TestHub, centre: &TestCentre) -> Option<Card> {
    hub.hub.context.trust.card(centre.code).cloned()
}

#[test]
fn what_is_signed_by_the_next_key_waits_for_it_and_is_then_taken_by_itself() {
    let (mut hub, mut centre) = begun();
    let (old, (new, signing)) = (centre.keys.clone(), centre.next_card(7));
    let ky = centre.change_keys(&new, Some(&signing));
    let later = centre.data(&[anna(2, 1, &[])]);
    assert_eq!(hub.take(&centre, &later), Taken::Quarantined(PacketReason::UnknownKey));
    assert_eq!(hub.hub.replay(now()).expect("nothing to do"), []);
    assert!(is_applied(&hub.take(&centre, &ky)));
    assert_eq!(card(&hub, &centre), Some(new.clone()));
    hub.reopen(); // a crash between the two
    let done = hub.hub.replay(now()).expect("judged again");
    assert_eq!(done.iter().map(|(_, applied)| applied[0].name.as_str()).collect::<Vec<_>>(), [&later]);
    assert_eq!((quarantine(&hub), hub.hub.replay(now()).expect("once").len()), (vec![], 0));
    assert_eq!(
        fs::read_dir(hub.hub.context.paths.quarantine.join(centre.code.as_str())).expect("there").count(),
        0
    );
    // it is answered, and the old card stays for who checks what it signed
    hub.send();
    let answered = centre.read_out().protocols;
    assert!(answered.iter().all(|(head, _)| head.outcome == PacketOutcome::Applied), "{answered:?}");
    assert_eq!(answered.len(), 3);
    assert_eq!(hub.hub.context.trust.superseded(centre.code).collect::<Vec<_>>(), [&old.card]);
    // the old key: no packet of a later place, but answers that were on their way
    let last = centre.read_out().last;
    centre.keys.signing = old.signing.clone();
    let (mark, sum) = (centre.last, centre.sum);
    let forged = centre.data(&[anna(3, 1, &[])]);
    assert_eq!(hub.take(&centre, &forged), Taken::Quarantined(PacketReason::UnknownKey));
    if let Some(last) = last {
        let answer = centre.confirm(last, 0);
        assert_eq!(hub.take(&centre, &answer), Taken::Done(Vec::new()));
    }
    (centre.last, centre.sum, centre.keys.signing) = (mark, sum, signing);
    // the same KY again is a repetition
    assert!(is_applied(&{
        let name = centre.data(&[anna(3, 1, &[])]);
        hub.take(&centre, &name)
    }));
}

#[test]
fn keys_hold_though_their_ky_waits_for_a_gap_which_a_new_epoch_ends() {
    let (mut hub, mut centre) = begun();
    let lost = centre.data(&[anna(2, 1, &[])]);
    let (new, signing) = centre.next_card(7);
    let ky = centre.change_keys(&new, Some(&signing));
    assert_eq!(hub.take(&centre, &ky), Taken::Done(Vec::new()), "held");
    assert_eq!(card(&hub, &centre), Some(new));
    let held = centre.data(&[anna(3, 1, &[])]);
    assert_eq!(hub.take(&centre, &held), Taken::Done(Vec::new()), "held, and known to be the centre's");
    assert_eq!(quarantine(&hub), Vec::<String>::new());
    for name in centre.snapshot(2, &[vec![anna(1, 1, &[])]]) {
        assert!(is_applied(&hub.take(&centre, &name)));
    }
    hub.send();
    let read = centre.read_out();
    let outcomes: Vec<_> =
        read.protocols.iter().map(|(head, _)| (head.answered.position, head.outcome)).collect();
    assert!(
        outcomes.iter().any(|(at, outcome)| at.epoch.get() == 1
            && at.seq.get() == 3
            && *outcome == PacketOutcome::Applied),
        "the KY gets its word, or it would be placed for ever: {outcomes:?}"
    );
    let lost = hub.take(&centre, &lost);
    assert_eq!(lost, Taken::Quarantined(PacketReason::StaleEpoch), "signed by the key of its place");
}

#[test]
fn what_no_ky_may_say() {
    let (mut hub, mut centre) = begun();
    let other = TestCentre::new(2, &hub);
    let (mine, theirs) = (centre.keys.card.clone(), other.keys.card.clone());
    let refused = |taken: &Taken| match taken {
        Taken::Done(applied) => applied.iter().map(|one| one.state).collect::<Vec<_>>(),
        _ => vec!["?"],
    };
    // another's card, and the card that it should follow: refused whole, the number is consumed
    for card in [&theirs, &mine] {
        let name = centre.change_keys(card, None);
        assert_eq!(refused(&hub.take(&centre, &name)), ["REFUSED"]);
    }
    let next = centre.data(&[]);
    assert!(is_applied(&hub.take(&centre, &next)), "the stream goes on by the old key");
    // signed by the key that it brings: nobody knows it
    let (new, signing) = centre.next_card(7);
    let (before, old) = (centre.last, centre.keys.signing.clone());
    centre.keys.signing = signing.clone();
    let forged = centre.change_keys(&new, None);
    assert_eq!(hub.take(&centre, &forged), Taken::Quarantined(PacketReason::UnknownKey));
    assert_eq!(card(&hub, &centre), Some(mine.clone()));
    (centre.last, centre.keys.signing) = (before, old.clone());
    // taken once, it cannot be taken back
    let ky = centre.change_keys(&new, Some(&signing));
    let again = fs::read(centre.inbox.join(&ky)).expect("placed");
    assert!(is_applied(&hub.take(&centre, &ky)));
    fs::write(centre.inbox.join(&ky), again).expect("placed again");
    assert_eq!(hub.take(&centre, &ky), Taken::Done(Vec::new()), "a duplicate");
    let back = centre.change_keys(&mine, None);
    assert_eq!(refused(&hub.take(&centre, &back)), ["REFUSED"], "its key was in use before");
    assert_eq!(card(&hub, &centre), Some(new));
    // staff take another card: the keys before it are revoked, and so is what they say
    let (third, _) = centre.next_card(9);
    let (file, password) = (hub.dir.path().join("n.card"), hub.dir.path().join("password"));
    fs::write(&file, third.to_bytes()).expect("written");
    let add = |print: &str| enrol::add(&hub.config(), &file, print, &password, "test", now());
    add(&third.fingerprint()).expect("taken");
    hub.hub.context.reload().expect("read again");
    let (fourth, _) = centre.next_card(11);
    for key in [signing, old] {
        centre.keys.signing = key;
        let name = centre.change_keys(&fourth, None);
        assert_eq!(hub.take(&centre, &name), Taken::Quarantined(PacketReason::UnknownKey));
    }
    assert_eq!(card(&hub, &centre), Some(third));
    fs::write(&file, mine.to_bytes()).expect("written");
    let failure = add_again(&hub, &file, &mine);
    assert_eq!(failure, "centre-card-superseded");
}

/// A request that is put aside would be made again after its deadline only.
#[test]
fn what_is_signed_by_a_card_that_has_come_this_moment_is_taken() {
    let (mut hub, mut centre) = begun();
    let (new, signing) = centre.next_card(7);
    let (file, password) = (hub.dir.path().join("n.card"), hub.dir.path().join("password"));
    fs::write(&file, new.to_bytes()).expect("written");
    // by another process: the daemon has not read it yet
    enrol::add(&hub.config(), &file, &new.fingerprint(), &password, "test", now()).expect("taken");
    centre.keys.signing = signing;
    let request = Request::Snapshot { cause: SnapshotCause::Restored, seen: None };
    let name = centre.ask(&request, Nonce([3; 16]));
    assert_eq!(hub.take(&centre, &name), Taken::Done(Vec::new()));
    assert_eq!(quarantine(&hub), Vec::<String>::new());
    assert_eq!(card(&hub, &centre), Some(new));
}

fn add_again(hub: &TestHub, file: &std::path::Path, card: &Card) -> String {
    let password = hub.dir.path().join("password");
    let added = enrol::add(&hub.config(), file, &card.fingerprint(), &password, "test", now());
    added.expect_err("superseded").code().to_owned()
}

#[test]
fn a_file_that_could_not_be_opened_is_taken_when_the_key_is_back() {
    let (mut hub, mut centre) = begun();
    let own = hub.hub.context.keys.identities.clone();
    hub.hub.context.keys.identities = vec![exchange_format::seal::Identity::generate()];
    let name = centre.data(&[anna(2, 1, &[])]);
    assert_eq!(hub.take(&centre, &name), Taken::Quarantined(PacketReason::CannotOpen));
    let replay = |hub: &TestHub| {
        let files = keys::quarantine(&hub.config()).expect("told");
        let due: Vec<_> = files.iter().filter(|one| one.may_replay()).collect();
        keys::replay(&hub.config(), &due, "test", now()).expect("marked");
        due.len()
    };
    assert_eq!(replay(&hub), 1);
    assert_eq!(hub.hub.replay(now()).expect("judged"), [], "it cannot be opened yet");
    assert_eq!(quarantine(&hub), ["CANNOT_OPEN"]);
    hub.hub.context.keys.identities = own;
    assert_eq!(replay(&hub), 1);
    let done = hub.hub.replay(now()).expect("judged");
    assert_eq!(done[0].1[0].name, name);
    assert_eq!((replay(&hub), quarantine(&hub)), (0, vec![]));
}
