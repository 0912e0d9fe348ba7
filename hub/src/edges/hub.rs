//! An opened hub: its database, keys, directories and settings, for the daemon and for commands.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    archive::{self, KeepError},
    config::Config,
    durable_file,
    keys::{KeysError, OwnKeys},
    output::{Failure, Lang},
    protocol::{ProtocolError, Protocols},
    request_table::RequestError,
    trust::{Trust, TrustError},
    watermark::{Watermark, WatermarkError},
};
use exchange_format::{
    answer::{AnswerError, PacketReason},
    error::PacketError,
    file_name::FileName,
    lists::Lists,
    packet::{Limits, WriteError},
    participant::ParticipantCode,
    position::Digest,
    record::Record,
    signature::{RecordText, SigningKey, verify_record},
    stream::{CannotSeal, Timing},
};

use super::{
    config::{self, Checked, HubConfig},
    register::{Register, RegisterError},
};
use crate::{
    database::{DatabaseError, Store, Tx},
    decisions::case_number::CaseNumbering,
};

/// The file of the watermark, beside the keys.
pub const WATERMARK: &str = "watermark";

/// Where everything of a hub lies.
#[derive(Debug, Clone)]
pub struct Paths {
    /// `ftp/`: a folder a centre, with `in` and `out`.
    pub ftp: PathBuf,
    /// `archive/`: a folder a peer, both directions.
    pub archive: PathBuf,
    /// `quarantine/`: a folder a centre.
    pub quarantine: PathBuf,
}

impl Paths {
    /// Where `centre` leaves its files.
    pub fn inbox(&self, centre: ParticipantCode) -> PathBuf {
        self.ftp.join(centre.as_str()).join("in")
    }

