//! A hub made again out of its archive knows what the one knew whose archive it is.

use std::fs;

use exchange_endpoint::{clock::Clock as _, output::Failure};
use svod_hub::{
    database::{Store, content::Content},
    edges::rebuild::{Order, rebuild},
};

use super::{history::City, template::hub_code};

/// What differs; the hub of `city` is the new one after this.
pub fn check(city: &mut City) -> Vec<String> {
    city.hub.stop();
    look(city).unwrap_or_else(|failure| vec![format!("hub not rebuilt: {failure:?}")])
}

fn look(city: &City) -> Result<Vec<String>, Failure> {
    let (config, database) = (city.hub.config()?, city.hub.database());
    let mut store = Store::open(&database)?;
    let (before, stopped, left) = store.read(|tx| {
        let stopped = tx.streams(hub_code())?.outgoing.stop.is_some();
        Ok::<_, Failure>((tx.content()?, stopped, tx.has_changes()?))
    })?;
    store.close()?;
    if stopped {
        // put back from a copy, and waiting for a person: the archive knows more
        return Ok(Vec::new());
    }
    if left {
        return Ok(vec!["hub keeps from the archive what it has written".to_owned()]);
    }
    let aside = database.with_extension("db.lost");
    fs::rename(&database, aside).map_err(|error| Failure::bug(&error))?;
    let archive = config.path(&config.archive);
    let order = Order { from: &archive, archive_key: None, actor: "sim" };
    let rebuilt = rebuild(&config, order, city.hub.clock.now(), &mut |_, _, _| ())?;
    let mut broken = differences(&before, &rebuilt.content);
    if !rebuilt.stopped.is_empty() {
        broken.push(format!("hub rebuilt, and yet stopped with {}", rebuilt.stopped.len()));
    }
    Ok(broken)
}

fn differences(before: &Content, after: &Content) -> Vec<String> {
    let pairs = before.tables.iter().zip(&after.tables).filter(|(one, other)| one != other);
    pairs
        .map(|(one, other)| format!("hub rebuilt: {} differs ({} rows, {})", one.table, one.rows, other.rows))
        .collect()
}
