//! The model: which fields records have, what each agreement is worth, by which keys pairs are found, where to
//! cut. A file that staff can read and a region can change; a model never changes by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde::{Deserialize, Serialize};

use super::compare::Kind;
use crate::decisions::{given_names, normalise::name_key};

/// The classes of pairs, in the order of all tables.
pub const CLASSES: usize = 4;
/// Two records of one person.
pub const SAME: usize = 0;
/// Of two persons born together.
pub const TWIN: usize = 1;
/// Of two persons of one household.
pub const RELATIVE: usize = 2;
/// Of two persons who have nothing to do with each other.
pub const STRANGER: usize = 3;

/// The most letters of a name; ten times as many of where the figures are from.
const LETTERS: usize = 200;

/// A model as its file says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Of this form of the file: 1.
    pub format: u32,
    /// Whose records it is for, and which edition it is: told with every result.
    pub name: String,
    /// Where its figures are from.
    #[serde(default)]
    pub source: String,
    /// Given names that are one name here, beside those that the program knows, each group by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Vec<String>>,
    /// How many pairs of each class there are for a record.
    pub pairs: Shares,
    /// Where to cut.
    pub cut: Cut,
    /// How pairs are found.
    pub search: Search,
    /// Dates that two records of one person cannot have.
    #[serde(default)]
    pub life: Life,
    /// The fields.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// Pairs of a class for each record.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Of one person.
    pub same: f64,
    /// Of twins.
    #[serde(default)]
    pub twin: f64,
    /// Of other relatives.
    #[serde(default)]
    pub relative: f64,
}

/// Weights, in bits (log2 of the odds that two records are of one person), from which on something is done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// Linked, if there are no staff to ask.
    pub one: f64,
    /// Linked without asking.
    pub auto: f64,
    /// Below it nobody is asked.
    pub ask: f64,
    /// The most that one pair may say for or against joining two groups.
    pub most: f64,
    /// More records of one person are hardly to be believed: evidence alone joins no more, staff are asked.
    #[serde(default = "largest")]
    pub largest: usize,
}

/// Of a model that does not say it: six centres, and each has the person twice.
const fn largest() -> usize {
    12
}

/// How pairs are found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Records with the same key are compared, if there are no more of them; larger groups are split.
    pub block: usize,
    /// By what larger groups are split, in this order.
    pub split: Vec<String>,
    /// Keys: parts with a space between them, each a field, or a field and what of it is meant (`birth:year`).
    pub keys: Vec<String>,
}

/// The columns with dates of life: who died before the other first applied is never the same person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Life {
    /// When the person died; `status_date` counts where `status`, which stands here too, says so.
    pub died: Vec<String>,
    /// When the person first applied, as far as the record says.
    pub applied: Vec<String>,
}

impl Life {
    /// All columns that are read for this.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        self.died.iter().chain(&self.applied)
    }
}

/// A field.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// How its values are read and compared.
    pub kind: Kind,
    /// The headings under which a table may have it, in any case.
    pub columns: Vec<String>,
    /// The field with which people change this one, of two names of kind `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned: Option<String>,
    /// What each level of agreement is worth.
    pub level: BTreeMap<String, Chances>,
}

/// How often pairs of a class that both have the field agree in this way; the levels of a field add up to 1, those
/// of values that leave a part open by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chances {
    /// Of one person.
    pub same: f64,
    /// Twins.
    #[serde(default)]
    pub twin: f64,
    /// Relatives.
    #[serde(default)]
    pub relative: f64,
    /// Strangers. Where the frequency of the value says it better, that counts instead.
    pub stranger: f64,
}

impl Field {
    /// Whether values that leave a part open say anything: whether the model has the levels for them.
    pub fn weighs_parts(&self) -> bool {
        self.kind.levels().iter().skip(self.kind.parts_from()).any(|level| self.level.contains_key(*level))
    }

    /// The levels that the model has, the closest first.
    pub fn levels(&self) -> impl Iterator<Item = &'static str> {
        self.kind.levels().iter().copied().filter(|level| self.level.contains_key(*level))
    }
}

impl Chances {
    /// In the order of the classes.
    pub fn of_classes(&self) -> [f64; CLASSES] {
        [self.same, self.twin, self.relative, self.stranger]
    }
}

