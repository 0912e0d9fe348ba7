//! Regional lists as versioned data: care services and questionnaires with their points and bands.
//!
//! None of this is code, because each region has its own and changes it. What is shipped (`data/`) is a
//! **demonstration, unofficial**: neither the list of orders 781/895 nor any region's norms. A region's own file has
//! the same form; records name the list that they were made by in their field `model`.

use std::{collections::BTreeSet, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    answer::Text,
    record::{Field, Kind, Type},
    rules::fold_code,
};

/// The lists that rules go by.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lists {
    /// Lists of care services, by model.
    pub care: Vec<CareList>,
    /// Questionnaires, by model.
    pub questionnaires: Vec<Questionnaire>,
}

/// A list of care services: sections 4, 5 and 6 of a supplement share it out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareList {
    /// Its name and version: `demo-1`.
    pub model: String,
    /// Whether an authority has issued it.
    pub official: bool,
    /// What it is, for people.
    pub note: String,
    /// Forms of service in which the region gives the care package (C04).
    #[serde(default = "at_home")]
    pub forms: Vec<String>,
    /// The services.
    pub service: Vec<CareService>,
}

fn at_home() -> Vec<String> {
    vec!["home".to_owned()]
}

/// A care service.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Замещающее действие.
    Replace,
    /// Ассистирующее действие.
    Assist,
}

/// A questionnaire (анкета-опросник).
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    /// The one.
    pub one: [String; 2],
    /// The other.
    pub other: [String; 2],
}

/// Services that nobody needs who answered so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unneeded {
    /// Question and answer.
    pub answer: [String; 2],
    /// Codes of care services.
    pub services: Vec<String>,
}

/// The greatest total that an assessment can state.
const MOST_POINTS: u64 = 9999;

const fn text(ru: &'static str, en: &'static str) -> Text {
    Text { ru, en }
}

const TOKEN: Text = text(
    "нужны строчные латинские буквы, цифры и знаки _.-, до 60",
    "must be lower-case Latin letters, digits and _.-, up to 60",
);
const EMPTY: Text = text("список пуст", "the list is empty");
const TWICE: Text = text("код не указан или уже был", "the code is missing or was there before");
const CODE: Text = text(
    "такой код записи не вместят: до 60 знаков, без пробелов, запятых и точек с запятой",
    "no record can bear this code: up to 60 characters without blanks, commas and semicolons",
);
const NAME: Text = text("нужно название до 400 знаков", "must be a name of up to 400 characters");
const ACTION: Text = text("не сказано, какое это действие", "it does not say which action this is");
const TWIN: Text = text(
    "у этого действия нет услуги другого варианта: вариант пишут, только если их два",
    "no service of this action has the other variant: it is named only where there are two",
);
const FORMS: Text = text(
    "нужна хотя бы одна форма обслуживания: home, semi-residential, residential",
    "must be at least one form of service: home, semi-residential, residential",
);
const NO_SERVICE: Text =
    text("такого кода нет ни в одном перечне услуг", "no list of services has such a code");
const MINUTES: Text = text("нужны минуты от 1 до 1440", "must be minutes from 1 to 1440");
const POINTS: Text = text(
    "код ответа имеет вид БАЛЛЫ_ЗНАЧЕНИЕ (баллов до 999; строчные латинские буквы, цифры и знаки _.-)",
    "the code of an answer is POINTS_VALUE (up to 999 points; lower-case Latin letters, digits and _.-)",
);
const BAND: Text = text("уровень от 0 до 3, from не больше to", "level from 0 to 3, from not above to");
const GAP: Text = text(
    "каждой сумме баллов от нуля до наибольшей (до 9999) должен отвечать ровно один уровень",
    "each total from zero to the greatest (up to 9999) must have just one level",
);
const NO_ANSWER: Text = text("такого ответа в анкете нет", "the questionnaire has no such answer");

fn no_token(model: &str) -> Option<(String, Text)> {
    let wrong = Field::required("model", Type::Token).problem(Some(model)).is_some();
    wrong.then(|| ("model".to_owned(), TOKEN))
}

