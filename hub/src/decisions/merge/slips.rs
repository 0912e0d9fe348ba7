//! Which given names may be slips of the pen for one another, and which may be those of twins.

use std::{collections::BTreeSet, sync::LazyLock};

use super::{edits::within, register::Register, texts::letters};
use crate::decisions::given_names;

/// Names in use for which there are slips: of shorter ones too much is a name of its own.
static LONG_NAMES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| given_names::all().map(letters).filter(|name| name.len() >= LONG).collect());

/// So many letters.
const LONG: usize = 6;

/// Whether what one name has in place of the other may be another name: a vowel for a vowel or a consonant for a consonant, of which
/// neither is typed or heard for the other.
fn may_be_another(x: &[u8], y: &[u8]) -> bool {
    let pairs: Vec<(u8, u8)> = x.iter().copied().zip(y.iter().copied()).collect();
    let has_changed_places = |at: usize| {
        let with = |other: usize| pairs.get(other).is_some_and(|(a, b)| (*b, *a) == pairs[at]);
        with(at + 1) || at > 0 && with(at - 1)
    };
    let is_other = |at: &usize| {
        let (one, other) = pairs[*at];
        one != other
            && !ALIKE.contains(&(one, other))
            && SAME_KIND.contains(&(one, other))
            && !has_changed_places(*at)
    };
    x.len() == y.len() && (0..pairs.len()).any(|at| is_other(&at))
}

/// Letters in pairs, both ways round.
type LetterPairs = LazyLock<BTreeSet<(u8, u8)>>;

/// Letters that sound alike where names are told, or whose keys lie beside each other.
static ALIKE: LetterPairs = LazyLock::new(|| {
    let keys = ["ЙЦУКЕНГШЩЗХЪ", "ФЫВАПРОЛДЖЭ", "ЯЧСМИТЬБЮ"].map(letters);
    let in_row = keys.iter().flat_map(|row| row.windows(2).map(|two| (two[0], two[1])));
    // a key touches two of the row above
    let rows =
        keys.windows(2).flat_map(|rows| rows[1].iter().enumerate().map(|(at, key)| (&rows[0], at, *key)));
    let touching =
        rows.flat_map(|(above, at, key)| above.iter().skip(at).take(2).map(move |one| (*one, key)));
    let pairs: BTreeSet<(u8, u8)> = in_row.chain(touching).collect();
    let sounds = ["АОЯ", "ЕИЭЯЫ", "УЮ", "ПБ", "ДТ", "ГКХ", "ЗС", "ВФ", "ЖШЩЧ", "СЦ"];
    pairs
        .into_iter()
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .chain(all_pairs(&sounds))
        .collect()
});

/// Vowels, and consonants.
static SAME_KIND: LetterPairs =
    LazyLock::new(|| all_pairs(&["АЕИОУЫЭЮЯ", "БВГДЖЗЙКЛМНПРСТФХЦЧШЩ"]).collect());

/// Each with each of its group.
fn all_pairs(groups: &[&str]) -> impl Iterator<Item = (u8, u8)> {
    let groups = groups.iter().map(|group| letters(group)).collect::<Vec<_>>().into_iter();
    groups.flat_map(|group| {
        group
            .clone()
            .into_iter()
            .flat_map(move |one| group.clone().into_iter().map(move |other| (one, other)))
    })
}

impl Register {
    /// Whether one of two given names that are alike is an ordinary slip for the other, or both are for a third: no table
    /// knows all names, and what is not like a slip may be a name.
    pub(super) fn is_slip(&self, at: usize, a: u32, b: u32) -> bool {
        let name = |record: u32| self.entry(record).field(self.slots[at])[0];
        let (a, b) = (name(a), name(b));
        let (x, y) = (self.texts[at][0].letters(a), self.texts[at][0].letters(b));
        if self.known[a as usize] || self.known[b as usize] {
            return !may_be_another(x, y);
        }
        let is_slip = |one: &[u8], name: &[u8]| within(one, name, 1) && !may_be_another(one, name);
        LONG_NAMES.iter().any(|name| is_slip(x, name) && is_slip(y, name))
    }
}
