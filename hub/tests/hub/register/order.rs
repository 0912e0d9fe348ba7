//! Under one model and one count of values it does not matter in which order claims arrive, nor in how many packets.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Six centres whose initial loads are merged.
fn known_centres(city: &mut City) {
    for unit in 1..=6 {
        let known = Centre {
            code: centre(unit),
            name: String::new(),
            card: String::new(),
            fingerprint: String::new(),
            password: String::new(),
            certificate: ClientCertificate::None,
            active: true,
            merged: true,
        };
        city.within(|register| Ok(register.tx.put_centre(&known, "2026-11-22T00:00:00Z")?));
    }
}

/// Rows of a generated city, as the hub received them, of no person yet.
fn received_city(city: &mut City, recipients: usize) -> Vec<ClaimId> {
    let plan = fixtures::city::CityPlan { seed: 97, centres: 3, recipients };
    let generated = fixtures::city::City::generate(plan);
    let mut rows = Vec::new();
    known_centres(city);
    for (unit, of_centre) in (1..).zip(&generated.centres) {
        let table = &of_centre.tables[0];
        for (at, row) in table.rows.iter().enumerate() {
            let fields: Vec<(&str, &str)> = table
                .columns
                .iter()
                .zip(row)
                .filter(|(column, _)| **column != "id")
                .filter_map(|(column, value)| Some((*column, value.as_deref()?)))
                .collect();
            let digest = Digest::of(format!("{unit} {at}").as_bytes());
            let key = RecordId::from_random(digest.as_bytes()[..16].try_into().expect("16 of 32 bytes"));
            rows.push(city.stored(unit, key, &body(Kind::RecipientClaim, &fields)));
            // known to a third place too, which asks less
            if at % 3 == 0 {
                let known =
                    fields.iter().copied().filter(|(field, _)| !["phone", "patronymic"].contains(field));
                let known: Vec<_> = known.collect();
                rows.push(city.stored(unit + 3, key, &body(Kind::RecipientClaim, &known)));
            }
        }
    }
    rows
}

/// Who is together, and who is asked about.
type Picture = (BTreeSet<Vec<ClaimId>>, BTreeSet<(String, String)>);

fn picture(city: &mut City, rows: &[ClaimId]) -> Picture {
    city.within(|register| {
        let mut people: std::collections::BTreeMap<RecordId, Vec<ClaimId>> =
            std::collections::BTreeMap::new();
        for row in rows {
            people.entry(register.tx.uid_of(*row)?.expect("a person")).or_default().push(*row);
        }
        let asked = register.tx.open_reviews(0, 1000)?.into_iter();
        let asked = asked.map(|one| (one.one.1.to_string(), one.other.1.to_string())).collect();
        Ok((people.into_values().collect(), asked))
    })
}

/// What a merge of all `rows` makes of them.
fn merged(city: &mut City, rows: &[ClaimId]) -> Picture {
    city.within(|register| {
        let weighing = {
            register.first_model()?;
            register.index_all(true)?
        };
        register.settle(weighing.ids(), Some(&weighing))
    });
    picture(city, rows)
}

/// What `packets` make of their claims, the register being counted as it was and nobody known.
fn arrived_in(city: &mut City, packets: &[&[ClaimId]]) -> Picture {
    let rows = packets.concat();
    city.within(|register| {
        register.tx.clear_links()?;
        for row in &rows {
            register.tx.remove_person_record(*row)?;
        }
        for review in register.tx.open_reviews(0, 1000)? {
            register.tx.close_review("pair", review.one, review.other, "2026-11-22T00:00:00Z")?;
        }
        Ok(())
    });
    for packet in packets {
        city.within(|register| {
            let touched = register.index(packet)?;
            register.settle(touched, None)
        });
    }
    let mut rows = rows;
    rows.sort_unstable();
    picture(city, &rows)
}

#[test]
fn packets_in_any_order_make_the_people_of_one_merge() {
    let mut city = City::new();
    let mut rows = received_city(&mut city, 120);
    rows.sort_unstable();
    let expected = merged(&mut city, &rows);
    assert!(expected.0.len() < rows.len() && expected.0.iter().any(|person| person.len() > 2));
    assert!(!expected.1.is_empty(), "somebody is asked about");
    for turn in 1..4 {
        let mut order = rows.clone();
        order.sort_by_key(|row| Digest::of(format!("{turn} {row}").as_bytes()));
        let arrived = arrived_in(&mut city, &order.chunks(7 * turn).collect::<Vec<_>>());
        assert_eq!(arrived.0, expected.0, "turn {turn}");
        assert_eq!(arrived.1, expected.1, "turn {turn}");
    }
}

/// What clerks of several centres may have typed of a few people of one house: by the place in its table each field's text.
type Typed = [usize; 8];

const TABLES: [(&str, &[&str]); 8] = [
    ("surname", &["Белова", "Зуева", "Белова-Зуева", "Белов", "Белава"]),
    ("given", &["Анна", "Аня", "Анна", "Инна", "А.", "Пётр"]),
    ("patronymic", &["Петровна", "", "Петровна", "Петрович"]),
    ("birth_date", &["12.03.1945", "1945-03-12", "03.12.1945", "1945", "", "12.03.1971", "13.03.1945"]),
    ("sex", &["ж", "", "ж", "м"]),
    ("phone", &["", "89061234567", "9061234567", "8 906 765-43-12"]),
    ("snils", &["", "11223344696", "112-233-446 96", "087-654-303 00"]),
    ("address_live", &["", "ул. Мира, д. 1, кв. 2", "Мира 1-2", "ул. Мира 1"]),
];

fn typed() -> impl Strategy<Value = Typed> {
    let of = |field: usize| 0..TABLES[field].1.len();
    [of(0), of(1), of(2), of(3), of(4), of(5), of(6), of(7)]
}

/// A small register, an order in which its claims arrive, and how many each packet has.
fn arrivals() -> impl Strategy<Value = (Vec<(u16, Typed)>, Vec<usize>, Vec<usize>)> {
    vec((1..=6_u16, typed()), 2..14).prop_flat_map(|claims| {
        let order = Just((0..claims.len()).collect::<Vec<_>>()).prop_shuffle();
        let packets = vec(1..=claims.len(), claims.len());
        (Just(claims), order, packets)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_order_and_any_packets_make_the_people_of_one_merge((claims, order, packets) in arrivals()) {
        let mut city = City::new();
        known_centres(&mut city);
        let rows: Vec<ClaimId> = (1..).zip(&claims).map(|(key, (unit, places))| {
            let fields = TABLES.iter().zip(places).map(|((field, texts), at)| (*field, texts[*at]));
            let fields: Vec<_> = fields.filter(|(_, text)| !text.is_empty()).collect();
            city.stored(*unit, id(key), &body(Kind::RecipientClaim, &fields))
        }).collect();
        let expected = merged(&mut city, &rows);
        let order: Vec<ClaimId> = order.into_iter().map(|at| rows[at]).collect();
        let (mut left, mut cut) = (order.as_slice(), Vec::new());
        for size in packets {
            let (packet, rest) = left.split_at(size.min(left.len()));
            cut.extend((!packet.is_empty()).then_some(packet));
            left = rest;
        }
        let arrived = arrived_in(&mut city, &cut);
        prop_assert_eq!(arrived.0, expected.0);
        prop_assert_eq!(arrived.1, expected.1);
    }
}
