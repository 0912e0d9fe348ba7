//! The rules of the domain, as data: what a record must say to be right, beyond the types of its fields.
//!
//! A rule has a code for ever, a severity for each kind that it applies to, a sentence in Russian and English, the law
//! or order that it comes from, and a pure check. What a centre typed (claims) is told as it is and warned about; the
//! centre's own business and the hub's documents are refused where they contradict themselves. `docs/RULES.md` lists
//! all; each has an example that breaks only it (`fixtures/data/rules/cases.txt`).
//!
//! A rule needs the record, and some need others beside it ([`Around`]): what is not given is not checked.

mod assessment;
mod belonging;
mod business;
mod dates;
mod directory;
mod invisible;
mod need;
mod number;
mod order;
mod programme;
mod recipient;
mod supplement;
mod values;

use std::sync::LazyLock;

use jiff::civil::Date;

use crate::{
    answer::Text,
    lists::Lists,
    record::{Body, FieldProblem, Finding, Kind, Line},
    typed, vocabulary,
};

/// What a breach means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The record is taken; staff are told.
    Warn,
    /// The record is not taken: INVALID.
    Refuse,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its code, for ever: `C07`.
    pub code: &'static str,
    /// The kinds that it applies to, and how grave a breach is there.
    pub applies: &'static [(Kind, Severity)],
    /// What is wrong, for staff.
    pub sentence: Text,
    /// The law, order or standard; `own` for a rule of this project.
    pub source: &'static str,
    check: fn(&Case<'_>) -> Option<Place>,
}

/// What is known beside a record. Rules that need what is absent are not checked.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The day, for rules on age and terms.
    pub today: Option<Date>,
    /// The lists of services and questions that the region goes by.
    pub lists: Option<&'a Lists>,
    /// The directory of services: those in force.
    pub directory: &'a [Body],
    /// Other records of the kind: of persons all, of documents those of the same person.
    pub others: &'a [Body],
    /// The person that the record is about.
    pub person: Option<&'a Body>,
    /// The programme that it belongs to.
    pub programme: Option<&'a Body>,
    /// The supplement that it belongs to.
    pub supplement: Option<&'a Body>,
    /// The contract that it belongs to.
    pub contract: Option<&'a Body>,
    /// The field in which it names what is another person's, or was withdrawn.
    pub stray: Option<&'static str>,
}

impl Around<'_> {
    /// The record comes alone.
    pub fn nothing() -> Self {
        Self {
            today: None,
            lists: None,
            directory: &[],
            others: &[],
            person: None,
            programme: None,
            supplement: None,
            contract: None,
            stray: None,
        }
    }
}

/// Where in a record a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The field.
    pub field: &'static str,
    /// Which line, counted from 1, if it is a line's.
    pub line: Option<usize>,
}

/// A broken rule. Never repeats a value: it may be personal data.
#[derive(Debug, Clone, Copy)]
pub struct Breach {
    /// The rule.
    pub rule: &'static Rule,
    /// How grave it is in this kind.
    pub severity: Severity,
    /// Where it was found first.
    pub place: Place,
}

/// Every rule, in the order of their files.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        recipient::RULES,
        need::RULES,
        programme::RULES,
        supplement::RULES,
        assessment::RULES,
        business::RULES,
        directory::RULES,
        order::RULES,
        dates::RULES,
        invisible::RULES,
        belonging::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule of that code.
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code == code)
}

pub use assessment::name as assessment_name;
pub use invisible::INVISIBLE;
pub use number::{former as former_number, number as paper_number, number_again as paper_number_again};
pub use programme::{
    UNPUBLISHED, named as document_name, term as programme_term, unpublished as unpublished_document,
};
pub(crate) use recipient::cyrillic;
pub use recipient::{fold as fold_code, identities};
pub use supplement::{grid_days, grid_minutes};

