//! Moving one file over a connection: resumed, verified, published by rename.

use std::fs;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use suppaftp::FtpError;
use suppaftp::tokio::{AsyncRustlsStream, TransferStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connection::{Connection, within};
use super::fault::Fault;
use crate::mailbox::Placed;
use crate::mailbox::local::{self, BUFFER};
use crate::messages::Told;
use crate::sum;

type Data = TransferStream<AsyncRustlsStream>;

/// Uploads `source` to a part, verifies it and gives it its name in `in`.
pub(super) async fn put(connection: &mut Connection, source: &Path, name: &str) -> Result<Placed, Fault> {
    let path = source.to_owned();
    let (length, digest) = local(move || sum::of_file(&path)).await?;
    let (part, target) = (format!("in/{}", local::part_name(name, &digest)), format!("in/{name}"));
    let mut offset = 0;
    // What fits one buffer is sooner sent than asked about.
    if length > BUFFER as u64 {
        if connection.size(&target).await? == Some(length) {
            return Ok(Placed::Already);
        }
        offset = connection.size(&part).await?.filter(|there| *there <= length).unwrap_or(0);
    }
    if offset < length || length == 0 {
        upload(connection, source, &part, offset).await?;
    }
    verify(connection, &part, length, &digest.to_string()).await?;
    publish(connection, &part, &target, length).await
}

async fn upload(connection: &mut Connection, source: &Path, part: &str, offset: u64) -> Result<(), Fault> {
    let limit = connection.limit;
    let path = source.to_owned();
    let file = local(move || {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    });
    let mut file = tokio::fs::File::from_std(file.await?);
    let offset = usize::try_from(offset).map_err(|_| FtpError::BadResponse)?;
    connection.ftp.resume_transfer(offset).await?;
    let mut data = within(limit, connection.ftp.put_with_stream(part)).await?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = file.read(&mut buffer).await.map_err(Fault::Local)?;
        if n == 0 {
            return finish(data, limit).await;
        }
        let mut sent = 0;
        while sent < n {
            match timeout(limit, data.write(&buffer[sent..n])).await {
                Ok(Ok(m)) if m > 0 => sent += m,
                Ok(Ok(_)) => {
                    return Err(reply_or(connection, data, std::io::ErrorKind::WriteZero.into()).await);
                }
                // The server's reply (552: the disk is full) says more than "broken pipe".
                Ok(Err(error)) => return Err(reply_or(connection, data, error).await),
                Err(_) => return Err(Fault::Silent(limit)),
            }
        }
    }
}

async fn finish(data: Data, limit: Duration) -> Result<(), Fault> {
    // The server brings the file to its disk before it answers.
    within(limit * 4, data.finish()).await
}

/// The server's reply to a transfer that it has cut, where there is one. The connection is of no use after that.
async fn reply_or(connection: &mut Connection, data: Data, error: std::io::Error) -> Fault {
    match within(connection.limit, connection.ftp.abort(data)).await {
        Err(Fault::Ftp(FtpError::UnexpectedResponse(reply))) => Fault::Cut(reply),
        _ => Fault::Ftp(FtpError::ConnectionError(error)),
    }
}

/// HASH implies SIZE; where it is missing, SIZE has to do.
async fn verify(connection: &mut Connection, part: &str, length: u64, digest: &str) -> Result<(), Fault> {
    let seen = if connection.features.hash {
        let hash = connection.hash(part).await?;
        (hash != digest).then(|| format!("SHA-256 {hash} instead of {digest}"))
    } else {
        let size = connection.size(part).await?;
        (size != Some(length)).then(|| format!("{size:?} bytes instead of {length}"))
    };
    let Some(seen) = seen else { return Ok(()) };
    let limit = connection.limit;
    within(limit, connection.ftp.rm(part)).await?;
    Err(Fault::Damaged(Told::of("mailbox-damaged-there", &[("seen", seen.clone().into())])))
}

async fn publish(
    connection: &mut Connection,
    part: &str,
    target: &str,
    length: u64,
) -> Result<Placed, Fault> {
    let limit = connection.limit;
    let fault = match within(limit, connection.ftp.rename(part, target)).await {
        Ok(()) => return Ok(Placed::Now),
        Err(fault) if fault.code().is_some_and(|code| code >= 500) => fault,
        Err(fault) => return Err(fault),
    };
    let Some(there) = connection.size(target).await? else { return Err(fault) };
    // The part is of no more use; it may be gone already.
    match within(limit, connection.ftp.rm(part)).await {
        Err(fault) if !fault.leaves_dialogue_in_step() => return Err(fault),
        _ => {}
    }
    if there == length {
        return Ok(Placed::Already);
    }
    Err(Fault::Refused(Told::of("mailbox-taken", &[("there", there.into()), ("ours", length.into())])))
}

/// Downloads `out/<name>` to `dest`.
pub(super) async fn fetch(connection: &mut Connection, name: &str, dest: &Path) -> Result<u64, Fault> {
    let remote = format!("out/{name}");
    let Some(length) = connection.size(&remote).await? else {
        return Err(Fault::Refused(Told::of("mailbox-no-file", &[])));
    };
    let part = local::part_path(dest);
    let offset = match tokio::fs::metadata(&part).await {
        Ok(meta) if meta.len() <= length => meta.len(),
        _ => 0,
    };
    if offset < length || length == 0 {
        download(connection, &remote, &part, offset).await?;
    }
    let there = tokio::fs::metadata(&part).await.map_err(Fault::Local)?.len();
    // A part may be of an older file of this name; a fresh one is whole by TLS and its length.
    let mut whole = there == length;
    if whole && offset > 0 && connection.features.hash {
        let path = part.clone();
        let (_, digest) = local(move || sum::of_file(&path)).await?;
        whole = connection.hash(&remote).await? == digest.to_string();
    }
    if !whole {
        tokio::fs::remove_file(&part).await.map_err(Fault::Local)?;
        return Err(Fault::Damaged(Told::of("mailbox-damaged-here", &[])));
    }
    let (part, dest): (PathBuf, PathBuf) = (part, dest.to_owned());
    local(move || local::replace(&part, &dest)).await?;
    Ok(length)
}

async fn download(connection: &mut Connection, remote: &str, part: &Path, offset: u64) -> Result<(), Fault> {
    let limit = connection.limit;
    let path = part.to_owned();
    let file = local(move || {
        let mut file = fs::OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
        file.set_len(offset)?;
        file.seek(SeekFrom::End(0))?;
        Ok(file)
    });
    let mut file = tokio::fs::File::from_std(file.await?);
    let offset = usize::try_from(offset).map_err(|_| FtpError::BadResponse)?;
    connection.ftp.resume_transfer(offset).await?;
    let mut data = within(limit, connection.ftp.retr_as_stream(remote)).await?;
    let mut buffer = vec![0; BUFFER];
    let cut = loop {
        match timeout(limit, data.read(&mut buffer)).await {
            Ok(Ok(0)) => break None,
            Ok(Ok(n)) => file.write_all(&buffer[..n]).await.map_err(Fault::Local)?,
            Ok(Err(error)) => break Some(Fault::Ftp(FtpError::ConnectionError(error))),
            Err(_) => break Some(Fault::Silent(limit)),
        }
    };
    // What has come is kept for the next attempt, whatever stopped it.
    file.sync_all().await.map_err(Fault::Local)?;
    match cut {
        None => finish(data, limit).await,
        Some(fault) => Err(fault),
    }
}

async fn local<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.expect("file work does not panic").map_err(Fault::Local)
}
