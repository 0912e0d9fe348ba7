//! Numbers of papers that staff draw up: whether two have one number and date is judged when the whole file was read.

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
        rows.map(|(id, body)| (id, number(&body))).collect()
    }

    fn stand(&self, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(id, number)| ((*id).to_owned(), (*number).to_owned())).collect();
        assert_eq!(self.numbers(), expected, "{}", self.table);
    }
}

/// The number that a record says.
fn number(body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body).into_owned();
    let (_, rest) = body.split_once("<number>").expect("a number");
    rest.split_once('<').expect("its end").0.to_owned()
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

/// A city with a person of whom a centre has papers.
struct Theirs {
    city: City,
    uid: String,
}

impl Theirs {
    /// A paper of the centre for each of these keys, with its number.
    fn of(papers: &[(u8, &str)]) -> Self {
        let city = City::new();
        city.with_a_question();
        let uid = city.uid(1);
        let recipient = key(1).to_string();
        for (n, number) in papers {
            let mut claim = Body::new(Kind::ProgrammeClaim);
            let conditions = format!("Как в № {number}");
            let said = [("number", *number), ("date", "12.01.2026"), ("conditions", &conditions)];
            let fields = [("recipient", recipient.as_str())].into_iter().chain(said);
            fields.for_each(|(field, value)| claim.set(field, value).expect("plain"));
            city.receive(1, *n, &claim);
        }
        Self { city, uid }
    }

    /// The document that the paper of this key is.
    fn document(&self, n: u8) -> String {
        let db = rusqlite::Connection::open(self.city.hub().join("hub.db")).expect("opened");
        let sql = "SELECT uid FROM person_record WHERE key = ?1";
        db.query_one(sql, [key(n).to_string()], |row| row.get(0)).expect("a document")
    }

    /// Draws up papers: each with its id, or its uid, and its number.
    fn draw(&self, papers: &[(&str, &str)]) -> ([u64; 3], Vec<(u64, String, String)>) {
        let told = self.told(papers);
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let refused = told["refused"].as_array().expect("a list").iter();
        let refused =
            refused.map(|one| (one["line"].as_u64().expect("a line"), text(&one["rule"]), text(&one["why"])));
        (["new", "changed", "unchanged"].map(|name| told[name].as_u64().expect("a count")), refused.collect())
    }

    /// The lines of which staff are told that a centre's paper is the row's now.
    fn over(&self, papers: &[(&str, &str)]) -> Vec<u64> {
        let told = self.told(papers);
        let warned = told["warned"].as_array().expect("a list").iter();
        let over = warned.filter(|one| one["warning"] == "stands-over");
        over.map(|one| one["line"].as_u64().expect("a line")).collect()
    }

    fn told(&self, papers: &[(&str, &str)]) -> Value {
        let row = |(name, number): &(&str, &str)| {
            let uid = &self.uid;
            let names = if name.len() == uid.len() { format!(";{name}") } else { format!("{name};") };
            format!("{names};{uid};{number};12.01.2026\n")
        };
        let rows: String = papers.iter().map(row).collect();
        let file = self.city.file("papers.csv", format!("id;uid;recipient_id;number;date\n{rows}"));
        let args = ["import", "programme", &file, "--reason", "приказ", "--lang", "en"];
        serde_json::from_slice(&self.city.run(&args).stdout).expect("JSON")
    }

    /// The numbers of what staff have drawn up.
    fn drawn(&self) -> Vec<String> {
        let db = rusqlite::Connection::open(self.city.hub().join("hub.db")).expect("opened");
        let mut statement = db.prepare("SELECT body FROM drawn WHERE kind = 'programme'").expect("SQL");
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
        let mut numbers: Vec<String> = rows.map(|body| number(&body.expect("a row"))).collect();
        numbers.sort();
        numbers
    }

