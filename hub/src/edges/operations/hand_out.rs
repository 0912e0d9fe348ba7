//! The register and what the centres have sent, into files: the hub's own picture, not what any one centre is told.

use std::{
    fs,
    path::{Path, PathBuf},
};

use exchange_endpoint::{
    config::Config,
    output::{Exit, Failure, Lang},
    tables::{self, Encoding, Sink, Written},
};
use exchange_format::record::{Body, Field, Kind, Line};
use jiff::Timestamp;

use super::people::serving;
use crate::{
    database::Tx,
    decisions::audience,
    edges::{
        config::HubConfig,
        failure::{self, file},
        hub::{Hub, open},
        register::Register,
    },
};

/// So many persons or records are held at a time.
const PAGE: u32 = 500;

/// A table of the hub's, as files know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    kind: Kind,
    lines: bool,
    is_register: bool,
}

/// What the hub derives and publishes.
const REGISTER: [Kind; 3] = [Kind::Person, Kind::Programme, Kind::Supplement];

impl Table {
    /// Every table: the register first, then what the centres send, each with its lines.
    pub fn all() -> Vec<Self> {
        let sent = Kind::ALL.into_iter().filter(|kind| kind.owner().centre_writes());
        let kinds = REGISTER.map(|kind| (kind, true)).into_iter().chain(sent.map(|kind| (kind, false)));
        let both = |(kind, is_register): (Kind, bool)| {
            let of = |lines| Self { kind, lines, is_register };
            [Some(of(false)), kind.schema().lines.is_some().then(|| of(true))]
        };
        kinds.flat_map(both).flatten().collect()
    }

    /// Its name: the kind's, with `_line` of lines.
    pub fn name(self) -> String {
        format!("{}{}", self.kind.name(), if self.lines { "_line" } else { "" })
    }

    fn fields(self) -> &'static [Field] {
        let schema = self.kind.schema();
        if self.lines { schema.lines.map_or(&[], |lines| lines.fields) } else { schema.fields }
    }

    fn columns(self) -> Vec<String> {
        let first: &[&str] = match (self.is_register, self.lines) {
            (true, _) => &["uid"],
            (false, false) => &["origin", "key", "version", "outcome"],
            (false, true) => &["origin", "key"],
        };
        let served = (self.kind == Kind::Person).then(|| "served_by".to_owned());
        let first = first.iter().map(|name| (*name).to_owned());
        first.chain(self.fields().iter().map(Field::column)).chain(served).collect()
    }
}

/// What is exported, and how.
pub struct Order<'a> {
    /// One table into one file; else all into a directory.
    pub table: Option<Table>,
    /// The file, or the directory.
    pub to: &'a Path,
    /// Of a directory: the ending of the files.
    pub ending: &'a str,
    /// How the letters of CSV are written.
    pub encoding: Encoding,
    /// The language of headings and days.
    pub lang: Lang,
    /// Is told how many rows were written, now and then.
    pub progress: &'a dyn Fn(u64),
}

/// Writes the files, all of one state of the database.
pub fn export(
    config: &Config<HubConfig>,
    order: &Order<'_>,
    now: Timestamp,
) -> Result<Vec<Written>, Failure> {
    let Hub { mut store, context, .. } = open(config)?;
    let wanted: Vec<(Table, PathBuf)> = if let Some(table) = order.table {
        vec![(table, order.to.to_owned())]
    } else {
        fs::create_dir_all(order.to).map_err(file(order.to))?;
        let path = |table: Table| order.to.join(format!("{}.{}", table.name(), order.ending));
        Table::all().into_iter().map(|table| (table, path(table))).collect()
    };
    store.read(|tx| {
        let register = context.register(tx, context.code.as_str(), now);
        wanted.into_iter().map(|(table, to)| write(order, &register, table, to)).collect()
    })
}

fn write(order: &Order<'_>, register: &Register<'_>, table: Table, to: PathBuf) -> Result<Written, Failure> {
    let columns = table.columns();
    let kept = tables::kept(&to, &columns);
    let sink = Sink::of_columns(&to, &columns, order.lang, order.encoding, 0o600);
    let mut sink = sink.map_err(failure::table)?;
    let mut put = |values: &[String]| {
        sink.put(&kept, values, order.lang).map_err(failure::table)?;
        if u64::from(sink.rows()).is_multiple_of(tables::TOLD) {
            (order.progress)(sink.rows().into());
        }
        Ok(())
    };
    if table.is_register {
        for_each_derived(register, table, &mut put)?;
    } else {
        for_each_stated(register.tx, table, &mut put)?;
    }
    let rows = sink.rows();
    sink.finish().map_err(failure::table)?;
    Ok(Written { table: table.name(), file: to, rows })
}

type Put<'a> = dyn FnMut(&[String]) -> Result<(), Failure> + 'a;

/// Rows of what the hub derives, person by person.
fn for_each_derived(register: &Register<'_>, table: Table, put: &mut Put<'_>) -> Result<(), Failure> {
    let mut after = String::new();
    loop {
        let page = register.tx.people_after(&after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.to_string();
        for uid in page {
            let Some(file) = register.file(uid)? else { continue };
            for wanted in audience::whole(&file).iter().filter(|one| one.body.kind() == table.kind) {
                let served = match table.kind {
                    Kind::Person => Some(serving(register.tx, uid)?.join(" ")),
                    _ => None,
                };
                for_each_part(table, &wanted.body, &[wanted.key.to_string()], served.as_deref(), put)?;
            }
        }
    }
}

/// Rows of what the centres have sent.
fn for_each_stated(tx: &Tx<'_>, table: Table, put: &mut Put<'_>) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = tx.stated_after(table.kind, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        for one in &page {
            let Some(body) = &one.body else { continue };
            let mut first = vec![one.origin.to_string(), one.key.to_string()];
            if !table.lines {
                first.extend([one.version.to_string(), one.outcome.clone()]);
            }
            for_each_part(table, body, &first, None, put)?;
        }
    }
}

/// The head of a body, or each of its lines, after what stands `first`.
fn for_each_part(
    table: Table,
    body: &Body,
    first: &[String],
    last: Option<&str>,
    put: &mut Put<'_>,
) -> Result<(), Failure> {
    let row = |line: &Line| -> Vec<String> {
        let values = line.iter().map(|(_, value)| value.unwrap_or_default().to_owned());
        first.iter().cloned().chain(values).chain(last.map(str::to_owned)).collect()
    };
    if !table.lines {
        return put(&row(body.head()));
    }
    body.lines().iter().try_for_each(|line| put(&row(line)))
}

/// The table called `name`.
pub fn table_of(name: &str) -> Result<Table, Failure> {
    let all = Table::all();
    all.iter().copied().find(|table| table.name() == name).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|table| table.name()).collect();
        Failure::new(Exit::Refused, "hub-no-table")
            .with("length", name.chars().count())
            .with("known", known.join(", "))
    })
}

/// Whether the hub has a table `name` that it only derives or that centres write.
pub fn is_known(name: &str) -> bool {
    Table::all().iter().any(|table| table.name() == name)
        || Kind::ALL.iter().any(|kind| kind.name() == name || kind.schema().table == Some(name))
}
