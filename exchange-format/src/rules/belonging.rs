//! A rule on what a record names: of the same person, and not withdrawn.

use super::{Rule, Severity, at, text};
use crate::record::Kind;

use Severity::{Refuse, Warn};

pub(super) static RULES: &[Rule] = &[Rule {
    code: "W01",
    applies: &[
        (Kind::Supplement, Refuse),
        (Kind::SupplementClaim, Warn),
        (Kind::Contract, Warn),
        (Kind::CompletionMark, Warn),
        (Kind::Event, Warn),
        (Kind::PlanReport, Warn),
        (Kind::ServiceAct, Warn),
        (Kind::Attachment, Warn),
    ],
    sentence: text(
        "Запись относится к тому, что принадлежит другому человеку или отозвано (программа, дополнение, договор). Укажите то, что принадлежит этому получателю; дополнение иначе не публикуется.",
        "The record names what is another person's, or was withdrawn (programme, supplement, contract). Name what is this recipient's; a supplement is not published otherwise.",
    ),
    source: "own",
    check: |c| at(c.around.stray?, true),
}];
