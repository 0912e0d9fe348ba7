//! `person`, `service`.

use exchange_endpoint::account::acting;
use serde_json::Value;

use super::city::{City, centre, done, refused};

#[test]
fn staff_correct_a_person_and_confirm_who_serves_it() {
    let city = City::new();
    city.with_a_question();
    let (uid, code) = (city.uid(1), centre(1).to_string());
    let shown = done(&city.run(&["person", "show", &uid]));
    assert_eq!(shown["claims"][0]["rule"], "SINGLE");
    let field = |shown: &Value, name: &str| {
        let fields = shown["fields"].as_array().expect("fields").iter();
        fields.clone().find(|field| field["field"] == name).cloned().expect("stated")
    };
    let workplace = field(&shown, "workplace");
    assert_eq!((&workplace["value"], &workplace["centre"]), (&"Завод".into(), &code.as_str().into()));
    let case = shown["case_number"].as_str().expect("text");
    assert!(case.starts_with("42-32701000-"), "{case}");

    let confirm = |centre: &str| city.run(&["service", "confirm", centre, case, "--reason", "обслуживается"]);
    let told = done(&confirm(&code));
    assert_eq!(told["changed"], true);
    let decided = done(&city.run(&["protocol", "show", &told["protocol"].to_string()]));
    assert_eq!(decided["lines"][0]["key"], format!("{code} {uid}"));
    assert_eq!(decided["lines"][0]["outcome"], "confirmed");
    assert_eq!(done(&confirm(&code))["changed"], false);
    assert_eq!(refused(&confirm(centre(2).as_str())), (3, "centre-no-claim".into()));
    assert_eq!(refused(&confirm(centre(9).as_str())), (3, "centre-unknown".into()));

    let set =
        |field: &str, value: &str| city.run(&["person", "set", &uid, field, value, "--reason", "паспорт"]);
    let told = done(&set("birth_date", "13.03.1945"));
    assert_eq!((&told["changed"], &told["centres"][0]), (&true.into(), &code.as_str().into()));
    let protocol = told["protocol"].as_u64().expect("a number").to_string();
    let decided = done(&city.run(&["protocol", "show", &protocol]));
    assert_eq!((&decided["kind"], &decided["actor"]), (&"decision".into(), &acting().into()));
    let line = &decided["lines"][0];
    assert_eq!(
        (&line["key"], &line["rule"], &line["words"]),
        (&uid.as_str().into(), &"birth_date".into(), &"паспорт".into())
    );
    assert!(!decided.to_string().contains("1945"), "the value is no part of it");
    let told = done(&set("Дата рождения", "1945-03-13"));
    assert_eq!(
        (&told["changed"], &told["protocol"]),
        (&false.into(), &Value::Null),
        "as person show names it"
    );
    let birth = field(&done(&city.run(&["person", "show", case])), "birth_date");
    assert_eq!((&birth["value"], &birth["source"]), (&"1945-03-13".into(), &"hub".into()));
    assert_eq!(
        (&birth["entry"]["actor"], &birth["losing"][0]["value"]),
        (&acting().into(), &"1945-03-12".into())
    );
    assert_eq!(done(&set("birth_date", ""))["changed"], true);
    let birth = field(&done(&city.run(&["person", "show", case])), "birth_date");
    assert_eq!(birth["value"], "1945-03-12");

    let output = set("snils", "112-233-446 97");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("112"), "a value is never repeated");
    assert_eq!(refused(&output), (3, "value-unfit".into()));
    assert_eq!(refused(&set("case_number", "1")), (2, "field-unknown".into()));
    for (field, value, why) in [
        ("email", "не почта", "R06a: Адрес электронной почты"),
        ("phone", "звонить вечером", "R06: Телефон"),
        ("birth_date", "31.02.1950", "R04: Дата рождения"),
        ("birth_date", "2199-01-01", "R04: Дата рождения"),
        ("snils", "11223344697", "A04: Контрольное число"),
        ("snils", "111-111-111 45", "такой номер пишут"),
        ("sex", "да", "нужно"),
    ] {
        let output = set(field, value);
        assert_eq!(refused(&output), (3, "value-unfit".into()), "{field}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(why) && !told.contains(value), "{told}");
    }
    assert_eq!(refused(&city.run(&["person", "show", "Белова"])), (3, "person-unknown".into()));
    let (events, inputs) = city.noted();
    assert_eq!(&events[3..], ["service.confirmed", "person.entry", "person.entry"]);
    assert_eq!(&inputs[2..], ["confirm", "entry", "entry.removed"]);
    assert_eq!(done(&set("disability_until", "31.12.28"))["changed"], true);
    let until = field(&done(&city.run(&["person", "show", case])), "disability_until");
    assert_eq!(until["value"], "2028-12-31", "as the person's other dates");
}

#[test]
fn two_of_whom_nobody_asked_are_joined_by_one_command() {
    let city = City::new();
    city.with_a_question();
    let (one, other) = (city.uid(1), city.uid(2));
    done(&city.run(&["review", "separate", "1", "--reason", "сёстры"]));
    let join =
        |more: &[&str]| city.run(&[&["person", "join", &one, &other, "--reason", "паспорт"], more].concat());
    assert_eq!(refused(&join(&[])), (3, "review-decided".into()));
    let told = done(&join(&["--revise"]));
    assert_eq!((&told["decided"], city.persons(), city.uid(1)), (&1.into(), 1, city.uid(2)));
    assert_eq!(done(&join(&[]))["unchanged"], 1);
    let nobody = ["person", "join", &one, "42-32701000-009999-9", "--reason", "да"];
    assert_eq!(refused(&city.run(&nobody)), (3, "person-unknown".into()));
}

#[test]
fn of_two_who_are_one_by_now_the_value_that_staff_entered_for_the_other_is_shown() {
    let city = City::new();
    city.with_a_question();
    let (one, other) = (city.uid(1), city.uid(2));
    for (uid, phone, reason) in [(&one, "89110001110", "анкета"), (&other, "89110002220", "звонок")]
    {
        done(&city.run(&["person", "set", uid, "phone", phone, "--reason", reason]));
    }
    done(&city.run(&["review", "link", "1", "--reason", "сверено"]));
    let shown = done(&city.run(&["person", "show", &one]));
    let phone = shown["fields"].as_array().expect("fields").iter().find(|field| field["field"] == "phone");
    let phone = phone.expect("entered");
    let losing = phone["losing"].as_array().expect("losing");
    assert_eq!((&phone["entry"]["reason"], losing.len()), (&"анкета".into(), 1), "{phone}");
    assert!(losing[0]["value"].as_str().is_some_and(|value| value.contains("9110002220")), "{phone}");
    assert_eq!(
        (&losing[0]["entry"]["reason"], &losing[0]["entry"]["actor"], &losing[0]["centre"]),
        (&"звонок".into(), &acting().into(), &Value::Null)
    );
}
