//! The merge: which records are of one person, by weight of evidence (Fellegi and Sunter 1969).
//!
//! One file a step, in their order: [`reading`] what a row says · [`register`] every text a small number ·
//! [`candidates`] which pairs are compared · [`compare`] what two records have in common, `slips` which given names may be one · [`weigh`] what that
//! is worth · [`groups`] what is joined · [`clusters`] who is one person, and what staff are asked · [`staff`] with
//! what they have decided · [`identity`] which id a person keeps · [`explain`] why · [`evaluate`] how right that is where the truth is
//! known, [`recall`] what was compared at all. [`counts`] lets records that come later be weighed as those were that came before. `packed` is what was read of a claim, in few bytes; `parted` whom staff have parted, [`came`] who was one before they joined somebody. [`model`] says which fields there are, what each agreement is worth, and where to cut; [`train`] makes
//! one of the data themselves.
//!
//! What is new against the textbook: a pair is not only of one person or of strangers. Twins and relatives
//! share surname, patronymic, address and telephone, so these two are classes of their own; without them
//! almost every wrong link is within a household.

pub mod came;
pub mod candidates;
pub mod clusters;
pub mod compare;
pub mod counts;
mod edits;
pub mod evaluate;
pub mod explain;
mod groups;
pub mod identity;
pub mod model;
mod packed;
mod parted;
pub mod reading;
pub mod recall;
pub mod register;
mod slips;
pub mod staff;
pub mod texts;
pub mod train;
pub mod weigh;

#[cfg(test)]
mod tests;

pub use model::Model;
pub use register::Register;