/// Why a text is no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Not the TOML that is expected, as the parser says it.
    #[error("{0}")]
    Form(Box<toml::de::Error>),
    /// A newer form of the file.
    #[error("the file has form {0}, this program reads form 1")]
    Newer(u32),
    /// Something in it does not fit.
    #[error("{place}: {problem}")]
    Unfit {
        /// Where: a field, a key.
        place: String,
        /// What: `twice`, `turned`, `levels`, `chances`, `group`, `cut`, `pairs`, `keys`, `name`, `text`, `field`, `part`; the
        /// message `model-unfit-…`.
        problem: &'static str,
    },
}

/// To three digits that count.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

impl Model {
    /// The text of the model that comes with the program: recipients of social services, as Russian clerks type them.
    pub const RECIPIENTS: &str = include_str!("../../../data/merge/recipients.toml");

    /// The one for recipients of social services that comes with the program.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn recipients() -> Self {
        Self::parse(Self::RECIPIENTS).expect("the model that comes with the program is sound")
    }

    /// Reads the text of a model file.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let model: Self = toml::from_str(text).map_err(|error| ModelError::Form(Box::new(error)))?;
        model.check()?;
        Ok(model)
    }

    /// Its text, as people read and change it.
    pub fn to_text(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let list = |all: &[String]| all.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let Self { format, name, source, variants, pairs, cut, search, life, fields } = self;
        let groups: Vec<String> = variants.iter().map(|group| format!("    [{}],\n", list(group))).collect();
        let groups =
            if groups.is_empty() { String::new() } else { format!("variants = [\n{}]\n", groups.concat()) };
        let mut text = format!(
            "# Модель объединения записей: читается и правится человеком, сама не меняется (svod-hub model).\n\
             # A model by which records are linked: to be read and changed by people, never by itself.\n\
             format = {format}\nname = {}\nsource = {}\n{groups}\n[pairs]\nsame = {:?}\ntwin = {:?}\nrelative = {:?}\n\n\
             [cut]\none = {:?}\nauto = {:?}\nask = {:?}\nmost = {:?}\nlargest = {}\n\n\
             [search]\nblock = {}\nsplit = [{}]\nkeys = [\n",
            quoted(name),
            quoted(source),
            rounded(pairs.same),
            rounded(pairs.twin),
            rounded(pairs.relative),
            cut.one,
            cut.auto,
            cut.ask,
            cut.most,
            cut.largest,
            search.block,
            list(&search.split),
        );
        text.extend(search.keys.iter().map(|key| format!("    {},\n", quoted(key))));
        let _ =
            write!(text, "]\n\n[life]\ndied = [{}]\napplied = [{}]\n", list(&life.died), list(&life.applied));
        for field in fields {
            let (name, columns) = (quoted(&field.name), list(&field.columns));
            let _ = write!(
                text,
                "\n[[field]]\nname = {name}\nkind = \"{}\"\ncolumns = [{columns}]\n{}[field.level]\n",
                field.kind.word(),
                field.turned.as_ref().map_or_else(String::new, |with| format!("turned = {}\n", quoted(with)))
            );
            for level in field.levels() {
                let [same, twin, relative, stranger] = field.level[level].of_classes().map(rounded);
                let _ = writeln!(
                    text,
                    "{level} = {{ same = {same:?}, twin = {twin:?}, relative = {relative:?}, stranger = {stranger:?} }}"
                );
            }
        }
        text
    }

    /// Its name as a word for records and journals: letters, digits, hyphens.
    pub fn word(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.name.chars().map(plain).collect()
    }

    /// The number of the field `name`.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The number of the field with which the field `at` is sometimes changed.
    pub(super) fn turned_with(&self, at: usize) -> Option<usize> {
        self.fields[at].turned.as_deref().and_then(|name| self.field(name))
    }

    /// Its groups of given names, each name as it is compared.
    pub(super) fn variant_keys(&self) -> impl Iterator<Item = BTreeSet<String>> {
        self.variants.iter().map(|group| group.iter().filter_map(|name| name_key(name)).collect())
    }

    /// The number of the first field of this kind.
    pub fn of_kind(&self, kind: Kind) -> Option<usize> {
        self.fields.iter().position(|field| field.kind == kind)
    }

    /// What agreement at `level` of a field is worth, in bits: one person against strangers, where no frequency says better.
    pub fn worth(field: &Field, level: &str) -> f64 {
        field.level.get(level).map_or(0.0, |chances| (chances.same / chances.stranger).log2())
    }

    /// What is wrong with its texts for people who are to read them: too long, or with what does not print. A model in force stays
    /// so whatever it is called.
    pub fn unprintable(&self) -> Option<ModelError> {
        let is_fit =
            |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        let unfit = |place: String, problem| Some(ModelError::Unfit { place, problem });
        if self.name.trim().is_empty() || !is_fit(&self.name, LETTERS) {
            return unfit("name".to_owned(), "name");
        }
        if !is_fit(&self.source.replace('\n', " "), 10 * LETTERS) {
            return unfit("source".to_owned(), "text");
        }
        let Search { split, keys, .. } = &self.search;
        let lists = [
            ("variants", self.variants.iter().flatten().collect::<Vec<_>>()),
            ("search", split.iter().chain(keys).collect()),
            ("life", self.life.columns().collect()),
        ];
        if let Some((place, _)) =
            lists.iter().find(|(_, texts)| !texts.iter().all(|text| is_fit(text, LETTERS)))
        {
            return unfit((*place).to_owned(), "text");
        }
        let mut fields = (1..).zip(&self.fields);
        let is_odd =
            |field: &Field| !field.columns.iter().chain([&field.name]).all(|text| is_fit(text, LETTERS));
        fields.find(|(_, field)| is_odd(field)).and_then(|(n, _)| unfit(format!("field[{n}]"), "text"))
    }

    fn check(&self) -> Result<(), ModelError> {
        let unfit = |place: &str, problem| Err(ModelError::Unfit { place: place.to_owned(), problem });
        if self.format != 1 {
            return Err(ModelError::Newer(self.format));
        }
        for field in &self.fields {
            if self.fields.iter().filter(|other| other.name == field.name).count() > 1 {
                return unfit(&field.name, "twice");
            }
            if let Some(with) = &field.turned
                && !(field.kind == Kind::Name
                    && self.fields.iter().any(|of| of.name == *with && of.kind == Kind::Name))
            {
                return unfit(&field.name, "turned");
            }
            let (whole, parts) = field.kind.levels().split_at(field.kind.parts_from());
            let levels = if field.weighs_parts() { field.kind.levels() } else { whole };
            if field.level.len() != levels.len() || levels.iter().any(|l| !field.level.contains_key(*l)) {
                return unfit(&field.name, "levels");
            }
            let parts = if field.weighs_parts() { parts } else { &[] };
            let classes = (0..CLASSES).flat_map(|class| [(class, whole), (class, parts)]);
            for (class, levels) in classes.filter(|(_, levels)| !levels.is_empty()) {
                let chances = levels.iter().map(|level| field.level[*level].of_classes()[class]);
                let sum: f64 = chances.clone().sum();
                let unused = sum == 0.0 && (class == TWIN || class == RELATIVE);
                let sound = chances.clone().all(|chance| chance > 0.0 && chance <= 1.0);
                let whole = (0.97..=1.03).contains(&sum);
                if !(unused || sound && whole) {
                    return unfit(&field.name, "chances");
                }
            }
        }
        if self.variants.len() > given_names::MORE {
            return unfit("variants", "groups");
        }
        if self.variant_keys().any(|group| group.len() < 2) {
            return unfit("variants", "group");
        }
        let Cut { one, auto, ask, most, largest } = self.cut;
        let is_finite = [one, auto, ask, most].into_iter().all(f64::is_finite);
        if !(is_finite && ask <= one && one <= auto && most > 0.0 && largest > 1) {
            return unfit("cut", "cut");
        }
        if !(self.pairs.same > 0.0 && self.pairs.twin >= 0.0 && self.pairs.relative >= 0.0) {
            return unfit("pairs", "pairs");
        }
        if self.search.keys.is_empty() || self.search.block < 2 {
            return unfit("search", "keys");
        }
        if self.name.trim().is_empty() {
            return unfit("name", "name");
        }
        super::candidates::Keys::of(self).map(|_| ())
    }
}
