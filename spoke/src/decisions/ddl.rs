//! The text of a table, taken apart: what SQLite lists nowhere else, a column's own conditions and how it is computed.

/// A `CREATE TABLE` by its parts, without comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTable {
    /// Up to the first parenthesis, with it.
    pub head: String,
    /// Columns and constraints, as written.
    pub parts: Vec<String>,
    /// From the parenthesis that closes them.
    pub tail: String,
}

impl CreateTable {
    /// Takes `sql` apart; `None` if it is no such text.
    pub fn of(sql: &str) -> Option<Self> {
        let (mut head, mut parts, mut part, mut tail) =
            (String::new(), Vec::new(), String::new(), String::new());
        let mut depth = 0_usize;
        for token in tokens(sql) {
            let closed = depth == 0 && !parts.is_empty();
            match token {
                "(" if !closed => {
                    depth += 1;
                    if depth == 1 { head.push('(') } else { part.push('(') }
                }
                ")" if depth == 1 => {
                    depth = 0;
                    parts.push(part.trim().to_owned());
                    part.clear();
                    tail.push(')');
                }
                ")" if depth > 1 => {
                    depth -= 1;
                    part.push(')');
                }
                "," if depth == 1 => {
                    parts.push(part.trim().to_owned());
                    part.clear();
                }
                other if depth > 0 => part.push_str(other),
                other if closed => tail.push_str(other),
                other => head.push_str(other),
            }
        }
        (!tail.is_empty() && part.is_empty()).then_some(Self { head, parts, tail })
    }

    /// The definition of the column `name`.
    pub fn column(&self, name: &str) -> Option<&str> {
        let is_it = |part: &&String| !is_constraint(part) && unquoted(first(part)).eq_ignore_ascii_case(name);
        self.parts.iter().find(is_it).map(String::as_str)
    }

    /// Conditions on whole rows.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str).filter(|part| is_constraint(part) && is_condition(part))
    }

    /// The same with these columns and conditions besides.
    pub fn with(&self, columns: &[String], conditions: &[String]) -> String {
        let (constraints, own): (Vec<&String>, Vec<&String>) =
            self.parts.iter().partition(|part| is_constraint(part));
        let all: Vec<&str> =
            own.into_iter().chain(columns).chain(constraints).chain(conditions).map(String::as_str).collect();
        format!("{}{}{}", self.head, all.join(", "), self.tail)
    }
}

/// The definition `column` without what makes it a key or unique, and without NOT NULL unless that `may_demand`.
pub fn loosened(column: &str, may_demand: bool) -> String {
    let tokens: Vec<&str> = tokens(column).collect();
    let words: Vec<usize> = (0..tokens.len()).filter(|at| !tokens[*at].trim().is_empty()).collect();
    let is = |at: usize, word: &str| words.get(at).is_some_and(|n| tokens[*n].eq_ignore_ascii_case(word));
    let (mut dropped, mut depth, mut at) = (vec![false; tokens.len()], 0_i32, 0);
    while at < words.len() {
        depth += i32::from(is(at, "(")) - i32::from(is(at, ")"));
        let mut length = match () {
            () if depth > 0 || at == 0 => 0,
            () if is(at, "UNIQUE") => 1,
            () if is(at, "PRIMARY") && is(at + 1, "KEY") => 2,
            () if is(at, "NOT") && is(at + 1, "NULL") && !may_demand => 2,
            () => 0,
        };
        if length > 0 {
            length += usize::from(is(at + length, "ASC") || is(at + length, "DESC"));
            if is(at + length, "ON") && is(at + length + 1, "CONFLICT") {
                length += 3;
            }
            length += usize::from(is(at + length, "AUTOINCREMENT"));
        }
        for word in words.iter().skip(at).take(length) {
            dropped[*word] = true;
        }
        at += length.max(1);
    }
    let kept = tokens.iter().zip(&dropped).filter(|(_, dropped)| !**dropped);
    kept.map(|(token, _)| *token).collect::<String>().trim().to_owned()
}

fn is_constraint(part: &str) -> bool {
    let word = first(part);
    ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}

fn is_condition(part: &str) -> bool {
    let mut words = tokens(part).filter(|token| !token.trim().is_empty());
    let word = words.next().unwrap_or_default();
    let word = if word.eq_ignore_ascii_case("CONSTRAINT") { words.nth(1).unwrap_or_default() } else { word };
    word.eq_ignore_ascii_case("CHECK")
}

