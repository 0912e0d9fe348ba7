//! The rules that answers and protocols name, in words: a code such as `contract.C07` or
//! `recipient_claim.birth_date.unreadable` tells staff nothing.

use exchange_format::{answer::RecordReason, rules};

use super::{Lang, find, text};
use crate::tables::headings::field;

/// What `rule`, by which a record was not taken or is held for `reason`, says of it: the sentence of the rule of the
/// domain, or the field that is meant. `None` where the reason's own sentence says all.
pub fn rule_words(lang: Lang, rule: &str, reason: &str) -> Option<String> {
    let (kind, rest) = rule.split_once('.')?;
    if let Some(rule) = rules::find(rest) {
        return Some(format!("{}: {}", rule.code, lang.of(rule.sentence)));
    }
    if let Some(words) = find(lang, &format!("record-rule-{rest}"), &[]) {
        return Some(words);
    }
    let (name, unreadable) = match rest.strip_suffix(".unreadable") {
        Some(name) => (name, true),
        None => (rest, false),
    };
    let schema = kind.parse::<exchange_format::record::Kind>().ok()?.schema();
    let fields = schema.fields.iter().chain(schema.lines.map_or(&[][..], |lines| lines.fields));
    let known = fields.into_iter().find(|field| field.name == name)?;
    let id = match reason.parse() {
        Ok(RecordReason::DanglingRef) => "record-field-awaited",
        _ if unreadable => "record-field-unreadable",
        _ => "record-field-unfit",
    };
    Some(text(lang, id, &[("field", field(lang, &known.column()).into())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_told_by_its_sentence_or_its_field() {
        for (rule, reason, said) in [
            ("recipient_claim.A04a", "INVALID", "A04a: СНИЛС не указан."),
            (
                "recipient_claim.birth_date.unreadable",
                "INVALID",
                "Поле «Дата рождения»: значение не удаётся прочесть; запись ждёт, пока его не исправят.",
            ),
            ("contract.recipient", "DANGLING_REF", "Поле «Получатель (id)»."),
            ("recipient_claim.sex", "INVALID", "Поле «Пол»: значение не указано или не того вида."),
        ] {
            assert_eq!(rule_words(Lang::Ru, rule, reason).as_deref(), Some(said));
        }
        for (rule, reason) in
            [("recipient_claim.declined", "DECLINED"), ("NAME_BIRTH_ONLY", ""), ("a.b", "INVALID")]
        {
            assert_eq!(rule_words(Lang::Ru, rule, reason), None);
        }
    }
}
