//! The spoke's mailbox against the hub's server. Binding: resumed session (the default).

use std::fs;
use std::time::Duration;

use exchange_endpoint::mailbox::{FtpsMailbox, Mailbox, MailboxError, Offered, Placed};
use sha2::{Digest, Sha256};

use super::city::{A, City, LONG, config, names};
use super::raw::Raw;

const NAME: &str = "SVOD1_DT_7799019_7700012_0001_00000001_20261122_0123456789ABCDEF.zip.age";

#[tokio::test(flavor = "multi_thread")]
async fn packets_go_there_and_come_back() {
    let mut city = City::start().await;
    let mailbox = city.mailbox(A);
    // More data connections than one handshake gives tickets.
    for n in 0..12 {
        let source = city.file("source", 700_000 + n);
        let name = format!("{n}.zip");
        assert_eq!(mailbox.put(&source, &name).await.expect("placed"), Placed::Now);
        assert_eq!(city.event().await.name, name);
        assert_eq!(fs::read(city.inbox(&name)).expect("there"), fs::read(&source).expect("there"));
        fs::copy(&source, city.out(&name)).expect("answered");
        let dest = city.dir.path().join("fetched");
        let length = mailbox.fetch(&name, &dest).await.expect("fetched");
        assert_eq!(length, 700_000 + n as u64);
        assert_eq!(fs::read(&dest).expect("there"), fs::read(&source).expect("there"));
    }
    fs::write(city.out("half.part"), b"x").expect("written");
    let listed = mailbox.list_out().await.expect("listed");
    assert_eq!(listed.len(), 12);
    assert_eq!(listed[0], Offered { name: "0.zip".into(), size: 700_000 });
}

#[tokio::test]
async fn an_empty_file_is_a_file() {
    let city = City::start().await;
    let mailbox = city.mailbox(A);
    let source = city.file("source", 0);
    assert_eq!(mailbox.put(&source, "E.zip").await.expect("placed"), Placed::Now);
    fs::write(city.out("E.zip"), b"").expect("written");
    let dest = city.dir.path().join("fetched");
    assert_eq!(mailbox.fetch("E.zip", &dest).await.expect("fetched"), 0);
    assert!(dest.exists());
}

#[tokio::test]
async fn placing_again_is_success_and_another_file_is_refused() {
    let city = City::start().await;
    let mailbox = city.mailbox(A);
    for length in [1000, 700_000] {
        let name = format!("{length}.zip");
        let source = city.file("source", length);
        mailbox.put(&source, &name).await.expect("placed");
        mailbox.put(&source, &name).await.expect("placed again");
        let other = city.file("other", length + 1);
        let error = mailbox.put(&other, &name).await.expect_err("refused");
        assert!(matches!(error, MailboxError::Refused { .. }), "{error}");
        assert_eq!(fs::read(city.inbox(&name)).expect("there"), fs::read(&source).expect("there"));
    }
    assert_eq!(names(&city.home(A).join("in")), ["1000.zip", "700000.zip"], "no part is left");
}

/// The part's name is of its bytes, so a part found there is a beginning of this file: it is continued, and HASH
/// tells if it was not.
#[tokio::test]
async fn a_killed_upload_is_continued_and_a_damaged_part_is_found() {
    let mut city = City::start().await;
    let source = city.file("source", 900_000);
    let bytes = fs::read(&source).expect("there");
    let upload = format!(
        "{}.{}.part",
        NAME.split('.').next().expect("a stem"),
        &hex::encode(Sha256::digest(&bytes))[..16]
    );

    // A client dies in the middle: no close of TLS, no QUIT.
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect(&format!("STOR in/{upload}"), 150).await;
    let mut data = raw.protect(port).await;
    tokio::io::AsyncWriteExt::write_all(&mut data, &bytes[..500_000]).await.expect("sent");
    tokio::io::AsyncWriteExt::flush(&mut data).await.expect("sent");
    let there = city.inbox(&upload);
    let landed = async {
        while fs::metadata(&there).map_or(0, |m| m.len()) < 256 * 1024 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, landed).await.expect("bytes reach the disk as they come");
    drop((data, raw));

    // Continued, not begun again: a wrong first byte stays wrong and is found out.
    let mailbox = city.mailbox(A);
    let damage = fs::OpenOptions::new().write(true).open(&there).expect("there");
    std::os::unix::fs::FileExt::write_all_at(&damage, &[bytes[0] ^ 1], 0).expect("damaged");
    let error = retry_while_busy(&mailbox, &source).await.expect_err("damaged");
    assert!(error.is_temporary() && error.to_string().contains("SHA-256"), "{error}");
    assert!(!there.exists(), "the damaged part is removed");

    fs::write(&there, &bytes[..500_000]).expect("half");
    assert_eq!(mailbox.put(&source, NAME).await.expect("placed"), Placed::Now);
    assert_eq!(city.event().await.name, NAME);
    assert_eq!(fs::read(city.inbox(NAME)).expect("there"), bytes);
}

