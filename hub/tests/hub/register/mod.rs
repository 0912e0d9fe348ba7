//! The register over a real database: who becomes one person, what is published to whom. Longer than 500 lines
//! because each rule of joining and parting is shown on the same few people.

mod faults;
mod order;
mod papers;
mod parting;
mod taken_back;

use std::collections::BTreeSet;

use exchange_format::{
    lists::Lists,
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Form, Kind, Record, RecordId},
    snils::Snils,
};

use svod_hub::edges::register::*;
use svod_hub::{
    database::{
        Store,
        centres::{Centre, ClientCertificate},
        linking::{Act, StaffDecision},
        received::{Arrived, ClaimId, Standing},
    },
    decisions::{
        case_number::CaseNumbering,
        merge::{candidates::LARGEST, staff::Decision},
    },
};

struct City {
    _dir: tempfile::TempDir,
    store: Store,
    numbering: CaseNumbering,
    issued: u64,
    second_signature: bool,
}

fn centre(unit: u16) -> ParticipantCode {
    ParticipantCode::new(42, unit)
}

fn id(n: u8) -> RecordId {
    RecordId::from_random([n; 16])
}

fn body(kind: Kind, fields: &[(&str, &str)]) -> Body {
    let mut body = Body::new(kind);
    for (field, value) in fields {
        body.set(field, value).expect("plain");
    }
    body
}

/// The first version of a record of `origin`, applied.
pub fn arrived(origin: ParticipantCode, kind: Kind, key: RecordId, body: &[u8]) -> Arrived<'_> {
    Arrived {
        origin,
        kind,
        key,
        version: 1,
        form: Form::Live,
        hash: Digest::of(body),
        body,
        outcome: "new",
        rule: None,
        packet: "P",
        standing: Standing::Applied,
        keep_basis: false,
    }
}

impl City {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::create(&dir.path().join("hub.db")).expect("made");
        let numbering = CaseNumbering::new("42", "32701000").expect("good");
        Self { _dir: dir, store, numbering, issued: 0, second_signature: false }
    }

    fn within<T>(&mut self, work: impl FnOnce(&Register<'_>) -> Result<T, RegisterError>) -> T {
        let (numbering, issued, second_signature) = (&self.numbering, self.issued, self.second_signature);
        let done = self.store.write(|tx| {
            work(&Register {
                tx,
                hub: centre(0),
                numbering,
                issued,
                lists: Lists::shipped(),
                lists_digest: &Digest::of(b""),
                second_signature,
                actor: "test",
                now: "2026-11-21T00:00:00Z".parse().expect("a time"),
            })
        });
        done.expect("done")
    }

    /// Receives a record and takes it in.
    fn receive(&mut self, unit: u16, key: u8, body: &Body) -> ClaimId {
        let row = self.stored(unit, id(key), body);
        self.within(|register| {
            let referent = body.kind() != Kind::RecipientClaim;
            if referent && let Some(of) = body.text("recipient").and_then(|text| text.parse().ok()) {
                register.tx.set_references(centre(unit), row, &[of], true)?;
            }
            if body.kind() == Kind::RecipientClaim {
                register.take_in(&[row], &[])?;
            } else {
                register.take_in(&[], &[row])?;
            }
            Ok(row)
        })
    }

    fn stored(&mut self, unit: u16, key: RecordId, body: &Body) -> ClaimId {
        let bytes = body.to_xml();
        self.within(|register| {
            let known = register.tx.known(centre(unit), body.kind(), key)?.map(|known| known.id);
            let arrived = arrived(centre(unit), body.kind(), key, &bytes);
            Ok(register.tx.store_received(known, &arrived)?.expect("stored"))
        })
    }

    fn recipient(&mut self, unit: u16, key: u8, fields: &[(&str, &str)]) -> ClaimId {
        self.receive(unit, key, &body(Kind::RecipientClaim, fields))
    }

    fn uid(&mut self, row: ClaimId) -> RecordId {
        self.within(|register| Ok(register.tx.uid_of(row)?)).expect("a person")
    }

    /// Everything published to a centre, as text.
    fn told(&mut self, unit: u16) -> String {
        self.within(|register| {
            let mut text = String::new();
            for kind in Kind::ALL {
                for one in register.tx.to_seal(centre(unit), kind, None, true, 1000)? {
                    let body = String::from_utf8(one.body).expect("UTF-8");
                    text.extend([format!("{kind} {} {} ", one.key, one.form), body, "\n".to_owned()]);
                }
            }
            Ok(text)
        })
    }
}

