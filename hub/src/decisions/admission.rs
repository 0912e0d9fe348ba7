//! What becomes of one record of a verified packet: the outcomes and reasons of a PR
//! (FORMAT.md §Receiving).

use exchange_format::{
    answer::{RecordOutcome, RecordReason, Rule},
    record::{Body, Form, Kind, LineError, Record, RecordId, Type},
    rules::{self, UNPUBLISHED},
    snils::Snils,
    stream::{Edition, VersionVerdict},
    typed,
};

use super::{
    golden::{claimed, published, unreadable},
    normalise::{name_key, parse_date},
};

/// A record looked at by itself.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its body, if it has one and that may be used.
    pub body: Option<Body>,
    /// Why it cannot be used, whatever is known of it.
    pub refusal: Option<(RecordReason, Rule)>,
    /// What it refers to: the field, the id, the kinds that may bear it.
    pub references: Vec<(&'static str, RecordId, &'static [Kind])>,
}

/// What the hub knows besides the record.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The version received last.
    pub known: Option<Edition>,
    /// What became of that one, if it was not plainly applied.
    pub earlier: Option<(RecordOutcome, RecordReason, Rule)>,
    /// The body that the hub goes by.
    pub basis: Option<Body>,
    /// Whether what the hub made of the claim is published to its centre.
    pub published: bool,
    /// Whether it belongs to something else than `basis` says, and may not: a scan, or a paper that has scans.
    pub moved: bool,
    /// The first field that refers to something not here.
    pub missing: Option<&'static str>,
}

/// What is done with the record's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: what is stored stays.
    Nothing,
    /// Store it, and go by it.
    Use,
    /// Store it, and go on by what the hub went by.
    Aside,
    /// Store it as refused.
    Refused,
    /// Store it until its referent or a decision comes.
    Hold,
    /// Store its end.
    End,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// As the PR says.
    pub outcome: RecordOutcome,
    /// Why, and by which rule, unless plainly applied.
    pub why: Option<(RecordReason, Rule)>,
    /// What is done.
    pub keep: Keep,
}

impl Admission {
    /// Whether the last word of its rule is `word`.
    pub fn says(&self, word: &str) -> bool {
        self.why.as_ref().is_some_and(|(_, rule)| last_word(rule.as_str()) == word)
    }
}

/// Looks at `record` by itself: owner, canonical body, the schema's and the domain's rules, what it refers to.
pub fn examine(record: &Record) -> Examined {
    let refused =
        |reason, rule| Examined { body: None, refusal: Some((reason, rule)), references: Vec::new() };
    if !record.kind.owner().centre_writes() {
        return refused(RecordReason::NotOwner, rule(&[record.kind.name(), OWNER]));
    }
    if record.form == Form::Tombstone {
        return Examined { body: None, refusal: None, references: Vec::new() };
    }
    let Ok(body) = record.read_body() else {
        return refused(RecordReason::Invalid, rule(&[record.kind.name(), "canonical"]));
    };
    if let Some(finding) = rules::first_fault(&body) {
        return refused(RecordReason::Invalid, rule(&[record.kind.name(), finding.word()]));
    }
    let fields = record.kind.schema().fields.iter();
    let mut references: Vec<_> = fields
        .filter_map(|field| match field.ty {
            Type::Reference(kinds) => Some((field.name, body.text(field.name)?.parse().ok()?, kinds)),
            _ => None,
        })
        .collect();
    if record.kind == Kind::Proposal {
        references.extend(target_of(&body));
    }
    Examined { body: Some(body), refusal: None, references }
}

/// Looks at a record as its line was read: whose it is counts before what is wrong with the line.
pub fn examine_line(record: &Record, flaw: Option<&LineError>) -> Examined {
    let examined = examine(record);
    match (flaw, &examined.refusal) {
        (Some(_), Some((RecordReason::NotOwner, _))) | (None, _) => examined,
        (Some(flaw), _) => {
            let why = (RecordReason::Invalid, rule(&[record.kind.name(), flaw.word()]));
            Examined { body: None, refusal: Some(why), references: Vec::new() }
        }
    }
}

/// The last word of the rule for a record that its sender does not own.
const OWNER: &str = "owner";
/// The last word of the rule for a record that staff have decided against.
const DECLINED: &str = "declined";
/// The last word of the rule for another person under the same key.
const IDENTITY_CHANGED: &str = "identity_changed";

