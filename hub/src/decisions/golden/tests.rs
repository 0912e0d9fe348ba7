//! Which value stands; of [`facts`] of several parts, which parts.

mod facts;

use exchange_format::rules;
use jiff::civil::date;

use super::*;
use crate::decisions::case_number::CaseNumbering;

type Stated = (&'static str, &'static str);

const TODAY: Date = date(2026, 11, 23);

fn claim(unit: u16, key: u8, fields: &[(&str, &str)]) -> Claim {
    let mut body = Body::new(Kind::RecipientClaim);
    body.set("surname", "Белова").expect("plain");
    for (field, value) in fields {
        body.set(field, value).expect("plain");
    }
    Claim { origin: ParticipantCode::new(42, unit), key: RecordId::from_random([key; 16]), version: 1, body }
}

fn origin(golden: &Golden, field: &str) -> Option<ParticipantCode> {
    match golden.sources.get(field)? {
        Source::Hub => None,
        Source::Claim { origin, .. } => Some(*origin),
    }
}

fn case() -> String {
    CaseNumbering::new("42", "32701000").and_then(|numbering| numbering.number(1)).expect("a number")
}

#[test]
fn most_centres_then_lowest_code() {
    let claims = [
        claim(1, 1, &[("birth_date", "12.03.1945"), ("workplace", "Завод")]),
        claim(2, 2, &[("birth_date", "1945-03-21"), ("workplace", "Шахта")]),
        claim(3, 3, &[("birth_date", "21.03.1945")]),
    ];
    let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
    assert_eq!(golden.body.text("birth_date"), Some("1945-03-21"), "two centres against one");
    assert_eq!(origin(&golden, "birth_date"), Some(ParticipantCode::new(42, 2)));
    assert_eq!(golden.losers["birth_date"][0].value, "1945-03-12");
    assert_eq!(golden.body.text("workplace"), Some("Завод"), "one each: the lowest code");
}

#[test]
fn an_initial_never_stands_before_a_name() {
    let claims = [
        claim(1, 1, &[("given", "П."), ("patronymic", "И.")]),
        claim(2, 2, &[("given", "Пантелей"), ("patronymic", "И")]),
        claim(3, 3, &[("given", "П."), ("patronymic", "Ильич")]),
    ];
    for claims in [claims.to_vec(), claims.iter().rev().cloned().collect()] {
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
        let name = ["given", "patronymic"].map(|field| golden.body.text(field));
        assert_eq!(name, [Some("Пантелей"), Some("Ильич")], "though two centres say no more than the letter");
    }
    let golden = person(&case(), &claims[..1], &BTreeMap::new(), TODAY);
    assert_eq!(golden.body.text("given"), Some("П."), "better than nothing");
}

#[test]
fn an_everyday_form_never_stands_before_the_name() {
    let called = |unit, given| claim(unit, 1, &[("given", given)]);
    let given = |claims: &[Claim]| {
        let golden = person(&case(), claims, &BTreeMap::new(), TODAY);
        (golden.body.text("given").map(str::to_owned), golden.losers.get("given").map_or(0, Vec::len))
    };
    let three = [called(1, "Маша"), called(2, "Маша"), called(3, "Мария")];
    assert_eq!(given(&three), (Some("Мария".into()), 1), "though most say otherwise, and the loser is shown");
    assert_eq!(given(&three[..2]).0.as_deref(), Some("Маша"), "better than nothing");
    assert_eq!(given(&[called(1, "Саша"), called(2, "Мария")]).0.as_deref(), Some("Саша"), "another name");
}

