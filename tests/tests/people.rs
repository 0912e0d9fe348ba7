//! A centre with 1C and nothing else: one command, again and again, against a real hub; and what the hub's staff draw up.
//! All people are invented.

use std::{fs, path::Path, path::PathBuf, time::Duration};

use exchange_format::record::{Kind, Line, Type};
use fixtures::{city::CityPlan, examples};
use serde_json::{Value, json};
use svod_tests::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan},
    daemon::Daemons,
    documents, fill,
    read::Reader,
    wait::{Look, until},
};

const DEMO: &str = env!("CARGO_BIN_EXE_svod-demo");
const PATIENCE: Duration = Duration::from_mins(2);

/// The centre's 1C: what it gives and takes lies in two directories.
struct Accounts {
    world: World,
    give: PathBuf,
    take: PathBuf,
}

impl Accounts {
    /// What the one command says.
    fn exchange(&self) -> Value {
        let [give, take] = [&self.give, &self.take].map(|path| path.to_str().expect("UTF-8"));
        self.world.spoke(1, &["sync", "--wait", "30", "--import", give, "--export", take]).expect("exchanged")
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.give.join(name), bytes).expect("written");
    }

    /// Exchanges until a file of `table` has come, and takes it away: its text.
    fn taken(&self, table: &str) -> String {
        until(table, PATIENCE, || -> Result<Look<String>, WorldError> {
            self.exchange();
            let mut found = names(&self.take);
            found.retain(|name| name.starts_with(&format!("{table}-")));
            let Some(name) = found.first() else { return Ok(Look::NotYet(names(&self.take).join(" "))) };
            let path = self.take.join(name);
            let text = fs::read_to_string(&path).expect("UTF-8");
            fs::remove_file(&path).expect("taken");
            Ok(Look::Reached(text))
        })
        .expect("it comes")
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a directory");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The cells of the line that begins with `id`.
fn line<'a>(text: &'a str, id: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.split(';').next() == Some(id));
    line.unwrap_or_else(|| panic!("{id} in {text}")).split(';').collect()
}

#[test]
fn one_scheduled_command_carries_a_centre_with_1c_through_a_year() {
    let dir = tempfile::tempdir().expect("a directory");
    let city = CityPlan { seed: 5, centres: 1, recipients: 0 };
    let plan = WorldPlan { dir: dir.path().join("city"), city, way: Way::Directory, patience: PATIENCE };
    let world = World::make(&plan, Programs::find(DEMO), Daemons::default()).expect("a world");
    let [give, take] = ["to-svod", "from-svod"].map(|name| dir.path().join(name));
    for folder in [&give, &take] {
        fs::create_dir(folder).expect("made");
    }
    let accounts = Accounts { world, give, take };
    accounts.world.start_hub().expect("started");

    // 1C's own headings and encoding; a code with leading zeros, an СНИЛС as text, days as Russians write them
    let people = "Код;Фамилия;Имя;Отчество;Дата рождения;Пол;СНИЛС\r\n\
        000017;Белова;Анна;Ильинична;12.03.1945;Ж;087-654-303 00\r\n\
        000018;Чернов;Пётр;Ильич;01.02.1938;М;\r\n";
    let windows: Vec<u8> = people.chars().map(cp1251).collect();
    accounts.put("recipient.csv", &windows);
    accounts.put("contract.csv", "id;Получатель;Номер;Дата начала\r\nd1;000017;0012;01.02.2026\r\n");
    let told = accounts.exchange();
    let counts = |told: &Value| -> Vec<(Value, Value)> {
        let reports = told["import"].as_array().expect("reports").iter();
        reports.map(|one| (one["new"].clone(), one["unchanged"].clone())).collect()
    };
    assert_eq!(counts(&told), [(json!(2), json!(0)), (json!(1), json!(0))], "{told}");
    accounts.world.hub(&["merge"]).expect("merged");

    // the hub's number and the lock come back; what 1C says again is what stands
    let text = accounts.taken("recipient");
    for (id, surname) in [("'000017", "Белова"), ("'000018", "Чернов")] {
        let cells = line(&text, id);
        assert_eq!((cells[2], cells[1].len()), ("закреплена", 36), "{text}");
        assert!(cells.contains(&surname) && cells.iter().any(|cell| cell.starts_with("42-")), "{text}");
    }
    let told = accounts.exchange();
    assert_eq!(counts(&told), [(json!(0), json!(2)), (json!(0), json!(1))], "{told}");
    assert_eq!(told["export"]["files"], json!([]), "nothing twice: {told}");

    // a correction at the hub comes as a changed row, of that person alone; 1C takes it and gives it back
    let uid = line(&text, "'000017")[1].to_owned();
    accounts.world.correct(&uid, "birth_place", "г. Замерный").expect("corrected");
    let text = accounts.taken("recipient");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(line(&text, "'000017").contains(&"г. Замерный"), "{text}");
    accounts.put("recipient.csv", &text);
    let told = accounts.exchange();
    assert_eq!(counts(&told), [(json!(0), json!(1)), (json!(0), json!(1))], "{told}");
    assert_eq!(told["import"][0]["refused"], json!([]), "{told}");
}

