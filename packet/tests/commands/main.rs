//! The commands of `svod-packet` as an auditor or a script sees them: exit codes, JSON, words, and what is left on the disk.
#![allow(clippy::unwrap_used)]

mod desk;
mod looking;
mod protocols;
mod tampered;
mod unpacking;
