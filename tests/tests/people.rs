//! A centre with 1C and nothing else: one command, again and again, against a real hub. All people are invented.

use std::{fs, path::Path, path::PathBuf, time::Duration};

use fixtures::city::CityPlan;
use serde_json::{Value, json};
use svod_tests::world::{
    Programs, World, WorldError,
    bring_up::{Way, WorldPlan},
    daemon::Daemons,
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
        assert_eq!((cells[2], cells[1].len()), ("locked", 36), "{text}");
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

/// A letter of Windows-1251.
fn cp1251(c: char) -> u8 {
    match c {
        'А'..='я' => u8::try_from(c as u32 - 'А' as u32 + 0xC0).expect("a letter"),
        'ё' => 0xB8,
        c => u8::try_from(c).expect("ASCII"),
    }
}
