//! What a CSV file is written in: encoding and delimiter, seen from its first bytes.

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// Windows-1251, in which Russian spreadsheets are saved.
    Windows1251,
    /// UTF-16, which is not read.
    Utf16,
}

/// The encoding of `bytes`: what begins with UTF-16's mark is that; what is valid UTF-8 is UTF-8. Cyrillic in Windows-1251 never is by chance, since
/// its letters are bytes above 0xBF that stand beside one another.
pub fn encoding(bytes: &[u8]) -> Encoding {
    match std::str::from_utf8(bytes) {
        Ok(_) => Encoding::Utf8,
        Err(_) if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") => Encoding::Utf16,
        Err(_) => Encoding::Windows1251,
    }
}

/// The delimiter of the heading `line`: of `;`, tab and `,` the one that occurs most outside quotes, and
/// `,` in a file with one column.
pub fn delimiter(line: &str) -> u8 {
    let count = |wanted: char| {
        let mut quoted = false;
        line.chars()
            .filter(|c| {
                quoted ^= *c == '"';
                !quoted && *c == wanted
            })
            .count()
    };
    [(b';', ';'), (b'\t', '\t'), (b',', ',')]
        .into_iter()
        .map(|(byte, c)| (count(c), byte))
        .filter(|(n, _)| *n > 0)
        .max_by_key(|(n, _)| *n)
        .map_or(b',', |(_, byte)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_is_told_from_windows_1251() {
        assert_eq!(encoding("Фамилия;Имя".as_bytes()), Encoding::Utf8);
        assert_eq!(encoding(b"\xEF\xBB\xBFid,surname"), Encoding::Utf8);
        assert_eq!(encoding(b"\xFF\xFEi\0d\0"), Encoding::Utf16);
        assert_eq!(encoding(b"\xD4\xE0\xEC\xE8\xEB\xE8\xFF;\xC8\xEC\xFF"), Encoding::Windows1251);
    }

    #[test]
    fn delimiters_inside_quotes_do_not_count() {
        assert_eq!(delimiter("id;surname;given"), b';');
        assert_eq!(delimiter("id,surname,given"), b',');
        assert_eq!(delimiter("id\tsurname"), b'\t');
        assert_eq!(delimiter("\"a,b,c\";d"), b';');
        assert_eq!(delimiter("id"), b',');
    }
}
