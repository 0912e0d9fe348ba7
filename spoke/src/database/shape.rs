//! Whether the tables are those that `init` made, and making them so again: ALTER, DROP and CREATE ask no
//! trigger (exchange §8, D10).
//!
//! A table is compared by its shape, not by its text: a rebuilt one may look alike and yet let a REPLACE by its
//! rowid, a UNIQUE of its own or a key that tells no case apart delete a locked row that no trigger sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use rusqlite::{Connection, Row};

use crate::decisions::{
    ddl::{self, CreateTable},
    tables::{Table, tables},
};

use super::{
    DatabaseError, indexes, lost, open, vanished,
    verify::{Damage, Fault},
    write,
};

/// What is true of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    /// What it is, whether it is WITHOUT ROWID and STRICT.
    Storage(String, bool, bool),
    /// A column, by its name and what follows it in `ALTER TABLE … ADD COLUMN`; its place in the key; whether it is computed.
    Column { name: String, rest: String, demanded: bool, key: u32, computed: bool },
    /// A constraint that SQLite keeps as a unique index: its columns with how they are compared.
    Unique(Vec<String>),
    /// A column that names rows of a table, and what happens with them.
    Reference(String, String),
    /// A condition on rows.
    Condition(String),
}

impl Fact {
    /// Whether a program may add it to our tables: it opens no way past the locks and closes none to us.
    fn is_harmless(&self) -> bool {
        match self {
            Self::Column { demanded, key, .. } => !demanded && *key == 0,
            // what we write is not asked by conditions (super::write)
            Self::Reference(..) | Self::Condition(_) => true,
            Self::Storage(..) | Self::Unique(_) => false,
        }
    }

    fn column(&self) -> Option<&str> {
        if let Self::Column { name, .. } = self { Some(name) } else { None }
    }
}

type Shape = BTreeSet<Fact>;

/// A table, an index or a view as `init` makes it.
pub(super) struct Part {
    pub kind: String,
    pub name: String,
    pub sql: String,
    /// Of a table.
    shape: Shape,
}

/// What a table that was made anew had lost.
struct Lost {
    part: &'static Part,
    columns: BTreeSet<String>,
    /// The one column lost had only another name: what waits to be sent has kept its value.
    renamed: bool,
}

/// Tables first, views last.
pub(super) fn expected() -> &'static [Part] {
    static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
        let scratch = Connection::open_in_memory().expect("SQLite opens a database in memory");
        scratch.execute_batch(&open::schema_sql()).expect("the schema is tested");
        let mut parts = parts(&scratch).expect("sqlite_master is readable");
        let own: BTreeSet<String> = parts.iter().map(|part| part.name.clone()).collect();
        for part in parts.iter_mut().filter(|part| part.kind == "table") {
            part.shape = shape(&scratch, &part.name, &part.sql, &own).expect("the schema is readable");
        }
        parts
    });
    &PARTS
}

fn expected_tables() -> impl Iterator<Item = &'static Part> {
    expected().iter().filter(|part| part.kind == "table")
}

fn own_names() -> &'static BTreeSet<String> {
    static NAMES: LazyLock<BTreeSet<String>> =
        LazyLock::new(|| expected().iter().map(|part| part.name.clone()).collect());
    &NAMES
}

/// Whether a table, an index or a view of ours is called so.
pub(super) fn is_own(name: &str) -> bool {
    own_names().contains(name)
}

pub(super) fn parts(connection: &Connection) -> Result<Vec<Part>, DatabaseError> {
    all(
        connection,
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('table', 'index', 'view') AND sql IS NOT NULL \
         AND ?1 = '' ORDER BY type = 'view', type = 'index', name",
        "",
        |row| Ok(Part { kind: row.get(0)?, name: row.get(1)?, sql: row.get(2)?, shape: Shape::new() }),
    )
}

pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    table: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, DatabaseError> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([table], read)?.collect::<Result<_, _>>()?)
}

