//! Numbers of papers that staff draw up: whether two have one number and date is judged when the whole file was read.

use std::collections::BTreeSet;

use exchange_format::record::{Body, Kind, Type};
use fixtures::examples;
use serde_json::Value;

use super::{
    city::{City, key},
    tables::draw,
};

/// A line, the rule, and the line that the reason names.
type Refused = (u64, String, Option<u64>);

/// A city, a person of it, and what else a paper of `table` says.
struct Papers {
    city: City,
    table: &'static str,
    head: String,
    tail: String,
}

impl Papers {
    fn all() -> Vec<Self> {
        ["need_decision", "programme", "supplement"].map(Self::of).into()
    }

    fn of(table: &'static str) -> Self {
        let city = City::new();
        city.with_a_question();
        let uid = city.uid(1);
        let (more, tail) = match table {
            "need_decision" => (";outcome;form;grounds".to_owned(), ";recognised;home;15.1.1".to_owned()),
            "supplement" => {
                let rows = format!("id;recipient_id;number;date\nП;{uid};1;01.03.2026\n");
                assert_eq!(draw(&city, "programme", &rows, &[]).1, [1, 0, 0]);
                let body = examples::body(Kind::Supplement);
                let is_own = |name: &str| !["number", "date"].contains(&name);
                let stated = body.head().iter().filter_map(|(field, text)| Some((field, text?)));
                let stated: Vec<_> = stated
                    .filter(|(field, _)| !matches!(field.ty, Type::Reference(_)) && is_own(field.name))
                    .collect();
                let (names, texts): (Vec<_>, Vec<_>) =
                    stated.into_iter().map(|(field, text)| (field.name, text)).unzip();
                (format!(";{};programme_id", names.join(";")), format!(";{};П", texts.join(";")))
            }
            _ => (";form".to_owned(), ";home".to_owned()),
        };
        let head = format!("id;recipient_id;date;number{more}\n");
        Self { city, table, head, tail: format!("{uid};05.03.2026{tail}") }
    }

    /// The lines of these papers, if they have any.
    fn lines(&self, papers: &[(&str, &str)]) -> Option<String> {
        let body = (self.table == "supplement").then(|| examples::body(Kind::Supplement))?;
        let names = Kind::Supplement.schema().lines.map(|lines| lines.fields).unwrap_or_default();
        let head: Vec<_> =
            ["supplement_id"].into_iter().chain(names.iter().map(|field| field.name)).collect();
        let mut table = vec![head.join(";")];
        for (id, _) in papers {
            table.extend(body.lines().iter().map(|line| {
                let texts = line.iter().map(|(_, text)| text.unwrap_or_default());
                [id.trim_end_matches('*')].into_iter().chain(texts).collect::<Vec<_>>().join(";")
            }));
        }
        Some(self.city.file("lines.csv", table.join("\n")))
    }

    /// A table of these papers with their numbers; «id*» says what no rule takes.
    fn table(&self, papers: &[(&str, &str)]) -> String {
        let row = |(id, number): &(&str, &str)| {
            let mut cells: Vec<&str> = self.tail.split(';').collect();
            cells.insert(2, number);
            if id.ends_with('*') {
                cells[1] = "32.13.2026";
            }
            format!("{};{}\n", id.trim_end_matches('*'), cells.join(";"))
        };
        let rows: String = papers.iter().map(row).collect();
        format!("{}{rows}", self.head)
    }

