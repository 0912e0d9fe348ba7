//! Who gets what. A centre sees only its own people; until staff confirm that it serves a person, only its own
//! values of it and the numbers issued (FORMAT.md §Privacy between centres).

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    participant::ParticipantCode,
    record::{Body, Kind, RecordId},
};
use jiff::civil::Date;

use super::{
    golden::{self, Claim},
    programme,
};

/// Everything the hub knows of one person.
#[derive(Debug, Clone)]
pub struct PersonFile {
    /// The person's id.
    pub uid: RecordId,
    /// The case number.
    pub case_number: String,
    /// The recipient claims that are this person.
    pub claims: Vec<Claim>,
    /// The hub's own entries, field → value.
    pub entries: BTreeMap<String, String>,
    /// Programmes and supplements of the person.
    pub documents: Vec<Document>,
    /// Pairs of programmes that staff have let stand side by side, the lesser first.
    pub allowed: BTreeSet<(RecordId, RecordId)>,
}

/// A programme or supplement.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its id, given by the hub.
    pub uid: RecordId,
    /// [`Kind::Programme`] or [`Kind::Supplement`].
    pub kind: Kind,
    /// The claims that are this document.
    pub claims: Vec<Claim>,
    /// Of a supplement: the programmes that its claims name, by claim.
    pub programmes: BTreeMap<(ParticipantCode, RecordId), RecordId>,
}

impl Document {
    /// The programme of a supplement: what the first of the claims `seen` that names one refers to.
    pub fn programme(&self, seen: &[Claim]) -> Option<RecordId> {
        let names = seen.iter().filter_map(|claim| self.programmes.get_key_value(&(claim.origin, claim.key)));
        names.min().map(|(_, programme)| *programme)
    }
}

/// How much of a person a centre sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything published of the person: staff confirmed that the centre serves it.
    Confirmed,
    /// Its own values and the numbers issued.
    OwnOnly,
}

/// A record to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its key.
    pub key: RecordId,
    /// What it says.
    pub body: Body,
}

impl PersonFile {
    /// The file as it would be without `claims` of the person, and without what rests on them alone.
    #[must_use]
    pub fn without(&self, claims: &BTreeSet<(ParticipantCode, RecordId)>) -> Self {
        let mut file = self.clone();
        file.claims.retain(|claim| !claims.contains(&(claim.origin, claim.key)));
        for document in &mut file.documents {
            document.claims.retain(|claim| {
                let recipient = claim.body.text("recipient").and_then(|text| text.parse().ok());
                recipient.is_none_or(|recipient| !claims.contains(&(claim.origin, recipient)))
            });
        }
        file
    }
}

impl Scope {
    /// The claims that `centre` sees under it.
    fn of(self, centre: ParticipantCode) -> impl Fn(&[Claim]) -> Vec<Claim> {
        let visible = move |claim: &&Claim| self == Self::Confirmed || claim.origin == centre;
        move |claims| claims.iter().filter(visible).cloned().collect()
    }
}

/// What `centre` gets of `file` under `scope`, referents first; nothing if no claim of the person is its own.
/// Programmes `withheld` wait for staff, and their supplements with them.
pub fn publications(
    file: &PersonFile,
    centre: ParticipantCode,
    scope: Scope,
    withheld: &BTreeSet<RecordId>,
) -> Vec<Wanted> {
    if !file.claims.iter().any(|claim| claim.origin == centre) {
        return Vec::new();
    }
    let seen = scope.of(centre);
    let none = BTreeMap::new();
    let entries = if scope == Scope::Confirmed { &file.entries } else { &none };
    let claims = seen(&file.claims);
    let person = golden::person(&file.case_number, &claims, entries).body;
    let as_typed = |claim: &Claim| golden::as_typed(&person, &claims, claim, entries);
    let mut all_links: Vec<Wanted> = links(&file.claims, centre, file.uid, &as_typed).collect();
    let documents = documents(file, &seen, withheld);
    for document in &file.documents {
        let Some(body) = documents.get(&document.uid) else { continue };
        let as_typed = |claim: &Claim| programme::as_typed(body, &claim.body);
        all_links.extend(links(&document.claims, centre, document.uid, &as_typed));
    }
    let mut wanted = vec![Wanted { key: file.uid, body: person }];
    wanted.extend(documents.into_iter().map(|(key, body)| Wanted { key, body }));
    wanted.extend(all_links);
    wanted
}

/// The person and its documents as the hub itself sees them: every claim counts, nothing is withheld.
pub fn whole(file: &PersonFile) -> Vec<Wanted> {
    let person = golden::person(&file.case_number, &file.claims, &file.entries);
    let documents = documents(file, &<[Claim]>::to_vec, &BTreeSet::new());
    let documents = documents.into_iter().map(|(key, body)| Wanted { key, body });
    [Wanted { key: file.uid, body: person.body }].into_iter().chain(documents).collect()
}

