//! What two spellings of the same fact have in common. Everything here is for comparing; the claim keeps
//! what was typed, and [`display`] says what the hub publishes instead.

mod address;
mod date;
pub mod display;
mod number;
mod word;

pub use address::{Address, address_key};
pub use date::{parse_date, parse_known};
pub use number::{document_key, phone_key};
pub use word::{is_placeholder, name_key, repair_look_alikes};
