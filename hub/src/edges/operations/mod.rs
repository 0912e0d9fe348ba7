//! What staff ask for: each a transaction of its own, beside the running daemon, which sees it at once.
//!
//! [`enrol`] a hub and its centres · [`merge`] the initial loads · [`people`] one person · [`reviews`] what
//! waits for staff · [`status`] how the exchange is.

pub mod enrol;
pub mod merge;
pub mod people;
pub mod review_table;
pub mod reviews;
pub mod status;

use exchange_endpoint::output::Failure;

use super::{hub::HubError, register::RegisterError};
use crate::database::DatabaseError;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// The hub.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// What was asked for cannot be done; the words are for the operator.
    #[error(transparent)]
    Told(#[from] Failure),
}

impl From<DatabaseError> for OperationError {
    fn from(error: DatabaseError) -> Self {
        Self::Hub(error.into())
    }
}

impl From<RegisterError> for OperationError {
    fn from(error: RegisterError) -> Self {
        Self::Hub(error.into())
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Hub(error) => error.into(),
            OperationError::Told(failure) => failure,
        }
    }
}

/// The account that acts: what the operating system says, as a token for journal and inputs.
pub fn operator() -> String {
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default();
    let token: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(*c))
        .take(60)
        .collect();
    if token.is_empty() { "operator".to_owned() } else { token }
}
