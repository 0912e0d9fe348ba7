//! Letters that Windows-1251 lacks, in lines of what staff draw up: what an export has is given back as written.

use std::fs;

use encoding_rs::WINDOWS_1251;

use super::{
    city::{City, done},
    tables::draw,
};

#[test]
fn lines_of_an_export_in_windows_1251_come_in_again_as_they_were_written() {
    let city = City::new();
    let lines =
        city.file("lines.csv", "provider_id;no;part;name\nП;1;licence;Лицензия Ә-7\nП;2;licence;Вторая\n");
    let heads = "id;register_number;full_name\nП;1;Центр «Әлем»\n";
    assert_eq!(draw(&city, "provider", heads, &["--lines", &lines]).1, [1, 0, 0]);
    let at = |name: &str| city.dir.path().join(name).to_str().expect("UTF-8").to_owned();
    let export = |table: &str, encoding: &str| {
        let file = at(&format!("{table}.{encoding}.csv"));
        let _ = fs::remove_file(&file);
        let args = ["export", table, "--out", &file, "--encoding", encoding, "--lang", "en"];
        let lacks = encoding == "windows-1251";
        assert_eq!(city.run(&args).status.code(), Some(if lacks { 3 } else { 0 }), "{table}");
        file
    };
    let [heads, written] = ["provider", "provider_line"].map(|table| export(table, "windows-1251"));
    let args = ["import", "provider", &heads, "--reason", "x", "--lines"];
    let told = done(&city.run(&[&args[..], &[&written]].concat()));
    assert_eq!(told["unchanged"], 1, "{told}");
    // another value is changed, and the letter stays
    let text = WINDOWS_1251.decode(&fs::read(&written).expect("read")).0.into_owned();
    assert!(text.contains("Лицензия ¤-7"), "{text}");
    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        let file = city.file("edited.csv", WINDOWS_1251.encode(&text.replace(from, to)).0);
        let output = city.run(&[&args[..], &[&file]].concat());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let refused = told["refused"].as_array().expect("a list").iter();
        let rules: Vec<_> = refused.map(|one| one["rule"].as_str().unwrap_or_default().to_owned()).collect();
        (output.status.code(), told["changed"].as_u64(), rules)
    };
    assert_eq!(edited("Вторая", "Третья"), (Some(0), Some(1), vec![]));
    let stands = fs::read_to_string(export("provider_line", "utf-8")).expect("read");
    assert!(stands.contains("Лицензия Ә-7") && stands.contains("Третья"), "{stands}");
    // what was changed, or is another line's, says nothing that anybody can know
    for (from, to) in [("Лицензия ¤-7", "Лицензия ¤-8"), ("Вторая", "Лицензия ¤-7")]
    {
        let (exit, changed, rules) = edited(from, to);
        assert_eq!((exit, changed), (Some(3), Some(0)), "{to}");
        assert_eq!(rules, ["lines-refused", "letters-lost"], "{to}");
    }
}
