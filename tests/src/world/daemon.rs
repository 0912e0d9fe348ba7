//! A daemon that runs, and that never outlives its owner.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    WorldError,
    programs::{Programs, Who},
    wait::{Look, until},
};

/// How long a daemon may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Every daemon of a world. A clone is the same set, so that the one who gets a signal can end them all.
#[derive(Debug, Clone, Default)]
pub struct Daemons(Arc<Mutex<Set>>);

#[derive(Debug, Default)]
struct Set {
    running: Vec<Daemon>,
    /// Set by a signal: nothing starts any more.
    forbidden: bool,
}

#[derive(Debug)]
struct Daemon {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Daemons {
    /// Starts `run` of a daemon; what it says besides its log goes to `<directory>/<who>.err`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, programs: &Programs, who: Who, name: &str, config: &Path) -> Result<(), WorldError> {
        let dir = config.parent().unwrap_or(Path::new("."));
        let said = dir.join("daemon.err");
        let file = File::options().create(true).append(true).open(&said).map_err(WorldError::file(&said))?;
        let mut command = programs.command(who);
        command.args(["run".as_ref(), "--config".as_ref(), config.as_os_str()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let mut set = self.lock();
        if set.forbidden {
            return Err(WorldError::Died { who: name.to_owned(), exit: "interrupted".to_owned(), log: said });
        }
        let child = command.spawn().map_err(WorldError::file(command.get_program()))?;
        set.running.push(Daemon { name: name.to_owned(), log: said, child });
        Ok(())
    }

    /// Tells if one that should run has ended.
    ///
    /// # Errors
    /// [`WorldError::Died`].
    pub fn check(&self) -> Result<(), WorldError> {
        let mut set = self.lock();
        if set.forbidden {
            let exit = "interrupted".to_owned();
            return Err(WorldError::Died { who: "the world".to_owned(), exit, log: PathBuf::new() });
        }
        for daemon in &mut set.running {
            if let Some(status) = daemon.child.try_wait().map_err(WorldError::file(&daemon.log))? {
                let said = std::fs::read_to_string(&daemon.log).unwrap_or_default();
                let last = said.lines().rev().take(3).collect::<Vec<_>>().join(" | ");
                return Err(WorldError::Died {
                    who: daemon.name.clone(),
                    exit: format!("{status}: {last}"),
                    log: daemon.log.clone(),
                });
            }
        }
        Ok(())
    }

    /// The process number of a daemon.
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.lock().running.iter().find(|daemon| daemon.name == name).map(|daemon| daemon.child.id())
    }

    /// Ends one daemon at once, as a power cut would (SIGKILL).
    pub fn kill(&self, name: &str) {
        let daemons = &mut self.lock().running;
        if let Some(at) = daemons.iter().position(|daemon| daemon.name == name) {
            end(&mut daemons.remove(at).child);
        }
    }

    /// Ends all of them at once.
    pub fn kill_all(&self) {
        for mut daemon in self.lock().running.drain(..) {
            end(&mut daemon.child);
        }
    }

    /// Ends all of them at once and lets nothing start any more: whoever works with them gets an error.
    pub fn forbid(&self) {
        self.lock().forbidden = true;
        self.kill_all();
    }

    /// Asks all of them to end (SIGTERM), and ends those that do not.
    ///
    /// # Errors
    /// Those of waiting; the daemons have ended all the same.
    pub fn stop_all(&self) -> Result<(), WorldError> {
        for daemon in &self.lock().running {
            terminate(&daemon.child);
        }
        let stopped = until("the daemons to end", STOP_LIMIT, || {
            let daemons = &mut self.lock().running;
            daemons.retain_mut(|daemon| !matches!(daemon.child.try_wait(), Ok(Some(_))));
            let names: Vec<&str> = daemons.iter().map(|daemon| daemon.name.as_str()).collect();
            Ok(if names.is_empty() { Look::Reached(()) } else { Look::NotYet(names.join(", ")) })
        });
        self.kill_all();
        stopped
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SIGTERM. A process that has gone already needs none.
fn terminate(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
}

/// SIGKILL, and reaps. A process that has gone already needs none.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Kills all daemons of its set when it goes.
#[derive(Debug)]
pub struct KillOnDrop(pub Daemons);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill_all();
    }
}
