//! A world: one synthetic city on this machine, with a hub and its centres as processes of their own.
//!
//! [`layout`] where everything lies · [`programs`] the daemons' command lines · [`daemon`] running ones ·
//! [`fill`] a centre's rows by plain SQL · [`bring_up`] from nothing to daemons that exchange · [`wait`]
//! waiting for a state with an end · [`read`] reading the databases ·
//! [`settle`] waiting for rest · [`toml_edit`] setting keys · [`copy`] of a directory · [`documents`] held against their schemas.

pub mod bring_up;
pub mod copy;
pub mod daemon;
pub mod documents;
pub mod error;
pub mod fill;
pub mod layout;
pub mod programs;
pub mod read;
pub mod settle;
pub mod toml_edit;
pub mod wait;

pub use self::{bring_up::World, copy::copy_dir, error::WorldError, layout::Layout, programs::Programs};
