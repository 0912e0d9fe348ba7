//! The words for staff, in Russian and English, from one Fluent catalogue.
//!
//! A message is found by its id; `ru/*.ftl` and `en/*.ftl` hold the same ids with the same arguments (a test
//! compares them). An error `code` has the message `error-<code>` and its attribute `.next`, the next step.

mod rule_words;
mod told;

use std::sync::LazyLock;

use exchange_format::answer::{PacketReason, RecordReason, Text};
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use jiff::{Timestamp, tz::TimeZone};

use crate::tables::Form;

pub use self::{
    rule_words::rule_words,
    told::{Told, found_in},
};
pub use fluent_bundle::FluentValue as Value;

/// The language in which staff are spoken to. Logs are always English.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Russian.
    #[default]
    Ru,
    /// English.
    En,
}

impl Lang {
    /// The text in this language: for texts that the exchange format itself has, such as those of its reasons.
    pub fn of(self, text: Text) -> &'static str {
        match self {
            Self::Ru => text.ru,
            Self::En => text.en,
        }
    }
}

/// A moment for people, to the second. In UTC and saying so: participants sit in several time zones.
pub fn moment(lang: Lang, at: Timestamp) -> String {
    let form = match lang {
        Lang::Ru => "%d.%m.%Y %H:%M:%S UTC",
        Lang::En => "%Y-%m-%d %H:%M:%S UTC",
    };
    at.to_zoned(TimeZone::UTC).strftime(form).to_string()
}

/// [`moment`] of a stored instant; the text itself if it is none.
pub fn stored_moment(lang: Lang, at: &str) -> String {
    at.parse().map_or_else(|_| at.to_owned(), |at| moment(lang, at))
}

/// A day (`YYYY-MM-DD`) for people, as tables have it; the text itself if it is none.
pub fn day(lang: Lang, text: &str) -> String {
    Form::Date.written(text, lang).into_owned()
}

type Catalogue = FluentBundle<FluentResource>;

const RU: [&str; 7] = [
    include_str!("ru/endpoint.ftl"),
    include_str!("ru/protocol.ftl"),
    include_str!("ru/hub.ftl"),
    include_str!("ru/spoke.ftl"),
    include_str!("ru/packet.ftl"),
    include_str!("ru/tables.ftl"),
    include_str!("ru/demo.ftl"),
];
const EN: [&str; 7] = [
    include_str!("en/endpoint.ftl"),
    include_str!("en/protocol.ftl"),
    include_str!("en/hub.ftl"),
    include_str!("en/spoke.ftl"),
    include_str!("en/packet.ftl"),
    include_str!("en/tables.ftl"),
    include_str!("en/demo.ftl"),
];

/// `--help`, whose English stands at the arguments ([`crate::help`]).
const RU_HELP: &str = include_str!("ru/help.ftl");

static RUSSIAN: LazyLock<Catalogue> = LazyLock::new(|| catalogue(RU.into_iter().chain([RU_HELP]), "ru"));
static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| catalogue(EN, "en"));

fn catalogue(sources: impl IntoIterator<Item = &'static str>, lang: &str) -> Catalogue {
    let lang = lang.parse().expect("a language of ours");
    let mut bundle = FluentBundle::new_concurrent(vec![lang]);
    // Isolating marks are invisible characters that would break copying of keys and paths.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new(source.to_owned())
            .map_err(|(_, errors)| errors)
            .expect("the catalogue is tested to parse");
        bundle.add_resource(resource).expect("the catalogue is tested to have no id twice");
    }
    bundle
}