/// A city whose staff draw records up.
struct Desk {
    _dir: tempfile::TempDir,
    files: PathBuf,
    world: World,
}

impl Desk {
    /// Two centres, each with a person of its own.
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let city = CityPlan { seed: 6, centres: 2, recipients: 0 };
        let plan = WorldPlan { dir: dir.path().join("city"), city, way: Way::Directory, patience: PATIENCE };
        let world = World::make(&plan, Programs::find(DEMO), Daemons::default()).expect("a world");
        for (n, [surname, given, born]) in
            [(1, ["Пример", "Анна", "12.03.1945"]), (2, ["Зуев", "Пётр", "01.02.1938"])]
        {
            let db = fill::open(&world.layout.centre_db(n)).expect("opens");
            let sql = "INSERT INTO recipient (id, surname, given, birth_date) VALUES ('p', ?1, ?2, ?3)";
            db.execute(sql, [surname, given, born]).expect("a row");
        }
        Self { files: dir.path().to_owned(), _dir: dir, world }
    }

    fn put(&self, name: &str, text: &str) -> String {
        let path = self.files.join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// Takes in one table, and its lines if there are any: how many records are new and changed.
    fn draw(&self, table: &str, rows: &str, lines: Option<&str>) -> (Value, Value) {
        let file = self.put(&format!("{table}.csv"), rows);
        let lines = lines.map(|lines| self.put("lines.csv", lines));
        let lines = lines.as_deref().map_or(vec![], |lines| vec!["--lines", lines]);
        let args = [&["import", table, &file, "--reason", "решение комиссии"], &lines[..]].concat();
        let told = self.world.hub(&args).expect("taken in");
        (told["new"].clone(), told["changed"].clone())
    }

    fn uid(&self, n: usize) -> String {
        let centre = self.world.centres().find(|(at, _)| *at == n).expect("a centre").1;
        let db = self.world.layout.hub_db();
        let sql = "SELECT uid FROM person_record WHERE origin = ?1 AND kind = 'recipient_claim'";
        let found = Reader::open(&db).and_then(|db| db.one(sql, [centre.as_str()], |row| row.get(0)));
        found.expect("readable").expect("a person")
    }

    /// How many rows of each table are locked at the `n`th centre.
    fn locked(&self, n: usize) -> Vec<(String, u64)> {
        let db = self.world.layout.centre_db(n);
        let sql = "SELECT kind, count(*) FROM svod_record WHERE state = 'locked' AND kind <> 'recipient' GROUP BY 1";
        let all = Reader::open(&db)
            .and_then(|db| db.all(sql, [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))));
        all.expect("readable")
    }

    fn settled(&self) {
        self.world.wait_settled(&mut |_| ()).expect("settled");
    }

    /// Waits until the loads of both centres are at the hub, `records` in all, and merges them.
    fn merged(&self, records: u64) {
        let db = self.world.layout.hub_db();
        until("the loads", PATIENCE, || -> Result<Look<()>, WorldError> {
            let there = Reader::open(&db)?.count("SELECT count(*) FROM received", [])?;
            Ok(if there == records { Look::Reached(()) } else { Look::NotYet(there.to_string()) })
        })
        .expect("they come");
        // beside the daemon's own writing it may end with exit 4: try again
        until("the merge", PATIENCE, || match self.world.hub(&["merge"]) {
            Err(WorldError::Command { exit, .. }) if exit.ends_with('4') => Ok(Look::NotYet(exit)),
            done => done.map(|_| Look::Reached(())),
        })
        .expect("merged");
        self.settled();
    }

    /// What the rows of the second centre say.
    fn second(&self) -> Vec<String> {
        self.rows(2)
    }

    /// What the rows of the `n`th centre say: the person, its programme, whose contract it is.
    fn rows(&self, n: usize) -> Vec<String> {
        let db = self.world.layout.centre_db(n);
        let sql = "SELECT 'recipient', id, uid, case_number, workplace, email FROM recipient UNION ALL
             SELECT 'programme', p.id, r.uid, number, recipient_id, NULL FROM programme p
             JOIN svod_record r ON r.kind = 'programme' AND r.id = p.id UNION ALL
             SELECT 'contract', id, number, recipient_id, programme_id, NULL FROM contract ORDER BY 1, 2";
        let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            let cell = |n| Ok(row.get::<_, Option<String>>(n)?.unwrap_or_default());
            Ok((0..6).map(cell).collect::<rusqlite::Result<Vec<String>>>()?.join("|"))
        };
        Reader::open(&db).and_then(|db| db.all(sql, [], row)).expect("readable")
    }
}

