//! Regional lists as versioned data: care services and questionnaires with their points and bands.
//!
//! None of this is code, because each region has its own and changes it. What is shipped (`data/`) is a
//! **demonstration, unofficial**: neither the list of orders 781/895 nor any region's norms. A region's own file has
//! the same form; records name the list that they were made by in their field `model`.

use std::sync::LazyLock;

use serde::Deserialize;

/// The lists that rules go by.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Lists of care services, by model.
    pub care: Vec<CareList>,
    /// Questionnaires, by model.
    pub questionnaires: Vec<Questionnaire>,
}

/// A list of care services: sections 4, 5 and 6 of a supplement share it out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareList {
    /// Its name and version: `demo-1`.
    pub model: String,
    /// Whether an authority has issued it.
    pub official: bool,
    /// What it is, for people.
    pub note: String,
    /// The services.
    pub service: Vec<CareService>,
}

/// A care service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareService {
    /// Its code in the list.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Minutes a time.
    pub minutes: u32,
    /// What is done.
    pub action: String,
    /// Which variant of the action it is, if there are two: they exclude each other on a day.
    #[serde(default)]
    pub variant: Option<Variant>,
}

/// Whether the assistant acts in the person's place or helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Замещающее действие.
    Replace,
    /// Ассистирующее действие.
    Assist,
}

/// A questionnaire (анкета-опросник).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    /// Its name and version.
    pub model: String,
    /// Whether an authority has issued it.
    pub official: bool,
    /// What it is, for people.
    pub note: String,
    /// The level of care for a sum of points.
    pub band: Vec<Band>,
    /// The questions.
    pub question: Vec<Question>,
    /// Pairs of answers that cannot both be true.
    #[serde(default)]
    pub contradiction: Vec<Contradiction>,
    /// Services that an answer makes needless.
    #[serde(default)]
    pub unneeded: Vec<Unneeded>,
}

/// Sums of points and their level.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// `0` (none) to `3`.
    pub level: String,
    /// The lowest sum.
    pub from: u64,
    /// The highest.
    pub to: u64,
}

/// A question.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its block of the form.
    pub block: String,
    /// Its code.
    pub code: String,
    /// As it is asked.
    pub text: String,
    /// Whether it must be answered.
    pub mandatory: bool,
    /// Whether it may have several answers.
    #[serde(default)]
    pub many: bool,
    /// The answers to choose from.
    pub answer: Vec<Answer>,
}

/// An answer to choose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `POINTS_VALUE`.
    pub code: String,
    /// In words.
    pub text: String,
    /// Whether it cannot stand beside another ("none").
    #[serde(default)]
    pub excludes: bool,
    /// Whether it must be explained ("other").
    #[serde(default)]
    pub needs_text: bool,
}

/// Two answers that cannot both be true, each as question and answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// The one.
    pub one: [String; 2],
    /// The other.
    pub other: [String; 2],
}

/// Services that nobody needs who answered so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unneeded {
    /// Question and answer.
    pub answer: [String; 2],
    /// Codes of care services.
    pub services: Vec<String>,
}

/// A file is no list of this kind.
#[derive(Debug, thiserror::Error)]
#[error("the list cannot be read: {0}")]
pub struct ListError(#[from] toml::de::Error);

impl Lists {
    /// The lists that are shipped: demonstration, unofficial.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Lists> = LazyLock::new(|| Lists {
            care: vec![
                CareList::parse(include_str!("../data/care_services.demo-1.toml")).expect("shipped, tested"),
            ],
            questionnaires: vec![
                Questionnaire::parse(include_str!("../data/questionnaire.demo-1.toml"))
                    .expect("shipped, tested"),
            ],
        });
        &SHIPPED
    }

    /// The list of care services of that model.
    pub fn care(&self, model: &str) -> Option<&CareList> {
        self.care.iter().find(|list| list.model == model)
    }

    /// The questionnaire of that model.
    pub fn questionnaire(&self, model: &str) -> Option<&Questionnaire> {
        self.questionnaires.iter().find(|list| list.model == model)
    }
}

impl CareList {
    /// Reads a list in TOML.
    ///
    /// # Errors
    /// It is not one: where, and what stands there.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        Ok(toml::from_str(text)?)
    }

    /// The service of that code.
    pub fn service(&self, code: &str) -> Option<&CareService> {
        self.service.iter().find(|service| service.code == code)
    }
}

impl Questionnaire {
    /// Reads a questionnaire in TOML.
    ///
    /// # Errors
    /// It is not one: where, and what stands there.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        Ok(toml::from_str(text)?)
    }

    /// The question of that code.
    pub fn question(&self, code: &str) -> Option<&Question> {
        self.question.iter().find(|question| question.code == code)
    }

    /// The level for a sum of points.
    pub fn level(&self, total: u64) -> Option<&str> {
        let band = self.band.iter().find(|band| (band.from..=band.to).contains(&total));
        band.map(|band| band.level.as_str())
    }
}

impl Question {
    /// The answer of that code.
    pub fn answer(&self, code: &str) -> Option<&Answer> {
        self.answer.iter().find(|answer| answer.code == code)
    }
}

impl Answer {
    /// The point part of its code.
    pub fn points(&self) -> Option<u64> {
        self.code.split_once('_')?.0.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_lists_are_sound_and_say_that_they_are_unofficial() {
        let lists = Lists::shipped();
        for list in &lists.care {
            assert!(!list.official && list.note.contains("неофициальн"));
            for (at, service) in list.service.iter().enumerate() {
                assert!(list.service[..at].iter().all(|other| other.code != service.code));
                let twins = list.service.iter().filter(|other| other.action == service.action).count();
                assert_eq!(twins == 2, service.variant.is_some(), "{}", service.code);
            }
        }
        for list in &lists.questionnaires {
            assert!(!list.official && list.note.contains("неофициальн"));
            let answers = list.question.iter().flat_map(|question| &question.answer);
            assert!(answers.clone().count() > 20 && answers.clone().all(|answer| answer.points().is_some()));
            let most: u64 = list
                .question
                .iter()
                .filter_map(|question| question.answer.iter().filter_map(Answer::points).max())
                .sum();
            assert!((0..=most).all(|total| list.level(total).is_some()), "the bands have no gap");
            for [question, answer] in list.contradiction.iter().flat_map(|pair| [&pair.one, &pair.other]) {
                assert!(list.question(question).is_some_and(|found| found.answer(answer).is_some()));
            }
        }
    }

    #[test]
    fn a_misspelt_list_is_refused() {
        let text = "model = \"x\"\nofficial = false\nnote = \"\"\nband = []\nquestion = []\nlevels = 3\n";
        assert!(Questionnaire::parse(text).is_err());
    }
}