/// Every rule that `body` breaks, each once. It is judged as the coordination centre reads it ([`typed::read`]), and so is what
/// stands beside it.
pub fn check(body: &Body, around: &Around<'_>) -> Vec<Breach> {
    let read = |beside: Option<&'_ Body>| beside.map(|body| typed::read(body).into_owned());
    let [person, programme, supplement, contract] =
        [around.person, around.programme, around.supplement, around.contract].map(read);
    let around = Around {
        person: person.as_ref(),
        programme: programme.as_ref(),
        supplement: supplement.as_ref(),
        contract: contract.as_ref(),
        ..*around
    };
    let case = Case { typed: body, body: &typed::read(body), around: &around };
    all()
        .filter_map(|rule| {
            let severity = rule.severity(body.kind())?;
            (rule.check)(&case).map(|place| Breach { rule, severity, place })
        })
        .collect()
}

/// Rules on records of centres whose values cannot be read, or are read otherwise than they look.
const UNREAD: [&str; 6] = ["R18", "R20", "P13", "P16", "K08", "I01"];

/// The rules that `body` breaks because the coordination centre cannot read a value of it.
pub fn unread(body: &Body) -> Vec<Breach> {
    let breaches = check(body, &Around::nothing()).into_iter();
    breaches.filter(|breach| UNREAD.contains(&breach.rule.code)).collect()
}

/// What keeps `body` from being taken, as far as the record alone tells: by its schema, else by the first rule that
/// refuses it.
pub fn first_fault(body: &Body) -> Option<Finding> {
    fault_within(body, &Around::nothing())
}

/// A supplement that is not published because it names, in `field`, a programme that is another person's or was withdrawn.
pub fn stranded(field: &'static str) -> Option<Finding> {
    let rule = find(STRANDED)?;
    let problem = FieldProblem::Broken { code: rule.code, sentence: rule.sentence };
    Some(Finding { field, line: None, problem })
}

/// The rule on two documents of one number and date.
pub const DOUBLED: &str = "D08";

/// The rule of [`stranded`].
pub const STRANDED: &str = "W01";

/// What keeps `body` from being taken beside what stands `around` it: by its schema, else by the first rule that
/// refuses it.
pub fn fault_within(body: &Body, around: &Around<'_>) -> Option<Finding> {
    let broken = || {
        let mut refusing =
            all().filter(|rule| rule.severity(body.kind()) == Some(Severity::Refuse)).peekable();
        refusing.peek()?;
        let case = Case { typed: body, body: &typed::read(body), around };
        refusing.find_map(|rule| {
            let Place { field, line } = (rule.check)(&case)?;
            let problem = FieldProblem::Broken { code: rule.code, sentence: rule.sentence };
            Some(Finding { field, line, problem })
        })
    };
    // of an СНИЛС the type of the field is as strict as the rule, whose sentence says what is wrong
    let told = |finding: Finding| match finding.problem {
        FieldProblem::NotOfType { .. } if finding.field == "snils" => broken().unwrap_or(finding),
        _ => finding,
    };
    body.findings().into_iter().next().map(told).or_else(broken)
}

/// Rules about the form of one value, whatever else the record says.
static FORMS: LazyLock<Vec<&'static Rule>> = LazyLock::new(|| {
    let codes =
        ["A04", "A07", "R01", "R02", "R03", "R04", "R05", "R06", "R06a", "R07", "R08", "R16", "R19", "R21"];
    codes.into_iter().filter_map(find).collect()
});

/// The rule of form that `value` breaks in `field` of a record of `kind`, whatever its severity: for a value that
/// somebody enters now and can correct now.
pub fn form_fault(kind: Kind, field: &str, value: &str, today: Date) -> Option<&'static Rule> {
    let mut body = Body::new(kind);
    body.set(field, value).ok()?;
    let around = Around { today: Some(today), ..Around::nothing() };
    let case = Case { typed: &body, body: &typed::read(&body), around: &around };
    let is_there = |place: Place| place.field == field && place.line.is_none();
    let mut of_kind = FORMS.iter().filter(|rule| rule.severity(kind).is_some());
    of_kind.find(|rule| (rule.check)(&case).is_some_and(is_there)).copied()
}

