//! Staff take claims out of a person.

use std::cell::Cell;

use svod_hub::{
    database::drawn::Drawn,
    decisions::{audience::View, drawn::Draft},
};

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
        // each is served by the centre that knows it
        let services = |city: &mut City| {
            city.within(|register| {
                let serves = |unit, uid| register.tx.serves(centre(unit), uid);
                let all = uids.iter().flat_map(|uid| (1..3).map(move |unit| serves(unit, *uid)));
                Ok(all.collect::<Result<Vec<_>, _>>()?)
            })
        };
        city.within(|register| {
            for (uid, unit) in uids.into_iter().zip([1, 2]) {
                register.confirm_all(&[uid].into(), &[centre(unit)].into(), "слияние")?;
            }
            uids.iter().try_for_each(|uid| register.republish(*uid))
        });
        let (before, served) = ((city.told(1), city.told(2)), services(&mut city));
        assert_eq!(served, [true, false, false, true]);
        decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
        assert_eq!(city.uid(rows[1]), uids[0]);
        part(&mut city, uids[0], &[out]);
        assert_eq!(rows.map(|row| city.uid(row)), uids, "{out:?}");
        assert_eq!((city.told(1), city.told(2)), before, "{out:?}");
        assert_eq!(services(&mut city), served, "{out:?}");
    }
}

#[test]
fn a_link_names_all_that_its_claim_was_taken_for_before_and_its_centre_heard_of() {
    let mut city = City::new();
    let third = city.recipient(3, 3, &[("surname", "Чернова"), ("given", "Пелагея")]);
    let rows = [city.recipient(1, 1, &TWO[0]), city.recipient(2, 2, &TWO[1])];
    let [one, other] = rows.map(|row| city.uid(row));
    let third = city.uid(third);
    let named = |city: &mut City| -> Vec<String> {
        let told = city.told(2);
        let link = told.lines().find(|line| line.starts_with("link") && line.contains("recipient_claim"));
        let named = link.and_then(|link| link.split_once("<supersedes>")).map(|(_, after)| after);
        let named = named.and_then(|after| after.split_once('<')).map_or("", |(named, _)| named);
        named.split_whitespace().map(str::to_owned).collect()
    };
    let packets = Cell::new(0);
    let sealed = |city: &mut City| {
        packets.set(packets.get() + 1);
        let packet = packets.get().to_string();
        city.within(|register| {
            for row in register.tx.to_seal(centre(2), Kind::Link, None, true, 10)? {
                register.tx.publication_sealed(centre(2), &row, row.version + 1, &packet)?;
            }
            Ok(())
        });
    };
    sealed(&mut city);
    decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
    assert_eq!(named(&mut city), [other.to_string()]);
    // back, before the centre has heard: as if nothing had been
    part(&mut city, one, &[(2, 2)]);
    assert_eq!(named(&mut city), Vec::<String>::new());
    decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
    sealed(&mut city);
    // to a third person, and home
    decided(&mut city, [(1, 1), (2, 2)], Decision::Different);
    sealed(&mut city);
    decided(&mut city, [(2, 2), (3, 3)], Decision::Same);
    assert_eq!(city.uid(rows[1]), third);
    assert_eq!(named(&mut city), [one.to_string(), other.to_string()], "the oldest first");
    sealed(&mut city);
    decided(&mut city, [(2, 2), (3, 3)], Decision::Different);
    assert_eq!(city.uid(rows[1]), other);
    assert_eq!(
        named(&mut city),
        [one.to_string(), third.to_string()],
        "what it is again, it supersedes no longer"
    );
}

