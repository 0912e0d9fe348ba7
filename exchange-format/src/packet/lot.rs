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
    let mut found = None;
    for_each_line(lot, |line| {
        if line.starts_with(begins.as_bytes()) {
            found = Some(Record::parse_line(kind, line).map_err(io::Error::other)?);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Hands every record of `kind` in `lot` to `each`, but for lines that are none.
///
/// # Errors
/// The bytes are not a lot of lines; what stands before has been handed over.
pub fn for_each(kind: Kind, lot: &[u8], mut each: impl FnMut(Record)) -> io::Result<()> {
    for_each_line(lot, |line| {
        Record::parse_line(kind, line).into_iter().for_each(&mut each);
        Ok(true)
    })
}

/// Hands the lines of `lot` to `each` as long as it wants more.
fn for_each_line(lot: &[u8], mut each: impl FnMut(&[u8]) -> io::Result<bool>) -> io::Result<()> {
    let mut lines = BufReader::new(DeflateDecoder::new(lot));
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            // a lot is not the end of its member's deflate stream, but for the last
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Ok(0) => return Ok(()),
            read => read?,
        };
        line.pop_if(|last| *last == b'\n');
        if !each(&line)? {
            return Ok(());
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
        for (packed, records) in &lots {
            let mut found = Vec::new();
            for_each(Kind::Contact, packed, |record| found.push(record)).expect("a lot");
            assert_eq!(found, *records);
        }
        let elsewhere = find(Kind::Contact, lots[1].1[0].key, &lots[0].0).expect("a lot");
        assert_eq!(elsewhere, None);
    }
}