    /// Each paper of a centre, of these keys, is the document that it was.
    fn stand(&self, papers: &[(u8, &String)]) {
        for (n, document) in papers {
            assert_eq!(self.document(*n), **document, "{n}");
        }
    }
}

/// What a centre alone has is one with a paper of staff's that is corrected to its number, unless the file has a row for it.
#[test]
fn a_paper_that_a_centre_alone_has_exchanges_its_number_with_one_of_staff_s() {
    for reversed in [false, true] {
        let city = Theirs::of(&[(8, "3")]);
        assert_eq!(city.draw(&[("А", "1")]), ([1, 0, 0], vec![]));
        let document = city.document(8);
        let mut exchanged = [("А", "3"), (&document, "1")];
        let mut back = [("А", "1"), (&document, "3")];
        if reversed {
            exchanged.reverse();
            back.reverse();
        }
        assert_eq!(city.draw(&exchanged), ([0, 2, 0], vec![]), "{reversed}");
        city.stand(&[(8, &document)]);
        assert_eq!(city.drawn(), ["1", "3"]);
        assert_eq!(city.draw(&exchanged), ([0, 0, 2], vec![]), "the same file changes nothing");
        // and back, and then to a third: it is the centre's paper all the same
        assert_eq!(city.draw(&back), ([0, 2, 0], vec![]), "{reversed}");
        assert_eq!(city.draw(&[(&document, "7")]), ([0, 1, 0], vec![]));
        city.stand(&[(8, &document)]);
        assert_eq!(city.drawn(), ["1", "7"]);
        assert_eq!(city.draw(&[(&document, "3")]), ([0, 1, 0], vec![]));
        city.stand(&[(8, &document)]);
    }
}

#[test]
fn a_paper_of_a_centre_s_gets_no_number_of_another_of_theirs() {
    let city = Theirs::of(&[(8, "1"), (9, "2")]);
    let (one, two) = (city.document(8), city.document(9));
    let refused = |papers: &[(&str, &str)], by: &str| {
        let (counts, refused) = city.draw(papers);
        let [(2, rule, why)] = &refused[..] else { panic!("{refused:?}") };
        assert_eq!((counts, rule.as_str()), ([0; 3], "number-taken"));
        assert!(why.contains(by), "{why}");
    };
    refused(&[(&one, "2")], &two);
    assert!(city.drawn().is_empty());
    city.stand(&[(8, &one), (9, &two)]);
    // drawn up under a third number it is the centre's all the same
    assert_eq!(city.draw(&[(&one, "5")]), ([0, 1, 0], vec![]));
    refused(&[(&one, "2")], &two);
    city.stand(&[(8, &one), (9, &two)]);
    assert_eq!(city.draw(&[(&one, "1")]), ([0, 1, 0], vec![]));
    // two of theirs exchange numbers, and one comes after another
    assert_eq!(city.draw(&[(&one, "2"), (&two, "1")]), ([0, 2, 0], vec![]));
    assert_eq!(city.draw(&[(&two, "2"), (&one, "6")]), ([0, 2, 0], vec![]));
    city.stand(&[(8, &one), (9, &two)]);
    assert_eq!(city.drawn(), ["2", "6"]);
}

#[test]
fn two_papers_of_one_number_are_told_by_check_until_one_has_another() {
    // as of a hub that a program made which read numbers otherwise, and where a centre has numbered two alike
    let city = Theirs::of(&[(8, "3"), (9, "№ 3")]);
    let documents = [city.document(8), city.document(9)];
    assert_ne!(documents[0], documents[1]);
    let doubled = || -> Vec<String> {
        let told: Value = serde_json::from_slice(&city.city.run(&["check"]).stdout).expect("JSON");
        let faults = told["faults"].as_array().expect("a list").iter();
        let faults = faults.filter(|one| one["rule"] == "D08");
        faults
            .inspect(|one| assert_eq!(one["refused"], false, "{one}"))
            .map(|one| one["uid"].as_str().expect("a uid").to_owned())
            .collect()
    };
    let told: std::collections::BTreeSet<String> = doubled().into_iter().collect();
    assert_eq!(told, documents.iter().cloned().collect());
    assert_eq!(city.draw(&[(&documents[1], "4")]), ([0, 1, 0], vec![]));
    assert_eq!(doubled(), [""; 0]);
    city.stand(&[(8, &documents[0]), (9, &documents[1])]);
}

