//! `centre add`, `centre list`, `centre certificate`, `centre disable`, `centre authority`, `centre card`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use exchange_endpoint::{
    keys::OwnKeys,
    messages,
    output::{CommonArgs, Exit, Failure, Lang},
    trust::Added,
};
use exchange_format::participant::ParticipantCode;
use jiff::Timestamp;
use serde_json::json;

use super::{config, reason};
use crate::edges::operations::{
    certificates::{self, Wanted},
    enrol::{self, CentreTold},
    operator,
};

/// What can be done with centres.
#[derive(Debug, Subcommand)]
pub enum Centre {
    /// Enrol a centre. Again: take its new password or its new card; the old card is kept
    ///
    /// Ask the centre for the fingerprint on another way than the one by which the card came, and type that one
    /// in: it is what proves whose card it is. A centre with other keys than before begins a new epoch.
    Add {
        /// The centre's card, made by svod-spoke init
        #[arg(long, value_name = "FILE")]
        card: PathBuf,
        /// The card's fingerprint: 64 hexadecimal digits; blanks and colons may stand between
        #[arg(long, value_name = "HEX")]
        fingerprint: String,
        /// A file whose first line is the password of the centre's FTPS login, at least 8 characters
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// All centres, with state and fingerprint
    List,
    /// Give a centre a client certificate that its FTPS login must show besides the password, or revoke it
    ///
    /// With --out the city's CA issues one: CODE.client.pem and CODE.client.key, for the centre's
    /// certificate_file and key_file; hand the key over on a safe way, keep no copy. The one before counts no more.
    Certificate {
        /// Its code
        code: ParticipantCode,
        /// Make a key and a certificate in this directory
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Take the certificate in this file (PEM); the centre has its key. It may be of another issuer
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
        /// Revoke the one that it has: its sessions end, and it cannot log in until it is given another
        #[arg(long)]
        revoke: bool,
    },
    /// Shut a centre out: it cannot log in, and what waits for it is removed. It returns only with new keys
    Disable {
        /// Its code
        code: ParticipantCode,
        /// Why; kept for ever
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
    /// Make the city's certificate authority anew, if pki/ca.pem or pki/ca.key is lost and there is no copy
    ///
    /// The daemon never does that by itself: every centre pins the authority that it was given. Hand the new pki/ca.pem
    /// to all centres (their ca_file), and give client certificates anew to those that have one. One that is there stays.
    Authority,
    /// The hub's own card and its fingerprint, for a centre to be enrolled
    Card,
}

impl Centre {
    pub(super) fn run(&self, common: &CommonArgs) -> Result<(), Failure> {
        match self {
            Self::Add { card, fingerprint, password_file } => add(common, card, fingerprint, password_file),
            Self::List => list(common),
            Self::Certificate { code, out, cert, revoke } => {
                let wanted = match (out, cert, revoke) {
                    (Some(dir), None, false) => Wanted::Issued(dir),
                    (None, Some(file), false) => Wanted::Pinned(file),
                    (None, None, true) => Wanted::Revoked,
                    _ => return Err(Failure::new(Exit::Usage, "client-certificate-what")),
                };
                certificate(common, *code, wanted)
            }
            Self::Disable { code, reason } => disable(common, *code, reason),
            Self::Authority => authority(common),
            Self::Card => own_card(common),
        }
    }
}

fn add(common: &CommonArgs, card: &Path, fingerprint: &str, password_file: &Path) -> Result<(), Failure> {
    let now = Timestamp::now();
    let done = enrol::add(&config(common)?, card, fingerprint, password_file, &operator(), now)?;
    let card = match done.card {
        Added::New => "new",
        Added::Supersedes => "superseded",
        Added::Known => "known",
    };
    let told = json!({ "code": done.code.as_str(), "card": card, "password_changed": done.password_changed });
    common.print(&told, |lang| {
        let id = match (done.card, done.password_changed) {
            (Added::New, _) => "hub-centre-new",
            (Added::Supersedes, _) => "hub-centre-superseded",
            (Added::Known, true) => "hub-centre-password",
            (Added::Known, false) => "hub-centre-known",
        };
        messages::text(lang, id, &[("code", done.code.to_string().into())])
    })
}

fn list(common: &CommonArgs) -> Result<(), Failure> {
    let centres = enrol::list(&config(common)?)?;
    common.print(&json!({ "centres": centres }), |lang| {
        if centres.is_empty() {
            return messages::text(lang, "hub-no-centres", &[]);
        }
        centres.iter().map(|centre| line(lang, centre)).collect::<Vec<_>>().join("\n")
    })
}

fn line(lang: Lang, centre: &CentreTold) -> String {
    let state = if centre.state == "active" { "hub-state-active" } else { "hub-state-disabled" };
    let merged = if centre.merged { "hub-state-merged" } else { "hub-state-unmerged" };
    let revoked = if centre.certificate_revoked { "hub-state-certificate-revoked" } else { "" };
    let revoked = messages::find(lang, revoked, &[]).map(|words| format!(", {words}")).unwrap_or_default();
    let until = centre.valid_until.as_deref().map_or_else(|| "—".to_owned(), |day| messages::day(lang, day));
    let certificate = centre.certificate.as_ref().map(|digest| {
        format!(
            "\n    {}",
            messages::text(lang, "hub-centre-certificate", &[("digest", digest.clone().into())])
        )
    });
    format!(
        "{}  {}  {}, {}{revoked}\n    {}\n    {}{}",
        centre.code,
        centre.name,
        messages::find(lang, state, &[]).unwrap_or_default(),
        messages::find(lang, merged, &[]).unwrap_or_default(),
        messages::text(lang, "hub-card-until", &[("until", until.into())]),
        messages::text(lang, "hub-centre-fingerprint", &[("fingerprint", centre.fingerprint.clone().into())]),
        certificate.unwrap_or_default(),
    )
}

fn certificate(common: &CommonArgs, code: ParticipantCode, wanted: Wanted<'_>) -> Result<(), Failure> {
    let done = certificates::set(&config(common)?, code, wanted, &operator(), Timestamp::now())?;
    let (certificate, key) = done.files.clone().unzip();
    let digest = done.certificate.map(|digest| digest.to_string());
    let told = json!({
        "code": code.as_str(), "certificate": digest, "changed": done.changed,
        "certificate_file": certificate, "key_file": key,
    });
    common.print(&told, |lang| {
        let text =
            |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
        let id = match (&done.files, &digest) {
            (Some(_), _) => "hub-certificate-issued",
            (None, Some(_)) => "hub-certificate-pinned",
            (None, None) => "hub-certificate-revoked",
        };
        let args = [
            ("code", code.to_string().into()),
            ("certificate", text(&certificate).into()),
            ("key", text(&key).into()),
            ("digest", digest.clone().unwrap_or_default().into()),
        ];
        messages::text(lang, id, &args)
    })
}

fn authority(common: &CommonArgs) -> Result<(), Failure> {
    let config = config(common)?;
    let (certificate, digest) = certificates::make_authority(&config, &operator(), Timestamp::now())?;
    let told = json!({ "certificate_file": certificate, "digest": digest.to_string() });
    let args = [("file", certificate.display().to_string().into())];
    common.print(&told, |lang| messages::text(lang, "hub-authority-made", &args))
}

fn disable(common: &CommonArgs, code: ParticipantCode, reason: &str) -> Result<(), Failure> {
    let (removed, was_active) =
        enrol::disable(&config(common)?, code, reason, &operator(), Timestamp::now())?;
    let told =
        json!({ "code": code.as_str(), "state": "disabled", "changed": was_active, "removed": removed });
    common.print(&told, |lang| {
        let args = [("code", code.to_string().into()), ("removed", removed.into())];
        messages::text(lang, "hub-centre-disabled", &args)
    })
}

fn own_card(common: &CommonArgs) -> Result<(), Failure> {
    let config = config(common)?;
    let card = OwnKeys::load(&config.path(&config.keys), enrol::own_code(&config)?)?.card;
    let file = config.path(Path::new(&format!("{}.card", card.content.code)));
    let told = json!({
        "code": card.content.code.as_str(), "name": card.content.name, "card": file,
        "fingerprint": card.fingerprint(), "valid_until": card.content.valid_until,
    });
    common.print(&told, |lang| {
        let args = [
            ("card", file.display().to_string().into()),
            ("fingerprint", card.fingerprint().into()),
            ("until", messages::day(lang, &card.content.valid_until.to_string()).into()),
        ];
        messages::text(lang, "hub-own-card", &args)
    })
}
