//! A hub that has lost its database is made again out of its archive.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::output::{Exit, Failure, Lang};
use exchange_format::record::{Form, Kind, Record};
use fixtures::examples;
use jiff::{SignedDuration, Timestamp};
use svod_hub::{
    database::content::Content,
    decisions::merge::Model,
    edges::{
        hub::Hub,
        intake::Taken,
        operations::{
            bring,
            certificates::{self, Wanted},
            enrol, keys, merge, models, people, split,
        },
        rebuild::{Order, Rebuilt, rebuild},
    },
};

use super::{
    DOUBTFUL, TestHub, anna,
    centre::{TestCentre, now},
    id, record,
    rules::{answer_all, decide, exchange, merged, open_reviews, table},
};

pub(super) fn boris(version: u32, more: &[(&'static str, &'static str)]) -> Record {
    let base =
        [("surname", "Громов"), ("given", "Борис"), ("patronymic", "Петрович"), ("birth_date", "01.02.1950")];
    record(Kind::RecipientClaim, 2, version, &[&base[..], more].concat())
}

fn programme(key: u8, number: &str) -> Record {
    let claim = id(1).to_string();
    record(Kind::ProgrammeClaim, key, 1, &[("recipient", &claim), ("number", number), ("date", "2026-01-10")])
}

/// The rows that `sql` finds, as text.
pub(super) fn rows(db: &Path, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(db).expect("opens");
    let mut select = db.prepare(sql).expect("good");
    let found = select.query_map([], |row| row.get::<_, String>(0)).expect("read");
    found.collect::<Result<_, _>>().expect("text")
}

/// What follows from what a hub knows, and is not in the digest of that.
pub(super) fn derived(db: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let name = |id: &str| format!("(SELECT origin || kind || key FROM received WHERE id = {id})");
    let (a, b, claim) = (name("min(a, b)"), name("max(a, b)"), name("claim"));
    [
        ("publication", "SELECT concat_ws(' ', centre, kind, key, form, sha256, iif(form = 'tombstone', '', person), version) FROM publication ORDER BY 1".to_owned()),
        ("reference", format!("SELECT concat_ws(' ', origin, referent, {claim}) FROM reference WHERE claim IN (SELECT id FROM received WHERE state <> 'gone') ORDER BY 1")),
        ("link_key", format!("SELECT concat_ws(' ', key, {claim}) FROM (SELECT * FROM link_key UNION ALL SELECT * FROM link_key_late) ORDER BY 1")),
        ("claim_keys", format!("SELECT concat_ws(' ', hex(keys), {claim}) FROM claim_keys ORDER BY 1")),
        ("claim_reading", format!("SELECT concat_ws(' ', origin, key, hex(reading), {claim}) FROM claim_reading ORDER BY 1")),
        ("pair", format!("SELECT concat_ws(' ', {a}, {b}, link, code, bits) FROM pair ORDER BY 1")),
        ("counted", "SELECT concat_ws(' ', key, n) FROM counted ORDER BY 1".to_owned()),
        ("field_source", "SELECT concat_ws(' ', uid, field, origin, key) FROM field_source ORDER BY 1".to_owned()),
        ("fault", "SELECT concat_ws(' ', person, key, rule, field, line) FROM fault ORDER BY 1".to_owned()),
        ("day_ahead", "SELECT concat_ws(' ', uid, day) FROM day_ahead ORDER BY 1".to_owned()),
        ("stream", "SELECT concat_ws(' ', peer, in_epoch, in_seq, in_digest, closed_epoch, received_digest) FROM stream ORDER BY 1".to_owned()),
        ("taken", "SELECT concat_ws(' ', name, state, digest, previous, part) FROM packet WHERE direction = 'in' AND kind IN ('DT', 'SN', 'KY') ORDER BY 1".to_owned()),
        ("hub_input", "SELECT concat_ws(' ', key, at, action) FROM hub_input WHERE action <> 'rows' ORDER BY n LIMIT 100".to_owned()),
    ]
    .map(|(what, sql)| (what, rows(db, &sql)))
    .into()
}

