//! The border between centres: folders, names, data connections, certificates.

use std::fs;

use svod_hub::edges::ftps_server::{Binding, Uploaded, certificate_digest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::city::{A, B, City, PASSWORD, TODAY, config, names};
use super::raw::{Raw, tls, tls_of};

#[tokio::test]
async fn no_path_leads_out_of_a_centres_folders() {
    let city = City::start().await;
    fs::write(city.home(B).join("out/secret.zip"), b"B's").expect("written");
    fs::write(city.dir.path().join("ftp/secret.zip"), b"the hub's").expect("written");
    std::os::unix::fs::symlink("../../7700029/out/secret.zip", city.out("near")).expect("linked");
    std::os::unix::fs::symlink("/etc/passwd", city.out("far")).expect("linked");
    std::os::unix::fs::symlink("../../7700029/in", city.inbox("there")).expect("linked");
    let mut raw = Raw::login(&city, A).await;
    for path in [
        "../7700029/out/secret.zip",
        "out/../../7700029/out/secret.zip",
        "/../secret.zip",
        "/ftp/7700029/out/secret.zip",
        "/etc/passwd",
        "out/near",
        "out/far",
        "out/..\\..\\7700029\\out\\secret.zip",
    ] {
        let _port = raw.data_port().await;
        for verb in ["RETR", "SIZE", "HASH", "SITE SHA256", "MDTM", "MLST"] {
            raw.expect(&format!("{verb} {path}"), 550).await;
        }
    }
    let (code, _) = raw.command("STOR in/there/a.part").await;
    assert_eq!(code, 550);
    raw.expect("CWD ..", 550).await;
    raw.expect("CWD in/there", 550).await;
    assert!(names(&city.home(B).join("in")).is_empty());
    let listing = raw.expect("MLST out", 250).await;
    assert!(!listing.contains("7700012"), "a reply tells nothing of the machine: {listing}");
}

#[tokio::test]
async fn in_is_write_only_and_out_is_read_only() {
    let city = City::start().await;
    fs::write(city.out("H.zip"), b"the hub's").expect("written");
    fs::write(city.inbox("A.zip"), b"placed before").expect("written");
    let mut raw = Raw::login(&city, A).await;
    for (command, code) in [
        ("RETR in/A.zip", 550),
        ("NLST in", 550),
        ("STOR out/x.part", 553),
        ("APPE out/H.zip", 553),
        ("STOR out/H.zip", 553),
        ("DELE out/H.zip", 550),
        ("DELE in/A.zip", 550),
        ("RNFR out/H.zip", 550),
        ("RNFR in/A.zip", 550),
    ] {
        raw.expect(command, code).await;
    }
    assert_eq!(fs::read(city.out("H.zip")).expect("there"), b"the hub's");
    assert_eq!(names(&city.home(A).join("out")), ["H.zip"]);
}

#[tokio::test]
async fn a_finished_rename_is_an_event_and_never_replaces() {
    let mut city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/a.part", b"one").await, 226);
    city.no_event();
    raw.expect("RNFR in/a.part", 350).await;
    raw.expect("RNTO in/A.zip", 250).await;
    assert_eq!(city.event().await, Uploaded { centre: A.into(), name: "A.zip".into() });

    assert_eq!(raw.store("STOR in/b.part", b"two").await, 226);
    raw.expect("RNFR in/b.part", 350).await;
    raw.expect("RNTO in/A.zip", 553).await;
    assert_eq!(fs::read(city.inbox("A.zip")).expect("there"), b"one");
    city.no_event();

    assert_eq!(raw.store("STOR in/c.part", b"one").await, 226);
    raw.expect("RNFR in/c.part", 350).await;
    raw.expect("RNTO in/A.zip", 250).await;
    assert_eq!(names(&city.home(A).join("in")), ["A.zip", "b.part"]);
}

/// For a client that cannot rename: its upload gets its name when it is whole.
#[tokio::test]
async fn an_upload_to_the_final_name_appears_whole_and_never_replaces() {
    let mut city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/A.zip", b"one").await, 226);
    assert_eq!(city.event().await.name, "A.zip");
    assert_eq!(raw.store("STOR in/A.zip", b"two").await, 553);
    assert_eq!(fs::read(city.inbox("A.zip")).expect("there"), b"one");
    raw.expect("REST 1", 350).await;
    raw.expect("STOR in/A.zip", 554).await;
    raw.expect("APPE in/A.zip", 553).await;
}

/// Somebody on the same machine reaches the data port first.
#[tokio::test]
async fn a_stolen_data_connection_is_refused() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    // With TLS 1.3 the thief's handshake ends before the server looks at it.
    if let Ok(mut data) = Raw::protect_as_stranger(&city, port).await {
        let _ = data.write_all(b"forged").await;
        let _ = data.shutdown().await;
    }
    assert_eq!(raw.reply().await.0, 522);
    assert_eq!(fs::read(city.inbox("a.part")).unwrap_or_default(), b"");
    assert_eq!(raw.store("STOR in/a.part", b"mine").await, 226);
}

