//! Two signatures under one decision: whose they are, what the first was given to, and what has changed since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whether `second` is shown to be somebody else than `first`. Both are actors as
/// the journal has them: `ACCOUNT`, or `WHO.as.ACCOUNT` of whoever had logged in before (SECURITY.md). It is the one who logged in that counts; an account of which nobody knows who stands behind it is nobody
/// else than those who act under it.
pub fn are_two(first: &str, second: &str) -> bool {
    let ((who, account), (other, of_other)) = (parts(first), parts(second));
    match (who, other) {
        (Some(who), Some(other)) => who != other,
        (Some(who), None) => who != of_other && account != of_other,
        (None, Some(other)) => account != other && account != of_other,
        (None, None) => account != of_other,
    }
}

/// Whether `actor` is the person whom `name` means: by the account of whoever had logged in, or as a whole.
pub fn is_of(actor: &str, name: &str) -> bool {
    actor == name || parts(actor).0 == Some(name)
}

/// Who had logged in before, if that is known, and the account.
fn parts(actor: &str) -> (Option<&str>, &str) {
    match actor.split_once(".as.") {
        Some((who, account)) => (Some(who), account),
        None => (None, actor),
    }
}

/// What a signature was given to: the persons and what is known of them, each thing by its name with its state. The
/// names: `claim CENTRE:KEY`, `entry UID FIELD`, `document UID`, `service CENTRE UID`. No values: their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(BTreeMap<String, String>);

/// Something of the persons that is not as it was when the first signature was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `claim`, `entry`, `document` or `service`.
    pub what: String,
    /// Which.
    pub name: String,
    /// `new`, `changed`, `gone`; `moved`: it is another person's.
    pub how: &'static str,
}

impl Seen {
    /// Notes a claim or document of the person `uid`, in the state `edition`.
    pub fn of_person(&mut self, what: &str, name: &str, uid: &str, edition: &str) {
        self.0.insert(format!("{what} {name}"), format!("{uid} {edition}"));
    }

    /// Notes something that belongs to its person by its name.
    pub fn thing(&mut self, what: &str, name: &str, state: &str) {
        self.0.insert(format!("{what} {name}"), format!(" {state}"));
    }

    /// What is other at `now` than it was.
    pub fn changes(&self, now: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut tell = |name: &str, how| {
            let (what, name) = name.split_once(' ').unwrap_or((name, ""));
            changes.push(Change { what: what.to_owned(), name: name.to_owned(), how });
        };
        for (name, was) in &self.0 {
            let whose = |state: &str| state.split_once(' ').map(|(uid, _)| uid.to_owned());
            match now.0.get(name) {
                None => tell(name, "gone"),
                Some(is) if is == was => {}
                Some(is) if whose(is) != whose(was) => tell(name, "moved"),
                Some(_) => tell(name, "changed"),
            }
        }
        now.0.keys().filter(|name| !self.0.contains_key(*name)).for_each(|name| tell(name, "new"));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_accounts_are_two_and_one_under_another_name_is_one() {
        for (first, second, two) in [
            ("anna", "olga", true),
            ("anna", "anna", false),
            ("anna.as.svod", "olga.as.svod", true),
            ("anna.as.svod", "anna.as.svod", false),
            ("anna.as.svod", "anna", false),
            ("anna", "anna.as.svod", false),
            // who stands behind svod nobody knows: it may be Anna
            ("anna.as.svod", "svod", false),
            ("svod", "anna.as.svod", false),
            ("svod", "svod", false),
            ("anna.as.svod", "olga", true),
            ("anna.as.root", "root", false),
            ("uid-1001", "uid-1002", true),
        ] {
            assert_eq!(are_two(first, second), two, "{first} {second}");
        }
    }

    #[test]
    fn what_has_changed_is_told_by_name() {
        let seen = |things: &[(&str, &str, &str)]| {
            let mut seen = Seen::default();
            for (name, uid, edition) in things {
                seen.of_person("claim", name, uid, edition);
            }
            seen.thing("service", "4200026 u1", "");
            seen
        };
        let before = seen(&[("a", "u1", "v1"), ("b", "u2", "v1"), ("c", "u2", "v1"), ("d", "u2", "v1")]);
        let mut now = seen(&[("a", "u1", "v1"), ("b", "u2", "v2"), ("c", "u3", "v1"), ("e", "u1", "v1")]);
        assert_eq!(before.changes(&before), []);
        now.thing("entry", "u1 phone", "00");
        let told: Vec<(String, String, &str)> =
            before.changes(&now).into_iter().map(|one| (one.what, one.name, one.how)).collect();
        let claim = |name: &str, how| ("claim".to_owned(), name.to_owned(), how);
        let entry = ("entry".to_owned(), "u1 phone".to_owned(), "new");
        assert_eq!(
            told,
            [claim("b", "changed"), claim("c", "moved"), claim("d", "gone"), claim("e", "new"), entry]
        );
        let text = serde_json::to_string(&now).expect("text");
        assert_eq!(serde_json::from_str::<Seen>(&text).expect("read"), now);
    }
}
