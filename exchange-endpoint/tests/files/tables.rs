//! Tables as files: what is written is read, whatever wrote it; what is no table, or too much of one, is refused.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use exchange_endpoint::{messages::Lang, output::Exit, tables::*};
use zip::{ZipWriter, write::SimpleFileOptions};

const COLUMNS: [&str; 5] = ["id", "surname", "snils", "birth_date", "phone"];

fn layout() -> Layout {
    Layout { columns: COLUMNS.map(Column::of).into(), passed_over: vec!["state".to_owned()] }
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

/// The values of a row, or the column and the rule by which it is none.
type Said = Result<Vec<String>, (Option<String>, &'static str)>;
type Rows = Vec<(u64, Said)>;

/// Every row of the table at `path`, or why it is none.
fn rows_of(path: &Path, map: &Map) -> Result<Rows, TableError> {
    let mut sheet = Sheet::open(path, layout(), map, None, "id")?;
    let mut rows = Rows::new();
    sheet.for_each::<TableError>(|item| {
        rows.push(match item {
            Item::Row(line, values) => (line, Ok(values)),
            Item::Refused(one, _) => (one.line, Err((one.column, one.rule))),
        });
        Ok(())
    })?;
    Ok(rows)
}

fn read(path: &Path) -> Rows {
    rows_of(path, &Map::default()).expect("read")
}

fn values(values: [&str; 5]) -> Vec<String> {
    values.map(str::to_owned).into()
}

/// A workbook as another program may write it: its parts by name.
fn workbook(dir: &Path, parts: &[(&str, &str)]) -> PathBuf {
    const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
    const TOP: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Лист1" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    const SHEETS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let path = dir.join("book.xlsx");
    let mut zip = ZipWriter::new(File::create(&path).expect("made"));
    let usual = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", TOP),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", SHEETS),
    ];
    let is_usual = |name: &str| !parts.iter().any(|(part, _)| *part == name);
    for (name, text) in usual.iter().filter(|(name, _)| is_usual(name)).chain(parts) {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("finished");
    path
}

fn sheet(rows: &str) -> String {
    format!(
        r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    )
}

/// Shared strings: the headings, two words, a marked phone. Styles: 0 nothing, 1 a day, 2 a time.
const STRINGS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="7" uniqueCount="7"><si><t>Код</t></si><si><t>ФАМИЛИЯ </t></si><si><t>СНИЛС</t></si><si><t>Дата рождения</t></si><si><t>Тел.</t></si><si><r><t>Ива</t></r><r><t>нова</t></r></si><si><t>'+79110000000</t></si></sst>"#;
const STYLES: &str = r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="21" applyNumberFormat="1"/></cellXfs></styleSheet>"#;
const HEADING: &str = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c><c r="E1" t="s"><v>4</v></c></row>"#;

fn by_hand(dir: &Path, rows: &str) -> PathBuf {
    let sheet = sheet(&format!("{HEADING}{rows}"));
    workbook(
        dir,
        &[("xl/sharedStrings.xml", STRINGS), ("xl/styles.xml", STYLES), ("xl/worksheets/sheet1.xml", &sheet)],
    )
}

#[test]
fn a_workbook_of_another_program_is_read_cell_by_cell() {
    let dir = dir();
    // numbers that Excel made of a code and of an СНИЛС with a leading zero; a day; a formula's result; an empty row
    let path = by_hand(
        dir.path(),
        r#"<row r="2"><c r="A2"><v>17</v></c><c r="B2" t="s"><v>5</v></c><c r="C2"><v>8765430300</v></c><c r="D2" s="1"><v>15103</v></c><c r="E2" t="s"><v>6</v></c></row>
        <row r="3"><c r="A3" s="1"/></row>
        <row r="5"><c r="A5" t="inlineStr"><is><t xml:space="preserve"> 18</t></is></c><c r="B5" t="str"><f>A1</f><v>Петров &amp; сын</v></c><c r="F5" s="1"/></row>
        <row r="6"><c r="A6"><v>19</v></c><c r="C6"><v>1234567890123456</v></c></row>
        <row r="7"><c r="A7"><v>20</v></c><c r="B7" t="e"><v>#N/A</v></c></row>
        <row r="8"><c r="A8"><v>21</v></c><c r="D8" s="2"><v>0.5</v></c></row>
        <row r="9"><c r="A9"><v>22</v></c><c r="F9"><v>1</v></c></row>"#,
    );
    assert_eq!(
        read(&path),
        [
            (2, Ok(values(["17", "Иванова", "08765430300", "1941-05-07", "+79110000000"]))),
            (5, Ok(values([" 18", "Петров & сын", "", "", ""]))),
            (6, Err((Some("snils".to_owned()), "number-rounded"))),
            (7, Err((Some("surname".to_owned()), "cell-error"))),
            (8, Err((Some("birth_date".to_owned()), "cell-time"))),
            (9, Err((None, "cells"))),
        ]
    );
}

/// Values that a careless writer or reader would change.
const ODD: [&str; 14] = [
    "Иванова",
    "=1+1",
    "+79110000000",
    "'=1",
    "''-5",
    "004512",
    "1234567890123456",
    "2-3",
    "а;б",
    "\"в кавычках\"",
    "две\nстроки",
    " с пробелами ",
    "a,b\tc",
    "_x000D_",
];

fn written(path: &Path, encoding: Encoding, lang: Lang) {
    let headings = COLUMNS.map(|name| headings::heading_of(lang, name));
    let mut sink = Sink::create(path, &headings, encoding, 0o600).expect("begun");
    for (n, odd) in ODD.iter().enumerate() {
        let id = format!("00{n}");
        let day = Form::Date.written("1941-05-07", lang);
        let snils = Form::Snils.written("08765430300", lang);
        sink.write([id.as_str(), odd, &snils, &day, odd].into_iter()).expect("written");
    }
    assert_eq!(sink.rows() as usize, ODD.len());
    sink.finish().expect("finished");
}

#[test]
fn what_is_written_is_read_in_each_format_and_encoding() {
    let dir = dir();
    for (name, encoding) in
        [("a.csv", Encoding::Utf8), ("b.CSV", Encoding::Windows1251), ("c.xlsx", Encoding::Utf8)]
    {
        for lang in [Lang::Ru, Lang::En] {
            let path = dir.path().join(name);
            written(&path, encoding, lang);
            let rows = read(&path);
            assert_eq!(rows.len(), ODD.len(), "{name}");
            for ((n, odd), (_, row)) in ODD.iter().enumerate().zip(rows) {
                let id = format!("00{n}");
                assert_eq!(row, Ok(values([&id, odd, "08765430300", "1941-05-07", odd])), "{name} {lang:?}");
            }
        }
    }
    assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 3, "nothing is left beside");
}

