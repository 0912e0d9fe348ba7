//! What speaks for and against two records being of one person, field by field, so that staff can see it.

use std::fmt;

use super::{
    clusters::Doubtful,
    model::{STRANGER, TWIN},
    register::Register,
};

/// What one field says. Personal data: prints redacted.
#[derive(Clone, PartialEq)]
pub struct Said {
    /// The field of the model.
    pub field: usize,
    /// How the two values agree: a level of its kind.
    pub level: &'static str,
    /// Bits for one person, against the likeliest other explanation; negative: against one person.
    pub bits: f64,
    /// What was compared: both values as they are read; empty where that is no text.
    pub read: [String; 2],
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:+.1} [redacted]", self.field, self.level, self.bits)
    }
}

/// Why two records are taken for one person, or are not.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// log2 of the odds that it is one person.
    pub bits: f64,
    /// The likeliest other explanation: twins, relatives or strangers.
    pub rival: usize,
    /// What is to be said before any field was looked at: how much more frequent than the rival one person is among pairs.
    pub before: f64,
    /// Why they are never linked without asking.
    pub barred: Option<Doubtful>,
    /// One had died before the other first applied: they are never one person, whatever the fields say.
    pub dead_before: bool,
    /// The fields that both records have, the weightiest first.
    pub said: Vec<Said>,
}

impl Register {
    /// Explains what records `a` and `b` are to each other.
    pub fn explain(&self, a: u32, b: u32) -> Explanation {
        let (a, b) = (a.min(b), a.max(b));
        let (levels, weight) = (self.compare(a, b), self.weigh(a, b));
        let rival = weight.rival;
        let bits = self.evidence(a, b, &levels, rival);
        let of_field = |(at, field): (usize, &super::model::Field)| {
            let level = field.kind.levels().get(usize::from(levels[at]).checked_sub(1)?)?;
            Some(Said { field: at, level, bits: bits[at], read: [a, b].map(|n| self.reads(n, at)) })
        };
        let mut said: Vec<Said> = self.model.fields.iter().enumerate().filter_map(of_field).collect();
        said.sort_by(|x, y| y.bits.abs().total_cmp(&x.bits.abs()).then(x.field.cmp(&y.field)));
        let shares = self.shares();
        Explanation {
            bits: weight.bits,
            rival,
            before: shares[0] - shares[rival.clamp(TWIN, STRANGER)],
            barred: self.barred(a, b, &levels),
            dead_before: self.is_dead_before(a, b),
            said,
        }
    }
}
