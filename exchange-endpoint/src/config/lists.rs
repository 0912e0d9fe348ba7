//! `[lists]` of either daemon: the region's own lists of care services and questionnaires.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_format::{
    answer::Text,
    lists::{CareList, Lists, Questionnaire},
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Config, ConfigError};
use crate::messages::Told;

/// `[lists]`: files of the form of those in `exchange-format/data`. One that is named stands in place of what is
/// shipped, which is a demonstration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListsConfig {
    /// Lists of care services, a model each.
    pub care: Vec<PathBuf>,
    /// Questionnaires with their points and bands, a model each.
    pub questionnaires: Vec<PathBuf>,
}

impl ListsConfig {
    /// The lists that `config` names, read and checked.
    ///
    /// # Errors
    /// Names file, line and key of what is wrong.
    pub fn read<T>(&self, config: &Config<T>) -> Result<Lists, ConfigError> {
        let mut lists = Lists::shipped().clone();
        if !self.care.is_empty() {
            lists.care = all(config, &self.care, |list: &CareList| &list.model, CareList::fault)?;
        }
        if !self.questionnaires.is_empty() {
            let care = (!self.care.is_empty()).then_some(&lists.care);
            let fault = |list: &Questionnaire| list.fault().or_else(|| list.fault_beside(care?));
            lists.questionnaires =
                all(config, &self.questionnaires, |list: &Questionnaire| &list.model, fault)?;
        }
        Ok(lists)
    }
}

/// The lists in `files`, of either kind, besides those that are shipped.
///
/// # Errors
/// Names file, line and key of what is wrong.
pub fn with_shipped(files: &[PathBuf]) -> Result<Lists, ConfigError> {
    let mut lists = Lists::shipped().clone();
    for file in files {
        let is_file = fs::metadata(file).is_ok_and(|kind| kind.is_file());
        let asks = is_file && fs::read_to_string(file).is_ok_and(|text| text.contains("[[question]]"));
        if asks {
            lists.questionnaires.push(one(file, Questionnaire::fault)?.into_value());
        } else {
            lists.care.push(one(file, CareList::fault)?.into_value());
        }
    }
    Ok(lists)
}

/// The list in `file`, in which `fault` finds nothing wrong.
fn one<L: DeserializeOwned>(
    file: &Path,
    fault: impl Fn(&L) -> Option<(String, Text)>,
) -> Result<Config<L>, ConfigError> {
    let list: Config<L> = Config::load(file)?;
    match fault(&list) {
        Some((key, why)) => Err(list.refuse(&key, Told::new(|lang| lang.of(why).to_owned()))),
        None => Ok(list),
    }
}

/// The lists in `files`; of each, `model` says its name and `fault` what is wrong with it.
fn all<T, L: DeserializeOwned>(
    config: &Config<T>,
    files: &[PathBuf],
    model: impl Fn(&L) -> &str,
    fault: impl Fn(&L) -> Option<(String, Text)>,
) -> Result<Vec<L>, ConfigError> {
    let mut lists: Vec<L> = Vec::new();
    for file in files {
        let list = one(&config.path(file), &fault)?;
        if lists.iter().any(|other| model(other) == model(&list)) {
            return Err(list.refuse("model", Told::of("config-list-twice", &[])));
        }
        lists.push(list.into_value());
    }
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    const OWN: &str = "model = \"kuz-2026\"\nofficial = true\nnote = \"\"\n\n[[service]]\ncode = \"1\"\n\
        name = \"Кормление\"\nminutes = 20\naction = \"feed\"\n";

    #[test]
    fn a_regions_lists_stand_in_place_of_the_demonstration_and_are_refused_by_file_line_and_key() {
        let dir = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("written");
        let read = |text: &str| {
            write("svod.toml", text);
            let config: Config<ListsConfig> = Config::load(&dir.path().join("svod.toml"))?;
            config.read(&config)
        };
        write("care.toml", OWN);
        let lists = read("care = [\"care.toml\"]").expect("good");
        assert!(lists.care("kuz-2026").is_some() && lists.care("demo-1").is_none());
        assert!(lists.questionnaire("demo-1").is_some(), "of what no own is named the shipped ones stand");
        let twice = format!("{OWN}\n[[service]]\ncode = \"1\"\nname = \"x\"\nminutes = 5\naction = \"x\"\n");
        for (text, line, key) in [
            (twice.as_str(), 12, "service[2].code"),
            (&OWN.replace("kuz", "Куз"), 1, "model"),
            (&OWN.replace("minutes = 20", "minutes = \"x\""), 8, "service[1].minutes"),
            (&OWN.replace("official", "oficial"), 2, "oficial"),
        ] {
            write("care.toml", text);
            let Err(ConfigError::Wrong { place: Place { file, line: at, key: told }, .. }) =
                read("care = [\"care.toml\"]")
            else {
                panic!("{key} should be refused")
            };
            assert_eq!((file.ends_with("care.toml"), at, told.as_str()), (true, line, key));
        }
        write("care.toml", OWN);
        write("asked.toml", include_str!("../../../exchange-format/data/questionnaire.demo-1.toml"));
        assert!(read("questionnaires = [\"asked.toml\"]").is_ok());
        let Err(ConfigError::Wrong { place, .. }) =
            read("care = [\"care.toml\"]\nquestionnaires = [\"asked.toml\"]")
        else {
            panic!("services that the region's list does not have")
        };
        assert_eq!(place.key, "unneeded[1].services");
        assert!(read("care = [\"care.toml\", \"care.toml\"]").is_err());
        for file in ["none.toml", "/dev/zero"] {
            let read = read(&format!("care = [\"{file}\"]"));
            assert!(matches!(read, Err(ConfigError::Unreadable { .. })), "{file}");
            assert!(with_shipped(&[file.into()]).is_err(), "{file}");
        }
    }
}
