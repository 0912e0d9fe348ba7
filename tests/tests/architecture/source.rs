//! Rust sources as the rules of the house look at them: code without comments, texts and tests; the texts;
//! the paths that are named. No full grammar is needed: the compiler has read the files already.

use std::{fs, path::Path};

/// One file of a crate.
#[derive(Debug)]
pub struct Source {
    /// The package, as `svod-hub`.
    pub package: String,
    /// The path inside the package's `src/`, as `decisions/linking/mod.rs`.
    pub path: String,
    /// The file as it is.
    pub raw: String,
    /// The code: comments, texts and tests are blanks; every byte stays where it was.
    pub code: String,
    /// Each string literal outside tests, with the byte where it begins.
    pub texts: Vec<(usize, String)>,
}

impl Source {
    /// The source `raw` at `path` of `package`.
    pub fn new(package: &str, path: &str, raw: &str) -> Self {
        let (with_tests, texts) = blank_texts(raw);
        let (code, test_items) = blank_tests(&with_tests);
        let in_product = |at: usize| !test_items.iter().any(|(from, to)| (*from..*to).contains(&at));
        let texts = texts.into_iter().filter(|(at, _)| in_product(*at)).collect();
        Self { package: package.to_owned(), path: path.to_owned(), raw: raw.to_owned(), code, texts }
    }

    /// All sources of `package` under its `src` directory.
    pub fn read_package(package: &str, src: &Path) -> Vec<Self> {
        let mut found = Vec::new();
        let mut directories = vec![src.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).expect("a package has sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let inside = path.strip_prefix(src).expect("below src").to_str().expect("UTF-8");
                    found.push(Self::new(package, inside, &fs::read_to_string(&path).expect("UTF-8")));
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// Whether the whole file is tests (`tests.rs`, `tests/…`), declared under `#[cfg(test)]`.
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
    }

    /// The first directory below `src/`: `cli`, `edges`, `decisions`, `database`; empty at the top.
    pub fn layer(&self) -> &str {
        self.path.split_once('/').map_or("", |(layer, _)| layer)
    }

    /// For a violation: where it is.
    pub fn place(&self) -> String {
        format!("{}/src/{}", self.package, self.path)
    }

    /// The line (from 1) of byte `at`.
    pub fn line(&self, at: usize) -> usize {
        self.raw[..at].matches('\n').count() + 1
    }

    /// All paths the code names, groups of `use` written out: `std::fs::File`, `crate::edges::run`; single
    /// words too.
    pub fn paths(&self) -> Vec<String> {
        let tokens = tokens(&self.code);
        let mut paths = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            at = path(&tokens, at, "", &mut paths).max(at + 1);
        }
        paths
    }
}

/// The words, `::` and single marks of `code`.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("::") {
            2
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Reads the path that starts at `at`, if one does, under `prefix`; returns where it ends.
fn path(tokens: &[&str], mut at: usize, prefix: &str, paths: &mut Vec<String>) -> usize {
    let is_word = |at: usize| {
        tokens.get(at).is_some_and(|token| token.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    if !is_word(at) {
        return at;
    }
    let mut path_text = prefix.to_owned();
    loop {
        if !path_text.is_empty() {
            path_text.push_str("::");
        }
        path_text.push_str(tokens[at]);
        at += 1;
        if tokens.get(at) != Some(&"::") {
            break;
        }
        if tokens.get(at + 1) == Some(&"{") {
            at += 2;
            while at < tokens.len() && tokens[at] != "}" {
                at = path(tokens, at, &path_text, paths).max(at + 1);
            }
            return at + 1;
        }
        if !is_word(at + 1) {
            break;
        }
        at += 1;
    }
    paths.push(path_text);
    at
}

/// `raw` with comments and the insides of texts and characters blanked, and the texts with their byte places.
fn blank_texts(raw: &str) -> (String, Vec<(usize, String)>) {
    let mut code = String::with_capacity(raw.len());
    let mut texts = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        let (length, text) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment(rest), None)
        } else if let Some((open, close)) = raw_string(rest, &code) {
            let end = rest[open..].find(&close).map_or(rest.len(), |end| open + end);
            ((end + close.len()).min(rest.len()), Some(rest[open..end].to_owned()))
        } else if rest.starts_with('"') {
            let end = closing(rest, '"');
            (end + 1, Some(rest[1..end].to_owned()))
        } else if let Some(length) = character(rest) {
            (length, None)
        } else {
            let first = rest.chars().next().expect("not at the end");
            code.push(first);
            at += first.len_utf8();
            continue;
        };
        let length = length.min(rest.len());
        code.extend(rest[..length].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        texts.extend(text.map(|text| (at, text)));
        at += length;
    }
    (code, texts)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// Where a raw string's text begins and how it closes, if one starts here.
fn raw_string(rest: &str, before: &str) -> Option<(usize, String)> {
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let body = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..]
        .starts_with('"')
        .then(|| (rest.len() - body.len() + hashes + 1, format!("\"{}", "#".repeat(hashes))))
}

/// The place of the unescaped `quote` that closes the one at 0.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at,
            _ => {}
        }
    }
    rest.len() - 1
}

/// The length of a character literal that starts here; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.strip_prefix('\'')?.chars();
    match chars.next()? {
        '\\' => Some(closing(rest, '\'') + 1),
        c if chars.next() == Some('\'') => Some(2 + c.len_utf8()),
        _ => None,
    }
}

/// `code` with every item under `#[cfg(test)]` blanked, and the byte ranges that were.
fn blank_tests(code: &str) -> (String, Vec<(usize, usize)>) {
    const MARK: &str = "#[cfg(test)]";
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let mut depth = 0_usize;
        let mut end = code.len();
        for (at, c) in code[start + MARK.len()..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && (c == '}' || c == ';') {
                end = start + MARK.len() + at + 1;
                break;
            }
        }
        ranges.push((start, end));
        from = end;
    }
    let mut blanked = String::with_capacity(code.len());
    for (at, c) in code.char_indices() {
        if c != '\n' && ranges.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            blanked.push_str(&" ".repeat(c.len_utf8()));
        } else {
            blanked.push(c);
        }
    }
    (blanked, ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_texts_and_tests_are_no_code() {
        let raw = "//! std::fs\nfn f<'a>(x: &'a str) -> char { g(\"std::net \\\" \", r#\"\"tokio\"\"#); /* a /* b */ c */ '\"' }\n\
                   #[cfg(test)]\nmod tests { fn t() { \"SELECT\"; } }\nfn after() {}\n";
        let source = Source::new("p", "decisions/x.rs", raw);
        let paths = source.paths();
        for absent in ["std::fs", "std::net", "tokio", "c", "tests", "t"] {
            assert!(!paths.contains(&absent.to_owned()), "{absent} in {paths:?}");
        }
        for present in ["f", "char", "g", "after"] {
            assert!(paths.contains(&present.to_owned()), "{present} not in {paths:?}");
        }
        let texts: Vec<_> = source.texts.iter().map(|(at, text)| (source.line(*at), text.as_str())).collect();
        assert_eq!(texts, [(2, "std::net \\\" "), (2, "\"tokio\"")]);
    }

    #[test]
    fn groups_are_written_out() {
        let source =
            Source::new("p", "x.rs", "use std::{fs::{self, File}, io as x};\nlet y = crate::a::B::new(1);");
        let paths = source.paths();
        for present in ["std::fs::self", "std::fs::File", "std::io", "crate::a::B::new"] {
            assert!(paths.contains(&present.to_owned()), "{present} not in {paths:?}");
        }
    }
}
