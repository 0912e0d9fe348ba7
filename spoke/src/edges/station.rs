//! What a running centre holds: its configuration, database, keys, watermark.

use std::path::{Path, PathBuf};

use exchange_endpoint::{
    archive, chance, clear_copy,
    config::Config,
    database_pages::{Found, Soundness},
    durable_file,
    instance::InstanceLock,
    journal_table::{self, CENTRE_TABLE, Event},
    key_ring::KeyRing,
    key_table::KyState,
    keys::{KeysError, OwnKeys},
    messages::Told,
    opened_file::{OpenedFile, Standing},
    output::{Failure, Lang},
    protocol::{Protocol, Protocols},
    protocol_table::{self, KeptProtocols},
    rotation::{finish, is_left_over},
    trust::Trust,
    watermark::{Stream, Watermark},
};
use exchange_format::{
    card::Card,
    packet::Limits,
    participant::ParticipantCode,
    position::Digest,
    record::{Record, RecordId},
    signature::{self, RecordText},
    stream::{self, Evidence},
};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{SpokeError, config::SpokeConfig, error::damaged, rotation};
use crate::database::{
    self,
    book::{self, OutStream},
    own_records,
    sums::{SUMMED, Sums},
    write::{self, Scope},
};

/// The file of the watermark, beside the keys.
pub const WATERMARK: &str = "watermark";

/// A centre that owns its database.
#[derive(Debug)]
pub struct Station {
    /// Settings.
    pub config: Config<SpokeConfig>,
    /// The database.
    pub connection: Connection,
    /// Own keys.
    pub keys: OwnKeys,
    /// What became of the KY of our next keys.
    pub told: Option<KyState>,
    /// The hub's cards.
    pub hub_keys: KeyRing,
    /// How far this centre has sealed and applied, kept outside the database.
    pub watermark: Watermark,
    /// Limits of every packet read.
    pub limits: Limits,
    protocols: Protocols,
    lock: InstanceLock,
    opened: OpenedFile,
    /// That the file of the database is damaged.
    damage: Option<Failure>,
}

impl Station {
    /// Takes the database for this process and loads everything.
    ///
    /// # Errors
    /// Whatever is missing, foreign, exposed or in use.
    pub fn open(config: Config<SpokeConfig>) -> Result<Self, SpokeError> {
        let path = config.path(&config.database);
        if !path.exists() {
            return Err(database::DatabaseError::Missing(path).into());
        }
        let lock = InstanceLock::acquire(&path)?;
        clear_copy::remove_leftovers(&path);
        let connection = open_database(&config)?;
        let opened = OpenedFile::of(&path);
        for directory in [&config.spool, &config.archive, &config.quarantine] {
            let directory = config.path(directory);
            durable_file::make_directories(&directory).map_err(SpokeError::io(&directory))?;
            archive::remove_leftovers(&directory).map_err(SpokeError::io(&directory))?;
        }
        let directory = config.path(&config.keys);
        if is_left_over(&directory, config.code)? {
            // a command that makes new keys waits
            database::alone(&connection, || {
                if is_left_over(&directory, config.code)? {
                    finish(&directory, config.code)?;
                }
                Ok::<_, KeysError>(())
            })??;
        }
        let keys = OwnKeys::load(&directory, config.code)?;
        let hub_keys = hub_keys(&config)?;
        let watermark = Watermark::open(&config.path(&config.keys).join(WATERMARK))?;
        let protocols = Protocols::open(&config.path(&config.protocols))?;
        let limits = config.limits.limits();
        let (told, damage) = (None, None);
        let mut station = Self {
            config,
            connection,
            keys,
            told,
            hub_keys,
            watermark,
            limits,
            protocols,
            lock,
            opened,
            damage,
        };
        station.told = rotation::told(&station)?;
        station.keep_protocols();
        Ok(station)
    }

    /// Whether the opened database has lost its name: to another file, or to none.
    pub fn is_replaced(&self) -> bool {
        self.opened.standing() != Standing::Same
    }

    /// Opens the database that stands under the name of the opened one, if that is another file. Whether it is.
    ///
    /// # Errors
    /// There is none, or it is not this centre's.
    pub fn follow_file(&mut self) -> Result<bool, SpokeError> {
        let path = self.opened.path().to_owned();
        let fold = || database::fold_log(&self.connection).unwrap_or(false);
        match self.opened.leave(fold).map_err(SpokeError::io(&path))? {
            Standing::Same => return Ok(false),
            Standing::Gone => return Err(database::DatabaseError::Missing(path).into()),
            Standing::Other => {}
        }
        tracing::error!(
            database = %path.display(),
            "another file was put in the place of the database while this program had it open. Next: end every program that works with the database and start it again, for what it writes goes into the former file; see OPERATING, section 8"
        );
        let connection = open_database(&self.config)?;
        own_records::settle(&connection, own_records::settles(&self.connection)?)?;
        (self.connection, self.opened, self.damage) = (connection, OpenedFile::of(&path), None);
        Ok(true)
    }

