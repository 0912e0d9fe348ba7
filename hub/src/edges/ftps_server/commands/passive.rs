//! PASV and EPSV (RFC 2428). The server never connects to a client.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::session::{Session, Step};

impl Session {
    pub(in super::super) fn passive(command: &Command) -> Step {
        match command {
            Command::Pasv => Step::Passive { extended: false },
            Command::Epsv(argument) if argument.eq_ignore_ascii_case("ALL") => {
                refuse(200, "EPSV only from now on")
            }
            // The data connection is of the control connection's own family, whatever was asked.
            Command::Epsv(argument) if matches!(argument.as_str(), "" | "1" | "2") => {
                Step::Passive { extended: true }
            }
            _ => refuse(522, "Network protocol not supported, use (1,2)"),
        }
    }
}