fn snils(n: u32) -> String {
    Snils::from_number(n).to_form()
}

const ANNA: [(&str, &str); 4] =
    [("surname", "Белова"), ("given", "Анна"), ("patronymic", "Ильинична"), ("birth_date", "12.03.1945")];

fn anna(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&ANNA, more].concat()
}

#[test]
fn two_claims_of_one_person_get_one_uid_and_one_case_number() {
    let mut city = City::new();
    let one = city.recipient(1, 1, &anna(&[("phone", "89061234567")]));
    let two = city.recipient(2, 2, &anna(&[("phone", "+7 906 123-45-67")]));
    let other = city.recipient(2, 3, &[("surname", "Зуев"), ("given", "Пётр")]);
    assert_eq!(city.uid(one), city.uid(two));
    assert_ne!(city.uid(one), city.uid(other));
    let told = city.told(2);
    assert_eq!(told.matches("<person>").count(), 2);
    assert_eq!(told.matches("<link>").count(), 2);
}

/// The hub is put back from a copy: the watermark knows of numbers that the database does not.
#[test]
fn a_number_that_was_ever_told_is_not_given_to_another() {
    let mut city = City::new();
    city.recipient(1, 1, &anna(&[]));
    city.issued = 7;
    let told = body(Kind::Person, &[("case_number", "42-32701000-000003-9")]);
    let mirror = Record::live(id(9), 1, &told);
    let petr =
        city.recipient(1, 2, &[("surname", "Петров"), ("given", "Пётр"), ("birth_date", "1940-01-02")]);
    city.within(|register| register.take_back_person(&mirror));
    let petr = city.uid(petr);
    let number = |city: &mut City, uid| {
        city.within(|register| Ok(register.tx.person(uid)?.map(|person| person.case_number).expect("known")))
    };
    assert_eq!(&number(&mut city, petr)[12..18], "000008");
    assert_eq!(number(&mut city, id(9)), "42-32701000-000003-9");
}

/// The hub is put back from a copy made before staff parted two claims; what it told then comes back in a mirror.
#[test]
fn whom_staff_have_parted_is_parted_again() {
    let mut city = City::new();
    let (one, other) = (city.recipient(1, 1, &anna(&[])), city.recipient(2, 2, &anna(&[])));
    let uid = city.uid(one);
    assert_eq!(city.uid(other), uid);
    let person = Record::live(id(9), 1, &body(Kind::Person, &[("case_number", "42-32701000-000003-9")]));
    let words = [("claim_kind", "recipient_claim"), ("target", &id(9).to_string()), ("primary", "1")];
    let link = Record::live(id(2), 2, &body(Kind::Link, &words));
    city.within(|register| {
        register.take_back_person(&person)?;
        let later = register.later_link(centre(2), &link)?.expect("later than what was told");
        assert_eq!(later, ((centre(2), id(2)), id(9)));
        register.part_back(&[later].into())
    });
    assert_eq!((city.uid(one), city.uid(other)), (uid, id(9)));
    let told = [1, 2].map(|unit| city.told(unit));
    assert!(told[0].contains(&uid.to_string()) && !told[0].contains(&id(9).to_string()), "{}", told[0]);
    assert!(told[1].contains(&id(9).to_string()), "{}", told[1]);
    // a whole person that was joined to another since stays as the copy has it
    city.within(|register| register.part_back(&[((centre(2), id(2)), uid)].into()));
    assert_eq!(city.uid(other), id(9));
}

#[test]
fn who_died_before_the_other_first_applied_is_another_person() {
    let phone = ("phone", "89061234567");
    let dead = anna(&[phone, ("status", "умерла"), ("status_date", "01.02.2020")]);
    let programme = |of: u8, day: &'static str| {
        let of = id(of).to_string();
        body(Kind::ProgrammeClaim, &[("recipient", of.as_str()), ("number", "1"), ("application_date", day)])
    };
    // (applied, before the death is known; one person): what is published by then stands (ADR 17)
    for (day, before, one) in
        [("01.02.2020", true, true), ("02.02.2020", true, false), ("02.02.2020", false, true)]
    {
        let mut city = City::new();
        let living = city.recipient(1, 1, &anna(&[phone]));
        // what is no paper of an application has no day
        city.receive(1, 8, &body(Kind::Contact, &[("recipient", &id(1).to_string()), ("type", "phone")]));
        let application = programme(1, day);
        if before {
            city.receive(1, 7, &application);
        }
        let other = city.recipient(2, 2, &dead);
        if !before {
            city.receive(1, 7, &application);
        }
        let same = city.uid(living) == city.uid(other);
        let (asked, evidence) = city.within(|register| {
            let asked = register.tx.open_reviews(0, 10)?.into_iter().map(|one| one.reason);
            Ok((asked.collect::<Vec<_>>(), register.explain(living, other)?.expect("both stand").1))
        });
        // staff say what is wrong where it contradicts what stands
        let expected: &[&str] = if one && day == "02.02.2020" { &["DEATH"] } else { &[] };
        assert_eq!((same, evidence.dead_before), (one, day == "02.02.2020"), "{day} {before}");
        assert_eq!(asked, expected, "{day} {before}");
        assert!(evidence.bits > 7.0, "the fields alone would link them");
    }
}

