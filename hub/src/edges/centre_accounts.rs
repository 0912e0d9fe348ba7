//! The logins of the FTPS server, read from hub.db.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use exchange_format::participant::ParticipantCode;

use super::ftps_server::{Account, Accounts, Binding};
use crate::database::{Store, centres::ClientCertificate};

/// The logins of the FTPS server, read from hub.db at each login.
pub(super) struct CentreAccounts {
    /// hub.db, by a connection of its own.
    pub store: Mutex<Store>,
    /// The folders of the centres.
    pub ftp: PathBuf,
    /// Their quarantines.
    pub quarantine: PathBuf,
    /// Whether every centre needs a client certificate.
    pub required: bool,
    /// Centres whose data connections resume nothing.
    pub without_resumption: Vec<String>,
}

impl Accounts for CentreAccounts {
    fn account(&self, login: &str) -> Option<Account> {
        let code: ParticipantCode = login.parse().ok()?;
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let centre = store
            .follow_file()
            .and_then(|_| store.read(|tx| tx.centre(code)))
            .inspect_err(|error| tracing::error!("the centres could not be read: {error}"))
            .ok()??;
        centre.active.then(|| Account {
            centre: centre.code.to_string(),
            password_hash: centre.password,
            home: self.ftp.join(centre.code.as_str()),
            quarantine: self.quarantine.join(centre.code.as_str()),
            client_certificate: centre.certificate.digest().map(|digest| *digest.as_bytes()),
            certificate_required: self.required || centre.certificate == ClientCertificate::Revoked,
            binding: if self.without_resumption.iter().any(|one| one == code.as_str()) {
                Binding::SameAddress
            } else {
                Binding::ResumedSession
            },
        })
    }
}
