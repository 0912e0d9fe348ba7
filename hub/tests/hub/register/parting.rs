//! Staff take claims out of a person.

use super::*;

fn part(city: &mut City, uid: RecordId, out: &[(u16, u8)]) {
    let out = out.iter().map(|(unit, key)| (centre(*unit), id(*key))).collect();
    city.within(|register| register.part(uid, &out, "разные паспорта").map(|_| ()));
}

#[test]
fn the_number_stays_with_the_claims_that_are_left_however_few_and_nothing_joins_them_again() {
    let mut city = City::new();
    let works = ["Завод", "Шахта", "Порт"];
    let rows: Vec<ClaimId> = (1..)
        .zip(works)
        .map(|(n, work)| {
            city.recipient(n, u8::try_from(n).expect("small"), &anna(&[TWO[0][3], ("workplace", work)]))
        })
        .collect();
    let fields = [("recipient", &*id(3).to_string()), ("number", "77"), ("date", "01.02.2020")];
    let programme = city.receive(3, 13, &body(Kind::ProgrammeClaim, &fields));
    let whole = city.uid(rows[0]);
    city.within(|register| {
        register.confirm_all(&[whole].into(), &[centre(1), centre(2), centre(3)].into(), "слияние")?;
        register.republish(whole)
    });
    assert_eq!([city.uid(rows[1]), city.uid(rows[2])], [whole; 2]);
    assert!(city.told(2).contains(">77<"));
    part(&mut city, whole, &[(2, 2), (3, 3)]);
    let other = city.uid(rows[1]);
    assert_eq!((city.uid(rows[0]), city.uid(rows[2])), (whole, other), "those taken out stay together");
    assert_ne!(other, whole);
    let live = |city: &mut City, unit| -> String {
        city.told(unit).lines().filter(|line| line.contains(" live ")).collect()
    };
    let told = [live(&mut city, 1), live(&mut city, 2)];
    assert!(!told[0].contains(">77<") && told[1].contains(">77<") && !told[1].contains("Завод"), "{told:?}");
    city.within(|register| {
        let serves = |unit, uid| register.tx.serves(centre(unit), uid);
        assert!(serves(1, whole)? && serves(2, other)? && serves(3, other)?);
        assert!(!serves(2, whole)? && !serves(3, whole)?, "they were confirmed for somebody else");
        let document = register.tx.uid_of(programme)?.expect("linked");
        assert_eq!(register.tx.person_of_document(document)?, Some(other));
        Ok(())
    });
    // a claim of one that comes again, a new one that is like both, and one more correction join nobody
    city.within(|register| register.take_in(&rows, &[]).map(|_| ()));
    let later = city.recipient(4, 4, &anna(&[TWO[0][3]]));
    assert_eq!((city.uid(rows[0]), city.uid(rows[1])), (whole, other));
    assert!(![whole, other].contains(&city.uid(later)));
    let inputs = city.within(|register| Ok(register.tx.inputs_of(&["decide.pair", "confirm.ended"])?));
    let told: Vec<_> = inputs.iter().map(|one| (one.text("action"), one.text("reason"))).collect();
    let (decided, ended) = (Some("decide.pair"), Some("confirm.ended"));
    let why = Some("разные паспорта");
    assert_eq!(told, [(decided, why), (decided, why), (ended, why), (ended, why)]);
}

#[test]
fn two_whom_staff_have_joined_get_their_own_numbers_back_whoever_is_taken_out() {
    for out in [(1, 1), (2, 2)] {
        let mut city = City::new();
        let rows = [city.recipient(1, 1, &TWO[0]), city.recipient(2, 2, &TWO[1])];
        let uids = rows.map(|row| city.uid(row));
        city.within(|register| uids.iter().try_for_each(|uid| register.republish(*uid)));
        let before = (city.told(1), city.told(2));
        decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
        assert_eq!(city.uid(rows[1]), uids[0]);
        part(&mut city, uids[0], &[out]);
        assert_eq!(rows.map(|row| city.uid(row)), uids, "{out:?}");
        assert_eq!((city.told(1), city.told(2)), before, "{out:?}");
    }
}
