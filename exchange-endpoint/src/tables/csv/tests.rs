//! The form of CSV files: what is read of each, and how what is none is told.

use super::*;

type Rows = Vec<(u64, Vec<String>)>;

fn read(bytes: &[u8]) -> Result<Rows, String> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("t.csv");
    std::fs::write(&path, bytes).expect("written");
    let mut file = CsvFile::open(&path).map_err(|error| error.to_string())?;
    let mut rows = vec![file.heading.clone()];
    let each = |line, values: Result<Vec<String>, &'static str>| {
        rows.push((line, values.unwrap_or_else(|rule| vec![rule.to_owned()])));
        Ok::<_, String>(())
    };
    file.for_each(each, |error| error.to_string())?;
    Ok(rows)
}

fn row(line: u64, values: &[&str]) -> (u64, Vec<String>) {
    (line, values.iter().map(|value| (*value).to_owned()).collect())
}

#[test]
fn records_are_read_in_each_form_and_counted_by_their_lines() {
    let text = "a;\"b\"\"b\"\n\n1;\"две\nстроки\"\n;\n2;\"x;y\"\n3;ООО \"Р\"";
    let rows = [
        row(1, &["a", "b\"b"]),
        row(3, &["1", "две\nстроки"]),
        row(6, &["2", "x;y"]),
        row(7, &["3", "ООО \"Р\""]),
    ];
    let crlf = text.replace('\n', "\r\n");
    let with_bom = [BOM, text.as_bytes()].concat();
    let (windows, ..) = WINDOWS_1251.encode(text);
    for bytes in [text.as_bytes(), &with_bom, &windows] {
        assert_eq!(read(bytes).expect("read"), rows);
    }
    let crlf = read(crlf.as_bytes()).expect("read");
    assert_eq!(crlf[1], row(3, &["1", "две\r\nстроки"]));
    assert_eq!((&crlf[2], &crlf[3]), (&rows[2], &rows[3]));
}

#[test]
fn quotes_that_do_not_go_together_are_told_by_their_line() {
    for (text, words) in [
        ("a,b\n1,\"Иван\n2,Пётр\n", "line 2: a quoted value does not end"),
        ("a,b\r\n1,2\r\n3,\"Ива\"нов\r\n", "line 3: text follows the closing quote of a value"),
        ("\"a\" ,b", "line 1: text follows"),
        // a quote left open is closed by the next one, with text after it
        ("a,b\n1,\"Иван\n2,\"Пётр\"\n", "line 2: text follows"),
        ("\u{feff}a\n", ""),
    ] {
        let told = read(text.as_bytes()).err().unwrap_or_default();
        assert!(told.contains(words), "{told}");
    }
    assert!(read(b"\xFF\xFEi\0d\0").expect_err("refused").contains("UTF-16"));
}

#[test]
fn a_line_longer_or_wider_than_a_row_is_refused_alone_and_never_held() {
    let long = vec![b'x'; LARGEST_ROW + 70_000];
    let quoted = [b"\"".as_slice(), &long, b"\n;\""].concat();
    let wide = vec![b';'; 3 * LARGEST_COLUMNS];
    let file = [b"a;b\n".as_slice(), &long, b"\n1;2\n", &quoted, b"\n3;4\r\n", &wide, b"\n5;6"].concat();
    let told = [row(2, &["row-long"]), row(3, &["1", "2"]), row(4, &["row-long"]), row(6, &["3", "4"])];
    let rows = read(&file).expect("read");
    assert_eq!(rows[1..5], told);
    assert_eq!(rows[5..], [row(7, &["row-wide"]), row(8, &["5", "6"])]);
    for (heading, words) in [(&long, "16 MiB"), (&wide, "2000 columns")] {
        let told = read(&[heading.as_slice(), b"\n1"].concat()).expect_err("no heading");
        assert!(told.contains(words), "{told}");
    }
    let mut record = Record::default();
    let endless = io::repeat(b';').take(60_000_000);
    let mut records = Records { input: BufReader::new(endless), delimiter: b';', line: 1 };
    assert!(records.next(&mut record).expect("read"));
    assert_eq!((record.bytes.capacity(), record.ends.capacity(), record.excess), (0, 0, Some("row-wide")));
}

