//! A participant's own keys: files of mode 0600 beside each other, outside the database, so that a database
//! put back from a copy brings back no key (exchange §3, §7).
//!
//! ```text
//! keys/signing.key   C2SP signer keys, one a line: that of the card, while keys change also that of the next card
//! keys/age.key       age identities, one a line; older ones stay: what was sealed to them is still opened
//! keys/archive.key   the archive identity: made here, to be carried off-line; only a rebuild of the hub ever reads it
//! keys/own.card      this participant's card, signed by its signing key: it says which of the keys count
//! keys/next.card     while keys change: the card that follows ([`crate::rotation`])
//! ```

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use exchange_format::{
    card::{Card, CardContent, CardError},
    participant::ParticipantCode,
    seal::{Identity, Recipient},
    signature::SigningKey,
};
use jiff::civil::Date;

use crate::{
    durable_file,
    key_table::KyState,
    messages::Told,
    output::{Exit, Failure},
};

pub(crate) const SIGNING: &str = "signing.key";
pub(crate) const AGE: &str = "age.key";
/// The archive identity, as long as it was not carried away.
pub const ARCHIVE: &str = "archive.key";
pub(crate) const CARD: &str = "own.card";
pub(crate) const NEXT: &str = "next.card";
/// Key files are a few hundred bytes.
const FILE_BYTES: u64 = 64 * 1024;

/// This participant's keys and card, loaded.
#[derive(Debug, Clone)]
pub struct OwnKeys {
    /// What its packets, cards and publications are signed with.
    pub signing: SigningKey,
    /// What it opens envelopes with, the current one first.
    pub identities: Vec<Identity>,
    /// Its card.
    pub card: Card,
    /// The keys that follow, while they are told to the peers.
    pub next: Option<NextKeys>,
}

/// Keys that are not everywhere in force yet.
#[derive(Debug, Clone)]
pub struct NextKeys {
    /// What packets are signed with, in each stream after its KY.
    pub signing: SigningKey,
    /// The card that the KYs tell.
    pub card: Card,
}

/// What a new card says besides code and keys.
#[derive(Debug, Clone)]
pub struct CardWords {
    /// The participant's name for people.
    pub name: String,
    /// First day of validity.
    pub valid_from: Date,
    /// Last day of validity.
    pub valid_until: Date,
    /// The hub's certificate authority (PEM).
    pub tls_ca: Option<String>,
}

/// Why keys cannot be made or used. A key's text is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A key file is already there: keys are never overwritten.
    #[error("{path} is already there; keys are never overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can read or change a key file.
    #[error("{path} has mode {mode:04o}: others can read or change it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path}: {fault}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without its content.
        fault: Told,
    },
    /// The keys are another participant's.
    #[error("{path} is of participant {found}, not of {expected}")]
    OtherParticipant {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: ParticipantCode,
        /// Who we are.
        expected: ParticipantCode,
    },
}

/// What keys are made of. Prints nothing.
pub struct Secrets {
    /// Of the signing key.
    pub seed: [u8; 32],
    /// What opens packets.
    pub identity: Identity,
    /// What opens the archive, kept off-line; not changed with the others.
    pub archive: Identity,
}

impl Secrets {
    /// By the operating system's chance.
    ///
    /// # Errors
    /// It gives none.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self { seed, identity: Identity::generate(), archive: Identity::generate() })
    }
}

impl OwnKeys {
    /// Makes keys and card of `code` in `directory` (made with mode 0700), where none may be yet. All are on
    /// the disk when this returns.
    pub fn create(directory: &Path, code: ParticipantCode, words: CardWords) -> Result<Self, KeysError> {
        let secrets = Secrets::generate()
            .map_err(|error| KeysError::Io { path: directory.to_owned(), source: io::Error::other(error) })?;
        Self::create_of(&secrets, directory, code, words)
    }

