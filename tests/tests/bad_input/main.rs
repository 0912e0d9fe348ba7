//! Bad input, end to end: the real programs on real files. Whatever is handed in, the error is precise, nothing
//! of it is applied, nothing is lost, and what is good and comes after it is taken as ever.
//!
//! [`stage`] what all share · [`at_hub`] malformed packets at the hub · [`at_centre`] at a centre · [`records`]
//! malformed records in a sound packet · [`csv`] tables handed to `import` · [`settings`] configurations ·
//! [`keys`] keys and cards · [`places`] missing and foreign files, ports, two daemons · [`disk_full`].
//! That every single damage of a packet, record or card is noticed is tested where they are read, in
//! exchange-format; here it is what the daemons do then.

mod at_centre;
mod at_hub;
mod csv;
mod disk_full;
mod keys;
mod places;
mod records;
mod settings;
mod stage;
