//! Tables handed to `import`: every encoding and delimiter in use is read; what is broken is refused by file,
//! line and column, and nothing of it is taken.

use std::{fs, path::PathBuf};

use serde_json::Value;
use svod_tests::world::{Programs, World, programs::Who};

use super::stage::{DEMO, count, done, failed, run, world};

struct Desk {
    world: World,
    programs: Programs,
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let (dir, world) = world(1);
        Self { world, programs: Programs::find(DEMO), dir }
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("table.csv");
        fs::write(&path, bytes).expect("written");
        path
    }

    fn import(&self, bytes: &[u8]) -> std::process::Output {
        let path = self.file(bytes);
        let args = ["import", "recipient", path.to_str().expect("UTF-8"), "--key", "id"];
        run(&self.programs, Who::Spoke, &self.world.layout.centre_config(1), &args)
    }

    fn rows(&self) -> u64 {
        count(&self.world.layout.centre_db(1), "SELECT count(*) FROM recipient")
    }
}

/// `Ж` in Windows-1251.
const ZH: u8 = 0xc6;

#[test]
fn every_encoding_and_delimiter_is_read() {
    let desk = Desk::new();
    let cp1251 = [b"id;surname\n4;".as_slice(), &[ZH, ZH], b"\n"].concat();
    for bytes in [
        "id,surname\n1,ЖЖ\n".as_bytes(),
        "\u{feff}id;surname\r\n2;ЖЖ\r\n".as_bytes(),
        "id\tsurname\n3\tЖЖ\n".as_bytes(),
        &cp1251,
        "id;surname\n5;\"ЖЖ\"".as_bytes(),
    ] {
        assert_eq!(done(&desk.import(bytes))["new"], 1, "{}", String::from_utf8_lossy(bytes));
    }
    let db = desk.world.layout.centre_db(1);
    assert_eq!(count(&db, "SELECT count(*) FROM recipient WHERE surname = 'ЖЖ'"), 5);
}

#[test]
fn what_is_no_table_is_refused_whole() {
    let desk = Desk::new();
    let told = |bytes: &[u8], code: &str, words: &str| {
        let message = failed(&desk.import(bytes), 3, code);
        assert!(message.contains("table.csv") && message.contains(words), "{message:?}: {words}");
        assert!(!message.contains("Тайна"), "no value is repeated: {message}");
        assert_eq!(desk.rows(), 0, "nothing is half taken: {words}");
    };
    told(b"", "spoke-csv-unreadable", "ни одной строки");
    told("dossier,surname\n1,А\n".as_bytes(), "spoke-csv-column", "1 (знаков: 7)");
    told("surname\nА\n".as_bytes(), "spoke-csv-key", "2");
    told("id,surname,surname\n1,А,Б\n".as_bytes(), "spoke-csv-unreadable", "3");
    told("id,surname\n1,А\n2,\"Тайна\n3,В\n".as_bytes(), "spoke-csv-unreadable", "строка 3");
    told("id,surname\n1,\"А\"Тайна\n".as_bytes(), "spoke-csv-unreadable", "строка 2");
    told(b"\xff\xfei\0d\0", "spoke-csv-unreadable", "UTF-16");
    told("1;Тайна (1 марта)\n".as_bytes(), "spoke-csv-column", "1");
    let config = desk.world.layout.centre_config(1);
    let gone = ["import", "recipient", "/no/such.csv", "--key", "id"];
    assert!(
        failed(&run(&desk.programs, Who::Spoke, &config, &gone), 2, "spoke-csv-unreadable")
            .contains("/no/such.csv")
    );
    let gone = ["import", "dossier", "/no/such.csv", "--key", "id"];
    assert!(
        failed(&run(&desk.programs, Who::Spoke, &config, &gone), 3, "spoke-no-table").contains("знаков: 7")
    );
}

#[test]
fn bad_lines_are_refused_alone_and_told_by_number() {
    let desk = Desk::new();
    let huge = "Ж".repeat(4_000_000);
    let text = format!(
        "id,surname,given\n1,А,Б\n1,В,Г\n,Д,Е\n2,Ж\n3,З,И,К\n4,Н\0Л,О\n5,\u{1b}[2J,О\n6,\"Две\nстроки\",Р\n7,{huge},С\n8,Т,У\n"
    );
    let output = desk.import(text.as_bytes());
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report");
    let refused: Vec<u64> = report["refused"]
        .as_array()
        .expect("refused")
        .iter()
        .filter_map(|one| one["line"].as_u64())
        .collect();
    assert_eq!(refused, [3, 4, 5, 6, 7, 8], "{}", report["refused"]);
    assert_eq!(report["new"], 4, "1, 6, 7, 8");
    let db = desk.world.layout.centre_db(1);
    assert_eq!(count(&db, "SELECT count(*) FROM recipient WHERE surname GLOB 'Две*строки'"), 1);

    // A value too long for a record stands in the table as it was written; it is told, and holds up nobody.
    desk.world.start().expect("started");
    let sent =
        "SELECT CAST(count(*) AS TEXT) FROM received WHERE kind = 'recipient_claim' HAVING count(*) = 3";
    super::stage::wait_for(&desk.world, &desk.world.layout.hub_db(), sent);
    let status = desk.world.spoke(1, &["status"]).expect("told");
    let told = status["records"].as_array().expect("records").iter().find(|one| one["id"] == "7");
    assert!(told.is_some_and(|one| one["reason"] == "INVALID"), "{status}");
    assert!(desk.world.daemons.check().is_ok());
}
