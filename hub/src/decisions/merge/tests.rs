//! The engine on small registers whose truth is plain. Longer than 500 lines because every step is shown on the same few
//! rows.

use std::collections::BTreeMap;

use proptest::{prelude::*, sample::select};

use super::{
    Model, Register,
    clusters::{Doubt, Outcome},
    compare::Kind,
    evaluate::evaluate,
    model::{ModelError, STRANGER},
    reading::Reading,
};

/// Surname, given name, patronymic, birth date, СНИЛС, passport, phone, address, sex.
type Row = [&'static str; 9];

fn register(rows: &[(u32, Row)]) -> Register {
    let mut register = Register::new(Model::recipients());
    for (source, row) in rows {
        let reading = Reading::of(&register.model, row);
        register.add(*source, &reading);
    }
    register.close();
    register
}

fn decided(register: &Register) -> Outcome {
    let edges: Vec<_> = register.candidates().pairs.iter().map(|(a, b)| register.edge(*a, *b)).collect();
    // who compares no more than needed sees the same
    for least in [register.model.cut.ask, -20.0, 20.0] {
        for edge in &edges {
            let bits = Some(edge.weight.bits).filter(|bits| *bits >= least);
            assert_eq!(register.edge_from(edge.a, edge.b, least).map(|edge| edge.weight.bits), bits);
        }
    }
    register.decide(edges)
}

/// Strangers, so that frequencies are those of a register.
fn strangers() -> Vec<(u32, Row)> {
    let surnames = [
        "Абрамова",
        "Белова",
        "Волкова",
        "Гусева",
        "Дроздова",
        "Ершова",
        "Жукова",
        "Зуева",
        "Ильина",
        "Котова",
    ];
    let given = ["Анна", "Вера", "Галина", "Елена", "Нина", "Ольга", "Раиса", "Софья", "Тамара", "Юлия"];
    let patronymics = ["Ивановна", "Петровна", "Сергеевна", "Павловна", "Олеговна"];
    let days =
        ["02.03.1938", "14.05.1941", "25.11.1949", "30.06.1952", "07.09.1955", "19.12.1961", "23.04.1964"];
    let row = |n: usize| -> (u32, Row) {
        let (s, g, p, d) = (surnames[n % 10], given[n / 10 % 10], patronymics[n % 5], days[n % 7]);
        (u32::from(n.is_multiple_of(2)), [s, g, p, d, "", "", "", "", "ж"])
    };
    (0..100).map(row).collect()
}

#[test]
fn one_person_typed_in_two_ways_is_one() {
    let mut rows = strangers();
    rows.push((
        0,
        [
            "Соловьёва",
            "Наталья",
            "Юрьевна",
            "12.03.1945",
            "112-233-446 96",
            "3204 128456",
            "8 906 128-45-67",
            "ул. Ленина, д. 30, кв. 5",
            "ж",
        ],
    ));
    rows.push((
        1,
        [
            "СОЛОВЬEBA",
            "Наталия",
            "Юриевна",
            "03.12.1945",
            "11223344696",
            "",
            "+79061284567",
            "Ленина ул., 30/5",
            "Ж",
        ],
    ));
    let outcome = decided(&register(&rows));
    assert_eq!((outcome.auto[100], outcome.auto[101]), (100, 100));
    assert_eq!(outcome.auto.iter().filter(|person| **person == 100).count(), 2);
}

#[test]
fn names_in_each_others_columns_are_found() {
    let mut rows = strangers();
    rows.push((0, ["Соловьёва Наталья Юрьевна", "", "", "12.03.1945", "", "3204 128456", "", "", "ж"]));
    rows.push((1, ["Соловьева", "Юрьевна", "Наталья", "1945-03-12", "", "32 04 128456", "", "", "ж"]));
    let outcome = decided(&register(&rows));
    assert_eq!(outcome.auto[100], outcome.auto[101]);
}

#[test]
fn columns_in_the_order_given_patronymic_surname_are_read() {
    let model = Model::recipients();
    let said = |surname, given, patronymic| -> Vec<String> {
        let row: Row = [surname, given, patronymic, "", "", "", "", "", ""];
        let reading = Reading::of(&model, &row);
        let places = ["surname", "given", "patronymic"];
        places.map(|field| reading.value(model.field(field).expect("a field"), 0).to_owned()).into()
    };
    for (turned, names) in [
        (("Захар", "Карпович", "Ветлужский"), ["ВЕТЛУЖСКИЙ", "ЗАХАР", "КАРПОВИЧ"]),
        (("Мария", "Ивановна", "Клёнова"), ["КЛЕНОВА", "МАРИЯ", "ИВАНОВНА"]),
        (("Захар Карпович Ветлугов", "", ""), ["ВЕТЛУГОВ", "ЗАХАР", "КАРПОВИЧ"]),
        (("Эльзяр", "Карпович", "Ветлугов"), ["ВЕТЛУГОВ", "ЭЛЬЗЯР", "КАРПОВИЧ"]),
        // in their own places, or only two of them in each other's
        (("Ветлугов", "Карпович", "Захар"), ["ВЕТЛУГОВ", "ЗАХАР", "КАРПОВИЧ"]),
        (("Ветлугов", "Захар", "Карпович"), ["ВЕТЛУГОВ", "ЗАХАР", "КАРПОВИЧ"]),
        (("Марк", "Карпович", "Захар"), ["МАРК", "ЗАХАР", "КАРПОВИЧ"]),
        (("Карпович", "Захар", "Ильич"), ["КАРПОВИЧ", "ЗАХАР", "ИЛЬИЧ"]),
        (("Ветлугова", "Карповна", "Эльзова"), ["ВЕТЛУГОВА", "ЭЛЬЗОВА", "КАРПОВНА"]),
        (("Захар", "Карпович", ""), ["ЗАХАР", "", "КАРПОВИЧ"]),
        // patronymics that end otherwise, or are short
        (("Мякишева", "Ильинична", "Вера"), ["МЯКИШЕВА", "ВЕРА", "ИЛЬИНИЧНА"]),
        (("Мякишев", "Ильич", "Кузьма"), ["МЯКИШЕВ", "КУЗЬМА", "ИЛЬИЧ"]),
        // initials without points; two letters may be a name
        (("Порфирьева ВП", "", ""), ["ПОРФИРЬЕВА", "В", "П"]),
        (("Порфирьева АП.", "", ""), ["ПОРФИРЬЕВА", "А", "П"]),
        (("ПОРФИРЬЕВА ВП", "", ""), ["ПОРФИРЬЕВА", "В", "П"]),
        (("Порфирьева", "ВП", ""), ["ПОРФИРЬЕВА", "В", "П"]),
        (("Ким Ян", "", ""), ["КИМ", "ЯН", ""]),
        (("КИМ ЕН", "", ""), ["КИМ", "ЕН", ""]),
        (("Ким ЯН", "", ""), ["КИМ", "ЯН", ""]),
        (("НГ", "Тхи", ""), ["НГ", "ТХИ", ""]),
    ] {
        assert_eq!(said(turned.0, turned.1, turned.2), names, "{turned:?}");
    }
}

#[test]
fn a_name_that_is_none_is_a_slip_for_one_and_another_name_is_not() {
    let level = |one, other| {
        let mut rows = strangers();
        for given in [one, other, other, other] {
            rows.push((0, ["Соловьёва", given, "Юрьевна", "12.03.1945", "", "", "", "", "ж"]));
        }
        let register = register(&rows);
        let at = register.model.field("given").expect("a field");
        register.model.fields[at].kind.levels()[usize::from(register.compare(100, 101)[at]) - 1]
    };
    for (one, other) in [("Зооя", "Зоя"), ("Юия", "Юлия"), ("Ктор", "Виктор")] {
        assert_eq!(level(one, other), "typo", "{one} {other}");
    }
    for (one, other) in [("Мария", "Марина"), ("Кира", "Ира"), ("Лия", "Лидия"), ("Анна", "Яна")]
    {
        assert!(["near", "other"].contains(&level(one, other)), "{one} {other}");
    }
}

#[test]
fn twins_are_two_and_asked_about_if_at_all() {
    let mut rows = strangers();
    let flat = "ул. Мира, д. 7, кв. 12";
    rows.push((0, ["Староверова", "Мария", "Юрьевна", "12.03.2012", "", "", "8 906 128-45-67", flat, "ж"]));
    rows.push((1, ["Староверова", "Марина", "Юрьевна", "12.03.2012", "", "", "8 906 128-45-67", flat, "ж"]));
    let outcome = decided(&register(&rows));
    assert_ne!(outcome.auto[100], outcome.auto[101]);
}

#[test]
fn twins_with_names_that_no_table_may_know_are_asked_about_and_a_slip_is_not() {
    let linked = |one: &'static str, other: &'static str, passports: [&'static str; 2]| {
        let mut rows = strangers();
        for (n, (given, passport)) in (0..).zip([one, other].into_iter().zip(passports)) {
            let flat = "ул. Мира, д. 7, кв. 12";
            rows.push((
                n,
                ["Саттарова", given, "Юрьевна", "03.04.2014", "", passport, "8 906 128-45-67", flat, "ж"],
            ));
        }
        let outcome = decided(&register(&rows));
        outcome.auto[100] == outcome.auto[101]
    };
    let none = ["", ""];
    // of the table, one of it, and none
    for (one, other) in [
        ("Гульнара", "Гульсара"),
        ("Алина", "Айлина"),
        ("Милана", "Дилана"),
        ("Галина", "Ралина"),
        ("Вадим", "Радим"),
        ("Сардана", "Даадана"),
        ("Нюргуна", "Нюргана"),
        ("Хасан", "Хусан"),
        // of one it is known that it is a name, and the other is none that is typed or heard for it
        ("Тамара", "Тавара"),
        ("Шарлотта", "Шурлотта"),
    ] {
        assert!(!linked(one, other, none), "{one} {other}");
    }
    for (one, other) in [
        ("Татьяна", "Таьяна"),
        ("Лариса", "Ларисо"),
        ("Людмила", "Людмлиа"),
        ("Наталья", "Паталья"),
        ("Фарид", "Фарит"),
        ("Тамара", "Тамьра"),
        // two slips for one name
        ("Татяьна", "Таттьяна"),
    ] {
        assert!(linked(one, other, none), "{one} {other}");
    }
    let passport = ["45 11 128456"; 2];
    assert!(linked("Нюргуна", "Нюргана", passport), "of one document");
}

#[test]
fn a_day_on_which_a_crowd_is_born_says_less_than_another() {
    // sixty of three hundred were born on 1 January, as far as anybody knows
    let worth = |crowd: &'static str| {
        let mut rows = strangers();
        rows.extend(strangers());
        rows.extend(strangers().into_iter().take(60).map(|mut row| {
            row.1[3] = crowd;
            row
        }));
        rows.extend([(0, ["Жаркова", "Анна", "Ильинична", "01.01.1949", "", "", "", "", "ж"]); 2]);
        let register = register(&rows);
        let birth = register.model.field("birth").expect("a field");
        register.evidence(260, 261, &register.compare(260, 261), STRANGER)[birth]
    };
    let (ordinary, crowded) = (worth("02.03.1949"), worth("01.01.1949"));
    assert!(ordinary > crowded + 3.0 && crowded > 0.0, "{ordinary} {crowded}");
}

