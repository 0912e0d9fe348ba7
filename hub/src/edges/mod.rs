//! The hub's edges: sockets, certificates, files, time.

pub mod ftps_server;
pub mod hub;
pub mod intake;
pub mod pki;
pub mod register;
pub mod sealing;
