//! Who gets what. A centre sees only its own people; until staff confirm that it serves a person, only its own
//! values of it and the numbers issued (FORMAT.md §Privacy between centres).
//!
//! Longer than 500 lines because who gets what is tested where it is decided.

use std::collections::{BTreeMap, BTreeSet};

use exchange_format::{
    lists::Lists,
    participant::ParticipantCode,
    record::{Body, Finding, Kind, RecordId, Type},
    rules::{self, Around},
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
    /// What the hub's staff drew up besides, referents first.
    pub drawn: Vec<Wanted>,
    /// Pairs of programmes that staff have let stand side by side, the lesser first.
    pub allowed: BTreeSet<(RecordId, RecordId)>,
    /// The day on which it is looked at.
    pub today: Date,
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
    /// Those of them that are no document yet: their centre is told why, and the supplement waits.
    pub waiting: BTreeSet<RecordId>,
    /// Those of them that are none of this person: another's, or withdrawn.
    pub strays: BTreeSet<RecordId>,
    /// As the hub's staff drew it up: that stands over all claims.
    pub drawn: Option<Body>,
}

impl Document {
    /// The programme of a supplement: what the first of the claims `seen` that names one refers to, of those that are this
    /// person's and can be published before others.
    fn programme(&self, seen: &[Claim]) -> Option<RecordId> {
        let names = seen.iter().filter_map(|claim| self.programmes.get_key_value(&(claim.origin, claim.key)));
        let last = |programme| (self.strays.contains(programme), self.waiting.contains(programme));
        names.min_by_key(|(claim, programme)| (last(programme), **claim)).map(|(_, programme)| *programme)
    }

    /// Whether a claim of it, or what staff drew up, names the programme `programme`.
    pub fn names(&self, programme: RecordId) -> bool {
        self.programmes.values().any(|named| *named == programme)
            || self.drawn.as_ref().and_then(programme_of) == Some(programme)
    }

    /// What of it, a document of the person `recipient`, can be published to whom `view` shows it.
    pub fn published(&self, view: View, recipient: RecordId) -> Option<Body> {
        self.published_beside(view, recipient, &Documents::new(), &Around::nothing())
    }

    /// [`Self::published`], a version being chosen by the rules beside what stands `around`, and beside its programme of
    /// `programmes`.
    fn published_beside(
        &self,
        view: View,
        recipient: RecordId,
        programmes: &Documents,
        around: &Around<'_>,
    ) -> Option<Body> {
        if let Some(drawn) = self.drawn.as_ref().filter(|_| view == View::Everything) {
            return Some(of_person(drawn, recipient));
        }
        let claims = view.claims(&self.claims);
        let programme = self.programme(&claims);
        let around = Around { programme: programme.and_then(|uid| programmes.get(&uid)), ..*around };
        programme::published_beside(self.kind, &claims, recipient, programme, &around).map(|(body, ..)| body)
    }
}

/// `body` as one about `person`: it was drawn up about a person who may have turned out to be another.
fn of_person(body: &Body, person: RecordId) -> Body {
    let mut body = body.clone();
    if body.text("recipient").is_some() {
        body.set("recipient", &person.to_string()).expect("an id is plain text");
    }
    body
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

/// What of a file somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Every claim, and what the hub's staff say.
    Everything,
    /// The claims of this centre.
    Own(ParticipantCode),
}

impl Scope {
    /// What `centre` sees under it.
    pub fn view(self, centre: ParticipantCode) -> View {
        match self {
            Self::Confirmed => View::Everything,
            Self::OwnOnly => View::Own(centre),
        }
    }
}

impl View {
    fn claims(self, claims: &[Claim]) -> Vec<Claim> {
        let visible = |claim: &&Claim| match self {
            Self::Everything => true,
            Self::Own(centre) => claim.origin == centre,
        };
        claims.iter().filter(visible).cloned().collect()
    }
}

/// Documents as they can be published, by their ids.
pub type Documents = BTreeMap<RecordId, Body>;

