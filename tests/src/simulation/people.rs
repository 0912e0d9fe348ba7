//! The few people of a simulated city, of whom several centres may know. All are invented.

use exchange_format::snils::Snils;
use fixtures::dice::Dice;

/// Somebody.
#[derive(Debug, Clone)]
pub struct Person {
    /// Surname.
    pub surname: String,
    /// Given name.
    pub given: String,
    /// Patronymic.
    pub patronymic: String,
    /// Date of birth, as a clerk writes it.
    pub birth: String,
    /// СНИЛС, if it is known.
    pub snils: Option<String>,
}

const SURNAMES: [&str; 6] = ["Белова", "Котова", "Зуева", "Орлова", "Лебедева", "Гусева"];
const GIVEN: [&str; 4] = ["Анна", "Мария", "Вера", "Нина"];
const PATRONYMICS: [&str; 3] = ["Ильинична", "Петровна", "Ивановна"];

/// `count` people.
pub fn people(dice: &mut Dice, count: usize) -> Vec<Person> {
    let mut person = || {
        let number = 100_000_000 + u32::try_from(dice.below(800_000_000)).expect("nine digits");
        Person {
            surname: (*dice.pick(&SURNAMES)).to_owned(),
            given: (*dice.pick(&GIVEN)).to_owned(),
            patronymic: (*dice.pick(&PATRONYMICS)).to_owned(),
            birth: format!(
                "{:02}.{:02}.{}",
                dice.between(1, 28),
                dice.between(1, 12),
                dice.between(1930, 1960)
            ),
            snils: Some(Snils::from_number(number).to_form()),
        }
    };
    (0..count).map(|_| person()).collect()
}

/// `person` as another clerk writes it down: perhaps without the СНИЛС, or with another day of birth.
pub fn rewritten(person: &Person, dice: &mut Dice) -> Person {
    let mut person = person.clone();
    if dice.chance(250) {
        person.snils = None;
    }
    if dice.chance(150) {
        let day = format!("{:02}", dice.between(1, 28));
        person.birth.replace_range(..2, &day);
    }
    person
}