/// The shape of `table`, which `sql` has made. Indexes of the names `own` are compared by their text.
fn shape(
    connection: &Connection,
    table: &str,
    sql: &str,
    own: &BTreeSet<String>,
) -> Result<Shape, DatabaseError> {
    let mut shape: Shape = conditions(sql).map(Fact::Condition).collect();
    let storage = "SELECT type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    shape.extend(all(connection, storage, table, |row| {
        Ok(Fact::Storage(row.get(0)?, row.get(1)?, row.get(2)?))
    })?);
    let columns = "SELECT name, upper(type), \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1)";
    shape.extend(all(connection, columns, table, |row| {
        let (ty, required, default): (String, bool, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
        let demanded = required && default.is_none();
        let default = default.map_or_else(String::new, |value| format!(" DEFAULT ({value})"));
        let rest = format!("{ty}{}{default}", if required { " NOT NULL" } else { "" });
        let (name, key, computed) = (row.get(0)?, row.get(4)?, row.get::<_, i64>(5)? != 0);
        Ok(Fact::Column { name, rest, demanded, key, computed })
    })?);
    let references =
        "SELECT \"from\", \"table\" || ' ' || on_update || ' ' || on_delete FROM pragma_foreign_key_list(?1)";
    shape.extend(all(connection, references, table, |row| Ok(Fact::Reference(row.get(0)?, row.get(1)?)))?);
    let unique = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1";
    let unique: Vec<String> = all(connection, unique, table, |row| row.get(0))?;
    for index in unique.iter().filter(|index| !own.contains(*index)) {
        let columns = "SELECT coalesce(name, '()') || ' ' || coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno";
        shape.insert(Fact::Unique(all(connection, columns, index, |row| row.get(0))?));
    }
    Ok(shape)
}

/// The conditions in the text of a table, without white space: SQLite lists them nowhere else.
fn conditions(sql: &str) -> impl Iterator<Item = String> {
    let squeezed: String = sql.split_whitespace().collect();
    let starts: Vec<usize> =
        squeezed.to_ascii_uppercase().match_indices("CHECK(").map(|(at, _)| at + 5).collect();
    starts.into_iter().filter_map(move |start| {
        let mut depth = 0;
        let end = squeezed.get(start..)?.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        })?;
        Some(squeezed[start..=start + end].to_owned())
    })
}

/// What is not as `init` made it. Columns and plain indexes that a centre has added for itself are its own
/// matter.
///
/// # Errors
/// SQLite's.
pub fn check(connection: &Connection) -> Result<Vec<Damage>, DatabaseError> {
    let there = parts(connection)?;
    let there: BTreeMap<&str, &Part> = there.iter().map(|part| (part.name.as_str(), part)).collect();
    let told_apart = indexes::with_foreign_unique(connection)?;
    let mut damages = Vec::new();
    for part in expected() {
        let fault = match there.get(part.name.as_str()) {
            // all that is true of a table is in its text, but for indexes that were made apart
            Some(found) if found.sql == part.sql && !told_apart.contains(&part.name) => continue,
            Some(found) if part.kind == "table" => {
                damages.extend(compare(part, &shape(connection, &part.name, &found.sql, own_names())?));
                continue;
            }
            None if part.kind == "table" => Fault::TableMissing,
            _ => Fault::IndexAltered,
        };
        damages.push(Damage::new(fault, &part.name, ""));
    }
    damages.extend(indexes::unusable(connection)?);
    Ok(damages)
}

/// In what a table of the shape `found` is not that of `part`.
fn compare(part: &Part, found: &Shape) -> Option<Damage> {
    let missing: Vec<&Fact> = part.shape.difference(found).collect();
    let names = |shape: &Shape| -> BTreeSet<String> {
        shape.iter().filter_map(|fact| fact.column().map(str::to_owned)).collect()
    };
    let gone: Vec<String> = names(&part.shape).difference(&names(found)).cloned().collect();
    let foreign: Vec<&Fact> = found.difference(&part.shape).filter(|fact| !fact.is_harmless()).collect();
    let unique =
        |fact: &&Fact| if let Fact::Unique(columns) = fact { Some(columns.join(", ")) } else { None };
    if !gone.is_empty() {
        return Some(Damage::new(Fault::ColumnMissing, &part.name, "").of_columns(gone));
    }
    let only_unique = missing.is_empty() && foreign.iter().all(|fact| unique(fact).is_some());
    match (only_unique, foreign.is_empty()) {
        (true, true) => None,
        (true, false) => {
            let columns = foreign.iter().filter_map(unique).collect();
            Some(Damage::new(Fault::IndexForeign, &part.name, "").of_columns(columns))
        }
        _ => Some(Damage::new(Fault::TableAltered, &part.name, "")),
    }
}

