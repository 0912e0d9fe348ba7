//! The centres that the hub knows.

use exchange_format::{participant::ParticipantCode, position::Digest};
use rusqlite::{Row, params};

use super::{Result, Tx, parsed, parsed_optional};

/// What a centre must show at login besides its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertificate {
    /// Nothing, unless the hub wants a certificate of every centre.
    #[default]
    None,
    /// The certificate whose DER form has this SHA-256.
    Known(Digest),
    /// The one that it had was revoked: it cannot log in until it is given another. Its password alone is not
    /// enough, or the thief of both would need one of them only.
    Revoked,
}

impl ClientCertificate {
    const REVOKED: &str = "revoked";

    /// The digest of the certificate that counts.
    pub fn digest(self) -> Option<Digest> {
        match self {
            Self::Known(digest) => Some(digest),
            Self::None | Self::Revoked => None,
        }
    }
}

impl std::str::FromStr for ClientCertificate {
    type Err = <Digest as std::str::FromStr>::Err;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == Self::REVOKED { Ok(Self::Revoked) } else { text.parse().map(Self::Known) }
    }
}

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
    /// What it must show at login besides its password.
    pub certificate: ClientCertificate,
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

    /// Takes a new card for a centre, with its name if that has one, and nothing else.
    pub fn set_centre_card(
        &self,
        code: ParticipantCode,
        name: Option<&str>,
        fingerprint: &str,
    ) -> Result<()> {
        self.run(
            "UPDATE centre SET name = coalesce(?2, name), fingerprint = ?3 WHERE code = ?1",
            params![code.as_str(), name, fingerprint],
        )?;
        Ok(())
    }

    /// Sets the client certificate that a centre must show.
    pub fn set_certificate(&self, code: ParticipantCode, certificate: ClientCertificate) -> Result<()> {
        let text = match certificate {
            ClientCertificate::None => None,
            ClientCertificate::Known(digest) => Some(digest.to_string()),
            ClientCertificate::Revoked => Some(ClientCertificate::REVOKED.to_owned()),
        };
        self.run("UPDATE centre SET certificate = ?2 WHERE code = ?1", params![code.as_str(), text])?;
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
        certificate: parsed_optional(row, "centre", "certificate")?.unwrap_or_default(),
        active: state == "active",
        merged: row.get("merged")?,
    })
}