fn first(part: &str) -> &str {
    tokens(part).find(|token| !token.trim().is_empty()).unwrap_or_default()
}

fn unquoted(token: &str) -> String {
    let inside = |quote: char| {
        Some(
            token
                .strip_prefix(quote)?
                .strip_suffix(quote)?
                .replace(&format!("{quote}{quote}"), &quote.to_string()),
        )
    };
    let bracketed = || Some(token.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    ['"', '`', '\''].into_iter().find_map(inside).or_else(bracketed).unwrap_or_else(|| token.to_owned())
}

/// Words, quoted texts, white space and single signs; of a comment a blank.
fn tokens(sql: &str) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let begin = rest.chars().next()?;
        let after =
            |mark: &str, from: usize| rest[from..].find(mark).map_or(rest.len(), |at| from + at + mark.len());
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let (length, is_comment) = match begin {
            '-' if rest.starts_with("--") => (after("\n", 2), true),
            '/' if rest.starts_with("/*") => (after("*/", 2), true),
            '[' => (after("]", 1), false),
            '"' | '`' | '\'' => (quoted(rest, begin), false),
            c if is_word(c) => (rest.find(|c| !is_word(c)).unwrap_or(rest.len()), false),
            c if c.is_whitespace() => (rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()), false),
            c => (c.len_utf8(), false),
        };
        let (token, left) = rest.split_at(length);
        rest = left;
        Some(if is_comment { " " } else { token })
    })
}

/// How long the text in `quote` is with which `rest` begins: a doubled quote is one inside.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = rest[at..].find(quote) {
        at += found + 1;
        if !rest[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "CREATE TABLE t (\n  id TEXT PRIMARY KEY NOT NULL CHECK (id <> ''), -- the (row,\n  \"a,b\" TEXT, PRIMARY KEY (id)\n) WITHOUT ROWID";

    #[test]
    fn a_table_is_taken_apart_and_put_together() {
        let table = CreateTable::of(OURS).expect("a table");
        assert_eq!(
            table.parts,
            ["id TEXT PRIMARY KEY NOT NULL CHECK (id <> '')", "\"a,b\" TEXT", "PRIMARY KEY (id)"]
        );
        assert_eq!(table.column("A,B"), Some("\"a,b\" TEXT"));
        assert_eq!(table.column("primary"), None);
        let more =
            table.with(&["shelf TEXT CHECK (shelf IN ('A)', 'B'))".into()], &["CHECK (id <> shelf)".into()]);
        let again = CreateTable::of(&more).expect("a table");
        assert_eq!(again.column("shelf"), Some("shelf TEXT CHECK (shelf IN ('A)', 'B'))"));
        assert_eq!(again.conditions().collect::<Vec<_>>(), ["CHECK (id <> shelf)"]);
        assert_eq!(again.tail, ") WITHOUT ROWID");
        assert_eq!(CreateTable::of("SELECT 1"), None);
        let named =
            CreateTable::of("CREATE TABLE [x] (a, CONSTRAINT c CHECK (a > 0), UNIQUE (a))").expect("a table");
        assert_eq!(named.conditions().collect::<Vec<_>>(), ["CONSTRAINT c CHECK (a > 0)"]);
    }

    #[test]
    fn keys_and_demands_go_and_all_else_stays() {
        for (column, demand, loose) in [
            ("n INTEGER UNIQUE", true, "n INTEGER"),
            (
                "n TEXT NOT NULL ON CONFLICT REPLACE CHECK (n IS NOT NULL)",
                false,
                "n TEXT  CHECK (n IS NOT NULL)",
            ),
            ("n TEXT NOT NULL DEFAULT 'NOT NULL'", true, "n TEXT NOT NULL DEFAULT 'NOT NULL'"),
            ("n INTEGER PRIMARY KEY DESC AUTOINCREMENT", true, "n INTEGER"),
            (
                "n TEXT GENERATED ALWAYS AS (a || 'UNIQUE') VIRTUAL",
                false,
                "n TEXT GENERATED ALWAYS AS (a || 'UNIQUE') VIRTUAL",
            ),
            ("\"unique\" TEXT", false, "\"unique\" TEXT"),
            ("unique_one TEXT", false, "unique_one TEXT"),
        ] {
            assert_eq!(
                loosened(column, demand).split_whitespace().collect::<Vec<_>>(),
                loose.split_whitespace().collect::<Vec<_>>()
            );
        }
    }
}
