//! Quotes of a CSV file that do not go together. A reader would take what follows one for text, up to the next
//! quote however far away, and rows would be lost unseen.

/// Where the quotes of a file stop making sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenQuote {
    /// The line, from 1, on which the quoted value begins.
    pub line: u64,
    /// What is wrong.
    pub what: &'static str,
}

/// Where in a value the reader is.
#[derive(Clone, Copy)]
enum At {
    Begin,
    Plain,
    Quoted,
    /// After a quote inside a quoted value: its end, or the first of a pair.
    Quote,
}

/// The first quoted value of `text` that does not end, or that something follows before the delimiter.
pub fn broken_quote(text: &str, delimiter: u8) -> Option<BrokenQuote> {
    let (mut at, mut line, mut opened) = (At::Begin, 1, 1);
    for byte in text.bytes() {
        let ends = byte == delimiter || matches!(byte, b'\n' | b'\r');
        at = match at {
            At::Begin if byte == b'"' => {
                opened = line;
                At::Quoted
            }
            At::Begin | At::Plain | At::Quote if ends => At::Begin,
            At::Begin | At::Plain => At::Plain,
            At::Quoted if byte == b'"' => At::Quote,
            At::Quote if byte != b'"' => {
                return Some(BrokenQuote { line: opened, what: "text follows the closing quote of a value" });
            }
            At::Quoted | At::Quote => At::Quoted,
        };
        line += u64::from(byte == b'\n');
    }
    let open = matches!(at, At::Quoted);
    open.then_some(BrokenQuote { line: opened, what: "a quoted value does not end" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_go_together_are_let_through() {
        for text in ["", "a,b\n1,2", "\"a,\"\"b\"\"\",c\r\n\"two\nlines\",\"\"", "ООО \"Ромашка\",1\n"]
        {
            assert_eq!(broken_quote(text, b','), None, "{text}");
        }
        assert_eq!(broken_quote("\"a\";b", b';'), None);
    }

    #[test]
    fn a_value_that_does_not_end_is_told_by_its_first_line() {
        let unended = BrokenQuote { line: 2, what: "a quoted value does not end" };
        assert_eq!(broken_quote("a,b\n1,\"Иван\n2,Пётр\n3,Анна\n", b','), Some(unended));
        let follows = BrokenQuote { line: 3, what: "text follows the closing quote of a value" };
        assert_eq!(broken_quote("a,b\n1,2\n3,\"Ива\"нов\n", b','), Some(follows));
        assert_eq!(broken_quote("\"a\" ,b", b',').map(|broken| broken.line), Some(1));
        // a quote left open is closed by the next one, with text after it
        assert_eq!(broken_quote("a,b\n1,\"Иван\n2,\"Пётр\"\n", b',').map(|broken| broken.line), Some(2));
    }
}
