//! D10: rows of the hub that somebody alters past the program, while it runs or is stopped, and what happens before its hourly look.

use exchange_format::position::Digest;
use rusqlite::{Connection, params};

use super::{
    super::template::centre_code,
    Held,
    records::{copy_before_an_edit, nobody_was_restored},
    scenarios,
    town::{HEARTBEAT, ROUNDS, Town, ensure},
};

scenarios![
    d10_a_row_gone_is_there_again_before_a_centre_that_was_put_back_is_told_of_it,
    d10_a_row_with_its_hash_is_right_again_before_a_centre_that_was_put_back_is_told_of_it,
    d10_a_text_is_right_again_before_a_centre_that_was_put_back_is_told_of_it,
    d10_no_text_that_was_altered_while_it_waits_is_signed,
    d10_no_text_that_passes_for_sealed_is_signed,
    d10_no_text_that_is_gone_while_it_waits_is_forgotten,
    d10_nothing_that_follows_from_an_altered_claim_is_signed,
    d10_a_change_that_comes_upon_an_altered_row_is_taken_for_no_restore,
    d10_our_own_commands_are_no_strangers,
];

/// What is to become of a text, and of the hash beside it.
const TEXT: bool = false;
const WITH_HASH: bool = true;

impl Town {
    /// Somebody writes into the hub's database while its program has it open.
    fn beside_hub(&self, sql: &str) -> Held {
        let write = || Connection::open(self.city.hub.database())?.execute_batch(sql);
        write().map_err(|error| format!("{sql}: {error}"))
    }

    /// Somebody makes `was` into «Подмена» in the texts of the rows of `table` that `wanted` names.
    fn falsify(&self, (table, wanted): (&str, &str), was: &str, with_hash: bool) -> Held {
        let alter = || {
            let connection = Connection::open(self.city.hub.database())?;
            let sql = format!("SELECT rowid, CAST(body AS TEXT) FROM {table} WHERE {wanted}");
            let mut select = connection.prepare(&sql)?;
            let rows = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            let rows: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
            let mut altered = 0;
            for (row, body) in rows.into_iter().filter(|(_, body)| body.contains(was)) {
                let body = body.replace(was, "Подмена").into_bytes();
                let hash = with_hash.then(|| Digest::of(&body).to_string());
                let sql =
                    format!("UPDATE {table} SET body = ?2, sha256 = coalesce(?3, sha256) WHERE rowid = ?1");
                altered += connection.execute(&sql, params![row, body, hash])?;
            }
            Ok(altered)
        };
        let altered = alter().map_err(|error: rusqlite::Error| format!("{table}: {error}"))?;
        ensure(altered > 0, &format!("no row of {table} says {was}"))
    }
}

fn contract() -> String {
    format!("kind = 'contract' AND origin = '{}'", centre_code(1))
}

/// A centre was put back after the hub had lost, by `damage`, what it acknowledged after the copy.
fn put_back_after(town: &mut Town, damage: impl FnOnce(&Town) -> Held) -> Held {
    let copy = copy_before_an_edit(town)?;
    damage(town)?;
    town.put_back(1, &copy)?;
    town.round()?;
    town.hub_told("DIVERGED")?;
    town.city.recover(ROUNDS)?;
    town.rest()?;
    town.centre_is(1, "SELECT number FROM contract WHERE id = 'k1'", "второй")?;
    let right =
        format!("SELECT count(*) FROM received WHERE {} AND CAST(body AS TEXT) LIKE '%второй%'", contract());
    town.hub_is(&right, "1")?;
    town.hub_is("SELECT count(*) FROM incident WHERE code = 'DIVERGED' AND closed_at IS NULL", "0")
}

fn d10_a_row_gone_is_there_again_before_a_centre_that_was_put_back_is_told_of_it(town: &mut Town) -> Held {
    put_back_after(town, |town| town.beside_hub(&format!("DELETE FROM received WHERE {}", contract())))
}

fn d10_a_row_with_its_hash_is_right_again_before_a_centre_that_was_put_back_is_told_of_it(
    town: &mut Town,
) -> Held {
    put_back_after(town, |town| town.falsify(("received", &contract()), "второй", WITH_HASH))
}

fn d10_a_text_is_right_again_before_a_centre_that_was_put_back_is_told_of_it(town: &mut Town) -> Held {
    put_back_after(town, |town| town.falsify(("received", &contract()), "второй", TEXT))
}

/// Nothing false stands anywhere.
fn nothing_false_is_told(town: &mut Town) -> Held {
    town.pass(HEARTBEAT);
    town.rest()?;
    town.hub_told("DIVERGED")?;
    for table in ["publication", "received"] {
        town.hub_is(&format!("SELECT count(*) FROM {table} WHERE CAST(body AS TEXT) LIKE '%Подмена%'"), "0")?;
    }
    town.centre_is(
        1,
        "SELECT count(*) FROM svod_publication WHERE CAST(bytes AS TEXT) LIKE '%Подмена%'",
        "0",
    )?;
    town.hub_is("SELECT count(*) FROM incident WHERE closed_at IS NULL", "0")?;
    nobody_was_restored(town)
}

