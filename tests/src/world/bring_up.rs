//! From nothing to daemons that exchange: keys and cards, enrolment, rows, configurations with free ports.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    net::TcpListener,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use exchange_format::{card::Card, participant::ParticipantCode};
use fixtures::{
    city::{City, CityPlan},
    places::{OKTMO, centre_code, hub_code},
};
use serde_json::Value;

use super::{
    Layout, Programs, WorldError,
    daemon::{Daemons, KillOnDrop},
    fill::fill,
    programs::Who,
    toml_edit::{set_key, set_table},
};

/// How packets travel between a centre and the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Way {
    /// The hub's FTPS server.
    #[default]
    Ftps,
    /// A folder that both can reach.
    Directory,
}

/// What world to make.
#[derive(Debug, Clone)]
pub struct WorldPlan {
    /// An empty directory, or one that does not exist.
    pub dir: PathBuf,
    /// The people.
    pub city: CityPlan,
    /// The mailbox.
    pub way: Way,
    /// Longest wait for one state.
    pub patience: Duration,
}

impl WorldPlan {
    /// Refuses a directory in which something lies.
    ///
    /// # Errors
    /// [`WorldError::NotEmpty`].
    pub fn refuse_full_directory(&self) -> Result<(), WorldError> {
        let full = fs::read_dir(&self.dir).is_ok_and(|mut entries| entries.next().is_some());
        if full { Err(WorldError::NotEmpty(self.dir.clone())) } else { Ok(()) }
    }
}

/// A city on this machine. Its daemons end when it goes.
#[derive(Debug)]
pub struct World {
    /// Where everything lies.
    pub layout: Layout,
    /// The daemons' programs.
    pub programs: Programs,
    /// The daemons that run.
    pub daemons: Daemons,
    /// Longest wait for one state.
    pub patience: Duration,
    /// How packets travel.
    pub way: Way,
    /// The control port of the hub's FTPS server.
    pub ftps_port: u16,
    /// Who each record is of: centre and row id → person.
    pub truth: BTreeMap<(ParticipantCode, String), usize>,
    centres: usize,
    _end: KillOnDrop,
}

impl World {
    /// Makes hub and centres, enrols them with each other, and fills the centres' databases. Nothing runs yet.
    ///
    /// # Errors
    /// [`WorldError::NotEmpty`]; what a command says.
    pub fn make(plan: &WorldPlan, programs: Programs, daemons: Daemons) -> Result<Self, WorldError> {
        plan.refuse_full_directory()?;
        fs::create_dir_all(&plan.dir).map_err(WorldError::file(&plan.dir))?;
        let dir = fs::canonicalize(&plan.dir).map_err(WorldError::file(&plan.dir))?;
        let world = Self {
            layout: Layout::new(dir),
            programs,
            patience: plan.patience,
            way: plan.way,
            ftps_port: free_port()?,
            truth: BTreeMap::new(),
            centres: plan.city.centres,
            _end: KillOnDrop(daemons.clone()),
            daemons,
        };
        let hub = world.init_hub()?;
        for (n, code) in world.centres() {
            world.enrol(n, code, &hub)?;
        }
        Ok(world)
    }

    /// The hub's keys, database and configuration, with a free port; returns the fingerprint of its card.
    fn init_hub(&self) -> Result<String, WorldError> {
        let dir = self.layout.hub();
        let code = hub_code();
        let args: [&OsStr; 7] = [
            "init".as_ref(),
            "--dir".as_ref(),
            dir.as_ref(),
            "--code".as_ref(),
            code.as_str().as_ref(),
            "--oktmo".as_ref(),
            OKTMO.as_ref(),
        ];
        let answer = self.programs.json(Who::Hub, &args)?;
        let listen = format!("\"127.0.0.1:{}\"", self.ftps_port);
        set_key(&self.layout.hub_config(), "ftps", "listen", &listen)?;
        if self.way == Way::Directory {
            // nothing announces a file in a folder
            set_key(&self.layout.hub_config(), "exchange", "scan_ms", "100")?;
        }
        fingerprint(&answer, "hub init")
    }

    /// A centre's keys and database, its card at the hub, its mailbox.
    fn enrol(&self, n: usize, code: ParticipantCode, hub_fingerprint: &str) -> Result<(), WorldError> {
        let layout = &self.layout;
        let (dir, hub_card) = (layout.centre(n), layout.hub_card());
        let args: [&OsStr; 9] = [
            "init".as_ref(),
            "--dir".as_ref(),
            dir.as_ref(),
            "--code".as_ref(),
            code.as_str().as_ref(),
            "--hub-card".as_ref(),
            hub_card.as_ref(),
            "--hub-fingerprint".as_ref(),
            hub_fingerprint.as_ref(),
        ];
        let answer = self.programs.json(Who::Spoke, &args)?;
        let fingerprint = fingerprint(&answer, "spoke init")?;
        let password = layout.centre_password(n);
        let mut file = fs::OpenOptions::new();
        let file = file.write(true).create_new(true).mode(0o600).open(&password);
        file.and_then(|mut file| writeln!(file, "{}", new_password()?))
            .map_err(WorldError::file(&password))?;
        let (card, password) = (layout.centre_card(n), password.to_string_lossy().into_owned());
        self.hub(&[
            "centre",
            "add",
            "--card",
            &card.to_string_lossy(),
            "--fingerprint",
            &fingerprint,
            "--password-file",
            &password,
        ])?;
        set_table(&layout.centre_config(n), "mailbox", &self.mailbox(n, code))
    }