#[test]
fn a_death_that_contradicts_a_published_person_is_asked_about_until_it_is_answered() {
    let phone = ("phone", "89061234567");
    let mut city = City::new();
    let (living, other) = (city.recipient(1, 1, &anna(&[phone])), city.recipient(2, 2, &anna(&[phone])));
    let of = id(1).to_string();
    let programme = |day| {
        let fields = [("recipient", of.as_str()), ("number", "1"), ("application_date", day)];
        body(Kind::ProgrammeClaim, &fields)
    };
    city.receive(1, 7, &programme("02.02.2020"));
    let whole = city.uid(living);
    assert_eq!(city.uid(other), whole);
    let asked = |city: &mut City| {
        let open = city.within(|register| Ok(register.tx.open_reviews(0, 10)?));
        open.into_iter().map(|one| (one.reason, one.one.1, one.other.1)).collect::<Vec<_>>()
    };
    let question = [("DEATH".to_owned(), id(1), id(2))];
    assert_eq!(asked(&mut city), []);
    // the death of the other, before that
    let dead = anna(&[phone, ("status", "умерла"), ("status_date", "01.02.2019")]);
    city.recipient(2, 2, &dead);
    assert_eq!(asked(&mut city), question);
    assert_eq!((city.uid(living), city.uid(other)), (whole, whole), "what is published stands");
    assert!(city.within(|register| register.explain(living, other)).expect("both stand").1.dead_before);
    // the application was typed wrongly: the question has answered itself, and comes again
    city.receive(1, 7, &programme("02.02.2018"));
    assert_eq!(asked(&mut city), []);
    city.receive(1, 7, &programme("02.02.2020"));
    assert_eq!(asked(&mut city), question);
    // an answer holds, in either direction
    let answered = |city: &mut City, decision, word| {
        city.within(|register| {
            let review = register.tx.open_reviews(0, 10)?.pop().expect("asked");
            let act = Act { actor: "staff", reason: "сверено", at: "2026-11-21T00:00:00Z" };
            Ok(register.tx.decide_review(review.n, word, act)?)
        });
        decided(city, [(1, 1), (2, 2)], decision);
        city.receive(1, 7, &programme("02.02.2020"));
        asked(city)
    };
    assert_eq!(answered(&mut city, Decision::Same, "same"), []);
    assert_eq!(city.uid(other), whole);
    decided(&mut city, [(1, 1), (2, 2)], Decision::Different);
    assert_ne!(city.uid(living), city.uid(other));
}

/// Staff said «один» before the death was known: a new fact, of which they are told once.
#[test]
fn a_death_that_contradicts_what_staff_have_said_is_asked_about_once() {
    let mut city = City::new();
    let (one, other) = (city.recipient(1, 1, &TWO[0]), city.recipient(2, 2, &TWO[1]));
    let open = |city: &mut City| city.within(|register| Ok(register.tx.open_reviews(0, 10)?));
    let act = Act { actor: "staff", reason: "сверено", at: "2026-11-21T00:00:00Z" };
    let answer = |city: &mut City| {
        city.within(|register| {
            let (one, other) = ((centre(1), id(1)), (centre(2), id(2)));
            register.tx.open_review("pair", "NAMESAKES", one, other, act.at)?;
            let n = register.tx.review_of("pair", one, other)?.expect("asked");
            Ok(register.tx.decide_review(n, "same", act)?)
        });
        decided(city, [(1, 1), (2, 2)], Decision::Same);
    };
    answer(&mut city);
    assert_eq!(city.uid(one), city.uid(other));
    let of = id(1).to_string();
    let fields = [("recipient", of.as_str()), ("number", "1"), ("application_date", "02.02.2020")];
    city.receive(1, 7, &body(Kind::ProgrammeClaim, &fields));
    assert_eq!(open(&mut city), []);
    let dead = [&TWO[1][..], &[("status", "умерла"), ("status_date", "01.02.2020")]].concat();
    city.recipient(2, 2, &dead);
    assert_eq!(open(&mut city).iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["DEATH"]);
    answer(&mut city);
    assert_eq!(open(&mut city), []);
    city.recipient(2, 2, &dead);
    assert_eq!(open(&mut city), [], "it was answered");
    assert_eq!(city.uid(one), city.uid(other));
}

