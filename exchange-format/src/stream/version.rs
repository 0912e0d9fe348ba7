//! What to do with a version of a record that its owner tells (FORMAT.md §Streams; R12, D9).

use crate::{
    answer::RecordReason,
    position::Digest,
    record::{Form, Record},
};

/// One version of one record of a stream, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition {
    /// Counts up in its stream; at sealing, only if the bytes or the form changed.
    pub version: u32,
    /// In which form it was told.
    pub form: Form,
    /// SHA-256 of the body's bytes as received.
    pub hash: Digest,
}

/// What a version told by its owner is, against the one received before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionVerdict {
    /// The key was not known.
    New,
    /// A higher version: it replaces the known one.
    Changed,
    /// The known version again, identical.
    Unchanged,
    /// A lower version: not applied, the owner enters recovery.
    Older,
    /// The known version with another content or form, or a key used again after its tombstone:
    /// not applied, incident.
    Collision,
}

impl Edition {
    /// The edition that `record` tells.
    pub fn of(record: &Record) -> Self {
        Self { version: record.version, form: record.form, hash: record.hash() }
    }

    /// What this arrived edition is, `known` being the one last received for the key in this stream
    /// (whatever its outcome was).
    pub fn judge(&self, known: Option<&Self>) -> VersionVerdict {
        let Some(known) = known else { return VersionVerdict::New };
        let revived = known.form == Form::Tombstone && self.form != Form::Tombstone;
        if self.version < known.version {
            VersionVerdict::Older
        } else if self == known {
            VersionVerdict::Unchanged
        } else if self.version == known.version || revived {
            VersionVerdict::Collision
        } else {
            VersionVerdict::Changed
        }
    }
}

impl VersionVerdict {
    /// The reason to refuse the record, `None` if it is to be taken on.
    pub fn refusal(self) -> Option<RecordReason> {
        match self {
            Self::New | Self::Changed | Self::Unchanged => None,
            Self::Older => Some(RecordReason::Older),
            Self::Collision => Some(RecordReason::Collision),
        }
    }
}

/// Whether a PR for a packet that carried version `answered` of a record clears the registration of a
/// change of it, made for version `registered`: never a newer one (D5, F3).
pub fn clears(registered: u32, answered: u32) -> bool {
    registered <= answered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edition(version: u32, form: Form, body: &str) -> Edition {
        Edition { version, form, hash: Digest::of(body.as_bytes()) }
    }

    #[test]
    fn higher_applies_and_equal_is_unchanged() {
        let known = edition(2, Form::Live, "b");
        assert_eq!(known.judge(None), VersionVerdict::New);
        assert_eq!(known.judge(Some(&known)), VersionVerdict::Unchanged);
        assert_eq!(edition(3, Form::Live, "c").judge(Some(&known)), VersionVerdict::Changed);
        assert_eq!(edition(3, Form::Withdrawn, "b").judge(Some(&known)), VersionVerdict::Changed);
        assert_eq!(edition(9, Form::Tombstone, "").judge(Some(&known)), VersionVerdict::Changed);
    }

    #[test]
    fn d9_lower_or_equal_with_other_bytes_is_not_applied() {
        let known = edition(2, Form::Live, "b");
        let cases = [
            (edition(1, Form::Live, "a"), RecordReason::Older),
            (edition(1, Form::Live, "b"), RecordReason::Older),
            (edition(2, Form::Live, "x"), RecordReason::Collision),
            (edition(2, Form::Withdrawn, "b"), RecordReason::Collision),
        ];
        for (arrived, reason) in cases {
            assert_eq!(arrived.judge(Some(&known)).refusal(), Some(reason), "{arrived:?}");
        }
    }

    #[test]
    fn a_tombstone_ends_the_key() {
        let known = edition(4, Form::Tombstone, "");
        assert_eq!(known.judge(Some(&known)), VersionVerdict::Unchanged);
        assert_eq!(edition(5, Form::Tombstone, "").judge(Some(&known)), VersionVerdict::Changed);
        assert_eq!(edition(3, Form::Live, "a").judge(Some(&known)), VersionVerdict::Older);
        for form in [Form::Live, Form::Withdrawn] {
            assert_eq!(edition(5, form, "a").judge(Some(&known)), VersionVerdict::Collision);
        }
    }

    #[test]
    fn d5_a_protocol_never_clears_a_newer_edit() {
        assert!(clears(3, 3));
        assert!(!clears(4, 3));
    }
}
