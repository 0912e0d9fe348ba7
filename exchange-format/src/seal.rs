//! The age (X25519) envelope around a packet (exchange §4): signed first, sealed after, to the receiver and
//! to the sender's archive key. Both ways stream; memory does not grow with the packet.
//!
//! The randomness of sealing is age's own: an envelope has no identity, the packet inside has.

use std::{
    fmt,
    io::{self, BufReader, Cursor, Read, Write},
    str::FromStr,
};

use age::secrecy::ExposeSecret as _;

/// The header of an envelope to a handful of recipients takes a few hundred bytes.
const HEADER_BYTES: u64 = 16 * 1024;
const BUFFER: usize = 64 * 1024;

/// A public age key, `age1…`: to whom an envelope can be sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

/// A private age key, `AGE-SECRET-KEY-1…`. Prints `[redacted]`.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

/// The text is not an age key of the kind expected. The text itself is never repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an age X25519 key of the form {form}…")]
pub struct AgeKeyError {
    form: &'static str,
}

/// Why an envelope cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is no age file of version 1.
    #[error("not an age file")]
    NotAge,
    /// Sealed to other keys than these.
    #[error("sealed to none of the {tried} keys held here")]
    NoIdentityMatches {
        /// How many keys were tried.
        tried: usize,
    },
    /// The file ends too early.
    #[error("cut short after {opened} bytes of content")]
    Truncated {
        /// Bytes of content opened before the end.
        opened: u64,
    },
    /// A byte was changed, or the last part was cut short.
    #[error("damaged, or its last part cut short, after {opened} bytes of content")]
    Damaged {
        /// Bytes of content opened before the damage.
        opened: u64,
    },
    /// The content is larger than the limit.
    #[error("its content is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// This machine's own reading or writing failed; try again.
    #[error("{0}")]
    Io(io::Error),
}

/// An envelope being written. Ends only with [`SealWriter::finish`].
pub struct SealWriter<W: Write>(age::stream::StreamWriter<W>);

impl Identity {
    /// A new key, from the operating system's randomness.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Its public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// The text of a key file, `AGE-SECRET-KEY-1…`. Secret.
    pub fn to_secret_text(&self) -> String {
        self.0.to_string().expose_secret().to_owned()
    }
}

impl FromStr for Identity {
    type Err = AgeKeyError;

    fn from_str(text: &str) -> Result<Self, AgeKeyError> {
        text.parse().map(Self).map_err(|_| AgeKeyError { form: "AGE-SECRET-KEY-1" })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([redacted])")
    }
}

impl FromStr for Recipient {
    type Err = AgeKeyError;

    fn from_str(text: &str) -> Result<Self, AgeKeyError> {
        text.parse().map(Self).map_err(|_| AgeKeyError { form: "age1" })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Begins an envelope to `recipients` (at least one) in `output`.
pub fn seal<W: Write>(recipients: &[Recipient], output: W) -> io::Result<SealWriter<W>> {
    let keys = recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(keys)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
    encryptor.wrap_output(output).map(SealWriter)
}

/// Seals all of `content` to `recipients` into `output`; returns `output`.
pub fn seal_all<W: Write>(recipients: &[Recipient], content: &mut impl Read, output: W) -> io::Result<W> {
    let mut writer = seal(recipients, output)?;
    io::copy(content, &mut writer)?;
    writer.finish()
}

impl<W: Write> SealWriter<W> {
    /// Writes what remains and gives the output back. Without this the envelope cannot be opened.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Opens the envelope `input` with the first of `identities` that it is sealed to, and writes its content,
/// at most `limit` bytes, to `output`. Returns how many bytes it has. On an error what was written is to be
/// thrown away: it may lack its end.
pub fn open<R: Read>(
    identities: &[Identity],
    input: R,
    output: &mut impl Write,
    limit: u64,
) -> Result<u64, OpenError> {
    let mut content = begin(identities, input)?;
    let mut opened = 0;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => return Ok(opened),
            Ok(count) => count,
            Err(error) => return Err(stream_error(error, opened)),
        };
        opened += count as u64;
        if opened > limit {
            return Err(OpenError::TooLarge { limit });
        }
        output.write_all(&buffer[..count]).map_err(OpenError::Io)?;
    }
}

/// Whether the envelope `input` is sealed to one of `identities`: looks at its head alone.
///
/// # Errors
/// It is no envelope, or sealed to other keys, or cannot be read.
pub fn check_opens(identities: &[Identity], input: impl Read) -> Result<(), OpenError> {
    begin(identities, input).map(drop)
}

/// The content of an envelope, to be read.
fn begin<R: Read>(identities: &[Identity], mut input: R) -> Result<impl Read + use<R>, OpenError> {
    let mut head = Vec::new();
    (&mut input).take(HEADER_BYTES).read_to_end(&mut head).map_err(OpenError::Io)?;
    check_head(&head)?;
    let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(Marked(input)));
    let decryptor = age::Decryptor::new_buffered(whole).map_err(|error| open_error(error, 0))?;
    let keys = identities.iter().map(|identity| &identity.0 as &dyn age::Identity);
    decryptor.decrypt(keys).map_err(|error| open_error(error, identities.len()))
}

/// The header must end within what was read of it, so that a hostile one cannot fill the memory.
fn check_head(head: &[u8]) -> Result<(), OpenError> {
    const MAGIC: &[u8] = b"age-encryption.org/v1\n";
    if !head.starts_with(MAGIC) {
        let cut = MAGIC.starts_with(head);
        return Err(if cut { OpenError::Truncated { opened: 0 } } else { OpenError::NotAge });
    }
    if head.windows(5).any(|window| window == b"\n--- ") {
        return Ok(());
    }
    let cut = (head.len() as u64) < HEADER_BYTES;
    Err(if cut { OpenError::Truncated { opened: 0 } } else { OpenError::NotAge })
}

fn open_error(error: age::DecryptError, tried: usize) -> OpenError {
    match error {
        age::DecryptError::Io(error) => stream_error(error, 0),
        age::DecryptError::NoMatchingKeys => OpenError::NoIdentityMatches { tried },
        age::DecryptError::UnknownFormat => OpenError::NotAge,
        _ => OpenError::Damaged { opened: 0 },
    }
}

/// age reports a bad chunk and a bad header as I/O errors; this machine's own come wrapped in [`OwnFailure`].
fn stream_error(error: io::Error, opened: u64) -> OpenError {
    match error.downcast::<OwnFailure>() {
        Ok(OwnFailure(own)) => OpenError::Io(own),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => OpenError::Truncated { opened },
        Err(_) => OpenError::Damaged { opened },
    }
}

/// Marks the errors of the file below, so that they are not taken for damage of the envelope.
struct Marked<R>(R);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OwnFailure(io::Error);

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => io::Error::new(kind, OwnFailure(error)),
        })
    }
}
