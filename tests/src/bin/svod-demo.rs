//! Brings up a synthetic city.
fn main() {}
