//! Files in quarantine, as both daemons tell them to staff: why, since when, from whom, what to do next; and the command
//! that has them judged again.

use clap::Subcommand;
use exchange_format::{answer::PacketReason, file_name::FileName, participant::ParticipantCode};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{
    messages::{self, Lang},
    output::{CommonArgs, Exit, Failure},
};

/// A file in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aside {
    /// In whose folder it lay.
    #[serde(serialize_with = "as_text")]
    pub peer: ParticipantCode,
    /// Its name in the quarantine.
    pub file: String,
    /// Two letters, or `?` if its name is no packet's.
    pub kind: String,
    /// Why: a reason code.
    pub reason: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// When it came last.
    pub last: String,
    /// How often it came.
    pub times: u64,
    /// Whether its sender's signature was proven: it has its answer, and is not judged again.
    pub answered: bool,
    /// Whether a packet of that name was taken all the same.
    pub taken: bool,
    /// Whether it is to be judged again.
    pub replay: bool,
    /// The name of its row.
    #[serde(skip)]
    pub row: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn as_text<S: Serializer>(code: &ParticipantCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

/// It lies in quarantine, and the database does not know why.
pub const FOUND_ASIDE: &str = "FOUND_ASIDE";

impl Aside {
    /// The file `file` of `peer`, of which nothing else is known.
    pub fn unknown(peer: ParticipantCode, file: &str) -> Self {
        let mut one = Self {
            peer,
            file: file.to_owned(),
            kind: "??".to_owned(),
            reason: FOUND_ASIDE.to_owned(),
            since: String::new(),
            last: String::new(),
            times: 1,
            answered: false,
            taken: false,
            replay: false,
            row: format!("quarantine/{peer}/{file}"),
        };
        if let Some(name) = one.original().and_then(|name| name.parse::<FileName>().ok()) {
            name.kind.letters().clone_into(&mut one.kind);
        }
        one
    }

    /// The name that it came by, if that is a packet's. It is kept as `NAME` or, beside another file, as `NAME.2`.
    pub fn original(&self) -> Option<&str> {
        let is_name = |name: &str| name.parse::<FileName>().is_ok();
        if is_name(&self.file) {
            return Some(&self.file);
        }
        let (name, copy) = self.file.rsplit_once('.')?;
        (copy.bytes().all(|b| b.is_ascii_digit()) && is_name(name)).then_some(name)
    }

    /// Whether it can be judged again.
    pub fn may_replay(&self) -> bool {
        !self.answered && !self.taken && self.original().is_some()
    }

    /// The one thing to do next.
    fn next(&self, lang: Lang) -> String {
        let id = match (self.taken, self.answered, self.replay) {
            (true, ..) => "quarantine-taken",
            (_, true, _) => "quarantine-answered",
            (.., true) => "quarantine-replays",
            _ => "",
        };
        let reason = self.reason.parse::<PacketReason>().ok();
        let action = || reason.map(|reason| lang.of(reason.next_action()).to_owned()).unwrap_or_default();
        let mut next = messages::find(lang, id, &[]).unwrap_or_else(action);
        if id.is_empty() && self.may_replay() {
            next += " ";
            next += &messages::text(lang, "quarantine-then", &[("file", self.file.clone().into())]);
        }
        next
    }

    fn text(&self, lang: Lang) -> String {
        let mut args = vec![
            ("peer", self.peer.to_string().into()),
            ("file", self.file.clone().into()),
            ("since", messages::stored_moment(lang, &self.since).into()),
            ("reason", self.reason.clone().into()),
            ("what", messages::reason(lang, &self.reason).into()),
            ("next", self.next(lang).into()),
        ];
        let mut text = messages::text(lang, "quarantine-file", &args);
        if self.times > 1 {
            args.truncate(0);
            args.push(("n", self.times.into()));
            args.push(("last", messages::stored_moment(lang, &self.last).into()));
            text += "\n    ";
            text += &messages::text(lang, "quarantine-again", &args);
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let mut told = serde_json::to_value(self).unwrap_or_default();
        told["may_replay"] = self.may_replay().into();
        told
    }
}

/// What can be done with files in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum QuarantineCommand {
    /// The files in quarantine, the oldest first: why, since when, from whom, what to do next
    List {
        /// Also those whose packet was taken later
        #[arg(long)]
        all: bool,
    },
    /// One file
    Show {
        /// Its name in the quarantine
        file: String,
    },
    /// Have files judged again, by the ordinary way, when the cause is mended; again does no harm
    Replay {
        /// Their names in the quarantine
        #[arg(value_name = "FILE", required_unless_present = "all")]
        files: Vec<String>,
        /// All that can be judged again
        #[arg(long, conflicts_with = "files")]
        all: bool,
    },
}

impl QuarantineCommand {
    /// Carries the command out: `known` are the files in quarantine, `replay` marks some of them.
    pub fn run(
        &self,
        common: &CommonArgs,
        known: &[Aside],
        replay: impl FnOnce(&[&Aside]) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        match self {
            Self::List { all } => {
                let listed: Vec<&Aside> = known.iter().filter(|one| *all || !one.taken).collect();
                tell(common, &listed, Some(known.len() - listed.len()))?;
            }
            Self::Show { file } => tell(common, &[find(known, file)?], None)?,
            Self::Replay { files, all } => {
                let due: Vec<&Aside> = if *all {
                    known.iter().filter(|one| one.may_replay()).collect()
                } else {
                    files.iter().map(|file| replayable(known, file)).collect::<Result<_, _>>()?
                };
                replay(&due)?;
                let names: Vec<&str> = due.iter().map(|one| one.file.as_str()).collect();
                common.print(&json!({ "replayed": names }), |lang| {
                    messages::text(lang, "quarantine-replayed", &[("n", names.len().into())])
                })?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Tells `files`, and of a list how many they are and how many it leaves out.
fn tell(common: &CommonArgs, files: &[&Aside], hidden: Option<usize>) -> Result<(), Failure> {
    let told: Vec<_> = files.iter().map(|one| one.json()).collect();
    let mut answer = json!({ "files": told });
    if let Some(hidden) = hidden {
        answer["count"] = files.len().into();
        answer["hidden"] = hidden.into();
    }
    common.print(&answer, |lang| text(lang, files, hidden))
}

fn text(lang: Lang, files: &[&Aside], hidden: Option<usize>) -> String {
    let count = |hidden: usize| {
        let id = if hidden == 0 { "quarantine-count" } else { "quarantine-count-hidden" };
        let args = [("n", files.len().into()), ("hidden", hidden.into())];
        messages::text(lang, id, &args[..if hidden == 0 { 1 } else { 2 }])
    };
    if files.is_empty() && hidden.is_none_or(|hidden| hidden == 0) {
        return messages::text(lang, "quarantine-none", &[]);
    }
    files.iter().map(|one| one.text(lang)).chain(hidden.map(count)).collect::<Vec<_>>().join("\n")
}

fn find<'a>(known: &'a [Aside], file: &str) -> Result<&'a Aside, Failure> {
    let found = known.iter().find(|one| one.file == file);
    found.ok_or_else(|| Failure::new(Exit::Refused, "quarantine-unknown"))
}

fn replayable<'a>(known: &'a [Aside], file: &str) -> Result<&'a Aside, Failure> {
    let one = find(known, file)?;
    if one.may_replay() {
        return Ok(one);
    }
    Err(Failure::new(Exit::Refused, "quarantine-final").told("file", &one.file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aside(file: &str) -> Aside {
        Aside {
            peer: ParticipantCode::new(42, 1),
            file: file.to_owned(),
            kind: "DT".to_owned(),
            reason: "CANNOT_OPEN".to_owned(),
            since: "2026-11-22T10:00:00Z".to_owned(),
            last: "2026-11-22T10:00:00Z".to_owned(),
            times: 1,
            answered: false,
            taken: false,
            replay: false,
            row: file.to_owned(),
        }
    }

    #[test]
    fn the_name_that_a_file_came_by() {
        let name = "SVOD1_KV_4200000_4200018_0001_00000001_20261121_0123456789ABCDEF.zip.age";
        assert_eq!(aside(name).original(), Some(name));
        assert_eq!(aside(&format!("{name}.2")).original(), Some(name));
        for file in ["STRAY_0123456789ABCDEF.pdf", &format!("{name}.x")] {
            assert_eq!(aside(file).original(), None);
            assert!(!aside(file).may_replay());
        }
    }

    #[test]
    fn what_is_told_of_a_file_ends_with_what_to_do() {
        let name = "SVOD1_DT_4200000_4200018_0001_00000001_20261121_0123456789ABCDEF.zip.age";
        let open = aside(name);
        assert!(
            open.text(Lang::Ru).contains(&format!("quarantine replay {name}")),
            "{}",
            open.text(Lang::Ru)
        );
        let taken = Aside { taken: true, times: 3, ..open.clone() };
        let list = |files: &[&Aside], hidden| text(Lang::En, files, Some(hidden));
        assert!(list(&[&open], 0).ends_with("\nFiles: 1."), "{}", list(&[&open], 0));
        assert!(
            list(&[], 2).contains("2 more")
                && list(&[], 0) == messages::text(Lang::En, "quarantine-none", &[])
        );
        assert!(!taken.text(Lang::Ru).contains("replay"));
        assert!(taken.text(Lang::En).contains("3 times"), "{}", taken.text(Lang::En));
    }
}
