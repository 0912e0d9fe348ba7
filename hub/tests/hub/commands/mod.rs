//! The commands of `svod-hub` as a script sees them: exit code, JSON, and what is left on the disk. A file a noun, as
//! in `cli`.

mod centre;
mod city;
mod exchanged;
mod init;
mod judged;
mod lost;
mod model;
mod others;
mod person;
mod protocol;
mod review;
mod signing;
mod status;
mod tables;
mod trial;
mod words;
