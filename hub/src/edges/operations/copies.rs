//! Copies of the database, and putting one back (exchange §7).

use std::path::Path;

use exchange_endpoint::{
    backup::Head, backup_told::Place, config::Config, output::Failure, watermark::Watermark,
};
use exchange_format::stream::{Evidence, Stop};
use jiff::Timestamp;

use crate::{
    database::{Store, Tx},
    edges::{
        config::{HubConfig, check},
        hub::{HubError, WATERMARK, open_store},
        intake::journal,
        older::{another_life, judge_watermark},
    },
};

/// Where the files of the hub lie.
pub fn place(config: &Config<HubConfig>) -> Result<Place, Failure> {
    let keys = config.path(&config.keys);
    Ok(Place {
        code: check(config)?.code,
        database: config.path(&config.database),
        watermark: keys.join(WATERMARK),
        keys,
        trust: config.path(&config.trust),
        mode: 0o600,
    })
}

/// Enters into the journal that the database was copied.
pub fn note(config: &Config<HubConfig>, head: &Head, actor: &str) -> Result<(), Failure> {
    let code = check(config)?.code;
    let digests = [head.sha256];
    open_store(config)?.write(|tx| {
        journal(tx, code, "backup.made", actor, "", &digests, head.made_at).map_err(Failure::from)
    })
}

/// Makes the copy in `path` ready to stand in the place of the database: a hub's of this version. If something was exchanged
/// since, or if there is no watermark to tell that by, its streams are stopped. Whether one is.
pub fn prepare(
    config: &Config<HubConfig>,
    path: &Path,
    watermark: Option<&Watermark>,
    now: Timestamp,
) -> Result<bool, Failure> {
    let code = check(config)?.code;
    let mut store = Store::open(path)?;
    store.keep_log()?;
    let stopped = store.write(|tx| {
        match watermark {
            Some(known) => judge_watermark(tx, known, code, now)?,
            None => stop_all(tx, now)?,
        }
        let mut stopped = tx.streams(code)?.outgoing.stop.is_some();
        for centre in tx.centres()? {
            let stop = tx.streams(centre.code)?.outgoing.stop;
            stopped |= stop.is_some();
            if stop == Some(Stop::Restored) {
                another_life(tx, centre.code)?;
            }
        }
        Ok::<_, HubError>(stopped)
    })?;
    store.close()?;
    Ok(stopped)
}

/// Nobody can tell what was exchanged since.
pub(in crate::edges) fn stop_all(tx: &Tx<'_>, now: Timestamp) -> Result<(), HubError> {
    tracing::error!("{}", Evidence::NoWatermark);
    for centre in tx.centres()?.into_iter().filter(|centre| centre.active) {
        let mut streams = tx.streams(centre.code)?;
        streams.outgoing.stop = Some(Stop::Restored);
        tx.set_streams(centre.code, &streams)?;
        tx.add_incident(centre.code, "RESTORED", None, &now.to_string())?;
    }
    Ok(())
}