#[test]
fn any_order_of_arrival_makes_the_same_people() {
    type Told<'a> = (u16, u8, Vec<(&'a str, &'a str)>);
    let number = snils(112_233_446);
    let claims: Vec<Told<'_>> = vec![
        (1, 1, anna(&[("phone", "89061234567")])),
        (2, 2, [&ANNA[..], &[("snils", number.as_str()), ("phone", "9061234567")]].concat()),
        (3, 3, vec![("surname", "Зуева"), ANNA[1], ANNA[3], ("snils", number.as_str())]),
        (4, 4, anna(&[("address_live", "ул. Мира 1-2")])),
        (5, 5, anna(&[("address_live", "Мира ул., д. 1, кв. 2"), ("phone", "89061234567")])),
        (6, 6, vec![("surname", "Зуев"), ("given", "Пётр")]),
    ];
    let groups = |order: &[usize]| {
        let mut city = City::new();
        let rows: Vec<(u8, ClaimId)> = order
            .iter()
            .map(|at| {
                let (unit, key, fields) = &claims[*at];
                (*key, city.recipient(*unit, *key, fields))
            })
            .collect();
        let mut people: std::collections::BTreeMap<RecordId, BTreeSet<u8>> =
            std::collections::BTreeMap::new();
        for (key, row) in rows {
            people.entry(city.uid(row)).or_default().insert(key);
        }
        people.into_values().collect::<BTreeSet<_>>()
    };
    let expected = groups(&[0, 1, 2, 3, 4, 5]);
    assert_eq!(expected.len(), 2, "{expected:?}");
    for order in [[5, 4, 3, 2, 1, 0], [2, 0, 4, 1, 5, 3], [3, 5, 0, 2, 4, 1]] {
        assert_eq!(groups(&order), expected);
    }
}

#[test]
fn a_claim_with_the_year_alone_finds_its_person_and_keeps_what_was_typed() {
    let mut city = City::new();
    let phone = ("phone", "89061234567");
    let whole = city.recipient(1, 1, &anna(&[phone]));
    let year = [ANNA[0], ANNA[1], ANNA[2], phone, ("birth_date", "00.00.1945")];
    let known = city.recipient(2, 2, &year);
    assert_eq!(city.uid(whole), city.uid(known));
    let (typed, said) = city.within(|register| {
        let (model, evidence) = register.explain(whole, known)?.expect("both stand");
        let said = evidence.said.into_iter().map(|said| (model.fields[said.field].name.clone(), said.level));
        let typed = register.tx.received(known)?.expect("there").claim.body;
        Ok((typed.text("birth_date").map(str::to_owned), said.collect::<Vec<_>>()))
    });
    assert_eq!(typed.as_deref(), Some("00.00.1945"));
    assert!(said.contains(&("birth".to_owned(), "year_known")), "{said:?}");
    let other = [ANNA[0], ANNA[1], ANNA[2], ("birth_date", "1971")];
    let other = city.recipient(3, 3, &other);
    assert_ne!(city.uid(whole), city.uid(other));
}