#[test]
fn an_address_without_town_or_flat_is_less_than_the_whole() {
    let worth = |one, other| {
        let mut rows = strangers();
        for (source, address) in [(0, one), (1, other)] {
            rows.push((source, ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "", "", "", address, "ж"]));
        }
        let register = register(&rows);
        let at = register.model.field("address").expect("a field");
        register.evidence(100, 101, &register.compare(100, 101), STRANGER)[at]
    };
    let whole = worth("г. Заречный, ул. Мира, 7-12", "г Заречный, Мира ул, д. 7, кв. 12");
    let no_town = worth("г. Заречный, ул. Мира, 7-12", "ул. Мира, 7-12");
    let no_flat = worth("г. Заречный, ул. Мира, 7", "г. Заречный, ул. Мира, 7-12");
    let no_room = worth("ул. Мира, 7-12", "ул. Мира, 7, кв. 12, комн. 2");
    let other_town = worth("г. Заречный, ул. Мира, 7-12", "с. Ольховка, ул. Мира, 7-12");
    assert!(whole > no_town && no_town > no_flat && no_flat > 0.0, "{whole} {no_town} {no_flat}");
    assert!((no_room - no_flat).abs() < 0.1 && other_town < 0.0, "{no_room} {other_town}");
}

#[test]
fn the_dead_are_nobody_who_applied_later() {
    let model = Model::recipients();
    let row =
        ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "112-233-446 96", "", "8 906 128-45-67", "", "ж"];
    let made = |applied: &'static str| {
        let mut register = register(&strangers());
        for (column, day) in [("death_date", "01.02.2020"), ("reg_date", applied), ("phone", "")] {
            let said = |asked: &str| (asked == column).then_some(day);
            register.add(0, &Reading::of(&model, &row).living(&model, said));
        }
        register.close();
        register
    };
    let one_of = |outcome: &[u32]| (outcome[100] == outcome[101], outcome[100] == outcome[102]);
    let (register, before) = (made("02.02.2020"), made("01.02.2020"));
    let outcome = decided(&register);
    // the third is like both, and cannot be the bridge between them
    assert!(outcome.one[100] != outcome.one[101] && outcome.auto[100] != outcome.auto[101]);
    assert!(!outcome.doubts.iter().any(|doubt| (doubt.a, doubt.b) == (100, 101)));
    assert!(register.explain(100, 101).dead_before && register.explain(100, 101).bits > 7.0);
    assert_eq!(one_of(&decided(&before).auto), (true, true));
}

