//! Documents that break a rule for which they may not be published, and those that staff draw up.

use super::*;
use svod_hub::{database::drawn::Drawn, decisions::drawn::Draft};

/// Анна's programme, as centre 1 claims it.
fn programme(until: &str) -> Body {
    let fields =
        [("recipient", &*id(1).to_string()), ("number", "7"), ("date", "2026-01-15"), ("valid_until", until)]
            .map(|(field, value)| (field, value.to_owned()));
    body(Kind::ProgrammeClaim, &fields.each_ref().map(|(field, value)| (*field, value.as_str())))
}

#[test]
fn a_programme_that_breaks_a_rule_is_listed_and_not_published_until_it_is_put_right() {
    let mut city = City::new();
    let row = city.recipient(1, 1, &anna(&[]));
    let uid = city.uid(row);
    let rules = |city: &mut City| city.within(|register| Ok(register.tx.fault_counts()?));
    city.receive(1, 2, &programme("2029-01-16"));
    assert_eq!(rules(&mut city), [("P01".to_owned(), 1)], "longer than three years");
    assert!(!city.told(1).contains("<programme>"));
    city.receive(1, 2, &programme("2029-01-15"));
    assert_eq!(rules(&mut city), []);
    assert!(city.told(1).contains("<valid_until>2029-01-15</valid_until>"));
    // once the centre was told, what it was told stands until the document is right again
    city.within(|register| {
        let pending = register.tx.to_seal(centre(1), Kind::Programme, None, true, 10)?;
        register.tx.publication_sealed(centre(1), &pending[0], 1, "P")?;
        Ok(())
    });
    city.receive(1, 2, &programme("2031-01-01"));
    assert_eq!(rules(&mut city), [("P01".to_owned(), 1)]);
    let told = city.told(1);
    assert!(told.contains("<valid_until>2029-01-15</valid_until>") && !told.contains("withdrawn"), "{told}");
    city.within(|register| {
        assert_eq!(register.tx.faults_of(uid)?.len(), 1);
        Ok(())
    });
}

#[test]
fn what_staff_draw_up_stands_over_the_claim_until_it_is_taken_back() {
    let mut city = City::new();
    let row = city.recipient(1, 1, &anna(&[]));
    let uid = city.uid(row);
    city.receive(1, 2, &programme("2029-01-15"));
    let fields =
        [("recipient", &*uid.to_string()), ("number", "7"), ("date", "2026-01-15"), ("form", "home")]
            .map(|(field, value)| (field, value.to_owned()));
    let ours = body(Kind::Programme, &fields.each_ref().map(|(field, value)| (*field, value.as_str())));
    let drawn = city.within(|register| {
        register.confirm(centre(1), uid, "обслуживает")?;
        let key = register.new_key(&Draft { person: Some(uid), body: ours.clone() })?.expect("one document");
        let drawn = Drawn { key, id: "И-1".to_owned(), person: Some(uid), body: ours };
        register.draw(&drawn, "комиссия")?;
        Ok(drawn)
    });
    let told = city.told(1);
    assert!(told.contains(&drawn.key.to_string()) && told.contains("<form>home</form>"), "{told}");
    assert_eq!(told.matches("<programme>").count(), 1, "one document: {told}");
    assert!(!told.contains("2029-01-15"), "nothing of the claim is mixed in: {told}");
    city.within(|register| register.take_back(&drawn, uid, "ошибка"));
    let told = city.told(1);
    assert!(told.contains("2029-01-15") && !told.contains("<form>home</form>"), "{told}");
}
