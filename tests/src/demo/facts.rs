//! Facts: what must hold of the city at the end, each read again from the databases.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::places::centre_code;
use serde::Serialize;
use serde_json::{Value, json};

use super::acts::{self, Acts};
use crate::world::{
    World, WorldError, fill,
    read::{Reader, kind_of},
};

/// A fact, whether it held, and by what that is seen. No personal data.
#[derive(Debug, Serialize)]
pub struct Fact {
    /// Its name (docs/CLI_JSON.md §Demo).
    pub id: &'static str,
    /// Whether it held.
    pub held: bool,
    /// What was read.
    pub evidence: Value,
}

/// Reads every fact.
///
/// # Errors
/// A database cannot be read.
pub fn read(world: &World, acts: &Acts) -> Result<Vec<Fact>, WorldError> {
    let mut facts = vec![
        records_at_hub_once(world)?,
        only_own_people(world)?,
        lock_refused(world)?,
        contract_arrived(world, acts)?,
        correction_locked_twice(world, acts)?,
    ];
    facts.push(foreign_quarantined(world, acts)?);
    facts.push(tamper_restored(world, acts)?);
    Ok(facts)
}

/// A packet that the hub had never seen came by another centre's login: it lies in quarantine, nothing of it was
/// applied, and the same packet from its owner was.
fn foreign_quarantined(world: &World, acts: &Acts) -> Result<Fact, WorldError> {
    let foreign = &acts.foreign;
    let reason = acts::quarantined(world, foreign)?;
    let brought_by = acts::contract_packet(world, &foreign.contract)?;
    let from_owner = brought_by.as_ref() == Some(&foreign.file);
    Ok(Fact {
        id: "foreign_quarantined",
        held: reason.as_deref() == Some("FOREIGN") && !foreign.applied && from_owner,
        evidence: json!({
            "centre": foreign.centre.as_str(), "file": foreign.file, "reason": reason,
            "applied_from_foreign": foreign.applied, "applied_from_owner": from_owner,
        }),
    })
}

/// Every record that a centre owns is at the hub, of the version sent, and there is nothing else.
fn records_at_hub_once(world: &World) -> Result<Fact, WorldError> {
    let hub_db = world.layout.hub_db();
    let hub = Reader::open(&hub_db)?;
    let (mut at_centres, mut at_hub, mut unequal) = (0, 0, 0);
    for (n, code) in world.centres() {
        let db = world.layout.centre_db(n);
        let centre = Reader::open(&db)?;
        let own =
            centre.all("SELECT kind, key FROM svod_record WHERE id <> coalesce(uid, '')", [], |row| {
                Ok((kind_of(&row.get::<_, String>(0)?), row.get::<_, String>(1)?))
            })?;
        let received = hub.all(
            "SELECT kind, key FROM received WHERE origin = ?1 AND form = 'live' AND kind <> 'proposal'",
            [code.as_str()],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )?;
        at_centres += own.len();
        at_hub += received.len();
        let (mut balance, mut twice) = (BTreeMap::<_, i64>::new(), BTreeSet::new());
        for record in own {
            *balance.entry(record).or_default() += 1;
        }
        for record in received {
            let left = balance.entry(record.clone()).or_default();
            *left -= 1;
            if *left < 0 {
                twice.insert(record);
            }
        }
        unequal += balance.values().filter(|n| **n != 0).count() + twice.len();
    }
    let twice = hub.count(
        "SELECT count(*) FROM (SELECT 1 FROM person_record WHERE kind = 'recipient_claim' \
         GROUP BY origin, key HAVING count(*) > 1)",
        [],
    )?;
    Ok(Fact {
        id: "records_at_hub_once",
        held: unequal == 0 && twice == 0 && at_hub > 0,
        evidence: json!({"at_centres": at_centres, "at_hub": at_hub, "unequal": unequal, "persons_twice": twice}),
    })
}

/// No centre has a person whom it did not bring.
fn only_own_people(world: &World) -> Result<Fact, WorldError> {
    let hub_db = world.layout.hub_db();
    let hub = Reader::open(&hub_db)?;
    let (mut shown, mut foreign) = (0, 0);
    for (n, code) in world.centres() {
        let db = world.layout.centre_db(n);
        let centre = Reader::open(&db)?;
        let own: BTreeSet<String> = hub
            .all(
                "SELECT coalesce(p.merged_into, p.uid) FROM person_record r JOIN person p USING (uid) \
                 WHERE r.kind = 'recipient_claim' AND r.origin = ?1",
                [code.as_str()],
                |row| row.get(0),
            )?
            .into_iter()
            .collect();
        let here: BTreeSet<String> = centre
            .all("SELECT uid FROM recipient WHERE uid IS NOT NULL", [], |row| row.get(0))?
            .into_iter()
            .collect();
        shown += here.len();
        foreign += here.difference(&own).count();
        let rows = centre.count("SELECT count(*) FROM recipient", [])?;
        let brought = centre.count("SELECT count(*) FROM svod_sent WHERE kind = 'recipient_claim'", [])?;
        foreign += usize::try_from(rows.saturating_sub(brought)).unwrap_or(usize::MAX);
    }
    Ok(Fact {
        id: "only_own_people",
        held: shown > 0 && foreign == 0,
        evidence: json!({"centres": world.centres().count(), "persons_shown": shown, "foreign": foreign}),
    })
}

