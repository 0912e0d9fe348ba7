//! D, W, L: whose a record is, what becomes of an edit, and who learns of it.

use super::{
    super::{centre::Turn, fate::Backup, mishap::Mishap, rebuilt, template::centre_code},
    Held, scenarios,
    town::{HEARTBEAT, ROUNDS, Town, ensure},
};

scenarios![
    d2_an_edit_that_raced_its_lock_is_a_proposal,
    d5_a_protocol_closes_the_version_that_its_packet_carried,
    d5_what_staff_take_back_before_it_is_sealed_waits_for_nothing,
    d10_a_locked_row_that_was_altered_is_told_of_and_put_right,
    d8_a_row_given_back_whose_person_is_gone_is_told_as_it_stands,
    d10_a_row_of_a_centres_own_that_went_past_the_triggers_is_not_ended,
    d11_nothing_is_placed_before_its_sealing_is_durable,
    d10_what_the_hub_has_lost_of_a_centre_comes_again_out_of_its_archive,
    d10_a_publication_that_the_hub_has_lost_is_taken_back,
    d10_a_publication_that_was_altered_says_again_what_it_should,
    d10_a_row_that_no_packet_bears_is_no_evidence,
    d10_what_was_published_is_never_numbered_from_one_again,
    d10_a_damaged_row_is_put_back_before_a_centre_that_was_put_back_says_what_it_has,
    d10_a_row_that_says_that_a_centre_is_told_of_a_stranger_goes_nowhere,
    d10_a_text_that_follows_from_nothing_comes_back_from_the_centres_copy,
    w1_a_row_that_takes_the_id_of_one_deleted_is_another_record,
    w4_nothing_is_published_before_a_person_has_merged_the_first_load,
    l1_a_claim_shows_its_centre_no_more_than_it_has_written,
    l2_a_publication_names_nobody_elses_records,
];

/// The rows of persons that the hub has told the centre of.
const TOLD: &str = "SELECT count(*) FROM svod_publication WHERE kind = 'person'";

fn d2_an_edit_that_raced_its_lock_is_a_proposal(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.merge()?;
    town.hub()?;
    // the lock is on its way, and nothing of the edit is sent
    town.sql(1, "UPDATE recipient SET workplace = 'Фабрика' WHERE id = 'r1'")?;
    town.fetch(1)?;
    town.centre_is(1, "SELECT count(*) FROM svod_proposal WHERE state IN ('open', 'sent')", "1")?;
    town.centre_is(1, "SELECT state FROM svod_record WHERE id = 'r1'", "locked")?;
    town.rest()?;
    let told =
        "SELECT count(*) FROM received WHERE kind = 'proposal' AND CAST(body AS TEXT) LIKE '%Фабрика%'";
    town.hub_is(told, "1")
}

fn d5_a_protocol_closes_the_version_that_its_packet_carried(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.look(1)?;
    town.hub()?;
    let protocol = town.take(1, "out", "PR")?;
    town.sql(1, "UPDATE recipient SET workplace = 'Фабрика' WHERE id = 'r1'")?;
    town.look(1)?;
    town.give(&protocol)?;
    town.fetch(1)?;
    let packets = "SELECT group_concat(seq || ' ' || state, ', ') FROM svod_packet WHERE direction = 'out' AND kind IN ('SN', 'DT')";
    town.centre_is(1, packets, "1 APPLIED, 2 PLACED")?;
    let sent = "SELECT version || ' in ' || seq FROM svod_sent WHERE kind = 'recipient_claim'";
    town.centre_is(1, sent, "2 in 2")?;
    town.rest()?;
    town.centre_is(1, packets, "1 APPLIED, 2 APPLIED")
}

fn d5_what_staff_take_back_before_it_is_sealed_waits_for_nothing(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    town.correct(&who, "Иначе")?;
    town.hub_is("SELECT count(*) > 0 FROM publication WHERE state = 'pending'", "1")?;
    town.correct(&who, "Исправлено")?;
    town.hub_is("SELECT count(*) FROM publication WHERE state <> 'applied'", "0")?;
    town.rest()
}

fn d10_a_locked_row_that_was_altered_is_told_of_and_put_right(town: &mut Town) -> Held {
    town.settle()?;
    let tampered = town.city.clerks[0].tamper().map_err(|error| error.to_string())?;
    ensure(tampered, "there is no locked row")?;
    town.city.tampered[0] += 1;
    // the running program looks at the whole once in a while
    town.look(1)?;
    town.pass(5_000);
    town.look(1)?;
    town.told(1, "TAMPERED")?;
    town.centre_is(1, "SELECT given FROM recipient WHERE id = 'r1'", "Анна")?;
    town.rest()
}

