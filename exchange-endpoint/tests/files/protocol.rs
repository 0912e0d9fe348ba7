//! A protocol is numbered, kept, read back and printed.

use exchange_endpoint::{
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
    protocol::*,
    protocol_table::{HUB_TABLE, KeptProtocols, schema},
};
use exchange_format::{
    answer::{PacketReason, RecordLine, RecordOutcome, RecordReason},
    participant::ParticipantCode,
    position::Digest,
};

fn held(key: &str) -> Line {
    Line {
        kind: "recipient_claim".to_owned(),
        key: key.to_owned(),
        outcome: "held".to_owned(),
        rule: "identity.all_three".to_owned(),
        reason: "INVALID".to_owned(),
        sentence: "Имя, дата рождения и СНИЛС изменены одновременно <b>".to_owned(),
        next: "Проверьте, тот ли это человек".to_owned(),
        words: None,
    }
}

fn loaded(lang: Lang) -> Protocol {
    let hub = ParticipantCode::new(42, 1);
    let centre = ParticipantCode::new(42, 17);
    let started = "2026-11-21T08:00:00Z".parse().expect("a moment");
    let mut protocol = Protocol::begin(Kind::Load, lang, hub, Some(centre), started);
    protocol.finished = "2026-11-21T08:00:02Z".parse().expect("a moment");
    protocol.packet("SVOD1_DT_X.zip.age", Digest::of(b"manifest"), "applied_partial", 46);
    protocol.count("recipient_claim", "new", 40);
    protocol.count("recipient_claim", "new", 2);
    protocol.count("later_kind", "unchanged", 3);
    protocol.tell(held("00000000-0000-4000-8000-000000000001"));
    protocol
}

#[test]
fn the_rules_of_a_merge_are_a_table_of_their_own() {
    let mut merge = Protocol { kind: Kind::Merge, ..loaded(Lang::Ru) };
    assert!(!render(&merge).expect("a page").contains("EVIDENCE"));
    let sentence = "по совокупности признаков".to_owned();
    merge.rules.push(RuleTotal { rule: "EVIDENCE".to_owned(), sentence, count: 77 });
    let page = render(&merge).expect("a page");
    for shown in ["EVIDENCE", "по совокупности признаков", ">77<"] {
        assert!(page.contains(shown), "{shown}");
    }
}

fn store() -> (tempfile::TempDir, Protocols) {
    let dir = tempfile::tempdir().expect("a directory");
    let protocols = Protocols::open(&dir.path().join("protocols")).expect("made");
    (dir, protocols)
}

#[test]
fn numbers_run_on_and_what_was_written_reads_back() {
    let (dir, mut protocols) = store();
    let first = protocols.write(loaded(Lang::Ru)).expect("written");
    let second = protocols.write(loaded(Lang::En)).expect("written");
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(protocols.read(2).expect("read"), second);
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("protocols"))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("ASCII"))
        .collect();
    names.sort();
    assert_eq!(names, ["000001-load.html", "000001-load.json", "000002-load.html", "000002-load.json"]);
}

#[test]
fn what_the_database_has_gets_its_files_once_under_its_numbers() {
    let (dir, mut protocols) = store();
    let db = rusqlite::Connection::open_in_memory().expect("a database");
    db.execute_batch(&schema(HUB_TABLE)).expect("made");
    let due = KeptProtocols::new(&db, HUB_TABLE);
    let put = || due.put(&mut loaded(Lang::Ru)).expect("put");
    let keep = |protocols: &mut Protocols| {
        protocols.keep_due(|after| due.next(after).map_err(|_| ProtocolError::Unknown(after))).expect("kept");
    };
    assert_eq!((put(), put()), (1, 2));
    keep(&mut protocols);
    assert_eq!((protocols.reached().0, protocols.numbers().expect("listed")), (2, vec![1, 2]));
    // a process that was ended between the two files, and the one that comes after it
    std::fs::remove_file(dir.path().join("protocols/000002-load.html")).expect("removed");
    assert_eq!(put(), 3);
    let mut next = Protocols::open(&dir.path().join("protocols")).expect("opened");
    keep(&mut next);
    assert_eq!(next.numbers().expect("listed"), [1, 2, 3], "none twice");
    assert!(next.printable(&next.read(2).expect("read")).exists());
    // what has its files goes, but for the last number
    assert!(!due.is_to_clear(next.reached()).expect("asked"));
    due.clear(next.reached()).expect("cleared");
    assert_eq!((due.next(2).expect("asked").is_some(), due.next(0).expect("asked").is_some()), (true, true));
    assert_eq!(put(), 4);
    // an older database was put back: its numbers go on behind the files
    next.write(Protocol { number: 9, ..loaded(Lang::Ru) }).expect("written");
    assert!(due.is_to_clear(next.reached()).expect("asked"));
    due.clear(next.reached()).expect("cleared");
    assert_eq!(put(), 10);
}