/// Whether with `damage` the contents of the tables cannot be looked at.
pub fn blinds(damage: &Damage) -> bool {
    use Fault::{ColumnMissing, IndexAltered, TableAltered, TableMissing};
    matches!(damage.fault, TableMissing | ColumnMissing | TableAltered | IndexAltered)
}

/// Whether `damage` is one that [`mend`] mends.
pub fn is_of_tables(damage: &Damage) -> bool {
    blinds(damage) || matches!(damage.fault, Fault::IndexForeign | Fault::IndexUnusable)
}

/// Makes the tables again what they were: one that is not is made anew with the rows that stand in it. What it
/// lost of the centre's own rows, they say again as it was last sent; what was typed and not sent yet stays.
/// What the hub published is put right afterwards, from what it signed. One of the exchange's own tables that
/// is gone stays so, and nothing happens: only a copy of the database can bring it back. Returns tables in which rows may
/// stand that found no place.
///
/// # Errors
/// SQLite's; then nothing has happened.
pub fn mend(connection: &mut Connection) -> Result<Vec<String>, DatabaseError> {
    let mended = write::make_anew(connection, |transaction| {
        let signs = vanished::signs(transaction)?;
        // Renamed tables take their triggers along, so all of ours go, wherever they are.
        write::drop_all(transaction)?;
        for damage in indexes::unusable(transaction)? {
            transaction.execute_batch(&format!("DROP INDEX {}", quoted(&damage.id)))?;
        }
        // our own first: what waits in them is asked for
        let (ours, domain): (Vec<_>, Vec<_>) =
            expected_tables().partition(|part| part.name.starts_with("svod_"));
        let all: Vec<&Part> = ours.into_iter().chain(domain).collect();
        for part in &all {
            vanished::take_back_name(transaction, part, Some(&signs))?;
        }
        let (mut lost, mut beside) = (Vec::new(), Vec::new());
        for part in all {
            beside.extend(vanished::take_back_name(transaction, part, None)?);
            lost.extend(rebuild(transaction, part)?);
        }
        let altered = check(transaction)?;
        for part in expected().iter().filter(|part| altered.iter().any(|damage| damage.table == part.name)) {
            if part.kind != "table" {
                transaction
                    .execute_batch(&format!("DROP {0} IF EXISTS {1}; {2}", part.kind, part.name, part.sql))?;
            }
        }
        if !check(transaction)?.is_empty() {
            return Ok(None);
        }
        for gone in lost {
            let name = &gone.part.name;
            if let Some(table) = table_of(name) {
                lost::say_again(transaction, table, name, &gone.columns, gone.renamed)?;
            }
        }
        write::restore_journal_triggers(transaction)?;
        beside.extend(vanished::still_beside(transaction)?);
        Ok::<_, DatabaseError>(Some(beside))
    })?;
    if mended.is_none() {
        tracing::error!("a table of the exchange's own is gone; only a copy of the database brings it back");
    }
    Ok(mended.unwrap_or_default())
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether the table `other` has all columns of that of `part`.
pub(super) fn has_columns_of(
    connection: &Connection,
    part: &Part,
    other: &str,
) -> Result<bool, DatabaseError> {
    let shape = shape(connection, other, "", own_names())?;
    let mut columns = part.shape.iter().filter_map(Fact::column);
    Ok(columns.all(|name| shape.iter().any(|fact| fact.column() == Some(name))))
}

/// Makes the table of `part` anew if it is not as it should be, with the rows, the columns, the indexes and the
/// triggers that others have given it. Returns which of our columns it did not have. Rows that do not fit, two of one key
/// for instance, stay in a table of their own.
fn rebuild(connection: &Connection, part: &'static Part) -> Result<Option<Lost>, DatabaseError> {
    let name = &part.name;
    let Some(there) = parts(connection)?.into_iter().find(|found| found.name == *name) else {
        if table_of(name).is_none() {
            return Ok(None);
        }
        connection.execute_batch(&part.sql)?;
        let columns = part.shape.iter().filter_map(|fact| fact.column().map(str::to_owned)).collect();
        return Ok(Some(Lost { part, columns, renamed: false }));
    };
    let found = shape(connection, name, &there.sql, own_names())?;
    if compare(part, &found).is_none() {
        return Ok(None);
    }
    let others = all(
        connection,
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = ?1 AND sql IS NOT NULL AND (type = 'trigger' OR \
         type = 'index' AND name NOT IN (SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1))",
        name,
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    )?;
    let former = vanished::beside(connection, name)?;
    connection
        .execute_batch(&format!("CREATE TABLE {former} AS SELECT * FROM {name}; DROP TABLE {name};"))?;
    make_with_others(connection, part, &found, &there.sql)?;
    let renamed = renamed(connection, part, &found, &former)?;
    let (mut columns, mut values, mut gone) = (Vec::new(), Vec::new(), BTreeSet::new());
    for fact in &part.shape {
        let Fact::Column { name: column, rest, demanded, .. } = fact else { continue };
        let is_there = found.iter().any(|fact| fact.column() == Some(column));
        columns.push(quoted(column));
        values.push(match (is_there, demanded, &renamed) {
            (true, ..) => quoted(column),
            (false, _, Some(value)) => value.clone(),
            (false, true, None) => if rest.starts_with("INTEGER") { "0" } else { "''" }.to_owned(),
            (false, false, None) => "NULL".to_owned(),
        });
        gone.extend((!is_there).then(|| column.clone()));
    }
    // what is computed is computed again
    for (column, ..) in own_columns(part, &found).filter(|(.., computed)| !computed) {
        columns.push(quoted(column));
        values.push(quoted(column));
    }
    // conditions are not asked here, and ours is that the id is a text; a whole number becomes one
    let is_ours = table_of(name).is_some();
    let fits = if is_ours { " WHERE typeof(id) IN ('text', 'integer') AND id <> ''" } else { "" };
    let kept = connection.execute(
        &format!(
            "INSERT OR IGNORE INTO {name} ({}) SELECT {} FROM {former}{fits}",
            columns.join(", "),
            values.join(", ")
        ),
        [],
    )?;
    settle_former(connection, name, &former, kept, &columns, &values)?;
    for (_, sql) in others.iter().filter(|(index, _)| !own_names().contains(index)) {
        if let Err(error) = connection.execute_batch(sql) {
            tracing::warn!(table = name, %error, "an index or a trigger of the centre's own does not fit the table any more");
        }
    }
    Ok(Some(Lost { part, columns: gone, renamed: renamed.is_some() }))
}

/// The columns of `found` that are none of ours, by name, what follows it in `ALTER TABLE … ADD COLUMN`, whether a value
/// is demanded, whether it is computed.
fn own_columns<'a>(part: &Part, found: &'a Shape) -> impl Iterator<Item = (&'a str, &'a str, bool, bool)> {
    let ours: BTreeSet<&str> = part.shape.iter().filter_map(Fact::column).collect();
    found.iter().filter_map(move |fact| match fact {
        Fact::Column { name, rest, demanded, computed, .. } if !ours.contains(name.as_str()) => {
            Some((name.as_str(), rest.as_str(), *demanded, *computed))
        }
        _ => None,
    })
}