#[test]
fn a_person_that_is_two_is_split_at_its_centres_and_what_is_joined_again_and_parted_is_as_it_was() {
    let desk = Desk::new();
    for (n, workplace) in [(1, "Завод"), (2, "Шахта")] {
        let db = fill::open(&desk.world.layout.centre_db(n)).expect("opens");
        let sql = "DELETE FROM recipient";
        db.execute(sql, []).expect("empty");
        let sql =
            "INSERT INTO recipient (id, surname, given, patronymic, birth_date, phone, snils, workplace)
             VALUES ('p', 'Пример', 'Анна', 'Ильинична', '12.03.1945', '89061234567', '087-654-303 00', ?1)";
        db.execute(sql, [workplace]).expect("a row");
        let sql =
            "INSERT INTO programme (id, recipient_id, number, date) VALUES ('i', 'p', ?1, '01.02.2020')";
        db.execute(sql, [format!("{n}7")]).expect("a row");
    }
    let db = fill::open(&desk.world.layout.centre_db(2)).expect("opens");
    let sql = "INSERT INTO contract (id, recipient_id, programme_id, number) VALUES ('d', 'p', 'i', '5')";
    db.execute(sql, []).expect("a row");
    desk.world.start().expect("started");
    desk.merged(5);
    let (whole, number) = (desk.uid(1), |rows: &[String]| rows.join(" "));
    assert_eq!(desk.uid(2), whole, "the same names, date, telephone and number");
    let joined = desk.second();
    assert!(number(&joined).contains("|17|") && number(&joined).contains("|27|"), "of both: {joined:?}");
    desk.world.correct(&whole, "email", "anna@example.org").expect("corrected");

    let hub = desk.world.layout.hub_db();
    let sql =
        "SELECT origin || ':' || key FROM person_record WHERE kind = 'recipient_claim' ORDER BY origin DESC";
    let first = |sql: &str| -> String {
        let found = Reader::open(&hub).and_then(|hub| hub.one(sql, [], |row| row.get(0)));
        found.expect("readable").expect("a row")
    };
    let claim = first(sql);
    let centre = claim.split(':').next().expect("a code").to_owned();
    let told = desk
        .world
        .hub(&["person", "split", &whole, &claim, "--reason", "две сестры: паспорта разные"])
        .expect("split");
    let own = told["parted"][0]["uid"].as_str().expect("a person").to_owned();
    assert_eq!(
        told["parted"][0]["centres"],
        json!([centre]),
        "whom the claim's centre goes on serving: {told}"
    );
    assert_eq!((&told["entered"], told["protocol"].is_u64()), (&json!(1), true));
    desk.settled();
    let split = desk.second();
    let text = number(&split);
    assert!(own != whole && text.contains(&own) && !text.contains(&whole), "{split:?}");
    assert!(
        text.contains("Шахта") && text.contains("|27|p|") && !text.contains("|17|"),
        "its own alone: {split:?}"
    );
    assert!(text.contains("contract|d|5|p|i|") && !text.contains("example.org"), "{split:?}");
    let why = desk.world.spoke(2, &["why", "recipient", "p"]).expect("told");
    assert_eq!((&why["record"]["uid"], &why["supersedes"]), (&json!(own), &json!([whole])), "{why}");
    for n in [1, 2] {
        assert_eq!(desk.world.spoke(n, &["verify"]).expect("verified")["whole"], true);
    }

    let history = desk.world.hub(&["person", "history", &own]).expect("told");
    let of = |event: &str| -> Vec<&Value> {
        history["events"].as_array().expect("events").iter().filter(|one| one["event"] == event).collect()
    };
    let decided = of("decide.pair");
    assert_eq!(decided.len(), 1, "{history}");
    assert_eq!(
        (&decided[0]["reason"], &decided[0]["protocol"]),
        (&json!("две сестры: паспорта разные"), &told["protocol"])
    );
    for (event, at_least) in
        [("person.new", 1), ("link", 2), ("confirm", 1), ("received", 2), ("published", 2)]
    {
        let found = of(event);
        assert!(
            found.len() >= at_least && found.iter().all(|one| one["packet"].is_string()),
            "{event}: {history}"
        );
    }

    // one again, by the question that the split has answered; and parted again
    let n = first("SELECT CAST(n AS TEXT) FROM review WHERE kind = 'pair' AND decision = 'different'");
    let revise = |verb: &str| {
        desk.world.hub(&["review", verb, &n, "--revise", "--reason", "проверено"]).expect("revised");
        desk.settled();
        desk.second()
    };
    let again = number(&revise("link"));
    assert!(
        again.contains(&whole) && again.contains("|17|") && again.contains("anna@example.org"),
        "{again}"
    );
    assert_eq!(revise("separate"), split);
}

