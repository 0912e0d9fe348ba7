//! The hub's FTPS server and the spoke's client, against each other and against the programs that centres have:
//! lftp, curl, Python's ftplib. Real sockets and files, on 127.0.0.1 and free ports.
//!
//! Every defect seen in other servers (a race after AUTH, plain-text data, a leaked offset, a hung session…) is a
//! test here, in `defects` and `border`.

mod border;
mod city;
mod defects;
mod foreign_clients;
mod limits;
mod our_client;
mod raw;
mod strict_server;
