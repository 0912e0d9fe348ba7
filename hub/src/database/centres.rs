//! The centres that the hub knows.

use exchange_format::{participant::ParticipantCode, position::Digest};
use rusqlite::{Row, params};

use super::{Result, Tx, parsed, parsed_optional};

/// A centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Its code.
    pub code: ParticipantCode,
    /// What it is called.
    pub name: String,
    /// The file name of its card in `trust/`.
    pub card: String,
    /// The card's fingerprint.
    pub fingerprint: String,
    /// Its FTPS password: argon2id, PHC string.
    pub password: String,
    /// SHA-256 of the client certificate (DER) that it must show at login, if it was given one.
    pub certificate: Option<Digest>,
    /// Whether it may exchange.
    pub active: bool,
    /// Whether its initial load was merged.
    pub merged: bool,
}

impl Tx<'_> {
    /// Adds a centre, or takes a new card and password for it; its client certificate stays.
    pub fn put_centre(&self, centre: &Centre, at: &str) -> Result<()> {
        self.run(
            "INSERT INTO centre(code, name, card, fingerprint, password, added_at)
             VALUES(?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET name = excluded.name, card = excluded.card,
               fingerprint = excluded.fingerprint, password = excluded.password, state = 'active'",
            params![centre.code.as_str(), centre.name, centre.card, centre.fingerprint, centre.password, at],
        )?;
        Ok(())
    }

    /// All centres by code.
    pub fn centres(&self) -> Result<Vec<Centre>> {
        self.rows("SELECT * FROM centre ORDER BY code", [], read_centre)
    }

    /// The centre `code`.
    pub fn centre(&self, code: ParticipantCode) -> Result<Option<Centre>> {
        self.row("SELECT * FROM centre WHERE code = ?1", [code.as_str()], read_centre)
    }

    /// Sets the client certificate that a centre must show, or none.
    pub fn set_certificate(&self, code: ParticipantCode, certificate: Option<Digest>) -> Result<()> {
        let digest = certificate.map(|digest| digest.to_string());
        self.run("UPDATE centre SET certificate = ?2 WHERE code = ?1", params![code.as_str(), digest])?;
        Ok(())
    }

    /// Lets a centre exchange, or not.
    pub fn set_centre_active(&self, code: ParticipantCode, active: bool) -> Result<()> {
        let state = if active { "active" } else { "disabled" };
        self.run("UPDATE centre SET state = ?2 WHERE code = ?1", params![code.as_str(), state])?;
        Ok(())
    }

    /// Notes that the initial loads of these centres are merged: what they send from now on is linked at once.
    pub fn set_centres_merged(&self, codes: &[ParticipantCode]) -> Result<()> {
        for code in codes {
            self.run("UPDATE centre SET merged = 1 WHERE code = ?1", [code.as_str()])?;
        }
        Ok(())
    }
}

fn read_centre(row: &Row<'_>) -> Result<Centre> {
    let state: String = row.get("state")?;
    Ok(Centre {
        code: parsed(row, "centre", "code")?,
        name: row.get("name")?,
        card: row.get("card")?,
        fingerprint: row.get("fingerprint")?,
        password: row.get("password")?,
        certificate: parsed_optional(row, "centre", "certificate")?,
        active: state == "active",
        merged: row.get("merged")?,
    })
}