#[test]
fn two_whose_programmes_staff_called_one_have_each_its_own_when_they_are_parted() {
    let desk = Desk::new();
    for (n, number) in [(1, "А-1"), (2, "Б-1")] {
        let db = fill::open(&desk.world.layout.centre_db(n)).expect("opens");
        let sql = "INSERT INTO programme (id, recipient_id, number, date, valid_until)
             VALUES ('i', 'p', ?1, date('now', '-30 days'), date('now', '+300 days'))";
        db.execute(sql, [number]).expect("a row");
    }
    desk.world.start().expect("started");
    desk.merged(4);
    let rows = || [1, 2].map(|n| desk.rows(n));
    let (before, [one, other]) = (rows(), [1, 2].map(|n| desk.uid(n)));
    assert!(before[0].iter().any(|row| row.contains("|А-1|p|")), "{before:?}");
    assert!(before[1].iter().any(|row| row.contains("|Б-1|p|")), "{before:?}");
    let question = |kind: &str| -> String {
        let sql = "SELECT CAST(n AS TEXT) FROM review WHERE kind = ?1";
        let hub = desk.world.layout.hub_db();
        let found = Reader::open(&hub).and_then(|hub| hub.one(sql, [kind], |row| row.get(0)));
        found.expect("readable").expect("a question")
    };
    let hub = |args: &[&str]| {
        desk.world.hub(&[args, &["--reason", "проверено"]].concat()).expect("done");
        desk.settled();
    };
    hub(&["person", "join", &one, &other, "--all"]);
    hub(&["review", "link", &question("programme")]);
    let numbers = |rows: [Vec<String>; 2]| {
        rows.map(|rows| {
            let live = rows.into_iter().filter(|row| row.starts_with("programme|i|"));
            live.map(|row| row.split('|').nth(3).map(str::to_owned)).collect::<Vec<_>>()
        })
    };
    let [first, second] = numbers(rows());
    assert_eq!(first, second, "one paper");
    hub(&["review", "separate", &question("pair"), "--revise"]);
    assert_eq!(rows(), before);
    // and so by a split of what was joined again
    hub(&["review", "link", &question("pair"), "--revise", "--all"]);
    assert_eq!(numbers(rows()), [first.clone(), first]);
    let db = desk.world.layout.hub_db();
    let sql = "SELECT uid || ' ' || origin || ':' || key FROM person_record WHERE kind = 'recipient_claim' ORDER BY origin";
    let claim = Reader::open(&db).and_then(|db| db.one(sql, [], |row| row.get::<_, String>(0)));
    let claim = claim.expect("readable").expect("a claim");
    let (uid, claim) = claim.split_once(' ').expect("two words");
    hub(&["person", "split", uid, claim]);
    assert_eq!(rows(), before);
    for n in [1, 2] {
        assert_eq!(desk.world.spoke(n, &["verify"]).expect("verified")["whole"], true);
    }
}

