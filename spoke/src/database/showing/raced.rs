//! An edit that raced a lock is a proposal, not gone (exchange §8, D2).

use exchange_format::record::{Form, Record, RecordId};

use super::{Show, read_body};
use crate::{
    database::{DatabaseError, own_records, proposals, rows},
    decisions::{
        mapping, raced,
        tables::Table,
        wishes::{self, Decision},
    },
};

/// A local edit that was turned into a proposal because the hub's lock came first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raced {
    /// The table.
    pub kind: &'static str,
    /// The claim's record.
    pub key: RecordId,
}

impl Show<'_> {
    /// What row `id`, which is to show `record`, says otherwise than was sent of it is kept; it is queued no more.
    pub(super) fn save_raced_edit(
        &mut self,
        table: &'static Table,
        record: &Record,
        id: &str,
        key: RecordId,
    ) -> Result<(), DatabaseError> {
        let Some(kind) = table.own else { return Ok(()) };
        let sent = own_records::sent(self.connection, kind, key)?;
        if let Some(sent) = sent.filter(|sent| sent.record.form == Form::Live && !self.restoring) {
            self.keep_raced_edit(table, record, id, &sent.record)?;
        }
        let change = own_records::Change { kind: table.name.to_owned(), key, problem: None };
        own_records::forget(self.connection, &change)
    }

    /// What row `id` says otherwise than the claim `sent` becomes a proposal; one that is not fit to be sent is
    /// kept with what is wrong with it, for the centre to see.
    fn keep_raced_edit(
        &mut self,
        table: &'static Table,
        record: &Record,
        id: &str,
        sent: &Record,
    ) -> Result<(), DatabaseError> {
        let (edited, problem) = match own_records::body_of_row(self.connection, table, id)? {
            None => return Ok(()),
            Some(Ok(body)) => (body, None),
            Some(Err(finding)) => {
                let Some(row) = rows::as_typed(self.connection, table, id)? else { return Ok(()) };
                (mapping::as_typed(table, sent.kind, &row), Some(finding))
            }
        };
        let Some(body) = raced::proposal(record.kind, record.key, &read_body(sent)?, &edited) else {
            return Ok(());
        };
        let shown = read_body(record)?;
        if wishes::decision(&body, &shown, &shown) == Some(Decision::Accepted) {
            return Ok(());
        }
        let problem = problem.or_else(|| body.findings().into_iter().next());
        let proposal = proposals::New {
            key: (self.new_key)(),
            table: table.name,
            id,
            about: record,
            claim: Some((sent.key, sent.version)),
            body: &body,
            problem: problem.as_ref(),
        };
        proposals::add(self.connection, &proposal, self.now)?;
        self.shown.raced.push(Raced { kind: table.name, key: sent.key });
        Ok(())
    }
}
