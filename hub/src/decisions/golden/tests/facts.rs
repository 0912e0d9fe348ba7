//! Facts of several parts stand together.

use super::*;

#[test]
fn beside_the_hubs_entry_stand_no_parts_of_another_fact() {
    // the first part that the hub enters, its value, and the parts that a claim states beside another one
    let facts: [(&str, &str, &str, &[Stated]); 7] = [
        (
            "representative",
            "Сидорова Мария",
            "Петров Иван",
            &[
                ("representative_kind", "опекун"),
                ("representative_document", "решение 1"),
                ("representative_phone", "+79051110022"),
            ],
        ),
        ("status", "dead", "active", &[("status_date", "2026-01-01")]),
        (
            "disability_group",
            "1",
            "2",
            &[("disability_from", "2020-01-01"), ("disability_document", "МСЭ-1")],
        ),
        (
            "income_amount",
            "2000000",
            "1000000",
            &[("income_as_of", "2026-01-01"), ("income_threshold", "700000")],
        ),
        (
            "identity_doc_number",
            "999999",
            "123456",
            &[("identity_doc_series", "3204"), ("identity_doc_issued", "2004-02-01")],
        ),
        ("citizenship", "РФ", "иностранный гражданин", &[("citizenship_country", "Казахстан")]),
        ("address_live", "Кемерово, ул. Мира, д. 5", "Кемерово, Лесная 5", &[("address_live_house", "5")]),
    ];
    let none = BTreeMap::new();
    for (first, entered, stated, parts) in facts {
        let of = |unit, value| claim(unit, 1, &[&[(first, value)], parts].concat());
        let entries = BTreeMap::from([(first.to_owned(), entered.to_owned())]);
        let stands = |claims: &[Claim], entries: &BTreeMap<String, String>| {
            person(&case(), claims, entries, TODAY).body
        };
        let beside = |body: &Body| parts.iter().filter(|(part, _)| body.text(part).is_some()).count();
        let others = [of(1, stated), of(2, stated)];
        let before = stands(&others, &none);
        assert_eq!(beside(&before), parts.len(), "{first}");
        let body = stands(&others, &entries);
        assert_eq!((body.text(first).is_some(), beside(&body)), (true, 0), "{first}");
        let names: Vec<&str> = parts.iter().map(|(part, _)| *part).collect();
        assert_eq!(lost_parts(first, &before, &body), names, "{first}");
        let typed = as_typed(&body, &others, &others[0], &entries, TODAY);
        assert!(typed.is_empty(), "{first}: {typed:?}");
        // a centre that states the same fact says its parts, though most state another
        let three = [others[0].clone(), others[1].clone(), of(3, entered)];
        let golden = person(&case(), &three, &entries, TODAY);
        for part in names {
            assert_eq!(origin(&golden, part), Some(ParticipantCode::new(42, 3)), "{first}");
        }
        // and what the hub enters itself stands
        let (part, value) = parts[0];
        let entries = entries.into_iter().chain([(part.to_owned(), value.to_owned())]).collect();
        let body = stands(&others, &entries);
        assert_eq!((body.text(part), beside(&body)), (before.text(part), 1), "{first}");
    }
}

#[test]
fn of_another_fact_a_part_is_never_taken_and_one_with_a_wrong_part_loses() {
    let of = |unit, group, from, until| {
        let fields = [("disability_group", group), ("disability_from", from), ("disability_until", until)];
        claim(unit, 1, &fields)
    };
    let until = |claims: &[Claim]| {
        let body = person(&case(), claims, &BTreeMap::new(), TODAY).body;
        ["disability_group", "disability_until"].map(|field| body.text(field).map(str::to_owned))
    };
    let said = |group: &str, until: &str| [Some(group.to_owned()), Some(until.to_owned())];
    let poor = of(1, "2", "2020-01-01", "весной");
    assert_eq!(until(&[poor.clone(), of(2, "3", "2019-01-01", "2027-01-01")]), said("3", "2027-01-01"));
    assert_eq!(until(&[poor.clone(), of(2, "2", "2020-01-01", "2027-01-01")]), said("2", "2027-01-01"));
    // of another year it is another fact: its end is not that of this one, and it is right
    let golden = person(&case(), &[poor, of(2, "2", "2024-01-01", "2027-01-01")], &BTreeMap::new(), TODAY);
    let parts = ["disability_from", "disability_until"].map(|field| origin(&golden, field));
    assert_eq!(parts, [Some(ParticipantCode::new(42, 2)); 2]);
}

#[test]
fn no_fact_is_put_together_of_claims_that_state_it_differently() {
    let address = |unit, text, place, gar| {
        let fields = [("address_live", text), ("address_live_place", place), ("address_live_gar", gar)];
        claim(unit, 1, &fields)
    };
    let right = "6b7a2c3d-0000-4000-8000-000000000001";
    let stands = |claims: &[Claim], fields: [&str; 2]| {
        let body = person(&case(), claims, &BTreeMap::new(), TODAY).body;
        fields.map(|field| body.text(field).map(str::to_owned))
    };
    let said = |one: &str, other: &str| [Some(one.to_owned()), Some(other.to_owned())];
    let parts = ["address_live_place", "address_live_gar"];
    let poor = address(1, "Весенняя 1", "Топки", "нечто");
    let other = address(2, "Весенняя 1", "Кемерово", right);
    assert_eq!(stands(&[poor.clone(), other], parts), said("Кемерово", right));
    // where nothing contradicts, the right part is of the other
    let same = address(2, "Весенняя 1", "ТОПКИ", right);
    assert_eq!(stands(&[poor, same], parts), said("Топки", right));
    let representative = |unit, kind, document| {
        let fields = [
            ("representative", "Петров Иван"),
            ("representative_kind", kind),
            ("representative_document", document),
        ];
        claim(unit, 1, &fields)
    };
    let claims = [representative(1, "сосед", "д1"), representative(2, "опекун", "д2")];
    let [kind, document] = stands(&claims, ["representative_kind", "representative_document"]);
    assert_eq!((kind.is_some(), document.as_deref()), (true, Some("д2")));
}

#[test]
fn a_row_shows_no_part_of_its_own_beside_another_fact_that_stands() {
    let of = |unit, from, until, document| {
        let fields = [
            ("disability_group", "2"),
            ("disability_from", from),
            ("disability_until", until),
            ("disability_document", document),
        ];
        let stated: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        claim(unit, 1, &stated)
    };
    let own = of(1, "2024-05-01", "весной", "М2");
    let shown = |other: Claim| {
        let claims = [own.clone(), other];
        let golden = person(&case(), &claims, &BTreeMap::new(), TODAY).body;
        let until = golden.text("disability_until").map(str::to_owned);
        (until, as_typed(&golden, &claims, &claims[0], &BTreeMap::new(), TODAY))
    };
    // another certificate stands: whole
    let until = |day: &str| Some(day.to_owned());
    assert_eq!(shown(of(2, "", "2024-02-01", "М1")), (until("2024-02-01"), vec![]));
    // the same one: what it lacks is shown
    let typed = vec!["disability_from", "disability_document"];
    assert_eq!(shown(of(2, "", "2027-02-01", "")), (until("2027-02-01"), typed));
}
