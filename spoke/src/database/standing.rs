//! Where a publication stands: its rows, and what `svod_record` says of each. [`super::showing`] makes it so,
//! [`super::verify`] compares.

use rusqlite::{
    Connection, OptionalExtension as _, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use exchange_format::record::Form;

use crate::decisions::{
    mapping,
    picture::{LinkedRow, Picture, State, picture},
    tables::Table,
};

use super::{
    DatabaseError, own_records,
    publications::{Publication, read_body},
    row_id::RowId,
    rows, sent,
};

/// Where a publication stands in its table.
pub(super) struct Standing {
    /// Which rows show it.
    pub picture: Picture,
    /// Whether a row of the centre's own bears its number as id: it shows nothing of the hub's and is no alias.
    pub is_taken: bool,
}

/// Where `publication` stands in `table`, a row `id = uid` being `there`.
pub(super) fn standing(
    connection: &Connection,
    table: &Table,
    publication: &Publication,
    there: bool,
) -> Result<Standing, DatabaseError> {
    let uid = publication.record.key.to_string();
    let linked = linked_rows(connection, table, &uid)?;
    let mut statement =
        connection.prepare_cached("SELECT state, key = id FROM svod_record WHERE kind = ?1 AND id = ?2")?;
    let at_uid: Option<(String, bool)> =
        statement.query_row([table.name, &uid], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    // The key of a row that the hub put here is its id; a program cannot choose the key of its own.
    let is_open = |state: &str| State::from_word(state).is_some_and(State::is_open);
    let is_taken = at_uid.is_some_and(|(state, is_hubs)| is_open(&state) && !is_hubs)
        && linked.iter().all(|row| row.id != uid);
    let form = publication.record.form;
    let picture = if form == Form::Withdrawn && is_let_go(connection, &uid)? {
        Picture::Ended { back_to_own: linked.into_iter().map(|row| row.id).filter(|id| *id != uid).collect() }
    } else {
        picture(&uid, form, linked, there && !is_taken)
    };
    Ok(Standing { picture, is_taken })
}

/// Whether the hub has withdrawn `uid` and the links of the centre's claims to it: they stand, and are nothing that it publishes.
fn is_let_go(connection: &Connection, uid: &str) -> Result<bool, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) > 0 AND min(p.form = 'withdrawn') FROM svod_link l JOIN svod_publication p ON p.kind = 'link' \
         AND p.key = l.claim WHERE l.target = ?1",
    )?;
    Ok(statement.query_row([uid], |row| row.get::<_, Option<bool>>(0))?.unwrap_or(false))
}

/// Rows of the centre's claims that links make part of `uid`.
fn linked_rows(connection: &Connection, table: &Table, uid: &str) -> Result<Vec<LinkedRow>, DatabaseError> {
    let Some(claim_kind) = table.own else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT r.id, l.is_primary FROM svod_link l JOIN svod_record r ON r.kind = ?1 AND r.key = l.claim \
         WHERE l.target = ?2 AND l.claim_kind = ?3",
    )?;
    let found = statement.query_map([table.name, uid, claim_kind.name()], |row| {
        Ok((row.get::<_, RowId>(0)?, !row.get::<_, bool>(1)?))
    })?;
    let readable = |(id, secondary): (RowId, bool)| Some(LinkedRow { id: id.into_text()?, secondary });
    Ok(found.filter_map(|row| row.map(readable).transpose()).collect::<Result<_, _>>()?)
}

