//! What the hub decides, without input or output: values in, values out. No clock, no SQL, no randomness.
//!
//! In the order of a claim's life: [`normalise`] what was typed · [`linking`] whose it is · `golden` which
//! value stands · [`case_number`] under which number.

pub mod case_number;
pub mod given_names;
pub mod linking;
pub mod normalise;