    /// As [`create`](Self::create), of secrets that were made before: whoever knows them can sign and open.
    pub fn create_of(
        secrets: &Secrets,
        directory: &Path,
        code: ParticipantCode,
        words: CardWords,
    ) -> Result<Self, KeysError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| KeysError::Io { path: directory.to_owned(), source })?;
        for name in [SIGNING, AGE, ARCHIVE, CARD] {
            let path = directory.join(name);
            if path.exists() {
                return Err(KeysError::Exists { path });
            }
        }
        let signing = SigningKey::from_seed(code, &secrets.seed);
        let (identity, archive) = (secrets.identity.clone(), secrets.archive.clone());
        let CardWords { name, valid_from, valid_until, tls_ca } = words;
        let content = CardContent {
            code,
            name,
            signing_key: signing.verifying_key(),
            age_recipient: identity.recipient(),
            archive_recipient: archive.recipient(),
            valid_from,
            valid_until,
            tls_ca,
        };
        let card = Card::sign(content, &signing).map_err(|error| malformed(directory.join(CARD), &error))?;
        put(directory, SIGNING, format!("{}\n", signing.to_secret_text()).as_bytes(), 0o600)?;
        put(directory, AGE, format!("{}\n", identity.to_secret_text()).as_bytes(), 0o600)?;
        put(directory, ARCHIVE, format!("{}\n", archive.to_secret_text()).as_bytes(), 0o600)?;
        put(directory, CARD, card.to_bytes(), 0o644)?;
        Ok(Self { signing, identities: vec![identity], card, next: None })
    }

    /// Loads the keys of `code`. The archive key is not among them, and may be gone.
    pub fn load(directory: &Path, code: ParticipantCode) -> Result<Self, KeysError> {
        match Self::load_once(directory, code) {
            // another process may just have ended a change of keys, between the reading of two files
            Err(KeysError::Malformed { .. }) => Self::load_once(directory, code),
            other => other,
        }
    }

    fn load_once(directory: &Path, code: ParticipantCode) -> Result<Self, KeysError> {
        let (card, next) = (read_card(directory, CARD, code)?, read_card(directory, NEXT, code)?);
        let path = directory.join(CARD);
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let card = card.ok_or(KeysError::Io { path, source: missing })?;
        let signing = signing_keys(directory, code)?;
        let (path, text) = read_secret(directory, AGE)?;
        let mut identities = parse_identities(&path, &text)?;
        let find = |card: &Card, file: &str| -> Result<SigningKey, KeysError> {
            let opens = identities.iter().any(|one| one.recipient() == card.content.age_recipient);
            let key = signing.iter().find(|key| key.verifying_key() == card.content.signing_key);
            key.filter(|_| opens)
                .cloned()
                .ok_or_else(|| malformed(directory.join(file), Told::of("card-of-other-keys", &[])))
        };
        let signing = find(&card, CARD)?;
        let next = next.map(|card| Ok(NextKeys { signing: find(&card, NEXT)?, card })).transpose()?;
        identities.sort_by_key(|one| one.recipient() != card.content.age_recipient);
        Ok(Self { signing, identities, card, next })
    }

    /// What a file is signed with, `told` being what became of the KY of the next keys in the stream to its receiver:
    /// what is numbered by the next key from the KY on, answers when the receiver has taken it.
    pub fn signing_for(&self, told: Option<KyState>, numbered: bool) -> &SigningKey {
        let next = self.next.as_ref().filter(|_| match told {
            Some(KyState::Open) => numbered,
            Some(KyState::Taken) => true,
            Some(KyState::Refused) | None => false,
        });
        next.map_or(&self.signing, |next| &next.signing)
    }

    /// Whose keys they are.
    pub fn participant(&self) -> ParticipantCode {
        self.signing.participant()
    }

    /// To whom packets for `peer` are sealed: to it, and to our own archive key.
    pub fn recipients_for(&self, peer: &Card) -> [Recipient; 2] {
        [peer.content.age_recipient.clone(), self.card.content.archive_recipient.clone()]
    }
}

/// The age identities of a key file (`age.key`, `archive.key`) wherever it lies: for who opens a packet by hand, with a
/// key from a medium that may know no permissions.
pub fn read_identities(file: &Path) -> Result<Vec<Identity>, KeysError> {
    let failed = |source| KeysError::Io { path: file.to_owned(), source };
    if fs::metadata(file).map_err(failed)?.len() > FILE_BYTES {
        return Err(malformed(file.to_owned(), Told::of("key-too-large", &[])));
    }
    parse_identities(file, &fs::read_to_string(file).map_err(failed)?)
}

