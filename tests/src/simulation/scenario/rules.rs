//! What the rules say of whole programs, and no mishap alone shows: rebuild, mirrors, orphans, doubt, keys, journals, recoveries.

use svod_hub::edges::{
    operations::{split, status},
    resync,
};

use super::{
    super::{fate::Fate, rebuilt, template::centre_code},
    Held, scenarios,
    town::{HEARTBEAT, ROUNDS, Town, ensure, same},
};

scenarios![
    d1_the_archive_makes_the_hub_again,
    d4_a_requested_snapshot_shows_the_asker_its_own,
    d6_what_a_snapshot_does_not_name_is_kept_and_listed,
    d7_what_is_not_stated_erases_nothing,
    d8_what_the_program_writes_is_no_edit_and_what_points_stays,
    d9_an_older_version_is_not_applied,
    d10_a_person_stays_who_it_is_though_neither_row_nor_packet_is_left,
    w2_parted_again_each_side_has_its_own,
    w3_doubt_refuses_nothing_and_publishes_nothing,
    s1_what_is_held_is_in_the_sum_too,
    s5_what_comes_before_its_ky_waits_and_counts,
    s6_another_envelope_is_the_same_packet,
    s11_a_journal_that_was_cut_is_found,
    s11_an_entry_of_the_hubs_journal_that_was_altered_is_found,
    f14_both_ends_put_back_serve_each_others_request,
    f21_what_neither_end_knows_any_more_is_listed_at_both,
    f15_a_snapshot_carries_what_was_decided_on_proposals,
    f16_a_closed_epoch_takes_nothing_more,
    f17_parts_of_two_lives_are_never_mixed,
];

/// How many records name Орлова at the hub.
const KNOWN: &str = "SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'";

/// The claims of the first centre.
const CLAIMS: &str = "SELECT count(*) FROM received WHERE origin = ? AND kind = 'recipient_claim'";

/// Time enough that whoever was put back has heard of it.
fn heard(town: &mut Town) -> Held {
    for _ in 0..2 {
        town.pass(HEARTBEAT);
        town.round()?;
    }
    Ok(())
}

fn d1_the_archive_makes_the_hub_again(town: &mut Town) -> Held {
    town.settle()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.correct(&who, "Исправлено")?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    let broken = rebuilt::check(&mut town.city);
    ensure(broken.is_empty(), &broken.join("; "))?;
    town.rest()?;
    town.hub_is(KNOWN, "1")?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Исправлено")
}

fn d4_a_requested_snapshot_shows_the_asker_its_own(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, false)?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', '1')")?;
    town.rest()?;
    town.put_back(1, &copy)?;
    heard(town)?;
    town.told(1, "RESTORED")?;
    same("what resync shows", &town.shown_by_resync(1)?, "contract back: 1")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, "SELECT group_concat(number) FROM contract", "1")
}

fn d6_what_a_snapshot_does_not_name_is_kept_and_listed(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.city.shut_out(0)?;
    town.city.come_again(0)?;
    // the new machine's first snapshot names nothing of the former
    town.stranger(1, "r9", "Ильина")?;
    town.rest()?;
    town.hub_is(&format!("{KNOWN} AND form = 'live' AND NOT in_digest"), "1")?;
    let config = town.city.hub.config().map_err(|error| format!("{error:?}"))?;
    let kept = status::kept(&config).map_err(|error| format!("{error:?}"))?;
    ensure(!kept.is_empty(), "nobody is told of what is kept apart")
}

fn d7_what_is_not_stated_erases_nothing(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.sql(
        2,
        "INSERT INTO recipient (id, surname, given, patronymic, birth_date, snils) VALUES ('r1', 'Белова', 'Анна', \
         'Ильинична', '03.05.1941', '112-233-445 95')",
    )?;
    town.merge()?;
    town.rest()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 2)?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM received WHERE CAST(body AS TEXT) LIKE '%workplace%'", "1")?;
    for n in [1, 2] {
        town.centre_is(n, "SELECT workplace FROM recipient WHERE id = 'r1'", "Завод")?;
    }
    Ok(())
}

/// Staff take the claim of the first centre out of the one person that there is.
fn part(town: &mut Town) -> Held {
    let who = town.hub_says("SELECT case_number FROM person")?;
    let key = town.hub_says("SELECT key FROM received WHERE origin = ? AND kind = 'recipient_claim'")?;
    let claim = (centre_code(1), key.parse().map_err(|_| "a key that is none")?);
    let config = town.city.hub.config().map_err(|error| format!("{error:?}"))?;
    let now = exchange_endpoint::clock::Clock::now(town.city.hub.clock.as_ref());
    split::split(&config, &who, &[claim], ("sim", "сёстры"), now).map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", "parts the person");
    Ok(())
}

