//! What the hub's staff draw up themselves: which kinds, and what tells two records of a kind apart.

use exchange_format::{
    record::{Body, Field, Kind, RecordId, Type},
    rules,
};

/// The kinds that staff draw up, referents first.
pub const KINDS: [Kind; 7] = [
    Kind::Service,
    Kind::Provider,
    Kind::NeedDecision,
    Kind::Assessment,
    Kind::Programme,
    Kind::Supplement,
    Kind::Attachment,
];

/// Of these every centre is told.
pub const DIRECTORY: [Kind; 2] = [Kind::Service, Kind::Provider];

/// A record that is about to be drawn up.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Whose it is; none of the directory.
    pub person: Option<RecordId>,
    /// What it says.
    pub body: Body,
}

/// Whether a record of `kind` is a document that centres may claim as well.
pub fn is_document(kind: Kind) -> bool {
    matches!(kind, Kind::Programme | Kind::Supplement)
}

/// The fields of `kind` that staff state: an attachment of the hub's belongs to what the hub publishes, never to one
/// centre's own business.
pub fn fields(kind: Kind) -> impl Iterator<Item = &'static Field> {
    let ours = |field: &&Field| match field.ty {
        Type::Reference(kinds) => kinds.iter().any(|kind| kind.owner().hub_publishes()),
        _ => true,
    };
    kind.schema().fields.iter().filter(ours)
}

/// What no two records of the kind may share: records of the same mark are judged beside each other.
pub fn mark(body: &Body) -> Option<String> {
    match body.kind() {
        Kind::Service => body.text("code").map(rules::fold_code),
        Kind::Assessment => rules::assessment_name(body).map(|(year, number)| format!("{year}/{number}")),
        _ => None,
    }
}
