//! S: packets and answers, and those who send them.

use super::{
    super::{centre::Turn, mishap::Mishap},
    Held, scenarios,
    town::{HEARTBEAT, ROUNDS, Town, ensure},
};

scenarios![
    s2_what_the_spool_has_lost_is_told_anew_in_another_epoch,
    s3_a_file_that_proves_nothing_gets_no_answer_and_leaves_its_name,
    s4_a_request_whose_snapshot_was_superseded_is_honoured_anew,
    s4_a_request_that_was_answered_in_another_life_is_asked_anew,
    s8_a_machine_that_runs_twice_is_noticed,
    s8_machines_that_recover_by_turns_are_told_of,
    s9_a_hub_that_ends_anywhere_has_applied_all_or_nothing,
    s9_a_centre_that_ends_anywhere_has_applied_all_or_nothing,
    s10_what_was_placed_and_not_noted_is_placed_once,
    s12_what_had_its_receipt_before_a_revocation_counts_and_nothing_later,
    s12_who_comes_again_is_told_what_there_is_though_nothing_changes,
];

fn s2_what_the_spool_has_lost_is_told_anew_in_another_epoch(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.take(1, "in", "DT")?;
    town.lose_spool(1, "DT")?;
    town.pass(HEARTBEAT);
    town.rest()?;
    town.hub_is("SELECT in_epoch FROM stream WHERE peer = ?", "2")?;
    town.hub_is("SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'", "1")
}

fn s3_a_file_that_proves_nothing_gets_no_answer_and_leaves_its_name(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    let genuine = town.take(1, "in", "DT")?;
    let false_one =
        genuine.iter().map(|(path, bytes)| (path.clone(), bytes.iter().rev().copied().collect())).collect();
    town.give(&false_one)?;
    town.hub()?;
    ensure(town.lies(1, "in")?.is_empty(), "the name is taken")?;
    ensure(town.lies(1, "out")?.is_empty(), "a stranger is answered")?;
    town.hub_is("SELECT count(*) FROM packet WHERE direction = 'in' AND state = 'QUARANTINED'", "1")?;
    town.give(&genuine)?;
    town.hub()?;
    town.hub_is("SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'", "1")?;
    town.rest()
}

fn s8_a_machine_that_runs_twice_is_noticed(town: &mut Town) -> Held {
    town.settle()?;
    town.city.clone_machine(0)?;
    town.stranger(1, "r2", "Орлова")?;
    town.send(1)?;
    let twin = "INSERT INTO recipient (id, surname) VALUES ('r2', 'Гусева')";
    town.city.at_twin(0, twin).map_err(|error| error.to_string())?;
    for _ in 0..3 {
        town.round()?;
        town.pass(HEARTBEAT);
    }
    // it learns of it from what the hub has of the other, or when the hub refuses what it sends
    let at_hub =
        "SELECT count(*) FROM incident WHERE peer = ? AND code IN ('FORK', 'CLONE', 'PEER_RESTORED')";
    let (knows, told) = (town.twin_knows(1)?, town.hub_says(at_hub)?);
    town.city.trace.tell("c1", &format!("knows: {knows}, told at the hub: {told}"));
    ensure(
        knows,
        "the machine that has not sent what the hub has does not know that something is wrong with it",
    )
}

fn s8_machines_that_recover_by_turns_are_told_of(town: &mut Town) -> Held {
    town.settle()?;
    town.city.clone_machine(0)?;
    // each of the two is let go on whenever it has stopped
    town.city.recover_by_turns(super::town::ROUNDS)?;
    town.hub_told("CLONE")?;
    town.city.recover(super::town::ROUNDS)?;
    let told = "SELECT count(*) FROM incident WHERE peer = ? AND code = 'CLONE' AND closed_at IS NULL";
    town.hub_is(told, "1")?;
    town.pass(7 * 24 * 3_600_000);
    town.stranger(1, "r9", "Орлова")?;
    town.rest()?;
    town.hub_is(told, "0")
}

fn s9_a_hub_that_ends_anywhere_has_applied_all_or_nothing(town: &mut Town) -> Held {
    town.settle()?;
    for step in 1..=9 {
        for mishap in [Mishap::EndBefore(step), Mishap::EndAfter(step), Mishap::Full(step)] {
            let name =
                format!("Зуева{step}{}", format!("{mishap:?}").to_lowercase().replace(['(', ')'], "-"));
            town.stranger(1, &name, &name)?;
            town.sql(1, &format!("INSERT INTO contact (id, recipient_id, type, value) VALUES ('{name}', '{name}', 'phone', '+7 900')"))?;
            town.look(1)?;
            town.hub_under(mishap)?;
            let records = town.hub_says(&format!(
                "SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%{name}<%'"
            ))?;
            let claims =
                town.hub_says("SELECT count(*) FROM received WHERE kind = 'recipient_claim' AND origin = ?")?;
            let contacts =
                town.hub_says("SELECT count(*) FROM received WHERE kind = 'contact' AND origin = ?")?;
            let applied = town.hub_says("SELECT count(*) FROM journal WHERE event = 'packet.applied'")?;
            ensure(
                records != "0" || !town.lies(1, "in")?.is_empty(),
                &format!("deleted and not applied: {mishap:?}"),
            )?;
            let whole = claims.parse::<u32>().ok() == contacts.parse::<u32>().ok().map(|n| n + 1);
            ensure(whole, &format!("half a packet is applied: {mishap:?} {claims} {contacts} {applied}"))?;
            town.hub()?;
            town.fetch(1)?;
        }
    }
    town.rest()?;
    town.hub_is("SELECT count(*) FROM received WHERE kind = 'contact'", "27")
}

