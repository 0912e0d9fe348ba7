//! Length and SHA-256 of bytes, however many.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use exchange_format::position::Digest;
use sha2::{Digest as _, Sha256};

const BUFFER: usize = 256 * 1024;

/// Passes all of `from` on `to`, and sums it up on the way.
pub fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, Digest)> {
    let (mut hash, mut buffer, mut length) = (Sha256::new(), vec![0; BUFFER], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((length, Digest::from_bytes(hash.finalize().into()))),
            Ok(n) => {
                hash.update(&buffer[..n]);
                to.write_all(&buffer[..n])?;
                length += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Length and SHA-256 of the file at `path`.
pub fn of_file(path: &Path) -> io::Result<(u64, Digest)> {
    pass(&mut File::open(path)?, &mut io::sink())
}
