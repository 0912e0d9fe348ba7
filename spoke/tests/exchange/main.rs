//! A centre's program as its operator and its hub see it: commands, packets, rows. The hub is made of the
//! exchange format alone, so nothing here trusts the other daemon.

mod applying;
mod centre;
mod commands;
mod every_kind;
mod faults;
mod forging;
mod hub;
mod keys;
mod losing;
mod people;
mod proposals;
mod rebuilding;
mod removing;
mod requests;
mod sending;
mod tampering;
mod unreadable;
mod words;
