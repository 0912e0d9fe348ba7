//! A centre's clerk: rows inserted, changed and deleted by plain SQL beside the program, and the memory of what was
//! written.

use std::{collections::BTreeMap, path::Path};

use fixtures::dice::Dice;
use rusqlite::{Connection, params};

use super::{
    centre::own_chance,
    people::{Person, rewritten},
    trace::Trace,
};
use crate::world::WorldError;

/// A row as the clerk wrote it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// A text that stands nowhere else, if one was written into it.
    pub mark: Option<String>,
    /// Such texts that stood here before.
    pub former: Vec<String>,
    /// Which of the people it is.
    pub person: usize,
    /// It was deleted.
    pub deleted: bool,
}

/// What a clerk has written, by table and id.
pub type Rows = BTreeMap<(&'static str, String), Written>;

/// What a clerk remembers.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The rows by table and id.
    pub rows: Rows,
    /// How many recipients have been entered.
    pub ids: u32,
    /// How many texts that stand nowhere else.
    pub marks: u32,
}

/// The clerk of one centre.
#[derive(Debug)]
pub struct Clerk {
    name: String,
    n: u16,
    connection: Connection,
    /// What was written.
    pub memory: Memory,
    /// What was written in lives that a restore has ended, or at a machine that ran beside.
    pub former: Vec<Rows>,
    /// Changes that the locks have refused.
    pub refused: u32,
    trace: Trace,
}