fn import(hub: &TestHub, kind: Kind, text: &str) {
    let file = hub.dir.path().join("table.csv");
    fs::write(&file, text).expect("written");
    let order = bring::Order {
        kind,
        file: &file,
        lines: None,
        key: None,
        map: None,
        act: ("test", "по приказу"),
        dry_run: false,
        all_or_nothing: true,
        report: None,
        lang: Lang::En,
        progress: &|_| (),
    };
    assert!(bring::import(&hub.config(), &order, now()).is_ok_and(|done| done.kept), "{text}");
}

pub(super) fn known(hub: &mut TestHub) -> Content {
    hub.hub.store.read(|tx| Ok::<_, Failure>(tx.content()?)).expect("read")
}

/// Packets without a record, both ways: nothing is noted of them.
fn beat(hub: &mut TestHub, one: &mut TestCentre) {
    hub.send();
    let name = one.data(&[]);
    hub.take(one, &name);
    let inputs =
        |hub: &TestHub| rows(&hub.dir.path().join("hub.db"), "SELECT concat(count(*)) FROM hub_input");
    let before = inputs(hub);
    let sealed = |hub: &TestHub| {
        rows(
            &hub.dir.path().join("hub.db"),
            "SELECT name FROM packet WHERE direction = 'out' AND kind = 'DT' AND records = 0",
        )
        .len()
    };
    let beats = sealed(hub);
    hub.hub.seal(now() + SignedDuration::from_hours(1)).expect("sealed");
    assert!(sealed(hub) > beats, "heartbeats");
    assert_eq!(inputs(hub), before);
    hub.hub.place(now() + SignedDuration::from_hours(1)).expect("placed");
    one.clear_out();
}

