//! A whole region at once: the initial loads of all centres at one hub, its publications back, and then hours of
//! changes, with what the kernel says of every process.
//!
//! All daemons are processes of this machine, so that what it shows is the hub *and* all of its centres on its cores.

use std::{
    fmt::Write as _,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use exchange_endpoint::messages::{Lang, Value, text};
use serde::Serialize;

use super::{
    latency::name,
    measure::{Spread, commit, cpu, open_files, rss_kb},
    stage::filled,
};
use crate::world::{
    Programs, World, WorldError,
    bring_up::{Way, centre_name},
    fill,
    read::Reader,
    toml_edit::set_key,
};

/// Between two looks at what is on its way.
const LOOK: Duration = Duration::from_millis(20);
/// Of so many changes one is a new recipient, which comes back locked; the others are contacts, which are answered.
const ONE_IN: usize = 10;

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// An empty directory.
    pub dir: &'a Path,
    /// Number of centres.
    pub centres: usize,
    /// Recipients in each.
    pub recipients: usize,
    /// How long changes go on after the initial load.
    pub soak: Duration,
    /// Changes a second, of all centres together.
    pub rate: f64,
    /// How packets travel.
    pub way: Way,
}

/// What was measured (docs/CLI_JSON.md §Bench).
#[derive(Debug, Serialize)]
pub struct Load {
    bench: &'static str,
    commit: String,
    centres: usize,
    /// Recipients in each centre.
    n: usize,
    /// All centres start at once, until the hub has everything.
    #[serde(rename = "load")]
    initial: Stage,
    /// `svod-hub merge`.
    merge: Stage,
    /// Until every centre has applied what is published to it.
    publish: Stage,
    /// Changes, one after another, of all centres in turn.
    soak: Option<Soak>,
}

#[derive(Debug, Serialize)]
struct Stage {
    wall_s: f64,
    records: u64,
    records_per_s: f64,
    /// At the end of it.
    after: Sample,
}

/// What the kernel says at one moment.
#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    hub: Usage,
    /// Of all centres together.
    centres: Usage,
    /// Of the centre that has the most.
    centre_rss_kb: u64,
    centre_open_files: u64,
}

/// Of one process, or of several.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Usage {
    rss_kb: u64,
    open_files: u64,
    /// So far.
    cpu_s: f64,
}

#[derive(Debug, Serialize)]
struct Soak {
    wall_s: f64,
    changes: usize,
    /// From a contact changed by another program until its protocol is at the centre, s.
    answered: Spread,
    /// From a recipient inserted by another program until it is locked there, s.
    locked: Option<Spread>,
    /// One a minute, the first when the changes begin.
    minutes: Vec<Sample>,
    /// The last quarter of the minutes against the first one, each its mean.
    growth: Growth,
}

#[derive(Debug, Serialize)]
struct Growth {
    hub_rss: f64,
    hub_open_files: f64,
    centres_rss: f64,
    centres_open_files: f64,
}

/// Measures.
///
/// # Errors
/// Those of [`World`]: a daemon that ends, a state that is not reached.
pub fn measure(plan: &Plan, programs: Programs) -> Result<Load, WorldError> {
    let (world, expected) = filled(plan.dir, programs, plan.centres, plan.recipients, plan.way)?;
    if plan.way == Way::Ftps {
        // here all centres come from one address; and each holds a connection while it waits
        let room = (2 * plan.centres).max(64).to_string();
        for key in ["max_connections", "max_connections_per_address"] {
            set_key(&world.layout.hub_config(), "ftps", key, &room)?;
        }
    }
    let received = "SELECT count(*) FROM received";
    let initial = stage(&world, received, || {
        world.start()?;
        world.wait_loaded(&expected, &mut |_| ())
    })?;
    let merge = stage(&world, "SELECT count(*) FROM person", || world.hub(&["merge"]).map(drop))?;
    let publish = stage(&world, "SELECT count(*) FROM publication", || world.wait_settled(&mut |_| ()))?;
    let soak = if plan.soak.is_zero() { None } else { Some(soak(&world, plan)?) };
    world.daemons.check()?;
    let (centres, n) = (plan.centres, plan.recipients);
    Ok(Load { bench: "load", commit: commit(), centres, n, initial, merge, publish, soak })
}

/// Does `what` and counts what stands at the hub then.
fn stage(
    world: &World,
    count: &str,
    what: impl FnOnce() -> Result<(), WorldError>,
) -> Result<Stage, WorldError> {
    let begun = Instant::now();
    what()?;
    let wall_s = begun.elapsed().as_secs_f64();
    let records = Reader::open(&world.layout.hub_db())?.count(count, [])?;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let records_per_s = records as f64 / wall_s;
    Ok(Stage { wall_s, records, records_per_s, after: sample(world) })
}