/// What `centre` gets of `file`, whose golden record `person` is, under `scope`, referents first; nothing if no claim of the
/// person is its own. `documents` are those of the file in its view; those `withheld` wait for staff, and what refers to them
/// with them.
pub fn publications(
    file: &PersonFile,
    person: &Body,
    centre: ParticipantCode,
    scope: Scope,
    mut documents: Documents,
    withheld: &BTreeSet<RecordId>,
) -> Vec<Wanted> {
    if !file.claims.iter().any(|claim| claim.origin == centre) {
        return Vec::new();
    }
    let (view, none) = (scope.view(centre), BTreeMap::new());
    let entries = if view == View::Everything { &file.entries } else { &none };
    let claims = view.claims(&file.claims);
    let is_whole = claims.len() == file.claims.len() && entries.len() == file.entries.len();
    let person = if is_whole {
        person.clone()
    } else {
        golden::person(&file.case_number, &claims, entries, file.today).body
    };
    let as_typed = |claim: &Claim| golden::as_typed(&person, &claims, claim, entries, file.today);
    let mut all_links: Vec<Wanted> = links(&file.claims, centre, file.uid, &as_typed).collect();
    documents.retain(|uid, _| !withheld.contains(uid));
    let named: BTreeSet<RecordId> = documents.keys().copied().collect();
    documents.retain(|_, body| programme_of(body).is_none_or(|programme| named.contains(&programme)));
    for document in &file.documents {
        let Some(body) = documents.get(&document.uid) else { continue };
        let as_typed = |claim: &Claim| programme::as_typed(body, &claim.body);
        all_links.extend(links(&document.claims, centre, document.uid, &as_typed));
    }
    let mut wanted = vec![Wanted { key: file.uid, body: person }];
    wanted.extend(in_order(documents));
    if view == View::Everything {
        for drawn in &file.drawn {
            let body = of_person(&drawn.body, file.uid);
            if references(&body).all(|key| wanted.iter().any(|one| one.key == key)) {
                wanted.push(Wanted { key: drawn.key, body });
            }
        }
    }
    wanted.extend(all_links);
    wanted
}

/// The person, its documents, and what staff drew up besides, as the hub itself sees them.
pub fn whole(file: &PersonFile, lists: &Lists) -> Vec<Wanted> {
    let person = golden::person(&file.case_number, &file.claims, &file.entries, file.today);
    let documents = in_order(documents(file, View::Everything, lists));
    let drawn = file.drawn.iter();
    let drawn = drawn.map(|one| Wanted { key: one.key, body: of_person(&one.body, file.uid) });
    [Wanted { key: file.uid, body: person.body }].into_iter().chain(documents).chain(drawn).collect()
}

/// All programmes among the `documents` of `file` that collide: staff are asked about each pair that they have not let
/// stand.
pub fn collisions(file: &PersonFile, documents: &Documents, today: Date) -> Vec<(RecordId, RecordId)> {
    let programmes = documents.iter().filter(|(_, body)| body.kind() == Kind::Programme);
    let mut collisions = programme::collisions(programmes, today);
    collisions.retain(|pair| !file.allowed.contains(pair));
    collisions
}

/// The documents that break a rule for which they may not be published, and what is wrong with each first.
pub fn faulty(documents: &Documents, today: Date, lists: &Lists) -> BTreeMap<RecordId, Finding> {
    let fault = |body: &Body| {
        let programme = programme_of(body).and_then(|programme| documents.get(&programme));
        let around = Around { today: Some(today), lists: Some(lists), programme, ..Around::nothing() };
        rules::fault_within(body, &around)
    };
    documents.iter().filter_map(|(uid, body)| Some((*uid, fault(body)?))).collect()
}