#[test]
fn of_two_papers_of_one_number_another_centre_has_the_one_that_says_the_same() {
    for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1]] {
        let mut city = City::new();
        city.recipient(1, 1, &TWO[0]);
        city.recipient(2, 2, &TWO[0]);
        let paper = |of: u8, until: &str| {
            let of = id(of).to_string();
            let fields =
                [("recipient", &*of), ("number", "17"), ("date", "10.03.2026"), ("valid_until", until)];
            body(Kind::ProgrammeClaim, &fields)
        };
        // one centre has two papers of this number and date, the other one of them
        let papers =
            [(1, 11, paper(1, "10.09.2026")), (1, 12, paper(1, "10.03.2027")), (2, 21, paper(2, "10.03.27"))];
        let mut uids = [None; 3];
        let ids = order.map(|at| {
            let (unit, key, body) = &papers[at];
            (at, city.receive(*unit, *key, body))
        });
        city.within(|register| {
            for (at, id) in ids {
                uids[at] = register.tx.uid_of(id)?;
            }
            Ok(())
        });
        assert!(uids[1] == uids[2] && uids[0] != uids[1], "{order:?}: {uids:?}");
        // looked at again, in any order, each is what it was
        city.within(|register| {
            for _ in 0..2 {
                for (at, id) in ids {
                    register.settle_document(id)?;
                    assert_eq!(register.tx.uid_of(id)?, uids[at], "{order:?}");
                }
            }
            Ok(())
        });
    }
}

#[test]
fn supplements_of_one_number_to_two_programmes_are_two_whatever_comes_first() {
    for order in [[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 1, 0], [3, 2, 0, 1], [2, 0, 3, 1]] {
        let mut city = City::new();
        city.recipient(1, 1, &TWO[0]);
        city.recipient(2, 2, &TWO[0]);
        let paper = |kind, of: u8, programme: Option<u8>, fields: &[(&str, &str)]| {
            let (of, programme) = (id(of).to_string(), programme.map(|programme| id(programme).to_string()));
            let mut all = vec![("recipient", of.as_str())];
            all.extend(programme.as_deref().map(|programme| ("programme", programme)));
            body(kind, &[&all[..], fields].concat())
        };
        let programme = |of, date| paper(Kind::ProgrammeClaim, of, None, &[("number", "17"), ("date", date)]);
        city.receive(1, 11, &programme(1, "10.03.2025"));
        city.receive(1, 12, &programme(1, "10.03.2026"));
        city.receive(2, 21, &programme(2, "10.03.26"));
        // every programme has its first supplement; the fourth names none, and is the one that its centre knows of
        let supplement = |of, programme| {
            paper(Kind::SupplementClaim, of, programme, &[("number", "Д-1"), ("date", "11.03.2026")])
        };
        let papers = [
            (1, 13, supplement(1, Some(11))),
            (1, 14, supplement(1, Some(12))),
            (2, 23, supplement(2, Some(21))),
            (2, 24, supplement(2, None)),
        ];
        let ids = order.map(|at| {
            let (unit, key, body) = &papers[at];
            (at, city.receive(*unit, *key, body))
        });
        let mut first: Option<Vec<_>> = None;
        for _ in 0..3 {
            let mut uids = [None; 4];
            city.within(|register| {
                for (at, id) in ids {
                    uids[at] = register.tx.uid_of(id)?;
                }
                for (_, id) in ids {
                    register.settle_document(id)?;
                }
                Ok(())
            });
            assert!(uids[1] == uids[2] && uids[0] != uids[1], "{order:?}: {uids:?}");
            assert!(uids.iter().all(Option::is_some), "{order:?}: {uids:?}");
            // looked at again, each is what it was
            assert_eq!(*first.get_or_insert(uids[..3].to_vec()), uids[..3], "{order:?}");
        }
    }
}

/// A paper of the row `of` with this number, of 10.03.2026.
fn numbered(of: u8, number: &str, service: &str) -> Body {
    let of = id(of).to_string();
    let mut paper = body(
        Kind::ProgrammeClaim,
        &[("recipient", &*of), ("number", number), ("date", "10.03.2026"), ("status", "завершена")],
    );
    let line = paper.add_line();
    for (field, value) in [("no", "1"), ("service_kind", "1"), ("name", service)] {
        line.set(field, value).expect("plain");
    }
    paper
}