    /// The machine of the `n`th centre is gone, with its keys and all that it held: it is shut out, and another one,
    /// with new keys and an empty database, is enrolled under its code. What is left of the old one stays beside it.
    ///
    /// # Errors
    /// [`WorldError`] of the commands and files.
    pub fn replace_machine(&self, n: usize) -> Result<(), WorldError> {
        let (dir, code) = (self.layout.centre(n), centre_code(n));
        fs::rename(&dir, dir.with_extension("former")).map_err(WorldError::file(&dir))?;
        self.hub(&["centre", "disable", code.as_str(), "--reason", "погибла машина"])?;
        let card = self.layout.hub_card();
        let told =
            Card::from_bytes(&fs::read(&card).map_err(WorldError::file(&card))?).expect("the hub's own card");
        self.enrol(n, code, &told.fingerprint())
    }

    /// The `[mailbox]` of a centre's configuration.
    fn mailbox(&self, n: usize, code: ParticipantCode) -> Vec<String> {
        let layout = &self.layout;
        let quoted = |path: PathBuf| format!("{:?}", path.to_string_lossy());
        match self.way {
            Way::Directory => {
                let folder = layout.hub().join("ftp").join(code.as_str());
                vec!["kind = \"directory\"".to_owned(), format!("path = {}", quoted(folder))]
            }
            Way::Ftps => vec![
                "kind = \"ftps\"".to_owned(),
                "host = \"127.0.0.1\"".to_owned(),
                format!("port = {}", self.ftps_port),
                format!("user = \"{code}\""),
                format!("password_file = {}", quoted(layout.centre_password(n))),
                format!("ca_file = {}", quoted(layout.hub().join("pki").join("ca.pem"))),
            ],
        }
    }

    /// A correction by the hub's staff.
    ///
    /// # Errors
    /// [`WorldError::Command`].
    pub fn correct(&self, uid: &str, field: &str, value: &str) -> Result<(), WorldError> {
        self.hub(&["person", "set", uid, field, value, "--reason", "показ"]).map(drop)
    }

    /// Lets a centre check its rows against what the hub signed; it mends what it finds.
    ///
    /// # Errors
    /// [`WorldError`] of starting the command; what it finds is no error here.
    pub fn verify(&self, n: usize) -> Result<(), WorldError> {
        let config = self.layout.centre_config(n);
        let args: [&OsStr; 3] = ["verify".as_ref(), "--config".as_ref(), config.as_ref()];
        self.programs.output(Who::Spoke, &args).map(drop)
    }

    /// Fills the centres' databases with the people of a city and writes the truth beside them.
    ///
    /// # Errors
    /// A database or file cannot be written.
    pub fn fill(&mut self, city: &City) -> Result<(), WorldError> {
        thread::scope(|scope| {
            let fill = |(n, centre)| {
                let db = self.layout.centre_db(n);
                scope.spawn(move || fill(&db, centre))
            };
            let workers: Vec<_> = (1..).zip(&city.centres).map(fill).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("filling does not panic"))
        })?;
        let truth = self.layout.truth();
        let dir = truth.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(WorldError::file(dir))?;
        fs::write(&truth, city.truth_csv()).map_err(WorldError::file(&truth))?;
        self.truth = city.truth.iter().map(|t| ((t.centre, t.row.to_string()), t.entity)).collect();
        Ok(())
    }

    /// The centres: number from 1, and code.
    pub fn centres(&self) -> impl Iterator<Item = (usize, ParticipantCode)> + use<> {
        (1..=self.centres).map(|n| (n, centre_code(n)))
    }

    /// Starts the hub.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_hub(&self) -> Result<(), WorldError> {
        self.daemons.start(&self.programs, Who::Hub, "hub", &self.layout.hub_config())
    }

    /// Starts the `n`th centre.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_centre(&self, n: usize) -> Result<(), WorldError> {
        self.daemons.start(&self.programs, Who::Spoke, &centre_name(n), &self.layout.centre_config(n))
    }

    /// Starts everybody.
    ///
    /// # Errors
    /// One cannot be started.
    pub fn start(&self) -> Result<(), WorldError> {
        self.start_hub()?;
        self.centres().try_for_each(|(n, _)| self.start_centre(n))
    }

    /// A command of the hub that must be done; its JSON.
    ///
    /// # Errors
    /// [`WorldError::Command`].
    pub fn hub(&self, args: &[&str]) -> Result<Value, WorldError> {
        let config = self.layout.hub_config();
        let config = config.to_string_lossy();
        self.programs.json(Who::Hub, &[args, &["--config", &config]].concat())
    }

    /// A command of the `n`th centre that must be done; its JSON.
    ///
    /// # Errors
    /// [`WorldError::Command`].
    pub fn spoke(&self, n: usize, args: &[&str]) -> Result<Value, WorldError> {
        let config = self.layout.centre_config(n);
        let config = config.to_string_lossy();
        self.programs.json(Who::Spoke, &[args, &["--config", &config]].concat())
    }
}

/// The password with which a centre logs in.
fn new_password() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hex::encode(bytes))
}

fn fingerprint(answer: &Value, command: &str) -> Result<String, WorldError> {
    let text = answer["fingerprint"].as_str().map(str::to_owned);
    text.ok_or_else(|| WorldError::Answer { command: command.to_owned(), missing: "fingerprint" })
}

/// The name under which a centre's daemon is known here.
pub fn centre_name(n: usize) -> String {
    format!("centre-{n}")
}

/// A free port of the loopback. Another program might take it before its user does; then that one ends with an error.
pub(crate) fn free_port() -> Result<u16, WorldError> {
    let port = || TcpListener::bind(("127.0.0.1", 0))?.local_addr();
    port().map(|address| address.port()).map_err(WorldError::file("127.0.0.1:0"))
}
