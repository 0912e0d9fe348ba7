//! Moving the bytes of one transfer: quota, stall limit, durable before 226.

use std::io::SeekFrom;
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::data::{Gate, Owner};
use super::jail::{BUFFER, Jail, JailError};
use super::listing;
use super::place::{Folder, is_part};
use super::reply::Reply;
use super::session::Transfer;
use super::state::{Centre, Claim, OnTheWay};

/// What a transfer needs of its session.
#[derive(Debug, Clone)]
pub(super) struct Mover {
    pub jail: Arc<Jail>,
    pub centre: Arc<Centre>,
    pub owner: Owner,
    pub stall: Duration,
    pub max_bytes: u64,
    pub max_files: usize,
}

/// A transfer with its file open: what remains is the data connection.
#[derive(Debug)]
pub(super) enum Job {
    Send(Source),
    Store(Store),
}

/// What a client is sent.
#[derive(Debug)]
pub(super) enum Source {
    Text(Vec<u8>),
    File(File),
}

/// An upload.
#[derive(Debug)]
pub(super) struct Store {
    file: File,
    part: String,
    /// The final name, where the client uploads to it at once.
    publish_as: Option<String>,
    quota: Quota,
    _claim: Claim,
}

/// How a transfer ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub reply: Reply,
    /// The name that a finished upload got.
    pub published: Option<String>,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self { reply, published: None }
    }
}

impl Mover {
    /// Opens what the transfer is about; the refusal is the reply.
    pub async fn prepare(&self, transfer: Transfer) -> Result<Job, Reply> {
        match transfer {
            Transfer::List { folder, style } => {
                let files = match folder {
                    Folder::Out => self.blocking(Jail::list_out).await?,
                    _ => Vec::new(),
                };
                Ok(Job::Send(Source::Text(listing::show(folder, style, &files))))
            }
            Transfer::Retrieve { name, offset } => {
                let file = self.blocking(move |jail| jail.open_out(&name, offset)).await?;
                Ok(Job::Send(Source::File(File::from_std(file))))
            }
            Transfer::Store { name, offset } => self.prepare_store(name, offset).await.map(Job::Store),
        }
    }

    async fn prepare_store(&self, name: String, offset: Option<u64>) -> Result<Store, Reply> {
        let (part, publish_as) =
            if is_part(&name) { (name, None) } else { (format!("{name}.upload.part"), Some(name)) };
        let claim = self.centre.claim(&part).ok_or_else(|| Reply::new(450, "This part is being written"))?;
        let (max_bytes, max_files, opened) = (self.max_bytes, self.max_files, part.clone());
        let (mark, on_the_way) = self.centre.counted();
        let (file, used) = self
            .blocking(move |jail| {
                let file = jail.open_part(&opened, offset)?;
                let (stored, files) = jail.usage()?;
                let used = stored + on_the_way;
                if used < max_bytes && files <= max_files {
                    return Ok((Some(file), used));
                }
                if file.metadata()?.len() == 0 {
                    jail.delete_part(&opened)?;
                }
                Ok((None, used))
            })
            .await?;
        let file = file.ok_or_else(|| Reply::new(452, "This centre's in is full"))?;
        let quota = Quota { jail: self.jail.clone(), centre: self.centre.clone(), max_bytes, used, mark };
        let mut file = File::from_std(file);
        file.set_max_buf_size(BUFFER);
        Ok(Store { file, part, publish_as, quota, _claim: claim })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Jail) -> Result<T, JailError> + Send + 'static,
    ) -> Result<T, Reply> {
        let jail = self.jail.clone();
        let done = tokio::task::spawn_blocking(move || work(&jail)).await.expect("file work does not panic");
        done.map_err(|error| error.reply())
    }

    /// Takes the data connection and moves the bytes. Always ends: each step is under the stall limit.
    pub async fn carry(self, job: Job, gate: Gate) -> Outcome {
        let tls = match &job {
            Job::Send(_) => &self.owner.tls.sending,
            Job::Store(_) => &self.owner.tls.receiving,
        };
        let mut stream = match gate.admit(&self.owner, tls, self.stall).await {
            Ok(stream) => stream,
            Err(reply) => return reply.into(),
        };
        match job {
            Job::Send(source) => self.send(source, &mut stream).await.into(),
            Job::Store(store) => self.store(store, stream).await.unwrap_or_else(Outcome::from),
        }
    }

    async fn send(&self, source: Source, stream: &mut TlsStream<TcpStream>) -> Reply {
        let sent = match source {
            Source::Text(text) => pump_out(&mut text.as_slice(), stream, self.stall).await,
            Source::File(mut file) => pump_out(&mut file, stream, self.stall).await,
        };
        match sent {
            Ok(()) => match timeout(self.stall, stream.shutdown()).await {
                Ok(Ok(())) => Reply::new(226, "Sent"),
                _ => Reply::new(426, "The data connection was cut"),
            },
            Err(reply) => reply,
        }
    }

    async fn store(&self, mut store: Store, mut stream: TlsStream<TcpStream>) -> Result<Outcome, Reply> {
        let received = pump_in(&mut stream, &mut store.file, &mut store.quota, self.stall).await;
        // The client waits for our end of the data connection, not for the disk. What has come stays, whatever ended
        // it: the client resumes from there. A refusal is said at once, or its ABOR would come before.
        let _ = timeout(self.stall, stream.shutdown()).await;
        received?;
        drop(stream);
        let disk = |error: std::io::Error| JailError::from(error).reply();
        store.file.sync_all().await.map_err(disk)?;
        let length = store.file.seek(SeekFrom::End(0)).await.map_err(disk)?;
        let Some(name) = store.publish_as.take() else {
            return Ok(Reply::new(226, format!("Received and on the disk, {length} bytes")).into());
        };
        let (part, target) = (store.part.clone(), name.clone());
        self.blocking(move |jail| jail.publish(&part, &target)).await?;
        Ok(Outcome { reply: Reply::new(226, "Received, on the disk under its name"), published: Some(name) })
    }
}

