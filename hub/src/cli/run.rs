//! `run`: the daemon.

use exchange_endpoint::{
    instance, logging,
    output::{CommonArgs, Failure},
};
use jiff::Timestamp;

use super::config;
use crate::edges::{event_loop, hub};

pub(super) fn run(common: &CommonArgs) -> Result<(), Failure> {
    let config = config(common)?;
    let open = || {
        let hub = hub::open(&config)?;
        let file = config.path(&config.log.file);
        let to_file = !config.log.file.as_os_str().is_empty();
        logging::start(&config.log.filter, to_file.then_some(file.as_path()))?;
        Ok(hub)
    };
    let database = config.path(&config.database);
    let hub = open().inspect_err(|failure| instance::keep_failure(&database, failure, Timestamp::now()))?;
    event_loop::run(hub, &config)
}
