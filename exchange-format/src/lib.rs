//! The Svod exchange format: bytes in, values out.
//!
//! A packet's life, and where each step is: a record gets its canonical bytes ([`record`]), is written with
//! others into a packet ([`packet`]), signed ([`signature`]) and sealed ([`seal`]); its file gets a name
//! ([`file_name`]) that says between whom it goes ([`participant`]) and where it stands in its stream
//! ([`position`]). The receiver reads it under limits, and the machines in [`stream`] say what it is: new,
//! a duplicate, a gap, a fork. What became of it goes back as an [`answer`]; so do requests. New [`keys`] are told in the stream that they will sign. What happened stands in the
//! [`journal`]. What a record must say to be right are the [`rules`] of the domain, by the [`lists`] of a region.
//!
//! No tokio, no SQL, no network, no clock here.

pub mod answer;
pub mod card;
pub mod check_digit;
pub mod error;
pub mod file_name;
pub mod invisible;
pub mod journal;
pub mod keys;
pub mod lists;
pub mod packet;
pub mod participant;
pub mod position;
pub mod record;
pub mod rules;
pub mod seal;
pub mod signature;
pub mod snils;
pub mod state_digest;
pub mod stream;
pub mod typed;
pub mod typed_date;
pub mod vocabulary;
pub mod xsd;
