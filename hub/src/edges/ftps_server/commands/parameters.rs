//! NOOP, FEAT, OPTS, SYST, TYPE, MODE, STRU: what the server is and how bytes travel. They always travel as they are.

use super::refuse;
use crate::edges::ftps_server::command::Command;
use crate::edges::ftps_server::reply::Reply;
use crate::edges::ftps_server::session::{Session, Step};

const FEATURES: [&str; 11] = [
    "AUTH TLS",
    "PBSZ",
    "PROT",
    "UTF8",
    "EPSV",
    "REST STREAM",
    "SIZE",
    "MDTM",
    "MLST type*;size*;modify*;perm*;",
    "HASH SHA-256*",
    "SITE SHA256;WAIT",
];

impl Session {
    pub(in super::super) fn parameters(command: &Command) -> Step {
        match command {
            Command::Noop => refuse(200, "OK"),
            Command::Syst => refuse(215, "UNIX Type: L8"),
            Command::Feat => {
                let lines = FEATURES.iter().map(ToString::to_string).collect();
                Step::Reply(Reply::with_lines(211, "Features", lines))
            }
            Command::Opts(option) => options(&option.to_ascii_uppercase()),
            // RFC 959's A is served as I: a packet whose line ends were changed is no packet.
            Command::Type(kind) => match kind.to_ascii_uppercase().as_str() {
                "I" | "A" | "A N" | "L 8" => refuse(200, "Bytes are sent as they are"),
                _ => refuse(504, "TYPE I, please"),
            },
            Command::Mode(mode) if mode.eq_ignore_ascii_case("S") => refuse(200, "Stream mode"),
            Command::Stru(kind) if kind.eq_ignore_ascii_case("F") => refuse(200, "File structure"),
            _ => refuse(504, "Only MODE S and STRU F"),
        }
    }
}

fn options(option: &str) -> Step {
    match option.split_ascii_whitespace().collect::<Vec<_>>()[..] {
        ["UTF8"] | ["UTF8", "ON"] => refuse(200, "Names are UTF-8"),
        ["HASH"] | ["HASH", "SHA-256"] => refuse(200, "SHA-256"),
        ["MLST", ..] => refuse(200, "MLST OPTS type;size;modify;perm;"),
        _ => refuse(501, "No such option"),
    }
}
