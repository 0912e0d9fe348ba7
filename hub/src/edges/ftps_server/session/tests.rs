//! The machine, line by line, without a socket.

use proptest::prelude::*;

use super::super::place::is_part;
use super::*;

fn code(step: &Step) -> u16 {
    match step {
        Step::Reply(reply) | Step::Close(reply) => reply.code,
        other => panic!("no reply: {other:?}"),
    }
}

fn logged_in() -> Session {
    let mut session = Session::new();
    session.secured();
    assert_eq!(code(&session.handle(b"PBSZ 0")), 200);
    assert_eq!(code(&session.handle(b"PROT P")), 200);
    assert_eq!(code(&session.handle(b"USER 7700012")), 331);
    assert!(matches!(session.handle(b"PASS secret"), Step::Login { .. }));
    session.logged_in();
    session
}

#[test]
fn nothing_is_asked_in_plain_text_but_tls() {
    let mut session = Session::new();
    assert_eq!(code(&session.handle(b"USER 7700012")), 534);
    assert_eq!(code(&session.handle(b"PASS secret")), 534);
    assert_eq!(code(&session.handle(b"STOR in/a.part")), 530);
    assert_eq!(code(&session.handle(b"PROT P")), 530);
    assert!(matches!(session.handle(b"AUTH TLS"), Step::StartTls));
}

#[test]
fn data_need_prot_p_and_prot_c_is_refused() {
    let mut session = Session::new();
    session.secured();
    session.handle(b"USER 7700012");
    session.handle(b"PASS secret");
    session.logged_in();
    for line in ["STOR in/a.part", "RETR out/A", "LIST", "MLSD out"] {
        assert_eq!(code(&session.handle(line.as_bytes())), 521, "{line}");
    }
    assert_eq!(code(&session.handle(b"PROT P")), 503, "PBSZ comes first");
    session.handle(b"PBSZ 0");
    assert_eq!(code(&session.handle(b"PROT C")), 536);
    assert_eq!(code(&session.handle(b"LIST")), 521);
    session.handle(b"PROT P");
    assert_eq!(code(&session.handle(b"PROT C")), 536);
    assert!(matches!(session.handle(b"LIST"), Step::Transfer(_)), "a refused PROT C opens nothing");
}

#[test]
fn an_offset_is_for_the_very_next_command() {
    let mut session = logged_in();
    let offset_of = |step| match step {
        Step::Transfer(Transfer::Store { offset, .. }) => offset,
        other => panic!("no upload: {other:?}"),
    };
    session.handle(b"REST 5");
    assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(5));
    assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(0));
    session.handle(b"REST 5");
    assert_eq!(code(&session.handle(b"STOR out/a.part")), 553);
    assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(0));
    for port in ["PASV", "EPSV"] {
        session.handle(b"REST 5");
        session.handle(port.as_bytes());
        assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(5), "{port}");
        assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(0));
    }
    session.handle(b"REST 5");
    assert_eq!(code(&session.handle(b"NONSENSE")), 502);
    assert_eq!(offset_of(session.handle(b"STOR in/a.part")), Some(0));
    for bad in ["REST", "REST -1", "REST +1", "REST 1x", "REST 99999999999999999999"] {
        assert_eq!(code(&session.handle(bad.as_bytes())), 501, "{bad}");
    }
}

#[test]
fn in_is_written_and_out_is_read_never_the_other_way() {
    let mut session = logged_in();
    for (line, expected) in [
        ("RETR in/A.zip", 550),
        ("LIST in", 550),
        ("MLSD in", 550),
        ("STOR out/A.zip", 553),
        ("APPE out/a.part", 553),
        ("DELE out/A.zip", 550),
        ("DELE in/A.zip", 550),
        ("RNFR in/A.zip", 550),
        ("RNFR out/A.zip", 550),
        ("STOR ../7700029/in/a.part", 550),
        ("RETR /etc/passwd", 550),
        ("CWD ../..", 550),
        ("MKD x", 502),
        ("PORT 127,0,0,1,4,1", 502),
    ] {
        assert_eq!(code(&session.handle(line.as_bytes())), expected, "{line}");
    }
    assert!(matches!(session.handle(b"RNFR in/a.part"), Step::File(FileTask::Find(_))));
    assert_eq!(code(&session.handle(b"RNTO out/A.zip")), 553);
    assert_eq!(code(&session.handle(b"RNTO in/A.zip")), 503, "RNFR is spent");
}

#[test]
fn folders_are_walked() {
    let mut session = logged_in();
    assert_eq!(code(&session.handle(b"CWD in")), 250);
    assert_eq!(code(&session.handle(b"CDUP")), 250);
    assert_eq!(code(&session.handle(b"CDUP")), 250);
    assert_eq!(code(&session.handle(b"PWD")), 257);
    assert_eq!(code(&session.handle(b"CWD /out/")), 250);
    let Step::Transfer(Transfer::List { folder, .. }) = session.handle(b"LIST -la") else {
        panic!("no listing")
    };
    assert_eq!(folder, Folder::Out);
}

#[test]
fn waits_are_bounded() {
    let mut session = logged_in();
    assert!(matches!(session.handle(b"SITE WAIT 60"), Step::Wait(d) if d.as_secs() == 60));
    assert_eq!(code(&session.handle(b"SITE WAIT 61")), 501);
    assert_eq!(code(&session.handle(b"SITE WAIT")), 501);
}

/// Lines that mix real commands with rubbish.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let verb = prop::sample::select(vec![
        "AUTH TLS",
        "PBSZ 0",
        "PROT P",
        "PROT C",
        "USER a",
        "PASS b",
        "REST 7",
        "STOR ",
        "APPE ",
        "RETR ",
        "RNFR ",
        "RNTO ",
        "DELE ",
        "SIZE ",
        "HASH ",
        "CWD ",
        "LIST ",
        "MLST ",
        "SITE WAIT 1",
        "SITE SHA256 ",
        "EPSV ",
        "ABOR",
    ]);
    let path = prop::sample::select(vec!["", "in/a.part", "out/A", "../x", "in", "/", "in/../../in/a.part"]);
    prop_oneof![
        4 => (verb, path).prop_map(|(verb, path)| format!("{verb}{path}").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    /// Whatever comes, the machine answers, and before the driver says that the password was right no step
    /// touches files, ports or news.
    #[test]
    fn no_line_reaches_files_before_login(lines in prop::collection::vec(line(), 0..40)) {
        let mut session = Session::new();
        for line in lines {
            match session.handle(&line) {
                Step::StartTls => session.secured(),
                Step::Reply(_) | Step::Close(_) | Step::Login { .. } => {}
                step => prop_assert!(false, "{step:?} after {line:?}"),
            }
        }
    }

    /// After login every file that a step names is a plain name in its right folder.
    #[test]
    fn steps_stay_in_their_folders(lines in prop::collection::vec(line(), 0..40)) {
        let mut session = logged_in();
        for line in lines {
            let name = match session.handle(&line) {
                Step::Transfer(Transfer::Store { name, .. } | Transfer::Retrieve { name, .. }) => name,
                Step::File(FileTask::Rename { name, part }) => {
                    prop_assert!(is_part(&part) && !is_part(&name));
                    name
                }
                _ => continue,
            };
            prop_assert!(!name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']));
        }
    }
}
