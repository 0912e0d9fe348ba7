//! Who acts, for journal and protocols: the account of the operating system under which this process runs. What the
//! environment says is not believed, for whoever runs a program may set it.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use rustix::process::geteuid;

use crate::output::{Exit, Failure};

/// What the kernel says of a process that nobody has logged in for.
const NOBODY_LOGGED_IN: u32 = u32::MAX;

/// The account of this process, as a token. Where the kernel knows that somebody else has logged in and then changed
/// accounts (`sudo`, `su`), `WHO.as.ACCOUNT`; so too where root says for whom it acts by sudo, which root alone vouches for.
pub fn acting() -> String {
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    let passwd = String::from_utf8_lossy(&passwd);
    let login = fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    told(&passwd, geteuid().as_raw(), login, std::env::var("SUDO_USER").ok().as_deref())
}

/// Refuses root to work on `database` of another account: the daemon of that account could not read the files that root
/// makes. Anybody else is refused by the system itself.
pub fn refuse_root_over(database: &Path) -> Result<(), Failure> {
    let owner = fs::metadata(database).map(|found| found.uid()).unwrap_or_default();
    if owner == 0 || !geteuid().is_root() {
        return Ok(());
    }
    let passwd = fs::read("/etc/passwd").unwrap_or_default();
    let owner = named(&String::from_utf8_lossy(&passwd), owner);
    Err(Failure::new(Exit::Usage, "root-over-other").told("file", database.display()).told("owner", owner))
}

fn told(passwd: &str, uid: u32, login: Option<u32>, sudo: Option<&str>) -> String {
    let account = named(passwd, uid);
    let logged_in = login.filter(|login| *login != NOBODY_LOGGED_IN).map(|login| named(passwd, login));
    let by = logged_in.or_else(|| sudo.filter(|name| uid == 0 && is_token(name)).map(str::to_owned));
    match by {
        Some(by) if by != account => format!("{by}.as.{account}"),
        _ => account,
    }
}

/// The name of the account `uid`; `uid-N` if `passwd` has none, or one that is no token.
fn named(passwd: &str, uid: u32) -> String {
    let name = passwd.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _, number) = (parts.next()?, parts.next()?, parts.next()?);
        (number.parse() == Ok(uid)).then_some(name)
    });
    name.filter(|name| is_token(name)).map_or_else(|| format!("uid-{uid}"), str::to_owned)
}

/// Whether `name` may be that of an account: 1 to 60 letters a–z in either case, digits, `_`, `.`, `-`.
pub fn is_token(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (1..=60).contains(&name.len()) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nsvod:x:990:990::/srv:/bin/false\nanna.k-1:x:1000:1000:::\n\
                          Анна:x:1001:1001:::\nbroken\n";

    #[test]
    fn the_account_is_told_and_who_logged_in_where_the_kernel_knows() {
        for (uid, login, sudo, actor) in [
            (1000, None, None, "anna.k-1"),
            (1000, Some(u32::MAX), Some("olga"), "anna.k-1"),
            (1000, Some(1000), None, "anna.k-1"),
            (1001, None, None, "uid-1001"),
            (1002, None, None, "uid-1002"),
            (990, Some(1000), Some("olga"), "anna.k-1.as.svod"),
            (0, Some(1002), None, "uid-1002.as.root"),
            (0, None, Some("olga"), "olga.as.root"),
            (0, Some(1000), Some("olga"), "anna.k-1.as.root"),
            (0, None, Some("root"), "root"),
            (0, None, Some("ol ga"), "root"),
        ] {
            assert_eq!(told(PASSWD, uid, login, sudo), actor, "{uid} {login:?} {sudo:?}");
        }
    }
}