#[test]
fn a_file_that_was_altered_is_put_aside_and_keeps_its_number() {
    let (dir, mut protocols) = store();
    let path = dir.path().join("protocols/000001-load.json");
    let kept = protocols.write(loaded(Lang::Ru)).expect("written");
    let text = std::fs::read_to_string(&path).expect("read");
    let mut again = |text: &str| {
        std::fs::write(&path, text).expect("written");
        protocols.write(kept.clone()).expect("written").number
    };
    assert_eq!(again(&(text.clone() + "\n")), 1, "the same, however it is laid out");
    assert_eq!(std::fs::read_dir(dir.path().join("protocols")).expect("listed").count(), 2);
    assert_eq!(again("{}"), 1);
    assert_eq!(again(&text.replace("46", "45")), 1);
    assert_eq!(protocols.read(1).expect("read"), kept);
    assert!(protocols.printable(&kept).exists());
    assert_eq!(protocols.numbers().expect("listed"), [1]);
    for aside in ["json.altered-1", "json.altered-2", "html.altered-1", "html.altered-2"] {
        assert!(dir.path().join(format!("protocols/000001-load.{aside}")).exists(), "{aside}");
    }
    // another run, which an older database counts with the same number
    let later = Protocol { started: kept.finished, ..kept };
    assert_eq!(protocols.write(later).expect("written").number, 2);
}

#[test]
fn writers_in_several_processes_never_share_a_number() {
    let (dir, _) = store();
    let path = dir.path().join("protocols");
    std::thread::scope(|scope| {
        for kind in [Kind::Load, Kind::Merge, Kind::Export] {
            let mut protocols = Protocols::open(&path).expect("open");
            scope.spawn(move || {
                for _ in 0..5 {
                    let protocol = Protocol { kind, ..loaded(Lang::Ru) };
                    protocols.write(protocol).expect("written");
                }
            });
        }
    });
    let numbers = Protocols::open(&path).expect("open").numbers().expect("listed");
    assert_eq!(numbers, (1..=15).collect::<Vec<_>>());
}

#[test]
fn the_page_is_self_contained_and_escaped() {
    for (lang, title) in [(Lang::Ru, "Протокол обмена"), (Lang::En, "Protocol of exchange")] {
        let protocol = Protocol { number: 12, ..loaded(lang) };
        let page = render(&protocol).expect("a page");
        assert!(page.contains(title) && page.contains("№ 000012"), "{lang:?}");
        assert!(page.contains(&Digest::of(b"manifest").to_string()));
        assert!(page.contains("<td class=\"n\">42</td>") && page.contains("later_kind"));
        assert!(page.contains("одновременно &#60;b&#62;"), "the text of a line is escaped");
        for reference in ["http:", "https:", "src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(reference), "{reference}");
        }
    }
}

#[test]
fn a_line_of_an_answer_is_told_in_the_language_of_the_protocol() {
    let answer = RecordLine {
        outcome: RecordOutcome::Held,
        kind: exchange_format::record::Kind::Contract,
        key: "00000000-0000-4000-8000-000000000001".parse().expect("an id"),
        version: 3,
        rule: "contract.recipient".parse().expect("a rule"),
        reason: RecordReason::DanglingRef,
        words: None,
    };
    let line = Line::of_answer(Lang::Ru, &answer);
    assert_eq!(
        (line.kind.as_str(), line.outcome.as_str(), line.reason.as_str()),
        ("contract", "held", "DANGLING_REF")
    );
    assert_eq!(line.sentence, RecordReason::DanglingRef.sentence().ru);
    assert_eq!(Line::of_answer(Lang::En, &answer).next, RecordReason::DanglingRef.next_action().en);
}

#[test]
fn every_outcome_and_kind_of_the_format_has_its_word() {
    for lang in [Lang::Ru, Lang::En] {
        for (outcome, data) in RecordOutcome::ALL {
            assert!(messages::find(lang, &format!("outcome-{data}.one"), &[]).is_some(), "{outcome:?}");
        }
        for kind in exchange_format::record::Kind::ALL {
            assert!(messages::find(lang, &format!("kind-{}", kind.name()), &[]).is_some(), "{kind:?}");
        }
        for state in ["APPLIED", "APPLIED_PARTIAL", "REFUSED", "DUPLICATE", "QUARANTINED", "sealed"] {
            let id = format!("packet-state-{}", state.to_lowercase());
            assert!(messages::find(lang, &id, &[]).is_some(), "{id}");
        }
    }
}

