//! What the centre's own rows say against the rules of the domain: everything, not the first fault only, and beside the
//! rows that they refer to or that may be about the same person.

use std::collections::HashMap;

use exchange_format::{
    invisible,
    lists::Lists,
    record::Body,
    rules::{self, Around, INVISIBLE, Severity},
};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _};

use crate::decisions::{
    mapping,
    tables::{Table, table, tables},
};

use super::{DatabaseError, row_id::RowId, rows};

/// A fault of a row. Bears no value: it may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub id: String,
    /// The rule (docs/RULES.md), or the field whose value is not of its type.
    pub rule: &'static str,
    /// Whether the row is not sent because of it.
    pub refused: bool,
    /// The field.
    pub field: &'static str,
    /// Which line, counted from 1, if it is a line's field.
    pub line: Option<usize>,
}

/// Gives every fault of the centre's own rows, of `only` one table if that is named, to `each`; returns how many rows
/// were looked at.
///
/// # Errors
/// SQLite's.
pub fn faults(
    connection: &Connection,
    only: Option<&Table>,
    today: Date,
    lists: &Lists,
    mut each: impl FnMut(Fault),
) -> Result<u64, DatabaseError> {
    let neighbours = Neighbours::of(connection)?;
    let mut rows_seen = 0;
    let chosen = |table: &&'static Table| only.is_none_or(|only| only.name == table.name);
    for table in tables().iter().filter(chosen) {
        let Some(kind) = table.own else { continue };
        let mut statement = connection.prepare(
            "SELECT id FROM svod_record WHERE kind = ?1 AND state IN ('own', 'provisional') ORDER BY id",
        )?;
        let mut found = statement.query([table.name])?;
        while let Some(row) = found.next()? {
            let id: RowId = row.get(0)?;
            let Some(id) = id.text().map(str::to_owned) else {
                rows_seen += 1;
                let (table, id) = (table.name, id.to_string());
                each(Fault { table, id, rule: "id", refused: true, field: "id", line: None });
                continue;
            };
            let Some(row) = rows::by_keys(connection, table, &id)? else { continue };
            rows_seen += 1;
            let mut tell = |rule, refused, field, line| {
                each(Fault { table: table.name, id: id.clone(), rule, refused, field, line });
            };
            if invisible::find(&id).is_some() {
                tell(INVISIBLE, false, "id", None);
            }
            let body = mapping::as_typed(table, kind, &row);
            let mut told: Vec<(&str, Option<usize>)> = Vec::new();
            for finding in mapping::body(table, kind, &row).err().into_iter().chain(body.findings()) {
                let place = (finding.word(), finding.line);
                if !told.contains(&place) {
                    tell(finding.word(), true, finding.field, finding.line);
                    told.push(place);
                }
            }
            let beside = neighbours.beside(connection, table, &id)?;
            for breach in rules::check(&body, &neighbours.around(&beside, today, lists)) {
                let (code, place) = (breach.rule.code, breach.place);
                if told.iter().all(|(word, _)| *word != code) {
                    tell(code, breach.severity == Severity::Refuse, place.field, place.line);
                }
            }
        }
    }
    Ok(rows_seen)
}

/// Which rows of a table may be looked at beside one of them.
struct Neighbours {
    /// Programmes by their recipient.
    programmes: HashMap<String, Vec<String>>,
    /// Recipients by СНИЛС and by identity document, but for those of which the hub has said that they are the same.
    people: HashMap<String, Vec<String>>,
    /// The services in force.
    directory: Vec<Body>,
}

/// What stands beside a row.
#[derive(Default)]
struct Beside {
    others: Vec<Body>,
    person: Option<Body>,
    programme: Option<Body>,
    supplement: Option<Body>,
    contract: Option<Body>,
    stray: Option<&'static str>,
}