fn d10_no_text_that_was_altered_while_it_waits_is_signed(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    let row = format!("kind = 'person' AND centre = '{}'", centre_code(1));
    let version = town.centre(1, "SELECT version FROM svod_publication WHERE kind = 'person'")?;
    // nothing is to be told; somebody has it told
    town.falsify(("publication", &row), "Исправлено", WITH_HASH)?;
    town.beside_hub(&format!("UPDATE publication SET state = 'pending' WHERE {row}"))?;
    town.hub()?;
    nothing_false_is_told(town)?;
    town.centre_is(1, "SELECT version FROM svod_publication WHERE kind = 'person'", &version)?;
    // what staff have entered waits while the program is stopped
    town.city.hub.stop();
    town.correct(&who, "Верно")?;
    town.falsify(("publication", &row), "Верно", WITH_HASH)?;
    town.hub()?;
    nothing_false_is_told(town)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Верно")
}

fn d10_no_text_that_passes_for_sealed_is_signed(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    let row = format!("kind = 'person' AND centre = '{}'", centre_code(1));
    town.falsify(("publication", &row), "Исправлено", WITH_HASH)?;
    town.beside_hub(&format!(
        "UPDATE publication SET sealed_sha256 = sha256, version = version + 1 WHERE {row}"
    ))?;
    for _ in 0..3 {
        town.round()?;
        let told = "SELECT count(*) FROM svod_publication WHERE CAST(bytes AS TEXT) LIKE '%Подмена%'";
        town.centre_is(1, told, "0")?;
        town.pass(HEARTBEAT);
    }
    town.correct(&who, "Верно")?;
    town.rest()?;
    nothing_false_is_told(town)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Верно")
}

fn d10_no_text_that_is_gone_while_it_waits_is_forgotten(town: &mut Town) -> Held {
    town.person(1, "r1", "Завод")?;
    town.person(2, "r1", "Совхоз")?;
    town.round()?;
    town.city.hub.stop();
    // what the merge has drawn up waits for the program
    town.city.hub.merge().map_err(|error| format!("merge: {error:?}"))?;
    town.hub_is("SELECT count(*) > 0 FROM publication WHERE state = 'pending'", "1")?;
    town.beside_hub("DELETE FROM publication WHERE version = 0 AND state = 'pending'")?;
    town.rest()?;
    town.hub_told("DIVERGED")?;
    town.centre_is(1, "SELECT state FROM svod_record WHERE id = 'r1'", "locked")
}

fn d10_nothing_that_follows_from_an_altered_claim_is_signed(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    let surname = town.centre(1, "SELECT surname FROM recipient WHERE id = 'r1'")?;
    let claims = "kind = 'recipient_claim'";
    for (with_hash, n) in [(TEXT, 1), (WITH_HASH, 2)] {
        town.falsify(("received", claims), &surname, with_hash)?;
        town.hub()?;
        let value = format!("Иначе {n}");
        town.correct(&who, &value)?;
        nothing_false_is_told(town)?;
        town.centre_is(1, "SELECT surname FROM recipient WHERE id = 'r1'", &surname)?;
        town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", &value)?;
    }
    Ok(())
}

fn d10_a_change_that_comes_upon_an_altered_row_is_taken_for_no_restore(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    town.sql(1, "INSERT INTO contract (id, recipient_id, number) VALUES ('k1', 'r1', 'первый')")?;
    town.rest()?;
    let row = contract();
    let ended = format!("form = 'tombstone', body = x'', sha256 = '{}', state = 'gone'", Digest::of(b""));
    let altered = [
        format!("UPDATE received SET version = version + 3 WHERE {row}"),
        format!("DELETE FROM received WHERE {row}"),
        format!("UPDATE received SET {ended}, version = version + 1 WHERE {row}"),
    ];
    for (altered, n) in altered.iter().zip(1..) {
        town.beside_hub(altered)?;
        town.sql(1, &format!("UPDATE contract SET number = 'номер {n}' WHERE id = 'k1'"))?;
        town.rest()?;
        town.hub_told("DIVERGED")?;
        nobody_was_restored(town).map_err(|error| format!("{altered}: {error}"))?;
        let right =
            format!("SELECT count(*) FROM received WHERE {row} AND CAST(body AS TEXT) LIKE '%номер {n}%'");
        town.hub_is(&right, "1").map_err(|error| format!("{altered}: {error}"))?;
    }
    town.beside_hub(&format!(
        "DELETE FROM publication WHERE kind = 'person' AND centre = '{}'",
        centre_code(1)
    ))?;
    town.hub()?;
    town.correct(&who, "Исправлено снова")?;
    town.rest()?;
    nobody_was_restored(town)?;
    town.centre_is(1, "SELECT workplace FROM recipient WHERE id = 'r1'", "Исправлено снова")
}

fn d10_our_own_commands_are_no_strangers(town: &mut Town) -> Held {
    let who = town.settle_corrected()?;
    let reads = "SELECT n FROM written";
    let before = town.hub_says(reads)?;
    town.hub()?;
    town.hub_is(reads, &before)?;
    town.correct(&who, "Верно")?;
    ensure(town.hub_says(reads)? != before, "a command does not count what it writes")?;
    town.rest()?;
    town.hub_is("SELECT count(*) FROM incident WHERE code = 'DIVERGED'", "0")
}
