//! A participant's keys change: the next ones are made, told to each peer by a KY, and take the place of the present
//! ones when every peer has taken them (FORMAT.md §New keys).
//!
//! Each step leaves files that [`OwnKeys::load`] reads: the cards say which of the keys count, and a card's name is
//! given in one step. Steps after a crash are done again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use exchange_format::{
    card::{Card, CardContent, CardError},
    keys::{KeysError as SuccessionError, check_successor},
    participant::ParticipantCode,
    signature::SigningKey,
};
use jiff::{ToSpan as _, civil::Date};

use crate::{
    durable_file,
    keys::{AGE, CARD, KeysError, NEXT, OwnKeys, SIGNING, Secrets, read_secret, signing_keys},
    output::{Exit, Failure},
};

/// Why keys do not change.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A change is under way.
    #[error("the keys are changing already")]
    UnderWay,
    /// The present card says of itself that it counts no more: nobody would take its word for another.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A key file.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// Makes the next keys of `code` in `directory`: a signing key, an age identity, and the card that tells both, valid
/// from the day before `today` (UTC) for as long as the present one was. All are on the disk when this returns.
///
/// One process at a time: the caller holds its database.
pub fn prepare(directory: &Path, code: ParticipantCode, today: Date) -> Result<OwnKeys, RotationError> {
    let secrets = Secrets::generate()
        .map_err(|error| KeysError::Io { path: directory.to_owned(), source: io::Error::other(error) })?;
    prepare_of(&secrets, directory, code, today)
}

/// As [`prepare`], of secrets that were made before: whoever knows them can sign and open.
pub fn prepare_of(
    secrets: &Secrets,
    directory: &Path,
    code: ParticipantCode,
    today: Date,
) -> Result<OwnKeys, RotationError> {
    let own = OwnKeys::load(directory, code)?;
    if own.next.is_some() {
        return Err(RotationError::UnderWay);
    }
    let (signing, identity) = (SigningKey::from_seed(code, &secrets.seed), &secrets.identity);
    let old = &own.card.content;
    let content = CardContent {
        signing_key: signing.verifying_key(),
        age_recipient: identity.recipient(),
        valid_from: today.saturating_sub(1.day()),
        valid_until: today.saturating_add(old.valid_until - old.valid_from),
        ..old.clone()
    };
    let card = Card::sign(content, &signing)?;
    if let Err(SuccessionError::Card(error)) = check_successor(&own.card, &card, today) {
        return Err(error.into());
    }
    // what a cut try has left of keys is overwritten; identities stay
    let keys = format!("{}\n{}\n", own.signing.to_secret_text(), signing.to_secret_text());
    put(directory, SIGNING, keys.as_bytes(), 0o600)?;
    let (_, known) = read_secret(directory, AGE)?;
    put(directory, AGE, format!("{known}{}\n", identity.to_secret_text()).as_bytes(), 0o600)?;
    put(directory, NEXT, card.to_bytes(), 0o644)?;
    Ok(OwnKeys::load(directory, code)?)
}

/// The next card takes the place of the present one; then the signing key that is not used any more goes. Again it
/// does what is left to do.
pub fn finish(directory: &Path, code: ParticipantCode) -> Result<OwnKeys, KeysError> {
    let (next, own) = (directory.join(NEXT), directory.join(CARD));
    let failed = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| KeysError::Io { path, source }
    };
    match fs::rename(&next, &own) {
        Ok(()) => durable_file::sync_directory(&own).map_err(failed(&own))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(&next)(error)),
    }
    let keys = OwnKeys::load(directory, code)?;
    if signing_keys(directory, code)?.len() > 1 {
        put(directory, SIGNING, format!("{}\n", keys.signing.to_secret_text()).as_bytes(), 0o600)?;
    }
    Ok(keys)
}

/// Whether a crash has left keys of a change that is over, or that never began: then [`finish`] does away with them.
pub fn is_left_over(directory: &Path, code: ParticipantCode) -> Result<bool, KeysError> {
    Ok(!directory.join(NEXT).exists() && signing_keys(directory, code)?.len() > 1)
}

fn put(directory: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), KeysError> {
    let path = directory.join(name);
    durable_file::replace(&path, bytes, mode).map_err(|source| KeysError::Io { path, source })
}

