//! The table of open questions as a CSV file that a Russian Excel opens and saves: UTF-8 with a byte order
//! mark and semicolons out; UTF-8 or Windows-1251, semicolons, commas or tabs in.

use std::{fs, path::Path};

use exchange_endpoint::{
    durable_file,
    output::{Exit, Failure},
};

/// The columns of the file: about the question, then about each of the two, then for staff to fill in.
pub const COLUMNS: [&str; 20] = [
    "number",
    "kind",
    "question",
    "centre_1",
    "name_1",
    "birth_date_1",
    "snils_1",
    "document_1",
    "address_1",
    "phone_1",
    "centre_2",
    "name_2",
    "birth_date_2",
    "snils_2",
    "document_2",
    "address_2",
    "phone_2",
    "detail",
    "decision",
    "reason",
];

/// A line that staff have filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Line of the file, from 1.
    pub line: u64,
    /// The review's number.
    pub number: i64,
    /// What was decided.
    pub decision: Word,
    /// Why.
    pub reason: String,
}

/// What staff may decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// «один»
    Same,
    /// «разные»
    Different,
    /// «принять»
    Accept,
    /// «отклонить»
    Decline,
}

impl Word {
    fn of(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "один" | "одна" | "один человек" | "same" => Some(Self::Same),
            "разные" | "different" => Some(Self::Different),
            "принять" | "accept" => Some(Self::Accept),
            "отклонить" | "decline" => Some(Self::Decline),
            _ => None,
        }
    }

    /// The word in the database and in inputs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::Accept => "accept",
            Self::Decline => "decline",
        }
    }
}

/// Writes `rows` under [`COLUMNS`] to `path`.
pub fn write(path: &Path, rows: &[Vec<String>]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Exit::Temporary, "hub-file").told("file", path.display()).told("detail", error)
    };
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(COLUMNS).map_err(|error| failed(&error))?;
    for row in rows {
        // a leading =, +, - or @ would be a formula to a spreadsheet
        let safe = row.iter().map(|cell| {
            if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.clone() }
        });
        writer.write_record(safe).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    durable_file::replace(path, &bytes, 0o600).map_err(|error| failed(&error))
}

/// Reads the lines whose decision is filled in.
pub fn read(path: &Path) -> Result<Vec<Answer>, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(Exit::Usage, "review-unreadable").told("file", path.display()).told("detail", error)
    })?;
    let text = decode(&bytes);
    let first = text.lines().next().unwrap_or_default();
    let delimiter = [b';', b',', b'\t']
        .into_iter()
        .max_by_key(|delimiter| first.matches(char::from(*delimiter)).count())
        .expect("three");
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let bad = |line: u64, column: &str| {
        Failure::new(Exit::Refused, "review-line")
            .told("file", path.display())
            .told("line", line)
            .with("column", column.to_owned())
    };
    let headers = reader.headers().map_err(|_| bad(1, "number"))?.clone();
    let place = |name: &str| {
        let found = headers.iter().position(|header| header.trim().eq_ignore_ascii_case(name));
        found.ok_or_else(|| bad(1, name))
    };
    let (number, decision, reason) = (place("number")?, place("decision")?, place("reason")?);
    let mut answers = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|error| bad(error.position().map_or(0, csv::Position::line), "number"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let word = record.get(decision).unwrap_or_default();
        if word.trim().is_empty() {
            continue;
        }
        answers.push(Answer {
            line,
            number: record
                .get(number)
                .and_then(|text| text.trim().parse().ok())
                .ok_or_else(|| bad(line, "number"))?,
            decision: Word::of(word).ok_or_else(|| bad(line, "decision"))?,
            reason: Some(record.get(reason).unwrap_or_default().trim().to_owned())
                .filter(|text| !text.is_empty())
                .ok_or_else(|| bad(line, "reason"))?,
        });
    }
    Ok(answers)
}

fn decode(bytes: &[u8]) -> String {
    let plain = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(plain) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1251.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("review.csv");
        fs::write(&path, bytes).expect("written");
        (dir, path)
    }

    #[test]
    fn what_excel_saves_is_read() {
        let text = "number;kind;decision;reason\r\n7;pair;Один;сестра подтвердила\r\n8;pair;;\r\n";
        let cp1251 = encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
        let commas = text.replace(';', ",");
        let tabs = text.replace(';', "\t");
        for bytes in [
            text.as_bytes(),
            &cp1251,
            format!("\u{feff}{text}").as_bytes(),
            commas.as_bytes(),
            tabs.as_bytes(),
        ] {
            let (_dir, path) = file(bytes);
            let answers = read(&path).expect("read");
            assert_eq!(answers.len(), 1);
            assert_eq!((answers[0].number, answers[0].decision), (7, Word::Same));
            assert_eq!(answers[0].reason, "сестра подтвердила");
        }
    }

    #[test]
    fn bad_lines_are_told_by_line_and_column() {
        for (text, column) in [
            ("number;decision;reason\n7;может быть;не знаю\n", "decision"),
            ("number;decision;reason\nседьмой;один;x\n", "number"),
            ("number;decision;reason\n7;один;\n", "reason"),
            ("number;decision\n7;один\n", "reason"),
        ] {
            let (_dir, path) = file(text.as_bytes());
            let failure = read(&path).expect_err("refused");
            assert_eq!(failure.code(), "review-line");
            assert!(failure.message(exchange_endpoint::output::Lang::En).contains(column), "{failure}");
        }
    }

    #[test]
    fn what_is_written_opens_in_a_russian_excel_and_holds_no_formula() {
        let (_dir, path) = file(b"");
        let mut row = vec![String::new(); COLUMNS.len()];
        row[0] = "7".into();
        row[4] = "=HYPERLINK(\"x\")".into();
        write(&path, &[row]).expect("written");
        let bytes = fs::read(&path).expect("read");
        assert!(bytes.starts_with("\u{feff}number;kind".as_bytes()));
        assert!(String::from_utf8(bytes).expect("UTF-8").contains("'=HYPERLINK"));
        assert_eq!(read(&path).expect("read"), []);
    }
}