/// A record of the examples as a row of a table, and its lines as one: references are stated anew.
fn rows_of(kind: Kind, id: &str, more: &[(&str, &str)]) -> (String, String) {
    let (body, parent) = (examples::body(kind), format!("{kind}_id"));
    let row = |own: &[(&str, &str)], line: &Line| -> [String; 2] {
        let stated = line.iter().filter(|(field, _)| !matches!(field.ty, Type::Reference(_)));
        let stated = stated.map(|(field, value)| (field.name, value.unwrap_or_default()));
        let (names, values): (Vec<&str>, Vec<&str>) = own.iter().copied().chain(stated).unzip();
        [names.join(";"), values.join(";")]
    };
    let head = row(&[more, &[("id", id)]].concat(), body.head()).join("\n");
    let lines = body.lines().iter().map(|line| row(&[(&parent, id)], line));
    let text =
        lines.enumerate().map(|(n, [names, values])| if n == 0 { names + "\n" + &values } else { values });
    (head, text.collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_the_hub_s_staff_draw_up_is_locked_at_the_centres_whom_it_concerns_and_at_no_other() {
    let desk = Desk::new();
    let new = (json!(1), json!(0));
    let (service, _) = rows_of(Kind::Service, "У-1", &[]);
    assert_eq!(desk.draw("service", &service, None), new, "before any centre has sent anything");
    desk.world.start().expect("started");
    desk.merged(2);
    let uid = desk.uid(1);

    let (provider, lines) = rows_of(Kind::Provider, "П-1", &[]);
    assert_eq!(desk.draw("provider", &provider, Some(&lines)), new);
    let whose = [("recipient_id", uid.as_str())];
    let (decision, _) = rows_of(Kind::NeedDecision, "Р-1", &whose);
    assert_eq!(desk.draw("need_decision", &decision, None), new);
    let (assessment, answers) = rows_of(Kind::Assessment, "А-1", &whose);
    assert_eq!(desk.draw("assessment", &assessment, Some(&answers)), new);
    let (programme, services) = rows_of(Kind::Programme, "И-1", &whose);
    assert_eq!(desk.draw("programme", &programme, Some(&services)), new);
    let (supplement, grid) = rows_of(Kind::Supplement, "Д-1", &[whose[0], ("programme_id", "И-1")]);
    assert_eq!(desk.draw("supplement", &supplement, Some(&grid)), new);
    desk.put("scan.pdf", "скан (пример)");
    let scan = "id;assessment_id;title;file\r\nС-1;А-1;Анкета;scan.pdf\r\n";
    assert_eq!(desk.draw("attachment", scan, None), new);
    desk.settled();

    let named =
        |names: &[&str]| -> Vec<(String, u64)> { names.iter().map(|name| ((*name).to_owned(), 1)).collect() };
    let all = ["assessment", "attachment", "need_decision", "programme", "provider", "service", "supplement"];
    assert_eq!(desk.locked(1), named(&all));
    assert_eq!(desk.locked(2), named(&["provider", "service"]), "whom it does not serve it is not told of");
    let db = fill::open(&desk.world.layout.centre_db(1)).expect("opens");
    let answers: i64 =
        db.query_one("SELECT count(*) FROM assessment_line", [], |row| row.get(0)).expect("counted");
    assert_eq!(answers, 10);
    for sql in [
        "UPDATE need_decision SET date = '2020-01-01'",
        "DELETE FROM assessment_line",
        "UPDATE service SET tariff = 1",
        "UPDATE attachment SET content = 'QQ=='",
    ] {
        let refused = db.execute(sql, []).expect_err(sql).to_string();
        assert!(refused.contains("svod-spoke why"), "{refused}");
    }
    assert_eq!(desk.world.spoke(1, &["verify"]).expect("verified")["whole"], true);

    // the same again is nothing, a correction goes the same way
    let changed = decision.replace("МФЦ", "портал");
    assert_eq!(desk.draw("need_decision", &decision, None), (json!(0), json!(0)));
    assert_eq!(desk.draw("need_decision", &changed, None), (json!(0), json!(1)));
    desk.settled();
    let channel = "SELECT channel FROM need_decision";
    assert_eq!(db.query_one(channel, [], |row| row.get::<_, String>(0)).expect("a row"), "портал");
    desk.world
        .hub(&["withdraw", "need_decision", "Р-1", "--reason", "внесено по ошибке"])
        .expect("taken back");
    desk.settled();
    let state = "SELECT state FROM svod_record WHERE kind = 'need_decision'";
    assert_eq!(db.query_one(state, [], |row| row.get::<_, String>(0)).expect("a row"), "withdrawn");
    let documents = documents::valid_ones(&desk.world.layout.hub());
    assert!(all.iter().all(|kind| documents.contains_key(*kind)), "{documents:?}");
}

/// A letter of Windows-1251.
fn cp1251(c: char) -> u8 {
    match c {
        'А'..='я' => u8::try_from(c as u32 - 'А' as u32 + 0xC0).expect("a letter"),
        'ё' => 0xB8,
        c => u8::try_from(c).expect("ASCII"),
    }
}