#[test]
fn of_facts_that_bear_a_day_the_newest_stands_before_the_lowest_code() {
    let document = |unit, key, number, issued| {
        let fields = [
            ("identity_doc_number", number),
            ("identity_doc_series", "3204"),
            ("identity_doc_issued", issued),
        ];
        claim(unit, key, &fields)
    };
    let [old, new] = [document(1, 1, "111111", "01.02.2004"), document(2, 2, "222222", "2019-03-05")];
    let number = |claims: &[Claim]| {
        person(&case(), claims, &BTreeMap::new(), TODAY).body.text("identity_doc_number").map(str::to_owned)
    };
    assert_eq!(number(&[old.clone(), new.clone()]).as_deref(), Some("222222"));
    // most centres are more than the newest; one without a day is older than all
    let old_too = document(3, 3, "111111", "");
    assert_eq!(number(&[old, new.clone(), old_too.clone()]).as_deref(), Some("111111"));
    assert_eq!(number(&[document(1, 1, "333333", ""), new]).as_deref(), Some("222222"));
    let group = |unit, key, disabled, from| {
        claim(unit, key, &[("disability_group", disabled), ("disability_from", from)])
    };
    let golden = person(
        &case(),
        &[group(1, 1, "2", "2010-01-01"), group(2, 2, "1", "2021-01-01")],
        &BTreeMap::new(),
        TODAY,
    );
    assert_eq!(origin(&golden, "disability_group"), Some(ParticipantCode::new(42, 2)));
    assert_eq!(origin(&golden, "disability_from"), Some(ParticipantCode::new(42, 2)));
}

#[test]
fn the_end_of_a_disability_is_published_as_read_and_a_word_as_typed() {
    let end = |typed| {
        let claim = claim(1, 1, &[("disability_group", "2"), ("disability_until", typed)]);
        assert_eq!(unreadable(&claim.body).count(), 0, "{typed}");
        person(&case(), &[claim], &BTreeMap::new(), TODAY).body.text("disability_until").map(str::to_owned)
    };
    for typed in ["31.12.28", "31.12.2028", "2028-12-31", "31 декабря 2028 г."] {
        assert_eq!(end(typed).as_deref(), Some("2028-12-31"), "{typed}");
    }
    assert_eq!((end("бессрочно").as_deref(), end("01.01.1900"), end("-")), (Some("бессрочно"), None, None));
    let entries = BTreeMap::from([("disability_until".to_owned(), "10.01.27".to_owned())]);
    let body = person(&case(), &[claim(1, 1, &[])], &entries, TODAY).body;
    assert_eq!(body.text("disability_until"), Some("2027-01-10"));
}

#[test]
fn two_claims_of_one_centre_count_once() {
    let claims = [
        claim(1, 1, &[("workplace", "Завод")]),
        claim(2, 2, &[("workplace", "Шахта")]),
        claim(2, 3, &[("workplace", "Шахта")]),
    ];
    assert_eq!(person(&case(), &claims, &BTreeMap::new(), TODAY).body.text("workplace"), Some("Завод"));
}

#[test]
fn a_holding_check_beats_a_majority() {
    let good = Snils::from_number(112_233_445).to_form();
    let claims = [
        claim(1, 1, &[("snils", "112-233-445 96"), ("identity_doc_number", "12345")]),
        claim(2, 2, &[("snils", "112-233-445 96"), ("identity_doc_number", "12345")]),
        claim(
            3,
            3,
            &[
                ("snils", &good),
                ("identity_doc_series", "3204"),
                ("identity_doc_number", "123456"),
                ("identity_doc_issued", "01.02.2004"),
            ],
        ),
    ];
    let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
    assert_eq!(golden.body.text("snils"), Some("11223344595"));
    assert_eq!(golden.body.text("identity_doc_number"), Some("123456"));
    assert_eq!(golden.body.text("identity_doc_issued"), Some("2004-02-01"), "the group is one fact");
}