/// Whether series, number and code of the identity document that `body`, a person, states are not of one form (A05, R14, R16).
pub fn document_is_malformed(body: &Body) -> bool {
    let case = Case { typed: body, body: &typed::read(body), around: &Around::nothing() };
    let mut rules = ["A05", "R14", "R16"].into_iter().filter_map(find);
    rules.any(|rule| rule.severity(body.kind()).is_some() && (rule.check)(&case).is_some())
}

impl Rule {
    /// How grave a breach is in records of `kind`, if it applies to them.
    pub fn severity(&self, kind: Kind) -> Option<Severity> {
        self.applies.iter().find(|(applies, _)| *applies == kind).map(|(_, severity)| *severity)
    }
}

/// A record under a check.
struct Case<'a> {
    /// As it came.
    typed: &'a Body,
    /// As it is read.
    body: &'a Body,
    around: &'a Around<'a>,
}

impl<'a> Case<'a> {
    fn text(&self, field: &str) -> Option<&'a str> {
        self.body.text(field)
    }

    fn date(&self, field: &str) -> Option<Date> {
        let text = self.text(field)?;
        match self.body.kind() {
            Kind::RecipientClaim | Kind::Person => typed::of_person_date(field, text),
            _ => values::paper_date(text),
        }
    }

    fn whole(&self, field: &str) -> Option<u64> {
        values::whole(self.text(field)?)
    }

    fn lines(&self) -> &'a [Line] {
        self.body.lines()
    }

    /// The first field in which something stands that nobody can read, or a line has nothing where it must, besides
    /// `head` of its head and `of_line` of its lines.
    fn unread(&self, head: &[&str], of_line: &[&str]) -> Option<Place> {
        let (fields, of_lines) = typed::fields(self.body.kind());
        let mut fields = fields.iter().filter(|field| !head.contains(&field.name));
        let of_head = fields.find(|field| typed::is_unread(field, self.body.head()));
        let first = |line: &Line| {
            let mut fields = of_lines.iter().filter(|field| !of_line.contains(&field.name));
            fields.find(|field| typed::is_unread(field, line) || typed::lacks(field, line))
        };
        let of_head = of_head.map(|field| Place { field: field.name, line: None });
        of_head.or_else(|| {
            let mut lines = (1..).zip(self.lines());
            lines.find_map(|(n, line)| Some(Place { field: first(line)?.name, line: Some(n) }))
        })
    }

    /// Whether the region has no list of the name that `model` says, as `known` finds them.
    fn is_unlisted(&self, known: impl Fn(&Lists, &str) -> bool) -> bool {
        self.around.lists.zip(self.text("model")).is_some_and(|(lists, model)| !known(lists, model))
    }

    /// The first line of which `wrong` holds, at `field`.
    fn line(&self, field: &'static str, wrong: impl Fn(&Line) -> bool) -> Option<Place> {
        self.lines().iter().position(wrong).map(|at| Place { field, line: Some(at + 1) })
    }
}

/// `field`, if `wrong`.
fn at(field: &'static str, wrong: bool) -> Option<Place> {
    wrong.then_some(Place { field, line: None })
}

/// The first of `fields` of which `wrong` holds.
fn any(fields: &[&'static str], wrong: impl Fn(&'static str) -> bool) -> Option<Place> {
    fields.iter().copied().find(|field| wrong(field)).map(|field| Place { field, line: None })
}

/// A value of a line as a number.
fn number(line: &Line, field: &str) -> Option<u64> {
    values::whole(line.text(field)?)
}

/// The code of a closed list that a line, or a head, says in `field`, however it was typed.
fn code_of(line: &Line, field: &str) -> Option<&'static str> {
    vocabulary::code(field, line.text(field)?)
}

/// A value of a line as a date.
fn day(line: &Line, field: &str) -> Option<Date> {
    values::paper_date(line.text(field)?)
}

const fn text(ru: &'static str, en: &'static str) -> Text {
    Text { ru, en }
}
