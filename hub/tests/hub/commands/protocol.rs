//! `protocol`, on screen and on paper.

use exchange_endpoint::{
    output::Lang, protocol::Kind as ProtocolKind, protocol::Line, protocol::Protocol, protocol::Protocols,
};
use exchange_format::{
    answer::PacketReason, answer::RecordLine, answer::RecordOutcome, answer::RecordReason, position::Digest,
    record::Kind,
};
use jiff::Timestamp;

use super::city::{City, centre, done, key, run};

/// As the page writes a text.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
}

#[test]
fn every_outcome_and_reason_is_told_whole_on_screen_and_on_paper_in_both_languages() {
    let city = City::new();
    let mut protocols = Protocols::open(&city.hub().join("protocols")).expect("opened");
    let told = [RecordOutcome::Proposed, RecordOutcome::Held, RecordOutcome::Refused];
    let words = [
        (Lang::Ru, ["предложение", "на проверке", "отклонена"]),
        (Lang::En, ["proposal", "held", "refused"]),
    ];
    for (lang, words) in words {
        let now = Timestamp::now();
        let mut protocol = Protocol::begin(ProtocolKind::Load, lang, centre(0), Some(centre(1)), now);
        let told_of = (told.len() * RecordReason::ALL.len()) as u64;
        protocol.packet("SVOD1_DT.zip", Digest::of(b"m"), "APPLIED_PARTIAL", told_of);
        // a stale packet and one in conflict are told with what became of them
        for reason in PacketReason::ALL {
            protocol.file(format!("SVOD1_{reason}.zip"), None, reason.code());
        }
        let mut lines = Vec::new();
        for (outcome, word) in told.into_iter().zip(words) {
            for reason in RecordReason::ALL {
                let n = u8::try_from(lines.len()).expect("few");
                let line = RecordLine {
                    outcome,
                    kind: Kind::RecipientClaim,
                    key: key(n),
                    version: 1,
                    rule: "claim.rule".parse().expect("a rule"),
                    reason: *reason,
                    words: None,
                };
                protocol.tell(Line::of_answer(lang, &line));
                lines.push((line, word));
            }
        }
        let number = protocols.write(protocol).expect("written").number.to_string();
        let shown = done(&city.run(&["protocol", "show", &number]));
        let config = city.hub().join("svod-hub.toml");
        let config = config.to_str().expect("UTF-8");
        let page = run(&["protocol", "show", &number, "--html", "--config", config]);
        let page = String::from_utf8(page.stdout).expect("UTF-8");
        let rows: Vec<&str> = page.split("<tr>").collect();
        assert_eq!(shown["lines"].as_array().map(Vec::len), Some(lines.len()));
        for (at, (line, word)) in lines.iter().enumerate() {
            let (text, row) =
                (&shown["lines"][at], rows.iter().find(|row| row.contains(&line.key.to_string())));
            let row = row.unwrap_or_else(|| panic!("{} is on no row", line.key));
            let reason = line.reason;
            for (field, is) in [
                ("outcome", line.outcome.word()),
                ("reason", reason.code()),
                ("rule", "claim.rule"),
                ("sentence", lang.of(reason.sentence())),
                ("next", lang.of(reason.next_action())),
            ] {
                assert_eq!(text[field], is);
                assert!(!is.is_empty());
                // codes are for programs
                let is_code = ["outcome", "reason", "rule"].contains(&field);
                assert!(is_code || row.contains(&escaped(is)), "{field} {is} is missing: {row}");
            }
            assert!(row.contains(word), "{word}: {row}");
        }
        for reason in PacketReason::ALL {
            assert!(page.contains(&format!("SVOD1_{reason}.zip")), "{reason}");
        }
        let other = if lang == Lang::Ru { Lang::En } else { Lang::Ru };
        let foreign = escaped(other.of(RecordReason::ALL[0].sentence()));
        assert!(!page.contains(&foreign), "one language a page");
    }
}