#[test]
fn what_a_document_confirms_stands_before_what_most_centres_say() {
    let passport = [("identity_doc_series", "3204"), ("identity_doc_number", "123456")];
    let of = |unit, key, fields: &[(&str, &str)], more: &[(&str, &str)]| {
        claim(unit, key, &[fields, more].concat())
    };
    let disabled = [("disability_group", "1"), ("disability_document", "МСЭ-2019 № 12")];
    let claims = [
        of(1, 1, &[("birth_date", "12.03.1945"), ("workplace", "Завод"), ("disability_group", "2")], &[]),
        of(2, 2, &[("birth_date", "12.03.1945"), ("workplace", "Завод"), ("disability_group", "2")], &[]),
        of(3, 3, &[("birth_date", "21.03.1945"), ("workplace", "Шахта")], &[passport, disabled].concat()),
    ];
    let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
    assert_eq!(golden.body.text("birth_date"), Some("1945-03-21"), "as the passport says");
    assert_eq!(golden.body.text("disability_group"), Some("1"), "by the certificate that is named");
    assert_eq!(golden.body.text("workplace"), Some("Завод"), "of which no document speaks");
    assert_eq!(golden.losers["birth_date"][0].value, "1945-03-12");
    for (field, documented) in [("birth_date", true), ("disability_group", true), ("workplace", false)] {
        assert_eq!(is_documented(field, &claims[2].body), documented, "{field}");
        assert!(!is_documented(field, &claims[0].body), "{field}");
    }
    // of two who say the same the value is that of the one with the document, though its code is higher
    let [_, _, third] = &claims;
    let mut same = of(1, 4, &[("birth_date", "1945-03-21")], &[]);
    let both = [same.clone(), third.clone()];
    assert_eq!(origin(&person(&case(), &both, &BTreeMap::new(), TODAY), "birth_date"), Some(third.origin));
    // a document whose form does not hold confirms nothing
    same.body.set("identity_doc_number", "12").expect("plain");
    assert!(!is_documented("birth_date", &same.body));
}

#[test]
fn the_hubs_entry_stands_and_an_empty_one_takes_away() {
    let claims = [claim(1, 1, &[("workplace", "Завод"), ("given", "ИBAH")])];
    let entries = BTreeMap::from([("given".into(), "Иоанн".into()), ("workplace".into(), String::new())]);
    let golden = person(&case(), &claims, &entries, TODAY);
    assert_eq!(golden.body.text("given"), Some("Иоанн"));
    assert_eq!(golden.sources["given"], Source::Hub);
    assert_eq!(golden.losers["given"][0].value, "Иван");
    assert_eq!(golden.body.text("workplace"), None);
}

#[test]
fn what_nobody_can_read_is_left_as_typed_where_nothing_better_stands() {
    let typed = |claims: &[Claim], at: usize, entries: &BTreeMap<String, String>| {
        let golden = person(&case(), claims, entries, TODAY).body;
        as_typed(&golden, claims, &claims[at], entries, TODAY)
    };
    let none = BTreeMap::new();
    let bad = claim(
        1,
        1,
        &[("birth_date", "01.01.1900"), ("snils", "112-233-445 96"), ("identity_doc_issued", "весной")],
    );
    let alone = [bad.clone()];
    assert_eq!(typed(&alone, 0, &none), ["birth_date", "snils", "identity_doc_issued"]);
    assert_eq!(unreadable(&bad.body).collect::<Vec<_>>(), ["snils", "identity_doc_issued"]);
    // the hub says itself that there is none
    let said = BTreeMap::from([("snils".into(), String::new())]);
    assert_eq!(typed(&alone, 0, &said), ["birth_date", "identity_doc_issued"]);
    // another centre knows better, and its document is another one
    let good = Snils::from_number(112_233_445).to_form();
    let document = [("identity_doc_series", "3204"), ("identity_doc_number", "123456"), ("snils", &good)];
    let both = [bad.clone(), claim(2, 2, &document)];
    assert_eq!(typed(&both, 0, &none), ["birth_date"]);
    // of the same document each centre keeps what it alone knows
    let mut same = bad;
    for (field, value) in &document[..2] {
        same.body.set(field, value).expect("plain");
    }
    let both = [claim(2, 2, &document), same];
    assert_eq!(typed(&both, 1, &none), ["birth_date", "identity_doc_issued"]);
}

#[test]
fn what_is_published_is_strict() {
    let claims = [claim(
        1,
        1,
        &[("sex", "жен"), ("birth_date", "1.2.1950"), ("phone", "8 906 1234567"), ("patronymic", "-")],
    )];
    let golden = person(&case(), &claims, &BTreeMap::new(), TODAY);
    assert_eq!(golden.body.findings(), []);
    assert_eq!(golden.body.text("sex"), Some("Ж"));
    assert_eq!(golden.body.text("phone"), Some("+79061234567"));
    assert_eq!(golden.body.text("patronymic"), None);
}

