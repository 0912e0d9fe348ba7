//! SITE WAIT n: the answer comes when `out` gains a file (250) or after n seconds (200). Ours: a spoke learns at
//! once that something has come, without asking again and again.

use std::time::Duration;

use super::refuse;
use crate::edges::ftps_server::session::{Session, Step};

/// The longest wait, seconds: an idle connection through a firewall lives at least so long.
const MAX_WAIT_S: u64 = 60;

impl Session {
    pub(in super::super) fn wait(seconds: &str) -> Step {
        match seconds.parse() {
            Ok(seconds) if seconds <= MAX_WAIT_S => Step::Wait(Duration::from_secs(seconds)),
            _ => refuse(501, "SITE WAIT takes 0 to 60 seconds"),
        }
    }
}