fn s9_a_centre_that_ends_anywhere_has_applied_all_or_nothing(town: &mut Town) -> Held {
    town.settle()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.rest()?;
    for step in 1..=9 {
        for mishap in [Mishap::EndBefore(step), Mishap::EndAfter(step), Mishap::Full(step)] {
            let value = format!("{step} {mishap:?}");
            town.correct(&who, &value)?;
            town.hub()?;
            town.under(1, Turn::Fetch, mishap)?;
            // the row shows what stands in the book, and the book what was applied
            let shown = town.centre(1, "SELECT workplace FROM recipient WHERE id = 'r1'")?;
            let booked = "SELECT count(*) FROM svod_publication WHERE kind = 'person' AND instr(CAST(bytes AS TEXT), '{}')";
            town.centre_is(1, &booked.replace("{}", &format!(">{shown}<")), "1")?;
            town.hub()?;
            town.fetch(1)?;
        }
    }
    town.pass(HEARTBEAT);
    town.rest()?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "9 Full(9)")
}

fn s10_what_was_placed_and_not_noted_is_placed_once(town: &mut Town) -> Held {
    town.settle()?;
    let mut placed = 0;
    for step in 1..=16 {
        town.stranger(1, &format!("n{step}"), &format!("Зуева{step}"))?;
        town.under(1, Turn::Look, Mishap::EndAfter(step))?;
        let sealed = town.centre(
            1,
            "SELECT count(*) FROM svod_packet WHERE direction = 'out' AND state = 'SEALED' AND kind = 'DT'",
        )?;
        let there = town.lies(1, "in")?;
        placed += u32::from(sealed != "0" && there.iter().any(|name| name.starts_with("DT")));
        town.pass(60_000);
        town.due(1)?;
        let again = town.lies(1, "in")?;
        ensure(there.iter().all(|name| again.contains(name)), "what was placed is gone")?;
        town.hub()?;
        town.fetch(1)?;
    }
    ensure(placed > 0, "it never ended between placing and noting")?;
    town.rest()
}

fn s12_what_had_its_receipt_before_a_revocation_counts_and_nothing_later(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.hub()?;
    town.stranger(1, "r3", "Гусева")?;
    town.look(1)?;
    town.city.shut_out(0)?;
    ensure(town.lies(1, "out")?.is_empty(), "there is something for it in its folder")?;
    town.pass(HEARTBEAT);
    town.hub()?;
    town.due(1)?;
    town.hub()?;
    ensure(town.lies(1, "out")?.is_empty(), "it is answered")?;
    let had = "SELECT group_concat(CASE WHEN CAST(body AS TEXT) LIKE '%Орлова%' THEN 'Орлова' WHEN CAST(body AS TEXT) LIKE \
         '%Гусева%' THEN 'Гусева' END) FROM received WHERE origin = ?";
    town.hub_is(had, "Орлова")?;
    town.rest()
}

fn s12_who_comes_again_is_told_what_there_is_though_nothing_changes(town: &mut Town) -> Held {
    town.settle()?;
    town.city.shut_out(0)?;
    town.city.come_again(0)?;
    // it is told before it says anything itself
    town.hub()?;
    town.fetch(1)?;
    town.rest()?;
    town.pass(HEARTBEAT);
    town.round()?;
    town.rest()?;
    let had = town.hub_says("SELECT count(*) FROM publication WHERE centre = ? AND version > 0")?;
    ensure(had != "0", "nothing was ever published to it")?;
    town.centre_is(1, "SELECT count(*) FROM svod_publication", &had)?;
    // its first own packet bears a number of the former machine's: it is no machine that was put back
    town.stranger(1, "r9", "Ильина")?;
    town.rest()?;
    town.centre_is(1, "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED'", "0")?;
    town.hub_is(
        "SELECT count(*) FROM received WHERE origin = ? AND body LIKE '%Ильина%' AND in_digest = 1",
        "1",
    )
}

fn s4_a_request_whose_snapshot_was_superseded_is_honoured_anew(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy_hub()?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    let mut asked = Vec::new();
    for _ in 0..2 {
        // the centre does not run; what the first life has asked for still lies there when the second asks
        town.put_hub_back(&copy)?;
        town.hub()?;
        town.hub()?;
        asked.push(town.take(1, "out", "RQ")?);
    }
    town.give(&asked[1])?;
    town.fetch(1)?;
    // the older one has its answer before that of the newer one is there
    town.take(1, "in", "SN")?;
    town.give(&asked[0])?;
    town.fetch(1)?;
    town.city.recover(ROUNDS)?;
    town.hub_is("SELECT count(*) FROM stream WHERE stop IS NOT NULL", "0")?;
    town.rest()
}

fn s4_a_request_that_was_answered_in_another_life_is_asked_anew(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy_hub()?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.put_hub_back(&copy)?;
    town.hub()?;
    town.hub()?;
    // copied again while it waits for what it has asked, which comes
    let copy = town.copy_hub()?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.stranger(1, "r3", "Гусева")?;
    town.rest()?;
    town.put_hub_back(&copy)?;
    town.hub()?;
    for _ in 0..12 {
        town.pass(HEARTBEAT);
        town.round()?;
    }
    town.city.recover(ROUNDS)?;
    town.hub_is("SELECT count(*) FROM stream WHERE stop IS NOT NULL", "0")?;
    town.hub_is(
        "SELECT count(*) FROM received WHERE origin = ? AND body LIKE '%Гусева%' AND in_digest = 1",
        "1",
    )?;
    town.rest()
}