    /// Reads own keys and the hub's cards again.
    ///
    /// # Errors
    /// A file.
    pub fn reload(&mut self) -> Result<(), SpokeError> {
        self.hub_keys = hub_keys(&self.config)?;
        self.keys = OwnKeys::load(&self.config.path(&self.config.keys), self.config.code)?;
        self.told = rotation::told(self)?;
        Ok(())
    }

    /// This centre.
    pub fn own(&self) -> ParticipantCode {
        self.config.code
    }

    /// Its hub.
    pub fn hub(&self) -> ParticipantCode {
        self.config.hub
    }

    /// The directory of sealed packets.
    pub fn spool(&self) -> PathBuf {
        self.config.path(&self.config.spool)
    }

    /// A file that the database names, relative to the directory of the configuration.
    pub fn file(&self, relative: &str) -> PathBuf {
        self.config.path(Path::new(relative))
    }

    /// Makes the files of the protocols that the database has. What they tell of has happened already, so a full disk is
    /// told, not fatal: the next call tries again.
    pub fn keep_protocols(&mut self) {
        if let Err(error) = self.try_keep_protocols() {
            tracing::error!(%error, "the files of a protocol could not be made");
        }
    }

    fn try_keep_protocols(&mut self) -> Result<(), SpokeError> {
        let Self { connection, protocols, .. } = self;
        let kept = KeptProtocols::new(connection, protocol_table::CENTRE_TABLE);
        protocols.keep_due(|after| Ok::<_, SpokeError>(kept.next(after)?))?;
        let reached = protocols.reached();
        if kept.is_to_clear(reached)? {
            write::write(connection, Scope::Book, |transaction| {
                let kept = KeptProtocols::new(transaction, protocol_table::CENTRE_TABLE);
                Ok::<_, SpokeError>(kept.clear(reached)?)
            })?;
        }
        Ok(())
    }

    /// Lets `status` know what hinders the daemon from now on; `None`: nothing but a damaged file, if one was found.
    pub fn tell_hindered(&mut self, failure: Option<&Failure>, now: Timestamp) {
        self.lock.tell(failure.or(self.damage.as_ref()), now);
    }

    /// Looks on at the pages of the database.
    pub fn look_at_pages(&mut self, pages: &mut Soundness) {
        match pages.step() {
            Some(Found::Damaged(found)) => {
                let failure = damaged(&found);
                tracing::error!("{failure}. Next: {}", failure.next(Lang::En));
                self.damage = Some(failure);
            }
            Some(Found::Sound) => {
                self.damage = None;
                self.lock.sound();
            }
            None => {}
        }
    }

    /// Raises the watermark to where the database stands. On the disk when this returns: nothing may be
    /// placed before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn raise_watermark(&mut self) -> Result<(), SpokeError> {
        let hub = self.hub();
        let sealed = book::out_stream(&self.connection, hub)?.machine.last;
        let applied = book::in_stream(&self.connection, hub)?.machine.last;
        let reached = [(Stream::Sealed, sealed), (Stream::Applied, applied)];
        let reached = reached.into_iter().filter_map(|(s, mark)| mark.map(|mark| (hub, s, mark.position)));
        let connection = &self.connection;
        self.watermark
            .raise(reached, 0, |from| Ok(journal_table::leaves_from(connection, CENTRE_TABLE, from)?))
    }

    /// The watermark takes in what the journal has gained.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn raise_journal(&mut self) -> Result<(), SpokeError> {
        let connection = &self.connection;
        self.watermark.raise_journal(|from| Ok(journal_table::leaves_from(connection, CENTRE_TABLE, from)?))
    }

    /// After a recovery the journal is that of the older database, which says so: the watermark follows it.
    ///
    /// # Errors
    /// The database, or the file cannot be written.
    pub fn follow_journal(&mut self) -> Result<(), SpokeError> {
        let (db, known) = (&self.connection, self.watermark.journal());
        if known.size() == 0
            || !journal_table::is_begun_again(db, CENTRE_TABLE, known)?
            || journal_table::begins_with(db, CENTRE_TABLE, known)?
        {
            return Ok(());
        }
        let leaves = journal_table::leaves_from(db, CENTRE_TABLE, 0)?;
        Ok(self.watermark.begin_journal(leaves)?)
    }

    /// What shows that the database is older than `marks`, those of the watermark file. Of an epoch of the hub's that was closed
    /// after a restore nothing is applied any more: how far that was is no measure.
    ///
    /// # Errors
    /// The database.
    pub fn behind(
        connection: &Connection,
        hub: ParticipantCode,
        marks: &stream::Watermark,
    ) -> Result<Option<Evidence>, SpokeError> {
        let incoming = book::in_stream(connection, hub)?.machine;
        let applied = marks.applied.filter(|at| Some(at.epoch) > incoming.closed);
        Ok(stream::Watermark { applied, ..*marks }.judge(&stream::Watermark {
            sealed: book::out_stream(connection, hub)?.machine.last.map(|mark| mark.position),
            applied: incoming.last.map(|mark| mark.position),
        }))
    }

    /// What the watermark file says of the two streams.
    pub fn marks(&self) -> stream::Watermark {
        stream::Watermark {
            sealed: self.watermark.get(self.hub(), Stream::Sealed),
            applied: self.watermark.get(self.hub(), Stream::Applied),
        }
    }
}

