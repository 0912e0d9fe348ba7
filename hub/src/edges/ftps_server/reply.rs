//! What the server says: a code and one or more lines (RFC 959 §4.2).

use std::borrow::Cow;

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    text: Cow<'static, str>,
    /// Lines between the first and the last of a multi-line reply.
    inner: Vec<String>,
}

impl Reply {
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), inner: Vec::new() }
    }

    pub fn with_lines(code: u16, text: &'static str, inner: Vec<String>) -> Self {
        Self { code, text: text.into(), inner }
    }

    /// The bytes to send. Control characters in a text (of a name the client sent) cannot end a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let clean = |text: &str| text.replace(|c: char| c.is_control(), "?");
        let (code, text) = (self.code, clean(&self.text));
        if self.inner.is_empty() {
            return format!("{code} {text}\r\n").into_bytes();
        }
        let inner: Vec<String> = self.inner.iter().map(|line| format!(" {}\r\n", clean(line))).collect();
        format!("{code}-{text}\r\n{}{code} End\r\n", inner.concat()).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_second_reply() {
        let bytes = Reply::new(550, "a\r\n226 Done").to_bytes();
        assert_eq!(bytes, b"550 a??226 Done\r\n");
    }

    #[test]
    fn many_lines_are_framed() {
        let bytes = Reply::with_lines(211, "Features", vec!["SIZE".into()]).to_bytes();
        assert_eq!(bytes, b"211-Features\r\n SIZE\r\n211 End\r\n");
    }
}
