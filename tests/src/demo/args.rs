//! The command line of `svod-demo`.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use exchange_endpoint::output::{CommandLine, CommonArgs};
use fixtures::city::CityPlan;

use crate::world::bring_up::{Way, WorldPlan};

/// Brings up a synthetic city of real processes, lets it exchange, and shows what holds. All people are invented.
#[derive(Debug, Clone, Parser)]
#[command(name = "svod-demo", version)]
pub struct DemoArgs {
    /// What every program takes.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Build the city here and keep it; else in a temporary directory that is removed
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The same seed gives the same people
    #[arg(long, default_value_t = 442)]
    pub seed: u64,
    /// Number of centres; with one there is nothing to exchange between
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(2..=200))]
    pub centres: u64,
    /// Records of recipients in each centre
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u64).range(40..=1_000_000))]
    pub recipients: u64,
    /// How packets travel
    #[arg(long, value_enum, default_value_t)]
    pub mailbox: Way,
    /// Longest wait for one state, seconds
    #[arg(long, default_value_t = 600)]
    pub patience: u64,
}

impl CommandLine for DemoArgs {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

impl DemoArgs {
    /// The world asked for, in `dir`.
    pub fn plan(&self, dir: PathBuf) -> WorldPlan {
        let size = |n: u64| usize::try_from(n).expect("limited by the command line");
        WorldPlan {
            dir,
            city: CityPlan {
                seed: self.seed,
                centres: size(self.centres),
                recipients: size(self.recipients),
            },
            way: self.mailbox,
            patience: Duration::from_secs(self.patience),
        }
    }
}
