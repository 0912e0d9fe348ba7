//! The hub's edges: sockets, certificates, files, time.

pub mod register;
