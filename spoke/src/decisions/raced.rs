//! An unsent edit of a row that the hub's publication is about to lock: it becomes a proposal (exchange §1, D2).

use std::collections::BTreeMap;

use exchange_format::record::{Body, Kind, Line, RecordId};

/// The proposal that `target` (a `target_kind`) be changed as `edited` differs from `sent`, the claim as the
/// hub knows it. `None` if nothing differs that the publication has a field for.
pub fn proposal(target_kind: Kind, target: RecordId, sent: &Body, edited: &Body) -> Option<Body> {
    let mut proposal = Body::new(Kind::Proposal);
    let mut wishes = Vec::new();
    for (field, now) in edited.head().iter() {
        let known = target_kind.schema().fields.iter().any(|other| other.name == field.name);
        if known && sent.text(field.name) != now {
            wishes.push((field.name, None, now));
        }
    }
    let (before, after) = (by_number(sent), by_number(edited));
    for (no, line) in &after {
        let old = before.get(no);
        for (field, now) in line.iter() {
            if old.and_then(|old| old.text(field.name)) != now {
                wishes.push((field.name, Some(no.as_str()), now));
            }
        }
    }
    // A line without a value for its own number is a line that should go.
    let gone = before.keys().filter(|no| !after.contains_key(*no));
    wishes.extend(gone.map(|no| ("no", Some(no.as_str()), None)));
    if wishes.is_empty() {
        return None;
    }
    let state =
        |line: &mut Line, field: &str, text: &str| line.set(field, text).expect("it was in a body already");
    state(proposal.head_mut(), "target_kind", target_kind.name());
    state(proposal.head_mut(), "target", &target.to_string());
    for (n, (field, no, value)) in wishes.into_iter().enumerate() {
        let line = proposal.add_line();
        state(line, "no", &(n + 1).to_string());
        state(line, "field", field);
        if let Some(no) = no {
            state(line, "line_no", no);
        }
        if let Some(value) = value {
            state(line, "value", value);
        }
    }
    Some(proposal)
}

/// The lines by their numbers. In an edit that is not fit to be sent one may have none, or another's: it is
/// told apart by its place.
fn by_number(body: &Body) -> BTreeMap<String, &Line> {
    let mut lines = BTreeMap::new();
    for (at, line) in body.lines().iter().enumerate() {
        let no = line.text("no").filter(|no| !lines.contains_key(*no));
        lines.insert(no.map_or_else(|| format!("?{}", at + 1), str::to_owned), line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(surname: &str, phone: &str) -> Body {
        let mut body = Body::new(Kind::RecipientClaim);
        body.set("surname", surname).expect("text");
        body.set("phone", phone).expect("text");
        body
    }

    #[test]
    fn only_what_differs_is_proposed_and_an_erased_value_is_a_wish_too() {
        let target = RecordId::from_random([7; 16]);
        let sent = claim("Иванова", "+79000000000");
        assert!(proposal(Kind::Person, target, &sent, &sent).is_none());
        let wish = proposal(Kind::Person, target, &sent, &claim("Петрова", "")).expect("a proposal");
        assert_eq!(wish.findings(), []);
        assert_eq!(wish.text("target"), Some(target.to_string().as_str()));
        let lines: Vec<_> = wish
            .lines()
            .iter()
            .map(|line| (line.text("field").expect("stated"), line.text("value")))
            .collect();
        assert_eq!(lines, [("surname", Some("Петрова")), ("phone", None)]);
    }

    #[test]
    fn lines_are_compared_by_their_number() {
        let programme = |lines: &[(&str, &str)]| {
            let mut body = Body::new(Kind::ProgrammeClaim);
            for (no, name) in lines {
                let line = body.add_line();
                line.set("no", no).expect("text");
                line.set("name", name).expect("text");
            }
            body
        };
        let (sent, edited) = (programme(&[("1", "А"), ("2", "Б")]), programme(&[("1", "В"), ("3", "Г")]));
        let target = RecordId::from_random([7; 16]);
        let wish = proposal(Kind::Programme, target, &sent, &edited).expect("a proposal");
        let lines: Vec<_> =
            wish.lines().iter().map(|l| (l.text("field"), l.text("line_no"), l.text("value"))).collect();
        assert_eq!(
            lines,
            [
                (Some("name"), Some("1"), Some("В")),
                (Some("no"), Some("3"), Some("3")),
                (Some("name"), Some("3"), Some("Г")),
                (Some("no"), Some("2"), None),
            ]
        );
    }
}