/// The card `name` of `directory`, which must be of `code`, if there is one.
fn read_card(directory: &Path, name: &str, code: ParticipantCode) -> Result<Option<Card>, KeysError> {
    let path = directory.join(name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(KeysError::Io { path, source }),
    };
    let card = Card::from_bytes(&bytes).map_err(|error| malformed(path.clone(), &error))?;
    check_owner(path, card.content.code, code)?;
    Ok(Some(card))
}

/// The signing keys of `directory`, each of `code`.
pub(crate) fn signing_keys(directory: &Path, code: ParticipantCode) -> Result<Vec<SigningKey>, KeysError> {
    let (path, text) = read_secret(directory, SIGNING)?;
    let mut keys = Vec::new();
    for line in text.trim_end().lines() {
        let key: SigningKey = line.parse().map_err(|error| malformed(path.clone(), &error))?;
        check_owner(path.clone(), key.participant(), code)?;
        keys.push(key);
    }
    Ok(keys)
}

fn parse_identities(path: &Path, text: &str) -> Result<Vec<Identity>, KeysError> {
    let identities: Result<Vec<Identity>, _> = text.lines().map(str::parse).collect();
    identities.map_err(|error| malformed(path.to_owned(), &error))
}

fn put(directory: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), KeysError> {
    let path = directory.join(name);
    durable_file::create_new(&path, bytes, mode).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeysError::Exists { path },
        _ => KeysError::Io { path, source },
    })
}

pub(crate) fn read_secret(directory: &Path, name: &str) -> Result<(PathBuf, String), KeysError> {
    let path = directory.join(name);
    let failed = |source| KeysError::Io { path: path.clone(), source };
    let metadata = fs::metadata(&path).map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Exposed { path, mode });
    }
    if metadata.len() > FILE_BYTES {
        return Err(malformed(path, Told::of("key-too-large", &[])));
    }
    let text = fs::read_to_string(&path).map_err(failed)?;
    Ok((path, text))
}

fn check_owner(path: PathBuf, found: ParticipantCode, expected: ParticipantCode) -> Result<(), KeysError> {
    if found == expected { Ok(()) } else { Err(KeysError::OtherParticipant { path, found, expected }) }
}

fn malformed(path: PathBuf, fault: impl Into<Told>) -> KeysError {
    KeysError::Malformed { path, fault: fault.into() }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        let (code, path) = match &error {
            KeysError::Exists { path } => ("keys-exist", path),
            KeysError::Io { path, .. } => ("keys-file", path),
            KeysError::Exposed { path, .. } => ("keys-exposed", path),
            KeysError::Malformed { path, .. } => ("keys-malformed", path),
            KeysError::OtherParticipant { path, .. } => ("keys-other", path),
        };
        let exit = match &error {
            KeysError::Io { source, .. } => Exit::of_io(source),
            _ => Exit::Usage,
        };
        let failure = Self::new(exit, code).told("file", path.display());
        match error {
            KeysError::Exists { .. } => failure,
            KeysError::Io { source, .. } => failure.because("detail", source),
            KeysError::Exposed { mode, .. } => failure.told("mode", format_args!("{mode:04o}")),
            KeysError::Malformed { fault, .. } => failure.because("detail", fault),
            KeysError::OtherParticipant { found, expected, .. } => {
                failure.told("found", found).told("expected", expected)
            }
        }
    }
}

impl Failure {
    /// Why the card in the file at `path` is not taken.
    pub fn card(path: &Path, error: CardError) -> Self {
        match error {
            CardError::Fingerprint { .. } | CardError::NotValidOn { .. } => error.into(),
            other => Self::new(Exit::Refused, "card-malformed")
                .told("file", path.display())
                .because("detail", &other),
        }
    }
}