/// All programmes of a person that collide, as the hub itself sees them: staff are asked about each pair.
pub fn collisions(file: &PersonFile, today: Date) -> Vec<(RecordId, RecordId)> {
    colliding(file, &<[Claim]>::to_vec, today)
}

/// The programmes about which staff are asked, as far as `centre` may know of that under `scope`: before it is
/// confirmed only what its own stream shows (exchange §2).
pub fn contested(
    file: &PersonFile,
    centre: ParticipantCode,
    scope: Scope,
    today: Date,
) -> BTreeSet<RecordId> {
    colliding(file, &scope.of(centre), today).into_iter().flat_map(|(one, other)| [one, other]).collect()
}

fn colliding(
    file: &PersonFile,
    seen: &dyn Fn(&[Claim]) -> Vec<Claim>,
    today: Date,
) -> Vec<(RecordId, RecordId)> {
    let mut programmes = documents(file, seen, &BTreeSet::new());
    programmes.retain(|_, body| body.kind() == Kind::Programme);
    let mut collisions = programme::collisions(&programmes, today);
    collisions.retain(|pair| !file.allowed.contains(pair));
    collisions
}

/// The documents that may be published of what is `seen`: programmes that are not `withheld`, and supplements
/// whose programme is among them or that have none.
fn documents(
    file: &PersonFile,
    seen: &dyn Fn(&[Claim]) -> Vec<Claim>,
    withheld: &BTreeSet<RecordId>,
) -> BTreeMap<RecordId, Body> {
    let of = |kind: Kind, programmes: &BTreeMap<RecordId, Body>| -> BTreeMap<RecordId, Body> {
        let documents = file.documents.iter().filter(|document| document.kind == kind);
        documents
            .filter_map(|document| {
                let claims = seen(&document.claims);
                let programme = document.programme(&claims);
                if programme.is_some_and(|id| !programmes.contains_key(&id)) {
                    return None;
                }
                let (body, ..) = programme::published(kind, &claims, file.uid, programme)?;
                Some((document.uid, body))
            })
            .collect()
    };
    let mut programmes = of(Kind::Programme, &BTreeMap::new());
    programmes.retain(|uid, _| !withheld.contains(uid));
    let supplements = of(Kind::Supplement, &programmes);
    programmes.extend(supplements);
    programmes
}