/// What a thief learns from a refused handshake (a ticket, a session) does not make it the owner the next time.
#[tokio::test]
async fn a_thief_gains_no_session_by_being_refused() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for certified in [false, true] {
            let issued = std::sync::Mutex::new(None);
            let city = City::with(config(), |account, ca| {
                if certified && account.centre == A {
                    let certificate = ca.issue_client(&account.centre, TODAY).expect("issued");
                    account.client_certificate = Some(certificate_digest(&certificate.certificate_der));
                    *issued.lock().expect("not poisoned") = Some(certificate);
                }
            })
            .await;
            let own = tls(&city, issued.lock().expect("not poisoned").as_ref());
            let mut raw = Raw::secure(&city, own).await.expect("TLS");
            assert_eq!(raw.try_login(A, PASSWORD).await, 230);
            let thief = tls_of(&city, None, &[version]);
            for _ in 0..3 {
                let port = raw.data_port().await;
                raw.expect("STOR in/a.part", 150).await;
                if let Ok(mut data) = Raw::protect_with(&thief, port).await {
                    let _ = data.write_all(b"forged").await;
                    let _ = data.shutdown().await;
                    let _ = data.read_to_end(&mut Vec::new()).await;
                }
                assert_eq!(raw.reply().await.0, 522, "{version:?}, {certified}");
                assert_eq!(fs::read(city.inbox("a.part")).unwrap_or_default(), b"");
            }
            assert_eq!(raw.store("STOR in/a.part", b"mine").await, 226);
        }
    }
}

/// A session of another control connection, even of the same centre, is not this one's.
#[tokio::test]
async fn a_session_of_another_control_connection_does_not_open_a_data_connection() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let other = Raw::login(&city, B).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    drop(other.protect(port).await);
    assert_eq!(raw.reply().await.0, 522);
}

#[tokio::test]
async fn a_centre_disabled_in_its_session_brings_nothing_more() {
    let mut city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/a.part", b"sent before").await, 226);
    let port = raw.data_port().await;
    raw.expect("STOR in/b.part", 150).await;
    let mut idle = Raw::login(&city, A).await;
    city.accounts.lock().expect("not poisoned").remove(A);
    // a transfer that goes on ends too, and whatever the next command is
    assert_eq!(raw.reply().await.0, 421);
    drop(port);
    idle.expect("NOOP", 421).await;
    assert_eq!(raw.reply().await.0, 0);
    let mut again = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(again.try_login(A, PASSWORD).await, 530);
    city.no_event();
}

#[tokio::test]
async fn a_relaxed_account_takes_data_connections_from_its_address() {
    let city = City::with(config(), |account, _| account.binding = Binding::SameAddress).await;
    let mut raw = Raw::login(&city, A).await;
    let port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    let mut data = Raw::protect_as_stranger(&city, port).await.expect("TLS");
    data.write_all(b"mine").await.expect("sent");
    data.shutdown().await.expect("closed");
    assert_eq!(raw.reply().await.0, 226);
}

#[tokio::test]
async fn a_client_certificate_is_needed_and_must_be_the_centres_own() {
    use std::sync::Mutex;
    let issued = Mutex::new(std::collections::BTreeMap::new());
    let city = City::with(config(), |account, ca| {
        let certificate = ca.issue_client(&account.centre, TODAY).expect("issued");
        account.client_certificate = Some(certificate_digest(&certificate.certificate_der));
        account.binding = Binding::SameAddress;
        issued.lock().expect("not poisoned").insert(account.centre.clone(), certificate);
    })
    .await;
    let issued = issued.into_inner().expect("not poisoned");

    let mut none = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(none.try_login(A, PASSWORD).await, 530);
    let mut others = Raw::secure(&city, tls(&city, Some(&issued[B]))).await.expect("TLS");
    assert_eq!(others.try_login(A, PASSWORD).await, 530);
    let own = tls(&city, Some(&issued[A]));
    let mut own = Raw::secure(&city, own).await.expect("TLS");
    assert_eq!(own.try_login(A, PASSWORD).await, 230);
    assert_eq!(own.store("STOR in/a.part", b"mine").await, 226);

    // Relaxed binding still wants the certificate on the data connection.
    let port = own.data_port().await;
    own.expect("STOR in/a.part", 150).await;
    drop(Raw::protect_as_stranger(&city, port).await);
    assert_eq!(own.reply().await.0, 522);
}