/// A city of two centres in which everything has happened that a hub notes.
fn lived() -> (TestHub, TestCentre) {
    let mut hub = TestHub::new();
    let claims = vec![anna(1, 1, &[("phone", "+79110000001")]), boris(1, &[])];
    let mut one = merged(&mut hub, 1, [claims, vec![programme(7, "1"), programme(8, "2")]].concat());
    let mut two = merged(&mut hub, 2, vec![anna(1, 1, &[DOUBTFUL]), boris(1, &[("workplace", "Завод")])]);
    let db = hub.dir.path().join("hub.db");
    // staff say that two are one, and then that they are not; of two programmes the same
    assert!(answer_all(&hub, "один").is_some_and(|n| n >= 1));
    let asked = open_reviews(&hub);
    assert!(asked.is_empty(), "{}", asked.len());
    let decided = rows(&db, "SELECT concat(n) FROM review WHERE kind = 'pair' AND state = 'decided'");
    let again = format!("review;version_1;version_2;decision;reason\n{};;;разные;ошиблись\n", decided[0]);
    decide(&hub, &again, true).expect("revised");
    hub.send();
    // a newer claim of a published person is a proposal, one names what is not here, one is refused, one ends
    let unpaired = record(
        Kind::ProgrammeClaim,
        9,
        1,
        &[("recipient", &id(77).to_string()), ("number", "9"), ("date", "2026-01-10")],
    );
    let gone = Record { form: Form::Tombstone, version: 2, body: Vec::new(), ..programme(8, "2") };
    let wrong = record(Kind::Contact, 5, 1, &[("value", "нет")]);
    exchange(&mut hub, &mut one, &[boris(2, &[("workplace", "Школа")]), unpaired, gone, wrong]);
    exchange(&mut hub, &mut two, &[boris(2, &[("workplace", "Вокзал")])]);
    let asked: Vec<_> = open_reviews(&hub).into_iter().filter(|one| one.kind == "proposal").collect();
    assert_eq!(asked.len(), 2);
    decide(&hub, &table(&asked[..1], "принять"), false).expect("accepted");
    decide(&hub, &table(&asked[1..], "отклонить"), false).expect("declined");
    beat(&mut hub, &mut one);
    // what came first comes after it
    exchange(&mut hub, &mut one, &[anna(77, 1, &[("patronymic", "Олеговна")])]);
    // entries, services, the directory, a claim taken out, another model
    let of_one = format!(
        "SELECT uid FROM person_record WHERE origin = '{}' AND kind = 'recipient_claim' ORDER BY key",
        one.code
    );
    let uid = &rows(&db, &of_one)[0];
    let act = ("test", "по звонку");
    people::set(&hub.config(), uid, "workplace", "Музей\u{301} «Ёж»", act, now()).expect("entered");
    people::set(&hub.config(), uid, "phone", "+79110000002", act, now()).expect("entered");
    people::set(&hub.config(), uid, "phone", "", act, now()).expect("taken back");
    people::confirm(&hub.config(), one.code, uid, act, now()).expect("confirmed");
    import(&hub, Kind::Service, "id,code,title,unit\nu1,01.01,Помощь при умывании,раз\n");
    let joined = rows(
        &db,
        "SELECT uid FROM person_record WHERE kind = 'recipient_claim' GROUP BY uid HAVING count(*) > 1",
    );
    let claim = (two.code, id(2));
    split::split(&hub.config(), &joined[0], &[claim], act, now()).expect("split");
    let model = hub.dir.path().join("model.toml");
    fs::write(&model, Model::RECIPIENTS.replacen("name = \"", "name = \"Другая ", 1)).expect("written");
    models::activate(&hub.config(), &model, act, now()).expect("activated");
    exchange(&mut hub, &mut one, &[anna(6, 1, &[("given", "Аннна")])]);
    // a certificate; one centre is shut out and comes back with other keys; new keys are being told
    let dir = hub.dir.path().join("certificate");
    certificates::set(&hub.config(), one.code, Wanted::Issued(&dir), "test", now()).expect("issued");
    certificates::set(&hub.config(), one.code, Wanted::Revoked, "test", now()).expect("revoked");
    enrol::disable(&hub.config(), two.code, "машина утрачена", "test", now()).expect("disabled");
    let mut two = hub.centre(2);
    for name in two.snapshot(2, &[vec![anna(1, 1, &[DOUBTFUL])]]) {
        hub.take(&two, &name);
    }
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("nothing waits");
    beat(&mut hub, &mut one);
    keys::rotate(&hub.config(), "test", now()).expect("made");
    hub.hub.context.reload().expect("loaded");
    hub.send();
    beat(&mut hub, &mut one);
    (hub, one)
}

/// The database is lost; what is left is made into a new one.
fn made_again(
    hub: TestHub,
    from: &Path,
    archive_key: Option<&Path>,
) -> Result<(TestHub, Rebuilt), (PathBuf, Failure)> {
    made_again_at(hub, from, archive_key, now())
}

pub(super) fn made_again_at(
    hub: TestHub,
    from: &Path,
    archive_key: Option<&Path>,
    now: Timestamp,
) -> Result<(TestHub, Rebuilt), (PathBuf, Failure)> {
    let TestHub { dir, hub } = hub;
    drop(hub);
    for name in ["hub.db", "hub.db-wal", "hub.db-shm"] {
        let _ = fs::remove_file(dir.path().join(name));
    }
    let config = exchange_endpoint::config::Config::load(&dir.path().join("svod-hub.toml")).expect("read");
    let order = Order { from, archive_key, actor: "test" };
    match rebuild(&config, order, now, &mut |_, _, _| ()) {
        Ok(rebuilt) => Ok((TestHub { hub: TestHub::opened(dir.path()), dir }, rebuilt)),
        Err(failure) => {
            assert!(!dir.path().join("hub.db").exists() && !dir.path().join("hub.db.rebuilding").exists());
            Err((dir.keep(), failure))
        }
    }
}

