//! Copies of the database, and putting one back (exchange §7).

use std::path::Path;

use exchange_endpoint::{
    backup::Head,
    backup_told::Place,
    config::Config,
    watermark::{Stream, Watermark},
};
use exchange_format::stream::{self, Evidence};
use jiff::Timestamp;

use super::{
    SpokeError, answers,
    config::SpokeConfig,
    station::{self, WATERMARK, journal},
};
use crate::database::{
    self, book,
    write::{self, Scope},
};

/// Where the files of the centre lie.
pub fn place(config: &Config<SpokeConfig>) -> Place {
    let keys = config.path(&config.keys);
    Place {
        code: config.code,
        database: config.path(&config.database),
        watermark: keys.join(WATERMARK),
        keys,
        trust: config.path(&config.trust),
        mode: 0o660,
    }
}

/// Enters into the journal that the database was copied.
///
/// # Errors
/// The database.
pub fn note(config: &Config<SpokeConfig>, head: &Head) -> Result<(), SpokeError> {
    let mut connection = station::open_database(config)?;
    write::write(&mut connection, Scope::Book, |transaction| {
        journal(transaction, config.code, head.made_at, "backup.made", "", "", &[head.sha256])
    })
}

/// Makes the copy in `path` ready to stand in the place of the database: it must be this centre's. If something was exchanged
/// since, or if there is no watermark to tell that by, data are stopped in it. Whether they are.
///
/// # Errors
/// It is another's, or of another version.
pub fn prepare(
    config: &Config<SpokeConfig>,
    path: &Path,
    watermark: Option<&Watermark>,
    now: Timestamp,
) -> Result<bool, SpokeError> {
    let (own, hub) = (config.code, config.hub);
    let mut connection = station::open_copy(config, path)?;
    database::keep_log(&connection)?;
    let last = book::out_stream(&connection, hub)?.machine;
    let database = stream::Watermark {
        sealed: last.last.map(|mark| mark.position),
        applied: book::in_stream(&connection, hub)?.machine.last.map(|mark| mark.position),
    };
    let known = watermark.map(|known| stream::Watermark {
        sealed: known.get(hub, Stream::Sealed),
        applied: known.get(hub, Stream::Applied),
    });
    let evidence = match known {
        Some(known) => known.judge(&database),
        None => Some(Evidence::NoWatermark),
    };
    if let Some(evidence) = evidence {
        write::write(&mut connection, Scope::Book, |transaction| {
            answers::stop_restored(transaction, (own, hub), &evidence, now)?;
            // no epoch is opened twice
            let mut stream = book::out_stream(transaction, hub)?;
            known
                .and_then(|known| known.sealed)
                .into_iter()
                .for_each(|at| stream.machine.told_epoch(at.epoch));
            Ok::<_, SpokeError>(book::set_out_stream(transaction, hub, &stream)?)
        })?;
    }
    connection.close().map_err(|(_, error)| SpokeError::from(error))?;
    Ok(evidence.is_some() || last.stop.is_some())
}