/// Opens the database and checks that it is this centre's.
///
/// # Errors
/// It is missing, or another's.
pub fn open_database(config: &Config<SpokeConfig>) -> Result<Connection, SpokeError> {
    let path = config.path(&config.database);
    let (connection, identity) = database::open(&path)?;
    check_identity(config, identity, &path)?;
    Ok(connection)
}

/// Opens a copy of the database at `path`, and checks that it is this centre's.
///
/// # Errors
/// It is another's.
pub fn open_copy(config: &Config<SpokeConfig>, path: &Path) -> Result<Connection, SpokeError> {
    let (connection, identity) = database::open(path)?;
    check_identity(config, identity, path)?;
    Ok(connection)
}

/// Opens the database for looking only.
///
/// # Errors
/// It is missing, or another's.
pub fn open_to_look(config: &Config<SpokeConfig>) -> Result<Connection, SpokeError> {
    let path = config.path(&config.database);
    let (connection, identity) = database::open_read_only(&path)?;
    check_identity(config, identity, &path)?;
    Ok(connection)
}

fn check_identity(
    config: &Config<SpokeConfig>,
    identity: database::Identity,
    path: &Path,
) -> Result<(), SpokeError> {
    let pairs = [("code", config.code, identity.own), ("hub", config.hub, identity.hub)];
    match pairs.into_iter().find(|(_, ours, theirs)| ours != theirs) {
        None => Ok(()),
        Some((key, _, theirs)) => Err(config
            .refuse(
                key,
                Told::of(
                    "spoke-database-of",
                    &[("file", path.display().to_string().into()), ("code", theirs.to_string().into())],
                ),
            )
            .into()),
    }
}

/// The hub's cards of `trust/` that count.
///
/// # Errors
/// There is none, or it is not sound.
pub fn hub_keys(config: &Config<SpokeConfig>) -> Result<KeyRing, SpokeError> {
    let trust = Trust::open(&config.path(&config.trust))?;
    trust.ring(config.hub).ok_or(SpokeError::NoHubCard(config.hub))
}

/// The hub's card of `trust/`.
///
/// # Errors
/// There is none, or it is not sound.
pub fn hub_card(config: &Config<SpokeConfig>) -> Result<Card, SpokeError> {
    let trust = Trust::open(&config.path(&config.trust))?;
    trust.card(config.hub).cloned().ok_or(SpokeError::NoHubCard(config.hub))
}

/// Whether the hub signed `record` for `to`, by whichever of its `keys`.
pub fn is_signed(keys: &KeyRing, to: ParticipantCode, record: &Record) -> bool {
    let hash = record.hash();
    let text = RecordText::of(to, record, &hash);
    let by = |bytes, card: &Card| signature::verify_record(&card.content.signing_key, &text, bytes).is_ok();
    record.signature.as_ref().is_some_and(|bytes| keys.cards().any(|card| by(bytes, card)))
}

/// An entry of the journal by this centre's program.
///
/// # Errors
/// The journal's.
pub fn journal(
    connection: &Connection,
    own: ParticipantCode,
    now: Timestamp,
    event: &str,
    subject: &str,
    rule: &str,
    digests: &[Digest],
) -> Result<(), SpokeError> {
    let event = Event { at: now, actor: own.as_str(), event, subject, rule, digests };
    journal_table::append(connection, CENTRE_TABLE, &event)?;
    Ok(())
}

/// Keeps the protocol of a run, within the transaction of the run.
///
/// # Errors
/// The database's.
pub fn put_protocol(connection: &Connection, mut protocol: Protocol) -> Result<(), SpokeError> {
    protocol.end();
    KeptProtocols::new(connection, protocol_table::CENTRE_TABLE).put(&mut protocol)?;
    Ok(())
}

/// Keeps our stream to the hub, with its sums in the journal, where they cannot be altered unseen.
///
/// # Errors
/// The database's.
pub fn keep_out_stream(
    connection: &Connection,
    own: ParticipantCode,
    hub: ParticipantCode,
    stream: &OutStream,
    now: Timestamp,
) -> Result<(), SpokeError> {
    book::set_out_stream(connection, hub, stream)?;
    journal(connection, own, now, SUMMED, hub.as_str(), "", &Sums::of(stream).digests())
}

/// 16 random bytes of the operating system.
pub fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    chance::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A new record id.
pub fn new_key() -> RecordId {
    RecordId::from_random(random_bytes())
}

/// A random number for spreading waits.
pub fn random_u32() -> u32 {
    let [a, b, c, d, ..] = random_bytes();
    u32::from_le_bytes([a, b, c, d])
}