fn d8_a_row_given_back_whose_person_is_gone_is_told_as_it_stands(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.sql(
        1,
        "INSERT INTO programme (id, recipient_id, number, date) VALUES ('p1', 'r1', '6-3', '2026-10-01'); \
         INSERT INTO programme_line (id, programme_id, no, name) VALUES ('l1', 'p1', '1', 'Уборка')",
    )?;
    town.look(1)?;
    town.merge()?;
    town.hub()?;
    // published, and deleted before that has come
    town.sql(1, "DELETE FROM recipient WHERE id = 'r1'")?;
    town.look(1)?;
    town.hub()?;
    town.rest()?;
    let told = "SELECT version || form FROM svod_sent WHERE kind = 'programme_claim'";
    town.centre_is(1, told, "2live")?;
    town.centre_is(1, "SELECT count(*) FROM svod_incident WHERE code = 'TAMPERED'", "0")
}

fn d10_a_row_of_a_centres_own_that_went_past_the_triggers_is_not_ended(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.sql(
        1,
        "INSERT INTO contact (id, recipient_id, type, value) VALUES ('c7', 'r1', 'phone', '+79117654321')",
    )?;
    town.rest()?;
    let ended = "SELECT count(*) FROM received WHERE form = 'tombstone'";
    town.hub_is(ended, "0")?;
    town.past_the_guards(1, "DELETE FROM contact WHERE id = 'c7'")?;
    town.city.tampered[0] += 1;
    town.look(1)?;
    town.pass(5_000);
    town.look(1)?;
    town.told(1, "TAMPERED")?;
    town.rest()?;
    town.hub_is(ended, "0")?;
    town.centre_is(1, "SELECT value FROM contact WHERE id = 'c7'", "+79117654321")?;
    let open = "SELECT count(*) FROM svod_incident WHERE closed_at IS NULL";
    town.centre_is(1, open, "0")
}

fn d11_nothing_is_placed_before_its_sealing_is_durable(town: &mut Town) -> Held {
    town.settle()?;
    for step in 1..=6 {
        for mishap in [Mishap::EndBefore(step), Mishap::EndAfter(step), Mishap::Full(step)] {
            town.stranger(1, &format!("n{step}{mishap:?}"), &format!("Зуева{step}"))?;
            town.under(1, Turn::Look, mishap)?;
            for file in town.lies(1, "in")? {
                let (kind, at) = file.split_once('(').unwrap_or_default();
                let at: Vec<&str> = at.trim_end_matches(')').split(',').collect();
                let known = format!(
                    "SELECT count(*) FROM svod_packet WHERE direction = 'out' AND kind = '{kind}' AND epoch = {} AND seq = {}",
                    at[0],
                    at.get(1).unwrap_or(&"0")
                );
                ensure(
                    town.centre(1, &known)? != "0",
                    &format!("{file} is placed and not known: {mishap:?}"),
                )?;
            }
        }
    }
    town.rest()?;
    town.hub_is("SELECT count(*) FROM received WHERE origin = ? AND CAST(body AS TEXT) LIKE '%Зуева%'", "18")
}

fn w1_a_row_that_takes_the_id_of_one_deleted_is_another_record(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.send(1)?;
    let key = "SELECT key FROM svod_record WHERE kind = 'recipient' AND id = 'r1'";
    let first = town.centre(1, key)?;
    town.sql(1, "DELETE FROM recipient WHERE id = 'r1'")?;
    town.stranger(1, "r1", "Орлова")?;
    ensure(town.centre(1, key)? != first, "the key has come back")?;
    town.rest()?;
    town.hub_is(&format!("SELECT form FROM received WHERE key = '{first}'"), "tombstone")?;
    town.hub_is("SELECT count(*) FROM received WHERE form = 'live' AND kind = 'recipient_claim'", "1")
}

fn w4_nothing_is_published_before_a_person_has_merged_the_first_load(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM person", "0")?;
    town.centre_is(1, TOLD, "0")?;
    town.merge()?;
    town.rest()?;
    town.centre_is(1, TOLD, "1")?;
    // what comes later needs nobody
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    town.centre_is(1, TOLD, "2")
}

