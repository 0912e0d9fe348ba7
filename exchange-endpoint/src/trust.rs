//! The cards of the participants that this one trusts: `trust/<code>.card`. A card that was superseded stays
//! beside it as `<code>_<16 digits of its fingerprint>.card`: what it signed can be checked for ever.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use exchange_format::{
    card::{Card, CardError},
    participant::ParticipantCode,
    signature::VerifyingKey,
};

use crate::{
    durable_file,
    output::{Exit, Failure},
};

/// A directory of cards, loaded.
#[derive(Debug, Clone)]
pub struct Trust {
    directory: PathBuf,
    current: BTreeMap<ParticipantCode, Card>,
    superseded: Vec<Card>,
}

/// What became of a card handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The participant's first.
    New,
    /// It takes the place of another, which is kept.
    Supersedes,
    /// It was there already.
    Known,
}

/// Why a card was not loaded or not taken in.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The directory or a file in it cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A card is not sound, or not the one told of.
    #[error("{path}: {source}")]
    Card {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CardError,
    },
    /// The file's name says another participant than the card in it.
    #[error("{path} is the card of participant {found}")]
    Misplaced {
        /// The file.
        path: PathBuf,
        /// Whose card it is.
        found: ParticipantCode,
    },
}

impl Trust {
    /// Loads all cards of `directory`, which is made if it is not there. Files with other endings are none.
    pub fn open(directory: &Path) -> Result<Self, TrustError> {
        let io = |source| TrustError::Io { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(io)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(io)? {
            names.push(entry.map_err(io)?.path());
        }
        names.sort();
        let mut trust =
            Self { directory: directory.to_owned(), current: BTreeMap::new(), superseded: Vec::new() };
        for path in names {
            let stem =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".card"));
            let Some(stem) = stem.filter(|stem| !stem.starts_with('.')) else { continue };
            let card = read_card(&path)?;
            let code = card.content.code;
            if stem == code.as_str() {
                trust.current.insert(code, card);
            } else if stem == superseded_stem(&card) {
                trust.superseded.push(card);
            } else {
                return Err(TrustError::Misplaced { path, found: code });
            }
        }
        Ok(trust)
    }

    /// The participant's current card. Whether it is valid today is the caller's question.
    pub fn card(&self, code: ParticipantCode) -> Option<&Card> {
        self.current.get(&code)
    }

    /// The participant's current signing key.
    pub fn key(&self, code: ParticipantCode) -> Option<VerifyingKey> {
        self.card(code).map(|card| card.content.signing_key.clone())
    }

    /// All current cards, ordered by code.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.current.values()
    }

    /// The participant's superseded cards.
    pub fn superseded(&self, code: ParticipantCode) -> impl Iterator<Item = &Card> {
        self.superseded.iter().filter(move |card| card.content.code == code)
    }

    /// Reads the card in `file` and checks it against the fingerprint told on another way.
    pub fn read_told(file: &Path, fingerprint: &str) -> Result<Card, TrustError> {
        let card = read_card(file)?;
        card.check_fingerprint(fingerprint)
            .map_err(|source| TrustError::Card { path: file.to_owned(), source })?;
        Ok(card)
    }

    /// Makes `card` its participant's current one; on the disk when this returns. The caller has checked its
    /// fingerprint or another proof ([`Trust::read_told`]).
    pub fn add(&mut self, card: Card) -> Result<Added, TrustError> {
        let code = card.content.code;
        let path = self.directory.join(format!("{code}.card"));
        let io = |path: &Path| {
            let path = path.to_owned();
            |source| TrustError::Io { path, source }
        };
        let Some(old) = self.current.get(&code) else {
            durable_file::create_new(&path, card.to_bytes(), 0o644).map_err(io(&path))?;
            self.current.insert(code, card);
            return Ok(Added::New);
        };
        if *old == card {
            return Ok(Added::Known);
        }
        // The copy first: after a crash the old card may be there twice, never not at all.
        let kept = self.directory.join(format!("{}.card", superseded_stem(old)));
        durable_file::replace(&kept, old.to_bytes(), 0o644).map_err(io(&kept))?;
        durable_file::replace(&path, card.to_bytes(), 0o644).map_err(io(&path))?;
        self.superseded.extend(self.current.insert(code, card));
        Ok(Added::Supersedes)
    }
}