/// The links of `centre`'s claims to `target`, each with the fields that its row shows `as_typed`; the lowest key is
/// the primary.
fn links(
    claims: &[Claim],
    centre: ParticipantCode,
    target: RecordId,
    as_typed: &dyn Fn(&Claim) -> Vec<&'static str>,
) -> impl Iterator<Item = Wanted> {
    let own: BTreeMap<RecordId, &Claim> =
        claims.iter().filter(|claim| claim.origin == centre).map(|claim| (claim.key, claim)).collect();
    own.into_iter().enumerate().map(move |(at, (key, claim))| {
        let mut body = Body::new(Kind::Link);
        for (field, value) in [
            ("claim_kind", claim.body.kind().name().to_owned()),
            ("claim", key.to_string()),
            ("target", target.to_string()),
            ("primary", if at == 0 { "1" } else { "0" }.to_owned()),
            ("based_on", claim.version.to_string()),
            ("as_typed", as_typed(claim).join(" ")),
        ] {
            if !value.is_empty() {
                body.set(field, &value).expect("ids, codes and numbers are plain text");
            }
        }
        Wanted { key, body }
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 21);

    fn id(n: u8) -> RecordId {
        RecordId::from_random([n; 16])
    }

    fn centre(unit: u16) -> ParticipantCode {
        ParticipantCode::new(42, unit)
    }

    fn claim(unit: u16, key: u8, kind: Kind, fields: &[(&str, &str)]) -> Claim {
        let mut body = Body::new(kind);
        for (field, value) in fields {
            body.set(field, value).expect("plain");
        }
        Claim { origin: centre(unit), key: id(key), version: 3, body }
    }

    fn programme(uid: u8, unit: u16, key: u8, number: &str) -> Document {
        let recipient = id(90).to_string();
        let fields = [("recipient", recipient.as_str()), ("number", number), ("date", "2026-01-15")];
        let claims = vec![claim(unit, key, Kind::ProgrammeClaim, &fields)];
        Document { uid: id(uid), kind: Kind::Programme, claims, programmes: BTreeMap::new() }
    }

    fn file() -> PersonFile {
        let person = |unit, key, work| {
            claim(unit, key, Kind::RecipientClaim, &[("surname", "Белова"), ("workplace", work)])
        };
        PersonFile {
            uid: id(100),
            case_number: "42-32701000-000001-5".into(),
            claims: vec![person(1, 1, "Завод"), person(2, 2, "Шахта"), person(2, 3, "Шахта")],
            entries: BTreeMap::from([("given".into(), "Анна".into())]),
            documents: vec![programme(110, 1, 11, "7")],
            allowed: BTreeSet::new(),
        }
    }

    fn all(file: &PersonFile, centre: ParticipantCode, scope: Scope) -> Vec<Wanted> {
        publications(file, centre, scope, &BTreeSet::new())
    }

    fn text(publications: &[Wanted]) -> String {
        let bodies = publications.iter().map(|one| format!("{} ", one.key) + &xml(&one.body));
        bodies.collect()
    }

    fn xml(body: &Body) -> String {
        String::from_utf8(body.to_xml()).expect("UTF-8")
    }

    #[test]
    fn a_centre_sees_only_its_own_people() {
        assert_eq!(all(&file(), centre(3), Scope::Confirmed), []);
    }

    #[test]
    fn before_confirmation_nothing_foreign_is_published() {
        let published = all(&file(), centre(2), Scope::OwnOnly);
        let all = text(&published);
        for foreign in
            [id(1).to_string(), id(11).to_string(), centre(1).to_string(), "Завод".into(), "Анна".into()]
        {
            assert!(!all.contains(&foreign), "{foreign} leaked");
        }
        assert!(all.contains("Шахта") && all.contains("42-32701000-000001-5"));
        assert!(published.iter().all(|one| one.body.kind() != Kind::Programme));
    }

    #[test]
    fn after_confirmation_the_whole_person_is_published_without_foreign_keys() {
        let told = text(&all(&file(), centre(2), Scope::Confirmed));
        assert!(told.contains("Анна") && told.contains(&id(110).to_string()));
        assert!(!told.contains(&id(1).to_string()) && !told.contains(&id(11).to_string()));
        assert!(!told.contains(centre(1).as_str()));
    }

    #[test]
    fn a_supplement_is_told_before_confirmation_whatever_programme_another_centre_names() {
        let mut file = file();
        let of = |unit, key| {
            let recipient = id(90).to_string();
            let fields = [("recipient", recipient.as_str()), ("number", "1"), ("date", "2026-01-15")];
            claim(unit, key, Kind::SupplementClaim, &fields)
        };
        file.documents.push(Document {
            uid: id(112),
            kind: Kind::Supplement,
            claims: vec![of(1, 13), of(2, 14)],
            programmes: BTreeMap::from([((centre(1), id(13)), id(110))]),
        });
        let own = all(&file, centre(2), Scope::OwnOnly);
        let supplement = own.iter().find(|one| one.body.kind() == Kind::Supplement);
        assert!(supplement.is_some_and(|one| one.body.text("programme").is_none()), "{own:?}");
    }

    #[test]
    fn of_two_claims_one_is_primary() {
        let published = all(&file(), centre(2), Scope::Confirmed);
        let links: Vec<_> = published.iter().filter(|one| one.body.kind() == Kind::Link).collect();
        assert_eq!(links.len(), 2);
        assert_eq!(links.iter().filter(|one| one.body.text("primary") == Some("1")).count(), 1);
        assert!(links.iter().all(|one| one.body.findings().is_empty()));
        assert!(links.iter().all(|one| one.body.text("based_on") == Some("3")));
    }

    #[test]
    fn colliding_programmes_wait_for_staff_and_their_supplements_with_them() {
        let mut file = file();
        file.documents.push(programme(111, 2, 12, "8"));
        let supplement = claim(
            2,
            13,
            Kind::SupplementClaim,
            &[("recipient", &id(90).to_string()), ("number", "1"), ("date", "2026-01-15")],
        );
        file.documents.push(Document {
            uid: id(112),
            kind: Kind::Supplement,
            claims: vec![supplement],
            programmes: BTreeMap::from([((centre(2), id(13)), id(111))]),
        });
        let kinds = |published: &[Wanted]| -> Vec<Kind> {
            let documents = published.iter().map(|one| one.body.kind());
            documents.filter(|kind| matches!(kind, Kind::Programme | Kind::Supplement)).collect()
        };
        let of = |file: &PersonFile, scope| {
            let withheld = contested(file, centre(2), scope, TODAY);
            kinds(&publications(file, centre(2), scope, &withheld))
        };
        assert_eq!(of(&file, Scope::Confirmed), []);
        let open = collisions(&file, TODAY);
        assert_eq!(open.len(), 1);
        // alone with its own stream the centre has no collision: the outcome derives from that stream only
        assert_eq!(of(&file, Scope::OwnOnly), [Kind::Programme, Kind::Supplement]);
        file.allowed.extend(open);
        assert_eq!(of(&file, Scope::Confirmed), [Kind::Programme, Kind::Programme, Kind::Supplement]);
    }
}