/// A plain SQL client cannot change a locked row.
fn lock_refused(world: &World) -> Result<Fact, WorldError> {
    let db = world.layout.centre_db(1);
    let row = "SELECT id FROM svod_record WHERE kind = 'recipient' AND state = 'locked' ORDER BY id LIMIT 1";
    let id = Reader::open(&db)?.one(row, [], |row| row.get::<_, String>(0))?.unwrap_or_default();
    let sql = "UPDATE recipient SET surname = 'Чужая' WHERE id = ?1";
    let error = fill::open(&db)?.execute(sql, [&id]).err().map(|error| error.to_string());
    let changed = Reader::open(&db)?
        .count("SELECT count(*) FROM recipient WHERE id = ?1 AND surname = 'Чужая'", [&id])?;
    Ok(Fact {
        id: "lock_refused",
        held: error.is_some() && changed == 0 && !id.is_empty(),
        evidence: json!({"db": db, "table": "recipient", "id": id, "sql": sql, "error": error}),
    })
}

fn contract_arrived(world: &World, acts: &Acts) -> Result<Fact, WorldError> {
    let packet = acts::contract_packet(world, &acts.contract)?;
    Ok(Fact {
        id: "contract_arrived",
        held: packet.is_some(),
        evidence: json!({
            "centre": centre_code(acts.contract.centre).as_str(), "id": acts.contract.id, "packet": packet,
        }),
    })
}

fn correction_locked_twice(world: &World, acts: &Acts) -> Result<Fact, WorldError> {
    let packets = acts::correction_packets(world, &acts.correction)?;
    let centres: Vec<String> = acts.correction.centres.iter().map(|n| centre_code(*n).to_string()).collect();
    // the value's source is the hub, and what the centres state is kept beside it
    let hub_db = world.layout.hub_db();
    let source = Reader::open(&hub_db)?.one(
        "SELECT origin FROM field_source WHERE uid = ?1 AND field = ?2",
        [acts.correction.uid.as_str(), acts::CORRECTED_FIELD],
        |row| row.get::<_, String>(0),
    )?;
    let person = world.hub(&["person", "show", &acts.correction.uid])?;
    let fields = person["fields"].as_array().into_iter().flatten();
    let field = fields.clone().find(|field| field["field"] == acts::CORRECTED_FIELD);
    let losing = field.and_then(|field| field["losing"].as_array()).into_iter().flatten();
    let losing_of: BTreeSet<&str> = losing.filter_map(|value| value["centre"].as_str()).collect();
    let kept =
        !losing_of.is_empty() && losing_of.iter().all(|code| centres.iter().any(|centre| centre == code));
    let of_hub = source.as_deref() == Some(fixtures::places::hub_code().as_str());
    Ok(Fact {
        id: "correction_locked_twice",
        held: packets.len() == 2 && packets.iter().all(Option::is_some) && of_hub && kept,
        evidence: json!({
            "uid": acts.correction.uid, "field": acts::CORRECTED_FIELD, "centres": centres, "packets": packets,
            "source": source, "losing_of": losing_of,
        }),
    })
}

/// A locked row changed with its triggers dropped has its value and its lock again.
fn tamper_restored(world: &World, acts: &Acts) -> Result<Fact, WorldError> {
    let tampered = &acts.tampered;
    let same = acts::surname(world, tampered)?.as_ref() == Some(&tampered.honest);
    let db = world.layout.centre_db(tampered.centre);
    let sql = "UPDATE recipient SET surname = 'Чужая' WHERE id = ?1";
    let locked = fill::open(&db)?.execute(sql, [&tampered.id]).is_err();
    Ok(Fact {
        id: "tamper_restored",
        held: same && locked,
        evidence: json!({
            "centre": centre_code(tampered.centre).as_str(), "table": "recipient", "id": tampered.id,
            "value_restored": same, "locked_again": locked,
        }),
    })
}
