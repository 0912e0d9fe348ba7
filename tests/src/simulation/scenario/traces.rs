//! F: the shortest traces in which the first rules of the exchange broke.

use super::{
    Held, scenarios,
    town::{HEARTBEAT, ROUNDS, Town, ensure, same},
};

scenarios![
    f4_a_lost_protocol_comes_again_with_the_same_packet,
    f4_a_protocol_revised_before_it_was_placed_waits_for_nothing,
    f5_silence_hides_no_difference,
    f6_a_centre_put_back_is_told_though_nothing_is_sent,
    f6_what_waited_in_the_copy_and_was_sent_as_it_is_divides_nobody,
    f8_a_chain_that_breaks_behind_a_gap_is_named,
    f9_a_protocol_of_a_former_life_closes_nothing,
    f10_a_fork_is_answered_and_not_tried_for_ever,
    f11_a_snapshot_gets_past_the_gap_that_it_mends,
    f12_a_stream_that_has_not_begun_answers_who_was_put_back,
    f13_a_key_is_not_given_twice_in_two_lives,
    f19_a_packet_of_an_ended_epoch_is_answered,
    f21_a_database_behind_its_watermark_says_so_before_it_sends,
    f21_a_copy_put_back_with_its_watermark_beside_a_newer_log_says_so_before_it_sends,
    f21_a_copy_put_back_under_a_running_centre_is_told_of_before_it_sends,
    f21_a_copy_put_back_under_a_running_hub_is_told_of_before_it_sends,
    f21_both_ends_put_back_while_they_run_say_so,
];

/// How many packets are known to have come.
const KNOWN: &str = "SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'";

fn f4_a_lost_protocol_comes_again_with_the_same_packet(town: &mut Town) -> Held {
    town.settle()?;
    for lost in ["PR", "KV"] {
        town.stranger(1, lost, "Орлова")?;
        town.look(1)?;
        town.hub()?;
        town.take(1, "out", lost)?;
        town.fetch(1)?;
    }
    town.take(1, "out", "").ok();
    let open = "SELECT count(*) FROM svod_packet WHERE direction = 'out' AND kind = 'DT' AND state IN ('PLACED', 'RECEIVED')";
    town.centre_is(1, open, "1")?;
    // the same bytes again, until it comes
    town.pass(HEARTBEAT / 2);
    town.due(1)?;
    ensure(town.lies(1, "in")?.contains(&"DT(1,2)".to_owned()), "it is not placed again")?;
    town.rest()?;
    town.centre_is(1, open, "0")?;
    town.hub_is(KNOWN, "2")
}

fn f4_a_protocol_revised_before_it_was_placed_waits_for_nothing(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.merge()?;
    town.hub()?;
    town.sql(1, "UPDATE recipient SET workplace = 'Фабрика' WHERE id = 'r1'")?;
    town.rest()?;
    // as a hub leaves it that ends between the commit and the mailbox
    town.at_hub(
        "UPDATE packet SET state = 'SEALED' WHERE kind = 'PR' AND direction = 'out' AND state = 'PLACED'",
    )?;
    let told = town.city.hub.answer(&mut town.city.dice).map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", &told);
    town.rest()?;
    town.hub_is("SELECT count(*) FROM packet WHERE kind = 'PR' AND revision > 1", "1")?;
    town.hub_is("SELECT count(*) FROM packet WHERE kind = 'PR' AND state = 'SEALED'", "0")
}

fn f5_silence_hides_no_difference(town: &mut Town) -> Held {
    town.settle()?;
    let record = "origin = ? AND kind = 'recipient_claim'";
    town.hub_is(&format!("SELECT count(*) FROM received WHERE {record}"), "1")?;
    let lost = format!(
        "UPDATE received SET sha256 = '{}', version = version - 1 WHERE {record}; UPDATE stream SET received_digest = '{}' WHERE peer = ?",
        "a".repeat(64),
        "b".repeat(64)
    );
    let code = town.city.centres[0].code;
    town.at_hub(&lost.replace('?', &format!("'{code}'")))?;
    // nobody writes anything
    town.pass(HEARTBEAT);
    town.round()?;
    town.hub_told("DIVERGED")?;
    town.rest()?;
    // what was said of ranges is said until a packet has come that needs it no more
    town.pass(HEARTBEAT);
    town.round()?;
    town.rest()
}

fn f6_a_centre_put_back_is_told_though_nothing_is_sent(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.correct(&who, "Исправлено")?;
    town.rest()?;
    town.put_back(1, &copy)?;
    for _ in 0..2 {
        town.pass(HEARTBEAT);
        town.round()?;
    }
    town.told(1, "RESTORED")
}

