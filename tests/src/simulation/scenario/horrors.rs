//! What the users of such exchanges suffer from most, each by its name. The lost receipt, the restore and the machine that runs
//! twice stand among the marks.

use exchange_endpoint::{clock::Clock, overdue};
use svod_hub::edges::operations::status;
use svod_spoke::database::overdue::waits_for;

use super::{
    Held, scenarios,
    town::{HEARTBEAT, Taken, Town, ensure},
};

scenarios![
    horror_files_that_vanish_in_retry_loops_come_through,
    horror_a_part_of_a_file_is_never_taken_for_whole,
    horror_one_bad_row_blocks_no_channel,
    horror_what_is_stuck_is_told_with_its_step,
];

/// How many records name Орлова at the hub.
const KNOWN: &str = "SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'";

fn horror_files_that_vanish_in_retry_loops_come_through(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    for _ in 0..5 {
        town.take(1, "in", "DT(1,2)")?;
        town.pass(HEARTBEAT);
        town.due(1)?;
    }
    town.hub()?;
    town.hub_is(KNOWN, "1")?;
    for _ in 0..5 {
        town.take(1, "out", "PR(1,2)")?;
        town.pass(HEARTBEAT);
        town.due(1)?;
        town.hub()?;
    }
    town.rest()?;
    town.centre_is(
        1,
        "SELECT state FROM svod_packet WHERE direction = 'out' AND kind = 'DT' AND seq = 2",
        "APPLIED",
    )?;
    town.hub_is("SELECT count(*) FROM packet WHERE state = 'QUARANTINED'", "0")?;
    town.hub_is(KNOWN, "1")
}

/// The first half of each file.
fn halves(files: &Taken) -> Taken {
    files.iter().map(|(path, bytes)| (path.clone(), bytes[..bytes.len() / 2].to_vec())).collect()
}

/// The same under the name that an upload has until it is whole.
fn as_uploads(files: &Taken) -> Taken {
    let part = |path: &std::path::Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{name}.5f3a.part"))
    };
    files.iter().map(|(path, bytes)| (part(path), bytes.clone())).collect()
}

fn horror_a_part_of_a_file_is_never_taken_for_whole(town: &mut Town) -> Held {
    town.settle()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.rest()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    let sent = town.take(1, "in", "DT")?;
    // one is still on its way, then one has the name and half of the bytes
    for half in [as_uploads(&halves(&sent)), halves(&sent)] {
        town.give(&half)?;
        town.hub()?;
        town.hub_is(KNOWN, "0")?;
    }
    town.hub_is("SELECT count(*) FROM packet WHERE direction = 'in' AND state = 'QUARANTINED'", "1")?;
    town.give(&sent)?;
    town.hub()?;
    town.hub_is(KNOWN, "1")?;
    // and the other way
    town.rest()?;
    town.correct(&who, "Исправлено")?;
    town.hub()?;
    let told = town.take(1, "out", "DT")?;
    let before = town.centre(1, "SELECT workplace FROM recipient WHERE id = 'r1'")?;
    for half in [as_uploads(&halves(&told)), halves(&told)] {
        town.give(&half)?;
        town.fetch(1)?;
        town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", &before)?;
    }
    town.give(&told)?;
    town.pass(120_000);
    town.fetch(1)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Исправлено")?;
    town.rest()
}

fn horror_one_bad_row_blocks_no_channel(town: &mut Town) -> Held {
    town.settle()?;
    town.sql(1, "INSERT INTO recipient (id, surname) VALUES ('bad', CAST(x'C8E22D31' AS TEXT))")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('kb', 'bad', 'плохой')")?;
    town.stranger(1, "r2", "Орлова")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', 'хороший')")?;
    town.rest()?;
    let contract = |number| {
        format!(
            "SELECT count(*) FROM received WHERE kind = 'contract' AND CAST(body AS TEXT) LIKE '%{number}%'"
        )
    };
    town.hub_is(KNOWN, "1")?;
    town.hub_is(&contract("хороший"), "1")?;
    let told = "SELECT count(*) FROM svod_change WHERE kind = 'recipient' AND problem IS NOT NULL";
    town.centre_is(1, told, "1")?;
    town.sql(1, "UPDATE recipient SET surname = 'Хорошева' WHERE id = 'bad'")?;
    town.rest()?;
    town.centre_is(1, told, "0")?;
    town.hub_is(&contract("плохой"), "1")?;
    town.hub_is("SELECT count(*) FROM received WHERE outcome IN ('held', 'refused')", "0")
}

/// What `status` of the first centre says is late.
fn late(town: &Town) -> Result<Vec<&'static str>, String> {
    let config = town.city.centres[0].config().map_err(|error| format!("{error:?}"))?;
    let now = town.city.centres[0].clock.now();
    let waiting = waits_for(town.city.clerks[0].connection(), config.hub, (false, false), now);
    let waiting = waiting.map_err(|error| error.to_string())?;
    let late = overdue::overdue(config.hub.as_str(), waiting, now, &config.exchange.timing());
    Ok(late.iter().map(|one| one.what).collect())
}

/// What `status` of the hub says is late.
fn late_at_hub(town: &Town) -> Result<Vec<&'static str>, String> {
    let config = town.city.hub.config().map_err(|error| format!("{error:?}"))?;
    let told = status::status(&config, town.city.hub.clock.now()).map_err(|error| format!("{error:?}"))?;
    Ok(told.overdue.iter().map(|one| one.what).collect())
}

fn horror_what_is_stuck_is_told_with_its_step(town: &mut Town) -> Held {
    town.settle()?;
    ensure(late(town)?.is_empty() && late_at_hub(town)?.is_empty(), "something is late at rest")?;
    // the hub is away: what the centre has placed has no receipt
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.pass(2 * HEARTBEAT);
    ensure(late(town)?.contains(&"receipt"), &format!("no receipt is late: {:?}", late(town)?))?;
    // the next step is the hub's: its `status` says that the program does not run
    let told = late_at_hub(town)?;
    ensure(told.contains(&"stopped"), &format!("that it does not run is not told of: {told:?}"))?;
    town.rest()?;
    town.pass(1_000);
    town.rest()?;
    ensure(late(town)?.is_empty() && late_at_hub(town)?.is_empty(), "it is told of for ever")
}