fn sample(world: &World) -> Sample {
    let of = |name: &str| {
        let pid = world.daemons.pid(name).unwrap_or_default();
        let cpu_s = cpu(pid).unwrap_or_default().as_secs_f64();
        Usage { rss_kb: rss_kb(pid).unwrap_or(0), open_files: open_files(pid).unwrap_or(0), cpu_s }
    };
    let each: Vec<Usage> = world.centres().map(|(n, _)| of(&centre_name(n))).collect();
    let centres = each.iter().fold(Usage::default(), |all, one| Usage {
        rss_kb: all.rss_kb + one.rss_kb,
        open_files: all.open_files + one.open_files,
        cpu_s: all.cpu_s + one.cpu_s,
    });
    Sample {
        hub: of("hub"),
        centres,
        centre_rss_kb: each.iter().map(|one| one.rss_kb).max().unwrap_or(0),
        centre_open_files: each.iter().map(|one| one.open_files).max().unwrap_or(0),
    }
}

/// A change on its way.
struct Probe {
    centre: usize,
    begun: Instant,
    what: Change,
}

enum Change {
    /// A contact: its row, and the version that was sent before.
    Contact(String, u64),
    /// A new recipient: its row.
    Recipient(String),
}

/// Changes at the plan's rate until its time is over, and then until the last one is answered.
fn soak(world: &World, plan: &Plan) -> Result<Soak, WorldError> {
    let begun = Instant::now();
    let (mut answered, mut locked, mut minutes) = (Vec::new(), Vec::new(), vec![sample(world)]);
    let mut open: Vec<Probe> = Vec::new();
    let mut made = 0;
    while begun.elapsed() < plan.soak || !open.is_empty() {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 changes")]
        let due = begun.elapsed() < plan.soak && begun.elapsed().as_secs_f64() * plan.rate >= made as f64;
        if due {
            open.push(change(world, made % plan.centres + 1, made)?);
            made += 1;
        }
        let mut waiting = Vec::new();
        for probe in open {
            let took = probe.begun.elapsed();
            if !arrived(world, &probe)? {
                if took > world.patience {
                    let (what, seen) = (format!("a change of centre {}", probe.centre), "nothing".to_owned());
                    return Err(WorldError::TimedOut { what, after: world.patience, seen });
                }
                waiting.push(probe);
                continue;
            }
            match probe.what {
                Change::Contact(..) => answered.push(took.as_secs_f64()),
                Change::Recipient(_) => locked.push(took.as_secs_f64()),
            }
        }
        open = waiting;
        if begun.elapsed().as_secs() / 60 >= minutes.len() as u64 {
            world.daemons.check()?;
            minutes.push(sample(world));
        }
        if !due {
            thread::sleep(LOOK);
        }
    }
    minutes.push(sample(world));
    Ok(Soak {
        wall_s: begun.elapsed().as_secs_f64(),
        changes: made,
        answered: Spread::of(&answered),
        locked: (!locked.is_empty()).then(|| Spread::of(&locked)),
        growth: Growth::of(&minutes),
        minutes,
    })
}