fn f6_what_waited_in_the_copy_and_was_sent_as_it_is_divides_nobody(town: &mut Town) -> Held {
    town.settle()?;
    town.sql(
        1,
        "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', '1'), ('k2', 'r1', '2')",
    )?;
    town.send(1)?;
    // of three changes that wait nothing is sent yet
    town.sql(1, "UPDATE contract SET number = '1a' WHERE id = 'k1'; DELETE FROM contract WHERE id = 'k2'")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k3', 'r1', '3')")?;
    let copy = town.copy(1, false)?;
    town.rest()?;
    town.put_back(1, &copy)?;
    for _ in 0..2 {
        town.pass(HEARTBEAT);
        town.round()?;
    }
    town.told(1, "RESTORED")?;
    same("what resync shows", &town.shown_by_resync(1)?, "contract noted: 3")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    let rows = "SELECT group_concat(id || ' ' || number, ', ') FROM (SELECT * FROM contract ORDER BY id)";
    town.centre_is(1, rows, "k1 1a, k3 3")?;
    town.hub_is("SELECT count(*) FROM received WHERE kind = 'contract' AND form = 'live'", "2")
}

fn f8_a_chain_that_breaks_behind_a_gap_is_named(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.take(1, "in", "DT(1,2)")?;
    town.stranger(1, "r3", "Гусева")?;
    town.look(1)?;
    town.hub()?;
    town.hub_is(
        "SELECT state FROM packet WHERE direction = 'in' AND peer = ? AND seq = 3 AND kind = 'DT'",
        "HELD",
    )?;
    // what the hub asks for does not come
    town.take(1, "out", "").ok();
    town.put_back(1, &copy)?;
    town.stranger(1, "r2", "Лебедева")?;
    town.look(1)?;
    town.hub()?;
    town.hub_told("FORK")?;
    town.hub_is("SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Гусева%'", "0")
}

fn f9_a_protocol_of_a_former_life_closes_nothing(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.hub()?;
    let answers = town.take(1, "out", "")?;
    town.put_back(1, &copy)?;
    town.stranger(1, "r2", "Лебедева")?;
    town.look(1)?;
    town.give(&answers)?;
    town.fetch(1)?;
    town.told(1, "RESTORED")?;
    let closed = "SELECT count(*) FROM svod_packet WHERE direction = 'out' AND kind = 'DT' AND epoch = 1 AND seq = 2 AND state LIKE 'APPLIED%'";
    town.centre_is(1, closed, "0")
}

fn f10_a_fork_is_answered_and_not_tried_for_ever(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    town.hub()?;
    town.take(1, "out", "")?;
    town.put_back(1, &copy)?;
    town.stranger(1, "r2", "Лебедева")?;
    town.look(1)?;
    town.hub()?;
    town.hub_told("FORK")?;
    town.fetch(1)?;
    town.told(1, "RESTORED")?;
    for _ in 0..3 {
        town.pass(HEARTBEAT);
        town.due(1)?;
        ensure(!town.lies(1, "in")?.iter().any(|name| name.starts_with("DT")), "it is tried again")?;
    }
    Ok(())
}

fn f11_a_snapshot_gets_past_the_gap_that_it_mends(town: &mut Town) -> Held {
    town.settle()?;
    for (id, surname) in [("r2", "Орлова"), ("r3", "Гусева")] {
        town.stranger(1, id, surname)?;
        town.look(1)?;
    }
    town.take(1, "in", "DT(1,2)")?;
    town.lose_spool(1, "DT(1,2)")?;
    town.hub()?;
    town.pass(HEARTBEAT);
    town.rest()?;
    town.hub_is("SELECT in_epoch || '/' || in_seq FROM stream WHERE peer = ?", "2/1")?;
    town.hub_is(KNOWN, "1")?;
    town.hub_is("SELECT count(*) FROM packet WHERE state = 'HELD'", "0")
}

fn f12_a_stream_that_has_not_begun_answers_who_was_put_back(town: &mut Town) -> Held {
    let empty = town.copy(1, false)?;
    town.person(1, "r1", "Завод")?;
    town.look(1)?;
    town.put_back(1, &empty)?;
    town.due(1)?;
    for _ in 0..2 {
        town.pass(HEARTBEAT);
        town.round()?;
    }
    town.told(1, "RESTORED")?;
    town.city.recover(super::town::ROUNDS)?;
    town.centre_is(1, "SELECT count(*) FROM svod_stream WHERE stop IS NOT NULL", "0")?;
    town.centre_is(1, "SELECT count(*) FROM recipient", "1")
}

fn f13_a_key_is_not_given_twice_in_two_lives(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    let key = "SELECT key FROM svod_record WHERE kind = 'recipient' AND id = 'r2'";
    town.stranger(1, "r2", "Орлова")?;
    town.send(1)?;
    let first = town.centre(1, key)?;
    town.put_back(1, &copy)?;
    town.stranger(1, "r2", "Лебедева")?;
    ensure(town.centre(1, key)? != first, "two people have one key")?;
    town.pass(HEARTBEAT);
    town.round()?;
    town.hub_is(
        &format!(
            "SELECT count(*) FROM received WHERE key = '{first}' AND CAST(body AS TEXT) LIKE '%Орлова%'"
        ),
        "1",
    )
}

