//! Given names that are one name: spellings and everyday forms, from a table (`hub/data/merge/given_names.txt`).

use std::{collections::BTreeMap, sync::LazyLock};

/// The table that comes with the program.
const TABLE: &str = include_str!("../../data/merge/given_names.txt");

/// No class of the table has this number or a higher one.
pub const CLASSES: u16 = 1 << 15;

/// The classes that each [`super::normalise::name_key`] of the table stands in, by number. A name may stand in several
/// («САША»); being variants is not transitive across classes. None: a name in use that has no other form.
static NAMES: LazyLock<BTreeMap<&str, Vec<u16>>> = LazyLock::new(|| {
    let mut names: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    for (n, class) in (0..).zip(groups()) {
        let has_forms = class.len() > 1;
        for name in class {
            names.entry(name).or_default().extend(has_forms.then_some(n));
        }
    }
    names
});

/// The lines of the table: the names of one class each.
fn groups() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|class| !class.is_empty())
}

/// Whether a name key is a name in use, and so no slip for another.
pub fn is_known(name: &str) -> bool {
    NAMES.contains_key(name)
}

/// The classes of variants that a name key stands in, by number.
pub fn classes(name: &str) -> Vec<u16> {
    NAMES.get(name).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::decisions::normalise::name_key;

    #[test]
    fn variants_and_strangers() {
        let alike = |a, b| classes(a).iter().any(|class| classes(b).contains(class));
        assert!(alike("НАТАЛЬЯ", "НАТАЛИЯ") && alike("САША", "АЛЕКСАНДРА") && alike("САША", "АЛЕКСАНДР"));
        assert!(!alike("АЛЕКСАНДР", "АЛЕКСАНДРА") && !alike("МАРИЯ", "МАРИНА"));
        assert!(is_known("ТОМА") && is_known("МАРИНА") && classes("МАРИНА").is_empty());
        assert!(!is_known("МАРИНАА") && classes("МАРИНАА").is_empty());
    }

    #[test]
    fn the_table_is_in_the_form_of_name_keys_and_says_nothing_twice() {
        let (mut alone, mut with_forms) = (BTreeSet::new(), BTreeSet::new());
        for class in groups() {
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