#[test]
fn a_hub_is_made_again_out_of_its_archive() {
    let (mut hub, mut one) = lived();
    let db = hub.dir.path().join("hub.db");
    let content = known(&mut hub);
    let follows = derived(&db);
    for table in ["pair", "counted", "publication", "reference", "link_key"] {
        assert!(!follows[table].is_empty(), "{table}");
    }
    let answered =
        hub.hub.store.read(|tx| tx.answers_to(one.code, one.last.expect("sent").digest)).expect("read");
    // of a copy of the archive, with the key brought from elsewhere
    let (archive, key) = (hub.dir.path().join("archive"), hub.dir.path().join("keys/archive.key"));
    let (copy, elsewhere) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    fs::rename(&archive, copy.path().join("a")).expect("moved");
    fs::rename(&key, elsewhere.path().join("k")).expect("moved");
    // what a rebuild that was killed has left is no hindrance
    fs::write(hub.dir.path().join("hub.db.rebuilding"), "half").expect("written");
    let (mut hub, rebuilt) = made_again(hub, &copy.path().join("a"), Some(&elsewhere.path().join("k")))
        .unwrap_or_else(|(_, why)| panic!("{why:?}"));

    assert_eq!(rebuilt.content.tables, content.tables);
    assert_eq!(rebuilt.content.digest, content.digest);
    let protocol = format!("{:06}-rebuild.json", rebuilt.protocol.expect("kept"));
    assert!(hub.dir.path().join("protocols").join(&protocol).is_file(), "named as it is filed: {protocol}");
    assert!(rebuilt.told.is_some() && rebuilt.stopped.is_empty(), "{rebuilt:?}");
    let now_follows = derived(&db);
    for (what, before) in &follows {
        assert_eq!(now_follows[what], *before, "{what}");
    }
    let again =
        hub.hub.store.read(|tx| tx.answers_to(one.code, one.last.expect("sent").digest)).expect("read");
    assert_eq!(again, answered, "a packet that comes again is answered as before");
    assert_eq!(rows(&db, "SELECT code FROM incident"), [""; 0]);

    // a new epoch tells what was told, signed by the key that the centre was told of, and what comes is taken
    hub.send();
    one.hub = hub.hub.context.keys.next.as_ref().expect("keys change").card.clone();
    for entry in fs::read_dir(&one.outbox).expect("listed").map(|entry| entry.expect("a file").path()) {
        let name = entry.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(["_SN_", "_KY_"].iter().any(|kind| name.contains(kind)), "{name}");
        if name.contains("_KY_") {
            fs::remove_file(entry).expect("read by nobody here");
        }
    }
    let epoch = one.read_out().last.expect("a snapshot").position.epoch.get();
    assert_eq!(epoch, 2);
    one.clear_out();
    let name = one.data(&[boris(3, &[("workplace", "Театр")])]);
    let Taken::Done(applied) = hub.take(&one, &name) else { panic!("judged") };
    assert_eq!(applied[0].lines.len(), 1, "a proposal, as the person is published");
    let after = known(&mut hub);
    assert_ne!(after.digest, content.digest);

    // and it can be made again once more
    hub.send();
    let content = known(&mut hub);
    fs::rename(elsewhere.path().join("k"), &key).expect("back");
    let (_hub, rebuilt) = made_again(hub, &archive, None).unwrap_or_else(|(_, why)| panic!("{why:?}"));
    assert_eq!(rebuilt.content.tables, content.tables);
}

/// Epoch and number, as the name of a file has them.
fn place(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('_').skip(4).take(2).collect()
}

/// The first numbered file in the folder `peer` of the archive, of or to it.
fn filed(dir: &Path, peer: &str, from: &str) -> PathBuf {
    let listed = fs::read_dir(dir.join("archive").join(peer)).expect("listed");
    let mut names: Vec<PathBuf> = listed.map(|entry| entry.expect("an entry").path()).collect();
    names.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        ["_DT_", "_SN_"].iter().any(|kind| name.contains(kind)) && name.split('_').nth(3) == Some(from)
    });
    names.sort_by_key(|path| place(path));
    names.remove(0)
}