#[test]
fn father_and_son_of_one_name_are_two() {
    let mut rows = strangers();
    let flat = "ул. Мира, д. 7, кв. 12";
    rows.push((0, ["Староверов", "Иван", "Иванович", "12.03.1962", "", "", "", flat, "м"]));
    rows.push((1, ["Староверов", "Иван", "Иванович", "25.07.1990", "", "", "", flat, "м"]));
    let outcome = decided(&register(&rows));
    assert_ne!(outcome.one[100], outcome.one[101]);
}

/// Two records of one phone, flat and name, with these birth dates.
fn born(one: &'static str, other: &'static str) -> Register {
    let mut rows = strangers();
    for (source, day) in [(0, one), (1, other)] {
        let flat = "ул. Мира, д. 7, кв. 12";
        rows.push((source, ["Соловьёва", "Наталья", "Юрьевна", day, "", "", "8 906 128-45-67", flat, "ж"]));
    }
    register(&rows)
}

#[test]
fn of_an_incomplete_date_what_both_say_is_compared_and_weighed() {
    let said = |one, other| {
        let register = born(one, other);
        let birth = register.model.field("birth").expect("a field");
        let said = register.explain(100, 101).said;
        said.into_iter().find(|said| said.field == birth).map(|said| (said.level, said.bits))
    };
    for (one, other, level) in [
        ("1945", "12.03.1945", "year_known"),
        ("00.00.1945", "1945 г.", "year_known"),
        ("03.1945", "1945", "year_known"),
        ("03.1945", "01.01.1945", "year_known"),
        (".03.1945", "12.03.1945", "month_known"),
        ("март 1945", "1945-03", "month_known"),
        ("04.1945", "12.03.1945", "part_other"),
        ("1946", "12.03.1945", "part_other"),
        ("1971", "12.03.1945", "part_generation"),
    ] {
        assert_eq!(said(one, other).map(|(level, _)| level), Some(level), "{one} {other}");
        assert_eq!(said(one, other), said(other, one), "{one} {other}");
    }
    let bits = |one| {
        let register = born(one, "12.03.1945");
        let birth = register.model.field("birth").expect("a field");
        register.evidence(100, 101, &register.compare(100, 101), STRANGER)[birth]
    };
    let [whole, month, year] = ["12.03.1945", "03.1945", "1945"].map(bits);
    assert!(whole > month + 1.0 && month > year + 1.0 && year > 0.0, "{whole} {month} {year}");
    assert!(bits("1946") < -1.0 && bits("1971") < bits("1946") - 3.0);
    assert_eq!(said("нет", "12.03.1945"), None);
}

#[test]
fn another_sex_with_the_same_date_is_never_linked_unasked() {
    let (number, phone, flat) = ("112-233-446 96", "8 906 128-45-67", "ул. Мира, 7-12");
    // the third says no sex: nothing contradicts
    for (surname, sex, barred) in
        [("Шевченко", "ж", Some("OTHER_SEX")), ("Бондаренко", "ж", Some("OTHER_SEX")), ("Шевченко", "", None)]
    {
        let mut rows = strangers();
        rows.push((0, ["Шевченко", "Саша", "", "12.03.2012", number, "3204 128456", phone, flat, "м"]));
        rows.push((1, [surname, "Саша", "", "12.03.2012", number, "3204 128456", phone, flat, sex]));
        let register = register(&rows);
        assert_eq!(register.explain(100, 101).barred.map(|why| why.code()), barred, "{surname} {sex}");
        let outcome = decided(&register);
        assert_eq!(outcome.auto[100] == outcome.auto[101], barred.is_none(), "{surname} {sex}");
        let asked = outcome.doubts.iter().find(|doubt| (doubt.a, doubt.b) == (100, 101));
        assert_eq!(asked.map(|doubt| doubt.reason.code()), barred, "{surname} {sex}");
    }
}

#[test]
fn what_was_read_of_a_value_is_told() {
    let mut rows = strangers();
    let typed = [
        "Мaмин - Сибиряк",
        "Пётр",
        "Юриевич",
        ".03.1945",
        "112-233-446 97",
        "32 04 № 128456",
        "8 906 1284567",
    ];
    let row = [
        typed[0],
        typed[1],
        typed[2],
        typed[3],
        typed[4],
        typed[5],
        typed[6],
        "г. Кемерово, ул. Мира, дом 7 кв 12",
        "муж",
    ];
    rows.extend([(0, row), (1, row)]);
    let register = register(&rows);
    let said = register.explain(100, 101).said;
    let read = |name: &str| {
        let of = said.iter().find(|said| register.model.fields[said.field].name == name);
        of.map(|said| said.read[0].clone()).expect("both say it")
    };
    let names =
        ["surname", "given", "patronymic", "birth", "snils", "passport", "phone", "sex", "source"].map(read);
    assert_eq!(
        names,
        ["МАМИН СИБИРЯК", "ПЕТР", "ЮРЬЕВИЧ", "1945-03", "11223344697", "3204128456", "79061284567", "М", ""]
    );
    let address = read("address");
    assert!(["КЕМЕРОВО", "МИРА", "7", "12"].iter().all(|part| address.contains(part)), "{address}");
    assert!(!format!("{said:?}").contains("ПЕТР"));
}

