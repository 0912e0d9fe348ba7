//! Which tables `centre.db` has, derived from the schemas of the record kinds.
//!
//! A table shows what the centre knows (its claim, or its own business) or, once the hub has spoken, what
//! the hub publishes: the two kinds share the table. A kind added to the format brings its table here
//! without a change to any other.

use std::{collections::BTreeMap, sync::LazyLock};

use exchange_format::record::{Field, Kind, Lines, Type};

/// A column of a domain table. All columns are `TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name: the field's, with `_id` after a reference.
    pub name: String,
    /// The field it shows.
    pub field: &'static str,
    /// The table whose row it names, if it is a reference.
    pub refers_to: Option<&'static str>,
}

/// The child table of a table whose records have lines.
#[derive(Debug, Clone)]
pub struct LineTable {
    /// Its name: `programme_line`.
    pub name: &'static str,
    /// The column that names the parent row: `programme_id`.
    pub parent: String,
    /// Its columns besides `id` and [`parent`](Self::parent).
    pub columns: Vec<Column>,
}

/// A domain table of `centre.db`.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name; the `kind` of `svod_record`.
    pub name: &'static str,
    /// The kind that the centre writes, if it may write here at all.
    pub own: Option<Kind>,
    /// The kind that the hub publishes into it, if any.
    pub published: Option<Kind>,
    /// Its columns besides `id` and `uid`.
    pub columns: Vec<Column>,
    /// Whether it has the column `uid`: the number that the hub gave.
    pub has_uid: bool,
    /// Its child table.
    pub lines: Option<LineTable>,
}

impl Table {
    /// Columns that only the hub fills: a centre's own row has NULL there.
    pub fn hub_columns(&self) -> Vec<&str> {
        let Some(own) = self.own else { return Vec::new() };
        let stated = |column: &Column| own.schema().fields.iter().any(|field| field.name == column.field);
        let uid = self.has_uid.then_some("uid");
        uid.into_iter()
            .chain(self.columns.iter().filter(|column| !stated(column)).map(|column| column.name.as_str()))
            .collect()
    }

    /// Every column that the exchange knows: `id`, `uid` where there is one, the fields.
    pub fn all_columns(&self) -> Vec<&str> {
        let uid = self.has_uid.then_some("uid");
        ["id"].into_iter().chain(uid).chain(self.columns.iter().map(|column| column.name.as_str())).collect()
    }

    /// Whether a centre may propose that a row which the hub publishes be changed.
    pub fn takes_proposals(&self) -> bool {
        let targets = Kind::Proposal.schema().fields.iter().find_map(|field| match field.ty {
            Type::Code(kinds) => Some(kinds),
            _ => None,
        });
        let published = self.published.map(|kind| kind.schema().name);
        published.zip(targets).is_some_and(|(name, kinds)| kinds.contains(&name))
    }

    /// The kind of record that a row shows: the hub's publication or the centre's own.
    pub fn kind(&self, published: bool) -> Option<Kind> {
        if published { self.published } else { self.own }
    }
}

impl LineTable {
    /// Every column that the exchange knows: `id`, the parent, the fields.
    pub fn all_columns(&self) -> Vec<&str> {
        let fields = self.columns.iter().map(|column| column.name.as_str());
        ["id", self.parent.as_str()].into_iter().chain(fields).collect()
    }
}

/// The domain tables, referents before what refers to them.
pub fn tables() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(build);
    &TABLES
}

/// The table called `name`.
pub fn table(name: &str) -> Option<&'static Table> {
    tables().iter().find(|table| table.name == name)
}

/// The table that shows records of `kind`.
pub fn table_of(kind: Kind) -> Option<&'static Table> {
    kind.schema().table.and_then(table)
}

fn build() -> Vec<Table> {
    let mut order = Vec::new();
    let mut kinds: BTreeMap<&str, (Option<Kind>, Option<Kind>)> = BTreeMap::new();
    for kind in Kind::ALL {
        let Some(name) = kind.schema().table else { continue };
        let entry = kinds.entry(name).or_insert_with(|| {
            order.push(name);
            (None, None)
        });
        if kind.owner().centre_writes() {
            entry.0 = Some(kind);
        }
        if kind.owner().hub_publishes() {
            entry.1 = Some(kind);
        }
    }
    order
        .into_iter()
        .map(|name| {
            let (own, published) = kinds[name];
            let both = || published.into_iter().chain(own).map(Kind::schema);
            Table {
                name,
                own,
                published,
                columns: columns(both().flat_map(|schema| schema.fields)),
                has_uid: name == "recipient",
                lines: line_table(name, &both().filter_map(|schema| schema.lines).collect::<Vec<_>>()),
            }
        })
        .collect()
}

fn line_table(parent: &str, lines: &[Lines]) -> Option<LineTable> {
    Some(LineTable {
        name: lines.iter().find_map(|lines| lines.table)?,
        parent: format!("{parent}_id"),
        columns: columns(lines.iter().flat_map(|lines| lines.fields)),
    })
}

fn columns(fields: impl Iterator<Item = &'static Field>) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for field in fields {
        if columns.iter().all(|column| column.field != field.name) {
            columns.push(Column { name: field.column(), field: field.name, refers_to: refers_to(field) });
        }
    }
    columns
}

fn refers_to(field: &Field) -> Option<&'static str> {
    match field.ty {
        Type::Reference(kinds) => kinds.iter().find_map(|kind| kind.schema().table),
        _ => None,
    }
}