impl From<RotationError> for Failure {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::UnderWay => Self::new(Exit::Refused, "keys-changing"),
            RotationError::Card(error) => error.into(),
            RotationError::Keys(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use exchange_format::signature::SigningKey;
    use jiff::civil::date;

    use super::*;
    use crate::{key_table::KyState, keys::CardWords};

    const FILES: [&str; 4] = [SIGNING, AGE, NEXT, CARD];

    fn code() -> ParticipantCode {
        ParticipantCode::new(42, 3)
    }

    fn made() -> (tempfile::TempDir, PathBuf, OwnKeys) {
        let dir = tempfile::tempdir().expect("a directory");
        let keys = dir.path().join("keys");
        let (name, valid_from, valid_until) = ("ЦСОН".to_owned(), date(2026, 1, 1), date(2027, 12, 31));
        let words = CardWords { name, valid_from, valid_until, tls_ca: None };
        let own = OwnKeys::create(&keys, code(), words).expect("made");
        (dir, keys, own)
    }

    fn files(keys: &Path) -> BTreeMap<&'static str, Vec<u8>> {
        FILES.into_iter().filter_map(|name| Some((name, fs::read(keys.join(name)).ok()?))).collect()
    }

    fn put_back(keys: &Path, files: &BTreeMap<&'static str, Vec<u8>>) {
        for name in FILES {
            match files.get(name) {
                Some(bytes) => put(keys, name, bytes, 0o600).expect("written"),
                None => {
                    let _ = fs::remove_file(keys.join(name));
                }
            }
        }
    }

    fn verifying(key: &SigningKey) -> String {
        key.verifying_key().to_string()
    }

    #[test]
    fn new_keys_are_used_where_they_are_told_and_then_everywhere() {
        let (_dir, keys, old) = made();
        let changing = prepare(&keys, code(), date(2026, 11, 22)).expect("made");
        let next = changing.next.clone().expect("next keys");
        assert_eq!(next.card.content.valid_until, date(2028, 11, 20), "as long as the one before");
        assert_eq!(changing.card, old.card);
        assert_ne!(next.card.content.age_recipient, old.card.content.age_recipient);
        assert_eq!(next.card.content.archive_recipient, old.card.content.archive_recipient);
        assert_eq!(changing.identities.len(), 2, "what is sealed to either is opened");
        let [of_old, of_new] = [&old.signing, &next.signing].map(verifying);
        for (told, numbered, answers) in [
            (None, &of_old, &of_old),
            (Some(KyState::Open), &of_new, &of_old),
            (Some(KyState::Refused), &of_old, &of_old),
            (Some(KyState::Taken), &of_new, &of_new),
        ] {
            let used = [true, false].map(|numbered| verifying(changing.signing_for(told, numbered)));
            assert_eq!([&used[0], &used[1]], [numbered, answers], "{told:?}");
        }
        assert!(matches!(prepare(&keys, code(), date(2026, 11, 22)), Err(RotationError::UnderWay)));
        let done = finish(&keys, code()).expect("finished");
        assert_eq!((&done.card, done.next.is_none()), (&next.card, true));
        assert_eq!(done.identities[0].recipient(), next.card.content.age_recipient);
        assert_eq!(done.identities.len(), 2, "the archive is sealed to the old one");
        assert_eq!(signing_keys(&keys, code()).expect("read").len(), 1, "the old one signs nothing any more");
        let early = prepare(&keys, code(), date(2026, 1, 1));
        assert!(matches!(early, Err(RotationError::Card(CardError::NotValidOn { .. }))), "{early:?}");
        // a card that has run out may still be followed: nothing else would bring new keys
        let late = prepare(&keys, code(), date(2040, 1, 1)).expect("made");
        assert_eq!(late.next.expect("next keys").card.content.valid_from, date(2039, 12, 31));
    }

    #[test]
    fn a_crash_between_any_two_files_leaves_keys_that_load() {
        let (_dir, keys, old) = made();
        let before = files(&keys);
        prepare(&keys, code(), date(2026, 11, 22)).expect("made");
        let after = files(&keys);
        let mut cut = before;
        for name in [SIGNING, AGE] {
            cut.insert(name, after[name].clone());
            put_back(&keys, &cut);
            let loaded = OwnKeys::load(&keys, code()).expect("loads");
            assert_eq!((&loaded.card, loaded.next.is_none()), (&old.card, true), "{name}");
            assert!(is_left_over(&keys, code()).expect("read"));
            finish(&keys, code()).expect("tidied");
            assert_eq!(signing_keys(&keys, code()).expect("read").len(), 1);
            let again = prepare(&keys, code(), date(2026, 11, 22)).expect("from anew");
            assert!(again.next.is_some());
            let done = finish(&keys, code()).expect("finished");
            assert_eq!(done.card, again.next.expect("next keys").card);
        }
        put_back(&keys, &after);
        let next = OwnKeys::load(&keys, code()).expect("loads").next.expect("next keys").card;
        // the card has its new name, the old key is still there
        fs::rename(keys.join(NEXT), keys.join(CARD)).expect("renamed");
        assert_eq!(OwnKeys::load(&keys, code()).expect("loads").card, next);
        assert!(is_left_over(&keys, code()).expect("read"));
        finish(&keys, code()).expect("tidied");
        assert_eq!(signing_keys(&keys, code()).expect("read").len(), 1);
    }
}