/// One change by another program.
fn change(world: &World, centre: usize, made: usize) -> Result<Probe, WorldError> {
    let db = world.layout.centre_db(centre);
    let connection = fill::open(&db)?;
    let contact = "SELECT s.id, max(t.version) FROM svod_record s JOIN svod_sent t ON t.kind = s.kind AND t.key = s.key \
                   WHERE s.kind = 'contact' GROUP BY s.id ORDER BY s.id LIMIT 1 OFFSET ?1";
    let reader = Reader::open(&db)?;
    let rows = reader.count("SELECT count(*) FROM contact", [])?;
    let offset = (made / world.centres().count()) as u64 % rows.max(1);
    let found = reader.one(contact, [offset.cast_signed()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    let begun = Instant::now();
    let what = match found {
        Some((id, version)) if !made.is_multiple_of(ONE_IN) => {
            let sql = "UPDATE contact SET note = ?2 WHERE id = ?1";
            connection.execute(sql, [&id, &format!("запись {made}")]).map_err(WorldError::sql(&db))?;
            Change::Contact(id, version)
        }
        _ => {
            let id = format!("bench-{made}");
            let sql = "INSERT INTO recipient (id, surname, given, patronymic, birth_date, sex, address_live) \
                       VALUES (?1, ?2, ?3, 'Замеровна', date('1920-01-01', ?4), 'Ж', 'с. Замерное, д. ' || ?1)";
            let born = format!("+{} days", made * 97 % 25_000);
            let (surname, given) = (name(made), name(made + 100_000));
            connection.execute(sql, [&id, &surname, &given, &born]).map_err(WorldError::sql(&db))?;
            Change::Recipient(id)
        }
    };
    Ok(Probe { centre, begun, what })
}

/// Whether the centre has what it waits for.
fn arrived(world: &World, probe: &Probe) -> Result<bool, WorldError> {
    let db = world.layout.centre_db(probe.centre);
    let reader = Reader::open(&db)?;
    let count = match &probe.what {
        Change::Contact(id, version) => {
            let sql = "SELECT count(*) FROM svod_record s JOIN svod_sent t ON t.kind = s.kind AND t.key = s.key \
                       JOIN svod_packet p ON p.direction = 'out' AND p.epoch = t.epoch AND p.seq = t.seq \
                       WHERE s.kind = 'contact' AND s.id = ?1 AND t.version > ?2 AND p.answered_at IS NOT NULL";
            reader.count(sql, (id, version.cast_signed()))?
        }
        Change::Recipient(id) => {
            let sql =
                "SELECT count(*) FROM svod_record WHERE kind = 'recipient' AND id = ?1 AND state = 'locked'";
            reader.count(sql, [id])?
        }
    };
    Ok(count > 0)
}

impl Growth {
    fn of(minutes: &[Sample]) -> Self {
        let quarter = minutes.len().div_ceil(4);
        let (first, last) = (&minutes[..quarter], &minutes[minutes.len() - quarter..]);
        let ratio = |of: fn(&Sample) -> u64| {
            let sum = |samples: &[Sample]| samples.iter().map(of).sum::<u64>();
            #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
            let ratio = sum(last) as f64 / sum(first).max(1) as f64;
            ratio
        };
        Self {
            hub_rss: ratio(|sample| sample.hub.rss_kb),
            hub_open_files: ratio(|sample| sample.hub.open_files),
            centres_rss: ratio(|sample| sample.centres.rss_kb),
            centres_open_files: ratio(|sample| sample.centres.open_files),
        }
    }
}

impl Load {
    /// For people.
    pub fn text(&self, lang: Lang) -> String {
        let say = |id: &str, values: &[(&str, String)]| {
            let values: Vec<(&str, Value<'_>)> =
                values.iter().map(|(name, value)| (*name, Value::from(value.as_str()))).collect();
            text(lang, id, &values)
        };
        let mut told = format!("load: {} × {}", self.centres, self.n);
        let stages =
            [("bench-load", &self.initial), ("bench-merge", &self.merge), ("bench-publish", &self.publish)];
        for (id, stage) in stages {
            let Stage { wall_s, records, records_per_s, after } = stage;
            let line = say(
                id,
                &[
                    ("seconds", format!("{wall_s:.1}")),
                    ("records", records.to_string()),
                    ("rate", format!("{records_per_s:.0}")),
                ],
            );
            let _ = write!(told, "\n{line}\n  {}", say("bench-usage", &usage(after)));
        }
        if let Some(soak) = &self.soak {
            let minutes = format!("{:.0}", soak.wall_s / 60.0);
            let line = say("bench-soak", &[("minutes", minutes), ("changes", soak.changes.to_string())]);
            let _ = write!(
                told,
                "\n{line}\n  {}",
                say("bench-answered", &[("value", soak.answered.to_string())])
            );
            if let Some(locked) = soak.locked {
                let _ = write!(told, "\n  {}", say("bench-locked", &[("value", locked.to_string())]));
            }
            let Growth { hub_rss, hub_open_files, centres_rss, centres_open_files } = soak.growth;
            let values = [
                ("hub", format!("{hub_rss:.3}")),
                ("hubfiles", format!("{hub_open_files:.3}")),
                ("centres", format!("{centres_rss:.3}")),
                ("centresfiles", format!("{centres_open_files:.3}")),
            ];
            let _ = write!(told, "\n  {}", say("bench-growth", &values));
        }
        told
    }
}

fn usage(sample: &Sample) -> Vec<(&'static str, String)> {
    let Sample { hub, centres, centre_rss_kb, centre_open_files } = sample;
    vec![
        ("hub", (hub.rss_kb / 1024).to_string()),
        ("hubfiles", hub.open_files.to_string()),
        ("hubcpu", format!("{:.1}", hub.cpu_s)),
        ("centres", (centres.rss_kb / 1024).to_string()),
        ("one", (centre_rss_kb / 1024).to_string()),
        ("onefiles", centre_open_files.to_string()),
        ("centrescpu", format!("{:.1}", centres.cpu_s)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_last_quarter_against_the_first() {
        let sample = |rss_kb| {
            let usage = Usage { rss_kb, open_files: 10, cpu_s: 0.0 };
            Sample { hub: usage, centres: usage, centre_rss_kb: rss_kb, centre_open_files: 10 }
        };
        let samples: Vec<Sample> = [100, 100, 150, 150, 180, 180, 200, 220].map(sample).into();
        let growth = Growth::of(&samples);
        assert!((growth.hub_rss - 2.1).abs() < 1e-9 && (growth.hub_open_files - 1.0).abs() < 1e-9);
    }
}