/// How much a centre may still store.
#[derive(Debug)]
struct Quota {
    jail: Arc<Jail>,
    centre: Arc<Centre>,
    max_bytes: u64,
    /// What `in` held, or was to hold, when `mark` was the count of bytes brought.
    used: u64,
    mark: u64,
}

impl Quota {
    /// Takes `n` bytes. Other uploads of the centre count too; before a refusal `in` is measured again, since the
    /// hub may have taken files away meanwhile.
    async fn take(&mut self, n: u64) -> Result<OnTheWay, Reply> {
        let (taken, brought) = OnTheWay::count(&self.centre, n);
        if self.used + (brought - self.mark) <= self.max_bytes {
            return Ok(taken);
        }
        let (mark, on_the_way) = self.centre.counted();
        let jail = self.jail.clone();
        let measured =
            tokio::task::spawn_blocking(move || jail.usage()).await.expect("file work does not panic");
        let (stored, _) = measured.map_err(|error| error.reply())?;
        (self.used, self.mark) = (stored + on_the_way, mark);
        if self.used <= self.max_bytes { Ok(taken) } else { Err(Reply::new(552, "This centre's in is full")) }
    }
}

fn stalled() -> Reply {
    Reply::new(426, "The data connection stalled")
}

async fn pump_out(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    stall: Duration,
) -> Result<(), Reply> {
    let cut = |_| Reply::new(426, "The data connection was cut");
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = from.read(&mut buffer).await.map_err(|error| JailError::from(error).reply())?;
        if n == 0 {
            return Ok(());
        }
        let mut sent = 0;
        while sent < n {
            sent += timeout(stall, to.write(&buffer[sent..n])).await.map_err(|_| stalled())?.map_err(cut)?;
        }
        timeout(stall, to.flush()).await.map_err(|_| stalled())?.map_err(cut)?;
    }
}

async fn pump_in(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut File,
    quota: &mut Quota,
    stall: Duration,
) -> Result<(), Reply> {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let ended = match timeout(stall, from.read(&mut buffer[filled..])).await {
            // A close without TLS's close_notify is an error of rustls, so a cut file never looks whole.
            Ok(Ok(0)) => Some(Ok(())),
            Ok(Ok(n)) => {
                filled += n;
                None
            }
            Ok(Err(_)) => Some(Err(Reply::new(426, "The data connection was cut"))),
            Err(_) => Some(Err(stalled())),
        };
        if ended.is_some() || filled == BUFFER {
            let taken = quota.take(filled as u64).await?;
            let disk = |error: std::io::Error| JailError::from(error).reply();
            to.write_all(&buffer[..filled]).await.map_err(disk)?;
            to.flush().await.map_err(disk)?; // into the file, where a measure sees it
            drop(taken);
            filled = 0;
        }
        if let Some(result) = ended {
            return result;
        }
    }
}
