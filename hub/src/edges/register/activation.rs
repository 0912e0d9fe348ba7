//! Another model is put in force: from now on claims are weighed by it. Who is one person as of now stays so.

use super::{Affected, Input, Register, RegisterError};
use crate::{
    database::{linking::Act, received::ClaimId},
    decisions::merge::Model,
};

impl Register<'_> {
    /// Puts `model`, which `text` says, in force, and weighs all claims by it: what is alike, and what staff are asked.
    /// Nobody is joined or parted by that.
    pub fn activate(&self, model: &Model, text: &str, reason: &str) -> Result<(), RegisterError> {
        let at = self.at();
        self.tx.set_model(&model.name, text, Act { actor: self.actor, reason, at: &at })?;
        self.note_model(model, reason)?;
        let before = self.tx.alike_people()?;
        self.index_all(false)?;
        let after = self.tx.alike_people()?;
        let people: Affected = self.tx.people()?;
        let mut freed = self.ask(&people)?;
        // who waited because of a likeness need not have been asked about
        let is_changed = |pair: &(ClaimId, ClaimId)| before.contains_key(pair) != after.contains_key(pair);
        let alike = before.iter().chain(&after).filter(|(pair, _)| is_changed(pair));
        freed.extend(alike.flat_map(|(_, people)| people));
        freed.into_iter().try_for_each(|uid| self.republish(uid))?;
        self.end_signatures()
    }

    /// Puts the model that comes with the program in force, if there is none.
    pub fn first_model(&self) -> Result<(), RegisterError> {
        if self.tx.model()?.is_some() {
            return Ok(());
        }
        let (model, reason) = (Model::recipients(), "merge");
        let act = Act { actor: self.actor, reason, at: &self.at() };
        self.tx.set_model(&model.name, Model::RECIPIENTS, act)?;
        self.note_model(&model, reason)
    }

    fn note_model(&self, model: &Model, reason: &str) -> Result<(), RegisterError> {
        self.note(&Input {
            action: "model",
            value: Some(&model.name),
            reason: Some(reason),
            engine: Some(&model.word()),
            ..Input::default()
        })
    }
}
