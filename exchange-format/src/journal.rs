//! The journal as a transparency log: canonical entries, RFC 6962 leaf hashes, the tree's root
//! (FORMAT.md §Journal).
//!
//! The tree is kept as its frontier, the roots of its perfect subtrees: adding an entry and making a
//! checkpoint need at most 64 hashes, however long the journal is.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::position::Digest;

/// The first line of every entry.
const HEADING: &str = "svod.exchange/journal/v1";

/// The longest field, in bytes.
const FIELD_LIMIT: usize = 200;

/// One entry: who, when, what, why, by which rule. Holds ids, codes and digests, never personal data.
/// Columns of the journal: `n` (key), `at`, `actor`, `event`, `subject`, `rule`, `digests`, `leaf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the journal, from 0: the index of its leaf.
    pub n: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Who: a participant's code, or an operator's account.
    pub actor: String,
    /// What: a word such as `packet.applied`.
    pub event: String,
    /// About what: a packet's name, a record's id.
    pub subject: String,
    /// By which rule or for which reason; may be empty.
    pub rule: String,
    /// Digests of what it is about: manifests, bodies.
    pub digests: Vec<Digest>,
}

/// An entry has no canonical text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {n}: the field {field} is longer than {FIELD_LIMIT} bytes or has a control character")]
pub struct EntryError {
    n: u64,
    field: &'static str,
}

impl Entry {
    /// Its canonical text: the heading, `n`, `at` (RFC 3339, UTC), `actor`, `event`, `subject`, `rule`, then
    /// each digest, one a line, every line ended by LF. Two different entries never have the same text.
    pub fn canonical(&self) -> Result<String, EntryError> {
        let mut text = format!("{HEADING}\n{}\n{}\n", self.n, self.at);
        for (field, value) in
            [("actor", &self.actor), ("event", &self.event), ("subject", &self.subject), ("rule", &self.rule)]
        {
            if value.len() > FIELD_LIMIT || value.chars().any(char::is_control) {
                return Err(EntryError { n: self.n, field });
            }
            text.push_str(value);
            text.push('\n');
        }
        for digest in &self.digests {
            writeln!(text, "{digest}").expect("a String takes any text");
        }
        Ok(text)
    }

    /// Its leaf hash: what the column `leaf` holds and [`Tree::push`] takes.
    pub fn leaf(&self) -> Result<Digest, EntryError> {
        Ok(leaf_hash(self.canonical()?.as_bytes()))
    }
}

/// The hash of a leaf: SHA-256(0x00 ‖ entry) (RFC 6962 §2.1).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1).
fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = Sha256::new().chain_update([1]).chain_update(left.as_bytes());
    Digest::from_bytes(hasher.chain_update(right.as_bytes()).finalize().into())
}

/// A Merkle tree (RFC 6962 §2.1) known by its size and frontier. Columns: `size`, `frontier` (32 bytes each).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// The roots of its perfect subtrees, the largest (leftmost) first: one for each bit set in `size`.
    frontier: Vec<Digest>,
}

impl Tree {
    /// A tree that was stored. `None` if the frontier does not fit the size.
    pub fn from_parts(size: u64, frontier: Vec<Digest>) -> Option<Self> {
        (frontier.len() == size.count_ones() as usize).then_some(Self { size, frontier })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its perfect subtrees, the largest first.
    pub fn frontier(&self) -> &[Digest] {
        &self.frontier
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Digest) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.frontier.pop().expect("one subtree for each bit of the size");
            node = node_hash(&left, &node);
        }
        self.frontier.push(node);
        self.size += 1;
    }

    /// Its root; of an empty tree, SHA-256 of nothing.
    pub fn root(&self) -> Digest {
        let mut subtrees = self.frontier.iter().rev();
        match subtrees.next() {
            None => Digest::of(b""),
            Some(last) => subtrees.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// The text of its checkpoint (C2SP tlog-checkpoint), to be signed as a note: origin, size, root.
    /// `origin` is `svod/<participant code>/<incarnation>`.
    pub fn checkpoint(&self, origin: &str) -> String {
        format!("{origin}\n{}\n{}\n", self.size, STANDARD.encode(self.root().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reference leaves and roots of Certificate Transparency (merkle_tree_test), all tree sizes 1–8.
    const VECTORS: [(&str, &str); 8] = [
        ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (
            "606162636465666768696a6b6c6d6e6f",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ];

    #[test]
    fn published_roots() {
        let mut tree = Tree::default();
        assert_eq!(
            tree.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for (leaf, root) in VECTORS {
            tree.push(leaf_hash(&hex::decode(leaf).expect("hexadecimal")));
            assert_eq!(tree.root().to_string(), root, "{} leaves", tree.size());
        }
        let lines = tree.checkpoint("svod/4200017/1");
        assert_eq!(lines, "svod/4200017/1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n");
    }

    /// The recursive definition of RFC 6962 §2.1.
    fn defined_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined_root(left), &defined_root(right))
            }
        }
    }

    proptest! {
        #[test]
        fn the_frontier_gives_the_defined_root(size in 0_usize..300) {
            let leaves: Vec<Digest> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
            let mut tree = Tree::default();
            for leaf in &leaves {
                let (size, frontier) = (tree.size(), tree.frontier().to_vec());
                tree = Tree::from_parts(size, frontier).expect("what was stored loads");
                tree.push(*leaf);
            }
            prop_assert_eq!(tree.root(), defined_root(&leaves));
            prop_assert_eq!(Tree::from_parts(tree.size() + 1, vec![]), None);
        }
    }

    fn entry() -> Entry {
        Entry {
            n: 7,
            at: "2026-11-21T10:00:00.25Z".parse().expect("a time"),
            actor: "4200017".into(),
            event: "packet.applied".into(),
            subject: "SVOD1_DT".into(),
            rule: String::new(),
            digests: vec![Digest::of(b"manifest")],
        }
    }

    #[test]
    fn an_entry_has_one_text() {
        let text = entry().canonical().expect("canonical");
        let digest = Digest::of(b"manifest");
        let head = "svod.exchange/journal/v1\n7\n2026-11-21T10:00:00.25Z\n4200017\npacket.applied\nSVOD1_DT";
        assert_eq!(text, format!("{head}\n\n{digest}\n"));
        // the vector of FORMAT.md
        let leaf = "5d875652ba4961aa94e9d425e90dc05e861b8c06eed04cb3deb03a8c68aa2f76";
        assert_eq!(entry().leaf().map(|leaf| leaf.to_string()).as_deref(), Ok(leaf));
    }

    #[test]
    fn a_field_cannot_smuggle_in_a_line() {
        let bad = Entry { rule: "D5\nforged".into(), ..entry() };
        assert_eq!(bad.canonical(), Err(EntryError { n: 7, field: "rule" }));
        let long = Entry { subject: "x".repeat(201), ..entry() };
        assert_eq!(long.leaf(), Err(EntryError { n: 7, field: "subject" }));
    }
}