    /// The finished files that `centre` has left, in the order in which they are taken: answers first, they free what waits;
    /// numbered packets in the order of their stream.
    pub(super) fn left_by(&self, centre: ParticipantCode) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.inbox(centre)) else { return Vec::new() };
        let mut names: Vec<String> = entries.flatten().filter_map(|entry| text_name(&entry)).collect();
        names.retain(|name| !Context::is_part(name));
        names.sort_by_cached_key(|name| {
            let parsed = name.parse::<FileName>().ok();
            (parsed.as_ref().map(|name| (name.kind.is_numbered(), name.position)), name.clone())
        });
        names
    }

    /// Where `centre` finds ours.
    pub fn outbox(&self, centre: ParticipantCode) -> PathBuf {
        self.ftp.join(centre.as_str()).join("out")
    }

    /// Makes the folders of `centres` that are not there.
    pub fn make(&self, centres: impl Iterator<Item = ParticipantCode>) -> Result<(), HubError> {
        for centre in centres {
            for path in [self.inbox(centre), self.outbox(centre), self.quarantine.join(centre.as_str())] {
                if !path.is_dir() {
                    DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(at(&path))?;
                    let parent = path.parent().expect("below the hub's directory");
                    for named in [path.as_path(), parent] {
                        durable_file::sync_directory(named).map_err(at(named))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes what was being written when this machine stopped. Only before anything is written.
    pub fn remove_leftovers(&self, centres: impl Iterator<Item = ParticipantCode>) -> Result<(), HubError> {
        let of = |centre: ParticipantCode| {
            let code = centre.as_str();
            [self.archive.join(code), self.outbox(centre), self.quarantine.join(code)]
        };
        for path in centres.flat_map(of).chain([self.archive.clone()]).filter(|path| path.is_dir()) {
            archive::remove_leftovers(&path).map_err(at(&path))?;
        }
        Ok(())
    }

    /// The archived file `name` exchanged with `peer`.
    pub fn archived(&self, peer: ParticipantCode, name: &str) -> PathBuf {
        self.archive.join(peer.as_str()).join(name)
    }
}

/// What does not change while a hub is open.
pub struct Context {
    /// Directories.
    pub paths: Paths,
    /// This hub.
    pub code: ParticipantCode,
    /// Where its keys lie.
    pub keys_directory: PathBuf,
    /// Its keys.
    pub keys: OwnKeys,
    /// The card that is handed out to centres.
    pub card_file: PathBuf,
    /// Where the centres' cards lie.
    pub trust_directory: PathBuf,
    /// The centres' cards.
    pub trust: Trust,
    /// How persons are numbered.
    pub numbering: CaseNumbering,
    /// The highest serial of a case number that the watermark knows to be given.
    pub issued: u64,
    /// How much a packet may ask of its reader.
    pub limits: Limits,
    /// Whether packets bear ГОСТ Р 34.11-2012 beside SHA-256.
    pub streebog: bool,
    /// Deadlines of the streams.
    pub timing: Timing,
    /// The language of protocols.
    pub lang: Lang,
    /// The region's lists.
    pub lists: Lists,
    /// What tells them from others.
    pub lists_digest: Digest,
    /// Whether two have to sign before two published persons become one.
    pub second_signature: bool,
}

/// An opened hub.
pub struct Hub {
    /// hub.db.
    pub store: Store,
    /// What does not change.
    pub context: Context,
    /// The watermark file, beside the keys.
    pub watermark: Watermark,
    /// The protocols.
    pub protocols: Protocols,
    /// Whether what is kept of the streams is to be looked at before its time: something in it is damaged.
    pub(super) is_to_audit: bool,
}

/// Why a step of the exchange was not done.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The register.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// A packet could not be read.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// A packet could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// An answer could not be written or read.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// A stream cannot go on.
    #[error(transparent)]
    CannotSeal(#[from] CannotSeal),
    /// A file could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The watermark file.
    #[error(transparent)]
    Watermark(#[from] WatermarkError),
    /// A protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// Own keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The cards of others.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A file or directory.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No card of this participant is in `trust/`.
    #[error("there is no card of participant {0} in trust/")]
    NoCard(ParticipantCode),
    /// An authentic packet cannot be applied; it is refused whole, and nothing of it stays.
    #[error("the packet is refused: {0}")]
    Refused(PacketReason),
}

impl HubError {
    /// Whether the file of the database is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Database(error) | Self::Register(RegisterError::Database(error)) => error.is_damage(),
            _ => false,
        }
    }

    /// Whether nothing is wrong, and the same is to be tried again: another has the database, or it is to be looked at first.
    pub fn has_to_wait(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Busy | DatabaseError::Unlooked))
    }
}

impl From<RequestError> for HubError {
    fn from(error: RequestError) -> Self {
        Self::Database(error.into())
    }
}

/// Names the file that an I/O error is about.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> HubError {
    let path = path.to_owned();
    |source| HubError::Io { path, source }
}

/// The name of a file as text. One that is none gets the text most like it, never another file's, so that it
/// is put aside like any other that is no packet's.
fn text_name(entry: &fs::DirEntry) -> Option<String> {
    entry.file_name().into_string().map_or_else(
        |name| {
            let text = name.to_string_lossy().into_owned();
            let target = entry.path().with_file_name(&text);
            (!target.exists() && fs::rename(entry.path(), target).is_ok()).then_some(text)
        },
        Some,
    )
}

/// Opens the database of the hub that `config` describes.
pub fn open_store(config: &Config<HubConfig>) -> Result<Store, Failure> {
    let mut store = Store::open(&config.path(&config.database))?;
    store.wait_for_others(config.busy())?;
    Ok(store)
}

/// Opens the hub that `config` describes.
pub fn open(config: &Config<HubConfig>) -> Result<Hub, Failure> {
    let store = open_store(config)?;
    let watermark = Watermark::open(&config.path(&config.keys).join(WATERMARK))?;
    let context = context_of(config, watermark.issued())?;
    let protocols = Protocols::open(&config.path(&config.protocols))?;
    let mut hub = Hub { store, context, watermark, protocols, is_to_audit: false };
    hub.keep_protocols();
    Ok(hub)
}

