//! A packet of 500 people against a register: stored, linked, persons and publications brought up to date, committed durably.
//! Once against a register of 12,000 records and once against a large one, for a packet should cost what it brings.
//!
//! The registers are filled and merged by the hub's own functions over its own database, without an exchange. What is measured is
//! the transaction in which a packet is taken in; opening its envelope and judging its place in the stream is not of it: that
//! costs the same whatever the register.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use exchange_endpoint::output::Failure;
use exchange_format::{
    lists::Lists,
    participant::ParticipantCode,
    position::Digest,
    record::{Body, Form, Kind, RecordId},
};
use fixtures::{
    city::{City, CityPlan},
    places::centre_code,
};
use jiff::Timestamp;
use serde::Serialize;
use svod_hub::{
    database::{
        Store,
        centres::{Centre, ClientCertificate},
        received::{Arrived, ClaimId, Standing},
    },
    decisions::{case_number::CaseNumbering, merge::Model},
    edges::register::{Affected, Register},
};

use super::measure::{Spread, commit, cpu};
use crate::world::WorldError;

/// Records of a packet.
const PACKET: usize = 500;
/// Recipients of each of six centres in the small register.
const SMALL: usize = 2000;
const CENTRES: usize = 6;
/// Recipients of each centre that are made and stored at a time.
const LOT: usize = 10_000;
/// Claims that are settled, and persons that are published, in one transaction.
const TOGETHER: usize = 200_000;
/// The pages that are held while a register is filled, KiB.
const CACHE: u32 = 3_000_000;
const SEED: u64 = 5000;

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Arrivals {
    bench: &'static str,
    /// Recipients of each of six centres in the large register.
    n: usize,
    commit: String,
    /// Records of a packet.
    packet: usize,
    large: Side,
    small: Side,
    /// Median of the large over median of the small register.
    ratio_median: f64,
}

/// Against one register.
#[derive(Debug, Serialize)]
struct Side {
    records: usize,
    /// Seconds of each packet, from its first record to the durable end of the transaction.
    wall_s: Vec<f64>,
    wall: Spread,
    /// CPU seconds of a packet, mean.
    cpu_s: f64,
    /// Seconds for which the log is folded into the database after a packet, as the daemon does when nothing is to be done.
    fold: Spread,
    /// Of the records of all packets those that became one person with another record.
    linked: usize,
}

/// Measures `runs` packets against a register of `recipients` for each of six centres, and as many against the small one. A
/// filled register stays in `keep`, and is taken from there by who measures the same again, if claims are still read as they were.
///
/// # Errors
/// The database; a file of `keep`.
pub fn measure(dir: &Path, recipients: usize, runs: usize, keep: Option<&Path>) -> Result<Arrivals, Failure> {
    let small = side(dir, SMALL, runs, keep)?;
    let large = side(dir, recipients, runs, keep)?;
    let ratio_median = large.wall.median / small.wall.median;
    let (n, commit) = (recipients, commit());
    Ok(Arrivals { bench: "packet", n, commit, packet: PACKET, large, small, ratio_median })
}

fn side(dir: &Path, recipients: usize, runs: usize, keep: Option<&Path>) -> Result<Side, Failure> {
    // what was read by another way to read is read anew with each packet: that is not to be measured
    let name = format!("{recipients}-{runs}-{:016x}.db", Model::recipients().read_by());
    let path = dir.join(&name);
    let kept = keep.map_or_else(|| path.clone(), |keep| keep.join(&name));
    let arriving = if kept.exists() {
        cities(recipients, runs * PACKET).flat_map(|(_, later)| later).collect()
    } else {
        let filling = kept.with_extension("filling");
        // of a run that was ended on its way
        let _ = fs::remove_file(&filling);
        let mut bench = Bench { store: Store::create_unnoted(&filling)?, numbering: numbering()? };
        let arriving = bench.fill(recipients, runs * PACKET)?;
        bench.store.close()?;
        fs::rename(&filling, &kept).map_err(WorldError::file(&kept))?;
        arriving
    };
    if kept != path {
        fs::copy(&kept, &path).map_err(WorldError::file(&path))?;
    }
    let mut bench = Bench { store: Store::open(&path)?, numbering: numbering()? };
    let (mut wall_s, mut fold_s, mut spent, mut linked) = (Vec::new(), Vec::new(), Duration::ZERO, 0);
    let pid = std::process::id();
    for packet in arriving.chunks(PACKET) {
        let before = cpu(pid).unwrap_or_default();
        let begun = Instant::now();
        let ids = bench.within(|register| {
            let mut ids = Vec::with_capacity(packet.len());
            for one in packet {
                ids.push(one.store(register)?);
            }
            register.take_in(&ids, &[])?;
            Ok(ids)
        })?;
        wall_s.push(begun.elapsed().as_secs_f64());
        spent += cpu(pid).unwrap_or_default().saturating_sub(before);
        linked += bench.linked(&ids)?;
        let begun = Instant::now();
        bench.store.checkpoint()?;
        fold_s.push(begun.elapsed().as_secs_f64());
    }
    drop(bench);
    fs::remove_file(&path).map_err(WorldError::file(&path))?;
    let cpu_s = spent.as_secs_f64() / f64::from(u32::try_from(wall_s.len().max(1)).unwrap_or(u32::MAX));
    let (records, fold) = (recipients * CENTRES, Spread::of(&fold_s));
    Ok(Side { records, wall: Spread::of(&wall_s), wall_s, cpu_s, fold, linked })
}