#[test]
fn so_many_records_as_no_person_has_are_asked_about_and_not_joined() {
    let mut city = City::new();
    let fields = anna(&[("phone", "89061234567")]);
    let rows: Vec<ClaimId> =
        (1..=20).map(|n| city.stored(1, id(n), &body(Kind::RecipientClaim, &fields))).collect();
    city.within(|register| register.take_in(&rows, &[]));
    let people: BTreeSet<RecordId> = rows.iter().map(|row| city.uid(*row)).collect();
    assert_eq!(people.len(), 20);
    let asked = |city: &mut City| {
        let open = city.within(|register| Ok(register.tx.open_reviews(0, 1000)?));
        assert!(open.iter().all(|one| one.reason == "OVERSIZE"), "{open:?}");
        open.into_iter().map(|one| (one.one.1, one.other.1)).collect::<BTreeSet<_>>()
    };
    let first = asked(&mut city);
    // each once, and not each with each
    assert!(first.len() < 20, "{}", first.len());
    let named: BTreeSet<RecordId> = first.iter().flat_map(|(one, other)| [*one, *other]).collect();
    assert_eq!(named.len(), 20, "nobody is passed over");
    // who is said to be another is asked about with the next
    let (one, other) = first.first().copied().expect("asked");
    let key = |id: RecordId| (1..=20).find(|n| self::id(*n) == id).expect("of these");
    decided(&mut city, [(1, key(one)), (1, key(other))], Decision::Different);
    let then = asked(&mut city);
    assert!(!then.contains(&(one, other)));
    assert!([one, other].iter().all(|id| then.iter().any(|pair| pair.0 == *id || pair.1 == *id)));
    // who is said to be one is one, however many they are; those who are left are so many no more
    for n in 2..=20 {
        if key(one) != n && key(other) != n {
            decided(&mut city, [(1, key(one).min(n)), (1, key(one).max(n))], Decision::Same);
        }
    }
    let people: BTreeSet<RecordId> = rows.iter().map(|row| city.uid(*row)).collect();
    assert_eq!(people.len(), 2);
}

#[test]
fn a_question_that_two_others_mostly_answer_is_asked_after_them() {
    let mut city = City::new();
    let woman = |given| {
        let shared = [("patronymic", "Петровна"), ("birth_date", "03.04.1950"), ("phone", "89061234567")];
        let number = ("snils", "087-654-303 00");
        [("surname", "Двойникова"), ("given", given), ("sex", "ж"), number]
            .into_iter()
            .chain(shared)
            .collect()
    };
    let claims = ["Анна", "Алла", "А."].map(woman).map(|fields: Vec<_>| body(Kind::RecipientClaim, &fields));
    let rows: Vec<ClaimId> =
        (1..).zip(&claims).map(|(n, claim)| city.receive(u16::from(n), n, claim)).collect();
    let asked = |city: &mut City| {
        let open = city.within(|register| Ok(register.tx.open_reviews(0, 1000)?));
        open.into_iter().map(|one| (one.one.1, one.other.1, one.reason)).collect::<BTreeSet<_>>()
    };
    let question = |one, other, reason: &str| (id(one), id(other), reason.to_owned());
    let [anna, alla] = [question(1, 3, "OTHERS"), question(2, 3, "OTHERS")];
    assert_eq!(
        asked(&mut city),
        [question(1, 2, "TWINS")].into(),
        "«А.» is as like to the one as to the other"
    );
    let people: BTreeSet<RecordId> = rows.iter().map(|row| city.uid(*row)).collect();
    assert_eq!(people.len(), 3);
    for uid in people {
        let waits_for = city.within(|register| register.questions_of(uid));
        assert_eq!(waits_for.len(), 1, "all three wait for its answer");
    }
    decided(&mut city, [(1, 1), (2, 2)], Decision::Different);
    assert_eq!(asked(&mut city), [anna, alla].into(), "she is either");
    decided(&mut city, [(1, 1), (3, 3)], Decision::Different);
    assert_eq!(asked(&mut city), BTreeSet::new());
    assert_eq!(city.uid(rows[1]), city.uid(rows[2]), "she is the other");
    // and if the two are one, she is that one
    decided(&mut city, [(1, 1), (3, 3)], Decision::Same);
    decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
    assert_eq!(asked(&mut city), BTreeSet::new());
}

/// Two people who have nothing in common but a given name.
const TWO: [[(&str, &str); 5]; 2] = [
    [ANNA[0], ANNA[1], ANNA[3], ("phone", "89061234567"), ("workplace", "Завод")],
    [("surname", "Зуева"), ANNA[1], ANNA[2], ("snils", "112-233-446 96"), ("workplace", "Шахта")],
];

fn decided(city: &mut City, pair: [(u16, u8); 2], decision: Decision) {
    city.within(|register| {
        let [one, other] = pair.map(|(unit, key)| (centre(unit), id(key)));
        let act = Act { actor: "staff", reason: "сверено", at: "2026-11-21T00:00:00Z" };
        register.tx.add_staff_decision("pair", &StaffDecision { one, other, decision }, act)?;
        let row = |unit, key| register.tx.known(centre(unit), Kind::RecipientClaim, id(key));
        let rows =
            [row(pair[0].0, pair[0].1)?, row(pair[1].0, pair[1].1)?].map(|known| known.expect("there").id);
        register.take_in(&rows, &[]).map(|_| ())
    });
}