#[test]
fn an_incomplete_date_links_finds_and_holds_back() {
    let one_of = |register: &Register| {
        let outcome = decided(register);
        let asked = outcome.doubts.iter().any(|doubt| (doubt.a, doubt.b) == (100, 101));
        (outcome.auto[100] == outcome.auto[101], asked)
    };
    assert_eq!(one_of(&born("1945", "12.03.1945")), (true, false));
    let apart = born("1971", "12.03.1945");
    assert!(!one_of(&apart).0, "a generation apart is never linked unasked");
    assert_eq!(apart.explain(100, 101).barred.map(|why| why.code()), Some("GENERATION"));
    // by names and year alone they are compared, by another year they are not
    let compared = |day| {
        let mut rows = strangers();
        rows.push((0, ["Соловьёва", "Наталья", "", "12.03.1945", "", "", "", "", "ж"]));
        rows.push((1, ["Соловьёва", "Наталья", "", day, "", "", "", "", "ж"]));
        register(&rows).candidates().pairs.contains(&(100, 101))
    };
    assert_eq!(["1945", "03.1945", "1946"].map(compared), [true, true, false]);
    // given names that differ are asked about if the year is the same, as with whole dates
    let mut rows = strangers();
    for (source, given, day) in [(0, "Мария", "2012"), (1, "Марина", "12.03.2012")] {
        rows.push((source, ["Староверова", given, "Юрьевна", day, "", "", "", "ул. Мира, 7-12", "ж"]));
    }
    assert_eq!(register(&rows).explain(100, 101).barred.map(|why| why.code()), Some("TWINS"));
}

#[test]
fn a_snils_is_read_as_a_spreadsheet_leaves_it_and_what_everybody_types_is_none() {
    let model = Model::recipients();
    let at = model.field("snils").expect("a field");
    let said = |typed| {
        let row: Row = ["Соловьёва", "", "", "", typed, "", "", "", ""];
        Reading::of(&model, &row).value(at, 0).to_owned()
    };
    for typed in
        ["087-654-303 00", "8765430300", "08765430300.0", "8765430300,00", "О87-654-ЗО3 00", "087.654.303.00"]
    {
        assert_eq!(said(typed), "08765430300", "{typed}");
    }
    assert_eq!((&*said("8765430301"), &*said("876543030")), ("", ""), "of another length, and wrong as that");
    assert_eq!(said("087-654-303 01"), "08765430301!");
    for none in ["111-111-111 45", "123-456-789 64", "112-233-445 95", "000-000-000 00", "нет", "ожидает 0"]
    {
        assert_eq!(said(none), "", "{none}");
    }
}

#[test]
fn a_model_without_levels_for_incomplete_dates_takes_them_for_none() {
    let levels = ["month_known", "year_known", "part_other", "part_generation"];
    let without = |skipped: &[&str]| {
        let is_skipped = |line: &&str| !skipped.iter().any(|level| line.starts_with(level));
        Model::RECIPIENTS.lines().filter(is_skipped).collect::<Vec<_>>().join("\n")
    };
    let model = Model::parse(&without(&levels)).expect("sound, as files were before");
    let birth = model.field("birth").expect("a field");
    assert_eq!(Model::parse(&model.to_text()).expect("sound").fields[birth].levels().count(), 8);
    let row = |day| ["Соловьёва", "Наталья", "", day, "", "", "", "", "ж"];
    let understood = |model: &Model, day| Reading::of(model, &row(day)).understood(birth).0;
    assert_eq!(["1945", "12.03.1945"].map(|day| understood(&model, day)), [false, true]);
    assert!(understood(&Model::recipients(), "1945"));
    // some of them are none
    assert!(matches!(Model::parse(&without(&levels[..1])), Err(ModelError::Unfit { .. })));
}

#[test]
fn a_death_of_which_the_year_is_known_parts_who_applied_in_a_later_one() {
    let model = Model::recipients();
    let row = ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "", "", "", "", "ж"];
    let is_before = |died: &'static str, applied: &'static str| {
        let mut register = Register::new(Model::recipients());
        for (column, day) in [("death_date", died), ("reg_date", applied)] {
            let said = |asked: &str| (asked == column).then_some(day);
            register.add(0, &Reading::of(&model, &row).living(&model, said));
        }
        register.is_dead_before(0, 1)
    };
    assert!(is_before("2019", "01.01.2020") && is_before("2019", "2020") && is_before("03.2020", "04.2020"));
    assert!(!is_before("2020", "31.12.2020") && !is_before("2020", "2020") && !is_before("03.2020", "2020"));
}

#[test]
fn of_fifty_namesakes_none_is_another_and_staff_are_not_swamped() {
    // the most frequent names of all, with dates and flats of their own; twice as many records, each person at two centres
    let days: Vec<String> =
        (0..50).map(|n| format!("{:02}.{:02}.19{}", n % 28 + 1, n % 12 + 1, 30 + n % 40)).collect();
    let flats: Vec<String> =
        (0..50).map(|n| format!("ул. Мира, д. {}, кв. {}", n % 9 + 1, n * 3 + 1)).collect();
    let mut made = Register::new(Model::recipients());
    for source in 0..2 {
        for (day, flat) in days.iter().zip(&flats) {
            let row = ["Иванова", "Мария", "Ивановна", day, "", "", "", flat, "ж"];
            made.add(source, &Reading::of(&made.model, &row));
        }
    }
    made.close();
    let outcome = decided(&made);
    for (n, person) in (0..100).zip(&outcome.auto) {
        assert_eq!(person % 50, n % 50, "a namesake is linked unasked");
    }
    assert!(outcome.doubts.len() <= 50, "{}", outcome.doubts.len());
}