/// The last word of the rule for a scan that is not what it was, and for a paper that is another person's while scans are of it.
pub const FINAL: &str = "final";

/// The last word of the rule for a value of a person that is not understood.
const UNREADABLE: &str = "unreadable";

/// Whether a record is held by the rule of this last word until its centre corrects it.
pub fn is_awaited(word: &str) -> bool {
    word == UNREADABLE || UNPUBLISHED.contains(&word)
}

/// Without these a person is not published: its centre or staff are to say them first.
pub fn awaited(claim: &Body) -> impl Iterator<Item = &'static str> {
    unreadable(claim).filter(|field| ["birth_date", "sex"].contains(field))
}

fn last_word(code: &str) -> &str {
    code.rsplit('.').next().unwrap_or(code)
}

/// What a proposal wishes to change: nobody proposes about what was not published to it.
fn target_of(body: &Body) -> Option<(&'static str, RecordId, &'static [Kind])> {
    const KINDS: &[Kind] = &[Kind::Person, Kind::Programme, Kind::Supplement, Kind::NeedDecision];
    let at = KINDS.iter().position(|kind| Some(kind.name()) == body.text("target_kind"))?;
    Some(("target", body.text("target")?.parse().ok()?, &KINDS[at..=at]))
}

/// What an earlier outcome word and rule stand for, if the record was not plainly applied then.
pub fn earlier(outcome: &str, code: Option<&str>) -> Option<(RecordOutcome, RecordReason, Rule)> {
    let outcome = RecordOutcome::from_word(outcome).filter(|outcome| !outcome.is_plain())?;
    let code = code?;
    let reason = match outcome {
        RecordOutcome::Proposed => RecordReason::Locked,
        RecordOutcome::Held if last_word(code) == IDENTITY_CHANGED => RecordReason::IdentityChanged,
        RecordOutcome::Held if is_awaited(last_word(code)) => RecordReason::Invalid,
        RecordOutcome::Held => RecordReason::DanglingRef,
        RecordOutcome::Refused if last_word(code) == OWNER => RecordReason::NotOwner,
        RecordOutcome::Refused if last_word(code) == DECLINED => RecordReason::Declined,
        _ => RecordReason::Invalid,
    };
    Some((outcome, reason, code.parse().ok()?))
}

/// The rule by which staff have declined a record of `kind`.
pub fn declined(kind: Kind) -> Rule {
    rule(&[kind.name(), DECLINED])
}

/// Decides about an `examined` record of `edition`. A refusal never depends on what other centres sent.
pub fn admit(kind: Kind, edition: &Edition, examined: &Examined, facts: &Facts) -> Admission {
    let verdict = edition.judge(facts.known.as_ref());
    if let Some(reason) = verdict.refusal() {
        return listed(RecordOutcome::Refused, reason, rule(&[kind.name(), "version"]), Keep::Nothing);
    }
    if verdict == VersionVerdict::Unchanged {
        let again = facts.earlier.clone().filter(|(_, reason, _)| *reason != RecordReason::DanglingRef);
        if let Some((outcome, reason, rule)) = again {
            return listed(outcome, reason, rule, Keep::Nothing);
        }
        if facts.earlier.is_none() {
            return plain(RecordOutcome::Unchanged, Keep::Nothing);
        }
    }
    if let Some((reason, rule)) = &examined.refusal {
        return listed(RecordOutcome::Refused, *reason, rule.clone(), Keep::Refused);
    }
    let outcome = if verdict == VersionVerdict::New { RecordOutcome::New } else { RecordOutcome::Changed };
    let Some(body) = &examined.body else { return plain(outcome, Keep::End) };
    if let Some(field) = facts.missing {
        let rule = rule(&[kind.name(), field]);
        return listed(RecordOutcome::Held, RecordReason::DanglingRef, rule, Keep::Hold);
    }
    match &facts.basis {
        Some(basis) if kind == Kind::RecipientClaim && other_person(basis, body) => {
            let rule = rule(&[kind.name(), IDENTITY_CHANGED]);
            listed(RecordOutcome::Held, RecordReason::IdentityChanged, rule, Keep::Hold)
        }
        // a scan is known by its sum, stays what it was and where it belongs, also by way of its paper; it may be taken back, which its
        // packet's file outlives
        Some(basis)
            if kind == Kind::Attachment && (facts.moved || basis.text("sha256") != body.text("sha256")) =>
        {
            listed(RecordOutcome::Refused, RecordReason::Invalid, rule(&[kind.name(), FINAL]), Keep::Refused)
        }
        // a paper waits until nothing hangs on it that would go with it to another person
        Some(_) if facts.moved => {
            listed(RecordOutcome::Held, RecordReason::DanglingRef, rule(&[kind.name(), FINAL]), Keep::Hold)
        }
        Some(basis) if facts.published && differs(kind, basis, body) => {
            let rule = rule(&[kind.name(), "published"]);
            listed(RecordOutcome::Proposed, RecordReason::Locked, rule, Keep::Aside)
        }
        _ if kind == Kind::RecipientClaim && !facts.published => match awaited(body).next() {
            // linked, and not published until it is understood
            Some(field) => {
                let rule = rule(&[kind.name(), field, UNREADABLE]);
                listed(RecordOutcome::Held, RecordReason::Invalid, rule, Keep::Use)
            }
            None => plain(outcome, Keep::Use),
        },
        // kept, and not published until it says which document it is, and what each line of it means
        _ if !facts.published
            && let Some(finding) = rules::unpublished_document(body) =>
        {
            let rule = rule(&[kind.name(), finding.word()]);
            listed(RecordOutcome::Held, RecordReason::Invalid, rule, Keep::Use)
        }
        _ => plain(outcome, Keep::Use),
    }
}