fn d8_what_the_program_writes_is_no_edit_and_what_points_stays(town: &mut Town) -> Held {
    town.settle()?;
    let sent = "SELECT sum(version) FROM svod_sent WHERE kind = 'recipient_claim'";
    let before = town.centre(1, sent)?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', '1')")?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.correct(&who, "Исправлено")?;
    town.rest()?;
    // the person of the row is another one now, and the former one goes from here
    part(town)?;
    town.rest()?;
    town.centre_is(1, sent, &before)?;
    town.centre_is(1, "SELECT count(*) FROM svod_change", "0")?;
    let points =
        "SELECT count(*) FROM contract c JOIN recipient r ON r.id = c.recipient_id WHERE c.id = 'k1'";
    town.centre_is(1, points, "1")
}

fn d9_an_older_version_is_not_applied(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    // nobody has found out yet that the hub does not know any more what it has published
    town.at_hub(&format!("DELETE FROM publication WHERE kind = 'person' AND centre = '{}'", centre_code(1)))?;
    town.believe_hub(1)?;
    town.correct(&who, "Иначе")?;
    town.hub()?;
    town.hub()?;
    town.city.hub_fate = Fate::Restored;
    town.fetch(1)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Исправлено")?;
    town.hub()?;
    town.hub_told("RESTORED")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Иначе")
}

fn w2_parted_again_each_side_has_its_own(town: &mut Town) -> Held {
    town.settle()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    for n in [1, 2] {
        town.confirm(&who, n)?;
    }
    town.rest()?;
    let workplace = "SELECT workplace FROM recipient WHERE id = 'r1'";
    same("what both are told", &town.centre(1, workplace)?, &town.centre(2, workplace)?)?;
    part(town)?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM person WHERE merged_into IS NULL", "2")?;
    town.centre_is(1, workplace, "Завод")?;
    town.centre_is(2, workplace, "Совхоз")
}

fn w3_doubt_refuses_nothing_and_publishes_nothing(town: &mut Town) -> Held {
    let named = |id: &str, born: &str| {
        format!(
            "INSERT INTO recipient (id, surname, given, patronymic, birth_date) VALUES ('{id}', 'Белова', 'Анна', 'Ильинична', \
             '{born}')"
        )
    };
    town.sql(1, &named("r1", "12.03.1945"))?;
    town.sql(1, "UPDATE recipient SET phone = '89061234567' WHERE id = 'r1'")?;
    town.stranger(2, "r1", "Гусева")?;
    town.merge()?;
    town.rest()?;
    // the same name and day, another year of birth: perhaps she, perhaps not
    town.sql(2, &named("r5", "12.03.1958"))?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM review WHERE state = 'open' AND kind = 'pair'", "1")?;
    town.hub_is("SELECT count(*) FROM received WHERE outcome = 'refused'", "0")?;
    let key = town.centre(2, "SELECT key FROM svod_record WHERE id = 'r5'")?;
    let link = format!("SELECT count(*) FROM svod_publication WHERE key = '{key}'");
    town.centre_is(2, &link, "0")?;
    let told = town.city.hub.answer(&mut town.city.dice).map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", &told);
    town.rest()?;
    town.centre_is(2, &link, "1")
}

fn s1_what_is_held_is_in_the_sum_too(town: &mut Town) -> Held {
    town.settle()?;
    // she cannot be sent as she is; what names her is, and waits for her at the hub
    town.sql(1, "INSERT INTO recipient (id, surname) VALUES ('bad', CAST(x'C8E22D31' AS TEXT))")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'bad', '1')")?;
    town.rest()?;
    let held = "SELECT count(*) FROM received WHERE kind = 'contract' AND outcome = 'held' AND in_digest";
    town.hub_is(held, "1")?;
    let stated = town.centre(1, "SELECT state_digest FROM svod_stream WHERE direction = 'out'")?;
    town.hub_is("SELECT received_digest FROM stream WHERE peer = ?", &stated)?;
    town.sql(1, "UPDATE recipient SET surname = 'Орлова' WHERE id = 'bad'")?;
    town.rest()?;
    town.hub_is(held, "0")?;
    town.hub_is(KNOWN, "1")
}