#[test]
fn a_later_claim_joins_no_two_people_and_breaks_none_up() {
    let mut city = City::new();
    let [one, two] = [city.recipient(1, 1, &TWO[0]), city.recipient(2, 2, &TWO[1])];
    let (older, younger) = (city.uid(one), city.uid(two));
    assert_ne!(older, younger);
    let before = (city.told(1), city.told(2));
    // the names, date and phone of the one; the number of the other
    let third = city.recipient(3, 3, &anna(&[TWO[0][3], TWO[1][3]]));
    assert_eq!((city.uid(one), city.uid(two)), (older, younger));
    assert!(![older, younger].contains(&city.uid(third)), "it joins neither: that would be a guess");
    assert_eq!((city.told(1), city.told(2)), before);
    assert_eq!(city.told(3), "", "provisional, until staff decide");
    let asked = |city: &mut City| {
        let open = city.within(|register| Ok(register.tx.open_reviews(0, 10)?));
        open.iter().map(|one| (one.one.1, one.other.1)).collect::<BTreeSet<_>>()
    };
    assert_eq!(asked(&mut city), [(id(1), id(3)), (id(2), id(3))].into());
    // a person of two claims is not broken up by one that is like half of it
    let fourth = city.recipient(4, 4, &TWO[0]);
    assert_eq!(city.uid(fourth), older);
    city.recipient(5, 5, &anna(&[("snils", "087-654-303 00"), TWO[0][3]]));
    assert_eq!((city.uid(one), city.uid(fourth)), (older, older));
    // staff say whose it is; then the two are alike, and staff are asked of them
    decided(&mut city, [(1, 1), (3, 3)], Decision::Same);
    assert_eq!((city.uid(third), city.uid(two)), (older, younger));
    assert!(asked(&mut city).contains(&(id(2), id(3))));
    decided(&mut city, [(2, 2), (3, 3)], Decision::Same);
    assert_eq!(city.uid(two), older);
    let merged = city.within(|register| Ok(register.tx.person(younger)?)).expect("kept");
    assert_eq!(merged.merged_into, Some(older));
}

#[test]
fn what_staff_join_and_part_again_is_as_it_was() {
    let mut city = City::new();
    // the younger number has the lesser claim
    let [two, one] = [city.recipient(2, 2, &TWO[1]), city.recipient(1, 1, &TWO[0])];
    for (unit, key, number) in [(1, 11, "77"), (2, 12, "77"), (2, 13, "78")] {
        let recipient = id(if unit == 1 { 1 } else { 2 }).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2020")];
        city.receive(unit, key, &body(Kind::ProgrammeClaim, &fields));
    }
    let uids = [city.uid(one), city.uid(two)];
    let act = Act { actor: "staff", reason: "паспорт", at: "2026-11-21T00:00:00Z" };
    city.within(|register| {
        for (unit, uid) in [(1, uids[0]), (2, uids[1])] {
            register.confirm(centre(unit), uid, "обслуживается")?;
        }
        register.tx.set_entry(uids[0], "email", "anna@example.org", act)?;
        for uid in uids {
            register.republish(uid)?;
        }
        Ok(())
    });
    let picture = |city: &mut City| {
        let people = uids.map(|uid| city.within(|register| Ok(register.tx.person(uid)?)));
        (city.told(1), city.told(2), people, [city.uid(one), city.uid(two)])
    };
    let before = picture(&mut city);
    assert!(!before.1.contains("anna@example.org"));
    decided(&mut city, [(1, 1), (2, 2)], Decision::Same);
    assert_eq!([city.uid(one), city.uid(two)], [uids[1]; 2], "the older number stays");
    let joined = city.told(2);
    assert!(
        joined.contains("anna@example.org") && joined.contains("Завод"),
        "both centres serve the one: {joined}"
    );
    assert!(city.told(1).contains(">78<"));
    decided(&mut city, [(1, 1), (2, 2)], Decision::Different);
    assert_eq!(picture(&mut city), before);
}

