//! Limits: wrong passwords, connections, room; and what happens at each.

use std::fs;
use std::time::Duration;

use super::city::{A, B, City, PASSWORD, config, names};
use super::raw::{Raw, tls};

#[tokio::test]
async fn wrong_passwords_lock_the_account_for_their_address_even_for_the_right_one() {
    let mut config = config();
    config.login_failures = 3;
    let city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    for _ in 0..3 {
        assert_eq!(raw.try_login(A, "wrong").await, 530);
    }
    assert_eq!(raw.try_login(A, PASSWORD).await, 421);
    assert_eq!(raw.reply().await.0, 0, "hung up");
    let mut again = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(again.try_login(A, PASSWORD).await, 421);
    let mut other = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(other.try_login(B, PASSWORD).await, 230, "the other centre is not locked");
}

#[tokio::test]
async fn an_unknown_login_is_answered_like_a_wrong_password() {
    let city = City::start().await;
    let mut raw = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    raw.expect("USER 9999999", 331).await;
    let (unknown, text) = raw.command("PASS x").await;
    raw.expect("USER 7700012", 331).await;
    assert_eq!(raw.command("PASS x").await, (unknown, text));
}

#[tokio::test]
async fn a_centre_has_so_many_connections_and_gets_them_back() {
    let mut config = config();
    config.max_connections_per_centre = 2;
    let city = City::with(config, |_, _| {}).await;
    let first = Raw::login(&city, A).await;
    let _second = Raw::login(&city, A).await;
    let mut third = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
    assert_eq!(third.try_login(A, PASSWORD).await, 421);
    let _other = Raw::login(&city, B).await;
    drop(first);
    for _ in 0..100 {
        let mut again = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
        if again.try_login(A, PASSWORD).await == 230 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place was not given back");
}

#[tokio::test]
async fn a_full_in_refuses_more_and_takes_again_when_the_hub_has_emptied_it() {
    let mut config = config();
    config.max_bytes_per_centre = 1_000_000;
    let mut city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/A.zip", &vec![1; 600_000]).await, 226);
    assert_eq!(city.event().await.name, "A.zip");
    assert_eq!(raw.store("STOR in/b.part", &vec![2; 600_000]).await, 552);
    let kept = fs::metadata(city.inbox("b.part")).expect("there").len();
    assert!(kept <= 400_000, "{kept} bytes are over the limit");
    let quarantine = city.dir.path().join("quarantine").join(A);
    fs::create_dir_all(&quarantine).expect("made");
    fs::rename(city.inbox("A.zip"), quarantine.join("A.zip")).expect("the hub puts it aside");
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/b.part", &vec![2; 600_000]).await, 552);
    fs::remove_file(quarantine.join("A.zip")).expect("staff have looked at it");
    assert_eq!(raw.store("STOR in/b.part", &vec![2; 600_000]).await, 226);
}

#[tokio::test]
async fn an_in_with_too_many_files_takes_no_more() {
    let mut config = config();
    config.max_files_per_centre = 2;
    let city = City::with(config, |_, _| {}).await;
    let mut raw = Raw::login(&city, A).await;
    assert_eq!(raw.store("STOR in/A.zip", b"a").await, 226);
    assert_eq!(raw.store("STOR in/B.zip", b"b").await, 226);
    assert_eq!(raw.store("STOR in/C.zip", b"c").await, 452);
    assert_eq!(names(&city.home(A).join("in")), ["A.zip", "B.zip"]);
}

#[tokio::test]
async fn a_part_being_written_is_nobody_elses() {
    let city = City::start().await;
    let mut raw = Raw::login(&city, A).await;
    let _port = raw.data_port().await;
    raw.expect("STOR in/a.part", 150).await;
    let mut other = Raw::login(&city, A).await;
    let _other_port = other.data_port().await;
    other.expect("STOR in/a.part", 450).await;
    other.expect("DELE in/a.part", 450).await;
    other.expect("RNFR in/a.part", 350).await;
    other.expect("RNTO in/A.zip", 450).await;
}

#[tokio::test]
async fn passive_ports_stay_in_their_range() {
    // A free pair of neighbours is found by trying; ports of the system's own choice are above 32768.
    for first in (20_100..20_200).step_by(2) {
        let free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        if !free(first) || !free(first + 1) {
            continue;
        }
        let mut config = config();
        config.passive_ports = (first, first + 1);
        let city = City::with(config, |_, _| {}).await;
        let mut raw = Raw::login(&city, A).await;
        for n in 0..4 {
            let port = raw.data_port().await;
            let remote = port.peer_addr().expect("connected").port();
            assert!((first..=first + 1).contains(&remote));
            drop(port);
            let _port = raw.expect("PASV", 227).await;
            assert_eq!(raw.store(&format!("STOR in/{n}.part"), b"x").await, 226);
        }
        return;
    }
    panic!("no free ports");
}

#[tokio::test]
async fn an_address_has_so_many_connections_even_without_login() {
    let mut config = config();
    config.max_connections_per_address = 2;
    let city = City::with(config, |_, _| {}).await;
    let _first = Raw::plain(&city).await;
    let _second = Raw::plain(&city).await;
    let mut third = tokio::net::TcpStream::connect(city.address).await.expect("connects");
    let mut greeting = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut third, &mut greeting).await;
    assert!(greeting.is_empty(), "hung up without a word");
}

/// Guesses on many connections at once, sent before any of them is answered.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_once_all_meet_the_lock() {
    let mut config = config();
    config.login_failures = 3;
    let city = std::sync::Arc::new(City::with(config, |_, _| {}).await);
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let city = city.clone();
        guesses.spawn(async move {
            let mut raw = Raw::secure(&city, tls(&city, None)).await.expect("TLS");
            raw.try_login(A, "wrong").await
        });
    }
    let codes = guesses.join_all().await;
    let tried = codes.iter().filter(|code| **code == 530).count();
    // Two passwords are checked at a time: one more than the limit may be under way.
    assert!((3..=4).contains(&tried), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, 530 | 421)), "{codes:?}");
}
