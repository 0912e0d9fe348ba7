//! A day begins, or the region's lists are others: whom that touches is published anew.

use jiff::Timestamp;

use super::{
    hub::{Hub, HubError},
    register::{self, RegisterError},
};

/// Persons that are published anew in one transaction: the exchange waits meanwhile.
const PAGE: u32 = 100;

impl Hub {
    /// Publishes anew some of those of whom something has become right, or a rule says otherwise, because a day has come
    /// ([`ahead`](crate::decisions::days::ahead)); everybody, if the clock had been ahead. Whether there was anybody: then there may be more.
    ///
    /// # Errors
    /// The database.
    pub fn follow_day(&mut self, now: Timestamp) -> Result<bool, HubError> {
        let today = register::day(now);
        // a look a second, a write a day
        let is_another = self.store.read(|tx| tx.judged_on())? != Some(today);
        if is_another && self.store.write(|tx| tx.judge_on(today))? {
            tracing::warn!("the clock had been ahead: what it made right before its day is looked at again");
        }
        let touched = self.store.read(|tx| tx.touched_by(today, PAGE))?;
        if touched.is_empty() {
            return Ok(false);
        }
        self.carry_out(|context, tx| {
            let register = context.register(tx, context.code.as_str(), now);
            for uid in &touched {
                if let Err(error) = tx.attempt(|| register.republish(*uid)) {
                    // whoever cannot be read keeps nobody else waiting
                    tracing::error!(person = %uid, "what the day changes could not be published; it is tried again tomorrow: {error}");
                    tx.set_day_ahead(*uid, today.tomorrow().ok())?;
                }
            }
            Ok::<_, RegisterError>(())
        })?;
        Ok(true)
    }

    /// Sees whether the region's lists are those of the last start; if not, whoever has a supplement is among those whom
    /// [`Self::follow_day`] publishes anew. Whether they are others.
    ///
    /// # Errors
    /// The database.
    pub fn follow_lists(&mut self) -> Result<bool, HubError> {
        let lists = self.context.lists_digest;
        let changed = self.store.write(|tx| Ok::<_, HubError>(tx.judge_by(&lists)?))?;
        if changed {
            tracing::info!(
                "the region's lists are others than at the last start: supplements are judged by them"
            );
        }
        Ok(changed)
    }
}
