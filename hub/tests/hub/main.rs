//! A whole hub over real files: [`commands`] as a script sees them, [`edges`] with centres that speak the format;
//! [`register`] over its database alone; [`told`] of what it does not publish.

mod commands;
mod edges;
mod register;
mod told;
