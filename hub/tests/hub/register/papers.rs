//! Papers of two persons who were taken for one, and are parted again: each is whose it was, whatever staff have said of the
//! papers meanwhile.

use std::collections::BTreeMap;

use svod_hub::{database::drawn::Drawn, decisions::drawn::Draft};

use super::*;

/// Two people whom nothing joins, of the centres 1 and 2, both served; the programmes of both are in force.
struct Two {
    city: City,
    people: [ClaimId; 2],
    papers: Vec<ClaimId>,
}

const NUMBERS: [(u16, u8, &str, &str); 3] =
    [(1, 11, "П-1", "10.03.2026"), (2, 21, "Р-1", "15.03.2026"), (2, 22, "Р-2", "10.03.2024")];

fn paper(of: u8, number: &str, day: &str, until: &str) -> Body {
    let of = id(of).to_string();
    let fields = [("recipient", of.as_str()), ("number", number), ("date", day), ("valid_until", until)];
    body(Kind::ProgrammeClaim, &fields)
}

impl Two {
    /// With `is_same` their first programmes have one number and one day, and say two things.
    fn new(is_same: bool) -> Self {
        let mut city = City::new();
        let people = [city.recipient(1, 1, &TWO[0]), city.recipient(2, 2, &TWO[1])];
        let mut papers = Vec::new();
        for (unit, key, number, day) in NUMBERS {
            let (number, day) = if is_same && key == 21 { ("П-1", "10.03.2026") } else { (number, day) };
            let until =
                if key == 22 { "10.03.2025" } else { ["10.03.2027", "01.03.2027"][usize::from(unit) - 1] };
            papers.push(city.receive(
                unit,
                key,
                &paper(u8::try_from(unit).expect("small"), number, day, until),
            ));
        }
        let mut two = Self { city, people, papers };
        for (uid, unit) in two.uids().into_iter().zip([1, 2]) {
            two.city.within(|register| {
                register.confirm_all(&[uid].into(), &[centre(unit)].into(), "слияние")?;
                register.republish(uid)
            });
        }
        two
    }

    fn uids(&mut self) -> [RecordId; 2] {
        self.people.map(|row| self.city.uid(row))
    }

    /// What is pending goes out.
    fn seal(&mut self, packet: &str) {
        for unit in 1..=3 {
            let packet = &format!("{packet}-{unit}");
            for kind in Kind::ALL {
                self.city.within(|register| {
                    for row in register.tx.to_seal(centre(unit), kind, None, false, 1000)? {
                        register.tx.publication_sealed(centre(unit), &row, row.version + 1, packet)?;
                    }
                    Ok(())
                });
            }
        }
    }

    /// What is live at a centre, but for what a claim was taken for before.
    fn live(&mut self, unit: u16) -> String {
        let told = self.city.told(unit);
        let live = told.lines().filter(|line| line.contains(" live "));
        let without =
            live.map(|line| match (line.split_once("<supersedes>"), line.split_once("</supersedes>")) {
                (Some((before, _)), Some((_, after))) => format!("{before}{after}\n"),
                _ => format!("{line}\n"),
            });
        without.collect()
    }

    /// Who everybody and whose everything is, and what both centres are told.
    fn known(&mut self) -> ([RecordId; 2], Vec<Option<RecordId>>, [String; 2]) {
        let uids = self.uids();
        let papers = self.papers.clone();
        let documents = self.city.within(|register| {
            let all = papers.iter().map(|paper| register.tx.uid_of(*paper));
            Ok(all.collect::<Result<Vec<_>, _>>()?)
        });
        (uids, documents, [self.live(1), self.live(2)])
    }

    fn say(&mut self, decision: Decision) {
        decided(&mut self.city, [(1, 1), (2, 2)], decision);
    }

    /// The documents of the open questions about programmes.
    fn asked(&mut self) -> Vec<[RecordId; 2]> {
        self.city.within(|register| {
            let open = register.tx.open_reviews(0, 100)?.into_iter().filter(|one| one.kind == "programme");
            Ok(open.map(|one| [one.one.1, one.other.1]).collect())
        })
    }

    /// Staff answer about two programmes.
    fn answer(&mut self, documents: [RecordId; 2], decision: Decision) {
        self.city.within(|register| {
            let [one, other] = documents.map(|uid| (centre(0), uid));
            let act = Act { actor: "staff", reason: "сверено", at: "2026-11-21T00:00:00Z" };
            if let Some(n) = register.tx.review_of("programme", one, other)? {
                let word = if decision == Decision::Same { "same" } else { "different" };
                register.tx.decide_review(n, word, act)?;
            }
            register.tx.add_staff_decision("programme", &StaffDecision { one, other, decision }, act)?;
            register.decide_documents(documents).map(|_| ())
        });
    }

