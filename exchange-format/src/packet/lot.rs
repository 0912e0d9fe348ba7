//! Lots: runs of lines of a member, packed so that each can be read by itself.

use std::io::{self, BufRead as _, BufReader};

use flate2::bufread::DeflateDecoder;

use crate::record::{Kind, Record, RecordId};

/// The record `key` in `lot`, as [`PacketWriter::end_lot`](super::PacketWriter::end_lot) gave it out of the
/// member of `kind`. `None` if it is not there.
///
/// # Errors
/// The bytes are not a lot of lines.
pub fn find(kind: Kind, key: RecordId, lot: &[u8]) -> io::Result<Option<Record>> {
    let begins = format!("<record key=\"{key}\" ");
    let mut lines = BufReader::new(DeflateDecoder::new(lot));
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            // a lot is not the end of its member's deflate stream, but for the last
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Ok(0) => return Ok(None),
            read => read?,
        };
        if line.starts_with(begins.as_bytes()) {
            line.pop();
            return Record::parse_line(kind, &line).map(Some).map_err(io::Error::other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::packet::{MemberName, PacketWriter};

    fn records(range: std::ops::Range<u128>) -> Vec<Record> {
        range.map(|n| Record::tombstone(Kind::Contact, RecordId::from_random(n.to_be_bytes()), 1)).collect()
    }

    #[test]
    fn each_lot_is_read_without_the_others() {
        let mut writer = PacketWriter::new(Cursor::new(Vec::new())).expect("memory").in_lots();
        writer.begin_member(MemberName::records("contact").expect("a kind")).expect("memory");
        let mut lots = Vec::new();
        for lot in [records(0..3), records(3..2000), records(2000..2001)] {
            for record in &lot {
                let mut line = Vec::new();
                record.write_line(&mut line);
                writer.write_line(&line).expect("a line");
            }
            lots.push((writer.end_lot().expect("memory"), lot));
        }
        for (n, (packed, records)) in lots.iter().enumerate() {
            for record in records {
                assert_eq!(
                    find(record.kind, record.key, packed).expect("a lot").as_ref(),
                    Some(record),
                    "lot {n}"
                );
            }
        }
        let elsewhere = find(Kind::Contact, lots[1].1[0].key, &lots[0].0).expect("a lot");
        assert_eq!(elsewhere, None);
    }
}