/// Whether the lines of records of `kind` can have `value` in `field`.
fn fits(kind: Kind, field: &str, value: &str) -> bool {
    let fields = kind.schema().lines.map_or(&[][..], |lines| lines.fields);
    let field = fields.iter().find(|one| one.name == field);
    !value.is_empty() && field.is_some_and(|field| field.problem(Some(value)).is_none())
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

    /// Whether the care package is given in `form` by some list: a decision on need names no model.
    pub fn gives_package(&self, form: &str) -> bool {
        self.care.iter().any(|list| list.forms.iter().any(|given| given == form))
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

    /// What is wrong with the list beyond its form, and under which key.
    pub fn fault(&self) -> Option<(String, Text)> {
        no_token(&self.model)
            .or_else(|| self.fault_of_forms())
            .or_else(|| self.service.is_empty().then(|| ("service".to_owned(), EMPTY)))
            .or_else(|| self.fault_of_services())
    }

    fn fault_of_forms(&self) -> Option<(String, Text)> {
        let fields = Kind::Assessment.schema().fields;
        let known = |form: &String| {
            fields.iter().any(|field| field.name == "form" && field.problem(Some(form)).is_none())
        };
        let wrong = self.forms.is_empty() || !self.forms.iter().all(known);
        wrong.then(|| ("forms".to_owned(), FORMS))
    }

    fn fault_of_services(&self) -> Option<(String, Text)> {
        let mut codes = BTreeSet::new();
        self.service.iter().enumerate().find_map(|(n, service)| {
            let key = |name: &str| format!("service[{}].{name}", n + 1);
            let bears = |field, value: &str| fits(Kind::Supplement, field, value) && value.trim() == value;
            let parted = service.code.contains(|c: char| c.is_whitespace() || ",;".contains(c));
            let twin = |variant: Variant| {
                let other = |other: &CareService| other.variant.is_some_and(|of| of != variant);
                self.service.iter().any(|one| one.action == service.action && other(one))
            };
            [
                (service.code.is_empty() || !codes.insert(fold_code(&service.code)), "code", TWICE),
                (parted || !bears("service_code", &service.code), "code", CODE),
                (!bears("name", &service.name), "name", NAME),
                (!(1..=1440).contains(&service.minutes), "minutes", MINUTES),
                (service.action.trim().is_empty(), "action", ACTION),
                (service.variant.is_some_and(|variant| !twin(variant)), "variant", TWIN),
            ]
            .into_iter()
            .find_map(|(wrong, name, why)| wrong.then(|| (key(name), why)))
        })
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

    /// What is wrong with the questionnaire beyond its form, and under which key.
    pub fn fault(&self) -> Option<(String, Text)> {
        let is_answer = |[question, answer]: &[String; 2]| {
            self.question(question).is_some_and(|question| question.answer(answer).is_some())
        };
        let contradiction = |pair: &Contradiction| !is_answer(&pair.one) || !is_answer(&pair.other);
        let unneeded = |one: &Unneeded| !is_answer(&one.answer) || one.services.is_empty();
        let nth = |key: &str, at: Option<usize>| at.map(|n| (format!("{key}[{}]", n + 1), NO_ANSWER));
        no_token(&self.model)
            .or_else(|| self.question.is_empty().then(|| ("question".to_owned(), EMPTY)))
            .or_else(|| self.fault_of_questions())
            .or_else(|| self.fault_of_bands())
            .or_else(|| nth("contradiction", self.contradiction.iter().position(contradiction)))
            .or_else(|| nth("unneeded", self.unneeded.iter().position(unneeded)))
    }

    /// What is wrong with it besides, where the region's lists of services are `care`.
    pub fn fault_beside(&self, care: &[CareList]) -> Option<(String, Text)> {
        let known = |code: &String| care.iter().any(|list| list.service(code).is_some());
        let n = self.unneeded.iter().position(|one| !one.services.iter().all(known))?;
        Some((format!("unneeded[{}].services", n + 1), NO_SERVICE))
    }

    fn fault_of_questions(&self) -> Option<(String, Text)> {
        let mut codes = BTreeSet::new();
        self.question.iter().enumerate().find_map(|(n, question)| {
            let mut answers = BTreeSet::new();
            let key = format!("question[{}]", n + 1);
            if question.code.is_empty() || !codes.insert(fold_code(&question.code)) {
                return Some((format!("{key}.code"), TWICE));
            }
            for (name, field, value) in
                [("block", "block", &question.block), ("code", "question", &question.code)]
            {
                if !fits(Kind::Assessment, field, value) {
                    return Some((format!("{key}.{name}"), TOKEN));
                }
            }
            if question.answer.is_empty() {
                return Some((key, EMPTY));
            }
            question.answer.iter().enumerate().find_map(|(n, answer)| {
                let points =
                    answer.points().is_some_and(|n| fits(Kind::Assessment, "points", &n.to_string()));
                let fault = if !points || !fits(Kind::Assessment, "answer", &answer.code) {
                    POINTS
                } else if answers.insert(fold_code(&answer.code)) {
                    return None;
                } else {
                    TWICE
                };
                Some((format!("{key}.answer[{}].code", n + 1), fault))
            })
        })
    }

    /// Each sum of points that answers can give has one level.
    fn fault_of_bands(&self) -> Option<(String, Text)> {
        let wrong =
            |band: &Band| !matches!(band.level.as_str(), "0" | "1" | "2" | "3") || band.from > band.to;
        if let Some(n) = self.band.iter().position(wrong) {
            return Some((format!("band[{}]", n + 1), BAND));
        }
        let most = |question: &Question| {
            let points = question.answer.iter().filter_map(Answer::points);
            if question.many { points.fold(0, u64::saturating_add) } else { points.max().unwrap_or(0) }
        };
        let most = self.question.iter().map(most).fold(0, u64::saturating_add);
        let levels =
            |total: u64| self.band.iter().filter(|band| (band.from..=band.to).contains(&total)).count();
        let gap = most > MOST_POINTS || (0..=most).any(|total| levels(total) != 1);
        gap.then(|| ("band".to_owned(), GAP))
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
            assert_eq!(list.fault(), None);
            assert!(!list.official && list.note.contains("неофициальн"));
            for (at, service) in list.service.iter().enumerate() {
                assert!(list.service[..at].iter().all(|other| other.code != service.code));
                let twins = list.service.iter().filter(|other| other.action == service.action).count();
                assert_eq!(twins == 2, service.variant.is_some(), "{}", service.code);
            }
        }
        for list in &lists.questionnaires {
            assert_eq!(list.fault(), None);
            assert!(!list.official && list.note.contains("неофициальн"));
            let answers = list.question.iter().flat_map(|question| &question.answer);
            assert!(answers.clone().count() > 20 && answers.clone().all(|answer| answer.points().is_some()));
        }
    }

    #[test]
    fn a_list_that_contradicts_itself_is_told_by_its_key() {
        let care = include_str!("../data/care_services.demo-1.toml");
        for (from, to, key) in [
            ("model = \"demo-1\"", "model = \"Демо 1\"", "model"),
            ("forms = [\"home\"]", "forms = []", "forms"),
            ("forms = [\"home\"]", "forms = [\"на дому\"]", "forms"),
            ("code = \"02\"", "code = \"01\"", "service[2].code"),
            ("minutes = 60", "minutes = 0", "service[1].minutes"),
            ("code = \"02\"", "code = \" 02 \"", "service[2].code"),
            ("code = \"02\"", "code = \"0,2\"", "service[2].code"),
            ("name = \"Умывание\"", "name = \" \"", "service[8].name"),
            ("action = \"drink\"", "action = \"\"", "service[7].action"),
            ("action = \"drink\"", "action = \"drink\"\nvariant = \"assist\"", "service[7].variant"),
            ("variant = \"assist\"", "variant = \"replace\"", "service[1].variant"),
        ] {
            assert!(care.contains(from), "{from}");
            let list = CareList::parse(&care.replacen(from, to, 1)).expect("a list");
            assert_eq!(list.fault().map(|(key, _)| key).as_deref(), Some(key));
        }
        let asked = include_str!("../data/questionnaire.demo-1.toml");
        for (from, to, key) in [
            ("from = 6", "from = 7", "band"),
            ("to = 12", "to = 13", "band"),
            ("level = \"3\"", "level = \"4\"", "band[4]"),
            ("code = \"1.2\"", "code = \"1.1\"", "question[2].code"),
            ("code = \"2_2\"", "code = \"2\"", "question[1].answer[2].code"),
            ("code = \"2_2\"", "code = \"0_1\"", "question[1].answer[2].code"),
            ("one = [\"", "one = [\"9", "contradiction[1]"),
            ("code = \"1.2\"", "code = \"1.А\"", "question[2].code"),
            ("block = \"1\"", "block = \"Блок 1\"", "question[1].block"),
            ("code = \"2_2\"", "code = \"2_да\"", "question[1].answer[2].code"),
            ("code = \"2_2\"", "code = \"1000_2\"", "question[1].answer[2].code"),
            ("services = [\"05\", \"06\"]", "services = []", "unneeded[1]"),
        ] {
            assert!(asked.contains(from), "{from}");
            let list = Questionnaire::parse(&asked.replacen(from, to, 1)).expect("a questionnaire");
            assert_eq!(list.fault().map(|(key, _)| key).as_deref(), Some(key));
        }
    }

    #[test]
    fn a_questionnaire_names_services_of_a_list() {
        let asked = include_str!("../data/questionnaire.demo-1.toml").replace("\"06\"]", "\"zz\"]");
        let asked = Questionnaire::parse(&asked).expect("a questionnaire");
        let Lists { care, questionnaires } = Lists::shipped();
        let told = asked.fault_beside(care).map(|(key, _)| key);
        assert_eq!((asked.fault(), told.as_deref()), (None, Some("unneeded[1].services")));
        assert_eq!(questionnaires[0].fault_beside(care), None);
    }

    #[test]
    fn a_misspelt_list_is_refused() {
        let text = "model = \"x\"\nofficial = false\nnote = \"\"\nband = []\nquestion = []\nlevels = 3\n";
        assert!(Questionnaire::parse(text).is_err());
    }
}
