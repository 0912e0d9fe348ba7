//! The hub's edges: sockets, certificates, files, time.
//!
//! The main path: [`event_loop`] hears of a file → [`intake`] judges and applies it → [`register`] makes persons
//! and publications of it → [`sealing`] makes packets of those → [`placing`] puts them where the centre looks.
//! `requests` asks for what has not come, and does what centres ask for; `ranges` finds where two pictures differ; [`older`] whether a copy was put back, `file_damage` whether its file has lost pages, [`resync`] ends a recovery, [`gone`] is what was lost by that; [`rebuild`] makes a lost database again, `scrub` sees that it can. `looks` has what is kept looked at, before all if a stranger has written. [`operations`] are what staff ask for on the command line.

mod centre_accounts;
pub mod config;
pub mod cores;
pub mod days;
pub mod event_loop;
pub mod failure;
mod file_damage;
pub mod ftps_server;
pub mod gone;
pub mod hub;
pub mod intake;
mod journal_look;
mod looks;
pub mod older;
pub mod operations;
pub mod pki;
pub mod placing;
mod ranges;
pub mod rebuild;
pub mod register;
mod requests;
pub mod resync;
mod scrub;
pub mod sealing;
