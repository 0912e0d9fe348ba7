//! Files whose name is no packet's.
//!
//! Such a name may hold anything, a person's name and illness too («Иванова справка.pdf»). So it goes into no
//! log, journal, protocol or database, and is not kept: the file is, whole, under a name made from its bytes.

use std::{fmt, io, path::Path};

use exchange_format::file_name::FileName;

use crate::sum;

/// What a log says in the place of a name that is no packet's, before its file is looked at.
pub const UNNAMED: &str = "(not a packet's name)";

/// Endings that are kept, so that staff know what to open the file with. A closed list: an ending may be
/// anybody's name as well.
const ENDINGS: [&str; 22] = [
    "7z", "age", "bmp", "csv", "doc", "docx", "eml", "htm", "html", "jpeg", "jpg", "ods", "odt", "pdf",
    "png", "rar", "rtf", "txt", "xls", "xlsx", "xml", "zip",
];

/// `name` as a log may have it: a packet's name, or that it is none.
pub fn loggable(name: &str) -> &str {
    if name.parse::<FileName>().is_ok() { name } else { UNNAMED }
}

/// A file whose name is no packet's, as it is kept and told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// `STRAY_<first 16 digits of its SHA-256>`, with its ending if that is a known one: the name it is kept by.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Whether its name began as a packet's does: somebody's program may be at fault, not a person.
    pub like_packet: bool,
}

impl Stray {
    /// Looks at the file at `path` that came as `name`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(name: &str, path: &Path) -> io::Result<Self> {
        let (bytes, digest) = sum::of_file(path)?;
        let prefix = digest.prefix();
        let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        let ending = ending.filter(|ending| ENDINGS.contains(&ending.as_str()));
        let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
        let like_packet = name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("SVOD"));
        Ok(Self { name: format!("STRAY_{prefix}{ending}"), bytes, like_packet })
    }
}

/// In English: for logs and journals.
impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let like = if self.like_packet { "like a packet, wrongly" } else { "unlike a packet" };
        write!(f, "{} {} bytes, named {like}", self.name, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_told_but_its_ending() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x");
        std::fs::write(&path, "abc").expect("written");
        let told = |name: &str| Stray::of(name, &path).expect("read").to_string();
        let digest = "STRAY_BA7816BF8F01CFEA";
        assert_eq!(told("Иванова справка.PDF"), format!("{digest}.pdf 3 bytes, named unlike a packet"));
        assert_eq!(told("справка.Иванова"), format!("{digest} 3 bytes, named unlike a packet"));
        assert_eq!(told("справка.ivanova"), format!("{digest} 3 bytes, named unlike a packet"));
        assert_eq!(told("svod1_ivanova.zip"), format!("{digest}.zip 3 bytes, named like a packet, wrongly"));
        assert_eq!(told("Я"), format!("{digest} 3 bytes, named unlike a packet"));
        assert_eq!(loggable("Иванова справка.pdf"), UNNAMED);
    }
}
