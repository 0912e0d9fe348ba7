//! What shows and measures Svod: a whole synthetic city of real processes ([`world`]), the demonstration
//! ([`demo`]), the measurements ([`bench`]), and what the scenarios share. The only package that may use everything.

pub mod bench;
pub mod demo;
pub mod world;
