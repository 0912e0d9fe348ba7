//! What was counted when the register was last weighed as a whole: values under numbers that bear no text. Of a packet tens of
//! thousands are asked for, each on another page of a large table: a connection that asks for so many holds them all.

use super::{Result, Tx};

/// From so many on that a connection has asked for it holds all: a command asks for a few, a daemon with each packet.
const MANY: u32 = 4096;

/// The row that tells what stands in all others, so that what is held is known to be what stands there.
const SUM: i64 = i64::MIN;

/// By how many of its first bits a key is looked for.
const BITS: u32 = 16;

/// The counts that a connection holds, between its transactions too.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Whether the transaction that is open has compared [`Held::sum`] with the table's.
    compared: bool,
    /// By which [`SUM`] they were read; `None`: a program has counted that does not write it, and nothing is held.
    sum: Option<i64>,
    /// How many were asked for one by one.
    asked: u32,
    /// In order, and how often each was counted: twelve bytes for each, of a million records 8 MB.
    keys: Vec<i64>,
    times: Vec<u32>,
    /// Of the keys that begin with the same [`BITS`] bits the place of the first: keys are anywhere, so that these are few.
    begin: Vec<usize>,
}

impl Held {
    /// Something else may stand in the table by now.
    pub(super) fn distrust(&mut self) {
        self.compared = false;
    }

    fn compare(&mut self, sum: Option<i64>) {
        if self.sum != sum {
            *self = Self { sum, ..Self::default() };
        }
        self.compared = true;
    }

    /// Holds `all`, in the order of the keys.
    fn hold(&mut self, all: Vec<(i64, u32)>) {
        (self.keys, self.times) = all.into_iter().unzip();
        let first = |bits| self.keys.partition_point(|key| first_bits(*key) < bits);
        self.begin = (0..=1 << BITS).map(first).collect();
    }

    fn times(&self, key: i64) -> u32 {
        let bits = first_bits(key);
        let (from, to) = (self.begin[bits], self.begin[bits + 1]);
        self.keys[from..to].binary_search(&key).map_or(0, |at| self.times[from + at])
    }
}

/// The first [`BITS`] bits of a key, so that they are in the order of the keys.
fn first_bits(key: i64) -> usize {
    usize::try_from((key.cast_unsigned() ^ (1 << 63)) >> (u64::BITS - BITS)).expect("sixteen bits")
}

impl Tx<'_> {
    /// How often something was counted when the register was last weighed as a whole.
    pub fn counted(&self, key: i64) -> Result<u32> {
        let mut held = self.counts.borrow_mut();
        if !held.compared {
            held.compare(self.value("SELECT n FROM counted WHERE key = ?1", [SUM])?);
        }
        if held.keys.is_empty() && held.sum.is_some() {
            held.asked += 1;
            if held.asked > MANY {
                let all = "SELECT key, n FROM counted WHERE key <> ?1 ORDER BY key";
                let all = self.rows(all, [SUM], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?)))?;
                held.hold(all);
            }
        }
        if held.keys.is_empty() {
            return Ok(self.value("SELECT n FROM counted WHERE key = ?1", [key])?.unwrap_or(0));
        }
        Ok(held.times(key))
    }

    /// Replaces all that was counted.
    pub fn set_counted(&self, counts: impl Iterator<Item = (i64, u32)>) -> Result<()> {
        self.counts.borrow_mut().distrust();
        self.run("DELETE FROM counted", [])?;
        let mut sum = 0_i64;
        for (key, n) in counts {
            self.run("INSERT OR REPLACE INTO counted(key, n) VALUES(?1, ?2)", [key, i64::from(n)])?;
            let mixed = (key ^ i64::from(n).rotate_left(40)).wrapping_mul(0x1E37_79B9_7F4A_7C15);
            sum = sum.wrapping_add(mixed ^ (mixed >> 29));
        }
        self.run("INSERT INTO counted(key, n) VALUES(?1, ?2)", [SUM, sum])?;
        Ok(())
    }
}