    fn part(&mut self, out: (u16, u8)) {
        let uid = self.uids()[0];
        let out = [(centre(out.0), id(out.1))].into();
        self.city.within(|register| register.part(uid, &out, "две сестры").map(|_| ()));
    }
}

#[test]
fn an_answer_about_two_papers_sleeps_while_their_persons_are_two_and_wakes_when_they_are_one() {
    for is_same in [false, true] {
        for way in [None, Some((1, 1)), Some((2, 2))] {
            let mut two = Two::new(is_same);
            two.seal("1");
            let before = two.known();
            assert!(before.2[0].contains("2027-03-10") && before.2[1].contains("2027-03-01"), "{before:?}");
            two.say(Decision::Same);
            two.seal("2");
            let asked = two.asked();
            assert_eq!(asked.len(), 1, "{is_same} {way:?}");
            two.answer(asked[0], Decision::Same);
            two.seal("3");
            let joined = two.known();
            assert_eq!(joined.1[0], joined.1[1], "one paper");
            match way {
                None => two.say(Decision::Different),
                Some(out) => two.part(out),
            }
            assert_eq!(two.known(), before, "{is_same} {way:?}");
            two.seal("4");
            assert_eq!(two.known(), before);
            assert_eq!(two.asked(), [] as [[RecordId; 2]; 0]);
            // one again: nobody is asked a second time
            two.say(Decision::Same);
            assert_eq!(two.known().1, joined.1);
            assert_eq!(two.asked(), [] as [[RecordId; 2]; 0]);
            // and what is said while they are two holds when they are one
            two.say(Decision::Different);
            two.answer(asked[0], Decision::Different);
            assert_eq!(two.known(), before);
            two.say(Decision::Same);
            assert_eq!(two.known().1, before.1, "two papers of one person");
        }
    }
}

/// Any steps, in any order: whenever they are two, all is as it was when they were two before.
#[test]
fn whatever_is_answered_while_two_are_one_each_has_its_own_when_they_are_two() {
    for seed in 0..40_u64 {
        let mut two = Two::new(seed % 2 == 0);
        two.seal("0");
        let before = two.known();
        let mut chance = seed * 0x9E37_79B9 + 1;
        let mut next = |of: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % of
        };
        let mut answered: BTreeMap<[RecordId; 2], Decision> = BTreeMap::new();
        for step in 0..14 {
            let [one, other] = two.uids();
            let decision = if next(3) == 0 { Decision::Different } else { Decision::Same };
            match next(5) {
                0 => two.seal(&format!("{step}")),
                1 if one == other => two.say(Decision::Different),
                2 if one == other => two.part([(1, 1), (2, 2)][usize::try_from(next(2)).expect("small")]),
                1 | 2 => two.say(Decision::Same),
                3 => {
                    let rows = two.people;
                    two.city.within(|register| register.take_in(&rows, &[]).map(|_| ()));
                }
                _ => {
                    let open = two.asked().pop();
                    let again = answered.keys().next().copied();
                    if let Some(pair) = open.or(again) {
                        answered.insert(pair, decision);
                        two.answer(pair, decision);
                    }
                }
            }
            let [one, other] = two.uids();
            if one != other {
                assert_eq!(two.known(), before, "{seed} {step}");
            }
        }
    }
}

/// Parted, one of them becomes one with a claim that came meanwhile, whose programme overlaps: its own, which its centre was told of,
/// stays there, and the other waits for staff.
#[test]
fn what_a_centre_was_told_of_stays_as_its_persons_though_it_comes_back_into_an_overlap() {
    for is_one_paper in [false, true] {
        let mut two = Two::new(false);
        two.seal("1");
        let before = two.known();
        two.say(Decision::Same);
        if is_one_paper {
            let asked = two.asked();
            two.answer(asked[0], Decision::Same);
        }
        two.seal("2");
        let late = two.city.recipient(3, 3, &TWO[1]);
        two.city.receive(3, 31, &paper(3, "В-9", "10.06.2026", "10.06.2027"));
        two.seal("3");
        two.say(Decision::Different);
        let parted = two.uids();
        assert_eq!(parted, before.0);
        assert_eq!(two.city.uid(late), parted[1], "like nobody so much");
        two.city.within(|register| {
            register.confirm_all(&[parted[1]].into(), &[centre(3)].into(), "слияние")?;
            register.republish(parted[1])
        });
        assert_eq!(two.asked().len(), 1, "{is_one_paper}");
        let own = two.live(2);
        assert!(own.contains("<number>Р-1</number>") && !own.contains(&parted[0].to_string()), "{own}");
        assert!(!own.contains("В-9") && !own.contains("П-1"), "{own}");
        let third = two.live(3);
        assert!(!third.contains("Р-1") && !third.contains("П-1"), "{third}");
        two.seal("4");
        assert_eq!((two.live(2), two.live(1)), (own, before.2[0].clone()), "{is_one_paper}");
    }
}

