//! Which question to staff comes first: harm times doubt.

use exchange_endpoint::output::Failure;
use exchange_format::record::{Kind, RecordId};

use crate::{
    database::{linking::ClaimName, reviews::Review},
    decisions::{admission::awaited, merge::clusters::Doubtful},
    edges::register::Register,
};

/// What staff are asked whatever the weight is at least so doubtful.
const BARRED: f64 = 0.5;

/// In bits: who weigh so much and are asked about all the same may not be linked, whatever they weigh.
const SURE: f64 = 7.0;

/// How urgent it is what one field says, where nothing waits for it.
const FIELD: f64 = 0.25;

/// How urgent `review` is, which is about `person` if it is about one. Harm: one, and one for each document that
/// hangs on the answer. Doubt: how much an answer would tell (1: even odds); of what nobody can weigh 1.
pub(super) fn of(register: &Register<'_>, review: &Review, person: Option<RecordId>) -> Result<f64, Failure> {
    if review.kind == "value" && !holds_back(register, review)? {
        return Ok(FIELD);
    }
    let (mut people, mut doubt): (Vec<RecordId>, f64) = (person.into_iter().collect(), 1.0);
    if review.kind == "pair" {
        let both = [claim(register, review.one)?, claim(register, review.other)?];
        if let [Some(one), Some(other)] = both {
            let found = register.tx.likenesses(one)?.into_iter().find(|likeness| likeness.other == other);
            doubt = found.map_or(1.0, |likeness| {
                let told = entropy(likeness.bits);
                let weighed = [Doubtful::Twins, Doubtful::Relatives, Doubtful::Namesakes];
                let is_barred = !weighed.contains(&likeness.doubt) || likeness.bits >= SURE;
                if is_barred { told.max(BARRED) } else { told }
            });
        }
        for id in both.into_iter().flatten() {
            people.extend(register.tx.uid_of(id)?);
        }
    }
    people.sort_unstable();
    people.dedup();
    let mut harm = 1.0;
    for uid in people {
        harm += f64::from(u32::try_from(register.tx.documents_of(uid)?.len()).unwrap_or(u32::MAX));
    }
    Ok((harm * doubt * 100.0).round() / 100.0)
}

/// Whether a person is not published for what a claim says in a field that nobody can read.
fn holds_back(register: &Register<'_>, review: &Review) -> Result<bool, Failure> {
    let found = register.tx.received_by_key(review.one.0, Kind::RecipientClaim, review.one.1)?;
    Ok(found.is_some_and(|found| awaited(&found.claim.body).next().is_some()))
}

fn claim(register: &Register<'_>, name: ClaimName) -> Result<Option<i64>, Failure> {
    Ok(register.tx.known(name.0, Kind::RecipientClaim, name.1)?.map(|known| known.id))
}

/// How much is unknown while the odds are 2^`bits`, in bits.
fn entropy(bits: f64) -> f64 {
    let chance = 1.0 / (1.0 + (-bits).exp2());
    let part = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
    part(chance) + part(1.0 - chance)
}

#[cfg(test)]
mod tests {
    use super::entropy;

    #[test]
    fn even_odds_are_the_most_doubtful() {
        assert!((entropy(0.0) - 1.0).abs() < 1e-9);
        assert!(entropy(3.0) < entropy(1.0) && (entropy(3.0) - entropy(-3.0)).abs() < 1e-9);
        assert!(entropy(60.0) < 1e-9);
    }
}
