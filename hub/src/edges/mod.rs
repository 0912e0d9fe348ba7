//! The hub's edges: sockets, certificates, files, time.

pub mod ftps_server;
pub mod pki;
pub mod register;