#[test]
fn a_packet_that_was_not_taken_says_why_and_what_next() {
    let mut protocol = loaded(Lang::Ru);
    protocol.file("SVOD1_DT_Y.zip.age", None, "FOREIGN");
    let page = render(&protocol).expect("a page");
    let reason = PacketReason::Foreign;
    assert!(page.contains("FOREIGN") && page.contains(reason.sentence().ru));
    assert!(page.contains(reason.next_action().ru));
}

#[test]
fn what_was_decided_is_told_with_who_and_why() {
    let mut decided = Protocol { kind: Kind::Decision, actor: Some("anna.k".into()), ..loaded(Lang::Ru) };
    decided.lines[0] =
        Line {
            words: Some("сёстры, <i>видела обеих".into()), next: String::new(), ..held("k")
        };
    let page = render(&decided).expect("a page");
    assert!(page.contains("anna.k") && page.contains("сёстры, &#60;i&#62;видела обеих"), "{page}");
    assert!(page.contains(&messages::text(Lang::Ru, "protocol-lines-decision", &[])));
    assert!(!page.contains("class=\"do\""), "nothing is left to do");
    let json = serde_json::to_string(&decided).expect("JSON");
    assert_eq!(serde_json::from_str::<Protocol>(&json).expect("read back"), decided);
    assert!(!serde_json::to_string(&loaded(Lang::Ru)).expect("JSON").contains("actor"));
}

#[test]
fn totals_that_the_packets_do_not_bear_out_are_found() {
    let sound = loaded(Lang::Ru);
    assert_eq!(sound.miscounted(), None);
    let mut one_more = sound.clone();
    one_more.totals[0].count += 1;
    assert_eq!(one_more.miscounted(), Some(1));
    let mut unsent = Protocol { kind: Kind::Export, ..sound.clone() };
    unsent.count("contact", "refused", 5);
    assert_eq!(unsent.miscounted(), None, "what could not be sent is in no packet");
    let mut older = one_more.clone();
    older.packets[0].records = None;
    assert_eq!(older.miscounted(), None);
}

#[test]
fn totals_add_up() {
    let protocol = loaded(Lang::Ru);
    assert_eq!(protocol.records(), 46);
    assert_eq!(protocol.by_outcome(), [("held", 1), ("new", 42), ("unchanged", 3)].into());
}

#[test]
fn a_clean_run_says_so() {
    let mut protocol = loaded(Lang::Ru);
    protocol.lines.clear();
    let page = render(&protocol).expect("a page");
    assert!(page.contains(&messages::text(Lang::Ru, "protocol-no-lines", &[])));
    assert!(!page.contains("class=\"lines\""));
}

#[test]
fn commands_find_what_is_there_and_say_what_is_not() {
    let (dir, mut protocols) = store();
    protocols.write(loaded(Lang::Ru)).expect("written");
    let path = dir.path().join("protocols");
    let common = CommonArgs::default();
    assert_eq!(ProtocolCommand::List { last: 5 }.run(&common, &path), Ok(Exit::Done));
    let page = path.join("000001-load.html");
    std::fs::remove_file(&page).expect("removed");
    assert_eq!(ProtocolCommand::Show { number: 1, html: false }.run(&common, &path), Ok(Exit::Done));
    assert!(page.exists(), "made again from the JSON");
    assert_eq!(ProtocolCommand::Show { number: 1, html: true }.run(&common, &path), Ok(Exit::Done));
    let failure = ProtocolCommand::Show { number: 7, html: true }.run(&common, &path).expect_err("none");
    assert_eq!((failure.code(), failure.exit()), ("protocol-unknown", Exit::Refused));
}

#[test]
fn a_damaged_file_is_named() {
    let (dir, mut protocols) = store();
    protocols.write(loaded(Lang::Ru)).expect("written");
    std::fs::write(dir.path().join("protocols/000001-load.json"), "{").expect("written");
    let failure = Failure::from(protocols.read(1).expect_err("damaged"));
    assert_eq!((failure.code(), failure.exit()), ("protocol-damaged", Exit::Refused));
    assert!(failure.to_string().contains("000001-load.json"));
}
