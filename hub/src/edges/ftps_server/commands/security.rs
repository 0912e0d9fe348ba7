//! AUTH, PBSZ, PROT (RFC 4217): TLS for commands, and for data.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::session::{Session, Step};

impl Session {
    pub(in super::super) fn security(&mut self, command: &Command) -> Step {
        match command {
            Command::Auth(_) if self.is_secured() => refuse(503, "TLS is on already"),
            Command::Auth(kind) if ["TLS", "TLS-C"].iter().any(|k| kind.eq_ignore_ascii_case(k)) => {
                Step::StartTls
            }
            Command::Auth(_) => refuse(504, "AUTH TLS, please"),
            Command::Pbsz => {
                self.buffer_set = true;
                refuse(200, "PBSZ=0")
            }
            Command::Prot(_) if !self.buffer_set => refuse(503, "PBSZ 0 first"),
            Command::Prot(level) if level.eq_ignore_ascii_case("P") => {
                self.private_data = true;
                refuse(200, "Data connections are private")
            }
            Command::Prot(_) => refuse(536, "Only PROT P: nothing moves in plain text"),
            _ => unreachable!("dispatch sends AUTH, PBSZ and PROT here"),
        }
    }
}
