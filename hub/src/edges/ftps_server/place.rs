//! The five kinds of places that a path can mean. A path that means anything else does not exist.

use super::reply::Reply;

/// A folder that can be the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    Root,
    In,
    Out,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Folder(Folder),
    InFile(String),
    OutFile(String),
}

impl Folder {
    pub fn path(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::In => "/in",
            Self::Out => "/out",
        }
    }
}

/// Resolves `argument` against `current`, by its text alone: the disk is not asked.
pub(super) fn resolve(current: Folder, argument: &str) -> Result<Place, Reply> {
    let absent = || Reply::new(550, "No such place");
    let mut parts: Vec<&str> = match current {
        _ if argument.starts_with('/') => Vec::new(),
        Folder::Root => Vec::new(),
        Folder::In => vec!["in"],
        Folder::Out => vec!["out"],
    };
    for part in argument.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or_else(absent)?),
            name => parts.push(name),
        }
    }
    match parts[..] {
        [] => Ok(Place::Folder(Folder::Root)),
        ["in"] => Ok(Place::Folder(Folder::In)),
        ["out"] => Ok(Place::Folder(Folder::Out)),
        ["in", name] if is_plain(name) => Ok(Place::InFile(name.to_owned())),
        ["out", name] if is_plain(name) => Ok(Place::OutFile(name.to_owned())),
        _ => Err(absent()),
    }
}

/// Whether `name` is that of an upload in progress.
pub(super) fn is_part(name: &str) -> bool {
    name.strip_suffix(".part").is_some()
}

fn is_plain(name: &str) -> bool {
    name.len() <= 255
        && !name.starts_with('.')
        && !name.contains(|c: char| c.is_control() || matches!(c, '\\' | ':' | '"' | '*' | '?'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_mean_what_they_say() {
        let file = |name: &str| Place::InFile(name.into());
        assert_eq!(resolve(Folder::Root, "in/A.zip"), Ok(file("A.zip")));
        assert_eq!(resolve(Folder::In, "A.zip"), Ok(file("A.zip")));
        assert_eq!(resolve(Folder::Out, "/in//./A.zip"), Ok(file("A.zip")));
        assert_eq!(resolve(Folder::Out, "../in/A.zip"), Ok(file("A.zip")));
        assert_eq!(resolve(Folder::In, ".."), Ok(Place::Folder(Folder::Root)));
        assert_eq!(resolve(Folder::In, ""), Ok(Place::Folder(Folder::In)));
    }

    #[test]
    fn nothing_outside_has_a_name() {
        for path in [
            "..",
            "../x/in/A",
            "/../in/A",
            "in/../../in/A",
            "in/a/b",
            "x",
            "in/.hidden",
            "in/a\\b",
            "/etc/passwd",
        ] {
            assert_eq!(resolve(Folder::Root, path).expect_err(path).code, 550);
        }
    }

    proptest! {
        #[test]
        fn a_file_is_one_plain_component(path in "[a./\\\\ ]{0,24}") {
            if let Ok(Place::InFile(name) | Place::OutFile(name)) = resolve(Folder::In, &path) {
                prop_assert!(!name.contains('/') && !name.starts_with('.') && !name.is_empty());
            }
        }
    }
}
