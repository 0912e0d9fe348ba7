//! What a scan belongs to: it stays there, also by way of the paper that it hangs on; such a paper waits to be another person's
//! until its scans have gone, or the two turn out to be one.

use std::collections::BTreeSet;

use exchange_format::{
    answer::{RecordOutcome, RecordReason, Rule},
    record::{Body, Field, Kind, Record, RecordId, Type},
};

use super::Intake;
use crate::{
    database::received::Standing,
    decisions::admission::{Examined, FINAL, earlier},
    edges::hub::HubError,
};

/// Papers of centres to which scans may belong, and which their centre may give to another person.
pub(super) const BEARERS: [Kind; 4] =
    [Kind::ProgrammeClaim, Kind::SupplementClaim, Kind::Contract, Kind::ServiceAct];

impl Intake<'_> {
    /// Whether a reference of the record means something else than in `basis`. What a centre's row names may have become a
    /// publication since.
    pub(super) fn is_moved(&self, basis: &Body, examined: &Examined) -> Result<bool, HubError> {
        let before = |field: &str| basis.text(field).and_then(|text| text.parse::<RecordId>().ok());
        // whose it was, and whose what is named besides is now
        let (mut whose, mut besides) = (BTreeSet::new(), BTreeSet::new());
        let mut left = 0;
        for (field, id, kinds) in &examined.references {
            let now = self.meant(*id, kinds)?;
            let person =
                if kinds.contains(&Kind::Person) { Some(now) } else { self.person_of(*id, now, kinds)? };
            let Some(before) = before(field) else {
                besides.extend(person);
                continue;
            };
            left += 1;
            if before != *id && self.meant(before, kinds)? != now {
                return Ok(true);
            }
            whose.extend(person);
        }
        let is_reference = |field: &&Field| matches!(field.ty, Type::Reference(_));
        let named = Kind::Attachment.schema().fields.iter().filter(is_reference);
        let is_left_out = named.filter(|field| before(field.name).is_some()).count() > left;
        Ok(is_left_out || !whose.is_empty() && !besides.is_subset(&whose))
    }

    /// Whether a paper to which scans of this centre belong becomes another person's: they would go with it.
    pub(super) fn is_moved_with_scans(
        &self,
        record: &Record,
        basis: &Body,
        examined: &Examined,
    ) -> Result<bool, HubError> {
        let kinds = &[Kind::RecipientClaim, Kind::Person];
        let before = basis.text("recipient").and_then(|text| text.parse::<RecordId>().ok());
        let now = examined.references.iter().find(|(field, ..)| *field == "recipient").map(|(_, id, _)| *id);
        let (Some(before), Some(now)) = (before, now) else { return Ok(false) };
        if before == now || self.meant(before, kinds)? == self.meant(now, kinds)? {
            return Ok(false);
        }
        for id in self.tx.referring(self.centre, record.key)? {
            let found = self.tx.received(id)?.filter(|found| found.claim.body.kind() == Kind::Attachment);
            if found.is_some_and(|found| matches!(found.standing, Standing::Applied | Standing::Waiting)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the paper `id` of this centre waits to be another person's: a new scan of it is that one's, and waits with it.
    pub(super) fn waits_to_move(&self, id: RecordId, kinds: &[Kind]) -> Result<bool, HubError> {
        for kind in kinds.iter().filter(|kind| self.holds && BEARERS.contains(kind)) {
            let known = self.tx.known(self.centre, *kind, id)?;
            let earlier = known.and_then(|known| earlier(&known.outcome, known.rule.as_deref()));
            let is_it = |(outcome, _, rule): (RecordOutcome, RecordReason, Rule)| {
                outcome == RecordOutcome::Held && rule.as_str().ends_with(FINAL)
            };
            if earlier.is_some_and(is_it) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Judges again the papers that wait to be another person's.
    pub(in crate::edges::intake) fn release_moved(&mut self) -> Result<(), HubError> {
        if self.holds {
            self.judge_again(self.tx.held_as_moved(self.centre)?)?;
        }
        Ok(())
    }

    /// Whose the paper `id` of this centre is, which is `now`: as it says itself, else as the document does.
    fn person_of(&self, id: RecordId, now: RecordId, kinds: &[Kind]) -> Result<Option<RecordId>, HubError> {
        for kind in kinds {
            let Some(known) = self.tx.known(self.centre, *kind, id)? else { continue };
            let body = self.tx.received(known.id)?.map(|found| found.claim.body);
            let of = body.and_then(|body| body.text("recipient")?.parse::<RecordId>().ok());
            if let Some(of) = of {
                return Ok(Some(self.meant(of, &[Kind::RecipientClaim, Kind::Person])?));
            }
        }
        Ok(self.tx.person_of_paper(now)?)
    }

    /// What a reference of this centre means: the publication that its own record became, and which that turned out to be.
    fn meant(&self, id: RecordId, kinds: &[Kind]) -> Result<RecordId, HubError> {
        let mut meant = id;
        for kind in kinds {
            meant = self.tx.uid_of_key(self.centre, *kind, id)?.unwrap_or(meant);
        }
        Ok(self.tx.person_meant(self.tx.document_meant(meant)?)?)
    }
}