#[test]
fn the_first_line_of_excel_tells_the_delimiter_and_what_is_no_csv_is_told_as_what_it_is() {
    for first in ["sep=;", "\"sep=;\"", "SEP=;", "\u{feff}sep=;"] {
        let rows = read(format!("{first}\r\na;b,c,d\r\n1;2\r\n").as_bytes()).expect("read");
        assert_eq!(rows, [row(2, &["a", "b,c,d"]), row(3, &["1", "2"])], "{first}");
    }
    assert_eq!(read(b"sep=\t\na\tb;c\n").expect("read"), [row(2, &["a", "b;c"])]);
    let utf16: Vec<u8> = "id;Фамилия\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, words) in
        [(&utf16[..], "UTF-16"), (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", ".xls"), (b"id;a\r1;b\r", "CR")]
    {
        let told = read(bytes).expect_err("no CSV");
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn delimiters_inside_quotes_do_not_count() {
    for (line, delimiter_is) in [
        ("id;surname;given", b';'),
        ("id,surname", b','),
        ("id\tsurname", b'\t'),
        ("\"a,b,c\";d", b';'),
        ("id", b','),
        ("id;Фамилия, Имя", b';'),
    ] {
        assert_eq!(delimiter(line.as_bytes()), delimiter_is, "{line}");
    }
}

#[test]
fn other_russian_encodings_are_told_and_not_taken_for_windows_1251() {
    let text = "id;surname;given\n1;Иванова;Мария\n2;Ёлкин-Белый;Пётр\n3;Щукина;Любовь\n";
    for (encoding, words) in [(encoding_rs::KOI8_R, "KOI8-R"), (encoding_rs::IBM866, "CP866")] {
        let told = read(&encoding.encode(text).0).expect_err("refused");
        assert!(told.contains(words) && told.contains("line 2"), "{told}");
    }
    let plain = "id;surname\n1;ООО «Рассвет» — №\u{a0}7…\n2;ИВАНОВА\n3;пГт\n";
    assert_eq!(read(&WINDOWS_1251.encode(plain).0).expect("read")[2], row(3, &["2", "ИВАНОВА"]));
}

#[test]
fn a_workbook_with_a_password_is_told_as_such() {
    let begin = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0";
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for before in [0, 100, (1 << 16) - 20, 200_001] {
        let book = [&begin[..], &vec![7; before], &name, &[0; 90]].concat();
        let told = read(&book).expect_err("refused");
        assert!(told.contains("password") && !told.contains(".xls)"), "{before}: {told}");
    }
}

#[test]
fn a_damaged_letter_makes_no_windows_1251_of_utf_8() {
    for (text, line) in [
        (&b"id;surname\r\nB;\xd0\x9f\xd0\xb5\xd1\x82\xd1\x80\xd0\xbe\xd0"[..], "line 2"),
        (b"\xef\xbb\xbfid;surname\r\nA;\xd0\r\nB;\xd0\x9b\xd0\xb8\r\n", "line 2"),
        (b"id;surname\r\nA;\xd0\x9b\xd0\xb8\r\nB;\xd0\x9b\xd0\xb8\xd1\r\n", "line 3"),
    ] {
        let told = read(text).expect_err("refused");
        assert!(told.contains(line) && told.contains("UTF-8"), "{told}");
    }
    let name = "id;surname;given\n1;Сё;Ён\n2;Рёв №;СЁМИН\n";
    assert_eq!(read(&WINDOWS_1251.encode(name).0).expect("read")[1], row(2, &["1", "Сё", "Ён"]));
}

#[test]
fn what_a_sheet_was_once_wider_by_is_no_column() {
    let rows = read(b"id;surname;;\r\n1;x;;\r\n2;y\r\n3;z;w;\r\n").expect("read");
    assert_eq!(
        rows,
        [row(1, &["id", "surname"]), row(2, &["1", "x"]), row(3, &["2", "y"]), row(4, &["3", "z", "w"])]
    );
}

#[test]
fn an_empty_file_has_an_empty_heading() {
    assert_eq!(read(b"").expect("read"), [row(1, &[])]);
    assert_eq!(read(b"a\n").expect("read"), [row(1, &["a"])]);
}
