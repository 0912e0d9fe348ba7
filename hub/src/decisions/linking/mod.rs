//! Which claims are of one person. A [`Linker`] says by which keys a claim finds its likes and what two
//! claims are to each other; [`clusters`] makes persons of the answers and of staff's decisions.
//!
//! The engine of issue rules is [`rules::RuleLinker`]; another comes behind the same interface.

pub mod clusters;
mod features;
pub mod identity;
mod rules;

use exchange_format::position::Digest;

pub use features::Features;
pub use rules::RuleLinker;

/// An engine that compares claims.
pub trait Linker {
    /// Its name and version, told with every automatic link (exchange §7, Rebuild).
    fn engine(&self) -> &'static str;

    /// The keys under which a claim is indexed: two claims that [`Linker::decide`] does not call `Apart`
    /// share at least one. Sorted, each once.
    fn keys(&self, claim: &Features) -> Vec<BlockingKey>;

    /// What two claims are to each other. Symmetric.
    fn decide(&self, a: &Features, b: &Features) -> Verdict;
}

/// A key of the linking index: 64 bits of a digest, so that the index holds no personal data in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockingKey(i64);

impl BlockingKey {
    /// The key of `parts` under the rule `tag`.
    pub fn of(tag: &str, parts: &[&str]) -> Self {
        let text = format!("{tag}\u{1f}{}", parts.join("\u{1f}"));
        let digest = Digest::of(text.as_bytes());
        let bytes: [u8; 8] = digest.as_bytes()[..8].try_into().expect("8 of 32 bytes");
        Self(i64::from_be_bytes(bytes))
    }

    /// As stored.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// What two claims are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// One person, by this rule.
    Link(Rule),
    /// Alike; staff decide.
    Review(Reason),
    /// Nothing speaks for it.
    Apart,
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code in databases, protocols and JSON.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The one with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }
        }
    };
}

codes! {
    /// Why two claims are one person, strongest first.
    Rule {
        /// Staff said so.
        Staff = "STAFF",
        /// Equal valid СНИЛС, birth date equal, given names equal or variants.
        SnilsBirth = "SNILS_BIRTH",
        /// Equal valid СНИЛС, equal ФИО, birth date equal, transposed, one digit off or absent.
        SnilsNames = "SNILS_NAMES",
        /// Equal full ФИО, birth date and document number.
        NameBirthDocument = "NAME_BIRTH_DOCUMENT",
        /// Equal full ФИО, birth date and full address.
        NameBirthAddress = "NAME_BIRTH_ADDRESS",
        /// Equal full ФИО, birth date and phone.
        NameBirthPhone = "NAME_BIRTH_PHONE",
        /// The only claim of its person.
        Single = "SINGLE",
    }
}

codes! {
    /// Why staff are asked about two claims.
    Reason {
        /// Equal valid СНИЛС, but names or dates differ (a parent's number, a typo).
        SnilsOnly = "SNILS_ONLY",
        /// All else links them, but both have a valid СНИЛС and they differ.
        SnilsConflict = "SNILS_CONFLICT",
        /// ФИО and birth date equal and nothing more.
        NameBirthOnly = "NAME_BIRTH_ONLY",
        /// Another surname; given name, patronymic, birth date and address equal.
        Surname = "SURNAME",
        /// The same document; ФИО or birth date differ.
        Document = "DOCUMENT",
        /// Full ФИО equal, birth dates transposed or one digit off; or one absent, and document, phone or address equal.
        BirthDate = "BIRTH_DATE",
        /// A variant of the given name, or a patronymic on one side only; the rest equal.
        NameVariant = "NAME_VARIANT",
        /// Surname and given name changed places.
        NamesSwapped = "NAMES_SWAPPED",
        /// Linking would chain two people whom something keeps apart.
        Contested = "CONTESTED",
    }
}
