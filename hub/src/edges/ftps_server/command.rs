//! One command line as a value. Nothing is decided here.

use secrecy::SecretString;

use super::reply::Reply;

/// The commands of this server; everything else is 502.
#[derive(Debug)]
pub(super) enum Command {
    Auth(String),
    Pbsz,
    Prot(String),
    User(String),
    Pass(SecretString),
    Quit,
    Noop,
    Feat,
    Opts(String),
    Syst,
    Type(String),
    Mode(String),
    Stru(String),
    Pwd,
    Cwd(String),
    Cdup,
    Pasv,
    Epsv(String),
    List(String),
    Nlst(String),
    Mlsd(String),
    Mlst(String),
    Size(String),
    Mdtm(String),
    Rest(String),
    Stor(String),
    Appe(String),
    Retr(String),
    RenameFrom(String),
    RenameTo(String),
    Dele(String),
    Abor,
    Hash(String),
    SiteSha256(String),
    SiteWait(String),
}

/// Reads a line without its line end.
///
/// Telnet's two-byte commands (RFC 959 sends ABOR behind IAC IP, IAC DM) are dropped: 0xFF is in no UTF-8 text.
pub(super) fn parse(line: &[u8]) -> Result<Command, Reply> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == 0xFF {
            rest.next();
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| Reply::new(501, "Not UTF-8"))?;
    if text.contains(|c: char| c.is_control()) {
        return Err(Reply::new(501, "Control characters are not accepted"));
    }
    let (verb, argument) = split(&text);
    Ok(match verb.as_str() {
        "AUTH" => Command::Auth(argument),
        "PBSZ" => Command::Pbsz,
        "PROT" => Command::Prot(argument),
        "USER" => Command::User(argument),
        "PASS" => Command::Pass(argument.into()),
        "QUIT" => Command::Quit,
        "NOOP" => Command::Noop,
        "FEAT" => Command::Feat,
        "OPTS" => Command::Opts(argument),
        "SYST" => Command::Syst,
        "TYPE" => Command::Type(argument),
        "MODE" => Command::Mode(argument),
        "STRU" => Command::Stru(argument),
        "PWD" => Command::Pwd,
        "CWD" => Command::Cwd(argument),
        "CDUP" => Command::Cdup,
        "PASV" => Command::Pasv,
        "EPSV" => Command::Epsv(argument),
        "LIST" => Command::List(argument),
        "NLST" => Command::Nlst(argument),
        "MLSD" => Command::Mlsd(argument),
        "MLST" => Command::Mlst(argument),
        "SIZE" => Command::Size(argument),
        "MDTM" => Command::Mdtm(argument),
        "REST" => Command::Rest(argument),
        "STOR" => Command::Stor(argument),
        "APPE" => Command::Appe(argument),
        "RETR" => Command::Retr(argument),
        "RNFR" => Command::RenameFrom(argument),
        "RNTO" => Command::RenameTo(argument),
        "DELE" => Command::Dele(argument),
        "ABOR" => Command::Abor,
        "HASH" => Command::Hash(argument),
        "SITE" => site(&argument)?,
        _ => return Err(Reply::new(502, "Command not implemented")),
    })
}

fn site(argument: &str) -> Result<Command, Reply> {
    let (verb, argument) = split(argument);
    match verb.as_str() {
        "SHA256" => Ok(Command::SiteSha256(argument)),
        "WAIT" => Ok(Command::SiteWait(argument)),
        _ => Err(Reply::new(502, "SITE knows SHA256 and WAIT")),
    }
}

fn split(text: &str) -> (String, String) {
    let (verb, argument) = text.split_once(' ').unwrap_or((text, ""));
    (verb.to_ascii_uppercase(), argument.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abor_behind_telnet_signals_is_an_abor() {
        assert!(matches!(parse(b"\xFF\xF4\xFF\xF2ABOR"), Ok(Command::Abor)));
    }

    #[test]
    fn a_password_is_never_shown() {
        let command = parse(b"PASS open sesame").expect("a command");
        assert!(!format!("{command:?}").contains("sesame"));
    }

    #[test]
    fn active_mode_and_plaintext_again_are_not_implemented() {
        for line in
            [&b"PORT 127,0,0,1,1,1"[..], b"EPRT |1|127.0.0.1|9|", b"CCC", b"STOU", b"MKD x", b"SITE EXEC x"]
        {
            assert_eq!(parse(line).expect_err("refused").code, 502);
        }
    }
}
