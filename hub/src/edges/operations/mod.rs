//! What staff ask for: each a transaction of its own, beside the running daemon, which sees it at once.
//!
//! [`init`] a new hub · [`enrol`] its centres, their [`certificates`] · [`merge`] the initial loads · [`people`] one person, its [`history`], [`split`] one that is two, [`join`] two that are one ·
//! [`questions`] to staff, what is proposed of some ([`resolution`]), [`reviews`] their answers, both as a [`table_file`]; one question [`shown`] in full, one answer by a
//! [`single`] command, the second signature under one by [`signing`] · [`status`] how the exchange is · [`keys`] new keys, the quarantine ·
//! [`hand_out`] tables into files, [`bring`] staff's values out of one, [`drawn`] records that they draw up (what is `standing`, rows that are `waiting` for a number, `attached` files, lines in a `line_table`), [`withdraw`] one · [`check`] what breaks a rule · [`copies`] of the database · [`trial`] who would be who in tables of others, and by which of the [`models`], [`training`] of one, [`evaluation`] where the truth is known.

mod attached;
pub mod bring;
pub mod certificates;
pub mod check;
mod contradiction;
pub mod copies;
pub mod decided;
mod deciding;
pub mod documents;
pub mod drawn;
pub mod enrol;
pub mod evaluation;
pub mod hand_out;
pub mod history;
pub mod init;
pub mod join;
pub mod keys;
mod line_table;
pub mod merge;
pub mod model_file;
pub mod models;
pub mod others;
pub mod people;
mod proposals;
pub mod question_table;
pub mod questions;
pub mod resolution;
pub mod reviews;
pub mod shown;
pub mod signing;
pub mod single;
pub mod split;
mod standing;
pub mod status;
pub mod table_file;
pub mod training;
pub mod trial;
mod trial_page;
mod trial_review;
mod urgency;
mod waiting;
pub mod withdraw;
mod word;

pub use exchange_endpoint::account::acting as operator;
