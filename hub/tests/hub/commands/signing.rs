//! Two members of staff sign, by the real program under two accounts.

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

use super::city::{City, done, refused};

/// How this machine lets a test act as several logins: the kernel takes the login of a process that has none, or that of root's;
/// root says by sudo for whom it acts; or an account of one's own namespace.
const AS_LOGIN: &str = r#"
login=$1; shift
if (echo "$login" >/proc/self/loginuid) 2>/dev/null; then echo "$login" >/proc/self/loginuid; exec "$@"; fi
if [ "$(id -u)" = 0 ]; then SUDO_USER="clerk$login" exec "$@"; fi
exec unshare --user --map-user="$login" "$@"
"#;

/// The program as it is run by whoever logged in with the number `login`.
fn acting(city: &City, login: u32, args: &[&str]) -> Output {
    let config = city.hub().join("svod-hub.toml");
    let mut command = Command::new("sh");
    command.args(["-c", AS_LOGIN, "sh", &login.to_string(), env!("CARGO_BIN_EXE_svod-hub")]).args(args);
    command.args(["--config", config.to_str().expect("UTF-8")]).output().expect("started")
}

fn json(city: &City, login: u32, args: &[&str]) -> Output {
    acting(city, login, &[args, &["--format", "json"]].concat())
}