/// Makes the table of `part` with the columns of the centre's own as `sql` has them, conditions and computed ones too,
/// and with the conditions on its rows. What cannot be made so is made plain, and told.
fn make_with_others(
    connection: &Connection,
    part: &Part,
    found: &Shape,
    sql: &str,
) -> Result<(), DatabaseError> {
    let name = &part.name;
    if let (Some(ours), Some(theirs)) = (CreateTable::of(&part.sql), CreateTable::of(sql)) {
        let columns: Option<Vec<String>> = own_columns(part, found)
            .map(|(column, _, demanded, _)| Some(ddl::loosened(theirs.column(column)?, !demanded)))
            .collect();
        let conditions: Vec<String> = theirs.conditions().map(str::to_owned).collect();
        if let Some(columns) = columns {
            match connection.execute_batch(&ours.with(&columns, &conditions)) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(table = name, %error, "columns of the centre's own cannot be made again");
                }
            }
        }
    }
    tracing::error!(
        table = name,
        "columns of the centre's own stay without their conditions, computed ones with their values"
    );
    connection.execute_batch(&part.sql)?;
    for (column, rest, demanded, _) in own_columns(part, found) {
        let rest = if demanded { rest.replace(" NOT NULL", "") } else { rest.to_owned() };
        connection.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {} {rest}", quoted(column)))?;
    }
    Ok(())
}