    /// Draws them up: new, changed, unchanged, and the lines that are refused, each with the rule and the line that its reason names.
    fn draw(&self, papers: &[(&str, &str)], more: &[&str]) -> ([u64; 3], Vec<Refused>) {
        let file = self.city.file("papers.csv", self.table(papers));
        let lines = self.lines(papers);
        let lines = lines.iter().flat_map(|lines| ["--lines", lines]).collect::<Vec<_>>();
        let args = [&["import", self.table, &file, "--reason", "приказ", "--lang", "en"], more, &lines];
        let output = self.city.run(&args.concat());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let refused = told["refused"].as_array().expect("a list").iter().map(|one| {
            let why = one["why"].as_str().expect("a reason");
            let at = why.split_once("(line ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
            let rule = one["rule"].as_str().expect("a rule").to_owned();
            assert!(rule != "number-taken" || why.contains("uid ") && one["column"] == "number", "{one}");
            (one["line"].as_u64().expect("a line"), rule, at)
        });
        let refused: Vec<_> = refused.collect();
        assert_eq!(output.status.code(), Some(if refused.is_empty() { 0 } else { 3 }), "{told}");
        (["new", "changed", "unchanged"].map(|name| told[name].as_u64().expect("a count")), refused)
    }

    /// The number of each paper, by its id.
    fn numbers(&self) -> Vec<(String, String)> {
        let db = rusqlite::Connection::open(self.city.hub().join("hub.db")).expect("opened");
        let mut statement =
            db.prepare("SELECT id, body FROM drawn WHERE kind = ?1 ORDER BY id").expect("SQL");
        let rows = statement.query_map([self.table], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)));
        let rows = rows.expect("rows").map(|row: rusqlite::Result<(String, Vec<u8>)>| row.expect("a row"));
        let number = |body: &[u8]| {
            let body = String::from_utf8_lossy(body).into_owned();
            let (_, rest) = body.split_once("<number>").expect("a number");
            rest.split_once('<').expect("its end").0.to_owned()
        };
        rows.map(|(id, body)| (id, number(&body))).collect()
    }

    fn stand(&self, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(id, number)| ((*id).to_owned(), (*number).to_owned())).collect();
        assert_eq!(self.numbers(), expected, "{}", self.table);
    }
}

fn taken(line: u64, by: Option<u64>) -> Refused {
    (line, "number-taken".to_owned(), by)
}

#[test]
fn two_papers_of_staff_s_get_no_one_number_by_a_correction() {
    for papers in Papers::all() {
        assert_eq!(papers.draw(&[("А", "1"), ("Б", "2"), ("В", "3")], &[]), ([3, 0, 0], vec![]));
        // one that the file does not have, one that it has, and one that stays in it
        assert_eq!(papers.draw(&[("А", "№ 02")], &[]), ([0; 3], vec![taken(2, None)]), "{}", papers.table);
        let other = papers.draw(&[("А", "4"), ("Б", "4"), ("В", "3")], &[]);
        assert_eq!(other, ([0, 1, 1], vec![taken(3, Some(2))]));
        let stays = papers.draw(&[("А", "3"), ("Г", "2"), ("В", "3")], &[]);
        assert_eq!(stays, ([0, 0, 1], vec![taken(2, Some(4)), taken(3, None)]));
        papers.stand(&[("А", "4"), ("Б", "2"), ("В", "3")]);
        // who is refused keeps the number, and so keeps another from it
        let refused = papers.draw(&[("А", "2"), ("Б", "3"), ("Д", "4")], &[]);
        assert_eq!(refused, ([0; 3], vec![taken(2, Some(3)), taken(3, None), taken(4, Some(2))]));
        papers.stand(&[("А", "4"), ("Б", "2"), ("В", "3")]);
    }
}

#[test]
fn papers_exchange_numbers_in_one_file() {
    for papers in Papers::all() {
        papers.draw(&[("А", "1"), ("Б", "2"), ("В", "3"), ("Г", "4")], &[]);
        let exchanged = [("А", "2"), ("Б", "1")];
        assert_eq!(papers.draw(&exchanged, &["--dry-run"]), ([0, 2, 0], vec![]), "{}", papers.table);
        papers.stand(&[("А", "1"), ("Б", "2"), ("В", "3"), ("Г", "4")]);
        assert_eq!(papers.draw(&exchanged, &[]), ([0, 2, 0], vec![]));
        assert_eq!(papers.draw(&exchanged, &[]), ([0, 0, 2], vec![]), "the same file again changes nothing");
        papers.stand(&[("А", "2"), ("Б", "1"), ("В", "3"), ("Г", "4")]);
        // three in a round, a fourth that comes after one of them, a new one after that
        let round = [("Д", "4"), ("Г", "3"), ("В", "1"), ("Б", "2"), ("А", "5")];
        assert_eq!(papers.draw(&round, &["--all-or-nothing"]), ([1, 4, 0], vec![]));
        papers.stand(&[("А", "5"), ("Б", "2"), ("В", "1"), ("Г", "3"), ("Д", "4")]);
        let round = [("А", "2"), ("Б", "3"), ("Г", "5"), ("Д", "6")];
        assert_eq!(papers.draw(&round, &["--all-or-nothing"]), ([0, 4, 0], vec![]));
        papers.stand(&[("А", "2"), ("Б", "3"), ("В", "1"), ("Г", "5"), ("Д", "6")]);
    }
}

