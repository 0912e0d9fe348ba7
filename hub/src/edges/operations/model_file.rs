//! The file of a model, which people write.

use std::{fs, io, path::Path};

use exchange_endpoint::{
    config::toml_told,
    messages::Told,
    output::{Exit, Failure},
};

use crate::{
    decisions::merge::{Model, compare::FIELDS, model::ModelError},
    edges::failure::file,
};

/// The largest file, in MiB: all groups of names that a model may have, with room.
const LARGEST: u64 = 16;

/// The model in `path`, or the one that comes with the program.
pub fn model(path: Option<&Path>) -> Result<Model, Failure> {
    path.map_or_else(|| Ok(Model::recipients()), |path| Ok(read(path)?.0))
}

/// The model in `path`, and the text that says it.
pub(super) fn read(path: &Path) -> Result<(Model, String), Failure> {
    let text = text(path)?;
    let model = Model::parse(&text).map_err(|error| wrong(path, &text, error))?;
    if model.fields.len() > FIELDS {
        return Err(Failure::new(Exit::Usage, "model-fields")
            .told("file", path.display())
            .with("most", FIELDS as u64));
    }
    fits(path, &model)?;
    Ok((model, text))
}

/// The text of the model's file `path`.
fn text(path: &Path) -> Result<String, Failure> {
    let unfit =
        |told: Told| Failure::new(Exit::Usage, "model").told("file", path.display()).because("detail", told);
    let meta = fs::metadata(path).map_err(file(path))?;
    // a pipe would wait for its writer, a device never end
    if !meta.is_file() && !meta.is_dir() {
        return Err(file(path)(io::ErrorKind::InvalidInput.into()));
    }
    if meta.len() > LARGEST << 20 {
        return Err(unfit(Told::of("model-too-large", &[("most", LARGEST.into())])));
    }
    let bytes = fs::read(path).map_err(file(path))?;
    String::from_utf8(bytes).map_err(|_| unfit(Told::of("model-no-text", &[])))
}

/// Refuses a model that is to be kept in the file `path` if nobody could read its name or another text of it.
pub(super) fn fits(path: &Path, model: &Model) -> Result<(), Failure> {
    let unfit = |error| Err(wrong(path, "", error));
    model.unprintable().map_or(Ok(()), unfit)
}

fn wrong(path: &Path, text: &str, error: ModelError) -> Failure {
    let failure = Failure::new(Exit::Usage, "model").told("file", path.display());
    match error {
        ModelError::Form(error) => failure.because("detail", toml_told(text, &error)),
        ModelError::Newer(form) => {
            failure.because("detail", Told::of("model-newer", &[("form", form.into())]))
        }
        ModelError::Unfit { place, problem } => {
            let id = format!("model-unfit-{problem}");
            let place: String = place.chars().filter(|c| !c.is_control()).take(100).collect();
            failure.because("detail", Told::at(&place, Told::of(&id, &[])))
        }
    }
}
