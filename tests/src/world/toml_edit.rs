//! Setting keys in the configuration files that `init` wrote, keeping the comments there.

use std::{fs, path::Path};

use super::WorldError;

/// Sets `key = value` (TOML text) in the table `[table]` of `file`.
///
/// # Errors
/// The file cannot be read or written.
pub fn set_key(file: &Path, table: &str, key: &str, value: &str) -> Result<(), WorldError> {
    edit(file, |text| with_key(text, table, key, value))
}

/// Replaces the whole table `[table]` of `file` by these lines.
///
/// # Errors
/// The file cannot be read or written.
pub fn set_table(file: &Path, table: &str, lines: &[String]) -> Result<(), WorldError> {
    edit(file, |text| with_table(text, table, lines))
}

fn edit(file: &Path, change: impl FnOnce(&str) -> String) -> Result<(), WorldError> {
    let text = fs::read_to_string(file).map_err(WorldError::file(file))?;
    fs::write(file, change(&text)).map_err(WorldError::file(file))
}

/// The lines of `[table]` without its head: from and to.
fn range(lines: &[&str], table: &str) -> Option<(usize, usize)> {
    let head = format!("[{table}]");
    let from = lines.iter().position(|line| line.trim() == head)? + 1;
    let to = lines[from..]
        .iter()
        .position(|line| line.trim_start().starts_with('['))
        .map_or(lines.len(), |n| from + n);
    Some((from, to))
}

fn with_key(text: &str, table: &str, key: &str, value: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let new = format!("{key} = {value}");
    match range(&lines, table) {
        None => format!("{}\n\n[{table}]\n{new}\n", lines.join("\n")),
        Some((from, to)) => {
            let stands =
                lines[from..to].iter().position(|line| line.split('=').next().map(str::trim) == Some(key));
            match stands {
                Some(at) => lines[from + at] = &new,
                None => lines.insert(from, &new),
            }
            lines.join("\n") + "\n"
        }
    }
}

fn with_table(text: &str, table: &str, new: &[String]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let head = format!("[{table}]");
    if let Some((from, to)) = range(&lines, table) {
        lines.drain(from - 1..to);
    }
    lines.push(&head);
    lines.extend(new.iter().map(String::as_str));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n\n[ftps]\n# where\nlisten = \"x\"\n\n[log]\nlisten = 2\n";

    #[test]
    fn keys_are_set_where_they_belong() {
        assert_eq!(with_key(TEXT, "ftps", "listen", "3"), TEXT.replace("\"x\"", "3"));
        assert!(with_key(TEXT, "ftps", "stall_s", "9").contains("[ftps]\nstall_s = 9\n# where"));
        assert!(with_key(TEXT, "new", "k", "1").ends_with("\n\n[new]\nk = 1\n"));
    }

    #[test]
    fn a_table_is_replaced() {
        let text = with_table(TEXT, "ftps", &["k = 1".to_owned()]);
        assert_eq!(text, "a = 1\n\n[log]\nlisten = 2\n[ftps]\nk = 1\n");
    }
}