/// The documents of `file` that can be published of what `view` shows: programmes, and supplements whose programme is
/// among them or that have none. Of several versions one that breaks no rule on the day and by the `lists` of the file is shown.
pub fn documents(file: &PersonFile, view: View, lists: &Lists) -> Documents {
    let around = Around { today: Some(file.today), lists: Some(lists), ..Around::nothing() };
    let mut documents = Documents::new();
    for kind in [Kind::Programme, Kind::Supplement] {
        for document in file.documents.iter().filter(|document| document.kind == kind) {
            let body = document.published_beside(view, file.uid, &documents, &around);
            documents.extend(body.map(|body| (document.uid, body)));
        }
    }
    let named: BTreeSet<RecordId> = documents.keys().copied().collect();
    documents.retain(|_, body| programme_of(body).is_none_or(|programme| named.contains(&programme)));
    documents
}

/// The supplements of `file` that are published to nobody, not among `all` its documents, because the programme that they name is
/// none of this person: it is another's, or was withdrawn.
pub fn stranded<'a>(file: &'a PersonFile, all: &'a Documents) -> impl Iterator<Item = &'a Document> {
    let left = |document: &&Document| document.kind == Kind::Supplement && !all.contains_key(&document.uid);
    file.documents.iter().filter(left).filter(|document| {
        let body = document.published(View::Everything, file.uid);
        let named = body.as_ref().and_then(programme_of).filter(|named| !document.waiting.contains(named));
        named.is_some_and(|named| !all.contains_key(&named))
    })
}

/// Referents first.
fn in_order(documents: Documents) -> Vec<Wanted> {
    let mut documents: Vec<Wanted> = documents.into_iter().map(|(key, body)| Wanted { key, body }).collect();
    documents.sort_by_key(|one| one.body.kind());
    documents
}

/// The programme that a supplement names.
pub fn programme_of(body: &Body) -> Option<RecordId> {
    if body.kind() != Kind::Supplement {
        return None;
    }
    body.text("programme")?.parse().ok()
}