fn plain(outcome: RecordOutcome, keep: Keep) -> Admission {
    Admission { outcome, why: None, keep }
}

fn listed(outcome: RecordOutcome, reason: RecordReason, rule: Rule, keep: Keep) -> Admission {
    Admission { outcome, why: Some((reason, rule)), keep }
}

fn rule(parts: &[&str]) -> Rule {
    parts.join(".").parse().expect("kinds, fields and our own words make a rule code")
}

/// Whether name, birth date and СНИЛС all changed: another person under the same key (exchange §1).
fn other_person(before: &Body, after: &Body) -> bool {
    let names =
        |body: &Body| ["surname", "given", "patronymic"].map(|name| body.text(name).and_then(name_key));
    let birth = |body: &Body| body.text("birth_date").and_then(parse_date);
    let snils = |body: &Body| body.text("snils").and_then(|text| typed::plain(text)?.parse::<Snils>().ok());
    names(before) != names(after) && birth(before) != birth(after) && snils(before) != snils(after)
}

/// The fields of a person that `after` states otherwise than `before`, as they would be published.
pub fn changed_fields(before: &Body, after: &Body) -> Vec<(&'static str, Option<String>)> {
    claimed()
        .filter_map(|field| {
            let value = |body: &Body| body.text(field.name).and_then(|text| published(field, text));
            let (old, new) = (value(before), value(after));
            (old != new).then_some((field.name, new))
        })
        .collect()
}

