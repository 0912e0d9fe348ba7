//! What shows and measures Svod: a whole synthetic city of real processes ([`world`]), the demonstration
//! ([`demo`]), the measurements ([`bench`]), and what the scenarios share; and whole histories in one thread
//! ([`simulation`]). The only package that may use everything.

pub mod bench;
pub mod demo;
pub mod simulation;
pub mod world;