/// What a record refers to.
fn references(body: &Body) -> impl Iterator<Item = RecordId> {
    let stated = body.head().iter().filter(|(field, _)| matches!(field.ty, Type::Reference(_)));
    stated.filter_map(|(_, text)| text?.parse().ok())
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
    use fixtures::examples;
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
        Document {
            uid: id(uid),
            kind: Kind::Programme,
            claims,
            programmes: BTreeMap::new(),
            waiting: BTreeSet::new(),
            strays: BTreeSet::new(),
            drawn: None,
        }
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
            drawn: Vec::new(),
            allowed: BTreeSet::new(),
            today: TODAY,
        }
    }

    fn all(file: &PersonFile, centre: ParticipantCode, scope: Scope) -> Vec<Wanted> {
        given(file, centre, scope, documents(file, scope.view(centre), Lists::shipped()), &BTreeSet::new())
    }

    fn given(
        file: &PersonFile,
        centre: ParticipantCode,
        scope: Scope,
        documents: Documents,
        withheld: &BTreeSet<RecordId>,
    ) -> Vec<Wanted> {
        let person = golden::person(&file.case_number, &file.claims, &file.entries, file.today).body;
        publications(file, &person, centre, scope, documents, withheld)
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
            waiting: BTreeSet::new(),
            strays: BTreeSet::new(),
            drawn: None,
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
            waiting: BTreeSet::new(),
            strays: BTreeSet::new(),
            drawn: None,
        });
        let kinds = |published: &[Wanted]| -> Vec<Kind> {
            let documents = published.iter().map(|one| one.body.kind());
            documents.filter(|kind| matches!(kind, Kind::Programme | Kind::Supplement)).collect()
        };
        let of = |file: &PersonFile, scope: Scope| {
            let documents = documents(file, scope.view(centre(2)), Lists::shipped());
            let open = collisions(file, &documents, TODAY);
            let withheld: BTreeSet<RecordId> =
                open.into_iter().flat_map(|(one, other)| [one, other]).collect();
            kinds(&given(file, centre(2), scope, documents, &withheld))
        };
        assert_eq!(of(&file, Scope::Confirmed), []);
        let open = collisions(&file, &documents(&file, View::Everything, Lists::shipped()), TODAY);
        assert_eq!(open.len(), 1);
        // alone with its own stream the centre has no collision: the outcome derives from that stream only
        assert_eq!(of(&file, Scope::OwnOnly), [Kind::Programme, Kind::Supplement]);
        file.allowed.extend(open);
        assert_eq!(of(&file, Scope::Confirmed), [Kind::Programme, Kind::Programme, Kind::Supplement]);
    }

    #[test]
    fn of_two_versions_one_that_breaks_a_rule_only_by_the_regions_lists_does_not_keep_the_other_back() {
        let mut file = file();
        let of = |unit, key, model| {
            let mut body = examples::body(Kind::SupplementClaim);
            body.set("recipient", &id(90).to_string()).expect("plain");
            body.head_mut().clear("programme");
            body.set("model", model).expect("plain");
            Claim { origin: centre(unit), key: id(key), version: 1, body }
        };
        let model = examples::body(Kind::SupplementClaim).text("model").expect("stated").to_owned();
        file.documents.push(Document {
            uid: id(112),
            kind: Kind::Supplement,
            claims: vec![of(1, 13, "demo-9"), of(2, 14, &model)],
            programmes: BTreeMap::new(),
            waiting: BTreeSet::new(),
            strays: BTreeSet::new(),
            drawn: None,
        });
        let shown = documents(&file, View::Everything, Lists::shipped());
        assert_eq!(shown[&id(112)].text("model"), Some(model.as_str()));
        assert_eq!(faulty(&shown, TODAY, Lists::shipped()), BTreeMap::new());
    }

    #[test]
    fn what_staff_drew_up_stands_over_claims_and_goes_only_where_the_person_is_served() {
        let mut file = file();
        let mut drawn = Body::new(Kind::Programme);
        let named = id(99).to_string();
        for (field, value) in [("recipient", named.as_str()), ("number", "7"), ("date", "2026-01-15")] {
            drawn.set(field, value).expect("plain");
        }
        drawn.set("conditions", "со слов эксперта").expect("plain");
        file.documents[0].drawn = Some(drawn);
        let decision = claim(0, 0, Kind::NeedDecision, &[("recipient", &named), ("number", "1")]).body;
        file.drawn = vec![Wanted { key: id(120), body: decision }];
        let scan = claim(0, 0, Kind::Attachment, &[("programme", &id(110).to_string())]).body;
        file.drawn.push(Wanted { key: id(121), body: scan });
        let told = all(&file, centre(2), Scope::Confirmed);
        let text = text(&told);
        assert!(text.contains("со слов эксперта") && !text.contains(&named), "{text}");
        assert!(text.contains(&id(120).to_string()) && text.contains(&id(121).to_string()), "{text}");
        // a scan goes where its programme goes
        let withheld = BTreeSet::from([id(110)]);
        let view = documents(&file, View::Everything, Lists::shipped());
        let told = given(&file, centre(2), Scope::Confirmed, view, &withheld);
        let kinds: Vec<Kind> = told.iter().map(|one| one.body.kind()).collect();
        assert!(kinds.contains(&Kind::NeedDecision) && !kinds.contains(&Kind::Attachment), "{kinds:?}");
        // before the centre is confirmed it knows nothing of all this
        let own = all(&file, centre(1), Scope::OwnOnly);
        let kinds: BTreeSet<Kind> = own.iter().map(|one| one.body.kind()).collect();
        assert_eq!(kinds, BTreeSet::from([Kind::Person, Kind::Programme, Kind::Link]));
        assert!(!own.iter().any(|one| xml(&one.body).contains("со слов эксперта")));
    }

    #[test]
    fn a_document_that_breaks_a_refusing_rule_is_faulty_and_its_supplement_is_judged_beside_it() {
        let mut file = file();
        let until = |file: &mut PersonFile, day: &str| {
            file.documents[0].claims[0].body.set("valid_until", day).expect("plain");
            faulty(&documents(file, View::Everything, Lists::shipped()), TODAY, Lists::shipped())
        };
        assert!(until(&mut file, "2029-01-15").is_empty());
        let found = until(&mut file, "2029-01-16");
        assert_eq!(found.get(&id(110)).map(Finding::word), Some("P01"));
    }
}
