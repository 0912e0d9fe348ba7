//! What stands in a file of Windows-1251 for a letter that it does not have (ADR 0012): the row that comes back with it says
//! nothing of that value, and nobody can take it for one.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1251;

/// The sign: Windows-1251 has it, and nobody types it.
pub const LOST: char = '¤';

/// `text` as a file of Windows-1251 has it, if that lacks a letter of it.
pub fn written(text: &str) -> Option<String> {
    let lacks = |c: char| WINDOWS_1251.encode(c.encode_utf8(&mut [0; 4])).2;
    WINDOWS_1251.encode(text).2.then(|| text.chars().map(|c| if lacks(c) { LOST } else { c }).collect())
}

/// Whether letters of the cell `text` were lost.
pub fn is_lost(text: &str) -> bool {
    text.contains(LOST)
}

/// Whether the cell `text` is what was written of the value that `stands`.
pub fn is_written_of(text: &str, stands: &str) -> bool {
    is_lost(text) && written(stands).map_or(Cow::Borrowed(stands), Cow::Owned).trim() == text.trim()
}
