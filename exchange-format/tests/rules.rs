//! Every rule of the domain has a case that breaks it and nothing else; the examples break none; docs/RULES.md lists
//! them all. `SVOD_WRITE_DOCS=1 cargo test -p exchange-format --test rules` writes the document anew.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use exchange_format::{
    lists::Lists,
    record::{Body, Field, Kind, Type},
    rules::{self, Around, Severity},
    typed,
};
use fixtures::examples;
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 22);

/// A record and what stands beside it.
struct Scene {
    body: Body,
    others: Vec<Body>,
    person: Body,
    programme: Body,
    supplement: Body,
    contract: Body,
    directory: Vec<Body>,
    stray: Option<&'static str>,
}

impl Scene {
    fn of(kind: Kind) -> Self {
        Self {
            body: examples::body(kind),
            others: Vec::new(),
            person: examples::body(Kind::Person),
            programme: examples::body(Kind::Programme),
            supplement: examples::body(Kind::Supplement),
            contract: examples::body(Kind::Contract),
            directory: vec![examples::body(Kind::Service)],
            stray: None,
        }
    }

    fn broken(&self) -> Vec<&'static str> {
        rules::check(&self.body, &self.around()).iter().map(|breach| breach.rule.code).collect()
    }

    /// For what it is refused.
    fn refused(&self) -> Option<&'static str> {
        rules::fault_within(&self.body, &self.around()).map(|finding| finding.word())
    }

    fn around(&self) -> Around<'_> {
        Around {
            today: Some(TODAY),
            others: &self.others,
            person: Some(&self.person),
            programme: Some(&self.programme),
            supplement: Some(&self.supplement),
            contract: Some(&self.contract),
            directory: &self.directory,
            stray: self.stray,
            lists: Some(Lists::shipped()),
        }
    }

    /// Makes one change of the form that the head of the cases describes.
    fn change(&mut self, change: &str) {
        if let Some(n) = change.strip_prefix('-') {
            return remove_line(&mut self.body, n.parse().expect("a number"));
        }
        let (place, value) = change.split_once('=').expect(change);
        let (whose, field) = place.split_once('.').unwrap_or(("", place));
        if whose == "stray" {
            let mut fields = self.body.kind().schema().fields.iter().map(|field| field.name);
            self.stray = fields.find(|name| *name == field);
            return;
        }
        let body = match whose {
            "other" => {
                if self.others.is_empty() {
                    self.others.push(self.body.clone());
                }
                &mut self.others[0]
            }
            "person" => &mut self.person,
            "programme" => &mut self.programme,
            "supplement" => &mut self.supplement,
            "contract" => &mut self.contract,
            "service" => &mut self.directory[0],
            _ => &mut self.body,
        };
        match whose {
            "new" => set_new(body, field, value),
            n if n.starts_with(|c: char| c.is_ascii_digit()) => {
                set_line(body, n.parse().expect("a number"), field, value);
            }
            _ => body.set(field, value).expect("text"),
        }
    }
}

/// The body with its lines as `keep` gives them back.
fn rebuild(body: &mut Body, edit: impl Fn(usize, &mut Vec<(&'static str, String)>) -> bool) {
    let lines: Vec<Vec<(&str, String)>> = body
        .lines()
        .iter()
        .map(|line| line.iter().filter_map(|(field, text)| Some((field.name, text?.to_owned()))).collect())
        .collect();
    body.clear_lines();
    for (n, mut values) in lines.into_iter().enumerate() {
        if edit(n + 1, &mut values) {
            let line = body.add_line();
            for (field, text) in values {
                line.set(field, &text).expect("text");
            }
        }
    }
}

fn remove_line(body: &mut Body, n: usize) {
    assert!(n <= body.lines().len());
    rebuild(body, |at, _| at != n);
}

fn set_line(body: &mut Body, n: usize, field: &str, value: &str) {
    assert!(n <= body.lines().len());
    let name = body.kind().schema().lines.expect("lines").fields.iter().find(|one| one.name == field);
    let name = name.expect("a field").name;
    rebuild(body, |at, values| {
        if at == n {
            values.retain(|(other, _)| *other != name);
            values.push((name, value.to_owned()));
        }
        true
    });
}

/// A line added is the one with the number 9000.
fn set_new(body: &mut Body, field: &str, value: &str) {
    if body.lines().last().is_none_or(|line| line.text("no") != Some("9000")) {
        body.add_line().set("no", "9000").expect("text");
    }
    let n = body.lines().len();
    set_line(body, n, field, value);
}

fn cases() -> Vec<(String, Kind, String)> {
    let cases = examples::rule_cases();
    cases
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let [code, kind, changes] = parts[..] else { panic!("three parts: {line}") };
            (code.to_owned(), kind.parse().expect(line), changes.to_owned())
        })
        .collect()
}

