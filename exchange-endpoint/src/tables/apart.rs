//! A result is never written over what it is made from.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::output::{Exit, Failure};

/// Refuses `results` that are one file with a source or with each other, by whatever names: before anything is done.
///
/// # Errors
/// `same-file`.
pub fn apart<'a>(
    sources: impl IntoIterator<Item = &'a Path>,
    results: impl IntoIterator<Item = &'a Path>,
) -> Result<(), Failure> {
    let mut others: Vec<&Path> = sources.into_iter().collect();
    for result in results {
        if others.iter().any(|other| is_same(other, result)) {
            return Err(Failure::new(Exit::Usage, "same-file").told("file", result.display()));
        }
        others.push(result);
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Err(_), Err(_)) => place(one) == place(other),
        _ => false,
    }
}

/// Where a file that is not there yet will be.
fn place(path: &Path) -> Option<PathBuf> {
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(directory).ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_by_two_names_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a.csv"), "id").expect("written");
        fs::write(path("b.csv"), "id").expect("written");
        fs::hard_link(path("a.csv"), path("hard.csv")).expect("linked");
        std::os::unix::fs::symlink(path("a.csv"), path("soft.csv")).expect("linked");
        let source = path("a.csv");
        let told = |results: &[&str]| {
            let results: Vec<PathBuf> = results.iter().map(|name| path(name)).collect();
            apart([source.as_path()], results.iter().map(PathBuf::as_path)).err()
        };
        for name in ["a.csv", "hard.csv", "soft.csv", "../a.csv"] {
            let name =
                name.replace("..", &format!("../{}", dir.path().file_name().expect("named").display()));
            let failure = told(&[&name]).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((failure.code(), failure.exit()), ("same-file", Exit::Usage));
        }
        assert!(told(&["new.csv", "./new.csv"]).is_some(), "two results in one place");
        assert!(told(&["b.csv", "new.csv", "other.csv"]).is_none());
    }
}
