//! The daemons' programs and their commands that end by themselves.

use std::{
    ffi::{OsStr, OsString},
    io::Read,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::WorldError;

/// Longest time that a command which is no daemon may take.
const COMMAND_LIMIT: Duration = Duration::from_mins(5);

/// Which daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// `svod-hub`.
    Hub,
    /// `svod-spoke`.
    Spoke,
}

/// Where the daemons' programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    hub: Vec<OsString>,
    spoke: Vec<OsString>,
}

impl Programs {
    /// One program that is both: `svod-demo hub …` and `svod-demo spoke …`.
    pub fn both_in(demo: impl Into<OsString>) -> Self {
        let demo = demo.into();
        Self { hub: vec![demo.clone(), "hub".into()], spoke: vec![demo, "spoke".into()] }
    }

    /// The programs of the variable `SVOD_BIN_DIR`, else both in `demo`.
    pub fn find(demo: impl Into<OsString>) -> Self {
        match std::env::var_os("SVOD_BIN_DIR").map(PathBuf::from) {
            Some(dir) => {
                Self { hub: vec![dir.join("svod-hub").into()], spoke: vec![dir.join("svod-spoke").into()] }
            }
            None => Self::both_in(demo),
        }
    }

    /// The start of a command line.
    pub fn command(&self, who: Who) -> Command {
        let words = match who {
            Who::Hub => &self.hub,
            Who::Spoke => &self.spoke,
        };
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Runs a command to its end, whatever the end.
    ///
    /// # Errors
    /// It could not be started, or took longer than five minutes and was killed.
    pub fn output<S: AsRef<OsStr>>(&self, who: Who, args: &[S]) -> Result<Output, WorldError> {
        let mut command = self.command(who);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let text = said(&command);
        let child = command.spawn().map_err(WorldError::file(command.get_program()))?;
        collect(child, &text)
    }

    /// Runs a command that must be done (exit code 0) and returns the JSON that it prints.
    ///
    /// # Errors
    /// [`WorldError::Command`] with what it said.
    pub fn json<S: AsRef<OsStr>>(&self, who: Who, args: &[S]) -> Result<Value, WorldError> {
        let mut with_format: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        with_format.extend(["--format", "json"].map(OsStr::new));
        let output = self.output(who, &with_format)?;
        let command = || format!("{who:?} {}", words(&with_format));
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(WorldError::Command { command: command(), exit: output.status.to_string(), stderr });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|_| WorldError::Answer { command: command(), missing: "JSON" })
    }
}

fn words(args: &[&OsStr]) -> String {
    args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn said(command: &Command) -> String {
    let args: Vec<&OsStr> = command.get_args().collect();
    format!("{} {}", command.get_program().to_string_lossy(), words(&args))
}

/// Waits for the end with both pipes drained, so that a talkative command cannot block.
fn collect(mut child: Child, text: &str) -> Result<Output, WorldError> {
    let out = drain(child.stdout.take().expect("piped"));
    let err = drain(child.stderr.take().expect("piped"));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().map_err(WorldError::file(text))? {
            Some(status) => break status,
            None if begun.elapsed() > COMMAND_LIMIT => {
                child.kill().and_then(|()| child.wait()).map_err(WorldError::file(text))?;
                let what = format!("the end of `{text}`");
                return Err(WorldError::TimedOut { what, after: COMMAND_LIMIT, seen: "running".to_owned() });
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let join = |handle: thread::JoinHandle<Vec<u8>>| handle.join().expect("a reader does not panic");
    Ok(Output { status, stdout: join(out), stderr: join(err) })
}

/// Reads to the end on a thread of its own.
fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends what can be read of it; the exit code tells the rest.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