impl From<CardError> for Failure {
    fn from(error: CardError) -> Self {
        match error {
            CardError::Fingerprint { expected, found } => Self::new(Exit::Refused, "card-fingerprint")
                .with("length", expected.chars().count())
                .with("found", found),
            CardError::NotValidOn { on, from, until } => Self::new(Exit::Refused, "card-not-valid")
                .told("on", on)
                .told("from", from)
                .told("until", until),
            // no other is found where no file was read
            other => Self::card(Path::new("*.card"), other),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::output::Lang;

    fn words() -> CardWords {
        let name = "ЦСОН Заводского района".to_owned();
        CardWords { name, valid_from: date(2026, 1, 1), valid_until: date(2027, 12, 31), tls_ca: None }
    }

    fn code() -> ParticipantCode {
        ParticipantCode::new(42, 3)
    }

    fn made() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let keys = dir.path().join("keys");
        OwnKeys::create(&keys, code(), words()).expect("made");
        (dir, keys)
    }

    fn failure(error: KeysError) -> String {
        Failure::from(error).code().to_owned()
    }

    /// The code of the failure, whose words do not give away what the key files hold.
    fn load(keys: &Path) -> String {
        let failure = Failure::from(OwnKeys::load(keys, code()).expect_err("not usable"));
        for name in [SIGNING, AGE] {
            let secret = fs::read_to_string(keys.join(name)).unwrap_or_default();
            let secret = &secret.trim_end()[secret.len().saturating_sub(30)..];
            for lang in [Lang::Ru, Lang::En] {
                let told = failure.message(lang) + &failure.next(lang);
                assert!(secret.is_empty() || !told.contains(secret), "{told}");
            }
        }
        failure.code().to_owned()
    }

    #[test]
    fn keys_are_made_once_for_their_owner_alone_and_read_back() {
        let (_dir, keys) = made();
        for name in [SIGNING, AGE, ARCHIVE] {
            let mode = fs::metadata(keys.join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        fs::remove_file(keys.join(ARCHIVE)).expect("carried off-line");
        let own = OwnKeys::load(&keys, code()).expect("loaded");
        assert_eq!(own.participant(), code());
        assert_eq!(own.recipients_for(&own.card)[0], own.identities[0].recipient());
        let before = fs::read(keys.join(SIGNING)).expect("read");
        assert_eq!(failure(OwnKeys::create(&keys, code(), words()).expect_err("there")), "keys-exist");
        assert_eq!(fs::read(keys.join(SIGNING)).expect("read"), before);
        assert!(!keys.join(ARCHIVE).exists(), "nothing was made beside");
    }

    #[test]
    fn an_older_identity_is_kept_for_opening() {
        let (_dir, keys) = made();
        let old = Identity::generate();
        let text = fs::read_to_string(keys.join(AGE)).expect("read") + &old.to_secret_text() + "\n";
        fs::write(keys.join(AGE), text).expect("written");
        assert_eq!(OwnKeys::load(&keys, code()).expect("loaded").identities.len(), 2);
    }

    #[test]
    fn each_way_in_which_keys_are_not_usable() {
        let (_dir, keys) = made();
        fs::set_permissions(keys.join(AGE), fs::Permissions::from_mode(0o640)).expect("set");
        assert_eq!(load(&keys), "keys-exposed");
        let (_dir, keys) = made();
        assert_eq!(
            failure(OwnKeys::load(&keys, ParticipantCode::new(42, 4)).expect_err("other")),
            "keys-other"
        );
        let (_dir, keys) = made();
        fs::remove_file(keys.join(SIGNING)).expect("removed");
        assert_eq!(load(&keys), "keys-file");
        for name in [SIGNING, AGE, CARD] {
            let (_dir, keys) = made();
            let mut bytes = fs::read(keys.join(name)).expect("read");
            bytes[20] ^= 1;
            fs::write(keys.join(name), bytes).expect("written");
            assert!(["keys-malformed", "keys-file"].contains(&load(&keys).as_str()), "{name}");
        }
        let (_dir, keys) = made();
        fs::write(keys.join(AGE), Identity::generate().to_secret_text()).expect("written");
        assert_eq!(load(&keys), "keys-malformed", "a card with another key");
    }
}