/// What is known of the hub that `config` describes without its database; `issued` is the highest serial of a case number that
/// the watermark knows.
pub fn context_of(config: &Config<HubConfig>, issued: u64) -> Result<Context, Failure> {
    let Checked { code, numbering, paths, lists } = config::check(config)?;
    let keys = OwnKeys::load(&config.path(&config.keys), code)?;
    let trust = Trust::open(&config.path(&config.trust))?;
    for directory in [&paths.ftp, &paths.archive, &paths.quarantine] {
        durable_file::make_directories(directory).map_err(at(directory))?;
    }
    Ok(Context {
        paths,
        code,
        keys_directory: config.path(&config.keys),
        keys,
        card_file: config.path(Path::new(&format!("{code}.card"))),
        trust_directory: config.path(&config.trust),
        trust,
        numbering,
        issued,
        limits: config.limits(),
        streebog: config.exchange.streebog,
        timing: config.timing(),
        lang: config.lang,
        lists_digest: Digest::of(&serde_json::to_vec(&lists).expect("lists are words and numbers")),
        lists,
        second_signature: config.merge.second_signature,
    })
}

impl Hub {
    /// Runs `work` in one transaction, and makes the files of the protocols that it has put.
    pub fn carry_out<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Context, &Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Self { store, context, .. } = self;
        let done = store.write(|tx| work(context, tx))?;
        self.keep_protocols();
        Ok(done)
    }

    /// [`keep_protocols`].
    pub fn keep_protocols(&mut self) {
        keep_protocols(&mut self.store, &mut self.protocols);
    }
}

/// Makes the files of the protocols that the database has. What they tell of has happened already, so a full disk is told,
/// not fatal: the next call tries again.
pub(super) fn keep_protocols(store: &mut Store, protocols: &mut Protocols) {
    let kept = store
        .read(|tx| {
            protocols.keep_due(|after| Ok::<_, HubError>(tx.next_protocol(after)?))?;
            Ok(tx.has_protocols_to_clear(protocols.reached())?)
        })
        .and_then(|clear| {
            if clear { store.write(|tx| Ok(tx.clear_protocols(protocols.reached())?)) } else { Ok(()) }
        });
    if let Err::<(), HubError>(error) = kept {
        tracing::error!("the files of a protocol could not be made: {error}");
    }
}

impl Context {
    /// Reads own keys and the cards again.
    pub fn reload(&mut self) -> Result<(), HubError> {
        let keys = OwnKeys::load(&self.keys_directory, self.code)?;
        self.trust = Trust::open(&self.trust_directory)?;
        self.keys = keys;
        Ok(())
    }

    /// What a file to `peer` is signed with: a numbered one, or an answer.
    pub fn signing(
        &self,
        tx: &Tx<'_>,
        peer: ParticipantCode,
        numbered: bool,
    ) -> Result<&SigningKey, HubError> {
        let Some(next) = &self.keys.next else { return Ok(&self.keys.signing) };
        let told = tx.keys().told(peer, &next.card.fingerprint())?;
        Ok(self.keys.signing_for(told.map(|(state, _)| state), numbered))
    }

    /// Whether this hub has published `record`, as it stands, to `centre`: it bears the signature of a key that is or was its own.
    /// A centre may write what it likes into its copy; that it cannot write.
    pub fn has_signed(&self, centre: ParticipantCode, record: &Record) -> bool {
        let Some(signature) = &record.signature else { return false };
        let (hash, next) = (record.hash(), self.keys.next.iter().map(|next| &next.card));
        let former = self.trust.card(self.code).into_iter().chain(self.trust.superseded(self.code));
        [&self.keys.card].into_iter().chain(next).chain(former).any(|card| {
            let text = RecordText::of(centre, record, &hash);
            verify_record(&card.content.signing_key, &text, signature).is_ok()
        })
    }

    /// The register within `tx`, `actor` acting.
    pub fn register<'a>(&'a self, tx: &'a Tx<'a>, actor: &'a str, now: jiff::Timestamp) -> Register<'a> {
        let Self { numbering, issued, lists, lists_digest, second_signature, .. } = self;
        let (issued, second_signature) = (*issued, *second_signature);
        Register { tx, hub: self.code, numbering, issued, lists, lists_digest, second_signature, actor, now }
    }
}
