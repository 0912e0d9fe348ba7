//! The members of a packet as files. Nothing outside the directory is touched, nothing in it is overwritten, and nothing
//! is written before the whole packet was unpacked once, within the limits.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufWriter, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt as _},
};
use exchange_endpoint::output::{Exit, Failure};
use exchange_format::{
    error::PacketError,
    packet::{CheckedPacket, MemberName},
    seal::Identity,
};
use serde::Serialize;

use crate::given::Given;

/// What was written.
#[derive(Debug, Serialize)]
pub struct Unpacked {
    schema: &'static str,
    /// SHA-256 of the packet's manifest.
    pub digest: String,
    /// The files, below the directory.
    pub files: Vec<String>,
    /// Whether the sender's signature was checked before.
    pub proven: bool,
}

/// Why nothing, or nothing any more, is there.
#[derive(Debug)]
pub enum UnpackError {
    /// The packet is not whole.
    Packet(PacketError),
    /// This machine, the directory.
    Failure(Failure),
}

impl From<PacketError> for UnpackError {
    fn from(error: PacketError) -> Self {
        Self::Packet(error)
    }
}

impl From<Failure> for UnpackError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Unpacks `given` into `out`, a directory that is not there or is empty. Files have mode 0600.
pub fn unpack(
    given: &Given,
    identities: &[Identity],
    out: &Path,
    proven: bool,
) -> Result<Unpacked, UnpackError> {
    let packet = given.open(identities)?;
    let (digest, manifest, note) =
        (packet.digest().to_string(), packet.manifest_bytes().to_vec(), packet.signature().to_vec());
    let mut packet = packet.without_sender();
    let mut packet = packet.check_members()?;
    let failed = |error: io::Error| {
        Failure::new(Exit::of_io(&error), "unpack-file").told("file", out.display()).because("detail", error)
    };
    let (dir, made) = empty_directory(out)?;
    let mut files = Vec::new();
    let written = write_members(&dir, &mut packet, &mut files).and_then(|()| {
        for (name, bytes) in [("manifest.xml", &manifest), ("manifest.sig", &note)] {
            let mut file = create(&dir, name, &mut files)?;
            file.write_all(bytes).and_then(|()| file.sync_all())?;
        }
        Ok(())
    });
    match written {
        Ok(()) => Ok(Unpacked { schema: "svod.packet.unpack/1", digest, files, proven }),
        Err(error) => {
            take_back(&dir, &files);
            drop(dir);
            if made {
                // What cannot be removed is an empty directory; the first error is the one to tell.
                let _ = fs::remove_dir(out);
            }
            Err(match error {
                PacketError::Io(error) => failed(error).into(),
                other => other.into(),
            })
        }
    }
}

/// The directory, and whether it was made now.
fn empty_directory(out: &Path) -> Result<(Dir, bool), Failure> {
    let failed = |error: io::Error| {
        Failure::new(Exit::of_io(&error), "unpack-file").told("file", out.display()).because("detail", error)
    };
    let made = match DirBuilder::new().mode(0o700).create(out) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(failed(error)),
    };
    let dir = Dir::open_ambient_dir(out, ambient_authority()).map_err(failed)?;
    if dir.entries().map_err(failed)?.next().is_some() {
        return Err(Failure::new(Exit::Refused, "unpack-not-empty").told("dir", out.display()));
    }
    Ok((dir, made))
}

fn write_members(
    dir: &Dir,
    packet: &mut CheckedPacket<'_, File>,
    files: &mut Vec<String>,
) -> Result<(), PacketError> {
    let members: Vec<MemberName> =
        packet.manifest().members.iter().map(|member| member.name.clone()).collect();
    for (folder, needed) in [
        ("records", members.iter().any(|member| member.kind().is_some())),
        ("mirror", members.iter().any(|member| member.mirrored().is_some())),
    ] {
        if needed {
            dir.create_dir(folder)?;
        }
    }
    for member in members {
        let mut file = BufWriter::new(create(dir, &member.to_string(), files)?);
        packet.copy_member(&member, &mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    }
    Ok(())
}

/// A new file, never one that was there, never through a link out of `dir`.
fn create(dir: &Dir, name: &str, files: &mut Vec<String>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = dir.open_with(name, options.write(true).create_new(true).mode(0o600))?;
    files.push(name.to_owned());
    Ok(file.into_std())
}

fn take_back(dir: &Dir, files: &[String]) {
    for name in files {
        // As above: the error that led here is the one to tell.
        let _ = dir.remove_file(name);
    }
    for folder in ["records", "mirror"] {
        let _ = dir.remove_dir(folder);
    }
}