fn f19_a_packet_of_an_ended_epoch_is_answered(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    let late = town.take(1, "in", "DT(1,2)")?;
    town.lose_spool(1, "DT(1,2)")?;
    town.pass(HEARTBEAT);
    town.rest()?;
    town.give(&late)?;
    town.hub()?;
    town.hub_told("STALE_EPOCH")?;
    ensure(town.lies(1, "out")?.contains(&"PR(1,2)".to_owned()), "it is not answered")?;
    // an older epoch proves nothing
    town.fetch(1)?;
    town.centre_is(1, "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED'", "0")?;
    town.hub_is(KNOWN, "1")?;
    town.rest()
}

fn f21_a_database_behind_its_watermark_says_so_before_it_sends(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, false)?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.put_back(1, &copy)?;
    town.stranger(1, "r2", "Лебедева")?;
    town.look(1)?;
    town.told(1, "RESTORED")?;
    ensure(!town.lies(1, "in")?.iter().any(|name| name.starts_with("DT")), "it sends")
}

fn f21_a_copy_put_back_with_its_watermark_beside_a_newer_log_says_so_before_it_sends(
    town: &mut Town,
) -> Held {
    town.settle()?;
    let copy = town.copy(1, true)?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    // SQLite lays the pages of the log over the copy: here that of the streams alone
    let stream = town.centre(
        1,
        "SELECT 'UPDATE svod_stream SET seq = ' || seq || ', digest = ' || quote(digest) || ', state_digest = ' || \
         quote(state_digest) || ', kept_digest = ' || quote(kept_digest) || ' WHERE direction = ''out''' FROM svod_stream \
         WHERE direction = 'out'",
    )?;
    town.put_back(1, &copy)?;
    town.past_the_guards(1, &stream)?;
    town.stranger(1, "r3", "Лебедева")?;
    town.look(1)?;
    town.told(1, "RESTORED")?;
    ensure(!town.lies(1, "in")?.iter().any(|name| name.starts_with("DT")), "it sends")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, "SELECT count(*) FROM recipient WHERE surname = 'Орлова'", "1")?;
    town.hub_is(KNOWN, "1")
}

fn f21_a_copy_put_back_under_a_running_centre_is_told_of_before_it_sends(town: &mut Town) -> Held {
    town.settle()?;
    for (n, in_place) in [(1, true), (2, false)] {
        let copy = town.copy(n, false)?;
        town.stranger(n, "r2", "Орлова")?;
        town.rest()?;
        town.put_back_beside(n, &copy, in_place)?;
        town.stranger(n, "r3", "Лебедева")?;
        town.look(n)?;
        town.told(n, "RESTORED")?;
        ensure(!town.lies(n, "in")?.iter().any(|name| name.starts_with("DT")), "it sends")?;
    }
    Ok(())
}

fn f21_a_copy_put_back_under_a_running_hub_is_told_of_before_it_sends(town: &mut Town) -> Held {
    town.settle()?;
    for in_place in [true, false] {
        let copy = town.copy_hub()?;
        let who = town.hub_says("SELECT case_number FROM person WHERE merged_into IS NULL LIMIT 1")?;
        town.confirm(&who, 1)?;
        town.correct(&who, &format!("Исправлено {in_place}"))?;
        town.rest()?;
        town.put_hub_back_beside(&copy, in_place)?;
        if !in_place {
            // staff who open a database in the moment after a rename get it with the log of the former one
            town.hub()?;
        }
        town.correct(&who, &format!("Иначе {in_place}"))?;
        town.hub()?;
        town.hub_told("RESTORED")?;
        ensure(!town.lies(1, "out")?.iter().any(|name| name.starts_with("DT")), "it sends")?;
        town.city.recover(ROUNDS)?;
        town.rest()?;
    }
    Ok(())
}

fn f21_both_ends_put_back_while_they_run_say_so(town: &mut Town) -> Held {
    town.settle()?;
    let (copy, of_hub) = (town.copy(1, false)?, town.copy_hub()?);
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.put_back_beside(1, &copy, true)?;
    town.put_hub_back_beside(&of_hub, true)?;
    town.stranger(1, "r3", "Лебедева")?;
    town.look(1)?;
    town.hub()?;
    town.told(1, "RESTORED")?;
    town.hub_told("RESTORED")?;
    // the centre has recovered before it hears of the hub's new epoch
    town.pass(HEARTBEAT);
    town.city.until_rest(ROUNDS)?;
    town.city.resync()?;
    town.look(1)?;
    town.stranger(1, "r4", "Соколова")?;
    town.look(1)?;
    let waits = "SELECT count(*) FROM svod_change WHERE kind = 'recipient'";
    town.centre_is(1, waits, "0")?;
    let stopped = "SELECT count(*) FROM svod_incident WHERE code = 'RESTORED' AND closed_at IS NULL";
    town.centre_is(1, stopped, "0")
}