#[test]
fn a_csv_for_excel_runs_nothing_and_loses_nothing() {
    let dir = dir();
    let path = dir.path().join("a.csv");
    written(&path, Encoding::Utf8, Lang::Ru);
    let text = fs::read_to_string(&path).expect("UTF-8");
    let first = "\u{feff}Номер в учёте;Фамилия;СНИЛС;Дата рождения;Телефон\r\n'000;Иванова;087-654-303 00;07.05.1941;Иванова\r\n";
    assert!(text.starts_with(first), "{text}");
    for line in text.lines() {
        for cell in line.split(';') {
            assert!(!cell.trim_matches('"').starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
    drop(Sink::create(&path, &["id".to_owned()], Encoding::Windows1251, 0o600).expect("begun"));
    assert!(fs::read_to_string(&path).expect("there").starts_with(first), "what was there stays");
    let columns = ["id", "surname"].map(str::to_owned);
    let begun = Sink::of_columns(&path, &columns, Lang::En, Encoding::Windows1251, 0o600);
    let mut sink = begun.expect("begun");
    for row in [["1", "Ива"], ["2", "Әлия"], ["3", "Ия"]] {
        sink.write(row.into_iter()).expect("written");
    }
    let told = sink.written("recipient".to_owned()).expect("written");
    assert_eq!(
        fs::read(&path).expect("there"),
        b"id;surname\r\n1;\xc8\xe2\xe0\r\n2;\xa4\xeb\xe8\xff\r\n3;\xc8\xff\r\n"
    );
    let json = serde_json::to_value(&told).expect("plain");
    assert_eq!(json["unencodable"], serde_json::json!([{"row": 3, "column": "surname"}]));
    assert!(told.text(Lang::Ru).contains("строка 3, «Фамилия»"), "{}", told.text(Lang::Ru));
    assert!(Sink::create(&dir.path().join("a.ods"), &[], Encoding::Utf8, 0o600).is_err());
}

#[test]
fn what_a_killed_export_left_goes_with_the_next_one_of_its_name() {
    let dir = dir();
    let path = dir.path().join("recipient.csv");
    let left = |name: &str, hours| {
        let file = fs::File::create(dir.path().join(name)).expect("made");
        let at = std::time::SystemTime::now() - std::time::Duration::from_hours(hours);
        file.set_modified(at).expect("set");
    };
    left(".recipient.csv.abcdef.part", 2);
    left(".recipient.csv.fedcba.part", 0);
    left(".programme.csv.abcdef.part", 2);
    let sink = Sink::create(&path, &["id".to_owned()], Encoding::Utf8, 0o600).expect("begun");
    sink.finish().expect("finished");
    let names = fs::read_dir(dir.path()).expect("listed").map(|one| one.expect("one").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, [".programme.csv.abcdef.part", ".recipient.csv.fedcba.part", "recipient.csv"]);
}

#[test]
fn a_workbook_that_is_none_or_too_much_is_refused_before_it_is_held() {
    let dir = dir();
    let told = |path: &Path| rows_of(path, &Map::default()).expect_err("refused").to_string();
    let plain = dir.path().join("plain.xlsx");
    fs::write(&plain, b"PK\x03\x04 and no more").expect("written");
    assert!(told(&plain).contains("no XLSX"));
    // a count of strings that would be taken at its word
    for strings in [
        r#"<sst uniqueCount="99999999999999"><si><t>a</t></si></sst>"#.to_owned(),
        format!("<!--{}--><sst uniqueCount = '9999999'></sst>", " ".repeat(100_000)),
        // strings that are nothing but their marks
        format!("<x:sst>{}</x:sst>", "<x:si/>".repeat(3_000_001)),
    ] {
        let sheet = sheet(HEADING);
        let parts = [("xl/sharedStrings.xml", strings.as_str()), ("xl/worksheets/sheet1.xml", &sheet)];
        assert!(told(&workbook(dir.path(), &parts)).contains("larger"), "{}", strings.len());
    }
    // a cell of 2 MiB that packs into nothing
    let long =
        format!(r#"<row r="2"><c r="A2" t="inlineStr"><is><t>{}</t></is></c></row>"#, "a".repeat(2 << 20));
    assert!(told(&by_hand(dir.path(), &long)).contains("larger"));
    // references that no sheet has
    for reference in ["ZZZZZZZZZZZZZZZZ1", "A99999999999999999999"] {
        let cell = format!(r#"<row r="2"><c r="{reference}"><v>1</v></c></row>"#);
        assert!(told(&by_hand(dir.path(), &cell)).contains("no XLSX"), "{reference}");
    }
    let far = r#"<row r="2"><c r="XFD2"><v>1</v></c></row>"#;
    assert!(told(&by_hand(dir.path(), far)).contains("larger"));
    let backwards = r#"<row r="5"><c r="A5"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>"#;
    assert!(told(&by_hand(dir.path(), backwards)).contains("no XLSX"));
}

#[test]
fn headings_are_understood_or_told_by_their_place() {
    let dir = dir();
    let path = dir.path().join("a.csv");
    let open = |text: &str, map: &Map, key: Option<&str>| {
        fs::write(&path, text).expect("written");
        Sheet::open(&path, layout(), map, key, "id").map(|sheet| (sheet.columns.clone(), sheet.key))
    };
    let none = Map::default();
    let named = |names: &[&str]| -> Vec<Option<String>> {
        names.iter().map(|name| Some((*name).to_owned()).filter(|name| !name.is_empty())).collect()
    };
    assert_eq!(open("Фамилия;Код;State\n", &none, None), Ok((named(&["surname", "id", ""]), 1)));
    assert_eq!(open("Фамилия;Номер карты\n", &none, Some("Номер карты")), Ok((named(&["surname", "id"]), 1)));
    let twice = open("id;Тел.;phone\n", &none, None).expect_err("twice").to_string();
    assert!(twice.contains("phone again"), "{twice}");
    assert!(matches!(open("id;Тайна\n", &none, None), Err(TableError::Column { n: 2, length: 5, .. })));
    assert!(matches!(open("surname\n", &none, None), Err(TableError::Key { length: 2, .. })));
    // what offices have in one column is told as that
    for (heading, words) in
        [("ФИО", "Фамилия, Имя, Отчество"), ("Ф.И.О.", "given"), ("Паспорт", "Серия паспорта")]
    {
        let told = open(&format!("id;{heading}\n"), &none, None).expect_err("several").to_string();
        assert!(told.contains("column 2") && told.contains(words), "{told}");
    }
    let file = dir.path().join("map.toml");
    let map = |text: &str| {
        fs::write(&file, text).expect("written");
        Map::read(&file, &layout())
    };
    let good = map("key = \"Номер карты\"\n[columns]\n\"Клиент\" = \"surname\"\n\"Прочее\" = \"\"\n")
        .expect("a map");
    assert_eq!(open("Клиент;Номер карты;Прочее\n", &good, None), Ok((named(&["surname", "id", ""]), 1)),);
    assert!(matches!(
        map("[columns]\n\n\"Клиент\" = \"surnam\"\n"),
        Err(TableError::MapColumn { line: 3, length: 6, .. })
    ));
    let told = map("[lines]\n\"Клиент\" = \"surname\"\n").expect_err("no table of lines").to_string();
    assert!(told.contains("line 2: [lines]"), "{told}");
    let empty = dir.path().join("empty.csv");
    fs::write(&empty, "\u{feff}").expect("written");
    assert!(rows_of(&empty, &Map::default()).expect_err("refused").to_string().contains("no line at all"));
    let told = map("[columns]\n\"Клиент\" = Тайна\n").expect_err("no TOML").to_string();
    assert!(told.contains("map.toml") && told.contains("line 2") && !told.contains("Тайна"), "{told}");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let dir = dir();
    let pipe = dir.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("started").success());
    let sheet = rows_of(&pipe, &Map::default()).expect_err("no table");
    let map = Map::read(&pipe, &layout()).expect_err("no map");
    for told in [sheet, map] {
        assert!(matches!(
            &told,
            TableError::File { exit: Exit::Usage, .. } | TableError::Map { exit: Exit::Usage, .. }
        ));
        assert!(told.to_string().contains("pipe"), "{told}");
    }
}

#[test]
fn a_hidden_sheet_is_not_the_table() {
    const BOOK: &str = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Списки" sheetId="1" state="hidden" r:id="r1"/><sheet name="Люди" sheetId="2" r:id="r2"/></sheets></workbook>"#;
    const SHEETS: &str = r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#;
    let dir = dir();
    let hidden = sheet(r#"<row r="1"><c r="A1"><v>1</v></c></row>"#);
    let people = sheet(&format!(r#"{HEADING}<row r="2"><c r="A2"><v>17</v></c></row>"#));
    let parts = [
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", SHEETS),
        ("xl/sharedStrings.xml", STRINGS),
        ("xl/worksheets/sheet1.xml", &hidden),
        ("xl/worksheets/sheet2.xml", &people),
    ];
    assert_eq!(read(&workbook(dir.path(), &parts)), [(2, Ok(values(["17", "", "", "", ""])))]);
}

#[test]
fn a_report_counts_all_and_tells_a_thousand() {
    let dir = dir();
    let to = dir.path().join("refused.csv");
    let mut report = Report::begin(Path::new("a.csv"), Some(&to), Lang::Ru).expect("begun");
    for line in 1..=1_500 {
        report.refuse(Refused::by(line, Some("id".to_owned()), "key-empty")).expect("written");
    }
    report.finish().expect("finished");
    let json = report.json();
    assert_eq!(
        (json["refused_count"].as_u64(), json["refused"].as_array().map(Vec::len)),
        (Some(1_500), Some(1_000))
    );
    let text = fs::read_to_string(&to).expect("there");
    assert!(
        text.starts_with(
            "\u{feff}Файл;Строка;Столбец;Правило;Что не так\r\na.csv;1;Номер в учёте;key-empty;значение ключа"
        ),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1_501);
}

/// One damaged byte makes no windows-1251 of a file in UTF-8, nor a line in UTF-8 text of one in windows-1251.
#[test]
fn a_csv_in_two_encodings_is_refused_by_its_line() {
    let dir = dir();
    let path = dir.path().join("a.csv");
    for lines in [
        &["id;surname\n1;Петров\n".as_bytes(), b"2;\xd0\n"][..],
        &[b"id;surname\n1;\xc8\xe2\xe0\xed\xee\xe2\n2;\xcf\n", "3;Петров\n".as_bytes()],
    ] {
        std::fs::write(&path, lines.concat()).expect("written");
        let error = rows_of(&path, &Map::default()).expect_err("refused").to_string();
        assert!(error.contains("a.csv"), "{error}");
        assert!(error.to_lowercase().contains("utf-8"), "{error}");
    }
    std::fs::write(&path, b"id;surname\n1;\xc8\xe2\xe0\xed\xee\xe2\n2;\xb9 5\n").expect("written");
    read(&path);
}
