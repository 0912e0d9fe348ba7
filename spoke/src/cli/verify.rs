//! `verify`: does the database say what the hub signed?

use clap::Args;
use exchange_endpoint::{
    config::Config,
    instance::InstanceError,
    messages::{self, Told},
    output::{CommonArgs, Exit, Failure, Lang},
};
use jiff::Timestamp;

use crate::{
    database::verify::{Damage, Fault},
    edges::{
        SpokeError,
        audit::{self, Audit},
        config::SpokeConfig,
        station::{self, Station},
    },
};

/// Verification.
#[derive(Debug, Args)]
pub struct Verify {
    /// Put right what was altered, while the daemon is stopped: a running one does so by itself
    #[arg(long)]
    restore: bool,
}

impl Verify {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let config = super::config(common)?;
        let looked =
            || -> Result<Audit, SpokeError> { audit::look_only(&config, &station::open_to_look(&config)?) };
        let is_damaged = |audit: &Audit| audit.found.iter().any(|one| one.fault == Fault::DatabaseDamaged);
        // no restoring makes up for pages that are gone
        let before = if self.restore { Some(looked()?).filter(is_damaged) } else { Some(looked()?) };
        let audit = if let Some(audit) = before {
            audit
        } else {
            audit::audit(&mut own(config)?, true, Timestamp::now())?
        };
        common.print(&audit, |lang| text(lang, &audit))?;
        Ok(if audit.left.is_empty() { Exit::Done } else { Exit::False })
    }
}

/// The centre, for this command alone. A daemon that has it does by itself what is asked for.
fn own(config: Config<SpokeConfig>) -> Result<Station, Failure> {
    Station::open(config).map_err(|error| {
        let owned = matches!(error, SpokeError::Instance(InstanceError::Owned { .. }));
        let failure = Failure::from(error);
        if owned { failure.because("todo", Told::of("spoke-verify-owned", &[])) } else { failure }
    })
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
    let proof = &audit.digest;
    let args = [
        ("packet", proof.packet.clone().unwrap_or_else(|| "—".to_owned()).into()),
        ("why", messages::word(lang, "digest", proof.why.as_deref().unwrap_or_default()).into()),
    ];
    lines.push(messages::text(lang, &format!("spoke-verify-digest-{}", proof.proven), &args));
    if !audit.incidents.is_empty() {
        lines.push(messages::text(lang, "spoke-status-incidents", &[("n", audit.incidents.len().into())]));
        lines.extend(audit.incidents.iter().map(|one| super::incident_line(lang, one)));
    }
    lines.join("\n")
}

fn line(lang: Lang, damage: &Damage) -> String {
    let words = messages::text(lang, &format!("spoke-fault-{}", audit::fault_code(damage.fault)), &[]);
    let columns = damage.columns.join(", ");
    let columns = if columns.is_empty() { columns } else { format!("({columns})") };
    let place = [damage.table.as_str(), damage.id.as_str(), columns.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}: {words}", place.join(" "))
}