#[test]
fn an_archive_that_is_not_whole_makes_nothing() {
    let mut hub = TestHub::new();
    let one = merged(&mut hub, 1, vec![anna(1, 1, &[])]);
    hub.send();
    let (code, own) = (one.code.to_string(), hub.hub.context.code.to_string());
    let config = hub.config();
    let order = |from| Order { from, archive_key: None, actor: "test" };
    let archive = hub.dir.path().join("archive");
    let there = rebuild(&config, order(&archive), now(), &mut |_, _, _| ()).expect_err("there is one");
    assert_eq!((there.exit(), there.code()), (Exit::Refused, "rebuild-exists"));
    let nothing = tempfile::tempdir().expect("a directory");
    let (dir, failure) = made_again(hub, nothing.path(), None).map(drop).expect_err("no stream");
    assert_eq!((failure.exit(), failure.code()), (Exit::Refused, "rebuild-no-stream"));

    let refused = |code: &str, file: &Path| {
        let failure = rebuild(&config, order(&archive), now(), &mut |_, _, _| ()).expect_err(code);
        assert_eq!((failure.exit(), failure.code()), (Exit::Refused, code), "{failure}");
        let text = failure.to_string();
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(text.contains(name), "{name}: {text}");
        assert!(!dir.join("hub.db").exists() && !dir.join("hub.db.rebuilding").exists());
    };
    for (peer, from) in [(&code, &code), (&code, &own), (&own, &own)] {
        let file = filed(&dir, peer, from);
        let whole = fs::read(&file).expect("read");
        for at in [whole.len() / 3, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&file, damaged).expect("written");
            refused("rebuild-damaged", &file);
        }
        fs::write(&file, &whole).expect("written");
        let aside = nothing.path().join("aside");
        fs::rename(&file, &aside).expect("moved");
        if from == &own && peer == &own {
            let failure = rebuild(&config, order(&archive), now(), &mut |_, _, _| ()).expect_err("missing");
            assert!(["rebuild-missing", "rebuild-no-stream"].contains(&failure.code()), "{failure}");
            let name =
                file.file_name().and_then(|name| name.to_str()).expect("a name").replace(".zip.age", "");
            let parts: Vec<&str> = name.split('_').collect();
            let told = format!("_{}_*_{}", parts[2..6].join("_"), parts[7]);
            assert!(
                failure.code() != "rebuild-missing" || failure.to_string().contains(&told),
                "{told}: {failure}"
            );
        } else {
            refused("rebuild-missing", &file);
        }
        fs::rename(&aside, &file).expect("back");
    }
    for stray in [
        archive.join("README"),
        archive.join(&code).join("note.txt"),
        archive.join(&own).join(filed(&dir, &code, &code).file_name().expect("a name")),
    ] {
        fs::write(&stray, "?").expect("written");
        refused("rebuild-foreign", &stray);
        fs::remove_file(&stray).expect("removed");
    }
    fs::rename(dir.join("keys/archive.key"), nothing.path().join("k")).expect("moved");
    let failure = rebuild(&config, order(&archive), now(), &mut |_, _, _| ()).expect_err("no key");
    assert_eq!((failure.exit(), failure.code()), (Exit::Usage, "rebuild-archive-key"));
    fs::rename(nothing.path().join("k"), dir.join("keys/archive.key")).expect("back");

    // the archive is older than the watermark: the streams stop, and resync goes on
    let own_files: Vec<PathBuf> = fs::read_dir(archive.join(&own))
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let last = own_files.iter().max_by_key(|path| place(path)).expect("some").clone();
    fs::remove_file(&last).expect("lost");
    let rebuilt = rebuild(&config, order(&archive), now(), &mut |_, _, _| ()).expect("made of what is left");
    assert_eq!(rebuilt.stopped, [code]);
    let Hub { mut store, .. } = TestHub::opened(&dir);
    assert!(store.read(|tx| Ok::<_, Failure>(tx.streams(one.code)?.outgoing.stop.is_some())).expect("read"));
    fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn each_programme_keeps_its_first_supplement_through_merges_versions_withdrawals_and_a_rebuild() {
    let mut hub = TestHub::new();
    let programme = |key, date| {
        let claim = id(1).to_string();
        let fields =
            [("recipient", claim.as_str()), ("number", "1"), ("date", date), ("status", "завершена")];
        record(Kind::ProgrammeClaim, key, 1, &fields)
    };
    let supplement = |key, version, under: u8, issuer: &str| {
        let mut body = examples::body(Kind::SupplementClaim);
        let (claim, under) = (id(1).to_string(), id(under).to_string());
        for (field, value) in [("recipient", claim.as_str()), ("programme", &under), ("number", "Д-1")] {
            body.set(field, value).expect("plain");
        }
        if !issuer.is_empty() {
            body.set("issuer", issuer).expect("plain");
        }
        Record::live(id(key), version, &body)
    };
    // the supplement's document, and the programme under which it is published, of the claim with this key
    let told = |hub: &TestHub, unit: &TestCentre, key: u8| {
        let db = hub.dir.path().join("hub.db");
        let sql = format!(
            "SELECT concat_ws(' ', r.uid, (SELECT body FROM publication p WHERE p.centre = r.origin AND p.key = r.uid))
             FROM person_record r WHERE r.origin = '{}' AND r.kind = 'supplement_claim' AND r.key = '{}'",
            unit.code,
            id(key)
        );
        let found = rows(&db, &sql).pop().expect("a document");
        let (document, body) = found.split_once(' ').map_or((found.as_str(), ""), |parts| parts);
        let named = body.split("<programme>").nth(1).and_then(|rest| rest.split('<').next());
        (document.to_owned(), named.map(str::to_owned))
    };
    let load = |keys: [u8; 2]| {
        let [one, other] = keys;
        let papers = [programme(one, "2025-01-10"), programme(other, "2026-01-10")];
        let supplements = [supplement(one + 10, 1, one, ""), supplement(other + 10, 1, other, "")];
        [&[anna(1, 1, &[])][..], &papers, &supplements].concat()
    };
    let mut one = merged(&mut hub, 1, load([7, 8]));
    let mut two = merged(&mut hub, 2, load([8, 7]));
    let apart = |hub: &TestHub, one: &TestCentre, two: &TestCentre| {
        let [a, b] = [17, 18].map(|key| told(hub, one, key));
        assert_ne!(a.0, b.0);
        assert!(a.1.is_some() && b.1.is_some() && a.1 != b.1, "{a:?} {b:?}");
        assert_eq!([18, 17].map(|key| told(hub, two, key)), [a.clone(), b.clone()]);
        [a, b]
    };
    let before = apart(&hub, &one, &two);
    // a newer version of one is a proposal; another centre's second claim of the other joins it
    exchange(&mut hub, &mut one, &[supplement(17, 2, 7, "МБУ ПЦСО")]);
    exchange(&mut hub, &mut two, &[supplement(28, 1, 8, "")]);
    assert_eq!(told(&hub, &two, 28), before[0], "under its own programme");
    merge::merge(&mut hub.hub, now(), &mut |_, _, _| ()).expect("merged again");
    assert_eq!(apart(&hub, &one, &two), before);
    // one centre takes its claim of one back: the other's stands
    let gone = Record { form: Form::Tombstone, version: 3, body: Vec::new(), ..supplement(17, 2, 7, "") };
    exchange(&mut hub, &mut one, &[gone]);
    assert_eq!((told(&hub, &one, 18), told(&hub, &two, 18)), (before[1].clone(), before[0].clone()));
    hub.send();
    let (archive, content) = (hub.dir.path().join("archive"), known(&mut hub));
    let db = hub.dir.path().join("hub.db");
    let follows = derived(&db);
    let (hub, rebuilt) = made_again(hub, &archive, None).unwrap_or_else(|(_, why)| panic!("{why:?}"));
    assert_eq!(rebuilt.content.tables, content.tables);
    let (now, then) = (derived(&hub.dir.path().join("hub.db")), follows);
    assert_eq!(now["publication"], then["publication"]);
    assert_eq!((told(&hub, &one, 18), told(&hub, &two, 18)), (before[1].clone(), before[0].clone()));
}
