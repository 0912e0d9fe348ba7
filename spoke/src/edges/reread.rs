//! What the hub has signed, read anew from the archive of its packets (exchange §8, D10).

use exchange_format::{answer::RecordOutcome, file_name::FileName, record::Record};
use jiff::Timestamp;

use super::{
    SpokeError, packet_file,
    station::{Station, is_signed, new_key},
};
use crate::database::{
    book, links, publications, showing,
    write::{self, Scope},
};

/// Takes what is missing, older or forged from the archived packets of the current epoch, which the hub has
/// signed. A packet that cannot be read is passed over: it is told when it is looked for.
///
/// # Errors
/// The database.
pub(super) fn read_again(station: &mut Station, now: Timestamp) -> Result<(), SpokeError> {
    let (own, hub, keys) = (station.own(), station.hub(), station.hub_keys.clone());
    let Some(last) = book::in_stream(&station.connection, hub)?.machine.last else { return Ok(()) };
    let epoch = last.position.epoch;
    let files = book::received(&station.connection, hub, epoch, None)?;
    let paths: Vec<_> = files.iter().map(|file| station.file(&file.file)).collect();
    let (connection, desk) = packet_file::apart(station);
    write::write(connection, Scope::Everything, |transaction| {
        links::rebuild(transaction)?;
        for (file, path) in files.iter().zip(&paths).filter(|(file, _)| file.state == "APPLIED") {
            let Ok(name) = file.name.parse::<FileName>() else { continue };
            let Ok(mut verified) = desk.open(path, &name) else { continue };
            let Ok(mut checked) = verified.check_members() else { continue };
            let manifest = checked.manifest().clone();
            for member in &manifest.members {
                let Some(kind) = member.name.kind().and_then(|name| name.parse().ok()) else { continue };
                checked.for_each_line::<SpokeError>(&member.name, |line| {
                    let Ok(record) = Record::parse_line(kind, line) else { return Ok(()) };
                    let known = publications::find(transaction, record.kind, record.key)?;
                    let good = known.as_ref().is_some_and(|known| {
                        known.record == record && known.outcome != RecordOutcome::Refused
                            || known.record.version > record.version && is_signed(&keys, own, &known.record)
                    });
                    if !good && is_signed(&keys, own, &record) {
                        publications::replace(transaction, &record, &file.name, epoch)?;
                    }
                    Ok(())
                })?;
            }
        }
        showing::show_pending(transaction, now, &mut new_key)?;
        Ok::<_, SpokeError>(())
    })
}
