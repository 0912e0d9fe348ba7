//! The hub's linking rules on a synthetic city whose truth is known. All people are invented.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::record::{Body, Kind};
use fixtures::city::{City, CityPlan};
use svod_hub::decisions::linking::{BlockingKey, Features, Linker, Reason, Rule, RuleLinker, Verdict};

#[test]
fn rules_link_few_wrongly_and_most_that_belong_together() {
    let city = City::generate(CityPlan { seed: 443, centres: 6, recipients: 1500 });
    let mut claims: Vec<(Features, usize)> = Vec::new();
    let mut truth = city.truth.iter();
    for centre in &city.centres {
        let table = &centre.tables[0];
        for row in &table.rows {
            let mut body = Body::new(Kind::RecipientClaim);
            for (column, value) in table.columns.iter().zip(row).filter(|(column, _)| **column != "id") {
                if let Some(value) = value {
                    body.set(column, value).expect("a column is a field");
                }
            }
            claims.push((Features::of(&body), truth.next().expect("as many as rows").entity));
        }
    }
    let mut blocks = BTreeMap::<BlockingKey, Vec<usize>>::new();
    for (n, (features, _)) in claims.iter().enumerate() {
        for key in RuleLinker.keys(features) {
            blocks.entry(key).or_default().push(n);
        }
    }
    let pairs: BTreeSet<(usize, usize)> = blocks
        .values()
        .flat_map(|b| b.iter().flat_map(|x| b.iter().map(|y| (*x, *y))))
        .filter(|(x, y)| x < y)
        .collect();
    let mut links = BTreeMap::<Rule, [usize; 2]>::new();
    let mut reviews = BTreeMap::<Reason, [usize; 2]>::new();
    for (x, y) in pairs {
        let same = usize::from(claims[x].1 == claims[y].1);
        match RuleLinker.decide(&claims[x].0, &claims[y].0) {
            Verdict::Link(rule) => links.entry(rule).or_default()[same] += 1,
            Verdict::Review(reason) => reviews.entry(reason).or_default()[same] += 1,
            Verdict::Apart => {}
        }
    }
    let true_pairs = city.totals.in_two_centres + city.totals.twice;
    let sum =
        |counts: &mut dyn Iterator<Item = &[usize; 2]>, n: usize| counts.map(|count| count[n]).sum::<usize>();
    let (wrong, right) = (sum(&mut links.values(), 0), sum(&mut links.values(), 1));
    let (asked_in_vain, asked) = (sum(&mut reviews.values(), 0), sum(&mut reviews.values(), 1));
    let told = format!("of {true_pairs} pairs: links {links:?}, reviews {reviews:?} (wrong, right)");
    assert!(wrong * 500 <= right, "{told}");
    assert!(right * 100 >= true_pairs * 90, "{told}");
    assert!((right + asked) * 100 >= true_pairs * 98, "what is not linked is asked: {told}");
    assert!(asked_in_vain <= claims.len() / 50, "staff are not swamped: {told}");
}
