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

use super::{drawn, people::serving};
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
    from: From,
}

/// Where the rows of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// In the register: derived, or a document that staff drew up.
    Register,
    /// Staff drew them up.
    Drawn,
    /// The centres sent them; the hub's own of such kinds among them.
    Sent,
}

/// What is in the register.
const REGISTER: [Kind; 3] = [Kind::Person, Kind::Programme, Kind::Supplement];

impl Table {
    /// Every table: the register first, then what staff draw up besides, then what the centres send, each with its lines.
    pub fn all() -> Vec<Self> {
        let from = |kind: Kind| match kind {
            _ if REGISTER.contains(&kind) => Some(From::Register),
            _ if kind.owner().centre_writes() => Some(From::Sent),
            _ if crate::decisions::drawn::KINDS.contains(&kind) => Some(From::Drawn),
            _ => None,
        };
        let mut kinds: Vec<(Kind, From)> =
            Kind::ALL.into_iter().filter_map(|kind| Some((kind, from(kind)?))).collect();
        kinds.sort_by_key(|(_, from)| *from as u8);
        let both = |(kind, from): (Kind, From)| {
            let of = |lines| Self { kind, lines, from };
            [Some(of(false)), kind.schema().lines.is_some().then(|| of(true))]
        };
        kinds.into_iter().flat_map(both).flatten().collect()
    }

    /// Its name: the kind's, with `_line` of lines.
    pub fn name(self) -> String {
        format!("{}{}", self.kind.name(), if self.lines { "_line" } else { "" })
    }

    fn fields(self) -> &'static [Field] {
        let schema = self.kind.schema();
        if self.lines { schema.lines.map_or(&[], |lines| lines.fields) } else { schema.fields }
    }

    fn is_drawn(self) -> bool {
        crate::decisions::drawn::KINDS.contains(&self.kind)
    }

    fn columns(self) -> Vec<String> {
        let parent = drawn::parent(self.kind);
        let first: &[&str] = match (self.from, self.lines) {
            (From::Register, false) => &["uid"],
            (From::Drawn, false) => &drawn::KEYS,
            (From::Register | From::Drawn, true) => &[&parent],
            // staff attach as well as centres
            (From::Sent, false) if self.is_drawn() => &["id", "uid", "origin", "key", "version", "outcome"],
            (From::Sent, false) => &["origin", "key", "version", "outcome"],
            (From::Sent, true) => &["origin", "key"],
        };
        let served = (self.kind == Kind::Person).then(|| "served_by".to_owned());
        let first: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
        first.into_iter().chain(self.fields().iter().map(Field::column)).chain(served).collect()
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
        wanted.into_iter().map(|(table, to)| write(order, &register, table, &to)).collect()
    })
}

fn write(order: &Order<'_>, register: &Register<'_>, table: Table, to: &Path) -> Result<Written, Failure> {
    let columns = table.columns();
    let kept = tables::kept(to, &columns);
    let sink = Sink::of_columns(to, &columns, order.lang, order.encoding, 0o600);
    let mut sink = sink.map_err(failure::table)?;
    let mut put = |values: &[String]| {
        sink.put(&kept, values, order.lang).map_err(failure::table)?;
        if u64::from(sink.rows()).is_multiple_of(tables::TOLD) {
            (order.progress)(sink.rows().into());
        }
        Ok(())
    };
    match table.from {
        From::Register => for_each_derived(register, table, &mut put)?,
        From::Drawn => for_each_drawn(register, table, &mut put)?,
        From::Sent => {
            for_each_drawn(register, table, &mut put)?;
            for_each_stated(register.tx, table, &mut put)?;
        }
    }
    sink.written(table.name()).map_err(failure::table)
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
            for wanted in
                audience::whole(&file, register.lists).iter().filter(|one| one.body.kind() == table.kind)
            {
                let served = match table.kind {
                    Kind::Person => Some(serving(register.tx, uid)?.join(" ")),
                    _ => None,
                };
                for_each_part(table, &wanted.body, &[wanted.key.to_string()], served.as_deref(), put)?;
            }
        }
    }
}

/// Rows of what staff drew up.
fn for_each_drawn(register: &Register<'_>, table: Table, put: &mut Put<'_>) -> Result<(), Failure> {
    let mut after = String::new();
    loop {
        let page = register.tx.drawn_after(table.kind, &after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for one in &page {
            let key = one.key.to_string();
            let first: Vec<String> = match (table.from, table.lines) {
                (From::Drawn, false) => vec![one.id.clone(), key],
                (From::Drawn, true) => vec![one.id.clone()],
                (_, true) => vec![register.hub.to_string(), key],
                // versions are a stream's, and this record may be in several
                (_, false) => {
                    let hub = register.hub.to_string();
                    vec![one.id.clone(), key.clone(), hub, key, String::new(), "new".to_owned()]
                }
            };
            for_each_part(table, &one.body, &first, None, put)?;
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
            if table.is_drawn() && !table.lines {
                first.splice(0..0, [String::new(), one.key.to_string()]);
            }
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
