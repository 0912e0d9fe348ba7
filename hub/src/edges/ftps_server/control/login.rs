//! PASS: the password checked, the lock, the centre's seat and folders.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::sleep;

use super::super::accounts::{self, Account, NotLoggedIn};
use super::super::jail::Jail;
use super::super::reply::Reply;
use super::{Control, Login, Over};

impl Control {
    pub(super) async fn log_in(&mut self, user: String, password: SecretString) -> Result<(), Over> {
        let address = self.peer.ip().to_canonical();
        // Asked when it is its turn: many guesses at once, on many connections, all meet the lock.
        let shared = self.shared.clone();
        let mut turn = shared.checks.turn().await.ok_or(Over)?;
        let (accounts, login) = (shared.accounts.clone(), user.clone());
        let account = tokio::task::spawn_blocking(move || accounts.account(&login));
        let account = account.await.expect("a look at the accounts does not panic");
        let certificate = self.certificate();
        let shown = certificate.as_ref().map(AsRef::as_ref);
        // Who has the centre's own certificate is not kept out by the guesses of others, who cannot have it.
        let own = account.as_ref().is_some_and(|account| accounts::is_own_certificate(account, shown));
        if !own && shared.guard().is_locked(&user, address, Instant::now()) {
            drop(turn);
            tracing::warn!(%address, "a locked login was tried");
            return self.end(Reply::new(421, "Too many wrong passwords: locked for a time")).await;
        }
        let parts_before =
            SystemTime::now().checked_sub(shared.config.part_age()).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut memory = std::mem::take(&mut turn.memory);
        let checked = tokio::task::spawn_blocking(move || {
            let shown = certificate.as_ref().map(AsRef::as_ref);
            let right = accounts::verify(account.as_ref(), password.expose_secret(), shown, &mut memory);
            // Opened here because opening blocks as well.
            let opened = right.and_then(|()| {
                account.map(|account| (open(&account, parts_before), account)).ok_or(NotLoggedIn::Password)
            });
            (opened, memory)
        });
        let (opened, memory) = checked.await.expect("a password check does not panic");
        turn.memory = memory;
        let (jail, account) = match opened {
            Ok(checked) => checked,
            Err(why) => {
                let delay = shared.guard().failed(&user, address, Instant::now());
                drop(turn);
                // a login that is no centre's is not repeated: it may be a password typed in the wrong place
                let centre = if why == NotLoggedIn::Password { "" } else { user.as_str() };
                tracing::warn!(%address, centre, "a login failed: {}", why.reply());
                sleep(delay).await;
                return self.say(&Reply::new(530, why.reply())).await;
            }
        };
        drop(turn);
        if !own {
            self.shared.guard().succeeded(&user, address);
        }
        self.seat(account, jail).await
    }

    async fn seat(&mut self, account: Account, jail: std::io::Result<Jail>) -> Result<(), Over> {
        let jail = match jail {
            Ok(jail) => Arc::new(jail),
            Err(error) => {
                tracing::error!(centre = account.centre, "its mailbox cannot be opened: {error}");
                return self.end(Reply::new(421, "This mailbox is not ready")).await;
            }
        };
        let centre = self.shared.centres.get(&account.centre);
        let Some(seat) = centre.sit(self.shared.config.max_connections_per_centre) else {
            tracing::warn!(centre = account.centre, "too many connections");
            return self.end(Reply::new(421, "Too many connections of this centre")).await;
        };
        tracing::debug!(centre = account.centre, address = %self.peer.ip(), "logged in");
        let news = centre.news.subscribe();
        self.session.logged_in();
        self.login = Some(Login { account, jail, seat, news });
        self.say(&Reply::new(230, "Logged in")).await
    }
}

fn open(account: &Account, parts_before: SystemTime) -> std::io::Result<Jail> {
    let jail = Jail::open(&account.home, &account.quarantine)?;
    match jail.sweep(parts_before) {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "removed uploads given up long ago"),
        // They are in nobody's way today.
        Err(error) => tracing::warn!("old uploads cannot be removed: {error:?}"),
    }
    Ok(jail)
}
