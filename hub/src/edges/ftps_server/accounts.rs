//! Who may log in. The hub's database answers through [`Accounts`]; passwords are kept as argon2id only.

use std::path::PathBuf;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::password_checks::Memory;

/// How a data connection proves that it belongs to its control connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// It resumes the TLS session of the control connection: nobody else can.
    #[default]
    ResumedSession,
    /// It comes from the same address and, if the account has a client certificate, shows it. For a client that
    /// cannot resume (Python's plain ftplib): another program on the same machine could step in.
    SameAddress,
}

/// One centre's login.
#[derive(Debug, Clone)]
pub struct Account {
    /// The participant code; it is the login, and events name it.
    pub centre: String,
    /// PHC string (`$argon2id$…`), from [`hash_password`].
    pub password_hash: String,
    /// The folder with `in` and `out`.
    pub home: PathBuf,
    /// Where the hub keeps what it did not accept of this centre; it takes of the centre's room.
    pub quarantine: PathBuf,
    /// SHA-256 of the DER client certificate that this centre must show besides its password.
    pub client_certificate: Option<[u8; 32]>,
    /// Whether it may log in with a client certificate only: without a known one it cannot.
    pub certificate_required: bool,
    /// How its data connections are bound.
    pub binding: Binding,
}

/// The accounts. Asked on a blocking thread at each login, again at each command, and now and then in a long
/// transfer, so a centre is disabled and its certificate revoked from that moment on, in open sessions too.
pub trait Accounts: Send + Sync + 'static {
    /// The account with this login, if it exists and may log in now.
    fn account(&self, login: &str) -> Option<Account>;
}

/// A password that could not be hashed: the operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// Hashes a password with argon2id and the cost that the OWASP sheet recommends (19 MiB, 2 passes).
pub fn hash_password(password: &str) -> Result<String, HashError> {
    hash_password_with(password, Params::DEFAULT_M_COST, Params::DEFAULT_T_COST)
}

/// Hashes a password with argon2id, `memory_kib` and `passes` of cost.
pub fn hash_password_with(password: &str, memory_kib: u32, passes: u32) -> Result<String, HashError> {
    let params = Params::new(memory_kib, passes, 1, None).map_err(|e| HashError(e.to_string()))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| HashError(e.to_string()))
}

/// Whether `password_hash` is that of `password`. Takes tens of milliseconds by design.
pub fn is_password(password_hash: &str, password: &str) -> bool {
    is_password_in(&mut Memory::new(), password_hash, password)
}

/// The same in `memory`, which grows to what the hash asks for.
fn is_password_in(memory: &mut Memory, password_hash: &str, password: &str) -> bool {
    let right = || {
        let hash = PasswordHash::new(password_hash).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let params = Params::try_from(&hash).ok()?;
        memory.resize(memory.len().max(params.block_count()), Block::new());
        let mut output = vec![0; expected.len()];
        Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, memory)
            .ok()?;
        // compared in constant time, as all `Output`s are
        Some(Output::new(&output).ok()? == expected)
    };
    right().unwrap_or(false)
}

/// SHA-256 of a DER certificate, as [`Account::client_certificate`] holds it.
pub fn certificate_digest(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

/// Why a login is refused. Only who knows the password learns more than that it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotLoggedIn {
    /// No such account, or another password.
    Password,
    /// The centre's certificate was not shown.
    NoCertificate,
    /// Another certificate was shown than the centre's.
    OtherCertificate,
    /// The hub wants a certificate of every centre, and knows none of this one.
    UnknownCertificate,
}

impl NotLoggedIn {
    /// What the client is told.
    pub fn reply(self) -> &'static str {
        match self {
            Self::Password => "Not logged in",
            Self::NoCertificate => "Not logged in: a client certificate is required",
            Self::OtherCertificate => "Not logged in: this is not the client certificate of this centre",
            Self::UnknownCertificate => {
                "Not logged in: the hub knows no client certificate of this centre, and requires one"
            }
        }
    }
}