fn d10_a_person_stays_who_it_is_though_neither_row_nor_packet_is_left(town: &mut Town) -> Held {
    town.settle()?;
    // of her nothing but this one claim is known
    town.stranger(1, "r2", "Орлова")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r2', '1')")?;
    town.rest()?;
    let people =
        "SELECT group_concat(key || uid || claim, ' ') FROM (SELECT * FROM person_record ORDER BY key)";
    let before = town.hub_says(people)?;
    town.at_hub("DELETE FROM received WHERE CAST(body AS TEXT) LIKE '%Орлова%'")?;
    town.believe_hub(1)?;
    town.lose_archive(1)?;
    town.pass(HEARTBEAT);
    town.rest()?;
    town.hub_told("DIVERGED")?;
    town.pass(HEARTBEAT);
    town.round()?;
    town.rest()?;
    town.hub_is(people, &before)
}

fn s5_what_comes_before_its_ky_waits_and_counts(town: &mut Town) -> Held {
    town.settle()?;
    let told = town.city.centres[0].rotate().map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", &told);
    town.stranger(1, "r2", "Орлова")?;
    for _ in 0..2 {
        town.look(1)?;
        town.due(1)?;
    }
    let keys = town.take(1, "in", "KY")?;
    ensure(
        town.lies(1, "in")?.iter().any(|name| name.starts_with("DT")),
        "nothing is signed by the next key",
    )?;
    town.hub()?;
    town.hub_is(KNOWN, "0")?;
    ensure(
        town.hub_says("SELECT count(*) FROM incident WHERE code = 'UNKNOWN_KEY'")? != "0",
        "nobody is told",
    )?;
    town.give(&keys)?;
    town.hub()?;
    town.rest()?;
    town.hub_is(KNOWN, "1")
}

fn s6_another_envelope_is_the_same_packet(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    let former = town.take(1, "in", "DT(1,2)")?;
    let told = town.city.hub.rotate().map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", &told);
    town.rest()?;
    town.hub_is(KNOWN, "1")?;
    let applied = "SELECT count(*) FROM journal WHERE event = 'packet.applied'";
    let before = town.hub_says(applied)?;
    town.give(&former)?;
    town.hub()?;
    town.hub_is(applied, &before)?;
    town.hub_is("SELECT count(*) FROM packet WHERE state = 'QUARANTINED'", "0")?;
    town.rest()?;
    town.hub_is(KNOWN, "1")
}

fn s11_a_journal_that_was_cut_is_found(town: &mut Town) -> Held {
    town.settle()?;
    town.city.centres[0].stop();
    town.past_the_guards(1, "DELETE FROM svod_journal WHERE n > (SELECT max(n) FROM svod_journal) - 3")?;
    town.city.tampered[0] += 1;
    town.look(1)?;
    town.told(1, "TAMPERED")?;
    town.centre_is(1, "SELECT detail FROM svod_incident WHERE code = 'TAMPERED'", "journal-cut")?;
    // evidence never halts the exchange
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.hub_is(KNOWN, "1")?;
    town.expect("verify");
    Ok(())
}

fn s11_an_entry_of_the_hubs_journal_that_was_altered_is_found(town: &mut Town) -> Held {
    town.settle()?;
    let guard = town.hub_says("SELECT sql FROM sqlite_master WHERE name = 'journal_no_update'")?;
    let entry = "n = (SELECT max(n) FROM journal WHERE event = 'packet.applied')";
    let was = town.hub_says(&format!("SELECT actor FROM journal WHERE {entry}"))?;
    let write = |actor: &str| {
        format!("DROP TRIGGER journal_no_update; UPDATE journal SET actor = '{actor}' WHERE {entry}; {guard}")
    };
    let open = "SELECT count(*) FROM incident WHERE code = 'JOURNAL_ALTERED' AND closed_at IS NULL";
    town.at_hub(&write("nobody"))?;
    // it begins, and looks
    for _ in 0..2 {
        town.hub()?;
    }
    town.hub_is(open, "1")?;
    town.hub_told("JOURNAL_ALTERED")?;
    town.at_hub(&write(&was))?;
    for _ in 0..2 {
        town.hub()?;
    }
    town.hub_is(open, "0")?;
    town.rest()
}

fn f14_both_ends_put_back_serve_each_others_request(town: &mut Town) -> Held {
    town.settle()?;
    let (copy, of_hub) = (town.copy(1, false)?, town.copy_hub()?);
    let who = town.hub_says("SELECT case_number FROM person")?;
    town.confirm(&who, 1)?;
    town.correct(&who, "Исправлено")?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', '1')")?;
    town.rest()?;
    town.put_back(1, &copy)?;
    town.put_hub_back(&of_hub)?;
    heard(town)?;
    town.told(1, "RESTORED")?;
    town.hub_told("RESTORED")?;
    let unconfirmed = "SELECT count(*) > 0 FROM packet WHERE direction = 'out' AND peer = ? AND kind = 'SN' AND unconfirmed";
    town.city.until_rest(ROUNDS)?;
    town.hub_is(unconfirmed, "1")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.stranger(1, "r3", "Орлова")?;
    town.rest()?;
    town.hub_is(KNOWN, "1")
}