#[tokio::test]
async fn a_session_ends_with_the_certificate_that_it_showed() {
    let issued = std::sync::Mutex::new(std::collections::BTreeMap::new());
    let city = City::with(config(), |account, ca| {
        let certificate = ca.issue_client(&account.centre, TODAY).expect("issued");
        account.client_certificate = Some(certificate_digest(&certificate.certificate_der));
        issued.lock().expect("not poisoned").insert(account.centre.clone(), certificate);
    })
    .await;
    let issued = issued.into_inner().expect("not poisoned");
    let shown = || tls(&city, Some(&issued[A]));
    let mut own = Raw::secure(&city, shown()).await.expect("TLS");
    assert_eq!(own.try_login(A, PASSWORD).await, 230);
    own.expect("NOOP", 200).await;
    // revoked: the hub knows none of this centre, and wants one
    if let Some(account) = city.accounts.lock().expect("not poisoned").get_mut(A) {
        account.client_certificate = None;
        account.certificate_required = true;
    }
    own.expect("NOOP", 421).await;
    let mut again = Raw::secure(&city, shown()).await.expect("TLS");
    assert_eq!(again.try_login(A, PASSWORD).await, 530);
    let mut without = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(without.try_login(A, PASSWORD).await, 530, "the password alone is not enough again");
}

#[tokio::test]
async fn wrong_certificates_do_not_lock_out_the_holder_of_the_right_one() {
    let mut few = config();
    few.login_failures = 3;
    let issued = std::sync::Mutex::new(std::collections::BTreeMap::new());
    let city = City::with(few, |account, ca| {
        let certificate = ca.issue_client(&account.centre, TODAY).expect("issued");
        account.client_certificate = Some(certificate_digest(&certificate.certificate_der));
        issued.lock().expect("not poisoned").insert(account.centre.clone(), certificate);
    })
    .await;
    let issued = issued.into_inner().expect("not poisoned");
    let mut raw = Raw::secure(&city, tls(&city, Some(&issued[B]))).await.expect("TLS");
    for _ in 0..3 {
        assert_eq!(raw.try_login(A, PASSWORD).await, 530);
    }
    assert_eq!(raw.try_login(A, PASSWORD).await, 421, "locked");
    let mut own = Raw::secure(&city, tls(&city, Some(&issued[A]))).await.expect("TLS");
    assert_eq!(own.try_login(A, "wrong").await, 530, "the password is asked for all the same");
    assert_eq!(own.try_login(A, PASSWORD).await, 230);
    let mut none = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(none.try_login(A, PASSWORD).await, 421, "and the others stay locked");
}

#[tokio::test]
async fn a_certificate_of_another_ca_counts_only_where_it_is_pinned() {
    let elsewhere = tempfile::tempdir().expect("temp dir");
    let other = svod_hub::edges::pki::CityCa::make(elsewhere.path(), TODAY).expect("a CA");
    let (forged, pinned) = (other.issue_client(A, TODAY), other.issue_client(B, TODAY));
    let (forged, pinned) = (forged.expect("issued"), pinned.expect("issued"));
    let city = City::with(config(), |account, ca| {
        let own = ca.issue_client(&account.centre, TODAY).expect("issued").certificate_der;
        let known = if account.centre == A { &own } else { &pinned.certificate_der };
        account.client_certificate = Some(certificate_digest(known));
    })
    .await;
    let mut raw = Raw::secure(&city, tls(&city, Some(&forged))).await.expect("TLS");
    assert_eq!(raw.try_login(A, PASSWORD).await, 530, "the name in a certificate proves nothing");
    let mut raw = Raw::secure(&city, tls(&city, Some(&pinned))).await.expect("TLS");
    assert_eq!(raw.try_login(B, PASSWORD).await, 230);
}

#[tokio::test]
async fn where_certificates_are_required_a_centre_without_one_cannot_log_in() {
    let city = City::with(config(), |account, _| account.certificate_required = true).await;
    let mut raw = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(raw.try_login(A, PASSWORD).await, 530);
}
