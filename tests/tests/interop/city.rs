//! A server with two centres in a temp folder.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use exchange_endpoint::mailbox::{FtpsMailbox, FtpsSettings};
use jiff::civil::{Date, date};
use svod_hub::edges::ftps_server::{
    Account, Accounts, Announcer, Binding, FtpsConfig, FtpsServer, Uploaded, hash_password_with,
};
use svod_hub::edges::pki::CityCa;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub const A: &str = "7700012";
pub const B: &str = "7700029";
pub const PASSWORD: &str = "open sesame";
pub const TODAY: Date = date(2026, 11, 22);
/// Nothing here takes so long; a test that hangs ends.
pub const LONG: Duration = Duration::from_secs(20);

pub struct City {
    pub dir: tempfile::TempDir,
    pub ca: CityCa,
    pub address: SocketAddr,
    pub announcer: Announcer,
    pub events: mpsc::UnboundedReceiver<Uploaded>,
    /// The centres' logins, which the hub's staff may change.
    pub accounts: Logins,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

struct Table(Logins);

type Logins = Arc<Mutex<BTreeMap<String, Account>>>;

impl Accounts for Table {
    fn account(&self, login: &str) -> Option<Account> {
        self.0.lock().expect("not poisoned").get(login).cloned()
    }
}

/// Limits short enough for tests that reach them.
pub fn config() -> FtpsConfig {
    FtpsConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), failure_delay_ms: 1, ..FtpsConfig::default() }
}

impl City {
    pub async fn start() -> Self {
        Self::with(config(), |_, _| {}).await
    }

    /// `change` may change the accounts before the server starts.
    pub async fn with(config: FtpsConfig, change: impl Fn(&mut Account, &CityCa)) -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let pki = dir.path().join("pki");
        let ca = CityCa::make(&pki, TODAY).expect("a CA");
        let identity = ca.issue_server(&pki, &[]).expect("a certificate");
        let mut accounts = BTreeMap::new();
        for code in [A, B] {
            let home = dir.path().join("ftp").join(code);
            for folder in ["in", "out"] {
                fs::create_dir_all(home.join(folder)).expect("folder");
            }
            let mut account = Account {
                centre: code.into(),
                password_hash: hash_password_with(PASSWORD, 8, 1).expect("hashed"),
                home,
                quarantine: dir.path().join("quarantine").join(code),
                client_certificate: None,
                certificate_required: false,
                binding: Binding::default(),
            };
            change(&mut account, &ca);
            accounts.insert(code.to_owned(), account);
        }
        let accounts = Logins::new(Mutex::new(accounts));
        let table = Arc::new(Table(accounts.clone()));
        let (server, events) = FtpsServer::bind(config, identity, table).await.expect("listens");
        let address = server.local_addr().expect("address");
        let announcer = server.announcer();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self { dir, ca, address, announcer, events, accounts, stop: Some(stop), server: Some(server) }
    }

    pub async fn stop(&mut self) {
        drop(self.stop.take());
        self.server.take().expect("running").await.expect("stops");
    }

    pub fn home(&self, code: &str) -> PathBuf {
        self.dir.path().join("ftp").join(code)
    }

    pub fn inbox(&self, name: &str) -> PathBuf {
        self.home(A).join("in").join(name)
    }

    pub fn out(&self, name: &str) -> PathBuf {
        self.home(A).join("out").join(name)
    }

    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("pki/ca.pem")
    }

    /// A file with `length` bytes that do not repeat soon.
    pub fn file(&self, name: &str, length: usize) -> PathBuf {
        let path = self.dir.path().join(name);
        let bytes: Vec<u8> =
            (0..length as u64).map(|n| n.wrapping_mul(0x9E37_79B9).to_be_bytes()[5]).collect();
        fs::write(&path, bytes).expect("written");
        path
    }

    pub fn settings(&self, user: &str) -> FtpsSettings {
        FtpsSettings {
            host: "127.0.0.1".into(),
            port: self.address.port(),
            server_name: "localhost".into(),
            user: user.into(),
            password: PASSWORD.to_owned().into(),
            ca_pem: self.ca.pem().into(),
            client: None,
            timeout: LONG,
        }
    }

    pub fn mailbox(&self, user: &str) -> FtpsMailbox {
        FtpsMailbox::new(self.settings(user)).expect("settings")
    }

    /// The next event, which must be there or come soon.
    pub async fn event(&mut self) -> Uploaded {
        tokio::time::timeout(LONG, self.events.recv()).await.expect("in time").expect("server runs")
    }

    pub fn no_event(&mut self) {
        assert!(self.events.try_recv().is_err(), "there was an event");
    }
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("folder");
    let mut names: Vec<_> =
        entries.map(|e| e.expect("entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}
