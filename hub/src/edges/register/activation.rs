//! Another model is put in force: from now on claims are weighed by it. Who is one person as of now stays so.

use std::collections::BTreeMap;

use super::{Affected, Input, Register, RegisterError};
use crate::{database::linking::Act, decisions::merge::Model};

/// So many characters of the text are noted in one input: as many as its field takes.
const PIECE: usize = 3900;

impl Register<'_> {
    /// Puts `model`, which `text` says, in force, and weighs all claims by it: what is alike, and what staff are asked.
    /// Nobody is joined or parted by that.
    pub fn activate(&self, model: &Model, text: &str, reason: &str) -> Result<(), RegisterError> {
        let at = self.at();
        self.tx.set_model(&model.name, text, Act { actor: self.actor, reason, at: &at })?;
        self.note_model(model, text, reason)?;
        self.index_all(false)?;
        let people: Affected = self.tx.people()?;
        for uid in self.ask(&people)? {
            self.republish(uid)?;
        }
        Ok(())
    }

    /// Puts the model that comes with the program in force, if there is none.
    pub fn first_model(&self) -> Result<(), RegisterError> {
        if self.tx.model()?.is_some() {
            return Ok(());
        }
        let (model, reason) = (Model::recipients(), "merge");
        let act = Act { actor: self.actor, reason, at: &self.at() };
        self.tx.set_model(&model.name, Model::RECIPIENTS, act)?;
        self.note_model(&model, Model::RECIPIENTS, reason)
    }

    /// Notes the whole text, in as many inputs as it takes: `field` is the number of the piece and of all. A line break is
    /// noted as `\n`, a backslash as two.
    fn note_model(&self, model: &Model, text: &str, reason: &str) -> Result<(), RegisterError> {
        let written: Vec<char> = text.replace('\\', "\\\\").replace('\n', "\\n").chars().collect();
        let pieces = written.chunks(PIECE);
        let all = pieces.len();
        for (n, piece) in pieces.enumerate() {
            let (value, field) = (piece.iter().collect::<String>(), format!("{}.{all}", n + 1));
            self.note(&Input {
                action: "model",
                field: Some(&field),
                value: Some(&value),
                reason: Some(reason),
                engine: Some(&model.word()),
                ..Input::default()
            })?;
        }
        Ok(())
    }

    /// The text of the model that was put in force last, as the hub's inputs have it: what a rebuild puts in force.
    pub fn model_noted(&self) -> Result<Option<String>, RegisterError> {
        let mut pieces: BTreeMap<u32, String> = BTreeMap::new();
        for input in self.tx.inputs_of(&["model"])? {
            let n = input.text("field").and_then(|field| field.split('.').next()?.parse().ok());
            if let Some(n) = n {
                if n == 1 {
                    pieces.clear();
                }
                pieces.insert(n, input.text("value").unwrap_or_default().to_owned());
            }
        }
        let text: String = pieces.into_values().collect();
        Ok((!text.is_empty()).then(|| unescaped(&text)))
    }
}

fn unescaped(text: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        match (escaped, c) {
            (true, 'n') => out.push('\n'),
            (false, '\\') => {}
            (_, c) => out.push(c),
        }
        escaped = !escaped && c == '\\';
    }
    out
}
