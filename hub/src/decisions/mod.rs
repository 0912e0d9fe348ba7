//! What the hub decides, without input or output: values in, values out. No clock, no SQL, no randomness.
//!
//! In the order of a claim's life: [`admission`] whether it is taken · [`normalise`] what was typed · [`merge`] whose it
//! is · [`case_number`] under which number · [`golden`] which value stands · [`programme`] which document it is ·
//! [`overlap`] which of two that collide · [`drawn`] what staff draw up themselves · [`audience`] who gets to see it · [`signing`] what two have to sign.

pub mod admission;
pub mod audience;
pub mod case_number;
pub mod days;
pub mod document_key;
pub mod drawn;
pub mod given_names;
pub mod golden;
pub mod merge;
pub mod normalise;
pub mod overlap;
pub mod programme;
pub mod signing;