fn numbering() -> Result<CaseNumbering, Failure> {
    CaseNumbering::new("42", "32701000").map_err(|error| Failure::bug(&error))
}

/// A claim on its way.
struct Arriving {
    origin: ParticipantCode,
    key: RecordId,
    body: Vec<u8>,
}

impl Arriving {
    fn store(&self, register: &Register<'_>) -> Result<ClaimId, Failure> {
        let arrived = Arrived {
            origin: self.origin,
            kind: Kind::RecipientClaim,
            key: self.key,
            version: 1,
            form: Form::Live,
            hash: Digest::of(&self.body),
            body: &self.body,
            outcome: "new",
            rule: None,
            packet: "bench",
            standing: Standing::Applied,
            keep_basis: false,
        };
        let known = register.tx.known(self.origin, Kind::RecipientClaim, self.key)?.map(|known| known.id);
        Ok(register.tx.store_received(known, &arrived)?.unwrap_or_default())
    }
}

struct Bench {
    store: Store,
    numbering: CaseNumbering,
}

impl Bench {
    fn within<T>(&mut self, work: impl FnOnce(&Register<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let numbering = &self.numbering;
        self.store.write(|tx| {
            work(&Register {
                tx,
                hub: ParticipantCode::new(42, 0),
                numbering,
                issued: 0,
                lists: Lists::shipped(),
                lists_digest: &Digest::of(b""),
                second_signature: false,
                actor: "bench",
                now: Timestamp::UNIX_EPOCH,
            })
        })
    }

    /// Fills the register, merges and publishes it; those that are still to arrive: from a centre of their own, half of them
    /// of people who are known, as far as there are any. Nothing of it is durable before the database is closed.
    fn fill(&mut self, recipients: usize, arriving: usize) -> Result<Vec<Arriving>, Failure> {
        self.store.hurry(CACHE)?;
        self.within(|register| {
            for n in 1..=CENTRES + 1 {
                let known = Centre {
                    code: centre_code(n),
                    name: String::new(),
                    card: String::new(),
                    fingerprint: String::new(),
                    password: String::new(),
                    certificate: ClientCertificate::None,
                    active: true,
                    merged: true,
                };
                register.tx.put_centre(&known, "1970-01-01T00:00:00Z")?;
            }
            Ok(())
        })?;
        let mut arrive = Vec::new();
        for (now, later) in cities(recipients, arriving) {
            arrive.extend(later);
            self.within(|register| now.iter().try_for_each(|one| one.store(register).map(|_| ())))?;
        }
        let weighing = self.within(|register| {
            register.first_model()?;
            Ok(register.index_all(true)?)
        })?;
        let ids: Vec<ClaimId> = weighing.ids().collect();
        let mut people = Affected::new();
        for ids in ids.chunks(TOGETHER) {
            people.extend(self.within(|register| {
                // with whom it is one it was settled before
                let mut new = Vec::with_capacity(ids.len());
                for id in ids {
                    if register.tx.uid_of(*id)?.is_none() {
                        new.push(*id);
                    }
                }
                Ok(register.settle(new, Some(&weighing))?.affected)
            })?);
        }
        drop(weighing);
        let centres = (1..=CENTRES).map(centre_code).collect();
        let people: Vec<RecordId> = people.into_iter().collect();
        for people in people.chunks(TOGETHER) {
            self.within(|register| {
                register.confirm_all(&people.iter().copied().collect(), &centres, "bench")?;
                Ok(people.iter().try_for_each(|uid| register.republish(*uid))?)
            })?;
        }
        self.store.write(|tx| Ok::<_, Failure>(tx.begin_noting()?))?;
        Ok(arrive)
    }

    /// How many of these claims are of a person who has another one.
    fn linked(&mut self, ids: &[ClaimId]) -> Result<usize, Failure> {
        self.store.read(|tx| {
            let mut linked = 0;
            for id in ids {
                if let Some(uid) = tx.uid_of(*id)? {
                    linked += usize::from(tx.claims_of(uid)?.len() > 1);
                }
            }
            Ok(linked)
        })
    }
}

/// The people of six centres with `recipients` each, lot by lot, and beside each lot those of them who arrive later,
/// `arriving` in all.
fn cities(recipients: usize, arriving: usize) -> impl Iterator<Item = (Vec<Arriving>, Vec<Arriving>)> {
    let (all, share) = (recipients * CENTRES, (arriving * LOT.min(recipients)).div_ceil(recipients));
    let (mut stored, mut held, mut seed) = (0, 0, SEED);
    std::iter::from_fn(move || {
        if stored == all {
            return None;
        }
        // enough for those who arrive later too
        let of_lot = LOT.min((all - stored).div_ceil(CENTRES)) + share.div_ceil(CENTRES);
        let city = City::generate(CityPlan { seed, centres: CENTRES, recipients: of_lot });
        seed += 1;
        let (mut now, later) = parted(&city, share.min(arriving - held), seed);
        now.truncate(all - stored);
        stored += now.len();
        held += later.len();
        Some((now, later))
    })
}

/// The recipients of a city but for `held`, and these: from one more centre, first those who have another record.
fn parted(city: &City, held: usize, lot: u64) -> (Vec<Arriving>, Vec<Arriving>) {
    let (mut seen, mut known, mut new) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut truth = city.truth.iter();
    let mut now = Vec::with_capacity(city.truth.len());
    for centre in &city.centres {
        let table = &centre.tables[0];
        for (at, row) in table.rows.iter().enumerate() {
            let entity = truth.next().map_or(0, |truth| truth.entity);
            let columns = table.columns.iter().zip(row).filter(|(column, _)| **column != "id");
            let mut body = Body::new(Kind::RecipientClaim);
            for (column, value) in columns {
                if let Some(value) = value {
                    body.set(column, value).expect("a column is a field");
                }
            }
            let name = Digest::of(format!("{lot} {} {at}", centre.code).as_bytes());
            let key = RecordId::from_random(name.as_bytes()[..16].try_into().expect("16 of 32 bytes"));
            let one = Arriving { origin: centre.code, key, body: body.to_xml() };
            let is_known = !seen.insert(entity);
            match (known.len() < held / 2, new.len() < held - held / 2) {
                (true, _) if is_known => known.push(one),
                (_, true) if !is_known => new.push(one),
                _ => now.push(one),
            }
        }
    }
    let more = (held - known.len() - new.len()).min(now.len());
    new.extend(now.split_off(now.len() - more));
    // each packet has of both
    let (mut known, mut new) = (known.into_iter(), new.into_iter());
    let mut later = Vec::with_capacity(held);
    loop {
        let before = later.len();
        later.extend(known.next());
        later.extend(new.next());
        if later.len() == before {
            break;
        }
    }
    for one in &mut later {
        one.origin = centre_code(CENTRES + 1);
    }
    (now, later)
}

impl Arrivals {
    /// For people.
    pub fn text(&self) -> String {
        let side = |name: &str, side: &Side| {
            let Side { records, wall, cpu_s, fold, linked, .. } = side;
            format!("  {name}: records {records}, s {wall}, cpu_s {cpu_s:.3}, fold {fold}, linked {linked}")
        };
        [
            format!("packet n=6×{} packet={} ({})", self.n, self.packet, self.commit),
            side("large", &self.large),
            side("small", &self.small),
            format!("  ratio_median: {:.2}", self.ratio_median),
        ]
        .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_arrive_at_registers_of_both_sizes_and_are_linked() {
        let dir = tempfile::tempdir().expect("a directory");
        let side = side(dir.path(), 100, 1, None).map_err(|error| error.to_string()).expect("measured");
        assert_eq!((side.records, side.wall_s.len()), (600, 1));
        assert!(side.linked > 20 && side.linked < PACKET, "{}", side.linked);
    }
}
