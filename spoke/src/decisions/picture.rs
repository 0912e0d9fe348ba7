//! Which rows of a centre show a publication of the hub, and in which state (exchange §1, §8).

use exchange_format::record::Form;

/// The state of a row, as in `svod_record`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The centre's own.
    Own,
    /// The centre's own; the hub was told of it and has not published it, or holds it.
    Provisional,
    /// Shows the hub's values.
    Locked,
    /// Shows the hub's values; another row of the centre is the one to look at.
    Alias,
    /// Shows the last values of a publication that has left this centre's scope.
    Withdrawn,
}

impl State {
    /// The word in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Provisional => "provisional",
            Self::Locked => "locked",
            Self::Alias => "alias",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Own, Self::Provisional, Self::Locked, Self::Alias, Self::Withdrawn]
            .into_iter()
            .find(|state| state.word() == word)
    }

    /// Whether the centre may change the row.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Own | Self::Provisional)
    }
}

/// A row that a link makes part of a publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkedRow {
    /// Whether it is not the primary one; orders the primary first.
    pub secondary: bool,
    /// The row's id.
    pub id: String,
}

/// How a publication stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// It shows in `primary`, and in `aliases` beside.
    Shown {
        /// The row to look at.
        primary: String,
        /// Its state.
        state: State,
        /// Rows that name `primary` as `alias_of`.
        aliases: Vec<String>,
    },
    /// It has ended: these rows go back to what the centre last sent of them.
    Ended {
        /// The rows of the centre's claims.
        back_to_own: Vec<String>,
    },
}

/// How a publication `uid` in `form` stands, `linked` being the rows of the centre's claims that are part of
/// it, and `uid_row` whether a row `id = uid` is there. Of several primary ones the first by id counts, as
/// it does where none is.
pub fn picture(uid: &str, form: Form, mut linked: Vec<LinkedRow>, uid_row: bool) -> Picture {
    linked.sort();
    let mut rows = linked.into_iter().map(|row| row.id).filter(|id| id != uid);
    let state = match form {
        Form::Live => State::Locked,
        Form::Withdrawn => State::Withdrawn,
        Form::Tombstone => return Picture::Ended { back_to_own: rows.collect() },
    };
    let Some(primary) = rows.next() else {
        return Picture::Shown { primary: uid.to_owned(), state, aliases: Vec::new() };
    };
    let aliases = rows.chain(uid_row.then(|| uid.to_owned())).collect();
    Picture::Shown { primary, state, aliases }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(rows: &[(&str, bool)]) -> Vec<LinkedRow> {
        rows.iter().map(|(id, primary)| LinkedRow { secondary: !primary, id: (*id).to_owned() }).collect()
    }

    #[test]
    fn a_person_the_centre_never_had_gets_a_row_of_its_own() {
        let shown = Picture::Shown { primary: "u".into(), state: State::Locked, aliases: vec![] };
        assert_eq!(picture("u", Form::Live, vec![], false), shown);
        assert_eq!(picture("u", Form::Live, vec![], true), shown);
    }

    #[test]
    fn of_two_claims_the_primary_shows_and_the_other_names_it() {
        assert_eq!(
            picture("u", Form::Live, linked(&[("1", false), ("2", true)]), false),
            Picture::Shown { primary: "2".into(), state: State::Locked, aliases: vec!["1".into()] }
        );
    }

    #[test]
    fn a_row_that_the_hub_had_put_here_becomes_an_alias_of_the_claim_found_later() {
        assert_eq!(
            picture("u", Form::Withdrawn, linked(&[("1", true)]), true),
            Picture::Shown { primary: "1".into(), state: State::Withdrawn, aliases: vec!["u".into()] }
        );
    }

    #[test]
    fn an_ended_publication_gives_the_claims_back() {
        assert_eq!(
            picture("u", Form::Tombstone, linked(&[("1", true)]), true),
            Picture::Ended { back_to_own: vec!["1".into()] }
        );
    }

    #[test]
    fn state_words_read_back() {
        for state in [State::Own, State::Provisional, State::Locked, State::Alias, State::Withdrawn] {
            assert_eq!(State::from_word(state.word()), Some(state));
        }
        assert_eq!(State::from_word("open"), None);
    }
}