fn superseded_stem(card: &Card) -> String {
    format!("{}_{}", card.content.code, &card.fingerprint()[..16])
}

fn read_card(path: &Path) -> Result<Card, TrustError> {
    let bytes = fs::read(path).map_err(|source| TrustError::Io { path: path.to_owned(), source })?;
    Card::from_bytes(&bytes).map_err(|source| TrustError::Card { path: path.to_owned(), source })
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Io { path, source } => {
                let exit = Exit::of_io(&source);
                Self::new(exit, "trust-file").told("file", path.display()).because("detail", source)
            }
            TrustError::Card { source, .. } => source.into(),
            TrustError::Misplaced { path, found } => {
                Self::new(Exit::Refused, "trust-misplaced").told("file", path.display()).told("found", found)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::keys::{CardWords, OwnKeys};

    fn card(dir: &Path, unit: u16) -> Card {
        let words = CardWords {
            name: "Центр".to_owned(),
            valid_from: date(2026, 1, 1),
            valid_until: date(2027, 12, 31),
            tls_ca: None,
        };
        let keys = tempfile::tempdir_in(dir).expect("a directory");
        OwnKeys::create(&keys.path().join("k"), ParticipantCode::new(42, unit), words).expect("made").card
    }

    #[test]
    fn a_superseded_card_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = dir.path().join("trust");
        let (first, second, other) = (card(dir.path(), 1), card(dir.path(), 1), card(dir.path(), 2));
        let mut trust = Trust::open(&folder).expect("empty");
        assert_eq!(trust.add(first.clone()).expect("added"), Added::New);
        assert_eq!(trust.add(first.clone()).expect("added"), Added::Known);
        assert_eq!(trust.add(other.clone()).expect("added"), Added::New);
        assert_eq!(trust.add(second.clone()).expect("added"), Added::Supersedes);
        let again = Trust::open(&folder).expect("loaded");
        for trust in [&trust, &again] {
            let code = first.content.code;
            assert_eq!(trust.card(code), Some(&second));
            assert_eq!(trust.key(code), Some(second.content.signing_key.clone()));
            assert_eq!(trust.superseded(code).collect::<Vec<_>>(), [&first]);
            assert_eq!(trust.cards().collect::<Vec<_>>(), [&second, &other]);
        }
    }

    #[test]
    fn only_the_card_told_of_is_taken() {
        let dir = tempfile::tempdir().expect("a directory");
        let (mine, other) = (card(dir.path(), 1), card(dir.path(), 1));
        let file = dir.path().join("from-the-post");
        fs::write(&file, mine.to_bytes()).expect("written");
        let print = mine.fingerprint();
        let spaced = format!("{} {}", &print[..32].to_uppercase(), &print[32..]);
        assert_eq!(Trust::read_told(&file, &spaced).expect("told"), mine);
        let error = Trust::read_told(&file, &other.fingerprint()).expect_err("another");
        assert_eq!(Failure::from(error).code(), "card-fingerprint");
        fs::write(&file, b"not a card").expect("written");
        assert_eq!(
            Failure::from(Trust::read_told(&file, &print).expect_err("none")).code(),
            "card-malformed"
        );
    }

    #[test]
    fn a_card_under_another_name_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = dir.path().join("trust");
        let mut trust = Trust::open(&folder).expect("empty");
        trust.add(card(dir.path(), 1)).expect("added");
        let (one, two) = (ParticipantCode::new(42, 1), ParticipantCode::new(42, 2));
        fs::rename(folder.join(format!("{one}.card")), folder.join(format!("{two}.card"))).expect("moved");
        let failure = Failure::from(Trust::open(&folder).expect_err("misplaced"));
        assert_eq!(failure.code(), "trust-misplaced");
    }
}