fn l1_a_claim_shows_its_centre_no_more_than_it_has_written(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.sql(1, "UPDATE recipient SET phone = '+7 900 111-22-33' WHERE id = 'r1'")?;
    town.stranger(2, "r0", "Орлова")?;
    town.merge()?;
    town.rest()?;
    // who comes after the first load is nobody's until staff say so
    town.person(2, "r1", "Завод")?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM person WHERE merged_into IS NULL", "2")?;
    town.centre_is(2, "SELECT state FROM svod_record WHERE id = 'r1'", "locked")?;
    let phone = "SELECT coalesce(phone, '') FROM recipient WHERE id = 'r1'";
    town.centre_is(2, phone, "")?;
    let who = town.centre(2, "SELECT case_number FROM recipient WHERE id = 'r1'")?;
    town.confirm(&who, 2)?;
    town.rest()?;
    ensure(!town.centre(2, phone)?.is_empty(), "who was confirmed to serve her is told nothing")
}

fn l2_a_publication_names_nobody_elses_records(town: &mut Town) -> Held {
    town.settle()?;
    let who = town.hub_says("SELECT case_number FROM person")?;
    for n in [1, 2] {
        town.confirm(&who, n)?;
    }
    town.rest()?;
    let keys = "SELECT group_concat(key) FROM svod_sent";
    for (n, other) in [(1, 2), (2, 1)] {
        let code = town.city.centres[usize::from(other) - 1].code;
        let names = town.centre(other, keys)?;
        for name in names.split(',').chain([code.as_str()]) {
            let found = format!(
                "SELECT (SELECT count(*) FROM svod_publication WHERE instr(CAST(bytes AS TEXT), '{name}') OR key = '{name}') \
                 + (SELECT count(*) FROM svod_journal WHERE instr(subject || event || rule, '{name}'))"
            );
            town.centre_is(n, &found, "0")?;
        }
    }
    // versions are of this stream: what the other was told counts for nothing
    town.centre_is(1, "SELECT min(version) FROM svod_publication", "1")
}

/// Who is which person, and by which row.
const PEOPLE: &str = "SELECT group_concat(origin || key || uid || claim || rule, ' ') FROM (SELECT * FROM person_record ORDER BY key)";

fn d10_what_the_hub_has_lost_of_a_centre_comes_again_out_of_its_archive(town: &mut Town) -> Held {
    town.stranger(1, "r2", "Орлова")?;
    town.send(1)?;
    town.sql(1, "UPDATE recipient SET workplace = 'Совхоз' WHERE id = 'r2'")?;
    town.send(1)?;
    town.settle()?;
    let people = town.hub_says(PEOPLE)?;
    let row = format!("kind = 'recipient_claim' AND origin = '{}' AND version > 1", centre_code(1));
    let altered = [
        format!("DELETE FROM received WHERE {row}"),
        format!("UPDATE received SET sha256 = upper(sha256) || '0' WHERE {row}"),
        format!(
            "UPDATE received SET body = CAST(replace(CAST(body AS TEXT), 'Орлова', 'Петрова') AS BLOB) WHERE {row}"
        ),
        format!("UPDATE received SET version = 1 WHERE {row}"),
        format!("UPDATE received SET version = 9 WHERE {row}"),
        format!("UPDATE received SET state = 'orphan' WHERE {row}"),
        format!("UPDATE received SET state = 'held' WHERE {row}"),
    ];
    for (altered, mended) in altered.iter().zip(1..) {
        town.at_hub(altered)?;
        // it begins, and looks at one centre after the other
        for _ in 0..3 {
            town.hub()?;
        }
        town.hub_told("DIVERGED")?;
        let right = format!(
            "SELECT count(*) FROM received WHERE {row} AND version = 2 AND state = 'applied' AND CAST(body AS TEXT) LIKE '%Орлова%Совхоз%'"
        );
        town.hub_is(&right, "1")?;
        let journal = "SELECT count(*) FROM journal WHERE event = 'received.mended'";
        town.hub_is(journal, &format!("{mended}"))?;
        town.hub_is("SELECT count(*) FROM incident WHERE code = 'DIVERGED' AND closed_at IS NULL", "0")?;
        town.pass(HEARTBEAT);
        town.round()?;
        town.rest()?;
        town.hub_is(PEOPLE, &people).map_err(|error| format!("{altered}: {error}"))?;
    }
    let rebuilt = rebuilt::check(&mut town.city);
    ensure(rebuilt.is_empty(), &rebuilt.join("; "))?;
    town.hub_is(PEOPLE, &people)?;
    town.rest()
}

