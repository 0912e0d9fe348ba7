//! The page of a trial merge that a director can read: counts, no names.

use askama::Template;
use exchange_endpoint::{
    messages::{self, Lang, Value, word},
    protocol::STYLE,
};
use jiff::Timestamp;

use super::trial::{CentreReport, FieldQuality, Report};

/// The page of `report`.
pub(super) fn render(report: &Report, lang: Lang, at: Timestamp) -> Result<String, askama::Error> {
    Page { report, lang, at: messages::moment(lang, at) }.render()
}

#[derive(Template)]
#[template(path = "trial.html")]
struct Page<'a> {
    report: &'a Report,
    lang: Lang,
    at: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes references")]
impl Page<'_> {
    fn t(&self, id: &str) -> String {
        messages::text(self.lang, &format!("trial-page-{id}"), &[])
    }

    const fn tag(&self) -> &'static str {
        match self.lang {
            Lang::Ru => "ru",
            Lang::En => "en",
        }
    }

    /// A number with its thousands apart.
    fn n(&self, n: &usize) -> String {
        self.count(&(*n as u64))
    }

    #[expect(clippy::unused_self, reason = "a template calls it so")]
    fn count(&self, n: &u64) -> String {
        let digits = n.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
        groups.join("\u{a0}")
    }

    fn questions(&self) -> &usize {
        &self.report.asked
    }

    /// Between which numbers of persons the truth lies as far as the engine can tell.
    fn range(&self) -> String {
        let args = [
            ("most", self.n(&self.report.persons_auto).into()),
            ("one", self.n(&self.report.persons).into()),
        ];
        messages::text(self.lang, "trial-page-range", &args)
    }

    fn first(&self, line: &u64) -> String {
        messages::text(self.lang, "trial-page-first", &[("line", line.to_string().into())])
    }

    fn model(&self) -> String {
        let args =
            [("model", Value::from(self.report.model.clone())), ("pairs", self.n(&self.report.pairs).into())];
        messages::text(self.lang, "trial-page-model", &args)
    }

    fn between(&self, one: &str, other: &str) -> String {
        let is = |a: &str, b: &str| (a == one && b == other) || (a == other && b == one);
        let found = self.report.shared_between.iter().find(|(a, b, _)| is(a, b));
        found.map_or_else(|| "—".to_owned(), |(.., n)| self.n(n))
    }

    fn doubts(&self) -> Vec<(String, String)> {
        let questions = self.report.questions.iter();
        questions.map(|(reason, n)| (word(self.lang, "review", reason), self.n(n))).collect()
    }

    fn fields(&self) -> Vec<String> {
        let first = self.report.centres.first();
        let fields = first.into_iter().flat_map(|centre| &centre.fields);
        fields
            .map(|field| {
                messages::find(self.lang, &format!("evidence-{}", field.kind), &[])
                    .unwrap_or_else(|| field.field.clone())
            })
            .collect()
    }

    /// The share of records whose value is understood and not wrong, in whole percents.
    fn percent(centre: &CentreReport, field: &FieldQuality) -> usize {
        ((field.understood - field.wrong) * 100).checked_div(centre.records).unwrap_or(0)
    }

    #[expect(clippy::unused_self, reason = "a template calls it so")]
    fn share(&self, centre: &CentreReport, field: &FieldQuality) -> String {
        if field.stated == 0 {
            return "—".to_owned();
        }
        let unread = field.stated.saturating_sub(field.understood) + field.wrong;
        let percent = Self::percent(centre, field);
        if unread == 0 { format!("{percent} %") } else { format!("{percent} % (−{unread})") }
    }

    #[expect(clippy::unused_self, reason = "a template calls it so")]
    fn is_weak(&self, centre: &CentreReport, field: &FieldQuality) -> bool {
        Self::percent(centre, field) < 50
    }
}