fn f21_what_neither_end_knows_any_more_is_listed_at_both(town: &mut Town) -> Held {
    town.settle()?;
    let (copy, of_hub) = (town.copy(1, false)?, town.copy_hub()?);
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.put_back(1, &copy)?;
    town.put_hub_back(&of_hub)?;
    heard(town)?;
    town.city.until_rest(ROUNDS)?;
    town.told(1, "RESTORED")?;
    town.hub_told("RESTORED")?;
    let shown = town.shown_by_resync(1)?;
    ensure(shown.contains("DT(1,2) unknown"), &format!("the centre does not list it: {shown}"))?;
    let config = town.city.hub.config().map_err(|error| format!("{error:?}"))?;
    let shown = resync::look(&config).map_err(|error| format!("{error:?}"))?;
    let code = town.city.centres[0].code;
    let of_centre = shown.iter().find(|one| one.centre == code.as_str()).ok_or("nothing is shown of it")?;
    let kinds: Vec<&str> = of_centre.unknown.iter().map(|one| one.kind).collect();
    ensure(kinds == ["recipient_claim"], &format!("the hub does not list it: {kinds:?}"))?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.hub_is(KNOWN, "0")
}

fn f15_a_snapshot_carries_what_was_decided_on_proposals(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.merge()?;
    town.hub()?;
    town.sql(1, "UPDATE recipient SET workplace = 'Фабрика' WHERE id = 'r1'")?;
    town.fetch(1)?;
    town.rest()?;
    let state = "SELECT state FROM svod_proposal";
    town.centre_is(1, state, "sent")?;
    let copy = town.copy(1, false)?;
    let told = town.city.hub.answer(&mut town.city.dice).map_err(|error| format!("{error:?}"))?;
    town.city.trace.tell("op", &told);
    town.rest()?;
    let decided = town.centre(1, state)?;
    ensure(decided != "sent", "its decision does not come")?;
    town.put_back(1, &copy)?;
    heard(town)?;
    town.told(1, "RESTORED")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, state, &decided)
}

fn f16_a_closed_epoch_takes_nothing_more(town: &mut Town) -> Held {
    town.settle()?;
    let copy = town.copy(1, false)?;
    town.stranger(1, "r2", "Орлова")?;
    town.look(1)?;
    let late = town.take(1, "in", "DT(1,2)")?;
    town.put_back(1, &copy)?;
    heard(town)?;
    town.told(1, "RESTORED")?;
    let closed = town.hub_says(CLAIMS)?;
    // the hub has answered a request that was made after a restore
    town.give(&late)?;
    town.hub()?;
    town.hub_told("STALE_EPOCH")?;
    town.hub_is(CLAIMS, &closed)?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.hub_is(KNOWN, "0")
}

fn f17_parts_of_two_lives_are_never_mixed(town: &mut Town) -> Held {
    town.settle()?;
    // the hub asks for a snapshot: its records and the mirror are two parts
    let row = format!("kind = 'recipient_claim' AND origin = '{}'", centre_code(1));
    town.at_hub(&format!("UPDATE received SET version = version + 3 WHERE {row}"))?;
    town.believe_hub(1)?;
    town.lose_archive(1)?;
    town.pass(HEARTBEAT);
    town.due(1)?;
    let mut copy = town.copy(1, true)?;
    for _ in 0..20 {
        town.hub()?;
        copy = town.copy(1, true)?;
        town.fetch(1)?;
        town.due(1)?;
        if town.lies(1, "in")?.contains(&"SN(2,2)".to_owned()) {
            break;
        }
        town.pass(1_000);
    }
    let mut lives = vec![town.take(1, "in", "SN")?];
    // another life of the centre answers the same request
    town.put_back(1, &copy)?;
    for _ in 0..3 {
        town.fetch(1)?;
        town.due(1)?;
    }
    lives.push(town.take(1, "in", "SN")?);
    let of = |life: &super::town::Taken, n: &str| {
        life.iter().filter(|(path, _)| path.to_string_lossy().contains(n)).cloned().collect()
    };
    town.give(&of(&lives[0], "_0002_00000001_"))?;
    town.give(&of(&lives[1], "_0002_00000002_"))?;
    town.hub()?;
    town.hub()?;
    town.hub_told("FORK")?;
    town.hub_told("DIVERGED")?;
    town.hub_is("SELECT in_epoch FROM stream WHERE peer = ?", "1")
}