/// The dead client's session holds its part until the server has noticed.
async fn retry_while_busy(mailbox: &FtpsMailbox, source: &std::path::Path) -> Result<Placed, MailboxError> {
    loop {
        match mailbox.put(source, NAME).await {
            Err(error) if error.to_string().contains("being written") => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other,
        }
    }
}

#[tokio::test]
async fn a_cut_download_is_continued_and_checked() {
    let city = City::start().await;
    let mailbox = city.mailbox(A);
    let bytes = fs::read(city.file("source", 700_000)).expect("there");
    fs::write(city.out("H.zip"), &bytes).expect("written");
    let dest = city.dir.path().join("fetched");
    let part = city.dir.path().join("fetched.part");
    fs::write(&part, &bytes[..300_000]).expect("half");
    mailbox.fetch("H.zip", &dest).await.expect("fetched");
    assert_eq!(fs::read(&dest).expect("there"), bytes);

    fs::write(&part, [7; 1000]).expect("of an older file of this name");
    assert!(mailbox.fetch("H.zip", &dest).await.expect_err("damaged").is_temporary());
    mailbox.fetch("H.zip", &dest).await.expect("fetched anew");
    assert_eq!(fs::read(&dest).expect("there"), bytes);
}

#[tokio::test]
async fn waiting_ends_with_the_announcement_and_survives_being_abandoned() {
    let city = City::start().await;
    let mailbox = city.mailbox(A);
    assert!(mailbox.wait(LONG).await.expect("waited"), "nobody knows what came before");
    assert!(!mailbox.wait(Duration::from_millis(50)).await.expect("waited"), "nothing came");
    // The reply to the abandoned question is still to come, and is not lost.
    city.announcer.announce(A);
    assert!(mailbox.wait(LONG).await.expect("waited"));
    // An announcement between two waits is not lost either.
    city.announcer.announce(A);
    assert!(mailbox.wait(LONG).await.expect("waited"));
    city.announcer.announce("7700029");
    assert!(!mailbox.wait(Duration::from_millis(50)).await.expect("waited"), "another centre's news");
    let (woken, ()) = tokio::join!(mailbox.wait(LONG), async {
        // Waiting does not stand in the way of work.
        assert!(mailbox.list_out().await.expect("listed").is_empty());
        city.announcer.announce(A);
    });
    assert!(woken.expect("waited"));
}

#[tokio::test]
async fn site_wait_answers_any_client() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    raw.expect("SITE WAIT 0", 200).await;
    raw.send(b"SITE WAIT 60\r\n").await;
    city.announcer.announce(A);
    assert_eq!(raw.reply().await.0, 250);
    raw.send(b"SITE WAIT 60\r\nNOOP\r\n").await;
    assert_eq!(raw.reply().await.0, 200, "the next command ends the wait");
    assert_eq!(raw.reply().await.0, 200);
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_ca_are_configuration_errors_and_say_no_secret() {
    let city = City::start().await;
    let mut settings = city.settings(A);
    settings.password = "wrong secret".to_owned().into();
    let error = FtpsMailbox::new(settings).expect("settings").list_out().await.expect_err("refused");
    assert!(matches!(error, MailboxError::Config { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("wrong secret"));

    let elsewhere = City::start().await;
    let mut settings = city.settings(A);
    settings.ca_pem = elsewhere.ca.pem().into();
    let error = FtpsMailbox::new(settings).expect("settings").list_out().await.expect_err("refused");
    assert!(matches!(error, MailboxError::Config { .. }), "{error}");

    let mut settings = city.settings(A);
    settings.server_name = "elsewhere.example".into();
    let error = FtpsMailbox::new(settings).expect("settings").list_out().await.expect_err("refused");
    assert!(matches!(error, MailboxError::Config { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_temporary_and_its_return_is_found() {
    let mut city = City::start().await;
    let mailbox = city.mailbox(A);
    mailbox.list_out().await.expect("listed");
    mailbox.wait(LONG).await.expect("waited");
    city.stop().await;
    assert!(mailbox.list_out().await.expect_err("gone").is_temporary());
    assert!(mailbox.wait(LONG).await.expect_err("gone").is_temporary());
}

#[tokio::test]
async fn a_full_in_is_told_by_the_servers_words_not_by_a_broken_pipe() {
    let mut config = config();
    config.max_bytes_per_centre = 300_000;
    let city = City::with(config, |_, _| {}).await;
    let source = city.file("source", 5_000_000);
    let error = city.mailbox(A).put(&source, NAME).await.expect_err("full");
    assert!(error.is_temporary() && error.to_string().contains("in is full"), "{error}");
}