fn text(city: &City, login: u32, args: &[&str]) -> String {
    let output = acting(city, login, args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

const ANNA: u32 = 61_001;
const OLGA: u32 = 61_002;
const VERA: u32 = 61_003;

/// Whether it lets one at all; where not, what decides is tested with the names of accounts alone (`edges::signing`).
fn can_act() -> bool {
    let sh = Command::new("sh").args(["-c", AS_LOGIN, "sh", "61001", "true"]).output();
    let can = sh.is_ok_and(|output| output.status.success());
    if !can {
        eprintln!("here no test can act under two accounts: not looked at");
    }
    can
}

/// A hub where two sign, with two persons that are published and one question, 1: it was answered «разные» before.
fn city() -> Option<City> {
    if !can_act() {
        return None;
    }
    let city = City::new();
    let path = city.hub().join("svod-hub.toml");
    let written = fs::read_to_string(&path).expect("read");
    fs::write(&path, written.replace("#: second_signature = false", "second_signature = true"))
        .expect("written");
    city.with_a_question();
    done(&city.run(&["review", "separate", "1", "--reason", "ошибка"]));
    Some(city)
}

fn link<'a>() -> [&'a str; 6] {
    ["review", "link", "1", "--revise", "--reason", "один паспорт"]
}

const SIGN: [&str; 5] = ["review", "sign", "1", "--reason", "видела"];

/// Who, besides the hub, has entered `event` into the journal.
fn actors(city: &City, event: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(city.hub().join("hub.db")).expect("opened");
    let mut select = db.prepare("SELECT actor FROM journal WHERE event = ?1 ORDER BY n").expect("SQL");
    let rows = select.query_map([event], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}

#[test]
fn two_accounts_make_one_person_of_two_and_one_account_does_not() {
    let Some(city) = city() else { return };
    let told = text(&city, ANNA, &link());
    assert!(told.contains("Вопрос 1 ждёт второй подписи") && told.contains("review sign 1"), "{told}");
    let first = actors(&city, "review.signed");
    assert!(first.len() == 1 && first[0].contains("61001"), "{first:?}");
    assert_eq!((city.persons(), refused(&json(&city, ANNA, &SIGN))), (2, (3, "review-sign-same".into())));
    assert_eq!(refused(&json(&city, OLGA, &link())), (3, "review-signed".into()));

    let listed = done(&json(&city, OLGA, &["review", "list"]))["reviews"][0].clone();
    assert_eq!((&listed["review"], &listed["signature"]["actor"]), (&1.into(), &first[0].clone().into()));
    assert_eq!(listed["answers"], serde_json::json!(["sign", "different"]));
    let counted = done(&json(&city, OLGA, &["status"]))["signatures"].clone();
    assert_eq!((&counted["waiting"], counted["since"].is_string()), (&1.into(), true));
    for (lang, words) in [("ru", "Ждёт второй подписи"), ("en", "It waits for a second signature")]
    {
        for command in [&["review", "list"][..], &["review", "show", "1"]] {
            let told = text(&city, OLGA, &[command, &["--lang", lang]].concat());
            assert!(
                told.contains(words) && told.contains(&first[0]) && told.contains("один паспорт"),
                "{told}"
            );
        }
        let told = text(&city, OLGA, &["status", "--lang", lang]);
        let words = if lang == "ru" {
            "Ждут второй подписи"
        } else {
            "Waiting for a second signature"
        };
        assert!(told.contains(words), "{told}");
    }
    let table = city.review_file("out.csv").1;
    assert!(table.contains(";Подпись;") && table.contains(";подписать / разные;"), "{table}");

    let signed = done(&json(&city, OLGA, &SIGN));
    assert_eq!((&signed["decided"], signed["joined"].as_array().map(Vec::len)), (&1.into(), Some(1)));
    assert_eq!(city.persons(), 1);
    let second = actors(&city, "review.countersigned");
    assert!(second.len() == 1 && second[0].contains("61002"), "{second:?}");
    assert_eq!(done(&json(&city, VERA, &SIGN))["unchanged"], 1, "done already");
    let told = text(&city, VERA, &["review", "show", "1", "--lang", "en"]);
    assert!(
        told.contains("Second signature") && told.contains(&second[0]) && told.contains(&first[0]),
        "{told}"
    );
    let protocol = done(&city.run(&["protocol", "show", &signed["protocol"].to_string()]));
    let sentence = protocol["lines"][0]["sentence"].as_str().expect("text").to_owned();
    assert!(protocol["actor"] == second[0].as_str() && sentence.contains(&first[0]), "{protocol}");
    let history = text(&city, VERA, &["person", "history", &city.uid(1), "--lang", "en"]);
    assert!(history.contains("the first of two has signed") && history.contains(&first[0]), "{history}");
}

#[test]
fn of_two_at_once_one_is_the_first_and_one_carries_it_out() {
    let Some(city) = city() else { return };
    let both = |args: &[&str], logins: [u32; 2]| -> [Output; 2] {
        std::thread::scope(|scope| {
            let city = &city;
            let both = logins.map(|login| scope.spawn(move || json(city, login, args)));
            both.map(|one| one.join().expect("ended"))
        })
    };
    let told = both(&link(), [ANNA, OLGA]);
    let (first, other): (Vec<_>, Vec<_>) = told.iter().partition(|output| output.status.success());
    assert_eq!((first.len(), done(first[0])["signed"].clone()), (1, Value::from(1)));
    assert_eq!(refused(other[0]), (3, "review-signed".into()));
    assert_eq!(city.persons(), 2);
    let one = actors(&city, "review.signed")[0].contains("61001");
    let others = if one { [OLGA, VERA] } else { [ANNA, VERA] };
    let told = both(&SIGN, others).map(|output| done(&output)["decided"].as_u64());
    assert_eq!(told.iter().flatten().sum::<u64>(), 1, "{told:?}");
    assert_eq!((city.persons(), actors(&city, "review.countersigned").len()), (1, 1));
}

#[test]
fn a_second_who_does_not_sign_says_so() {
    let Some(city) = city() else { return };
    let refuse = ["review", "sign", "1", "--refuse", "--reason", "разные отчества"];
    assert_eq!(refused(&json(&city, OLGA, &refuse)), (3, "review-not-signed".into()));
    assert_eq!(refused(&json(&city, OLGA, &SIGN)), (3, "review-not-signed".into()));
    done(&json(&city, ANNA, &link()));
    assert_eq!(
        refused(&json(&city, OLGA, &["review", "sign", "1", "--reason", " "])),
        (2, "review-reason".into())
    );
    let told = done(&json(&city, OLGA, &refuse));
    assert_eq!((&told["refused"], told["protocol"].is_number()), (&true.into(), true));
    let protocol = done(&city.run(&["protocol", "show", &told["protocol"].to_string()]));
    let line = &protocol["lines"][0];
    assert_eq!((&line["outcome"], &line["words"]), (&"unsigned".into(), &"разные отчества".into()));
    assert_eq!((city.persons(), actors(&city, "review.unsigned").len()), (2, 1));
    assert_eq!(done(&json(&city, OLGA, &["review", "show", "1"]))["signature"], Value::Null);
    assert_eq!(done(&json(&city, OLGA, &["review", "list"]))["reviews"], serde_json::json!([]), "as before");
    assert_eq!(
        refused(&json(&city, OLGA, &["review", "sign", "9", "--reason", "да"])),
        (3, "review-unknown".into())
    );
}
