//! `verify`: does the database say what the hub signed?

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
    watermark::{Stream, Watermark},
};
use jiff::Timestamp;

use crate::{
    database::verify::Damage,
    edges::{
        SpokeError,
        audit::{self, Audit},
        station::{self, Station, WATERMARK},
    },
};

/// Verification.
#[derive(Debug, Args)]
pub struct Verify {
    /// Put right what was altered; a running daemon does so by itself
    #[arg(long)]
    restore: bool,
}

impl Verify {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let audit = if self.restore {
            audit::audit(&mut Station::open(config)?, true, Timestamp::now())?
        } else {
            let connection = station::open_to_look(&config)?;
            let key = station::hub_card(&config)?.content.signing_key;
            let watermark = Watermark::open(&config.path(&config.keys).join(WATERMARK))?;
            let marks = exchange_format::stream::Watermark {
                sealed: watermark.get(config.hub, Stream::Sealed),
                applied: watermark.get(config.hub, Stream::Applied),
            };
            let snapshot = connection.unchecked_transaction().map_err(SpokeError::from)?;
            let (found, publications) = audit::look(&snapshot, config.code, config.hub, &key, &marks)?;
            Audit { whole: found.is_empty(), publications, left: found.clone(), found, restored: false }
        };
        common.print(&audit, |lang| text(lang, &audit))?;
        Ok(if audit.left.is_empty() { Exit::Done } else { Exit::False })
    }
}

fn text(lang: Lang, audit: &Audit) -> String {
    let mut lines: Vec<String> = audit.found.iter().map(|damage| line(lang, damage)).collect();
    let id = match (audit.whole, audit.restored, audit.left.is_empty()) {
        (true, ..) => "spoke-verify-whole",
        (false, true, true) => "spoke-verify-restored",
        (false, true, false) => "spoke-verify-left",
        (false, false, _) => "spoke-verify-damaged",
    };
    lines.push(messages::text(
        lang,
        id,
        &[
            ("n", audit.publications.into()),
            ("found", audit.found.len().into()),
            ("left", audit.left.len().into()),
        ],
    ));
    lines.join("\n")
}

fn line(lang: Lang, damage: &Damage) -> String {
    let words = messages::text(lang, &format!("spoke-fault-{}", audit::fault_code(damage.fault)), &[]);
    format!("{} {}: {words}", damage.table, damage.id)
}
