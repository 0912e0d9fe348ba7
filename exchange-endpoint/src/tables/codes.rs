//! The codes of closed lists as people write them in tables: the code itself, the words that staff have for it, or what claims
//! say for it. What was read so is counted, to be told.

use std::collections::BTreeMap;

use exchange_format::{
    record::{Field, Type},
    vocabulary,
};

use crate::messages::{self, Lang};

/// How often a code was read of a word, by column and code.
pub type Read = BTreeMap<(String, String), u64>;

/// What `text` states in `field` of a closed list: the code of a word (messages `code-<code>`, with `|` between several words,
/// and [`vocabulary`]), of some codes each, with commas between. `None` where it is a code as it is, or no word for one.
pub fn coded(field: &Field, text: &str) -> Option<String> {
    let said = text.trim();
    let code = match field.ty {
        _ if said.is_empty() || field.problem(Some(said)).is_none() => return None,
        Type::Code(codes) => meant(codes, field.name, said)?.to_owned(),
        Type::Codes(codes) => {
            let pieces = said.split([',', ';']).map(|piece| meant(codes, field.name, piece));
            // in the order of the list, each once
            let in_order = |said: Vec<&str>| -> Vec<&str> {
                codes.iter().copied().filter(|code| said.contains(code)).collect()
            };
            let each = pieces.collect::<Option<Vec<_>>>().map(|said| in_order(said).join(" "));
            each.or_else(|| vocabulary::codes(codes, field.name, said))?
        }
        _ => return None,
    };
    field.problem(Some(&code)).is_none().then_some(code)
}

fn meant(codes: &[&'static str], field: &str, text: &str) -> Option<&'static str> {
    let said = text.trim().to_lowercase();
    let is_meant = |code: &&&str| {
        let words = messages::find(Lang::Ru, &format!("code-{code}"), &[]);
        **code == said || words.is_some_and(|words| words.split('|').any(|word| word.trim() == said))
    };
    let by_words = codes.iter().find(is_meant).copied();
    by_words.or_else(|| vocabulary::code(field, &said).filter(|code| codes.contains(code)))
}

#[cfg(test)]
mod tests {
    use exchange_format::record::Kind;

    use super::*;

    #[test]
    fn words_are_read_as_codes_and_nothing_else_is_touched() {
        let field = |kind: Kind, name: &str| {
            let schema = kind.schema();
            let mut fields = schema.fields.iter().chain(schema.lines.map_or(&[][..], |lines| lines.fields));
            fields.find(|field| field.name == name).expect("a field")
        };
        for (kind, name, text, code) in [
            (Kind::Event, "type", "Смерть", "death"),
            (Kind::Event, "type", "переезд ", "move"),
            (Kind::CompletionMark, "mark", "Не выполнена.", "not_done"),
            (Kind::FreePlaces, "form", "На дому", "home"),
            (Kind::Service, "forms", "на дому, Стационар", "home residential"),
            (Kind::Service, "forms", "home, residential", "home residential"),
            (Kind::Service, "forms", "Стационар; на дому, на дому", "home residential"),
            (Kind::NeedDecision, "grounds", "15.1.8,15.1.1", "15.1.1 15.1.8"),
            (Kind::Provider, "part", "Лицензия", "licence"),
            (Kind::NeedDecision, "outcome", "признана", "recognised"),
        ] {
            assert_eq!(coded(field(kind, name), text).as_deref(), Some(code), "{kind} {name}: {text}");
        }
        for (kind, name, text) in [
            (Kind::Event, "type", "death"),
            (Kind::Event, "type", "свадьба"),
            (Kind::Event, "type", ""),
            (Kind::Event, "name", "Смерть"),
            (Kind::ProgrammeClaim, "part", "отказ"),
            (Kind::Provider, "part", "отказ"),
        ] {
            assert_eq!(coded(field(kind, name), text), None, "{kind} {name}: {text}");
        }
    }
}
