//! Who may log in. The hub's database answers through [`Accounts`]; passwords are kept as argon2id only.

use std::path::PathBuf;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// SHA-256 of the DER client certificate that this centre must show besides its password.
    pub client_certificate: Option<[u8; 32]>,
    /// How its data connections are bound.
    pub binding: Binding,
}

/// The accounts. Asked on a blocking thread at each login and again before each file, so a centre is disabled from
/// that moment on, its open sessions too.
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
    PasswordHash::new(password_hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// SHA-256 of a DER certificate, as [`Account::client_certificate`] holds it.
pub fn certificate_digest(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

/// Whether `password` and the client certificate are the account's. Takes tens of milliseconds by design; without
/// an account it takes as long, so that the time does not tell which centres exist.
pub(super) fn verify(account: Option<&Account>, password: &str, certificate: Option<&[u8]>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c3ZvZC1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let hash = account.map_or(NOBODY, |a| a.password_hash.as_str());
    let right = is_password(hash, password);
    let Some(account) = account else { return false };
    // Compared whole: the name in a certificate proves nothing.
    let shown = account
        .client_certificate
        .is_none_or(|wanted| certificate.is_some_and(|der| certificate_digest(der) == wanted));
    right && shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(certificate: Option<[u8; 32]>) -> Account {
        Account {
            centre: "7700012".into(),
            password_hash: hash_password_with("right", 8, 1).expect("hashed"),
            home: PathBuf::new(),
            client_certificate: certificate,
            binding: Binding::default(),
        }
    }

    #[test]
    fn only_the_right_password_of_an_existing_account_passes() {
        let account = account(None);
        assert!(account.password_hash.starts_with("$argon2id$"));
        assert!(verify(Some(&account), "right", None));
        assert!(!verify(Some(&account), "wrong", None));
        assert!(!verify(None, "right", None));
    }

    #[test]
    fn a_wanted_certificate_is_compared_exactly() {
        let account = account(Some(certificate_digest(b"mine")));
        assert!(verify(Some(&account), "right", Some(b"mine")));
        assert!(!verify(Some(&account), "right", Some(b"mine too")));
        assert!(!verify(Some(&account), "right", None));
    }
}