#[test]
fn that_a_paper_of_staff_s_stands_over_a_centre_s_is_told() {
    let city = Theirs::of(&[(8, "3"), (9, "4")]);
    assert_eq!(city.over(&[("А", "1"), ("Б", "3")]), [3], "a new one, and one of which no centre knows");
    assert_eq!(city.over(&[("А", "4"), ("Б", "3")]), [2], "one that is corrected");
    assert_eq!(city.over(&[("А", "4")]), [0; 0]);
    // away from it, and back; one that a row names by its uid is no other
    let other = city.document(9);
    assert_eq!(city.over(&[("А", "5")]), [0; 0]);
    assert_ne!(city.document(9), other);
    assert_eq!(city.over(&[("А", "4")]), [2]);
    assert_eq!(city.document(9), other);
}

#[test]
fn a_number_that_a_centre_s_paper_has_left_is_free_for_a_new_one() {
    let city = Theirs::of(&[(8, "3")]);
    let document = city.document(8);
    assert_eq!(city.draw(&[(&document, "1"), ("А", "3")]), ([1, 1, 0], vec![]));
    city.stand(&[(8, &document)]);
    assert_eq!(city.drawn(), ["1", "3"]);
    let (counts, refused) = city.draw(&[("Б", "1")]);
    assert_eq!((counts, refused[0].1.as_str()), ([0; 3], "number-taken"));
    // also where its row waits for another's, and where what had the number was taken back
    for reversed in [false, true] {
        let city = Theirs::of(&[(8, "3"), (9, "4")]);
        let (one, two) = (city.document(8), city.document(9));
        assert_eq!(city.draw(&[("А", "5")]), ([1, 0, 0], vec![]));
        let withdrawn = city.city.run(&["withdraw", "programme", "А", "--reason", "ошибка"]);
        assert_eq!(withdrawn.status.code(), Some(0), "{withdrawn:?}");
        let mut rows = [(one.as_str(), "4"), ("А", "3"), (&two, "5")];
        if reversed {
            rows.reverse();
        }
        assert_eq!(city.draw(&rows), ([1, 2, 0], vec![]), "{reversed}");
        city.stand(&[(8, &one), (9, &two)]);
        assert_eq!(city.drawn(), ["3", "4", "5"]);
    }
}

#[test]
fn a_paper_that_is_named_by_its_id_and_by_its_uid_stands_in_the_file_twice() {
    let city = Theirs::of(&[(8, "3")]);
    let document = city.document(8);
    let twice = |papers: &[(&str, &str)], counts: [u64; 3]| {
        let (told, refused) = city.draw(papers);
        assert_eq!(told, counts, "{refused:?}");
        let [(3, rule, why)] = &refused[..] else { panic!("{refused:?}") };
        assert!(rule == "key-twice" && why.contains("its uid"), "{why}");
    };
    // by its number it is the centre's
    assert_eq!(city.draw(&[("А", "3")]), ([1, 0, 0], vec![]));
    twice(&[(&document, "5"), ("А", "6")], [0, 1, 0]);
    // of one that waits, too
    assert_eq!(city.draw(&[("Б", "7")]), ([1, 0, 0], vec![]));
    let (told, refused) = city.draw(&[("А", "7"), (&document, "8"), ("Б", "9")]);
    assert_eq!((told, refused.len()), ([0, 2, 0], 1), "{refused:?}");
    assert_eq!((refused[0].0, refused[0].1.as_str()), (3, "key-twice"));
    assert_eq!(city.drawn(), ["7", "9"]);
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
