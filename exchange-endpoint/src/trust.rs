//! The cards of the participants that this one trusts: `trust/<code>.card`. A card that was superseded stays
//! beside it as `<code>_<16 digits of its fingerprint>.card`: what it signed can be checked for ever. `<code>.keys` says of
//! each card that a KY has told where it begins to count: a line
//! `<epoch> <number> <fingerprint of the card before> <its own>`. `<code>.revoked` has the fingerprints of the cards whose
//! participant was shut out: a database put back from a copy lets it in no more. All this is outside the database, so that whoever can
//! write there cannot make himself trusted.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use exchange_format::{
    card::{Card, CardError},
    participant::ParticipantCode,
    position::{Epoch, Position, Seq},
};

use crate::{
    durable_file,
    key_ring::KeyRing,
    output::{Exit, Failure},
};

/// A directory of cards, loaded.
#[derive(Debug, Clone)]
pub struct Trust {
    directory: PathBuf,
    current: BTreeMap<ParticipantCode, Card>,
    superseded: Vec<Card>,
    successions: BTreeMap<ParticipantCode, Vec<Succession>>,
}

/// A KY: where it stands, and the fingerprints of the card before it and of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Succession {
    position: Position,
    before: String,
    after: String,
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
    /// A line of it does not say where a card begins to count.
    #[error("{path} is damaged")]
    Successions {
        /// The file.
        path: PathBuf,
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
        durable_file::make_directories(directory).map_err(io)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(directory).map_err(io)? {
            names.push(entry.map_err(io)?.path());
        }
        names.sort();
        let mut trust = Self {
            directory: directory.to_owned(),
            current: BTreeMap::new(),
            superseded: Vec::new(),
            successions: BTreeMap::new(),
        };
        for path in names {
            if let Some((code, successions)) = read_successions(&path)? {
                trust.successions.insert(code, successions);
                continue;
            }
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

    /// The participant's cards that count. Those that a person has replaced, and all before them, do not: they are
    /// revoked.
    pub fn ring(&self, code: ParticipantCode) -> Option<KeyRing> {
        let current = self.card(code)?;
        let print = current.fingerprint();
        let of_print = |print: &str| self.superseded(code).find(|card| card.fingerprint() == print);
        let leads_to = |after: &str, card: &Card, print: &str| {
            // a person may have taken the same keys, valid for longer
            let same = |other: &Card| other.content.signing_key == card.content.signing_key;
            after == print || of_print(after).is_some_and(same)
        };
        let (mut first, mut first_print, mut later) = (current, print, Vec::new());
        for one in self.successions.get(&code).into_iter().flatten().rev() {
            if !leads_to(&one.after, first, &first_print) {
                continue;
            }
            let Some(before) = of_print(&one.before) else { break };
            later.push((one.position, first.clone()));
            (first, first_print) = (before, one.before.clone());
        }
        later.reverse();
        Some(KeyRing::new(first.clone(), later))
    }

    /// Makes `card`, which a KY at `position` tells, its participant's current one; on the disk when this returns.
    /// Again it does what is left to do.
    pub fn succeed(&mut self, card: Card, position: Position) -> Result<(), TrustError> {
        let (code, after) = (card.content.code, card.fingerprint());
        let Some(old) = self.card(code).filter(|old| **old != card) else { return Ok(()) };
        let one = Succession { position, before: old.fingerprint(), after };
        let all = self.successions.entry(code).or_default();
        if !all.contains(&one) {
            // before the card: a line of no card says nothing, a card without its line would revoke the one before
            all.push(one);
            let path = self.directory.join(format!("{code}.{SUCCESSIONS}"));
            let text = all.iter().fold(String::new(), |text, one| text + &one.to_string() + "\n");
            durable_file::replace(&path, text.as_bytes(), 0o644)
                .map_err(|source| TrustError::Io { path, source })?;
        }
        self.add(card).map(|_| ())
    }

    /// Makes `new` the current card after `old`, of ourselves: for auditors, who find both here. Again it does nothing.
    pub fn follow(&mut self, old: &Card, new: &Card) -> Result<(), TrustError> {
        if self.card(old.content.code).is_none() {
            self.add(old.clone())?;
        }
        self.add(new.clone()).map(|_| ())
    }

    /// All current cards, ordered by code.
    pub fn cards(&self) -> impl Iterator<Item = &Card> {
        self.current.values()
    }

    /// All cards, superseded ones too.
    pub fn all(&self) -> impl Iterator<Item = &Card> {
        self.current.values().chain(&self.superseded)
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

    /// Keeps in mind that the participant of the card with this fingerprint is shut out; on the disk when this returns.
    pub fn revoke(&self, code: ParticipantCode, fingerprint: &str) -> Result<(), TrustError> {
        let known = self.revoked(code)?;
        if known.lines().any(|line| line == fingerprint) {
            return Ok(());
        }
        let path = self.directory.join(format!("{code}.revoked"));
        let text = known + fingerprint + "\n";
        durable_file::replace(&path, text.as_bytes(), 0o644).map_err(|source| TrustError::Io { path, source })
    }

    /// Whether the participant was shut out while it had the card with this fingerprint.
    pub fn is_revoked(&self, code: ParticipantCode, fingerprint: &str) -> Result<bool, TrustError> {
        Ok(self.revoked(code)?.lines().any(|line| line == fingerprint))
    }

    fn revoked(&self, code: ParticipantCode) -> Result<String, TrustError> {
        let path = self.directory.join(format!("{code}.revoked"));
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|source| TrustError::Io { path, source }),
        }
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

/// The ending of the file of successions.
const SUCCESSIONS: &str = "keys";

impl fmt::Display for Succession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { epoch, seq } = self.position;
        write!(f, "{epoch} {seq} {} {}", self.before, self.after)
    }
}