/// The message `id` in `lang`, or its id itself where the catalogue has none (a bug, but no reason to stop).
pub fn text(lang: Lang, id: &str, args: &[(&str, Value<'_>)]) -> String {
    find(lang, id, args).unwrap_or_else(|| {
        debug_assert!(false, "no message {id} in the catalogue");
        id.to_owned()
    })
}

/// The message `id` (or the attribute, `id.attribute`) in `lang`, if the catalogue has it. For words that
/// depend on data, such as the name of a record kind that came with a later version.
pub fn find(lang: Lang, id: &str, args: &[(&str, Value<'_>)]) -> Option<String> {
    let bundle = match lang {
        Lang::Ru => &*RUSSIAN,
        Lang::En => &*ENGLISH,
    };
    let (id, attribute) = id.split_once('.').map_or((id, None), |(id, attribute)| (id, Some(attribute)));
    let message = bundle.get_message(id)?;
    let pattern = match attribute {
        Some(name) => message.get_attribute(name)?.value(),
        None => message.value()?,
    };
    let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "message {id}: {errors:?}");
    Some(text)
}

/// The catalogue's words for a code of a rule, reason or state: the message `<group>-<code>`; the code itself if there
/// is none, as of a code that came with a later version.
pub fn word(lang: Lang, group: &str, code: &str) -> String {
    let lower = code.to_lowercase();
    let known = |code: &str| find(lang, &format!("{group}-{code}"), &[]);
    known(&lower).or_else(|| known(&lower.replace(['_', ' '], "-"))).unwrap_or_else(|| code.to_owned())
}

/// What a reason of the exchange says: its sentence; the code itself if it is none.
pub fn reason(lang: Lang, code: &str) -> String {
    let packet = code.parse::<PacketReason>().ok().map(PacketReason::sentence);
    let known = packet.or_else(|| code.parse::<RecordReason>().ok().map(RecordReason::sentence));
    known.map_or_else(|| word(lang, "incident", code), |text| lang.of(text).to_owned())
}

/// The one thing to do about a reason of a packet, with a blank before it; nothing of others, whose sentence has it.
pub fn reason_next(lang: Lang, code: &str) -> String {
    let reason = code.parse::<PacketReason>().ok();
    reason.map(|reason| format!(" {}", lang.of(reason.next_action()))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Each id (and `id.attribute`) of the sources, with the arguments its text names. Reads the plain form
    /// in which the catalogue is written: an id or attribute at the start of a line, its text indented below.
    fn ids(sources: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut ids = BTreeMap::<String, BTreeSet<String>>::new();
        let (mut message, mut at) = (String::new(), String::new());
        for line in sources.iter().flat_map(|source| source.lines()).filter(|line| !line.starts_with('#')) {
            if let Some((id, _)) = line.split_once(" =") {
                if !line.starts_with(' ') {
                    message = id.to_owned();
                    at = id.to_owned();
                    assert!(ids.insert(at.clone(), BTreeSet::new()).is_none(), "{at} stands twice");
                } else if let Some(attribute) = id.trim().strip_prefix('.') {
                    at = format!("{message}.{attribute}");
                    ids.insert(at.clone(), BTreeSet::new());
                }
            }
            for (_, rest) in line.match_indices('$').map(|(i, _)| line.split_at(i + 1)) {
                let name = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                ids.get_mut(&at).expect("a text follows its id").insert(name);
            }
        }
        ids
    }

    #[test]
    fn both_languages_say_the_same_things_with_the_same_arguments() {
        let (ru, en) = (ids(&RU), ids(&EN));
        assert!(ru.len() > 20);
        for (id, args) in &ru {
            assert_eq!(Some(args), en.get(id), "{id}: arguments in Russian (left) and English differ");
        }
        for id in en.keys() {
            assert!(ru.contains_key(id), "{id} is missing in Russian");
        }
    }

    #[test]
    fn a_missing_translation_would_be_seen() {
        let (ru, en) = (ids(&["a = А { $x }\nb = Б\n    .next = В"]), ids(&["a = A\nb = B"]));
        assert_ne!(ru["a"], en["a"]);
        assert!(ru.contains_key("b.next") && !en.contains_key("b.next"));
    }

    #[test]
    fn every_error_says_what_to_do_next() {
        for (sources, lang) in [(&RU, Lang::Ru), (&EN, Lang::En)] {
            let ids = ids(sources);
            for (id, args) in ids.iter().filter(|(id, _)| id.starts_with("error-") && !id.contains('.')) {
                let next = format!("{id}.next");
                assert!(ids.contains_key(&next), "{id} has no .next");
                let all: Vec<_> = args.union(&ids[&next]).map(|name| (name.as_str(), "ЖЖ".into())).collect();
                let (what, next) = (text(lang, id, &all), text(lang, &next, &all));
                assert!(!what.contains(['{', '$', '\u{2068}']), "{id}: {what}");
                assert!(!next.contains(['{', '$', '\u{2068}']), "{id}: {next}");
            }
        }
    }

    #[test]
    fn numbers_choose_their_russian_form() {
        let records = |n: u64| text(Lang::Ru, "protocol-records", &[("n", n.into())]);
        assert_eq!(records(1), "1 запись");
        assert_eq!(records(3), "3 записи");
        assert_eq!(records(11), "11 записей");
    }

    #[test]
    fn an_unknown_id_is_told_by_find() {
        assert_eq!(find(Lang::Ru, "kind-of-a-later-version", &[]), None);
    }
}