impl Clerk {
    /// The clerk of the `n`th centre, at its database.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn new(database: &Path, n: u16, trace: Trace) -> Result<Self, WorldError> {
        let connection = open(database)?;
        let (name, memory) = (format!("k{n}"), Memory::default());
        Ok(Self { name, n, connection, memory, former: Vec::new(), refused: 0, trace })
    }

    /// Its connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Leaves the database.
    ///
    /// # Errors
    /// SQLite's.
    pub fn leave(&mut self) -> rusqlite::Result<()> {
        self.connection = Connection::open_in_memory()?;
        Ok(())
    }

    /// Opens the database anew: another one was put in its place, with `rows`.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn come_back(&mut self, database: &Path, rows: Rows) -> Result<(), WorldError> {
        (self.connection, self.memory.rows) = (open(database)?, rows);
        Ok(())
    }

    /// Whether the exchange is stopped here.
    ///
    /// # Errors
    /// SQLite's.
    pub fn is_stopped(&self) -> rusqlite::Result<bool> {
        let stopped = "SELECT EXISTS (SELECT 1 FROM svod_stream WHERE stop IS NOT NULL)";
        self.connection.query_row(stopped, [], |row| row.get(0))
    }

    /// Writes something.
    ///
    /// # Errors
    /// SQLite refuses what no lock forbids.
    pub fn act(&mut self, dice: &mut Dice, people: &[Person]) -> Result<(), String> {
        match dice.below(10) {
            0..4 => self.recipient(dice, people),
            4..6 => self.change(dice),
            6 => self.delete(dice),
            7 => self.contact(dice),
            8 => self.programme(dice),
            _ => self.replace(dice, people),
        }
    }

    fn mark(&mut self) -> String {
        self.memory.marks += 1;
        format!("Завод {} ц{}", self.memory.marks, self.n)
    }

    /// A recipient who was not here.
    pub fn recipient(&mut self, dice: &mut Dice, people: &[Person]) -> Result<(), String> {
        self.memory.ids += 1;
        let id = format!("r{}", self.memory.ids);
        self.insert("INSERT", &id, dice, people)
    }

    /// A recipient in the place of whatever has its id.
    fn replace(&mut self, dice: &mut Dice, people: &[Person]) -> Result<(), String> {
        let Some(id) = self.some(dice, "recipient") else { return Ok(()) };
        self.insert("INSERT OR REPLACE", &id, dice, people)
    }

    fn insert(&mut self, verb: &str, id: &str, dice: &mut Dice, people: &[Person]) -> Result<(), String> {
        let who = dice.below(people.len());
        let (person, mark) = (rewritten(&people[who], dice), self.mark());
        let sql = format!(
            "{verb} INTO recipient (id, surname, given, patronymic, birth_date, snils, workplace) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        );
        let Person { surname, given, patronymic, birth, snils } = &person;
        let done = self.connection.execute(&sql, params![id, surname, given, patronymic, birth, snils, mark]);
        let written = Written { mark: Some(mark), person: who, ..Written::default() };
        self.note(&format!("{verb} recipient {id}"), ("recipient", id.to_owned()), written, done)
    }

    fn change(&mut self, dice: &mut Dice) -> Result<(), String> {
        let Some(id) = self.some(dice, "recipient") else { return Ok(()) };
        let mark = self.mark();
        let done =
            self.connection.execute("UPDATE recipient SET workplace = ?2 WHERE id = ?1", params![id, mark]);
        let key = ("recipient", id.clone());
        let written = Written { mark: Some(mark), ..self.memory.rows[&key].clone() };
        self.note(&format!("UPDATE recipient {id}"), key, written, done)
    }

    fn delete(&mut self, dice: &mut Dice) -> Result<(), String> {
        let table = if dice.chance(400) { "contact" } else { "recipient" };
        let Some(id) = self.some(dice, table) else { return Ok(()) };
        let done = self.connection.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [&id]);
        let key = (table, id.clone());
        let written = Written { deleted: true, ..self.memory.rows[&key].clone() };
        self.note(&format!("DELETE {table} {id}"), key, written, done)
    }

    /// The telephone of some recipient.
    pub fn contact(&mut self, dice: &mut Dice) -> Result<(), String> {
        let Some(of) = self.some(dice, "recipient") else { return Ok(()) };
        let (id, mark) = (format!("p{}", dice.below(4)), self.mark());
        let done = self.connection.execute(
            "INSERT OR REPLACE INTO contact (id, recipient_id, type, value, note) VALUES (?1, ?2, 'phone', ?3, ?4)",
            params![id, of, format!("+7906{}", dice.digits(7)), mark],
        );
        let written = Written { mark: Some(mark), ..Written::default() };
        self.note(&format!("REPLACE contact {id} of {of}"), ("contact", id), written, done)
    }

    /// A programme of some recipient.
    pub fn programme(&mut self, dice: &mut Dice) -> Result<(), String> {
        let Some(of) = self.some(dice, "recipient") else { return Ok(()) };
        let (id, mark) = (format!("i{}", dice.below(3)), self.mark());
        let number = format!("{}-{}", self.n, dice.below(5));
        let done = self.connection.execute(
            "INSERT OR REPLACE INTO programme (id, recipient_id, number, date, conditions) \
             VALUES (?1, ?2, ?3, '01.10.2026', ?4)",
            params![id, of, number, mark],
        );
        let line = done.as_ref().is_ok_and(|_| dice.chance(700));
        let written = Written { mark: Some(mark), ..Written::default() };
        self.note(&format!("REPLACE programme {id} of {of}"), ("programme", id.clone()), written, done)?;
        if line {
            let done = self.connection.execute(
                "INSERT OR REPLACE INTO programme_line (id, programme_id, no, name) VALUES (?1, ?2, 1, 'Уборка')",
                params![format!("{id}-1"), id],
            );
            done.map(drop).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// A row of `table` that is not known to be deleted.
    fn some(&self, dice: &mut Dice, table: &str) -> Option<String> {
        let mut live = self.memory.rows.iter().filter(|((of, _), row)| *of == table && !row.deleted);
        let count = live.clone().count();
        (count > 0).then(|| live.nth(dice.below(count)).expect("counted").0.1.clone())
    }

    fn note(
        &mut self,
        what: &str,
        key: (&'static str, String),
        mut written: Written,
        done: rusqlite::Result<usize>,
    ) -> Result<(), String> {
        match done {
            Ok(0) => self.trace.tell(&self.name, &format!("{what}: nothing")),
            Ok(_) => {
                self.trace.tell(&self.name, what);
                if let Some(before) = self.memory.rows.get(&key) {
                    written.former = before.former.iter().chain(&before.mark).cloned().collect();
                }
                self.memory.rows.insert(key, written);
            }
            Err(error) if error.to_string().contains("закреплена") => {
                self.trace.tell(&self.name, &format!("{what}: locked"));
                self.refused += 1;
            }
            Err(error) => return Err(format!("{} {what}: {error}", self.name)),
        }
        Ok(())
    }
}

fn open(database: &Path) -> Result<Connection, WorldError> {
    let open = || {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")?;
        own_chance(&connection)?;
        Ok(connection)
    };
    open().map_err(WorldError::sql(database))
}
