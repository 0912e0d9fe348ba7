//! What stands under the names that a file of staff's gives: of a record its id or key, of a person its uid or case number.

use exchange_format::record::{Body, Kind, RecordId, Type};

use super::drawn::Stop;
use crate::{
    database::drawn::Drawn,
    decisions::{
        audience::{self, View},
        drawn::is_document,
    },
    edges::register::Register,
};

/// What stands, for a row that names it.
pub struct Standing {
    /// Its key.
    pub key: RecordId,
    /// What staff's files call it.
    pub id: String,
    /// Whose it is; none of the directory.
    pub person: Option<RecordId>,
    /// What it says.
    pub body: Body,
}

/// `drawn` with what it refers to as that is meant now: its person may have turned out to be another, and its programme may have
/// been joined into one.
pub fn as_meant(register: &Register<'_>, mut drawn: Drawn) -> Result<Standing, Stop> {
    let stated: Vec<_> =
        drawn.body.head().iter().filter_map(|(field, text)| Some((field, text?.to_owned()))).collect();
    for (field, text) in stated {
        let Type::Reference(kinds) = field.ty else { continue };
        let Ok(key) = text.parse() else { continue };
        let meant = if kinds.contains(&Kind::Person) {
            register.tx.person_meant(key)?
        } else if kinds.iter().any(|kind| is_document(*kind)) {
            register.tx.document_meant(key)?
        } else {
            continue;
        };
        drawn.body.set(field.name, &meant.to_string()).map_err(Stop::Found)?;
    }
    Ok(Standing { key: drawn.key, id: drawn.id, person: drawn.person, body: drawn.body })
}

/// What stands under the key `text`: a record that staff drew up, a document as it follows from what centres claim, or
/// an attachment of a centre's.
pub fn standing(register: &Register<'_>, kind: Kind, text: &str) -> Result<Option<Standing>, Stop> {
    if let Some(drawn) = by_key(register, kind, text)? {
        return Ok(Some(as_meant(register, drawn)?));
    }
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    let of = |key, person, body| Standing { key, id: text.to_owned(), person, body };
    if is_document(kind) {
        let (Some(person), key) = (register.tx.person_of_document(key)?, register.tx.document_meant(key)?)
        else {
            return Ok(None);
        };
        let Some(file) = register.file(person)? else { return Ok(None) };
        let body = audience::documents(&file, View::Everything, register.lists).remove(&key);
        return Ok(body.filter(|body| body.kind() == kind).map(|body| of(key, Some(person), body)));
    }
    if kind.owner().centre_writes() {
        for centre in register.tx.centres()? {
            if let Some(one) = register.tx.received_by_key(centre.code, kind, key)? {
                return Ok(Some(of(key, None, one.claim.body)));
            }
        }
    }
    Ok(None)
}

/// The record of `kind` under this key.
fn by_key(register: &Register<'_>, kind: Kind, text: &str) -> Result<Option<Drawn>, Stop> {
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    Ok(register.tx.drawn(key)?.filter(|drawn| drawn.body.kind() == kind))
}

/// The record that `text` means, of one of `kinds`: a person by uid or case number, another by what staff's files call
/// it or by its key.
pub fn resolve(register: &Register<'_>, kinds: &[Kind], text: &str) -> Result<Option<RecordId>, Stop> {
    for kind in kinds.iter().copied().filter(|kind| kind.owner().hub_publishes()) {
        let found = match kind {
            Kind::Person => person(register, text)?,
            _ => match register.tx.drawn_by_id(kind, text)? {
                Some(drawn) => Some(drawn.key),
                None if is_document(kind) => document(register, text)?,
                None => by_key(register, kind, text)?.map(|drawn| drawn.key),
            },
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn person(register: &Register<'_>, text: &str) -> Result<Option<RecordId>, Stop> {
    let found = match text.to_lowercase().parse::<RecordId>() {
        Ok(uid) => register.tx.person(uid)?,
        Err(_) => register.tx.person_by_case(text)?,
    };
    Ok(found.map(|person| person.merged_into.unwrap_or(person.uid)))
}

fn document(register: &Register<'_>, text: &str) -> Result<Option<RecordId>, Stop> {
    let Ok(key) = text.to_lowercase().parse::<RecordId>() else { return Ok(None) };
    match register.tx.person_of_document(key)? {
        Some(_) => Ok(Some(register.tx.document_meant(key)?)),
        None => Ok(None),
    }
}

/// Whose record `body` is. What it refers to must be the same person's.
pub fn person_of(register: &Register<'_>, body: &Body) -> Result<Option<RecordId>, Stop> {
    let mut person = None;
    for (field, text) in body.head().iter() {
        let (Type::Reference(_), Some(key)) = (field.ty, text.and_then(|text| text.parse().ok())) else {
            continue;
        };
        let whose = match field.name {
            "recipient" => Some(register.tx.person_meant(key)?),
            "programme" | "supplement" => register.tx.person_of_document(key)?,
            _ => match register.tx.drawn(key)?.and_then(|drawn| drawn.person) {
                Some(whose) => Some(register.tx.person_meant(whose)?),
                None => None,
            },
        };
        if person.is_some() && whose.is_some() && person != whose {
            return Err(Stop::by(field.column(), "other-person"));
        }
        person = person.or(whose);
    }
    Ok(person)
}