#[test]
fn staff_part_two_people_and_each_side_is_published_from_its_own_claims() {
    let mut city = City::new();
    let one = city.recipient(1, 1, &anna(&[("phone", "89061234567"), ("workplace", "Завод")]));
    let two = city.recipient(2, 2, &anna(&[("phone", "89061234567"), ("workplace", "Шахта")]));
    let whole = city.uid(one);
    city.within(|register| {
        register.confirm_all(&[whole].into(), &[centre(1), centre(2)].into(), "слияние")?;
        register.republish(whole)
    });
    assert!(city.told(2).contains("Завод"));
    city.within(|register| {
        let decision = StaffDecision {
            one: (centre(1), id(1)),
            other: (centre(2), id(2)),
            decision: Decision::Different,
        };
        let act = Act { actor: "staff", reason: "сёстры", at: "2026-11-21T00:00:00Z" };
        register.tx.add_staff_decision("pair", &decision, act)?;
        register.take_in(&[one], &[]).map(|_| ())
    });
    assert_ne!(city.uid(one), city.uid(two));
    assert_eq!(city.uid(one), whole);
    let told = city.told(2);
    assert!(!told.lines().any(|line| line.contains("live") && line.contains("Завод")), "{told}");
    assert!(told.contains("Шахта"));
}

#[test]
fn nothing_of_another_centre_is_told_before_confirmation() {
    let mut city = City::new();
    city.recipient(1, 1, &anna(&[("phone", "89061234567"), ("workplace", "Завод")]));
    let programme = body(
        Kind::ProgrammeClaim,
        &[("recipient", &id(1).to_string()), ("number", "77"), ("date", "01.02.2026")],
    );
    city.receive(1, 11, &programme);
    let late = city.recipient(2, 2, &anna(&[("phone", "89061234567")]));
    let told = city.told(2);
    for foreign in ["Завод", ">77<", &id(1).to_string(), &id(11).to_string(), centre(1).as_str()] {
        assert!(!told.contains(foreign), "{foreign} leaked: {told}");
    }
    assert!(told.contains("case_number"));
    assert!(city.told(1).contains(">77<"));
    // staff confirm, and the whole person is told, still without foreign keys
    let uid = city.uid(late);
    city.within(|register| {
        assert!(register.confirm(centre(2), uid, "обслуживается")?);
        assert!(!register.confirm(centre(2), uid, "ещё раз")?);
        register.republish(uid)
    });
    let told = city.told(2);
    assert!(told.contains("Завод") && told.contains(">77<"));
    assert!(!told.contains(&id(1).to_string()) && !told.contains(&id(11).to_string()));
}

#[test]
fn a_programme_of_two_centres_is_one_document() {
    let mut city = City::new();
    let one = city.recipient(1, 1, &anna(&[("phone", "89061234567")]));
    city.recipient(2, 2, &anna(&[("phone", "89061234567")]));
    for (unit, person, key) in [(1, 1, 11), (2, 2, 12)] {
        let fields =
            [("recipient", id(person).to_string()), ("number", "77".into()), ("date", "01.02.2026".into())];
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(field, value)| (*field, value.as_str())).collect();
        city.receive(unit, key, &body(Kind::ProgrammeClaim, &fields));
    }
    let uid = city.uid(one);
    let documents = city.within(|register| Ok(register.tx.documents_of(uid)?));
    assert_eq!(documents.len(), 1);
    assert!(city.told(2).contains(&documents[0].0.to_string()));
}

#[test]
fn overlapping_programmes_are_not_published_until_decided() {
    let mut city = City::new();
    let one = city.recipient(1, 1, &ANNA);
    for (key, number) in [(11, "77"), (12, "78")] {
        let recipient = id(1).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        city.receive(1, key, &body(Kind::ProgrammeClaim, &fields));
    }
    assert!(!city.told(1).contains("<programme>"));
    let review = city.within(|register| Ok(register.tx.open_reviews(0, 10)?)).pop().expect("a collision");
    assert_eq!((review.kind.as_str(), review.reason.as_str()), ("programme", "OVERLAP"));
    let uid = city.uid(one);
    city.within(|register| {
        let act = Act { actor: "staff", reason: "обе действуют", at: "2026-11-21T00:00:00Z" };
        let decision = StaffDecision { one: review.one, other: review.other, decision: Decision::Different };
        register.tx.add_staff_decision("programme", &decision, act)?;
        register.republish(uid)
    });
    assert_eq!(city.told(1).matches("<programme>").count(), 2);
}