/// Whether `password` and the client certificate are the account's. Takes tens of milliseconds by design; without
/// an account it takes as long, so that the time does not tell which centres exist.
pub(super) fn verify(
    account: Option<&Account>,
    password: &str,
    certificate: Option<&[u8]>,
    memory: &mut Memory,
) -> Result<(), NotLoggedIn> {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c3ZvZC1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hash = account.map_or(NOBODY, |a| a.password_hash.as_str());
    let right = is_password_in(memory, hash, password);
    let account = account.filter(|_| right).ok_or(NotLoggedIn::Password)?;
    check_certificate(account, certificate)
}

/// Whether a session that logged in to `then` may go on, now that the account is `now`: it is still there, with the
/// same password, and takes the certificate that the session has shown.
pub(super) fn may_go_on(then: &Account, now: Option<&Account>, certificate: Option<&[u8]>) -> bool {
    now.is_some_and(|now| {
        now.password_hash == then.password_hash && check_certificate(now, certificate).is_ok()
    })
}

/// Whether `certificate` is the account's own: its holder has proved to have the key, and nobody else can.
pub(super) fn is_own_certificate(account: &Account, certificate: Option<&[u8]>) -> bool {
    account.client_certificate.is_some() && check_certificate(account, certificate).is_ok()
}

fn check_certificate(account: &Account, certificate: Option<&[u8]>) -> Result<(), NotLoggedIn> {
    // Compared whole: the name in a certificate proves nothing.
    match (account.client_certificate, certificate) {
        (Some(wanted), Some(der)) if certificate_digest(der) == wanted => Ok(()),
        (Some(_), Some(_)) => Err(NotLoggedIn::OtherCertificate),
        (Some(_), None) => Err(NotLoggedIn::NoCertificate),
        (None, _) if account.certificate_required => Err(NotLoggedIn::UnknownCertificate),
        (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(certificate: Option<[u8; 32]>) -> Account {
        Account {
            centre: "7700012".into(),
            password_hash: hash_password_with("right", 8, 1).expect("hashed"),
            home: PathBuf::new(),
            quarantine: PathBuf::new(),
            client_certificate: certificate,
            certificate_required: false,
            binding: Binding::default(),
        }
    }

    #[test]
    fn only_the_right_password_of_an_existing_account_passes() {
        let account = account(None);
        assert!(account.password_hash.starts_with("$argon2id$"));
        assert_eq!(verify(Some(&account), "right", None, &mut Memory::new()), Ok(()));
        assert_eq!(verify(Some(&account), "wrong", None, &mut Memory::new()), Err(NotLoggedIn::Password));
        assert_eq!(verify(None, "right", None, &mut Memory::new()), Err(NotLoggedIn::Password));
    }

    #[test]
    fn a_wanted_certificate_is_compared_exactly() {
        let mut account = account(Some(certificate_digest(b"mine")));
        let check = |account: &Account, shown: Option<&[u8]>| {
            verify(Some(account), "right", shown, &mut Memory::new())
        };
        assert_eq!(check(&account, Some(b"mine")), Ok(()));
        assert_eq!(check(&account, Some(b"mine too")), Err(NotLoggedIn::OtherCertificate));
        assert_eq!(check(&account, None), Err(NotLoggedIn::NoCertificate));
        let guessed = verify(Some(&account), "wrong", Some(b"mine"), &mut Memory::new());
        assert_eq!(guessed, Err(NotLoggedIn::Password), "who does not know the password learns nothing more");
        let then = account.clone();
        assert!(may_go_on(&then, Some(&account), Some(b"mine")) && !may_go_on(&then, None, Some(b"mine")));
        account.client_certificate = Some(certificate_digest(b"another"));
        assert!(!may_go_on(&then, Some(&account), Some(b"mine")));
        account.client_certificate = None;
        assert!(!is_own_certificate(&account, Some(b"mine")), "there is none to be its own");
        assert_eq!(check(&account, None), Ok(()));
        account.certificate_required = true;
        assert_eq!(check(&account, Some(b"mine")), Err(NotLoggedIn::UnknownCertificate));
    }
}
