//! Configurations: file, line and key of what is wrong, by both programs, and nothing begun.

use std::fs;

use svod_tests::world::{Programs, programs::Who};

use super::stage::{DEMO, failed, names, run, world};

/// `from` of the configuration changed to `to`: the error's code, line text and key.
type Case = (&'static str, &'static str, &'static str, &'static str);

const HUB: [Case; 13] = [
    ("[ftps]", "[ftps", "config-syntax", ""),
    ("#: stall_s = 15", "stal_s = 15", "config-mistyped-key", "ftps.stal_s"),
    ("#: stall_s = 15", "colour = 15", "config-unknown-key", "ftps.colour"),
    ("#: idle_s = 60", "idle_s = \"long\"", "config-value", "ftps.idle_s"),
    ("#: database = \"hub.db\"", "database = 5", "config-value", "database"),
    ("#: watch_ms = 100", "watch_ms = 100000", "config-value", "exchange.watch_ms"),
    ("\nscan_ms = 100", "\nscan_ms = -1", "config-value", "exchange.scan_ms"),
    ("#: heartbeat_s = 900", "heartbeat_s = 0", "config-value", "exchange.heartbeat_s"),
    ("#: ratio = 200", "ratio = 0", "config-value", "limits.ratio"),
    ("#: stall_s = 15", "stall_s = 0", "config-value", "ftps.stall_s"),
    (
        "#: max_bytes_per_centre = 8589934592",
        "max_bytes_per_centre = 0",
        "config-value",
        "ftps.max_bytes_per_centre",
    ),
    ("oktmo = \"32701000\"", "oktmo = \"327\"", "config-value", "oktmo"),
    ("oktmo = \"32701000\"", "", "config-missing-key", "oktmo"),
];

const SPOKE: [Case; 12] = [
    ("[exchange]", "[exchange]]", "config-syntax", ""),
    ("#: retry_s = 1", "rety_s = 1", "config-mistyped-key", "exchange.rety_s"),
    ("kind = \"directory\"", "kind = \"post\"", "config-value", "mailbox.kind"),
    ("kind = \"directory\"", "kind = \"directory\"\nport = 21", "config-unknown-key", "mailbox.port"),
    ("kind = \"directory\"", "kind = 5", "config-value", "mailbox.kind"),
    ("kind = \"directory\"", "kind = \"ftps\"", "config-unknown-key", "mailbox.path"),
    ("kind = \"directory\"", "kind = \"directory\"\npth = \"x\"", "config-mistyped-key", "mailbox.pth"),
    ("#: retry_s = 1", "retry_s = \"soon\"", "config-value", "exchange.retry_s"),
    ("#: heartbeat_s = 900", "heartbeat_s = 0", "config-value", "exchange.heartbeat_s"),
    ("#: retry_cap_s = 900", "retry_cap_s = 0", "config-value", "exchange.retry_cap_s"),
    ("#: audit_s = 3600", "audit_s = 0", "config-value", "exchange.audit_s"),
    ("code = \"", "code = \"9", "config-value", "code"),
];

#[test]
fn what_is_wrong_is_told_by_file_line_and_key() {
    let (_dir, world) = world(1);
    let programs = Programs::find(DEMO);
    for (who, config, cases, command) in [
        (Who::Hub, world.layout.hub_config(), &HUB[..], ["run"]),
        (Who::Spoke, world.layout.centre_config(1), &SPOKE[..], ["run"]),
    ] {
        let sound = fs::read_to_string(&config).expect("read");
        let dir = config.parent().expect("a directory");
        let before = names(dir);
        for &(from, to, code, key) in cases {
            assert!(sound.contains(from), "{from}");
            // the last one: comments above show examples
            let found = sound.rfind(from).expect("there");
            let text = format!("{}{to}{}", &sound[..found], &sound[found + from.len()..]);
            // the line of the key, which may be another than the one changed
            let name = format!("{} =", key.rsplit('.').next().unwrap_or_default());
            let line = text.lines().skip(1).position(|line| line.starts_with(&name)).map_or_else(
                || text[..found + to.rfind('\n').map_or(0, |n| n + 1)].matches('\n').count() + 1,
                |at| at + 2,
            );
            fs::write(&config, &text).expect("written");
            let message = failed(&run(&programs, who, &config, &command), 2, code);
            let file = config.display();
            if code == "config-missing-key" {
                assert!(message.contains(&format!("{file}:")), "{message}");
            } else {
                assert!(message.contains(&format!("{file}:{line}:")), "{message} should name line {line}");
            }
            assert!(message.contains(key), "{message} should name {key}");
            assert_eq!(names(dir), before, "nothing was begun: {to}");
        }
        fs::remove_file(&config).expect("removed");
        let message = failed(&run(&programs, who, &config, &command), 2, "config-unreadable");
        assert!(message.contains(&config.display().to_string()), "{message}");
        fs::write(&config, sound).expect("put back");
    }
    world.start().expect("started");
    super::stage::wait_for(&world, &world.layout.hub_db(), "SELECT name FROM packet WHERE state = 'APPLIED'");
}
