//! Another model is put in force: from now on claims are weighed by it. Who is one person as of now stays so.

use super::{Affected, Input, Register, RegisterError};
use crate::{database::linking::Act, decisions::merge::Model};

impl Register<'_> {
    /// Puts `model`, which `text` says, in force, and weighs all claims by it: what is alike, and what staff are asked.
    /// Nobody is joined or parted by that.
    pub fn activate(&self, model: &Model, text: &str, reason: &str) -> Result<(), RegisterError> {
        let at = self.at();
        self.tx.set_model(&model.name, text, Act { actor: self.actor, reason, at: &at })?;
        self.note_model(model, reason)?;
        self.index_all(false)?;
        let people: Affected = self.tx.people()?;
        for uid in self.ask(&people)? {
            self.republish(uid)?;
        }
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
