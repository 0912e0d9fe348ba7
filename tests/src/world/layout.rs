//! Where everything lies in a city's directory (docs/CLI_JSON.md §Layout of a city).

use std::path::{Path, PathBuf};

use exchange_format::participant::ParticipantCode;
use fixtures::places::{centre_code, hub_code};

/// The paths of a city.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The city below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory of the city.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the hub.
    pub fn hub(&self) -> PathBuf {
        self.root.join("hub")
    }

    /// The hub's configuration.
    pub fn hub_config(&self) -> PathBuf {
        self.hub().join("svod-hub.toml")
    }

    /// The hub's database.
    pub fn hub_db(&self) -> PathBuf {
        self.hub().join("hub.db")
    }

    /// The hub's card.
    pub fn hub_card(&self) -> PathBuf {
        self.hub().join(format!("{}.card", hub_code()))
    }

    /// A centre's folder in the hub's mailbox: `in` or `out`.
    pub fn mailbox(&self, code: ParticipantCode, folder: &str) -> PathBuf {
        self.hub().join("ftp").join(code.as_str()).join(folder)
    }

    /// The directory of the `n`th centre, from 1.
    pub fn centre(&self, n: usize) -> PathBuf {
        self.root.join(format!("centre-{n}"))
    }

    /// The `n`th centre's configuration.
    pub fn centre_config(&self, n: usize) -> PathBuf {
        self.centre(n).join("svod-spoke.toml")
    }

    /// The `n`th centre's database.
    pub fn centre_db(&self, n: usize) -> PathBuf {
        self.centre(n).join("centre.db")
    }

    /// The `n`th centre's card.
    pub fn centre_card(&self, n: usize) -> PathBuf {
        self.centre(n).join(format!("{}.card", centre_code(n)))
    }

    /// The file with the FTPS password of the `n`th centre.
    pub fn centre_password(&self, n: usize) -> PathBuf {
        self.centre(n).join("keys").join("ftps.password")
    }

    /// The truth about who is who.
    pub fn truth(&self) -> PathBuf {
        self.root.join("city").join("truth.csv")
    }

    /// What the demonstration found.
    pub fn demo_json(&self) -> PathBuf {
        self.root.join("demo.json")
    }
}