#[test]
fn an_exchange_of_which_a_row_is_refused_is_none() {
    for papers in Papers::all() {
        papers.draw(&[("А", "1"), ("Б", "2"), ("В", "3")], &[]);
        let (counts, refused) = papers.draw(&[("А", "2"), ("Б", "3"), ("В*", "1")], &[]);
        assert_eq!((counts, refused.len()), ([0; 3], 3), "{refused:?}");
        assert_eq!(refused[..2], [taken(2, Some(3)), taken(3, Some(4))]);
        assert_ne!(refused[2].1, "number-taken");
        papers.stand(&[("А", "1"), ("Б", "2"), ("В", "3")]);
        let (_, refused) = papers.draw(&[("А", "2"), ("Б", "1"), ("В*", "4")], &["--all-or-nothing"]);
        assert_eq!(refused.len(), 1);
        papers.stand(&[("А", "1"), ("Б", "2"), ("В", "3")]);
    }
}

/// What a centre alone has is one with a paper of staff's that is corrected to its number, unless the file has a row for it.
#[test]
fn a_paper_that_a_centre_alone_has_exchanges_its_number_with_one_of_staff_s() {
    for reversed in [false, true] {
        let papers = Papers::of("programme");
        let (city, uid) = (&papers.city, papers.city.uid(1));
        let own = format!("id;recipient_id;number;date;conditions\nА;{uid};1;12.01.2026;Первая\n");
        assert_eq!(draw(city, "programme", &own, &[]).1, [1, 0, 0]);
        let recipient = key(1).to_string();
        let mut claim = Body::new(Kind::ProgrammeClaim);
        let said = [("number", "3"), ("date", "12.01.2026"), ("conditions", "Вторая")];
        let fields = [("recipient", recipient.as_str())].into_iter().chain(said);
        fields.for_each(|(field, value)| claim.set(field, value).expect("plain"));
        city.receive(1, 8, &claim);
        let of_centre = || -> String {
            let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
            let sql = "SELECT uid FROM person_record WHERE key = ?1";
            db.query_one(sql, [key(8).to_string()], |row| row.get(0)).expect("a document")
        };
        let document = of_centre();
        let mut rows =
            [format!("А;;{uid};3;12.01.2026\n"), format!(";{document};{uid};1;12.01.2026\n")].to_vec();
        if reversed {
            rows.reverse();
        }
        let exchanged = format!("id;uid;recipient_id;number;date\n{}", rows.concat());
        assert_eq!(draw(city, "programme", &exchanged, &[]).1, [0, 2, 0], "{reversed}");
        assert_eq!(of_centre(), document, "it is nobody else's paper");
        let numbers: BTreeSet<String> = papers.numbers().into_iter().map(|(_, number)| number).collect();
        assert_eq!(numbers, BTreeSet::from(["1".to_owned(), "3".to_owned()]));
        assert_eq!(draw(city, "programme", &exchanged, &[]).1, [0, 0, 2], "the same file changes nothing");
    }
}

#[test]
fn a_supplement_goes_to_no_programme_that_has_its_number() {
    let papers = Papers::of("supplement");
    let uid = papers.city.uid(1);
    let rows = format!("id;recipient_id;number;date\nР;{uid};2;01.03.2026\n");
    assert_eq!(draw(&papers.city, "programme", &rows, &[]).1, [1, 0, 0]);
    assert_eq!(papers.draw(&[("А", "1")], &[]).0, [1, 0, 0]);
    let to_other = |id: &str| {
        let rows = papers.table(&[(id, "1")]).replace(";П\n", ";Р\n");
        let lines = papers.lines(&[(id, "1")]).expect("lines");
        draw(&papers.city, "supplement", &rows, &["--lines", &lines])
    };
    assert_eq!(to_other("Б").1, [1, 0, 0], "every programme has its first");
    assert_eq!(to_other("А").2, [("number".to_owned(), "number-taken".to_owned())]);
    assert_eq!(papers.draw(&[("А", "2")], &[]).0, [0, 1, 0]);
}