impl Neighbours {
    fn around<'a>(&'a self, beside: &'a Beside, today: Date, lists: &'a Lists) -> Around<'a> {
        Around {
            today: Some(today),
            lists: Some(lists),
            directory: &self.directory,
            others: &beside.others,
            person: beside.person.as_ref(),
            programme: beside.programme.as_ref(),
            supplement: beside.supplement.as_ref(),
            contract: beside.contract.as_ref(),
            stray: beside.stray,
        }
    }

    fn of(connection: &Connection) -> Result<Self, DatabaseError> {
        let mut all = Self { programmes: HashMap::new(), people: HashMap::new(), directory: Vec::new() };
        let mut read =
            connection.prepare("SELECT id, recipient_id FROM programme WHERE recipient_id IS NOT NULL")?;
        let mut found = read.query([])?;
        while let Some(row) = found.next()? {
            let [id, recipient] = [0, 1].map(|n| text(row, n));
            all.programmes.entry(recipient).or_default().push(id);
        }
        let mut read = connection.prepare(
            "SELECT r.id, r.snils, r.identity_doc_series, r.identity_doc_number FROM recipient r
             LEFT JOIN svod_record s ON s.kind = 'recipient' AND s.id = r.id WHERE s.state IS NOT 'alias'",
        )?;
        let mut found = read.query([])?;
        while let Some(row) = found.next()? {
            let [id, snils, series, number] = [0, 1, 2, 3].map(|n| text(row, n));
            for key in rules::identities(&snils, &series, &number).into_iter().flatten() {
                all.people.entry(key).or_default().push(id.clone());
            }
        }
        all.programmes.retain(|_, ids| ids.len() > 1);
        all.people.retain(|_, ids| ids.len() > 1);
        let mut read = connection.prepare("SELECT id FROM service WHERE valid_until IS NULL ORDER BY id")?;
        let ids: Vec<String> = read.query_map([], |row| Ok(text(row, 0)))?.collect::<Result<_, _>>()?;
        for id in ids {
            all.directory.extend(body_of(connection, "service", &id)?);
        }
        Ok(all)
    }

    /// What stands beside row `id` of `of`.
    fn beside(&self, connection: &Connection, of: &Table, id: &str) -> Result<Beside, DatabaseError> {
        let Some(row) = rows::as_it_stands(connection, of, id)? else { return Ok(Beside::default()) };
        let value = |name: &str| {
            let at = of.columns.iter().position(|column| column.name == name)?;
            row.values[at].as_deref()
        };
        let referent = |name: &str, to: &str| match value(name) {
            Some(id) => body_of(connection, to, id),
            None => Ok(None),
        };
        let mut beside = Beside {
            others: Vec::new(),
            person: referent("recipient_id", "recipient")?,
            programme: referent("programme_id", "programme")?,
            supplement: referent("supplement_id", "supplement")?,
            contract: referent("contract_id", "contract")?,
            stray: stray(connection, of, &row.values)?,
        };
        let stated = |name| value(name).unwrap_or_default();
        let mut ids: Vec<&String> = match of.name {
            "programme" => self.programmes.get(stated("recipient_id")).into_iter().flatten().collect(),
            "recipient" => {
                let [snils, series, number] =
                    ["snils", "identity_doc_series", "identity_doc_number"].map(stated);
                let keys = rules::identities(snils, series, number);
                keys.into_iter().flatten().filter_map(|key| self.people.get(&key)).flatten().collect()
            }
            _ => Vec::new(),
        };
        ids.sort_unstable();
        ids.dedup();
        for other in ids.into_iter().filter(|other| *other != id).take(MOST) {
            beside.others.extend(body_of(connection, of.name, other)?);
        }
        Ok(beside)
    }
}

/// The field in which a row of `of` with these `values` names a row that is another person's, or a paper that was withdrawn; a scan
/// stays with such a paper.
fn stray(
    connection: &Connection,
    of: &Table,
    values: &[Option<String>],
) -> Result<Option<&'static str>, DatabaseError> {
    let mut whose: Option<String> = None;
    for (column, value) in of.columns.iter().zip(values) {
        let (Some(to), Some(id)) = (column.refers_to, value) else { continue };
        let Some(table) = table(to) else { continue };
        let (person, is_withdrawn) = person_of(connection, table, id)?;
        let is_other = person.is_some() && whose.is_some() && person != whose;
        let is_of_withdrawn = is_withdrawn && to != "recipient" && of.name != "attachment";
        if is_other || is_of_withdrawn {
            return Ok(Some(column.field));
        }
        whose = whose.or(person);
    }
    Ok(None)
}

/// Whose the row `id` of `table` is, as the row of the recipient by which that person goes here; and whether the row is withdrawn.
fn person_of(
    connection: &Connection,
    table: &Table,
    id: &str,
) -> Result<(Option<String>, bool), DatabaseError> {
    let sql = "SELECT state = 'withdrawn' FROM svod_record WHERE kind = ?1 AND id = ?2";
    let state: Option<bool> =
        connection.prepare_cached(sql)?.query_row([table.name, id], |row| row.get(0)).optional()?;
    let recipient = match table.name {
        "recipient" => Some(id.to_owned()),
        _ if table.columns.iter().any(|column| column.name == "recipient_id") => {
            let sql = format!("SELECT recipient_id FROM {} WHERE id = ?1", table.name);
            let mut found = connection.prepare_cached(&sql)?;
            found.query_row([id], |row| Ok(rows::leniently(row.get_ref(0)?))).optional()?.flatten()
        }
        _ => None,
    };
    let Some(recipient) = recipient else { return Ok((None, state.unwrap_or(false))) };
    let sql = "SELECT resolved_id FROM recipient_resolved WHERE id = ?1";
    let resolved = connection
        .prepare_cached(sql)?
        .query_row([&recipient], |row| Ok(rows::leniently(row.get_ref(0)?)))
        .optional()?
        .flatten();
    Ok((Some(resolved.unwrap_or(recipient)), state.unwrap_or(false)))
}

/// Of many rows alike so many are looked at: one is enough to tell.
const MOST: usize = 20;

fn text(row: &rusqlite::Row<'_>, n: usize) -> String {
    rows::leniently(row.get_ref_unwrap(n)).unwrap_or_default()
}

/// What row `id` of the table `name` says.
fn body_of(connection: &Connection, name: &str, id: &str) -> Result<Option<Body>, DatabaseError> {
    let Some((table, kind)) = table(name).and_then(|table| Some((table, table.own.or(table.published)?)))
    else {
        return Ok(None);
    };
    Ok(rows::as_typed(connection, table, id)?.map(|row| mapping::as_typed(table, kind, &row)))
}
