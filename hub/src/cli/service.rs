//! `service confirm`.

use clap::Subcommand;
use exchange_endpoint::output::{CommonArgs, Failure};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;

use super::{config, person::said, reason};
use crate::edges::operations::{operator, people};

/// What can be said of who serves whom.
#[derive(Debug, Subcommand)]
pub enum Service {
    /// Confirm that a centre serves a person. Until then it gets back only its own values and the numbers issued
    Confirm {
        /// The centre's code
        centre: ParticipantCode,
        /// uid or case number
        person: String,
        /// Why; kept for ever, for this discloses what other centres said
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
}

impl Service {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        let Self::Confirm { centre, person, reason } = self;
        let done =
            people::confirm(&config(common)?, *centre, person, (&operator(), reason), Timestamp::now())?;
        common.print(&done, |lang| said(lang, &done))
    }
}