#[test]
fn the_examples_break_no_rule() {
    for kind in Kind::ALL {
        assert_eq!(Scene::of(kind).broken(), Vec::<&str>::new(), "{kind}");
    }
}

#[test]
fn what_is_right_in_another_form_is_told_of_by_no_rule() {
    for (kind, change) in [
        (Kind::RecipientClaim, "disability_until=31.12.48"),
        (Kind::RecipientClaim, "disability_group=II гр."),
        (Kind::RecipientClaim, "disability_group=не установлена"),
        (Kind::ProgrammeClaim, "number=Б-17/н"),
        (Kind::SupplementClaim, "1.mon=—"),
        (Kind::SupplementClaim, "1.tue=нет"),
    ] {
        let mut scene = Scene::of(kind);
        scene.change(change);
        let grid = ["C06", "C07", "S05", "S17"];
        let broken: Vec<_> = scene.broken().into_iter().filter(|code| !grid.contains(code)).collect();
        assert_eq!(broken, Vec::<&str>::new(), "{kind} {change}");
    }
}

#[test]
fn each_case_breaks_its_rule_and_no_other() {
    let mut wrong = Vec::new();
    for (code, kind, changes) in cases() {
        let mut scene = Scene::of(kind);
        changes.split(" ; ").for_each(|change| scene.change(change.trim()));
        let broken = scene.broken();
        if broken != code.split('+').collect::<Vec<_>>() {
            wrong.push(format!("{code} | {kind} | {changes}: {broken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_rule_refuses_is_told_by_its_code_and_by_no_field() {
    let mut wrong = Vec::new();
    for (code, kind, changes) in cases() {
        let refuses = rules::find(&code).and_then(|rule| rule.severity(kind)) == Some(Severity::Refuse);
        let mut scene = Scene::of(kind);
        changes.split(" ; ").for_each(|change| scene.change(change.trim()));
        if refuses && scene.refused() != Some(code.as_str()) {
            wrong.push(format!("{code} | {kind} | {changes}: {:?}", scene.refused()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_assessment_that_a_later_one_follows_has_its_next_and_a_year_may_have_two_digits() {
    let mut scene = Scene::of(Kind::Assessment);
    for change in ["next_date=2026-11-21", "year=26"] {
        scene.change(change);
    }
    assert_eq!(scene.broken(), ["C11"]);
    // another person's, an earlier one
    for change in ["other.date=2026-11-20", "other.recipient=00000000-0000-4000-8000-000000000001"] {
        scene.change(change);
    }
    assert!(scene.broken().contains(&"C11"), "{:?}", scene.broken());
    let recipient = scene.body.text("recipient").expect("stated").to_owned();
    scene.change(&format!("other.recipient={recipient}"));
    assert!(!scene.broken().contains(&"C11"), "{:?}", scene.broken());
    scene.change("other.date=2020-11-20");
    assert!(scene.broken().contains(&"C11"), "{:?}", scene.broken());
}

/// Whether some rule tells of `field`, of that line.
fn is_told(scene: &Scene, field: &str, line: Option<usize>) -> bool {
    let breaches = rules::check(&scene.body, &scene.around());
    breaches.iter().any(|breach| breach.place.field == field && breach.place.line == line)
}

#[test]
fn whatever_of_a_claim_cannot_be_read_is_told_at_its_field() {
    let (mut seen, mut silent) = (0, Vec::new());
    for kind in [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim, Kind::Contract] {
        let (head, lines) = typed::fields(kind);
        let own = kind.schema();
        let is_text = |fields: &[Field], name: &str| {
            fields.iter().any(|field| field.name == name && matches!(field.ty, Type::Text(_)))
        };
        let means_more = |field: &&Field| !matches!(field.ty, Type::Text(_));
        for field in head.iter().filter(means_more).filter(|field| is_text(own.fields, field.name)) {
            let mut scene = Scene::of(kind);
            scene.body.set(field.name, "весной").expect("text");
            seen += 1;
            if !is_told(&scene, field.name, None) {
                silent.push((kind, field.name));
            }
        }
        let of_own = own.lines.map_or(&[][..], |lines| lines.fields);
        for field in lines.iter().filter(means_more).filter(|field| is_text(of_own, field.name)) {
            let mut scene = Scene::of(kind);
            set_line(&mut scene.body, 1, field.name, "весной");
            seen += 1;
            if !is_told(&scene, field.name, Some(1)) {
                silent.push((kind, field.name));
            }
        }
    }
    assert_eq!(silent, [], "told by no rule");
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_care_package_is_given_in_the_forms_that_the_regions_list_names() {
    let mut region = Lists::shipped().clone();
    region.care[0].forms.push("semi-residential".to_owned());
    for kind in [Kind::NeedDecision, Kind::Assessment] {
        let mut body = examples::body(kind);
        let refused = |body: &Body, lists| {
            let around = Around { lists: Some(lists), ..Around::nothing() };
            rules::fault_within(body, &around).map(|finding| finding.word())
        };
        body.set("form", "semi-residential").expect("text");
        assert_eq!(
            (refused(&body, Lists::shipped()), refused(&body, &region)),
            (Some("C04"), None),
            "{kind}"
        );
        // what the region's lists say is known where they are
        assert!(rules::first_fault(&body).is_none(), "{kind}");
        body.set("form", "residential").expect("text");
        assert_eq!(refused(&body, &region), Some("C04"), "{kind}");
    }
}

#[test]
fn one_check_digit_of_a_case_number_holds() {
    let mut person = examples::body(Kind::Person);
    let good = (0..10).filter(|k| {
        person.set("case_number", &format!("42-32701000-000123-{k}")).expect("text");
        rules::first_fault(&person).is_none()
    });
    assert_eq!(good.count(), 1);
}

#[test]
fn no_rule_is_without_a_case_in_any_kind_that_it_applies_to() {
    let alone = cases().into_iter().filter(|(code, ..)| !code.contains('+'));
    let have: BTreeSet<(String, Kind)> = alone.map(|(code, kind, _)| (code, kind)).collect();
    let want: BTreeSet<(String, Kind)> = rules::all()
        .flat_map(|rule| rule.applies.iter().map(|(kind, _)| (rule.code.to_owned(), *kind)))
        .collect();
    assert_eq!(have.difference(&want).collect::<Vec<_>>(), Vec::<&(String, Kind)>::new(), "cases of no rule");
    assert_eq!(
        want.difference(&have).collect::<Vec<_>>(),
        Vec::<&(String, Kind)>::new(),
        "rules without a case"
    );
}

#[test]
fn codes_are_unique_and_texts_are_whole_sentences_in_both_languages() {
    let mut codes = BTreeSet::new();
    for rule in rules::all() {
        assert!(codes.insert(rule.code), "{}", rule.code);
        assert!(rule.code.parse::<exchange_format::answer::Rule>().is_ok());
        let (ru, en) = (rule.sentence.ru, rule.sentence.en);
        assert!(ru.ends_with('.') && en.ends_with('.') && !rule.source.is_empty(), "{}", rule.code);
        assert!(ru.chars().any(|c| ('а'..='я').contains(&c)), "{}", rule.code);
        assert!(rules::find(rule.code).is_some_and(|found| std::ptr::eq(found, rule)));
    }
    assert!(codes.len() > 70, "{}", codes.len());
}

#[test]
fn what_a_centre_typed_is_never_refused_and_its_own_business_is() {
    let refuses = |kind| rules::all().any(|rule| rule.severity(kind) == Some(Severity::Refuse));
    for kind in [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim, Kind::Contact] {
        assert!(!refuses(kind), "{kind}");
    }
    for kind in [Kind::Contract, Kind::PlanReport, Kind::ServiceAct, Kind::Programme, Kind::Supplement] {
        assert!(refuses(kind), "{kind}");
    }
    let mut act = examples::body(Kind::ServiceAct);
    assert!(rules::first_fault(&act).is_none());
    act.set("total", "1").expect("text");
    let fault = rules::first_fault(&act).expect("refused");
    assert_eq!((fault.field, fault.word()), ("total", "N01"));
    act.head_mut().clear("number");
    assert_eq!(rules::first_fault(&act).map(|fault| fault.word()), Some("number"), "the schema comes first");
}

const HEAD: &str = "\
# Rules of the domain

Written by `exchange-format/tests/rules.rs` from `exchange-format/src/rules/`; a test fails when this file is stale.

Beyond the types of its fields ([FORMAT.md](FORMAT.md), Records) a record is checked by these rules. **refuse**: it is not
taken, the PR says INVALID and names `<kind>.<code>`; **warn**: it is taken, and staff are told. What a centre typed of its
people and their old papers (claims) is never refused by them. A programme or supplement that the hub derives from claims and
that breaks one that refuses is not published, or stays as it was published: `svod-hub status` counts such documents,
`svod-hub check` lists them; what the hub's own staff draw up is refused at `svod-hub import`. `svod-spoke check` lists what a
centre's own rows break. A rule that needs other records (the programme of a supplement or contract, the person's other
programmes, who else has this СНИЛС), a list or the day is checked there, and not where a record comes alone; of two
programmes in force (P05) the hub's staff are asked.

Sources marked *own* are proposals of this project, no law; *to be checked*: cited from memory, and not yet compared with the
text of the law. The lists of services and questions are data (`exchange-format/data/`): those shipped are a demonstration,
unofficial; a region names its own in `[lists]` of the configurations, and `svod-packet verify --lists`. What names a model that
is in none breaks S10 or B13 where the lists are known.

Each rule has a case that breaks only it: `fixtures/data/rules/cases.txt`.

| code | kinds | нарушение | breach | source |
|---|---|---|---|---|
";

fn document() -> String {
    let mut out = HEAD.to_owned();
    for rule in rules::all() {
        let kinds: Vec<String> = [Severity::Refuse, Severity::Warn]
            .into_iter()
            .filter_map(|severity| {
                let kinds: Vec<String> = rule
                    .applies
                    .iter()
                    .filter(|(_, other)| *other == severity)
                    .map(|(kind, _)| format!("`{kind}`"))
                    .collect();
                let word = if severity == Severity::Refuse { "**refuse**" } else { "warn" };
                (!kinds.is_empty()).then(|| format!("{word} {}", kinds.join(" ")))
            })
            .collect();
        let (ru, en) = (rule.sentence.ru, rule.sentence.en);
        writeln!(out, "| {} | {} | {ru} | {en} | {} |", rule.code, kinds.join("; "), rule.source)
            .expect("writing to a string");
    }
    out
}

#[test]
fn the_document_lists_every_rule() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/RULES.md");
    let expected = document();
    if std::env::var_os("SVOD_WRITE_DOCS").is_some() {
        fs::write(&path, expected).expect("writing docs/RULES.md");
        return;
    }
    let written = fs::read_to_string(&path).expect("docs/RULES.md");
    assert!(written == expected, "docs/RULES.md does not list the rules; run with SVOD_WRITE_DOCS=1");
}
