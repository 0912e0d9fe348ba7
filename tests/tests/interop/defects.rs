//! Defects seen in a stock server, each as a test that ours does not have it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::city::{A, City, config};
use super::raw::{Raw, tls};

/// Seen: 45 of 400 connections lost, the ClientHello parsed as a command.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_connections_all_get_their_tls() {
    let city = Arc::new(City::start().await);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let city = city.clone();
        all.spawn(async move {
            for _ in 0..25 {
                let mut raw = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
                raw.expect("QUIT", 221).await;
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.expect("every connection was secured");
    }
}

/// STARTTLS injection: what was sent before TLS must not be taken for what comes under it.
#[tokio::test]
async fn a_command_behind_auth_tls_is_refused_and_never_run() {
    let city = City::start().await;
    let mut raw = Raw::plain(&city).await;
    raw.send(b"AUTH TLS\r\nPBSZ 0\r\n").await;
    assert_eq!(raw.reply().await.0, 503);
    assert_eq!(raw.reply().await.0, 0, "the session is over");
}

#[tokio::test]
async fn a_password_in_plain_text_is_refused() {
    let city = City::start().await;
    let mut raw = Raw::plain(&city).await;
    raw.expect("USER 7700012", 534).await;
    raw.expect("PASS open sesame", 534).await;
    raw.expect("EPSV", 530).await;
}

/// Seen: EPSV without PROT P, or PROT C after PASV, took a plain-text upload with 226.
#[tokio::test]
async fn data_in_plain_text_are_refused() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let mut port = raw.data_port().await;
    raw.expect("PROT C", 536).await;
    raw.expect("STOR in/a.part", 150).await;
    port.write_all(b"in plain text").await.expect("sent");
    port.shutdown().await.expect("closed");
    assert_eq!(raw.reply().await.0, 522);
    assert_eq!(fs::read(city.inbox("a.part")).unwrap_or_default(), b"");
    raw.expect("NOOP", 200).await;
}

/// Seen: the offset of a failed REST + STOR was used by the next upload: 9 bytes stored for 4.
#[tokio::test]
async fn the_offset_of_a_failed_upload_does_not_leak() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/a.part", b"12345").await, 226);
    let _port = raw.data_port().await;
    raw.expect("REST 9", 350).await;
    raw.expect("STOR in/a.part", 554).await;
    assert_eq!(raw.store("STOR in/a.part", b"abcd").await, 226);
    assert_eq!(fs::read(city.inbox("a.part")).expect("there"), b"abcd");
    let _port = raw.data_port().await;
    raw.expect("REST 3", 350).await;
    raw.expect("STOR out/a.part", 553).await;
    assert_eq!(raw.store("STOR in/a.part", b"xy").await, 226);
    assert_eq!(fs::read(city.inbox("a.part")).expect("there"), b"xy");
}

/// Seen here: an offset given before EPSV was forgotten, and the file overwritten from its beginning.
#[tokio::test]
async fn an_offset_given_before_the_port_holds_and_a_name_too_long_is_told_before_data() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/a.part", b"abc").await, 226);
    raw.expect("REST 2", 350).await;
    assert_eq!(raw.store("STOR in/a.part", b"xy").await, 226);
    assert_eq!(fs::read(city.inbox("a.part")).expect("there"), b"abxy");
    for (length, code) in [(243, 150), (244, 553), (255, 553)] {
        let _port = raw.data_port().await;
        let told = raw.expect(&format!("STOR in/{}", "a".repeat(length)), code).await;
        if code == 150 {
            raw.expect("ABOR", 426).await;
            assert_eq!(raw.reply().await.0, 226);
        } else {
            assert!(told.contains("too long"), "{told}");
        }
    }
}

/// Seen: a panic, and a client that was never answered.
#[tokio::test]
async fn garbage_on_the_data_port_is_an_answer_and_the_session_goes_on() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let mut port = raw.data_port().await;
    port.write_all(&[0xFF; 600]).await.expect("sent");
    raw.expect("STOR in/a.part", 150).await;
    assert_eq!(raw.reply().await.0, 522);
    assert_eq!(raw.store("STOR in/a.part", b"good").await, 226);
}

#[tokio::test]
async fn a_data_connection_that_never_comes_is_an_answer() {
    let mut config = config();
    config.stall_s = 2;
    let city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::login(&city, A).await;
    raw.expect("EPSV", 229).await;
    raw.expect("STOR in/a.part", 150).await;
    assert_eq!(raw.reply().await.0, 425);
    raw.expect("STOR in/a.part", 425).await;
}

/// Seen: a stalled upload never timed out, and ABOR waited for it.
#[tokio::test]
async fn a_stalled_upload_ends_with_426_and_keeps_what_came() {
    let mut config = config();
    config.stall_s = 2;
    let city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    let mut data = raw.protect(port).await;
    data.write_all(b"half").await.expect("sent");
    data.flush().await.expect("sent");
    assert_eq!(raw.reply().await.0, 426);
    assert_eq!(fs::read(city.inbox("a.part")).expect("there"), b"half");
    raw.expect("NOOP", 200).await;
}

#[tokio::test]
async fn abor_ends_a_transfer_that_is_going_on() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    let mut data = raw.protect(port).await;
    data.write_all(b"half").await.expect("sent");
    raw.expect("NOOP", 200).await;
    raw.send(b"\xFF\xF4\xFF\xF2ABOR\r\n").await;
    assert_eq!(raw.reply().await.0, 426);
    assert_eq!(raw.reply().await.0, 226);
    assert_eq!(raw.store("STOR in/a.part", b"again").await, 226);
    assert_eq!(fs::read(city.inbox("a.part")).expect("there"), b"again");
}

/// A connection cut without TLS's close is not the end of a file.
#[tokio::test]
async fn a_truncated_upload_is_not_a_whole_one() {
    let mut city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/A.zip", 150).await;
    let mut data = raw.protect(port).await;
    data.write_all(b"half").await.expect("sent");
    data.flush().await.expect("sent");
    let (mut tcp, _) = data.into_inner();
    tcp.shutdown().await.expect("cut");
    assert_eq!(raw.reply().await.0, 426);
    assert!(!city.inbox("A.zip").exists());
    city.no_event();
}

#[tokio::test]
async fn an_endless_command_line_ends_the_session() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    raw.send(&[b'A'; 4000]).await;
    assert_eq!(raw.reply().await.0, 500);
    assert_eq!(raw.reply().await.0, 0);
}

#[tokio::test]
async fn an_idle_session_is_told_and_ended() {
    let mut config = config();
    config.idle_s = 2;
    let city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.reply().await.0, 421);
    assert_eq!(raw.reply().await.0, 0);
}

#[tokio::test]
async fn a_stopping_server_says_so() {
    let mut city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    tokio::time::timeout(Duration::from_secs(10), city.stop()).await.expect("stops");
    assert_eq!(raw.reply().await.0, 421);
}