#[test]
fn fifty_rows_that_nothing_tells_apart_are_asked_about_once_each() {
    let row = ["Тестова", "Тестина", "Тестовна", "01.02.1950", "", "3204 128456", "8 906 128-45-67", "", "ж"];
    let mut rows = strangers();
    rows.extend((0..50).map(|n| (n % 2, row)));
    let outcome = decided(&register(&rows));
    assert_eq!(outcome.auto[100..], (100..150).collect::<Vec<_>>());
    let asked: Vec<_> = outcome.doubts.iter().filter(|doubt| doubt.a >= 100).collect();
    assert!((25..50).contains(&asked.len()), "{}", asked.len());
    // so many of one day and name may be strangers
    assert!(asked.iter().all(|doubt| ["OVERSIZE", "NAMESAKES"].contains(&doubt.reason.code())));
    // a person of twelve records is one
    let mut rows = strangers();
    rows.extend((0..12).map(|n| (n % 6, row)));
    assert_eq!(decided(&register(&rows)).auto[100..], [100; 12]);
}

#[test]
fn different_numbers_with_other_names_are_never_linked_unasked() {
    let mut rows = strangers();
    rows.push((
        0,
        [
            "Соловьёва",
            "Наталья",
            "Юрьевна",
            "12.03.1945",
            "112-233-446 96",
            "3204 128456",
            "8 906 128-45-67",
            "",
            "ж",
        ],
    ));
    rows.push((
        1,
        [
            "Сковородникова",
            "Наталья",
            "Юрьевна",
            "12.03.1945",
            "087-654-303 00",
            "3204 128456",
            "8 906 128-45-67",
            "",
            "ж",
        ],
    ));
    let outcome = decided(&register(&rows));
    assert_ne!(outcome.auto[100], outcome.auto[101]);
    assert!(
        outcome
            .doubts
            .iter()
            .any(|doubt| (doubt.a, doubt.b) == (100, 101) && doubt.reason.code() == "OTHER_SNILS")
    );
}