#[test]
fn the_order_of_claims_does_not_matter() {
    let mut claims = vec![
        claim(3, 3, &[("given", "Анна"), ("address_live", "ул. Мира 5-7")]),
        claim(1, 1, &[("given", "Аня"), ("address_live", "ул. Мира, д. 5, кв. 7")]),
        claim(2, 2, &[("given", "Анна")]),
    ];
    let one = person(&case(), &claims, &BTreeMap::new(), TODAY);
    claims.reverse();
    assert_eq!(one, person(&case(), &claims, &BTreeMap::new(), TODAY));
    assert_eq!(one.body.text("given"), Some("Анна"));
    assert_eq!(one.body.text("address_live"), Some("ул. Мира, д. 5, кв. 7"));
}

/// Of one person a wrong value that the lower code states, and the right one of the other; what stands beside both.
const WRONG: [(&str, &str, &str, &[Stated]); 18] = [
    ("email", "x", "a@b.ru", &[]),
    ("oktmo", "3270", "32701000", &[]),
    ("snils", "111-111-111 11", "112-233-445 95", &[]),
    ("birth_date", "12.03.2045", "12.03.1945", &[]),
    ("sex", "х", "Ж", &[]),
    ("phone", "7900000000", "8 900 000-00-00", &[]),
    ("oms_policy", "123", "1234567890123456", &[]),
    ("citizenship", "Марс", "РФ", &[]),
    ("capacity", "нечто", "дееспособен", &[]),
    ("identity_doc_code", "99", "21", &PASSPORT),
    ("identity_doc_department", "42", "420-001", &PASSPORT),
    ("identity_doc_issued", "12.03.2045", "12.03.2004", &PASSPORT),
    ("address_live_gar", "нечто", "aab9f4a5-0c2b-4f1a-9c3e-0c2b4f1a9c3e", &ADDRESS),
    ("address_live_kladr", "42", "4200000900000", &ADDRESS),
    ("representative_kind", "сосед", "опекун", &[("representative", "Белов Илья")]),
    ("disability_until", "когда-нибудь", "2027-01-01", &[("disability_group", "2")]),
    ("income_amount", "много", "1000000", &[]),
    ("status_date", "2031-01-01", "2026-01-01", &[("status", "left")]),
];
const PASSPORT: [Stated; 2] = [("identity_doc_series", "3204"), ("identity_doc_number", "123456")];
const ADDRESS: [Stated; 1] = [("address_live", "Кемерово, ул. Мира, д. 5")];

#[test]
fn a_value_that_breaks_a_rule_of_form_never_stands_before_a_right_one() {
    for (field, wrong, right, beside) in WRONG {
        let claim = |unit, text| {
            let beside = beside.iter().filter(|(name, _)| *name != field).copied();
            let fields: Vec<_> = beside.chain([(field, text), ("workplace", "Завод")]).collect();
            claim(unit, 1, &fields)
        };
        let expected = person(&case(), &[claim(1, right)], &BTreeMap::new(), TODAY).body;
        assert!(expected.text(field).is_some(), "{field}");
        for claims in [[claim(1, wrong), claim(2, right)], [claim(1, right), claim(2, wrong)]] {
            let golden = person(&case(), &claims, &BTreeMap::new(), TODAY).body;
            assert_eq!(golden, expected, "{field}");
        }
        // the centre of the wrong one is told
        let around = rules::Around { today: Some(TODAY), ..rules::Around::nothing() };
        let codes = |text| -> BTreeSet<&str> {
            rules::check(&claim(1, text).body, &around).iter().map(|breach| breach.rule.code).collect()
        };
        assert!(codes(wrong).difference(&codes(right)).next().is_some(), "{field}");
        // where nobody states a right one it stands, if it is a value at all
        let alone = person(&case(), &[claim(1, wrong)], &BTreeMap::new(), TODAY).body;
        let both = person(&case(), &[claim(1, wrong), claim(2, wrong)], &BTreeMap::new(), TODAY).body;
        assert_eq!(alone, both, "{field}");
    }
}
