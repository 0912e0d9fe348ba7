//! While the daemon writes past the locks, they are lifted for its own connection alone, for that transaction alone, and
//! for what it was to write alone (docs/adr/0020).

use std::{
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use exchange_endpoint::{
    failpoint,
    journal_table::{self, CENTRE_TABLE, Event},
};
use rusqlite::{Connection, StatementStatus, Transaction};
use svod_spoke::database::{
    DatabaseError,
    write::{self, Scope},
};

use super::Centre;

const LOCKED: &str = "UPDATE recipient SET surname = 'x' WHERE id = 'locked'";
const SCHEMA: &str = "SELECT count(*) || ' ' || sum(length(sql)) FROM sqlite_master WHERE type = 'trigger'";

fn assert_locked(connection: &Connection) {
    let told = connection.execute(LOCKED, []).expect_err("it is locked").to_string();
    assert!(told.contains("закреплена координационным центром"), "{told}");
}

fn cookie(connection: &Connection) -> i64 {
    connection.pragma_query_value(None, "schema_version", |row| row.get(0)).expect("read")
}

#[test]
fn another_program_is_refused_while_the_daemon_writes_and_after() {
    let centre = Centre::new();
    let mut daemon = centre.open();
    let before = cookie(&daemon);
    let other = Connection::open(centre.path()).expect("opens");
    let schema = |of: &Connection| of.query_row(SCHEMA, [], |row| row.get::<_, String>(0)).expect("read");
    let there = schema(&other);
    let mut read = other.prepare("SELECT surname FROM recipient WHERE id = ?1").expect("prepared");
    let (begun, waits) = mpsc::channel();
    let path = centre.path();
    let patient = thread::spawn(move || {
        let own = Connection::open(path).expect("opens");
        own.busy_timeout(Duration::from_mins(1)).expect("set");
        let mut update = own.prepare(LOCKED).expect("prepared");
        waits.recv().expect("told");
        let told = update.execute([]).expect_err("it is locked").to_string();
        (told, update.get_status(StatementStatus::RePrepare))
    });
    write::write::<_, DatabaseError>(&mut daemon, Scope::Everything, |transaction| {
        transaction.execute("UPDATE recipient SET surname = 'Новая' WHERE id = 'locked'", [])?;
        begun.send(()).expect("it waits");
        other.busy_timeout(Duration::ZERO)?;
        other.execute(LOCKED, []).expect_err("refused while the daemon writes");
        assert_eq!((schema(&other), schema(transaction)), (there.clone(), there.clone()));
        let surname: String = read.query_row(["locked"], |row| row.get(0))?;
        assert_eq!(surname, "Чужая");
        Ok(())
    })
    .expect("written");
    let (told, prepared_again) = patient.join().expect("ended");
    assert!(told.contains("закреплена координационным центром"), "{told}");
    assert_locked(&other);
    assert_locked(&daemon);
    let surname: String = read.query_row(["locked"], |row| row.get(0)).expect("read");
    assert_eq!(surname, "Новая");
    // what others have prepared stays good
    assert_eq!((prepared_again, read.get_status(StatementStatus::RePrepare)), (0, 0));
    assert_eq!(cookie(&other), before);
}

#[test]
fn the_daemons_own_connection_is_refused_again_however_its_transaction_ends() {
    let centre = Centre::new();
    let mut daemon = centre.open();
    daemon.execute_batch("ALTER TABLE recipient ADD COLUMN ours TEXT CHECK (ours = 'да')").expect("added");
    let all = |transaction: &Transaction<'_>| transaction.execute("UPDATE recipient SET ours = 'нет'", []);
    for scope in [Scope::Book, Scope::Everything] {
        let ends: [&dyn Fn(&mut Connection); 5] = [
            &|daemon| {
                write::write::<_, DatabaseError>(daemon, scope, |_| Ok(())).expect("written");
            },
            &|daemon| {
                let corrupt = DatabaseError::Corrupt { table: "recipient", what: "a made-up fault" };
                write::write::<(), _>(daemon, scope, |_| Err(corrupt)).expect_err("failed");
            },
            &|daemon| {
                write::write_if::<(), DatabaseError>(daemon, scope, |_| Ok(None)).expect("nothing");
            },
            &|daemon| {
                let panics = || write::write::<(), DatabaseError>(daemon, scope, |_| panic!("a made-up bug"));
                catch_unwind(AssertUnwindSafe(panics)).expect_err("unwound");
            },
            &|daemon| {
                let _full = failpoint::watch(Box::new(|_, _| Err(ErrorKind::StorageFull.into())));
                write::write::<_, DatabaseError>(daemon, scope, |_| Ok(())).expect_err("the disk is full");
            },
        ];
        for end in ends {
            end(&mut daemon);
            assert!(daemon.is_autocommit());
            assert_locked(&daemon);
            daemon
                .execute("INSERT INTO recipient (id, ours) VALUES ('new', 'нет')", [])
                .expect_err("a condition");
            daemon.execute("DELETE FROM svod_meta", []).expect_err("guarded");
        }
    }
    write::write::<_, DatabaseError>(&mut daemon, Scope::Everything, |transaction| Ok(all(transaction)?))
        .expect("what the hub brings is not refused by a condition of the centre's");
}

#[test]
fn a_transaction_writes_what_it_is_for_and_never_into_the_past_of_the_journal() {
    let centre = Centre::new();
    let mut daemon = centre.open();
    let event = Event {
        at: jiff::Timestamp::UNIX_EPOCH,
        actor: "4200018",
        event: "made.up",
        subject: "",
        rule: "",
        digests: &[],
    };
    for scope in [Scope::Book, Scope::Everything] {
        write::write::<_, DatabaseError>(&mut daemon, scope, |transaction| {
            journal_table::append(transaction, CENTRE_TABLE, &event).expect("the journal goes on");
            for past in ["UPDATE svod_journal SET actor = 'x'", "DELETE FROM svod_journal"] {
                transaction.execute(past, []).expect_err(past);
            }
            for of_the_domain in [
                "UPDATE recipient SET surname = 'x' WHERE id = 'own'",
                "INSERT INTO recipient (id, surname) VALUES ('new', 'Новая')",
                "DELETE FROM programme_line",
            ] {
                let done = transaction.execute(of_the_domain, []);
                assert_eq!(done.is_ok(), scope == Scope::Everything, "{of_the_domain}: {done:?}");
            }
            Ok(())
        })
        .expect("written");
    }
}

#[test]
fn triggers_are_made_anew_only_where_that_is_the_purpose() {
    let centre = Centre::new();
    let mut daemon = centre.open();
    daemon.execute_batch("DROP TRIGGER svod_guard_meta_delete").expect("nobody can forbid it");
    let before = cookie(&daemon);
    for scope in [Scope::Book, Scope::Everything] {
        write::write::<_, DatabaseError>(&mut daemon, scope, |_| Ok(())).expect("written");
    }
    // what somebody has done stays to be found
    assert_eq!(write::altered_triggers(&daemon).expect("read").len(), 1);
    assert_eq!(cookie(&daemon), before);
    write::make_anew::<_, DatabaseError>(&mut daemon, |_| Ok(Some(()))).expect("made");
    assert_eq!(write::altered_triggers(&daemon).expect("read"), []);
    assert_ne!(cookie(&daemon), before);
}