/// What row `id` of `table` shows of `published`: besides what the hub says the columns that, by the link of its
/// claim, the hub says nothing of, as the centre last sent them.
pub(super) fn with_as_typed(
    connection: &Connection,
    table: &Table,
    id: &str,
    published: &mapping::Row,
) -> Result<mapping::Row, DatabaseError> {
    let mut row = published.clone();
    let Some(kind) = table.own else { return Ok(row) };
    let mut statement = connection.prepare_cached(
        "SELECT l.claim, l.as_typed FROM svod_record r JOIN svod_link l ON l.claim = r.key \
         WHERE r.kind = ?1 AND r.id = ?2 AND l.claim_kind = ?3 AND l.as_typed IS NOT NULL",
    )?;
    let found: Option<(String, String)> = statement
        .query_row([table.name, id, kind.name()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((claim, fields)) = found else { return Ok(row) };
    let claim = rows::record_id("svod_link", &claim)?;
    let typed = match own_records::sent(connection, kind, claim)? {
        Some(sent) if sent.record.form == Form::Live => mapping::row(table, &read_body(&sent.record)?),
        // nothing is noted: the claim goes again with what the row says there (`lost`)
        None if sent::last(connection, kind, claim)?.is_none() => {
            rows::as_it_stands(connection, table, id)?.unwrap_or_else(|| row.clone())
        }
        // what was sent is lost: what the row says there may be anybody's, and the hub is asked for it
        Some(_) | None => return Ok(row),
    };
    let fields: Vec<&str> = fields.split(' ').collect();
    let columns = table.columns.iter().zip(row.values.iter_mut().zip(typed.values));
    for (_, (value, typed)) in columns.filter(|(column, _)| fields.contains(&column.field)) {
        *value = value.take().or(typed);
    }
    if fields.contains(&"lines") {
        row.lines = typed.lines;
    }
    Ok(row)
}

/// A row and the publication that it shows.
pub(super) struct ShownRow<'a> {
    pub table: &'a Table,
    pub id: &'a str,
    pub state: State,
    pub alias_of: Option<&'a str>,
    pub publication: &'a Publication,
}

/// What `svod_record` says of such a row besides its kind, its id and its key.
pub(super) const COLUMNS: [&str; 10] = [
    "state",
    "alias_of",
    "uid",
    "version",
    "form",
    "sha256",
    "hub_bytes",
    "hub_signature",
    // which packet brought it is not signed with the record
    "packet",
    "epoch",
];
const PROVEN: usize = 8;

impl ShownRow<'_> {
    /// The kind, the id, and the values of the first `count` of [`COLUMNS`].
    fn bound(&self, count: usize) -> impl Iterator<Item = ToSqlOutput<'_>> {
        let record = &self.publication.record;
        let text = |text| ToSqlOutput::Borrowed(ValueRef::Text(text));
        let blob = |bytes| ToSqlOutput::Borrowed(ValueRef::Blob(bytes));
        [
            text(self.table.name.as_bytes()),
            text(self.id.as_bytes()),
            text(self.state.word().as_bytes()),
            self.alias_of.map_or(ToSqlOutput::Borrowed(ValueRef::Null), |id| text(id.as_bytes())),
            record.key.to_string().into(),
            record.version.into(),
            text(record.form.name().as_bytes()),
            record.hash().to_string().into(),
            blob(&record.body),
            record.signature.as_ref().map_or(ToSqlOutput::Borrowed(ValueRef::Null), |bytes| blob(bytes)),
            text(self.publication.packet.as_bytes()),
            self.publication.epoch.into(),
        ]
        .into_iter()
        .take(count + 2)
    }

    /// `NAME {between} ?N` of the first `count` of [`COLUMNS`].
    fn pairs(count: usize, between: &str, joint: &str) -> String {
        let pairs = COLUMNS.iter().zip(3..).take(count);
        pairs.map(|(name, n)| format!("{name} {between} ?{n}")).collect::<Vec<_>>().join(joint)
    }

    /// Keeps it in `svod_record`.
    pub fn keep(&self, connection: &Connection) -> Result<(), DatabaseError> {
        connection
            .prepare_cached(
                "INSERT INTO svod_record (kind, id, key, state) SELECT ?1, ?2, ?2, 'locked' WHERE NOT EXISTS \
                 (SELECT 1 FROM svod_record WHERE kind = ?1 AND id = ?2)",
            )?
            .execute([self.table.name, self.id])?;
        let sets = Self::pairs(COLUMNS.len(), "=", ", ");
        connection
            .prepare_cached(&format!("UPDATE svod_record SET {sets} WHERE kind = ?1 AND id = ?2"))?
            .execute(params_from_iter(self.bound(COLUMNS.len())))?;
        Ok(())
    }

    /// Whether `svod_record` says all of it that the hub has signed or that follows from it.
    pub fn is_kept(&self, connection: &Connection) -> Result<bool, DatabaseError> {
        let same = Self::pairs(PROVEN, "IS", " AND ");
        let sql = format!("SELECT EXISTS (SELECT 1 FROM svod_record WHERE kind = ?1 AND id = ?2 AND {same})");
        Ok(connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(self.bound(PROVEN)), |row| row.get(0))?)
    }
}