impl FromStr for Succession {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<&str> = line.split(' ').collect();
        let &[epoch, seq, before, after] = &words[..] else { return Err(()) };
        let epoch = Epoch::new(epoch.parse().map_err(|_| ())?).map_err(|_| ())?;
        let seq = Seq::new(seq.parse().map_err(|_| ())?).map_err(|_| ())?;
        let (before, after) = (before.to_owned(), after.to_owned());
        Ok(Self { position: Position { epoch, seq }, before, after })
    }
}

/// What the file of successions at `path` says, if it is one.
fn read_successions(path: &Path) -> Result<Option<(ParticipantCode, Vec<Succession>)>, TrustError> {
    if path.extension().is_none_or(|ending| ending != SUCCESSIONS) {
        return Ok(None);
    }
    let code = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
    let Some(code) = code else { return Ok(None) };
    let text = fs::read_to_string(path).map_err(|source| TrustError::Io { path: path.to_owned(), source })?;
    let lines: Result<Vec<Succession>, ()> = text.lines().map(str::parse).collect();
    lines.map(|lines| Some((code, lines))).map_err(|()| TrustError::Successions { path: path.to_owned() })
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
            TrustError::Card { path, source } => Self::card(&path, source),
            TrustError::Successions { path } => {
                Self::new(Exit::Refused, "trust-successions").told("file", path.display())
            }
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
            let ring = trust.ring(code).expect("a card");
            assert_eq!(ring.cards().collect::<Vec<_>>(), [&second], "a person has replaced the first");
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

    #[test]
    fn a_card_that_a_ky_told_counts_from_there_and_the_one_before_up_to_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let folder = dir.path().join("trust");
        let [first, second, third, other] = [(); 4].map(|()| card(dir.path(), 1));
        let code = first.content.code;
        let at = |epoch, seq| Position {
            epoch: Epoch::new(epoch).expect("small"),
            seq: Seq::new(seq).expect("small"),
        };
        let mut trust = Trust::open(&folder).expect("empty");
        trust.add(first.clone()).expect("added");
        // a crash may come before the card: its line alone says nothing
        let line =
            Succession { position: at(1, 5), before: first.fingerprint(), after: second.fingerprint() };
        fs::write(folder.join(format!("{code}.keys")), format!("{line}\n")).expect("written");
        let mut trust = Trust::open(&folder).expect("loaded");
        assert_eq!(trust.ring(code).expect("a card").at(at(2, 1)), &first);
        for (card, position) in [(&second, at(1, 5)), (&second, at(1, 5)), (&third, at(3, 2))] {
            trust.succeed(card.clone(), position).expect("taken");
        }
        let ring = Trust::open(&folder).expect("loaded").ring(code).expect("a card");
        assert_eq!(Some(&ring), trust.ring(code).as_ref());
        for (position, card) in [
            (at(1, 1), &first),
            (at(1, 5), &first),
            (at(1, 6), &second),
            (at(3, 2), &second),
            (at(3, 3), &third),
            (at(4, 1), &third),
        ] {
            assert_eq!(ring.at(position), card, "{position:?}");
        }
        assert_eq!(ring.current(), &third);
        assert_eq!(ring.cards().collect::<Vec<_>>(), [&third, &second, &first]);
        trust.add(other.clone()).expect("a person takes another");
        let ring = trust.ring(code).expect("a card");
        assert_eq!(ring.cards().collect::<Vec<_>>(), [&other], "those before are revoked");
        fs::write(folder.join(format!("{code}.keys")), "1 2 3\n").expect("written");
        let failure = Failure::from(Trust::open(&folder).expect_err("damaged"));
        assert_eq!(failure.code(), "trust-successions");
    }
}
