//! A packet of 500 people against a register: stored, linked, persons and publications brought up to date, committed durably.
//! Once against a register of 12,000 records and once against a large one, for a packet should cost what it brings.
//!
//! The registers are filled and merged by the hub's own functions over its own database, without an exchange. What is measured is
//! the transaction in which a packet is taken in; opening its envelope and judging its place in the stream is not of it: that
//! costs the same whatever the register.

use std::{
    collections::BTreeSet,
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
    decisions::case_number::CaseNumbering,
    edges::register::Register,
};

use super::measure::{Spread, commit, cpu};

/// Records of a packet.
const PACKET: usize = 500;
/// Recipients of each of six centres in the small register.
const SMALL: usize = 2000;
const CENTRES: usize = 6;
/// Recipients of each centre that are made and stored at a time.
const LOT: usize = 10_000;
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
    /// Of the records of all packets those that became one person with another record.
    linked: usize,
}

/// Measures `runs` packets against a register of `recipients` for each of six centres, and as many against the small one.
///
/// # Errors
/// The database.
pub fn measure(dir: &Path, recipients: usize, runs: usize) -> Result<Arrivals, Failure> {
    let small = side(&dir.join("small.db"), SMALL, runs)?;
    let large = side(&dir.join("large.db"), recipients, runs)?;
    let ratio_median = large.wall.median / small.wall.median;
    let (n, commit) = (recipients, commit());
    Ok(Arrivals { bench: "packet", n, commit, packet: PACKET, large, small, ratio_median })
}

fn side(path: &Path, recipients: usize, runs: usize) -> Result<Side, Failure> {
    let mut bench = Bench { store: Store::create(path)?, numbering: numbering()? };
    let (records, arriving) = bench.fill(recipients, runs * PACKET)?;
    let (mut wall_s, mut spent, mut linked) = (Vec::new(), Duration::ZERO, 0);
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
    }
    let cpu_s = spent.as_secs_f64() / f64::from(u32::try_from(wall_s.len().max(1)).unwrap_or(u32::MAX));
    Ok(Side { records, wall: Spread::of(&wall_s), wall_s, cpu_s, linked })
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
                second_signature: false,
                actor: "bench",
                now: Timestamp::UNIX_EPOCH,
            })
        })
    }

    /// Fills the register, merges and publishes it; how many records it has, and those that are still to arrive: from a centre
    /// of their own, half of them of people who are known, as far as there are any.
    fn fill(&mut self, recipients: usize, arriving: usize) -> Result<(usize, Vec<Arriving>), Failure> {
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
        let (mut stored, mut later) = (0, Vec::new());
        let (all, mut seed) = (recipients * CENTRES, SEED);
        while stored < all {
            let share = (arriving * LOT.min(recipients)).div_ceil(recipients);
            // enough for those who arrive later too
            let of_lot = LOT.min((all - stored).div_ceil(CENTRES)) + share.div_ceil(CENTRES);
            let city = City::generate(CityPlan { seed, centres: CENTRES, recipients: of_lot });
            seed += 1;
            let (mut now, held) = parted(&city, share.min(arriving - later.len()), seed);
            now.truncate(all - stored);
            stored += now.len();
            later.extend(held);
            self.within(|register| now.iter().try_for_each(|one| one.store(register).map(|_| ())))?;
        }
        let centres = (1..=CENTRES).map(centre_code).collect();
        self.within(|register| {
            register.first_model()?;
            let weighing = register.index_all(true)?;
            let affected = register.settle(weighing.ids(), Some(&weighing))?.affected;
            drop(weighing);
            register.confirm_all(&affected, &centres, "bench")?;
            for uid in &affected {
                register.republish(*uid)?;
            }
            Ok(())
        })?;
        Ok((stored, later))
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
            let Side { records, wall, cpu_s, linked, .. } = side;
            format!("  {name}: records {records}, s {wall}, cpu_s {cpu_s:.3}, linked {linked}")
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
        let side =
            side(&dir.path().join("hub.db"), 100, 1).map_err(|error| error.to_string()).expect("measured");
        assert_eq!((side.records, side.wall_s.len()), (600, 1));
        assert!(side.linked > 20 && side.linked < PACKET, "{}", side.linked);
    }
}
