//! The register of people, carried out over the database: claims become persons, persons publications.
//! The rules are in `decisions`; here they meet the rows. Everything runs inside the caller's transaction.
//!
//! [`weighing`] how alike claims are · [`activation`] by which model · [`relink`] claims → persons · [`parting`] a person that is two · [`carried`] words about records that are withdrawn · [`signing`] what waits for a second signature · [`asking`] what staff are asked · [`documents`] programmes and supplements · [`numbers`] which of them has which number · [`republish`] persons → what each
//! centre is told · [`returned`] what comes back after a restore · [`drawn`] what staff draw up · [`inputs`] the hub's stream to itself.

mod activation;
mod asking;
mod carried;
mod documents;
mod drawn;
mod file;
mod inputs;
mod numbers;
mod parting;
mod relink;
mod republish;
mod returned;
mod signing;
mod weighing;

use std::collections::BTreeSet;

use exchange_format::{
    lists::Lists,
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Kind, RecordId},
};
use jiff::{
    Timestamp,
    civil::Date,
    tz::{self, TimeZone},
};

use crate::{
    database::{DatabaseError, Tx},
    decisions::case_number::{CaseNumberError, CaseNumbering},
};

pub use asking::STAFF;
pub use inputs::Input;
pub use relink::Settled;
pub use returned::{Returned, What};
pub use signing::{DECIDED, REFUSED, REPLACED, SEPARATED};
pub use weighing::Weighing;

/// Why the register could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Case numbers.
    #[error(transparent)]
    CaseNumber(#[from] CaseNumberError),
    /// The operating system gives no randomness.
    #[error("no randomness from the operating system: {0}")]
    Random(getrandom::Error),
}

/// The register within one transaction.
pub struct Register<'a> {
    /// The transaction.
    pub tx: &'a Tx<'a>,
    /// This hub.
    pub hub: ParticipantCode,
    /// How persons are numbered.
    pub numbering: &'a CaseNumbering,
    /// The highest serial of a case number known to be given, though this database may know less: it is put back from a copy.
    pub issued: u64,
    /// The region's lists.
    pub lists: &'a Lists,
    /// What tells them from others.
    pub lists_digest: &'a Digest,
    /// Whether two have to sign before two published persons become one.
    pub second_signature: bool,
    /// Who acts: an operator, or the hub's own code.
    pub actor: &'a str,
    /// The time of everything that is done.
    pub now: Timestamp,
}

/// The day that `now` is in the east of Russia, where it begins first (UTC+12): what is of today in any of its regions is not ahead.
/// It is no matter of the machine's zone, so that a hub that is made again decides alike.
pub fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::fixed(tz::offset(12))).date()
}

impl Register<'_> {
    /// The day.
    pub fn today(&self) -> Date {
        day(self.now)
    }

    /// The services of the directory that the lines of `body` name, a programme or supplement.
    pub fn directory(&self, body: &Body) -> Result<Vec<Body>, DatabaseError> {
        if !matches!(body.kind(), Kind::Programme | Kind::Supplement) {
            return Ok(Vec::new());
        }
        let codes: BTreeSet<&str> =
            body.lines().iter().filter_map(|line| line.text("service_code")).collect();
        let mut services = Vec::new();
        for code in codes {
            services.extend(self.tx.drawn_by_mark(Kind::Service, code)?.into_iter().map(|drawn| drawn.body));
        }
        services.retain(|service| service.text("valid_until").is_none());
        Ok(services)
    }

    /// The next case number, and its serial.
    fn next_number(&self) -> Result<(String, u64), RegisterError> {
        let serial = self.tx.last_serial()?.max(self.issued) + 1;
        Ok((self.numbering.number(serial)?, serial))
    }

    fn at(&self) -> String {
        self.now.to_string()
    }
}

/// A fresh random id.
pub fn new_id() -> Result<RecordId, RegisterError> {
    let mut bytes = [0; 16];
    exchange_endpoint::chance::fill(&mut bytes).map_err(RegisterError::Random)?;
    Ok(RecordId::from_random(bytes))
}

/// People whose publications may have changed.
pub type Affected = BTreeSet<RecordId>;
