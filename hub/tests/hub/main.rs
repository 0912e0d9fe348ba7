//! A whole hub over real files: [`commands`] as a script sees them, [`edges`] with centres that speak the format;
//! [`register`] over its database alone.

mod commands;
mod edges;
mod register;
