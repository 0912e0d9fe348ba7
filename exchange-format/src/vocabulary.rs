//! Words that people write for the codes of closed lists: what a centre typed is read by them, by rules and by the hub.

/// The codes of a field, each with the words for it in lower case, with `е` for `ё`.
type Words = &'static [(&'static str, &'static [&'static str])];

/// Sex.
const SEX: Words = &[("М", &["м", "m", "муж", "мужской", "1"]), ("Ж", &["ж", "жен", "женский", "2"])];

/// Group of disability (ФЗ-181 art. 1).
const DISABILITY: Words = &[
    ("1", &["1", "i", "1 группа", "i группа", "1-я", "первая", "первая группа"]),
    ("2", &["2", "ii", "2 группа", "ii группа", "2-я", "вторая", "вторая группа"]),
    ("3", &["3", "iii", "3 группа", "iii группа", "3-я", "третья", "третья группа"]),
    ("ребёнок-инвалид", &["ребенок-инвалид", "ребенок инвалид"]),
];

/// Legal capacity (ГК РФ art. 29, 30).
const CAPACITY: Words = &[
    ("дееспособен", &["дееспособен", "дееспособна", "дееспособный", "дееспособная"]),
    (
        "ограничен",
        &[
            "ограничен",
            "ограничена",
            "ограничен в дееспособности",
            "ограничена в дееспособности",
            "ограниченно дееспособен",
            "ограниченно дееспособна",
        ],
    ),
    ("недееспособен", &["недееспособен", "недееспособна", "недееспособный", "недееспособная"]),
];

/// How a recipient stands.
const STATUS: Words = &[
    (
        "active",
        &[
            "active",
            "обслуживается",
            "на обслуживании",
            "действует",
            "активен",
            "активна",
            "состоит на учете",
        ],
    ),
    ("suspended", &["suspended", "приостановлен", "приостановлена", "приостановлено"]),
    (
        "left",
        &[
            "left",
            "выбыл",
            "выбыла",
            "снят с учета",
            "снята с учета",
            "снят с обслуживания",
            "снята с обслуживания",
        ],
    ),
    ("dead", &["dead", "умер", "умерла", "скончался", "скончалась"]),
];

/// Forms of service (442-ФЗ art. 19).
const FORM: Words = &[
    ("home", &["home", "на дому", "надомная", "надомное", "надомная форма", "в форме обслуживания на дому"]),
    (
        "semi-residential",
        &[
            "semi-residential",
            "полустационарная",
            "полустационарное",
            "полустационар",
            "полустационарная форма",
        ],
    ),
    ("residential", &["residential", "стационарная", "стационарное", "стационар", "стационарная форма"]),
];

/// What makes somebody a representative.
const REPRESENTATIVE: Words = &[
    ("опекун", &["опекун", "опека"]),
    ("попечитель", &["попечитель", "попечительство"]),
    ("родитель", &["родитель", "мать", "отец"]),
    (
        "по доверенности",
        &["по доверенности", "доверенность", "доверенное лицо", "представитель по доверенности"],
    ),
];

fn words(field: &str) -> Words {
    match field {
        "sex" => SEX,
        "disability_group" => DISABILITY,
        "capacity" => CAPACITY,
        "status" => STATUS,
        "form" => FORM,
        "representative_kind" => REPRESENTATIVE,
        _ => &[],
    }
}

/// The code that `text` says in `field` of a person (or `form` of a document), if it says one.
pub fn code(field: &str, text: &str) -> Option<&'static str> {
    let said = text.to_lowercase().replace('ё', "е");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = said.trim_end_matches('.');
    words(field).iter().find(|(_, words)| words.contains(&said)).map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_itself_and_no_word_says_two() {
        for field in ["sex", "disability_group", "capacity", "status", "form", "representative_kind"] {
            let mut seen: Vec<&str> = Vec::new();
            for (said, words) in words(field) {
                assert_eq!(code(field, said), Some(*said), "{field}");
                seen.extend(*words);
            }
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "{field}");
        }
        assert_eq!(code("capacity", " Ограничена  в дееспособности."), Some("ограничен"));
        assert_eq!((code("status", "в раю"), code("surname", "м")), (None, None));
    }
}