#[test]
fn two_programmes_that_staff_call_one_become_one_and_may_be_parted_again() {
    let mut city = City::new();
    let one = city.recipient(1, 1, &ANNA);
    let mut claims = Vec::new();
    for (key, number) in [(11, "77"), (12, "77-а")] {
        let recipient = id(1).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "01.02.2026")];
        claims.push(city.receive(1, key, &body(Kind::ProgrammeClaim, &fields)));
    }
    let review = city.within(|register| Ok(register.tx.open_reviews(0, 10)?)).pop().expect("a collision");
    let pair = [review.one.1, review.other.1];
    let uid = city.uid(one);
    let decide = |city: &mut City, decision| {
        city.within(|register| {
            let act =
                Act { actor: "staff", reason: "записана дважды", at: "2026-11-21T00:00:00Z" };
            let said = StaffDecision { one: review.one, other: review.other, decision };
            register.tx.add_staff_decision("programme", &said, act)?;
            register.decide_documents(pair)
        })
    };
    assert_eq!(decide(&mut city, Decision::Same), [uid].into());
    assert_eq!(city.told(1).matches("<programme>").count(), 1);
    let documents = city.within(|register| Ok(register.tx.documents_of(uid)?));
    assert_eq!(documents.iter().map(|(document, _)| *document).collect::<Vec<_>>(), [pair[0]]);
    let is = |city: &mut City, claim| city.within(|register| Ok(register.tx.uid_of(claim)?));
    assert_eq!([is(&mut city, claims[0]), is(&mut city, claims[1])], [Some(pair[0]); 2]);
    // what comes later under the other number is the same document
    let recipient = id(1).to_string();
    let fields = [("recipient", recipient.as_str()), ("number", "77-А"), ("date", "2026-02-01")];
    let later = city.receive(1, 13, &body(Kind::ProgrammeClaim, &fields));
    assert_eq!(is(&mut city, later), Some(pair[0]));
    assert_eq!(city.told(1).matches("<programme>").count(), 1);
    // the decision revised
    decide(&mut city, Decision::Different);
    assert_eq!(city.told(1).matches("<programme>").count(), 2);
    let mut stand = [is(&mut city, claims[0]), is(&mut city, claims[1])].map(|uid| uid.expect("known"));
    stand.sort_unstable();
    assert_eq!(stand, [pair[0].min(pair[1]), pair[0].max(pair[1])]);
}

#[test]
fn a_number_that_too_many_bear_still_links_whom_it_should() {
    let mut city = City::new();
    let snils = exchange_format::snils::Snils::from_number(112_233_446).to_form();
    let fields = |surname: &str, given: &str, birth: &str| {
        let fields =
            [("snils", snils.as_str()), ("surname", surname), ("given", given), ("birth_date", birth)];
        body(Kind::RecipientClaim, &fields)
    };
    let most = u8::try_from(LARGEST).expect("fits") + 1;
    let mut crowd = Vec::new();
    for n in 1..=most {
        let word = |from: char| -> String {
            [n / 16, n % 16].iter().filter_map(|d| char::from_u32(from as u32 + u32::from(*d))).collect()
        };
        let (surname, given) = (format!("{}ов", word('А')), format!("{}ла", word('а')));
        crowd.push(city.stored(1, id(n), &fields(&surname, &given, &format!("19{}-01-02", 10 + n % 80))));
    }
    city.within(|register| register.take_in(&crowd, &[]));
    let maiden = city.receive(1, 220, &fields("Белова", "Анна", "1945-03-12"));
    let married = city.receive(1, 221, &fields("Зуева", "Анна", "1945-03-12"));
    let transposed = city.receive(1, 222, &fields("Зуева", "Анна", "1945-12-03"));
    assert_eq!(city.uid(maiden), city.uid(married), "number, birth date and given name");
    assert_eq!(city.uid(married), city.uid(transposed), "number and names, the date transposed");
    let crowds = city.within(|register| Ok(register.tx.crowds(LARGEST)?));
    assert_eq!(crowds.iter().map(|crowd| crowd.claims).collect::<Vec<_>>(), [u64::from(most) + 3]);
}

#[test]
fn every_generated_value_is_an_input_of_the_hub() {
    let mut city = City::new();
    city.recipient(1, 1, &ANNA);
    let inputs = city.within(|register| Ok(register.tx.unsealed_inputs(10)?));
    let actions: BTreeSet<String> = inputs
        .iter()
        .map(|record| {
            let body = record.read_body().expect("canonical");
            assert_eq!(body.findings(), []);
            body.text("action").expect("required").to_owned()
        })
        .collect();
    assert_eq!(actions, ["link".to_owned(), "person.new".to_owned()].into());
}

#[test]
fn what_is_of_today_in_the_east_of_the_country_is_not_ahead() {
    for (now, day) in [("2026-11-23T11:59:00Z", "2026-11-23"), ("2026-11-23T12:00:00Z", "2026-11-24")] {
        assert_eq!(svod_hub::edges::register::day(now.parse().expect("a time")).to_string(), day);
    }
}
