//! What a claim was read to say, in some two hundred bytes: who is compared with it need not read the claim itself again.
//!
//! In them: a number of the rest and of [`Model::read_by`], the two dates of life, and of each place of each field the number of its
//! letters and the letters, one byte each. What does not fit (letters of no Russian alphabet, values beyond 255 letters) is not
//! packed, and the claim is read.

use std::fmt::Write as _;

use super::{
    Model, Register,
    candidates::mixed,
    reading::Reading,
    texts::{self, digest},
};
use crate::decisions::given_names;

/// Another one for another way to read a claim, so that nobody goes by what was read before: raised with each change of what
/// [`Reading`] makes of a text.
const WAY: u32 = 2;

impl Model {
    /// A number that differs where a claim is read in another way, or from other columns.
    pub fn read_by(&self) -> u64 {
        let mut by = format!("{WAY} {} {}", env!("CARGO_PKG_VERSION"), given_names::digest());
        for field in &self.fields {
            // writing to a string never fails
            let _ = write!(by, " {} {} {:?}", field.kind.word(), field.weighs_parts(), field.columns);
        }
        let _ = write!(by, " {:?} {:?}", self.life.died, self.life.applied);
        digest(&by)
    }
}

impl Register {
    /// What record `n` was read to say, if that can be packed: before [`Register::set_applied`], or that is in it. Personal data.
    pub fn packed(&self, n: u32) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend([0; 8]);
        bytes.extend(self.life[n as usize].iter().flat_map(|day| day.to_le_bytes()));
        for at in 0..self.model.fields.len() {
            for slot in 0..self.model.fields[at].kind.slots() {
                let letters = self.as_read(n, at, slot)?;
                bytes.push(u8::try_from(letters.len()).ok()?);
                bytes.extend_from_slice(&letters);
            }
        }
        let sum = self.sum(&bytes[8..]);
        bytes[..8].copy_from_slice(&sum.to_le_bytes());
        Some(bytes)
    }

    fn sum(&self, bytes: &[u8]) -> u64 {
        mixed(std::iter::once(self.read_by).chain(bytes.iter().copied().map(u64::from)))
    }

    /// What [`Register::packed`] has packed, if it is whole and a claim is still read so.
    pub fn unpack(&self, bytes: &[u8]) -> Option<Reading> {
        let (sum, bytes) = bytes.split_first_chunk()?;
        if u64::from_le_bytes(*sum) != self.sum(bytes) {
            return None;
        }
        let (died, bytes) = bytes.split_first_chunk()?;
        let (applied, mut bytes) = bytes.split_first_chunk()?;
        let mut reading = Reading::empty(&self.model);
        for (at, field) in self.model.fields.iter().enumerate() {
            for _ in 0..field.kind.slots() {
                let (count, rest) = bytes.split_first()?;
                let (letters, rest) = rest.split_at_checked(usize::from(*count))?;
                reading.say([texts::spelled(letters)]);
                bytes = rest;
            }
            reading.end_field(at);
        }
        reading.life = [u32::from_le_bytes(*died), u32::from_le_bytes(*applied)];
        bytes.is_empty().then_some(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields in the order of the model: what rows say, in ways that people type.
    fn rows(model: &Model) -> Vec<Reading> {
        let typed = [
            [("surname", "Иванова-Петрова"), ("given", "Мария"), ("birth", "01.02.1950"), ("sex", "ж")],
            [("surname", "Андрей"), ("given", "Кузнецов"), ("birth", "1950"), ("snils", "112-233-445 95")],
            [("surname", "Smith"), ("given", "А."), ("birth", "03.1950"), ("snils", "112-233-445 96")],
            [
                ("surname", "Белых"),
                ("address", "г. Томск, ул. 8 Марта, д. 5 к. 2, кв. 7"),
                ("phone", "8 (999) 123-45-68"),
                ("passport", "32 04 123457"),
            ],
            [("surname", ""), ("given", "-"), ("patronymic", "Петровна"), ("birth", "31.12.9999")],
        ];
        let read = |typed: &[(&str, &str); 4]| {
            let said =
                |name: &str| typed.iter().find(|(field, _)| *field == name).map_or("", |(_, text)| text);
            let row: Vec<&str> = model.fields.iter().map(|field| said(&field.name)).collect();
            Reading::of(model, &row)
        };
        typed.iter().map(read).collect()
    }

    fn same(model: &Model, one: &Reading, other: &Reading) -> bool {
        let slots = |at: usize| 0..model.fields[at].kind.slots();
        one.life == other.life
            && (0..model.fields.len())
                .all(|at| slots(at).all(|slot| one.value(at, slot) == other.value(at, slot)))
    }

    #[test]
    fn what_was_read_is_what_is_packed() {
        let mut register = Register::new(Model::recipients());
        let mut readings = rows(&register.model);
        readings[3].life = [20_260_101, 20_250_203];
        for reading in &readings {
            register.add(0, reading);
        }
        // so many bear these names that «Андрей Кузнецов» stands in the wrong columns
        let row = |surname: &str, given: &str| {
            let row = register.model.fields.iter().map(|field| match field.name.as_str() {
                "surname" => surname.to_owned(),
                "given" => given.to_owned(),
                _ => String::new(),
            });
            Reading::of(&register.model, &row.collect::<Vec<_>>())
        };
        let others = [row("Кузнецов", "Иван"), row("Белов", "Андрей")];
        for other in others.iter().cycle().take(100) {
            register.add(0, other);
        }
        register.close();
        assert_ne!(
            register.reads(1, register.model.field("surname").expect("one")),
            "АНДРЕЙ",
            "turned round"
        );
        for (n, reading) in (0..).zip(&readings) {
            let packed = register.packed(n).expect("plain letters");
            assert!(packed.len() < 200, "{}", packed.len());
            let unpacked = register.unpack(&packed).expect("as it was packed");
            assert!(same(&register.model, reading, &unpacked), "{n}");
            // one letter is another, the end is lost
            let mut damaged = packed.clone();
            damaged[20] ^= 1;
            assert!(register.unpack(&damaged).is_none());
            assert!(register.unpack(&packed[..packed.len() - 1]).is_none());
        }
        let packed = register.packed(0).expect("plain letters");
        let mut model = Model::recipients();
        model.fields[0].columns.push("family".to_owned());
        assert!(Register::new(model).unpack(&packed).is_none(), "other columns are read");
    }

    #[test]
    fn letters_of_no_russian_alphabet_are_not_packed() {
        let mut register = Register::new(Model::recipients());
        let row: Vec<&str> = register
            .model
            .fields
            .iter()
            .map(|field| if field.name == "surname" { "Ґалаґан" } else { "" })
            .collect();
        let reading = Reading::of(&register.model, &row);
        register.add(0, &reading);
        assert_eq!(register.packed(0), None);
    }

    #[test]
    fn another_way_to_read_is_told_by_its_number() {
        let mut register = Register::new(Model::recipients());
        for reading in rows(&register.model) {
            register.add(0, &reading);
        }
        let bytes = (0..5).flat_map(|n| register.packed(n).expect("plain letters").split_off(8));
        let told = mixed(bytes.map(u64::from));
        assert_eq!(
            (WAY, told),
            (2, 4_281_872_245_177_614_037),
            "claims are read otherwise: raise WAY, and put the new number here"
        );
    }
}