#[test]
fn what_stands_though_it_breaks_a_rule_by_now_goes_with_its_person_and_comes_back() {
    let mut two = Two::new(false);
    two.seal("1");
    two.city.receive(2, 21, &paper(2, "Р-1", "15.03.2026", "01.01.2031"));
    let before = two.known();
    assert!(
        before.2[1].contains("2027-03-01") && !before.2[1].contains("2031"),
        "longer than three years: {before:?}"
    );
    for step in ["2", "3"] {
        two.say(Decision::Same);
        let [one, _] = two.uids();
        let told = two.live(2);
        assert!(told.contains("2027-03-01") && !told.contains("2031"), "{told}");
        assert_eq!(told.matches(&format!("<recipient>{one}</recipient>")).count(), 2, "{told}");
        two.seal(step);
        two.say(Decision::Different);
        assert_eq!(two.known(), before, "{step}");
    }
}

/// A programme that staff draw up of `person` under a number, under the id of its file.
fn drawn_up(city: &mut City, person: RecordId, key: Option<RecordId>, number: &str) -> RecordId {
    let person_text = person.to_string();
    let fields = [("recipient", person_text.as_str()), ("number", number), ("date", "2026-03-05")];
    let mut ours = body(Kind::Programme, &[&fields[..], &[("valid_until", "2026-09-05")]].concat());
    let line = ours.add_line();
    for (field, value) in [("no", "1"), ("service_kind", "1"), ("name", "Кормление")] {
        line.set(field, value).expect("plain");
    }
    city.within(|register| {
        let draft = Draft { person: Some(person), body: ours.clone() };
        let key = match key {
            Some(key) => key,
            None => register.new_key(&draft)?.expect("one document"),
        };
        let id = format!("П {key}");
        register.draw(&Drawn { key, id, person: Some(person), body: ours }, "комиссия")?;
        Ok(key)
    })
}

#[test]
fn a_drawn_paper_is_of_the_number_to_which_staff_corrected_it() {
    for earlier in [false, true] {
        let mut city = City::new();
        let row = city.recipient(1, 1, &TWO[0]);
        let uid = city.uid(row);
        city.within(|register| register.confirm(centre(1), uid, "обслуживает"));
        let drawn = drawn_up(&mut city, uid, None, "17");
        let claimed = |city: &mut City, key, number| {
            city.receive(1, key, &paper(1, number, "05.03.2026", "05.06.2026"))
        };
        let of = |city: &mut City, row| city.within(|register| Ok(register.tx.uid_of(row)?)).expect("one");
        // the real № 17 of a centre comes before or after the correction
        let before = earlier.then(|| claimed(&mut city, 11, "17"));
        assert_eq!(drawn_up(&mut city, uid, Some(drawn), "71"), drawn);
        let other = before.unwrap_or_else(|| claimed(&mut city, 11, "17"));
        let same = claimed(&mut city, 12, "71");
        assert_ne!(of(&mut city, other), drawn);
        assert_eq!(of(&mut city, same), drawn);
        let told = city.told(1);
        assert_eq!(told.matches("<number>17</number>").count(), 1, "{told}");
        assert_eq!(told.matches("<number>71</number>").count(), 1, "{told}");
        // and staff may draw up the real one
        let number_17 = drawn_up(&mut city, uid, None, "17");
        assert_eq!(number_17, of(&mut city, other));
        assert_ne!(number_17, drawn);
    }
}