#[test]
fn a_number_that_two_centres_type_otherwise_is_one_and_two_that_a_dash_parts_are_two() {
    for (one, other, is_one) in [
        ("17-А", "17-A", true),
        ("017", "17 от 10.03.2026", true),
        ("17–2026", "17-2026", true),
        ("1–72", "172", false),
        ("17 от 11.03.2026", "17", false),
    ] {
        let mut city = City::new();
        let row = city.recipient(1, 1, &TWO[0]);
        city.recipient(2, 2, &TWO[0]);
        let first = city.receive(1, 11, &numbered(1, one, "Кормление"));
        let second = city.receive(2, 21, &numbered(2, other, "Кормление"));
        let person = city.uid(row);
        city.within(|register| {
            let documents = register.tx.documents_of(person)?;
            assert_eq!(documents.len(), if is_one { 1 } else { 2 }, "{one} {other}");
            assert_eq!(register.tx.uid_of(first)? == register.tx.uid_of(second)?, is_one, "{one} {other}");
            // the number is published as it was typed
            let file = register.file(person)?.expect("there");
            let typed =
                file.documents.iter().filter_map(|document| document.published(View::Everything, person));
            let typed: Vec<_> = typed.filter_map(|body| body.text("number").map(str::to_owned)).collect();
            assert!(typed.contains(&one.to_owned()), "{typed:?}");
            Ok(())
        });
    }
}

#[test]
fn what_a_program_before_stored_under_its_own_reading_of_a_number_is_the_same_document() {
    for (stored, typed, again) in [
        ("017", "017", "17"),
        ("17-A", "17-A", "17-а"),
        ("172", "1–72", "1-72"),
        ("17ОТ10032026", "17 от 10.03.2026", "17"),
    ] {
        let mut city = City::new();
        let row = city.recipient(1, 1, &TWO[0]);
        city.recipient(2, 2, &TWO[0]);
        let claim = city.receive(1, 11, &numbered(1, typed, "Кормление"));
        let document = city.within(|register| Ok(register.tx.uid_of(claim)?)).expect("a document");
        let person = city.uid(row);
        city.within(|register| {
            register.tx.renumber_document(document, &format!("{stored}|2026-03-10"))?;
            Ok(())
        });
        city.receive(1, 11, &numbered(1, typed, "Уборка"));
        let other = city.receive(2, 21, &numbered(2, again, "Уборка"));
        city.within(|register| {
            assert_eq!(register.tx.uid_of(claim)?, Some(document), "{typed}");
            assert_eq!(register.tx.uid_of(other)?, Some(document), "{again}");
            assert_eq!(register.tx.documents_of(person)?.len(), 1, "{typed}");
            Ok(())
        });
    }
}

#[test]
fn of_two_papers_of_a_centre_the_one_that_staff_have_drawn_up_is_theirs_whichever_came_first() {
    for order in [[0, 1], [1, 0]] {
        let mut city = City::new();
        let row = city.recipient(1, 1, &TWO[0]);
        let person = city.uid(row);
        let mut drawn = Body::new(Kind::Programme);
        let paper = numbered(1, "17", "Уборка");
        for (field, value) in [
            ("recipient", &*person.to_string()),
            ("number", "17"),
            ("date", "2026-03-10"),
            ("status", "завершена"),
        ] {
            drawn.set(field, value).expect("plain");
        }
        let line = drawn.add_line();
        for (field, value) in [("no", "1"), ("service_kind", "1"), ("name", "Уборка")] {
            line.set(field, value).expect("plain");
        }
        let draft = Draft { person: Some(person), body: drawn };
        let key = city.within(|register| {
            let key = register.new_key(&draft)?.expect("one");
            let drawn = Drawn { key, id: "H".into(), person: Some(person), body: draft.body.clone() };
            register.draw(&drawn, "составлена")?;
            Ok(key)
        });
        let papers = [numbered(1, "17", "Кормление"), paper];
        let ids = order.map(|at| (at, city.receive(1, 11 + u8::try_from(at).expect("small"), &papers[at])));
        city.within(|register| {
            for _ in 0..2 {
                for (at, id) in ids {
                    assert_eq!(register.tx.uid_of(id)? == Some(key), at == 1, "{order:?}");
                    register.settle_document(id)?;
                }
            }
            Ok(())
        });
        let told = city.told(1);
        assert_eq!((told.matches("Кормление").count(), told.matches("Уборка").count()), (1, 1), "{told}");
    }
}
