//! A centre at work: its configuration, its files, its mailbox, its clock.
//!
//! [`event_loop`] is where to begin. [`init`] makes a centre. [`station`] what a running centre holds · [`export`] own records into
//! packets, `snapshot` all of them · [`place`] packets into the mailbox · `reopen`
//! everything again, when one of them is lost ·
//! [`fetch`] files from it · [`admit`] what a file is · [`load`] applying it · [`resume`] what was held when the
//! program ended · [`answers`] what the hub made of ours · [`requests`] what has not come and what the hub
//! lacks · [`ranges`] where two pictures differ · [`resync`] after a restore, with what [`difference`] there is · [`rotation`] keys that change · [`audit`] whether the database is as it should be, `audit_sent` and what it has sent, `reread` the archive for it.
//! For people: [`bring`] files into the tables · [`copies`] of the database · [`hand_out`] the tables into files · [`proposing`] wishes.

pub mod admit;
pub mod answers;
pub mod audit;
mod audit_sent;
pub mod bring;
pub mod config;
pub mod copies;
pub mod difference;
pub mod error;
pub mod event_loop;
pub mod export;
pub mod fetch;
pub mod hand_out;
pub mod init;
pub mod load;
pub mod new_keys;
mod packet_file;
pub mod place;
pub mod proposing;
pub mod ranges;
pub mod removals;
mod reopen;
pub mod requests;
mod reread;
pub mod resume;
pub mod resync;
pub mod rotation;
mod snapshot;
pub mod station;

pub use error::SpokeError;