fn d10_a_publication_that_the_hub_has_lost_is_taken_back(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    town.at_hub(&format!("DELETE FROM publication WHERE kind = 'person' AND centre = '{}'", centre_code(1)))?;
    for _ in 0..3 {
        town.hub()?;
    }
    // before the centre's copy is here nothing is published anew
    town.correct(&who, "Исправлено снова")?;
    town.hub()?;
    town.rest()?;
    town.hub_told("DIVERGED")?;
    nobody_was_restored(town)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Исправлено снова")
}

fn d10_a_publication_that_was_altered_says_again_what_it_should(town: &mut Town) -> Held {
    town.settle_corrected()?;
    let body = "CAST(replace(CAST(body AS TEXT), 'Исправлено', 'Подмена') AS BLOB)";
    town.at_hub(&format!("UPDATE publication SET body = {body} WHERE kind = 'person'"))?;
    for _ in 0..3 {
        town.hub()?;
    }
    town.hub_told("DIVERGED")?;
    town.hub_is("SELECT count(*) FROM publication WHERE CAST(body AS TEXT) LIKE '%Подмена%'", "0")?;
    town.hub_is("SELECT count(*) FROM publication WHERE state <> 'applied'", "0")?;
    town.pass(HEARTBEAT);
    town.rest()?;
    town.hub_is("SELECT count(*) FROM incident WHERE code = 'DIVERGED' AND closed_at IS NULL", "0")?;
    nobody_was_restored(town)
}

/// No damage to rows is taken for a database that was put back.
pub(super) fn nobody_was_restored(town: &mut Town) -> Held {
    town.centre_is(1, "SELECT count(*) FROM svod_incident WHERE code IN ('RESTORED', 'PEER_RESTORED')", "0")?;
    let at_hub =
        "SELECT count(*) FROM incident WHERE code IN ('RESTORED', 'PEER_RESTORED', 'COLLISION', 'OLDER')";
    town.hub_is(at_hub, "0")
}

fn d10_a_row_that_no_packet_bears_is_no_evidence(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    let row = format!("kind = 'recipient_claim' AND origin = '{}'", centre_code(1));
    let right = format!(
        "SELECT count(*) FROM received WHERE {row} AND version = 1 AND in_digest AND CAST(body AS TEXT) LIKE '%Орлова%'"
    );
    let row = format!("{row} AND CAST(body AS TEXT) LIKE '%Орлова%'");
    for (altered, is_archive_there) in [
        (format!("UPDATE received SET version = version + 3 WHERE {row}"), true),
        (format!("UPDATE received SET sha256 = '{}' WHERE {row}", "a".repeat(64)), true),
        (format!("UPDATE received SET version = version + 3 WHERE {row}"), false),
    ] {
        // with the sums of them, so that they agree with what is kept
        town.at_hub(&altered)?;
        town.believe_hub(1)?;
        if !is_archive_there {
            town.lose_archive(1)?;
        }
        town.pass(HEARTBEAT);
        town.round()?;
        town.hub_told("DIVERGED")?;
        town.rest()?;
        town.pass(HEARTBEAT);
        town.round()?;
        town.rest()?;
        town.hub_is(&right, "1").map_err(|error| format!("{altered} {is_archive_there}: {error}"))?;
        nobody_was_restored(town).map_err(|error| format!("{altered} {is_archive_there}: {error}"))?;
    }
    Ok(())
}

fn d10_what_was_published_is_never_numbered_from_one_again(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    let row = format!("kind = 'person' AND centre = '{}'", centre_code(1));
    let lost = [
        format!("DELETE FROM publication WHERE {row}"),
        format!("UPDATE publication SET version = 1 WHERE {row}"),
        format!("UPDATE publication SET sealed_sha256 = '{}' WHERE {row}", "a".repeat(64)),
    ];
    for (lost, n) in lost.iter().zip(1..) {
        let version = town.centre(1, "SELECT version FROM svod_publication WHERE kind = 'person'")?;
        town.at_hub(lost)?;
        town.believe_hub(1)?;
        town.pass(HEARTBEAT);
        town.round()?;
        town.round()?;
        // staff go on while it is being found out
        let value = format!("Исправлено {n}");
        town.correct(&who, &value)?;
        town.rest()?;
        town.told(1, "DIVERGED")?;
        town.hub_told("DIVERGED")?;
        nobody_was_restored(town).map_err(|error| format!("{lost}: {error}"))?;
        town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", &value)?;
        town.centre_is(1, "SELECT state FROM svod_record WHERE id = 'r1'", "locked")?;
        let above = format!("SELECT version > {version} FROM svod_publication WHERE kind = 'person'");
        town.centre_is(1, &above, "1").map_err(|error| format!("{lost}: {error}"))?;
        town.pass(HEARTBEAT);
        town.round()?;
        town.rest()?;
    }
    Ok(())
}

