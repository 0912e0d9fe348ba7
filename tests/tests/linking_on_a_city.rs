//! The hub's engine on a synthetic city whose truth is known. All people are invented.

use std::collections::BTreeMap;

use exchange_format::record::{Body, Kind};
use fixtures::city::{City, CityPlan};
use svod_hub::decisions::merge::{Model, Register, reading::Reading};

#[test]
fn hardly_anybody_is_linked_wrongly_and_most_who_belong_together_are() {
    let city = City::generate(CityPlan { seed: 443, centres: 6, recipients: 1500 });
    let mut register = Register::new(Model::recipients());
    let mut truth = Vec::new();
    for (source, centre) in (0..).zip(&city.centres) {
        let table = &centre.tables[0];
        for row in &table.rows {
            let mut body = Body::new(Kind::RecipientClaim);
            for (column, value) in table.columns.iter().zip(row).filter(|(column, _)| **column != "id") {
                if let Some(value) = value {
                    body.set(column, value).expect("a column is a field");
                }
            }
            let reading = Reading::of_claim(&register.model, &body);
            register.add(source, &reading);
            truth.push(city.truth[truth.len()].entity);
        }
    }
    register.close();
    let pairs = register.candidates().pairs;
    let outcome = register.decide(pairs.into_iter().map(|(a, b)| register.edge(a, b)).collect());

    let mut persons = BTreeMap::<u32, Vec<usize>>::new();
    for (person, entity) in outcome.auto.iter().zip(&truth) {
        persons.entry(*person).or_default().push(*entity);
    }
    let (mut wrong, mut right) = (0, 0);
    for entities in persons.values() {
        for (at, a) in entities.iter().enumerate() {
            let same = entities[at + 1..].iter().filter(|b| *b == a).count();
            (right, wrong) = (right + same, wrong + entities.len() - at - 1 - same);
        }
    }
    let is_one = |a: u32, b: u32| truth[a as usize] == truth[b as usize];
    let asked = outcome.doubts.iter().filter(|doubt| is_one(doubt.a, doubt.b)).count();
    let in_vain = outcome.doubts.len() - asked;
    let true_pairs = city.totals.in_two_centres + city.totals.twice;
    let told =
        format!("of {true_pairs} pairs: {right} right, {wrong} wrong; asked {asked}, {in_vain} in vain");
    assert!(wrong * 500 <= right, "{told}");
    assert!(right * 100 >= true_pairs * 95, "{told}");
    assert!((right + asked) * 1000 >= true_pairs * 990, "what is not linked is asked: {told}");
    assert!(in_vain <= truth.len() / 100, "staff are not swamped: {told}");
}