fn differs(kind: Kind, before: &Body, after: &Body) -> bool {
    match kind {
        Kind::RecipientClaim => !changed_fields(before, after).is_empty(),
        Kind::ProgrammeClaim | Kind::SupplementClaim => before != after,
        // the centre's own business is never locked
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> RecordId {
        RecordId::from_random([n; 16])
    }

    fn recipient(fields: &[(&str, &str)]) -> Body {
        let mut body = Body::new(Kind::RecipientClaim);
        for (field, value) in fields {
            body.set(field, value).expect("plain");
        }
        body
    }

    fn decide(record: &Record, facts: &Facts) -> (RecordOutcome, Option<RecordReason>, Keep) {
        let admission = admit(record.kind, &Edition::of(record), &examine(record), facts);
        (admission.outcome, admission.why.map(|(reason, _)| reason), admission.keep)
    }

    const BELOVA: [(&str, &str); 3] =
        [("surname", "Белова"), ("given", "Анна"), ("birth_date", "1945-03-12")];

    #[test]
    fn new_changed_unchanged() {
        let record = Record::live(id(1), 2, &recipient(&BELOVA));
        assert_eq!(decide(&record, &Facts::default()), (RecordOutcome::New, None, Keep::Use));
        let known = |record: &Record| Facts { known: Some(Edition::of(record)), ..Facts::default() };
        assert_eq!(decide(&record, &known(&record)), (RecordOutcome::Unchanged, None, Keep::Nothing));
        let newer = Record { version: 3, ..record.clone() };
        assert_eq!(decide(&newer, &known(&record)), (RecordOutcome::Changed, None, Keep::Use));
        let end = Record::tombstone(Kind::RecipientClaim, id(1), 4);
        assert_eq!(decide(&end, &known(&record)), (RecordOutcome::Changed, None, Keep::End));
    }

    #[test]
    fn old_and_colliding_versions_are_refused() {
        let record = Record::live(id(1), 2, &recipient(&BELOVA));
        let facts = Facts { known: Some(Edition::of(&record)), ..Facts::default() };
        let refused = |reason| (RecordOutcome::Refused, Some(reason), Keep::Nothing);
        let older = Record { version: 1, ..record.clone() };
        assert_eq!(decide(&older, &facts), refused(RecordReason::Older));
        let other = Record::live(id(1), 2, &recipient(&[("surname", "Зуева")]));
        assert_eq!(decide(&other, &facts), refused(RecordReason::Collision));
        let ended = Facts {
            known: Some(Edition::of(&Record::tombstone(Kind::RecipientClaim, id(1), 1))),
            ..Facts::default()
        };
        assert_eq!(decide(&record, &ended), refused(RecordReason::Collision));
    }

    #[test]
    fn a_centre_writes_only_what_is_its_own() {
        let record = Record::live(id(1), 1, &Body::new(Kind::Person));
        let told = decide(&record, &Facts::default());
        assert_eq!(told, (RecordOutcome::Refused, Some(RecordReason::NotOwner), Keep::Refused));
        let input = Record::live(id(1), 1, &Body::new(Kind::HubInput));
        assert_eq!(decide(&input, &Facts::default()).1, Some(RecordReason::NotOwner));
    }

    #[test]
    fn a_bad_record_is_refused_alone_and_again_when_it_comes_again() {
        let record = Record::live(id(1), 1, &recipient(&[("given", "Анна")]));
        let refused = (RecordOutcome::Refused, Some(RecordReason::Invalid), Keep::Refused);
        assert_eq!(decide(&record, &Facts::default()), refused);
        let why = admit(record.kind, &Edition::of(&record), &examine(&record), &Facts::default()).why;
        let (reason, rule) = why.expect("told");
        assert_eq!(rule.as_str(), "recipient_claim.surname");
        let facts = Facts {
            known: Some(Edition::of(&record)),
            earlier: Some((RecordOutcome::Refused, reason, rule)),
            ..Facts::default()
        };
        let again = (RecordOutcome::Refused, Some(RecordReason::Invalid), Keep::Nothing);
        assert_eq!(decide(&record, &facts), again);
        let garbled = Record { body: b"<person>".to_vec(), ..record };
        assert_eq!(decide(&garbled, &Facts::default()), refused);
        // whose it is comes first
        for (kind, reason, code) in [
            (Kind::RecipientClaim, RecordReason::Invalid, "recipient_claim.body"),
            (Kind::Person, RecordReason::NotOwner, "person.owner"),
        ] {
            let end = Record { kind, form: Form::Tombstone, ..garbled.clone() };
            let (told, rule) = examine_line(&end, Some(&LineError::BodyAndForm)).refusal.expect("refused");
            assert_eq!((told, rule.as_str()), (reason, code));
        }
    }

    #[test]
    fn a_reference_to_nothing_is_held_until_its_referent_comes() {
        let mut body = Body::new(Kind::Contact);
        body.set("recipient", &id(9).to_string()).expect("plain");
        let record = Record::live(id(1), 1, &body);
        assert_eq!(examine(&record).references[0].1, id(9));
        let missing = Facts { missing: Some("recipient"), ..Facts::default() };
        let held = (RecordOutcome::Held, Some(RecordReason::DanglingRef), Keep::Hold);
        assert_eq!(decide(&record, &missing), held);
        let earlier = Some((
            RecordOutcome::Held,
            RecordReason::DanglingRef,
            "contact.recipient".parse().expect("a code"),
        ));
        let come = Facts { known: Some(Edition::of(&record)), earlier, ..Facts::default() };
        assert_eq!(decide(&record, &come), (RecordOutcome::Changed, None, Keep::Use));
    }

    #[test]
    fn a_document_without_number_or_date_is_held_until_it_has_both() {
        let recipient = id(9).to_string();
        for kind in [Kind::ProgrammeClaim, Kind::SupplementClaim] {
            let document = |fields: &[(&str, &str)]| {
                let mut body = Body::new(kind);
                for (field, value) in [("recipient", recipient.as_str())].iter().chain(fields) {
                    body.set(field, value).expect("plain");
                }
                body
            };
            for fields in [
                &[("date", "10.03.2026")][..],
                &[("number", "7")],
                &[("number", "-"), ("date", "10.03.2026")],
                &[("number", "нет данных"), ("date", "10.03.2026")],
                &[("number", "7"), ("date", "весной")],
                &[("number", "7"), ("date", "01.01.1900")],
            ] {
                let record = Record::live(id(1), 1, &document(fields));
                let held = (RecordOutcome::Held, Some(RecordReason::Invalid), Keep::Use);
                assert_eq!(decide(&record, &Facts::default()), held, "{fields:?}");
                let told = admit(kind, &Edition::of(&record), &examine(&record), &Facts::default());
                let code = told.why.expect("told").1;
                assert_eq!(code.as_str(), format!("{kind}.P14"));
                let known = Edition::of(&record);
                let earlier = earlier("held", Some(code.as_str()));
                let again = Facts { known: Some(known), earlier, ..Facts::default() };
                assert_eq!(decide(&record, &again), (held.0, held.1, Keep::Nothing));
                let mended = document(&[("number", "7"), ("date", "10.03.26")]);
                let mended = Record::live(id(1), 2, &mended);
                assert_eq!(decide(&mended, &again), (RecordOutcome::Changed, None, Keep::Use));
            }
        }
    }

    #[test]
    fn another_person_under_the_same_key_is_held() {
        let (one, two) =
            (Snils::from_number(112_233_445).to_form(), Snils::from_number(223_344_556).to_form());
        let before = recipient(&[BELOVA[0], BELOVA[1], BELOVA[2], ("snils", &one)]);
        let after = [("surname", "Зуев"), ("given", "Пётр"), ("birth_date", "1950-01-02"), ("snils", &two)];
        let known = Edition::of(&Record::live(id(1), 1, &before));
        let facts = Facts { known: Some(known), basis: Some(before), ..Facts::default() };
        let record = Record::live(id(1), 2, &recipient(&after));
        let held = (RecordOutcome::Held, Some(RecordReason::IdentityChanged), Keep::Hold);
        assert_eq!(decide(&record, &facts), held);
        let patronymic = [BELOVA[0], BELOVA[1], ("patronymic", "Петровна"), after[2], ("snils", &two)];
        let third = Record::live(id(1), 2, &recipient(&patronymic));
        assert_eq!(decide(&third, &facts).0, RecordOutcome::Held, "any part of the name counts");
        // a marriage is not another person
        let married = Record::live(id(1), 2, &recipient(&[after[0], BELOVA[1], BELOVA[2], ("snils", &one)]));
        assert_eq!(decide(&married, &facts), (RecordOutcome::Changed, None, Keep::Use));
    }

    #[test]
    fn a_change_after_publication_becomes_a_proposal() {
        let before = recipient(&BELOVA);
        let known = Edition::of(&Record::live(id(1), 1, &before));
        let facts = Facts { known: Some(known), basis: Some(before), published: true, ..Facts::default() };
        let other = [BELOVA[0], BELOVA[1], ("birth_date", "1946-03-12")];
        let record = Record::live(id(1), 2, &recipient(&other));
        let proposed = (RecordOutcome::Proposed, Some(RecordReason::Locked), Keep::Aside);
        assert_eq!(decide(&record, &facts), proposed);
        // the same facts in another spelling propose nothing
        let same = [("surname", "БЕЛОВА"), BELOVA[1], ("birth_date", "12.03.1945")];
        let record = Record::live(id(1), 2, &recipient(&same));
        assert_eq!(decide(&record, &facts), (RecordOutcome::Changed, None, Keep::Use));
    }
}