#[test]
fn a_drawn_paper_stands_over_what_centres_have_under_the_number_to_which_it_is_corrected() {
    let start = || {
        let mut city = City::new();
        let rows = [(1, 1), (2, 2)].map(|(unit, key)| city.recipient(unit, key, &TWO[0]));
        let uid = city.uid(rows[0]);
        city.within(|register| register.confirm(centre(1), uid, "обслуживает"));
        (city, uid)
    };
    let claimed = |city: &mut City, unit: u8, key, number| {
        city.receive(unit.into(), key, &paper(unit, number, "05.03.2026", "05.06.2026"))
    };
    let of = |city: &mut City, row| city.within(|register| Ok(register.tx.uid_of(row)?)).expect("one");
    let told = |city: &mut City| {
        let told = city.told(1);
        ["17", "71"].map(|number| told.matches(&format!("<number>{number}</number>")).count())
    };
    // corrected to the number of a centre's paper
    let (mut city, uid) = start();
    let theirs = claimed(&mut city, 1, 11, "71");
    let drawn = drawn_up(&mut city, uid, None, "17");
    assert_eq!(told(&mut city), [1, 1]);
    drawn_up(&mut city, uid, Some(drawn), "71");
    assert_eq!((of(&mut city, theirs), told(&mut city)), (drawn, [0, 1]));
    let later = claimed(&mut city, 2, 21, "71");
    assert_eq!((of(&mut city, later), told(&mut city)), (drawn, [0, 1]));
    // away from a centre's paper and back, twice
    let (mut city, uid) = start();
    let theirs = claimed(&mut city, 1, 11, "17");
    let drawn = drawn_up(&mut city, uid, None, "17");
    for _ in 0..2 {
        assert_eq!((of(&mut city, theirs), told(&mut city)), (drawn, [1, 0]));
        drawn_up(&mut city, uid, Some(drawn), "71");
        assert_ne!(of(&mut city, theirs), drawn);
        assert_eq!(told(&mut city), [1, 1]);
        drawn_up(&mut city, uid, Some(drawn), "17");
    }
    // of two papers of that number that say two things nobody knows which is meant: staff's stands beside them
    let (mut city, uid) = start();
    let theirs = [(11, "05.06.2026"), (12, "05.07.2026")]
        .map(|(key, until)| city.receive(1, key, &paper(1, "71", "05.03.2026", until)));
    let drawn = drawn_up(&mut city, uid, None, "17");
    drawn_up(&mut city, uid, Some(drawn), "71");
    for row in theirs {
        assert_ne!(of(&mut city, row), drawn);
    }
    assert_eq!(told(&mut city), [0, 3]);
}

#[test]
fn a_paper_that_was_corrected_by_an_older_program_gives_its_former_number_back() {
    let mut city = City::new();
    let row = city.recipient(1, 1, &TWO[0]);
    let uid = city.uid(row);
    let drawn = drawn_up(&mut city, uid, None, "17");
    drawn_up(&mut city, uid, Some(drawn), "71");
    // as it left it
    city.within(|register| Ok(register.tx.renumber_document(drawn, "17|2026-03-05")?));
    let [same, other] = [(12, "71"), (11, "17")]
        .map(|(key, number)| city.receive(1, key, &paper(1, number, "05.03.2026", "05.06.2026")));
    let [same, other] = [same, other].map(|row| city.within(|register| Ok(register.tx.uid_of(row)?)));
    assert_eq!(same, Some(drawn));
    assert!(other.is_some_and(|other| other != drawn));
    let numbers =
        city.within(|register| Ok([drawn, other.expect("one")].map(|uid| register.tx.number_of(uid))));
    let numbers = numbers.map(|number| number.expect("read").expect("stored"));
    assert_eq!(numbers, ["71|2026-03-05", "17|2026-03-05"]);
}

#[test]
fn what_an_older_program_stored_under_another_number_takes_no_paper_of_that_number() {
    let mut city = City::new();
    city.recipient(1, 1, &TWO[0]);
    let numbered = |number: &str| paper(1, number, "10.03.2024", "10.03.2025");
    let dashed = city.receive(1, 11, &numbered("1–72"));
    let of = |city: &mut City, row| city.within(|register| Ok(register.tx.uid_of(row)?)).expect("one");
    let first = of(&mut city, dashed);
    // it dropped what stands between two digits
    city.within(|register| Ok(register.tx.renumber_document(first, "172|2024-03-10")?));
    let plain = city.receive(1, 12, &numbered("172"));
    assert_ne!(of(&mut city, plain), first);
    assert_eq!(of(&mut city, dashed), first);
    let number = city.within(|register| Ok(register.tx.number_of(first)?));
    assert_eq!(number.as_deref(), Some("1-72|2024-03-10"));
}

#[test]
fn a_thousand_written_with_a_blank_is_one_paper_and_neither_one_nor_a_thousand() {
    let mut city = City::new();
    city.recipient(1, 1, &TWO[0]);
    let mut row = |key, number: &str| {
        let row = city.receive(1, key, &paper(1, number, "10.03.2024", "10.03.2025"));
        city.within(|register| Ok(register.tx.uid_of(row)?)).expect("one")
    };
    let [first, again, small, whole] =
        [(11, "1 000"), (12, "1\u{a0}000"), (13, "1"), (14, "1000")].map(|(key, number)| row(key, number));
    assert_eq!(first, again);
    assert!(first != small && first != whole && small != whole);
}
