//! The command line of `svod-hub` (docs/CLI_JSON.md): arguments in, operations of `edges` carried out, their
//! results told as text or JSON.

mod words;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use exchange_endpoint::{
    config::Config,
    instance::InstanceError,
    logging,
    output::{CommandLine, CommonArgs, Exit, Failure, run_main},
    protocol::ProtocolCommand,
};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use serde_json::json;

use crate::edges::{
    config::HubConfig,
    event_loop::{self, RunError},
    hub::{self, Hub},
    operations::{enrol, merge, people, review_table, reviews, status},
};

/// The hub of a city's exchange
#[derive(Debug, Parser)]
#[command(name = "svod-hub", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

impl CommandLine for Cli {
    fn common(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a hub: configuration, keys, certificates, database, card
    Init {
        /// Where
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// The hub's participant code
        #[arg(long, value_name = "CODE")]
        code: String,
        /// Its name for people
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// ОКТМО of the municipality, 8 digits: part of case numbers
        #[arg(long, value_name = "OKTMO")]
        oktmo: Option<String>,
        /// Address on which the FTPS server listens
        #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
        ftps_host: String,
        /// Its port
        #[arg(long, value_name = "PORT", default_value_t = 2121)]
        ftps_port: u16,
    },
    /// The centres
    #[command(subcommand)]
    Centre(CentreCommand),
    /// Run the daemon
    Run,
    /// Merge and publish the initial loads that wait
    Merge {
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// How the exchange is
    Status,
    /// One person
    #[command(subcommand)]
    Person(PersonCommand),
    /// Who serves whom
    #[command(subcommand)]
    Service(ServiceCommand),
    /// What waits for staff
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Protocols of exchange
    #[command(subcommand)]
    Protocol(ProtocolCommand),
}

#[derive(Debug, Subcommand)]
enum CentreCommand {
    /// Enrol a centre, or take its new card and password
    Add {
        /// Its card
        #[arg(long, value_name = "FILE")]
        card: PathBuf,
        /// The card's fingerprint, told on another way
        #[arg(long, value_name = "HEX")]
        fingerprint: String,
        /// A file with its FTPS password
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// All centres
    List,
    /// Shut a centre out
    Disable {
        /// Its code
        code: String,
    },
    /// The hub's own card
    Card,
}

#[derive(Debug, Subcommand)]
enum PersonCommand {
    /// Values, where each comes from, and what lost
    Show {
        /// uid or case number
        person: String,
    },
    /// Enter the hub's own value; an empty one says that there is none
    Set {
        /// uid or case number
        person: String,
        /// The field
        field: String,
        /// The value
        value: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Confirm that a centre serves a person: it then gets the whole person
    Confirm {
        /// The centre's code
        centre: String,
        /// uid or case number
        person: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
enum ReviewCommand {
    /// Open questions
    List {
        /// Write them as a table to fill in
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
    },
    /// Carry out the answers of a filled-in table
    Apply {
        /// The table
        file: PathBuf,
    },
}

/// Runs the command line `args` (the program's name first).
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_main::<Cli>(args, |cli| carry_out(&cli))
}

fn carry_out(cli: &Cli) -> Result<Exit, Failure> {
    let (common, now) = (&cli.common, Timestamp::now());
    if let Command::Init { dir, code, name, oktmo, ftps_host, ftps_port } = &cli.command {
        let code = participant(code)?;
        let default = format!("ТКЦ {code}");
        let told = enrol::init(
            &enrol::NewHub {
                dir,
                code,
                name: name.as_deref().unwrap_or(&default),
                oktmo: oktmo.as_deref(),
                listen: &format!("{ftps_host}:{ftps_port}"),
            },
            now,
        )?;
        common.print(&told, |lang| words::card(lang, &told))?;
        return Ok(Exit::Done);
    }
    let config: Config<HubConfig> = Config::load(common.config_file()?)?;
    if let Command::Protocol(command) = &cli.command {
        return command.run(common, &config.path(&config.protocols));
    }
    let mut hub = hub::open(&config)?;
    match &cli.command {
        Command::Run => run_daemon(hub, &config)?,
        Command::Centre(command) => centre(common, &mut hub, &config, command, now)?,
        Command::Merge { dry_run } => {
            let report = merge::merge(&mut hub, *dry_run, now)?;
            common.print(&report, |lang| words::merge(lang, &report))?;
        }
        Command::Status => {
            let status = status::status(&mut hub, now)?;
            common.print(&status, |lang| words::status(lang, &status))?;
        }
        Command::Person(command) => person(common, &mut hub, command, now)?,
        Command::Service(ServiceCommand::Confirm { centre, person, reason }) => {
            let done = people::confirm_service(&mut hub, participant(centre)?, person, reason, now)?;
            common.print(&done, |lang| words::changed(lang, &done))?;
        }
        Command::Review(command) => review(common, &mut hub, command, now)?,
        Command::Init { .. } | Command::Protocol(_) => return Err(Failure::bug(&"carried out above")),
    }
    Ok(Exit::Done)
}

fn participant(text: &str) -> Result<ParticipantCode, Failure> {
    text.parse().map_err(|error| Failure::new(Exit::Usage, "hub-code").told("detail", error))
}

fn run_daemon(hub: Hub, config: &Config<HubConfig>) -> Result<(), Failure> {
    logging::start(&config.log.filter, Some(&config.path(&config.log.file)))?;
    event_loop::run(hub, config).map_err(|error| match error {
        RunError::Instance(error @ (InstanceError::Owned { .. } | InstanceError::Io { .. })) => error.into(),
        RunError::Hub(error) => error.into(),
        other => Failure::new(Exit::Temporary, "hub-start").told("detail", other),
    })
}

fn centre(
    common: &CommonArgs,
    hub: &mut Hub,
    config: &Config<HubConfig>,
    command: &CentreCommand,
    now: Timestamp,
) -> Result<(), Failure> {
    match command {
        CentreCommand::Add { card, fingerprint, password_file } => {
            let told = enrol::add_centre(hub, card, fingerprint, password_file, now)?;
            common.print(&told, |lang| words::centre(lang, &told))
        }
        CentreCommand::List => {
            let all = enrol::centres(hub)?;
            common.print(&json!({ "centres": all }), |lang| words::centres(lang, &all))
        }
        CentreCommand::Disable { code } => {
            let told = enrol::disable_centre(hub, participant(code)?, now)?;
            common.print(&told, |lang| words::centre(lang, &told))
        }
        CentreCommand::Card => {
            let told = enrol::card(hub, config);
            common.print(&told, |lang| words::card(lang, &told))
        }
    }
}

fn person(
    common: &CommonArgs,
    hub: &mut Hub,
    command: &PersonCommand,
    now: Timestamp,
) -> Result<(), Failure> {
    match command {
        PersonCommand::Show { person } => {
            let told = people::show(hub, person, now)?;
            common.print(&told, |lang| words::person(lang, &told))
        }
        PersonCommand::Set { person, field, value, reason } => {
            let done = people::set(hub, person, field, value, reason, now)?;
            common.print(&done, |lang| words::changed(lang, &done))
        }
    }
}

fn review(
    common: &CommonArgs,
    hub: &mut Hub,
    command: &ReviewCommand,
    now: Timestamp,
) -> Result<(), Failure> {
    match command {
        ReviewCommand::List { out } => {
            let all = reviews::list(hub, now)?;
            if let Some(path) = out {
                let rows: Vec<Vec<String>> = all.iter().map(reviews::ReviewTold::cells).collect();
                review_table::write(path, &rows)?;
                return common.print(&json!({"reviews": all.len(), "file": path}), |lang| {
                    words::review_file(lang, all.len(), path)
                });
            }
            common.print(&json!({ "reviews": all }), |lang| words::reviews(lang, &all))
        }
        ReviewCommand::Apply { file } => {
            let answers = review_table::read(file)?;
            let done = reviews::apply(hub, &answers, now)?;
            common.print(&done, |lang| words::decided(lang, &done))
        }
    }
}
