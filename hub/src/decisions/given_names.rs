//! Given names that are one name: spellings and everyday forms, from a table (`hub/data/merge/given_names.txt`).

use std::{collections::BTreeMap, sync::LazyLock};

/// The table that comes with the program.
const TABLE: &str = include_str!("../../data/merge/given_names.txt");

/// No class of the table has this number or a higher one.
pub const CLASSES: u16 = 1 << 15;

/// So many classes a model may add.
pub const MORE: usize = CLASSES as usize;

/// Where a name stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The line: names in it are variants of each other.
    pub class: u16,
    /// Of the names that a line parts by bars the one that it is a spelling or an everyday form of.
    pub name: u16,
}

/// A number of the table: another one for another table.
pub fn digest() -> u64 {
    static DIGEST: LazyLock<u64> = LazyLock::new(|| super::merge::texts::digest(TABLE));
    *DIGEST
}

/// Where each [`super::normalise::name_key`] of the table stands. A name may stand in several classes («САША»); being variants is
/// not transitive across classes. Nowhere: a name in use that has no other form.
static NAMES: LazyLock<BTreeMap<&str, Vec<Form>>> = LazyLock::new(|| {
    let mut names: BTreeMap<&str, Vec<Form>> = BTreeMap::new();
    for (class, parts) in (0..).zip(groups()) {
        let has_forms = parts.iter().map(Vec::len).sum::<usize>() > 1;
        for (name, forms) in (0..).zip(parts) {
            for form in forms.into_iter().filter(|form| *form != EVERYDAY) {
                names.entry(form).or_default().extend(has_forms.then_some(Form { class, name }));
            }
        }
    }
    names
});

/// Of the same those places where the name is an everyday form of another.
static EVERYDAY_NAMES: LazyLock<BTreeMap<&str, Vec<Form>>> = LazyLock::new(|| {
    let mut names: BTreeMap<&str, Vec<Form>> = BTreeMap::new();
    for (class, parts) in (0..).zip(groups()) {
        for (name, forms) in (0..).zip(parts) {
            for form in forms.into_iter().skip_while(|form| *form != EVERYDAY).skip(1) {
                names.entry(form).or_default().push(Form { class, name });
            }
        }
    }
    names
});

/// What stands in the table before everyday forms.
const EVERYDAY: &str = ":";

/// The lines of the table: the names of one class each, with their forms, and with [`EVERYDAY`].
fn groups() -> impl Iterator<Item = Vec<Vec<&'static str>>> {
    let lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('|').map(|name| name.split_whitespace().collect()).collect())
}

/// Whether a name key is a name in use, and so no slip for another.
pub fn is_known(name: &str) -> bool {
    NAMES.contains_key(name)
}

/// All name keys in use.
pub fn all() -> impl Iterator<Item = &'static str> {
    NAMES.keys().copied()
}

/// Where a name key stands among variants.
pub fn forms(name: &str) -> Vec<Form> {
    NAMES.get(name).cloned().unwrap_or_default()
}

/// Whether the name key `form` is what people who bear the name `of` are called every day, and no name of its own there.
pub fn is_everyday(form: &str, of: &str) -> bool {
    let everyday = |name: &str| EVERYDAY_NAMES.get(name).map_or(&[][..], Vec::as_slice);
    let places = NAMES.get(of).map_or(&[][..], Vec::as_slice);
    everyday(form).iter().any(|place| places.contains(place) && !everyday(of).contains(place))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decisions::normalise::name_key;

    #[test]
    fn variants_and_strangers() {
        let alike = |a, b| forms(a).iter().any(|form| forms(b).iter().any(|other| other.class == form.class));
        assert!(alike("НАТАЛЬЯ", "НАТАЛИЯ") && alike("САША", "АЛЕКСАНДРА") && alike("САША", "АЛЕКСАНДР"));
        assert!(!alike("АЛЕКСАНДР", "АЛЕКСАНДРА") && !alike("МАРИЯ", "МАРИНА"));
        assert!(is_known("ТОМА") && is_known("МАРИНА") && forms("МАРИНА").is_empty());
        assert!(!is_known("МАРИНАА") && forms("МАРИНАА").is_empty());
        let one = |a, b| forms(a).iter().any(|form| forms(b).contains(form));
        assert!(is_everyday("МАША", "МАРИЯ") && is_everyday("САША", "АЛЕКСАНДРА") && is_known("МАША"));
        assert!(
            !is_everyday("МАРИЯ", "МАША") && !is_everyday("МАНЯ", "МАША") && !is_everyday("САША", "МАРИЯ")
        );
        assert!(!is_everyday("МАРЬЯ", "МАРИЯ") && !is_known(EVERYDAY));
        assert!(alike("ЕГОР", "ЮРИЙ") && !one("ЕГОР", "ЮРИЙ") && one("ЮРА", "ЮРИЙ"));
    }

    #[test]
    fn the_table_is_in_the_form_of_name_keys_and_says_nothing_twice() {
        let (mut alone, mut with_forms) = (BTreeSet::new(), BTreeSet::new());
        for parts in groups() {
            assert!(parts.iter().all(|part| !part.is_empty()), "{parts:?}");
            assert!(
                parts.iter().all(|part| part[0] != EVERYDAY && part[part.len() - 1] != EVERYDAY),
                "{parts:?}"
            );
            let class: Vec<&str> = parts.into_iter().flatten().filter(|form| *form != EVERYDAY).collect();
            for name in &class {
                assert_eq!(name_key(name).as_deref(), Some(*name));
            }
            assert_eq!(class.iter().collect::<BTreeSet<_>>().len(), class.len(), "{class:?}");
            match class.as_slice() {
                [name] => assert!(alone.insert(*name), "{name} stands twice"),
                _ => assert!(with_forms.insert(class.clone()), "{class:?} stands twice"),
            }
        }
        let both: Vec<_> = with_forms.iter().flatten().filter(|name| alone.contains(*name)).collect();
        assert!(both.is_empty(), "{both:?} have other forms, and stand alone too");
        assert!(groups().count() < usize::from(CLASSES));
        assert!(alone.len() > 100 && with_forms.len() > 50, "{} {}", alone.len(), with_forms.len());
    }
}