#[test]
fn the_order_of_records_changes_no_person() {
    let mut rows = strangers();
    rows.push((
        0,
        ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "", "3204 128456", "", "ул. Мира, 7-12", "ж"],
    ));
    rows.push((1, ["Соловьева", "Наталья", "", "12.03.1945", "", "", "", "ул. Мира, д. 7, кв. 12", "ж"]));
    rows.push((2, ["Кузнецова", "Наталья", "Юрьевна", "12.03.1945", "", "3204 128456", "", "", "ж"]));
    let forwards = decided(&register(&rows)).one;
    rows.reverse();
    let mut backwards = decided(&register(&rows)).one;
    backwards.reverse();
    let figures = evaluate(&forwards, &backwards);
    assert_eq!((figures.fp, figures.r#fn), (0, 0));
    assert!(forwards[100] == forwards[101] && forwards[101] == forwards[102]);
}

/// Rows of a crowded house, among whom many are as like to one as to another.
fn crowd() -> impl Strategy<Value = Vec<(u32, Row)>> {
    let row = (
        0..2_u32,
        select(vec!["Мария", "Марина", "Роман", "М.", ""]),
        select(vec!["Юрьевна", "Ю.", ""]),
        select(vec!["12.03.1945", "1945", "12.03.1969", "21.03.1945", ""]),
        select(vec!["", "112-233-446 96", "445-566-778 50"]),
        select(vec!["8 906 128-45-67", ""]),
        select(vec!["ул. Мира, д. 7, кв. 12", ""]),
    );
    let row = row.prop_map(|(source, given, patronymic, born, snils, phone, address)| {
        (source, ["Соловьёва", given, patronymic, born, snils, "", phone, address, ""])
    });
    proptest::collection::vec(row, 3..9)
}

/// Persons, each by what its records say, in order.
fn as_said(rows: &[(u32, Row)], persons: &[u32]) -> Vec<Vec<(u32, Row)>> {
    let mut said: BTreeMap<u32, Vec<(u32, Row)>> = BTreeMap::new();
    for (row, person) in rows.iter().zip(persons) {
        said.entry(*person).or_default().push(*row);
    }
    let mut said: Vec<_> = said.into_values().collect();
    for rows in &mut said {
        rows.sort_unstable();
    }
    said.sort_unstable();
    said
}

proptest! {
    #[test]
    fn of_two_who_are_as_like_what_they_say_decides_and_not_their_place(
        rows in crowd(),
        keys in proptest::collection::vec(any::<u32>(), 8),
    ) {
        let mut shuffled: Vec<_> = rows.iter().copied().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let shuffled = shuffled.into_iter().map(|(row, _)| row);
        let [one, other] = [strangers().into_iter().chain(rows.clone()).collect::<Vec<_>>(), shuffled.chain(strangers()).collect()];
        let [of_one, of_other] = [&one, &other].map(|rows| register(rows)).map(|register| decided(&register));
        prop_assert_eq!(as_said(&one, &of_one.one), as_said(&other, &of_other.one));
        prop_assert_eq!(as_said(&one, &of_one.auto), as_said(&other, &of_other.auto));
        let asked = |rows: &[(u32, Row)], outcome: &Outcome| {
            let two = |doubt: &Doubt| {
                let mut two = [rows[doubt.a as usize], rows[doubt.b as usize]];
                two.sort_unstable();
                two
            };
            outcome.doubts.iter().map(two).collect::<Vec<_>>()
        };
        prop_assert_eq!(asked(&one, &of_one), asked(&other, &of_other));
    }
}

#[test]
fn figures_are_those_of_the_definitions() {
    // truth: {0 1 2} {3 4} {5}; told: {0 1} {2 3} {4} {5}
    let figures = evaluate(&[0, 0, 1, 1, 2, 3], &[0, 0, 0, 1, 1, 2]);
    assert_eq!((figures.tp, figures.fp, figures.r#fn), (1, 1, 3));
    assert_eq!((figures.pairwise_p, figures.pairwise_r), (0.5, 0.25));
    assert_eq!((figures.b3_p, figures.b3_r), (0.83333, 0.61111));
    assert_eq!((figures.cluster_f1, figures.records_in_mixed_clusters), (0.28571, 2));
}

#[test]
fn an_unfit_model_is_told_where() {
    let text = include_str!("../../../data/merge/recipients.toml");
    let mut crowded = Model::recipients();
    let group = |n: u32| {
        let letters =
            (0..4).map(|at| char::from_u32(u32::from('А') + (n >> (4 * at) & 15)).expect("a letter"));
        let name: String = letters.collect();
        vec![name.clone() + "Я", name]
    };
    crowded.variants = (0..40_000).map(group).collect();
    let told = Model::parse(&crowded.to_text()).map(|_| ());
    assert!(matches!(told, Err(ModelError::Unfit { problem: "groups", .. })), "{told:?}");
    for (from, to, place) in [
        ("kind = \"sex\"", "kind = \"code\"", "sex"),
        ("\"phone birth\"", "\"fax birth\"", "fax"),
        ("\"phone birth\"", "\"phone birth:decade\"", "birth:decade"),
        ("one = 2.0", "one = -9.0", "cut"),
        ("name = \"passport\"", "name = \"phone\"", "phone"),
        ("auto = 7.0", "auto = inf", "cut"),
        ("block = 60", "block = 0", "search"),
        ("name = \"recipients", "name = \"\" # ", "name"),
        ("[pairs]", "variants = [[\"Айгуль\", \"айгуль\"]]\n[pairs]", "variants"),
    ] {
        assert!(text.contains(from), "{from}");
        match Model::parse(&text.replacen(from, to, 1)) {
            Err(ModelError::Unfit { place: found, .. }) => assert_eq!(found, place),
            other => panic!("{to}: {other:?}"),
        }
    }
    assert!(matches!(Model::parse(&text.replacen("format = 1", "format = 2", 1)), Err(ModelError::Newer(2))));
    assert!(matches!(Model::parse("format = "), Err(ModelError::Form(_))));
}

#[test]
fn a_maiden_name_or_a_variant_is_linked_or_asked_about() {
    let phone = "8 906 128-45-67";
    for (other, given) in [("Соловьёва", "Наталия"), ("Кузнецова", "Наталия"), ("Кузнецова", "Наталья")]
    {
        let mut rows = strangers();
        rows.push((0, ["Соловьёва", "Наталья", "Юрьевна", "12.03.1945", "", "", phone, "", "ж"]));
        rows.push((1, [other, given, "Юрьевна", "12.03.1945", "", "", phone, "", "ж"]));
        let outcome = decided(&register(&rows));
        let asked = outcome.doubts.iter().any(|doubt| (doubt.a, doubt.b) == (100, 101));
        assert!(asked || outcome.auto[100] == outcome.auto[101], "{other} {given}");
    }
}

#[test]
fn a_model_reads_as_it_was_written() {
    let shipped = Model::recipients();
    let mut with_names = shipped.clone();
    with_names.variants = ["Айгуль Гуля", "Рамиль \"Рома\" Рамилька"]
        .map(|group| group.split(' ').map(str::to_owned).collect())
        .to_vec();
    for model in [shipped, with_names] {
        let again = Model::parse(&model.to_text()).expect("sound");
        assert_eq!(format!("{again:?}"), format!("{model:?}"));
    }
}

#[test]
fn a_region_s_model_adds_given_names_that_are_one_and_takes_none_away() {
    let level = |variants: &[[&str; 2]], one, other| {
        let mut model = Model::recipients();
        model.variants = variants.iter().map(|group| group.map(str::to_owned).to_vec()).collect();
        let mut register = Register::new(Model::parse(&model.to_text()).expect("sound"));
        for (source, row) in strangers() {
            let reading = Reading::of(&register.model, &row);
            register.add(source, &reading);
        }
        for given in [one, other] {
            let row = ["Соловьёва", given, "Юрьевна", "12.03.1945", "", "", "", "", "ж"];
            let reading = Reading::of(&register.model, &row);
            register.add(0, &reading);
        }
        register.close();
        let at = register.model.field("given").expect("a field");
        Kind::Given.levels()[usize::from(register.compare(100, 101)[at]) - 1]
    };
    let own = [["Сөембикә", "Соня"], ["Айгүль", "гуля"]];
    assert_eq!(level(&[], "Айгүль", "Гуля"), "other");
    assert_eq!(level(&own, "АЙГҮЛЬ", "Гуля"), "variant");
    assert_eq!(level(&own, "Сөембикә", "Гуля"), "other");
    for variants in [&[][..], &own] {
        assert_eq!(level(variants, "Наталья", "Наташа"), "variant");
    }
}

#[test]
fn twins_of_names_of_one_origin_are_asked_about_and_everyday_forms_are_not() {
    let flat = "г. Кемерово, ул. Мира, д. 7, кв. 12";
    let linked = |one: &'static str, other: &'static str, sex: &'static str| {
        let mut rows = strangers();
        for (source, given) in [(0, one), (1, other)] {
            let row = ["Двойников", given, "Ильич", "03.04.2004", "", "", "8 906 128-45-67", flat, sex];
            rows.push((source, row));
        }
        let outcome = decided(&register(&rows));
        let asked = outcome.doubts.iter().any(|doubt| (doubt.a, doubt.b) == (100, 101));
        assert_ne!(outcome.auto[100] == outcome.auto[101], asked, "{one} {other}");
        outcome.auto[100] == outcome.auto[101]
    };
    for [one, other] in [["Егор", "Юрий"], ["Георгий", "Егор"], ["Даниил", "Даниэль"]]
    {
        assert!(!linked(one, other, "м"), "{one} {other}");
    }
    assert!(!linked("Ирина", "Арина", "ж") && !linked("Елена", "Алёна", "ж"));
    for [one, other] in [["Юрий", "Юра"], ["Виктор", "Витя"], ["Вячеслав", "Слава"], ["Даниил", "Данила"]]
    {
        assert!(linked(one, other, "м"), "{one} {other}");
    }
}

#[test]
fn initials_stand_for_names_with_a_blank_between_them_or_without_before_the_surname_or_after() {
    let flat = "г. Кемерово, ул. Мира, д. 7, кв. 12";
    for typed in [
        ["Порфирьева В.П.", "", ""],
        ["Порфирьева В. П.", "", ""],
        ["В.П. Порфирьева", "", ""],
        ["Порфирьева", "В.П.", ""],
        ["Порфирьева", "В.", "П."],
    ] {
        let mut rows = strangers();
        for (source, [surname, given, patronymic]) in [(0, ["Порфирьева", "Варвара", "Петровна"]), (1, typed)]
        {
            let row = [surname, given, patronymic, "03.04.1950", "", "", "8 906 128-45-67", flat, "ж"];
            rows.push((source, row));
        }
        let outcome = decided(&register(&rows));
        assert_eq!(outcome.auto[100], outcome.auto[101], "{typed:?}");
    }
}

#[test]
fn husband_and_wife_of_a_list_with_initials_are_two() {
    let flat = "г. Кемерово, ул. Мира, д. 7, кв. 12";
    let linked = |rows: [[&'static str; 2]; 2]| {
        let mut all = strangers();
        all.extend((0..).zip(rows).map(|(source, [surname, sex])| {
            (source, [surname, "А.", "И.", "1948", "", "", "8 906 128-45-67", flat, sex])
        }));
        let outcome = decided(&register(&all));
        outcome.auto[100] == outcome.auto[101]
    };
    assert!(!linked([["Батуев", ""], ["Батуева", ""]]));
    assert!(!linked([["Батуев", "м"], ["Батуева", ""]]));
    assert!(!linked([["Высоцкий", ""], ["Высоцкая", ""]]));
    assert!(linked([["Батуева", ""], ["Батуева", ""]]));
    // what is typed says more than how the surname ends
    assert!(linked([["Калина", "м"], ["Калина", "м"]]));
}

#[test]
fn a_trained_model_learns_how_well_names_are_typed_and_keeps_what_it_saw_nothing_of() {
    let mut rows = strangers();
    let days = [
        "01.02.1940",
        "17.05.1951",
        "23.08.1936",
        "04.06.1940",
        "20.09.1951",
        "26.12.1936",
        "07.10.1940",
        "11.01.1951",
        "29.04.1936",
    ];
    for n in 0..60 {
        let day = days[n % 9];
        let phone = ["8 906 118-22-35", "8 906 444-57-66", "8 906 773-88-91"][n % 3];
        let given = ["Пелагея", "Аграфена", "Евдокия"][n / 3 % 3];
        rows.push((u32::from(n < 30), ["Соловьёва", given, "Юрьевна", day, "", "", phone, "", "ж"]));
    }
    let mut register = register(&rows);
    let pairs = register.candidates().pairs;
    let (before, trained) = (register.model.clone(), register.train(&pairs));
    assert!(trained.rounds > 1 && trained.same > 100.0, "{} {}", trained.rounds, trained.same);
    let same = |model: &Model, field: &str, level: &str| {
        model.fields[model.field(field).expect("a field")].level[level].same
    };
    assert!(same(&trained.model, "surname", "exact") > same(&before, "surname", "exact"));
    assert!((same(&trained.model, "snils", "exact") - same(&before, "snils", "exact")).abs() < 1e-3);
    Model::parse(&trained.model.to_text()).expect("sound");
}

#[test]
fn a_generation_apart_is_asked_about_whatever_day_is_typed() {
    let two = |day: &'static str, other: &'static str, snils: &'static str| {
        let mut rows = strangers();
        for (source, day) in [day, other].into_iter().enumerate() {
            let row =
                ["Чащин", "Иван", "Иванович", day, snils, "", "", "г. Кемерово, ул. Мира, д. 7, кв. 12", "м"];
            rows.push((u32::try_from(source).expect("few"), row));
        }
        let outcome = decided(&register(&rows));
        (outcome.auto[100] == outcome.auto[101], outcome.doubts.iter().any(|doubt| doubt.a == 100))
    };
    assert!(!two("01.01.1940", "01.01.1970", "").0, "1 January is typed where nobody knows the day");
    assert_eq!(two("05.06.1940", "05.06.1970", ""), (false, true));
    assert!(!two("05.06.1940", "11.02.1966", "112-233-446 96").0, "a child bears its parent's number");
    assert_eq!(
        two("05.06.1940", "05.06.1970", "112-233-446 96"),
        (false, true),
        "also by one digit of the year"
    );
    assert_eq!(two("05.06.1940", "05.06.1941", ""), (true, false));
}

#[test]
fn years_alone_that_are_more_than_a_slip_apart_are_asked_about() {
    let auto = |day: &'static str, other: &'static str| {
        let of = |day| -> Row {
            let flat = "г. Кемерово, ул. Мира, д. 7, кв. 12";
            ["Чащин", "Иван", "Иванович", day, "", "3204 128456", "8 906 128-45-67", flat, "м"]
        };
        let mut rows = strangers();
        rows.extend([(0, of(day)), (1, of(other))]);
        let outcome = decided(&register(&rows));
        let asked = outcome.doubts.iter().find(|doubt| doubt.a == 100).map(|doubt| doubt.reason.code());
        (outcome.auto[100] == outcome.auto[101], asked)
    };
    for (day, other) in [("1950", "1951"), ("1950", "1960"), ("02.1950", "05.1950")] {
        assert_eq!(auto(day, other), (true, None), "{day} {other}");
    }
    for (day, other) in [("1950", "1963"), ("02.1950", "11.1962"), ("1950", "01.05.1963"), ("1950", "1952")] {
        assert_eq!(auto(day, other), (false, Some("RELATIVES")), "{day} {other}");
    }
}

#[test]
fn a_number_that_a_crowd_bears_says_nothing() {
    let stand_in = ["112-233-446 96", "3204 128456"];
    let of = |bearers: usize| {
        let mut rows = strangers();
        for (_, row) in rows.iter_mut().take(bearers) {
            row[4] = stand_in[0];
            row[5] = stand_in[1];
        }
        rows.push((0, ["Сычина", "Ольга", "Ивановна", "05.04.1950", stand_in[0], stand_in[1], "", "", "ж"]));
        rows.push((1, ["Мордовцева", "Ольга", "Ивановна", "", stand_in[0], stand_in[1], "", "", "ж"]));
        rows.push((0, ["Лагунова", "Инна", "Львовна", "07.08.1944", stand_in[0], "", "", "", "ж"]));
        rows.push((1, ["Лагунова", "Инна", "Львовна", "07.08.1944", "160-722-394 98", "", "", "", "ж"]));
        let made = register(&rows);
        let levels = made.explain(100, 101).said.iter().map(|said| said.field).collect::<Vec<_>>();
        let outcome = decided(&made);
        (levels, [outcome.auto[100] == outcome.auto[101], outcome.auto[102] == outcome.auto[103]])
    };
    let (few, many) = (of(2), of(40));
    assert!(few.1[0] && few.0.len() > many.0.len(), "a number of few tells who it is");
    assert_eq!(many.1, [false, true], "that of a crowd neither links nor keeps apart");
}

#[test]
fn who_comes_later_is_compared_by_what_was_counted_before_anything_else_is_looked_up() {
    let stand_in = ["112-233-446 96", "3204 128456"];
    let mut rows = strangers();
    for (_, row) in rows.iter_mut().take(40) {
        row[4] = stand_in[0];
        row[5] = stand_in[1];
    }
    rows.push((0, ["Сычина", "Ольга", "Ивановна", "05.04.1950", stand_in[0], stand_in[1], "", "", "ж"]));
    rows.push((1, ["Сычина", "Олга", "Ивановна", "", stand_in[0], stand_in[1], "", "", "ж"]));
    let whole = register(&rows);
    let counts = whole.counts();
    let mut later = Register::new(Model::recipients());
    for (source, row) in &rows[100..] {
        let reading = Reading::of(&later.model, row);
        later.add(*source, &reading);
    }
    let Ok(()) =
        later.open_by(|key| Ok::<_, std::convert::Infallible>(counts.get(&key).copied().unwrap_or(0)));
    assert_eq!(later.compare_from(0, 1, f64::MIN), whole.compare_from(100, 101, f64::MIN));
}

#[test]
fn of_rows_that_say_little_each_is_asked_about_once() {
    let mut rows = strangers();
    rows.extend((0..40).map(|n| (n % 6, ["Тестов", "Тест", "Тестович", "01.01.2000", "", "", "", "", ""])));
    let outcome = decided(&register(&rows));
    let asked = outcome.doubts.iter().filter(|doubt| doubt.a >= 100).count();
    assert!((20..=40).contains(&asked), "{asked}");
}

#[test]
fn who_is_as_like_to_two_is_linked_with_neither() {
    let flat = "г. Кемерово, ул. Мира, д. 7, кв. 12";
    let household = |three: [[&'static str; 4]; 3], sex: &'static str| {
        let mut rows = strangers();
        rows.extend((0..).zip(three).map(|(source, [surname, given, patronymic, day])| {
            (source, [surname, given, patronymic, day, "", "", "8 906 128-45-67", flat, sex])
        }));
        decided(&register(&rows))
    };
    let twins = [
        ["Двойникова", "Анна", "Петровна", "03.04.1950"],
        ["Двойникова", "Алла", "Петровна", "03.04.1950"],
        ["Двойникова", "А.", "Петровна", "03.04.1950"],
    ];
    let family = [
        ["Чащин", "Иван", "Иванович", "05.06.1940"],
        ["Чащин", "Иван", "Иванович", "11.02.1968"],
        ["Чащин", "Иван", "Иванович", ""],
    ];
    for (three, sex) in [(twins, "ж"), (family, "м")] {
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
            let outcome = household(order.map(|at| three[at]), sex);
            assert_eq!(outcome.auto[100..], [100, 101, 102], "{}", three[0][0]);
            let third =
                100 + u32::try_from(order.iter().position(|at| *at == 2).expect("there")).expect("few");
            let about = outcome.doubts.iter().filter(|doubt| doubt.a == third || doubt.b == third);
            let others =
                outcome.doubts.iter().filter(|doubt| doubt.a >= 100 && doubt.b != third && doubt.a != third);
            // if staff are asked whether the two are one, the questions about the third wait
            assert_eq!((about.count(), others.count()), if sex == "ж" { (0, 1) } else { (2, 0) });
        }
    }
    // a trifle more speaks for one of them: the centre that has both, another telephone, one known twice
    let trifles = |three: [[&'static str; 4]; 3], sex: &'static str| {
        let of = |source, at: usize, phone| -> (u32, Row) {
            let [surname, given, patronymic, day] = three[at];
            (source, [surname, given, patronymic, day, "", "", phone, flat, sex])
        };
        let phone = "8 906 128-45-67";
        let centre = vec![of(0, 0, phone), of(1, 1, phone), of(0, 2, phone)];
        let other_centre = vec![of(0, 0, phone), of(1, 1, phone), of(1, 2, phone)];
        let other_phone = vec![of(0, 0, phone), of(1, 1, "8 906 765-43-12"), of(2, 2, phone)];
        let twice = vec![of(0, 0, phone), of(1, 0, phone), of(2, 1, phone), of(2, 2, phone)];
        [centre, other_centre, other_phone, twice]
    };
    for (three, sex) in [(twins, "ж"), (family, "м")] {
        for mut household in trifles(three, sex) {
            let third = 100 + u32::try_from(household.len()).expect("few") - 1;
            let mut rows = strangers();
            rows.append(&mut household);
            let outcome = decided(&register(&rows));
            assert!(
                outcome.auto[100..].iter().filter(|of| **of == outcome.auto[third as usize]).count() == 1
            );
            assert!(outcome.doubts.iter().any(|doubt| doubt.a == third || doubt.b == third));
            assert!(outcome.doubts.iter().filter(|doubt| doubt.a >= 100).count() >= 2, "about all three");
        }
    }
    // who is no link to one for want of so much as an initial, or by an everyday form of both names, may be her yet
    for [one, other, third] in [["Анна", "Алла", ""], ["Александра", "Альбина", "Аля"]]
    {
        for source in [0, 1] {
            let mut rows = strangers();
            rows.extend([(0, one), (1, other), (source, third)].map(|(source, given)| -> (u32, Row) {
                let phone = "8 906 128-45-67";
                (source, ["Двойникова", given, "Петровна", "03.04.1950", "", "", phone, flat, "ж"])
            }));
            let outcome = decided(&register(&rows));
            assert_eq!(outcome.auto[100..], [100, 101, 102], "{third}, {source}");
            assert!(outcome.doubts.iter().any(|doubt| doubt.b == 102));
        }
    }
    // nearer to one of them it is hers
    let nearer = [twins[0], twins[1], ["Двойникова", "Ан.", "Петровна", "03.04.1950"]];
    let outcome = household(nearer, "ж");
    assert_ne!(outcome.auto[102], outcome.auto[101]);
}