/// What stands for the one column of ours that a table has under another name, in the same place, of the same
/// type: its value where the row waits to be sent. What does not wait is said again as it was sent.
fn renamed(
    connection: &Connection,
    part: &Part,
    found: &Shape,
    former: &str,
) -> Result<Option<String>, DatabaseError> {
    let Some(table) = table_of(&part.name).filter(|table| table.own.is_some()) else { return Ok(None) };
    let only = |these: &Shape, those: &Shape| -> Option<(String, String)> {
        let is_there = |name: &str| those.iter().any(|fact| fact.column() == Some(name));
        let mut columns = these.iter().filter_map(|fact| match fact {
            Fact::Column { name, rest, key: 0, computed: false, .. } if !is_there(name) => {
                Some((name.clone(), rest.clone()))
            }
            _ => None,
        });
        columns.next().filter(|_| columns.next().is_none())
    };
    let (Some((ours, rest)), Some((theirs, same))) = (only(&part.shape, found), only(found, &part.shape))
    else {
        return Ok(None);
    };
    let place = |table: &str, column: &str| -> Result<i64, DatabaseError> {
        let sql = "SELECT cid FROM pragma_table_info(?1) WHERE name = ?2";
        Ok(connection.query_row(sql, [table, column], |row| row.get(0))?)
    };
    let id = table.lines.as_ref().filter(|lines| lines.name == part.name).map_or("id", |lines| &lines.parent);
    if rest != same || ours == id || place(&part.name, &ours)? != place(former, &theirs)? {
        return Ok(None);
    }
    Ok(Some(format!(
        "CASE WHEN EXISTS (SELECT 1 FROM svod_record r JOIN svod_change c ON c.kind = r.kind AND c.key = r.key WHERE \
         r.kind = '{}' AND r.id = {former}.{id}) THEN {} END",
        table.name,
        quoted(&theirs)
    )))
}

/// Drops the table `former` if its `kept` rows are all that it has; else leaves those in it that found no place.
fn settle_former(
    connection: &Connection,
    name: &str,
    former: &str,
    kept: usize,
    columns: &[String],
    values: &[String],
) -> Result<(), DatabaseError> {
    let count = format!("SELECT count(*) FROM {former}");
    if connection.query_row(&count, [], |row| row.get::<_, usize>(0))? == kept {
        return Ok(connection.execute_batch(&format!("DROP TABLE {former}"))?);
    }
    let pairs = columns.iter().zip(values).filter(|(column, value)| column == value);
    let same: Vec<String> = pairs.map(|(column, _)| format!("t.{column} IS {former}.{column}")).collect();
    connection.execute_batch(&format!(
        "DELETE FROM {former} WHERE EXISTS (SELECT 1 FROM {name} t WHERE {})",
        same.join(" AND ")
    ))?;
    tracing::error!(table = name, kept_in = former, "rows that do not fit the table are kept beside it");
    Ok(())
}

/// The table called `name`, or the one whose lines are called so.
pub(super) fn table_of(name: &str) -> Option<&'static Table> {
    let lines = |table: &Table| table.lines.as_ref().is_some_and(|lines| lines.name == name);
    tables().iter().find(|table| table.name == name || lines(table))
}
