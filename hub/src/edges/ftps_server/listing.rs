//! How folders and files are shown: LIST for people, NLST, MLSD for programs (RFC 3659 §7).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::jail::Facts;
use super::place::Folder;
use super::session::Style;

/// The bytes of a listing of `folder`; `files` are those of `out`.
pub(super) fn show(folder: Folder, style: Style, files: &[(String, Facts)]) -> Vec<u8> {
    if folder == Folder::Root {
        let line = |name| match style {
            Style::Long => format!("drwxr-xr-x 1 svod svod 0 Jan  1  2026 {name}\r\n"),
            Style::Names => format!("{name}\r\n"),
            Style::Facts => format!("type=dir;perm={}; {name}\r\n", if name == "in" { "ce" } else { "el" }),
        };
        return ["in", "out"].map(line).concat().into_bytes();
    }
    let line = |(name, facts): &(String, Facts)| match style {
        Style::Long => {
            format!("-r--r--r-- 1 svod svod {} {} {name}\r\n", facts.size, time(facts, "%b %e  %Y"))
        }
        Style::Names => format!("{name}\r\n"),
        Style::Facts => format!("{}\r\n", one(name, *facts, "r")),
    };
    files.iter().map(line).collect::<String>().into_bytes()
}

/// One file's facts.
pub(super) fn one(name: &str, facts: Facts, perm: &str) -> String {
    format!("type=file;size={};modify={};perm={perm}; {name}", facts.size, stamp(&facts))
}

/// `YYYYMMDDHHMMSS`, UTC.
pub(super) fn stamp(facts: &Facts) -> String {
    time(facts, "%Y%m%d%H%M%S")
}

fn time(facts: &Facts, format: &str) -> String {
    // A file dated outside the years 1 to 9999 is shown as of 1970.
    let timestamp = Timestamp::try_from(facts.modified).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn listings_look_as_clients_expect() {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_hours(498_696);
        let files = [("A.zip".to_owned(), Facts { size: 5, modified })];
        let text = |folder, style| String::from_utf8(show(folder, style, &files)).expect("UTF-8");
        assert_eq!(
            text(Folder::Out, Style::Facts),
            "type=file;size=5;modify=20261122000000;perm=r; A.zip\r\n"
        );
        assert_eq!(text(Folder::Out, Style::Long), "-r--r--r-- 1 svod svod 5 Nov 22  2026 A.zip\r\n");
        assert_eq!(text(Folder::Root, Style::Names), "in\r\nout\r\n");
    }
}
