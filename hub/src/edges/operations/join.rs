//! `person join`: two persons are one, of whom nobody was asked.

use exchange_endpoint::{
    config::Config,
    messages::Lang,
    output::{Exit, Failure},
};
use jiff::Timestamp;

use super::{
    decided::Decided,
    people::find,
    reviews::{Answer, Applied, Insist, carry_out},
    single::{decided_otherwise, unfit},
    word::Word,
};
use crate::{
    database::{linking::ClaimName, reviews::Review},
    edges::{
        config::HubConfig,
        hub::open,
        register::{Register, STAFF},
    },
};

/// Says of the persons `people` (uids or case numbers) that they are one: as the answer to the question about them, which is
/// asked now if it was not. What was decided otherwise stands unless it is to be revised. Where two records would become one
/// that are never linked without asking, it is refused unless it is said of all.
pub fn join(
    config: &Config<HubConfig>,
    people: [&str; 2],
    (actor, reason): (&str, &str),
    insist: Insist,
    now: Timestamp,
    lang: Lang,
) -> Result<Applied, Failure> {
    open(config)?.carry_out(|context, tx| {
        let register = context.register(tx, actor, now);
        let [(one, first), (other, second)] = [find(tx, people[0])?, find(tx, people[1])?];
        let [one, other] = [one.uid, other.uid];
        if one == other && first == second {
            return Err(Failure::new(Exit::Usage, "person-join-self"));
        }
        if one == other {
            return Ok(Applied { unchanged: 1, ..Applied::default() });
        }
        let mut names: [Vec<ClaimName>; 2] = Default::default();
        for (names, uid) in names.iter_mut().zip([one, other]) {
            *names = register.claims_named(uid)?.into_keys().collect();
        }
        let review = question(&register, &names)?;
        if review.state == "decided" && !insist.revise {
            return Err(decided_otherwise(&review, lang));
        }
        let answer = Answer { review, word: Word::Same, reason, line: 0, insist, unlooked: true };
        let (mut applied, mut decided) = (Applied::default(), Decided::by(context, &register));
        let unfit = |_, problem| unfit(lang, &problem);
        carry_out(context, &register, &[answer], &unfit, &mut applied, &mut decided)?;
        applied.protocol = decided.keep(tx)?;
        Ok(applied)
    })
}

/// The question about the two: one that was decided otherwise, else one that is asked, else it is asked now.
fn question(register: &Register<'_>, [ones, others]: &[Vec<ClaimName>; 2]) -> Result<Review, Failure> {
    let tx = register.tx;
    let pairs =
        || ones.iter().flat_map(|one| others.iter().map(move |other| (*one.min(other), *one.max(other))));
    let (mut asked, mut never) = (None, None);
    for (one, other) in pairs() {
        let review = tx.review_about("pair", one, other)?;
        let Some(review) = review.filter(|review| review.state != "gone") else {
            never = never.or(Some((one, other)));
            continue;
        };
        if review.decision.as_deref() == Some("different") {
            return Ok(review);
        }
        asked = asked.or(Some(review).filter(|review| review.state == "open"));
    }
    if let Some(review) = asked {
        return Ok(review);
    }
    let without = || Failure::new(Exit::Refused, "person-without-claims");
    let (one, other) = never.or(pairs().next()).ok_or_else(without)?;
    tx.open_review("pair", STAFF, one, other, &register.now.to_string())?;
    tx.review_about("pair", one, other)?.ok_or_else(without)
}
