//! The documents say what is: their links lead somewhere, the README's commands are those that are checked, and
//! the list of error codes is whole.

use std::{fs, path::Path};

use super::{catalogue, hold, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents: at the root and below docs/, as paths from the root.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    for directory in ["", "docs", "docs/adr"] {
        for entry in fs::read_dir(root().join(directory)).expect("a directory") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                found.push(Path::new(directory).join(name).to_str().expect("UTF-8").to_owned());
            }
        }
    }
    found
}

/// The lines of a file at `path` that a merge of two branches left undecided.
fn undecided(path: &Path, bytes: &[u8]) -> Vec<String> {
    let is_mark = |line: &[u8]| {
        [b'<', b'>'].iter().any(|sign| line.starts_with(&[*sign; 7]) && line.get(7) == Some(&b' '))
    };
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| is_mark(line));
    lines.map(|(n, _)| format!("{}:{}", path.display(), n + 1)).collect()
}

#[test]
fn no_file_holds_a_conflict_of_a_merge() {
    let (mut directories, mut files, mut found) = (vec![root()], 0, Vec::new());
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.extend((!path.ends_with("target") && !path.ends_with(".git")).then_some(path));
            } else {
                files += 1;
                found.extend(undecided(&path, &fs::read(&path).expect("a file")));
            }
        }
    }
    assert!(files > 500, "the tree was found: {files} files");
    hold("no merge is left undecided", &found);
    let offender = format!("a\n{} HEAD\nb\n=======\nc\n{} d4f9cca (x)\n", "<".repeat(7), ">".repeat(7));
    assert_eq!(undecided(Path::new("x"), offender.as_bytes()), ["x:2", "x:6"]);
}

/// The links of `text`, a document at `path`, that lead to no file.
fn dead_links(path: &str, text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    let directory = root().join(path).parent().expect("a document is in a directory").to_owned();
    let dead = files.filter(|target| !directory.join(target.split('#').next().unwrap_or(target)).exists());
    dead.map(|target| format!("{path}: {target}")).collect()
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    assert!(documents.len() > 12 && documents.contains(&"docs/FORMAT.md".to_owned()));
    let dead: Vec<String> = documents.iter().flat_map(|path| dead_links(path, &read(path))).collect();
    hold("every link of a document leads to a file", &dead);
    assert_eq!(
        dead_links("docs/x.md", "[a](NONE.md) [b](FORMAT.md#names) [c](https://x)"),
        ["docs/x.md: NONE.md"]
    );
}

#[test]
fn the_readme_begins_with_the_commands_that_are_checked() {
    let script = read(".ci/run");
    for readme in ["README.md", "README.ru.md"] {
        let text = read(readme);
        let block = text.split("```").nth(1).expect("a block of commands");
        let commands: Vec<&str> =
            block.lines().filter_map(|line| Some(line.split_once('#')?.0.trim())).collect();
        assert_eq!(commands, ["cargo run --release --bin svod-demo", "cargo test --release --workspace"]);
        assert!(text.lines().take(4).any(|line| line == "```"), "{readme} begins with them");
        for command in commands {
            assert!(script.lines().any(|line| line == command), "{command} is in .ci/run");
        }
    }
}

/// The error codes that `text` does not name.
fn undocumented<'a>(codes: impl Iterator<Item = &'a str>, text: &str) -> Vec<String> {
    codes.filter(|code| !text.contains(&format!("`{code}`"))).map(str::to_owned).collect()
}

#[test]
fn every_error_code_is_documented() {
    let (catalogue, text) = (catalogue(), read("docs/CLI_JSON.md"));
    let codes = catalogue.keys().filter_map(|id| id.strip_prefix("error-"));
    hold("every error code is in docs/CLI_JSON.md", &undocumented(codes, &text));
    assert_eq!(undocumented(["usage", "unheard-of"].into_iter(), &text), ["unheard-of"]);
}
