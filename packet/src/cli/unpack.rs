//! `unpack`: the members as files, personal data in the clear.

use std::path::PathBuf;

use clap::Args;
use exchange_endpoint::{
    messages,
    output::{CommonArgs, Exit, Failure},
};
use exchange_format::lists::Lists;

use crate::{
    cards::Cards,
    examination::{self, Verdict},
    given::Given,
    unpacking::{self, UnpackError},
};

/// From where to where.
#[derive(Debug, Args)]
pub struct Unpack {
    /// The packet
    file: PathBuf,
    /// Where to: a directory that is not there yet, or is empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A file of age keys that the packet may be sealed to; may be repeated
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Unpack only if verify with these cards proves the packet; may be repeated
    #[arg(long, value_name = "DIR")]
    trust: Vec<PathBuf>,
}

impl Unpack {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<Exit, Failure> {
        let identities = super::identities(&self.key)?;
        let given = Given::read(&self.file)?;
        let cards = Cards::read(&self.trust)?;
        if !self.trust.is_empty() {
            let report = examination::verify(&given, &cards, &identities, Lists::shipped())?;
            if report.verdict != Verdict::Proven {
                return Err(Failure::new(Exit::Refused, "unpack-not-proven").because("file", given.called()));
            }
        }
        let proven = !self.trust.is_empty();
        let unpacked =
            unpacking::unpack(&given, &identities, &self.out, proven).map_err(|error| match error {
                UnpackError::Packet(error) => super::refused(common.lang, &given, &error),
                UnpackError::Failure(failure) => failure,
            })?;
        common.print(&unpacked, |lang| {
            let args = [("n", unpacked.files.len().into()), ("dir", self.out.display().to_string().into())];
            let proof = if proven { "unpack-proven" } else { "unpack-unproven" };
            let mut lines =
                vec![messages::text(lang, "unpack-done", &args), messages::text(lang, proof, &[])];
            lines.extend(unpacked.files.iter().map(|file| format!("  {file}")));
            lines.join("\n")
        })?;
        Ok(Exit::Done)
    }
}
