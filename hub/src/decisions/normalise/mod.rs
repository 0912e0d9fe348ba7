//! What two spellings of the same fact have in common. Everything here is for comparing; the claim keeps
//! what was typed, and [`display`] says what the hub publishes instead.

mod address;
pub mod display;
mod number;
mod word;

pub use address::{Address, address_key};
pub use exchange_format::{
    typed_date::{parse_date, parse_known, parse_paper_date},
    vocabulary::is_placeholder,
};
pub use number::{document_key, is_no_snils, is_typed_passport, phone_key};
pub use word::{name_key, repair_look_alikes};
