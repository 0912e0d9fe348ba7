//! What staff are proposed of a question about two programmes that overlap, with its reason.

use exchange_endpoint::messages::{self, Lang};
use serde::Serialize;

use super::{questions::Side, table_file::shown};
use crate::decisions::overlap::{self, Name, Rule};

/// A proposed answer. It decides nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resolution {
    /// `same` or `different`.
    pub answer: &'static str,
    /// Why: `SAME_DATE`, `SAME_NUMBER` or `LATER`.
    pub rule: &'static str,
    /// Of `LATER`: what is to be done with the earlier one.
    pub ends: Option<Ends>,
}

/// A programme that another one replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ends {
    /// Its id.
    pub key: String,
    /// Who is to end it: the centres that claim it, or the hub, which drew it up.
    pub centre: String,
    /// Its date.
    pub date: String,
    /// The date of the one that replaces it.
    pub replaced_by: String,
    /// Its last day.
    pub until: String,
}

impl Resolution {
    /// What is proposed of two programmes under these names; `hub` ends what no centre claims.
    pub(super) fn of([one, other]: [&Name; 2], [first, second]: [&Side; 2], hub: &str) -> Self {
        let rule = overlap::proposed(one, other);
        let (earlier, later, side) =
            if one.1 < other.1 { (one.1, other.1, first) } else { (other.1, one.1, second) };
        let ends = (rule == Rule::Later).then(|| Ends {
            key: side.key.clone(),
            centre: if side.centre.is_empty() { hub.to_owned() } else { side.centre.clone() },
            date: earlier.to_string(),
            replaced_by: later.to_string(),
            until: overlap::last_day(later).to_string(),
        });
        Self { answer: rule.answer(), rule: rule.code(), ends }
    }

    /// The answer and its reason, for staff.
    pub fn words(&self, lang: Lang) -> String {
        let date = |value: &str| shown(lang, "date", value);
        let args = self.ends.as_ref().map(|ends| {
            [
                ("centre", ends.centre.clone().into()),
                ("date", date(&ends.date).into()),
                ("later", date(&ends.replaced_by).into()),
                ("until", date(&ends.until).into()),
            ]
        });
        let id = format!("resolution-{}", self.rule.to_lowercase().replace('_', "-"));
        messages::text(lang, &id, args.as_ref().map_or(&[][..], |args| &args[..]))
    }
}
