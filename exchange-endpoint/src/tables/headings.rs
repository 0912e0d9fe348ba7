//! What columns are called: by their names for scripts, by Russian headings for people; read back in either, in any
//! case and punctuation, and by other words in use (`also-…` of the catalogue).

use std::collections::BTreeMap;

use super::Layout;
use crate::messages::{self, Lang};

/// The heading of `column` for people. In English it is the column's name, as scripts know it.
pub fn heading_of(lang: Lang, column: &str) -> String {
    let label = match lang {
        Lang::Ru => label(column),
        Lang::En => None,
    };
    label.unwrap_or_else(|| column.to_owned())
}

/// A column as people may call it: in Russian by its heading, with its name behind it.
pub fn called(lang: Lang, column: &str) -> String {
    match heading_of(lang, column) {
        heading if heading == column => heading,
        heading => format!("{heading} ({column})"),
    }
}

/// What a field is called for people; one of a line, named as `2.name` or `name[2]`, with the line's number.
pub fn field(lang: Lang, place: &str) -> String {
    if lang == Lang::En {
        return place.to_owned();
    }
    let numbered = place.strip_suffix(']').and_then(|place| place.split_once('['));
    let (no, name) = match (numbered, place.split_once('.')) {
        (Some((name, no)), _) => (no, name),
        (None, Some((no, name))) if no.bytes().all(|byte| byte.is_ascii_digit()) => (no, name),
        _ => ("", place),
    };
    match (label(name).or_else(|| label(&format!("{name}_id"))), no) {
        (None, _) => place.to_owned(),
        (Some(label), "") => label,
        (Some(field), no) => {
            messages::text(lang, "field-of-line", &[("no", no.into()), ("field", field.into())])
        }
    }
}

/// The Russian label of `column`: of the tables, else of the hub's lists.
fn label(column: &str) -> Option<String> {
    let day = |prefix: &str| column.strip_prefix(prefix).and_then(|day| day.parse::<u8>().ok());
    for (prefix, id) in [("plan_", "heading-plan-day"), ("fact_", "heading-fact-day")] {
        if let Some(n) = day(prefix) {
            return Some(messages::text(Lang::Ru, id, &[("n", n.into())]));
        }
    }
    let found = |group: &str| messages::find(Lang::Ru, &format!("{group}-{column}"), &[]);
    found("heading").or_else(|| found("column"))
}

/// Headings as people write them, and the column that each means.
pub struct Headings(BTreeMap<String, String>);

impl Headings {
    /// Those of the columns of `layout`, and of those that it passes over.
    pub fn of(layout: &Layout) -> Self {
        let mut known = BTreeMap::new();
        let names = || layout.columns.iter().map(|column| &column.name).chain(&layout.passed_over);
        let mut add = |heading: &str, name: &String| {
            known.entry(folded(heading)).or_insert_with(|| name.clone());
        };
        // a column's own name is never another's synonym
        names().for_each(|name| add(name, name));
        names().for_each(|name| add(&label(name).unwrap_or_default(), name));
        for name in names() {
            for lang in [Lang::Ru, Lang::En] {
                let also = messages::find(lang, &format!("also-{name}"), &[]).unwrap_or_default();
                also.split(';').for_each(|heading| add(heading, name));
            }
        }
        known.remove("");
        Self(known)
    }

    /// The column that `heading` means.
    pub fn column(&self, heading: &str) -> Option<&str> {
        self.0.get(&folded(heading)).map(String::as_str)
    }
}

/// What `heading` holds, if it is more than one column of ours, as offices often have it: a message of the catalogue.
pub(super) fn several(heading: &str) -> Option<&'static str> {
    match folded(heading).as_str() {
        "фио" | "ф и о" | "фамилия имя отчество" | "фио получателя" | "fio" | "full name" => {
            Some("import-full-name")
        }
        "паспорт" | "паспортные данные" | "серия и номер паспорта" | "серия номер" => {
            Some("import-passport")
        }
        _ => None,
    }
}

/// A heading without case, `ё` and punctuation.
fn folded(heading: &str) -> String {
    let lower = heading.to_lowercase().replace('ё', "е");
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use exchange_format::record::Kind;

    use super::{super::Column, *};

    #[test]
    fn a_column_is_known_by_its_name_its_russian_heading_and_other_words() {
        let columns = ["id", "surname", "birth_date", "snils", "identity_doc_number", "phone"];
        let layout =
            Layout { columns: columns.map(Column::of).into(), passed_over: vec!["state".to_owned()] };
        let headings = Headings::of(&layout);
        for (heading, column) in [
            ("surname", "surname"),
            ("ФАМИЛИЯ:", "surname"),
            ("Last name", "surname"),
            ("Birth date", "birth_date"),
            (" дата  рождения ", "birth_date"),
            ("Д.р.", "birth_date"),
            ("№ СНИЛС", "snils"),
            ("Номер паспорта", "identity_doc_number"),
            ("Тел.", "phone"),
            ("state", "state"),
        ] {
            assert_eq!(headings.column(heading), Some(column), "{heading}");
        }
        for heading in ["", "—", "Примечание", "given"] {
            assert_eq!(headings.column(heading), None, "{heading}");
        }
    }

    #[test]
    fn a_field_of_a_line_is_called_so() {
        for (place, said) in [
            ("birth_date", "Дата рождения"),
            ("2.name", "строка 2: Наименование"),
            ("name[3]", "строка 3: Наименование"),
            ("of.another.program", "of.another.program"),
        ] {
            assert_eq!(field(Lang::Ru, place), said);
            assert_eq!(field(Lang::En, place), place);
        }
    }

    #[test]
    fn every_field_of_every_kind_has_a_russian_heading_that_means_it_alone() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.schema().table.is_some()) {
            let schema = kind.schema();
            for fields in [schema.fields, schema.lines.map_or(&[][..], |lines| lines.fields)] {
                let columns: Vec<Column> = fields.iter().map(|field| Column::of(field.column())).collect();
                let headings = Headings::of(&Layout { columns: columns.clone(), passed_over: Vec::new() });
                for column in &columns {
                    let heading = heading_of(Lang::Ru, &column.name);
                    let russian = heading.chars().any(|c| matches!(c, 'А'..='я'));
                    assert!(russian, "{kind}: {heading}");
                    assert_eq!(headings.column(&heading), Some(column.name.as_str()), "{kind}: {heading}");
                    assert_eq!(heading_of(Lang::En, &column.name), column.name);
                }
            }
        }
    }
}