/// A copy of a centre's machine, made before a contract was edited there, of which the hub knows: from «первый» to «второй».
pub(super) fn copy_before_an_edit(town: &mut Town) -> Result<Backup, String> {
    town.settle()?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', 'первый')")?;
    town.rest()?;
    let copy = town.copy(1, true)?;
    town.sql(1, "UPDATE contract SET number = 'второй' WHERE id = 'k1'")?;
    town.rest()?;
    Ok(copy)
}

fn d10_a_damaged_row_is_put_back_before_a_centre_that_was_put_back_says_what_it_has(town: &mut Town) -> Held {
    let copy = copy_before_an_edit(town)?;
    let row = format!("kind = 'contract' AND origin = '{}'", centre_code(1));
    town.at_hub(&format!(
        "UPDATE received SET sha256 = '{}' WHERE {row}; UPDATE stream SET received_digest = '{}' WHERE peer = '{}'",
        "a".repeat(64),
        "0".repeat(64),
        centre_code(1)
    ))?;
    town.put_back(1, &copy)?;
    for _ in 0..3 {
        town.hub()?;
    }
    town.hub_told("DIVERGED")?;
    let right = format!(
        "SELECT count(*) FROM received WHERE {row} AND version = 2 AND CAST(body AS TEXT) LIKE '%второй%'"
    );
    town.hub_is(&right, "1")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, "SELECT number FROM contract WHERE id = 'k1'", "второй")
}

fn d10_a_row_that_says_that_a_centre_is_told_of_a_stranger_goes_nowhere(town: &mut Town) -> Held {
    town.settle()?;
    town.stranger(1, "r2", "Орлова")?;
    town.rest()?;
    let who = town.hub_says(
        "SELECT key FROM publication WHERE kind = 'person' AND CAST(body AS TEXT) LIKE '%Орлова%'",
    )?;
    let row = format!("kind = 'person' AND key = '{who}'");
    let moved = format!("UPDATE publication SET centre = '{}'", centre_code(2));
    let never = "version = 0, packet = NULL, sealed_form = NULL, sealed_sha256 = NULL, state = 'pending'";
    for moved in [format!("{moved} WHERE {row}"), format!("{moved}, {never} WHERE {row}")] {
        town.at_hub(&moved)?;
        for _ in 0..3 {
            town.hub()?;
        }
        town.hub_told("MISPLACED")?;
        town.hub_told("DIVERGED")?;
        town.pass(HEARTBEAT);
        town.round()?;
        town.rest()?;
        town.centre_is(
            2,
            "SELECT count(*) FROM svod_publication WHERE CAST(bytes AS TEXT) LIKE '%Орлова%'",
            "0",
        )?;
        town.hub_is(
            &format!("SELECT group_concat(centre || form || state) FROM publication WHERE {row}"),
            &format!("{}liveapplied", centre_code(1)),
        )?;
        nobody_was_restored(town)?;
    }
    Ok(())
}

fn d10_a_text_that_follows_from_nothing_comes_back_from_the_centres_copy(town: &mut Town) -> Held {
    town.settle_corrected()?;
    let row = format!("kind = 'person' AND centre = '{}'", centre_code(1));
    let was = town
        .hub_says(&format!("SELECT CAST(body AS TEXT) || person || version FROM publication WHERE {row}"))?;
    let body = "CAST(replace(CAST(body AS TEXT), 'Исправлено', 'Подмена') AS BLOB)";
    let nobody = "person = '00000000-0000-4000-8000-000000000000'";
    town.at_hub(&format!("UPDATE publication SET body = {body}, {nobody} WHERE {row}"))?;
    for _ in 0..3 {
        town.hub()?;
    }
    town.hub_told("UNSEALED")?;
    town.rest()?;
    town.hub_told("DIVERGED")?;
    town.hub_is(
        &format!("SELECT CAST(body AS TEXT) || person || version FROM publication WHERE {row}"),
        &was,
    )?;
    town.hub_is("SELECT count(*) FROM incident WHERE closed_at IS NULL", "0")?;
    town.hub_is("SELECT times FROM incident WHERE code = 'UNSEALED'", "1")?;
    nobody_was_restored(town)
}
