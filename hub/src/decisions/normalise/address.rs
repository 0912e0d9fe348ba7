//! Addresses, far enough to say that two are the same flat.

use super::word::{is_hyphen, is_placeholder, repair_look_alikes};

const KINDS_OF_STREET: [&str; 24] = [
    "УЛ",
    "УЛИЦА",
    "ПР",
    "ПРТ",
    "ПРКТ",
    "ПРОСП",
    "ПРОСПЕКТ",
    "ПЕР",
    "ПЕРЕУЛОК",
    "Б",
    "БР",
    "БУЛЬВАР",
    "БУЛ",
    "ШОССЕ",
    "Ш",
    "ПЛ",
    "ПЛОЩАДЬ",
    "ПРД",
    "ПРЗД",
    "ПРОЕЗД",
    "НАБ",
    "МКР",
    "МКРН",
    "КВЛ",
];
const KINDS_OF_PLACE: [&str; 16] = [
    "Г",
    "ГОР",
    "ГОРОД",
    "ПОС",
    "ПОСЕЛОК",
    "П",
    "ПГТ",
    "С",
    "СЕЛО",
    "ДЕР",
    "ДЕРЕВНЯ",
    "ОБЛ",
    "ОБЛАСТЬ",
    "Р",
    "РН",
    "РАЙОН",
];

/// The parts of an address that tell one flat from another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    street: Vec<String>,
    house: Option<String>,
    flat: Option<String>,
}

/// `street|house|flat` for comparing; index, region and place do not count, for half of the sources leave
/// them out. `None` unless a street (or named place) and a house are found: "full address" of issue rules.
pub fn address_key(text: &str) -> Option<String> {
    if is_placeholder(text) {
        return None;
    }
    let mut parts = read(text);
    parts.street.sort();
    let house = parts.house?;
    if parts.street.is_empty() {
        return None;
    }
    Some(format!("{}|{house}|{}", parts.street.join(" "), parts.flat.unwrap_or_default()))
}

fn read(text: &str) -> Parts {
    let upper = repair_look_alikes(text).to_uppercase().replace('Ё', "Е");
    let mut parts = Parts::default();
    for piece in upper.split([',', ';']) {
        read_piece(&tokens(piece), &mut parts);
    }
    parts
}

/// Words and numbers; `12А`, `47Г` stay one token, hyphens between letters vanish, others part tokens.
fn tokens(piece: &str) -> Vec<String> {
    let chars: Vec<char> = piece.chars().collect();
    let mut out: Vec<String> = vec![String::new()];
    for (at, &c) in chars.iter().enumerate() {
        let digit_after = chars.get(at + 1).is_some_and(char::is_ascii_digit);
        if c.is_alphanumeric() {
            out.last_mut().expect("never empty").push(c);
        } else if is_hyphen(c) && !digit_after && out.last().is_some_and(|t| !t.is_empty()) {
            // пр-кт, 50-летия: one word
        } else {
            out.push(String::new());
        }
    }
    out.retain(|token| !token.is_empty());
    out
}

fn read_piece(tokens: &[String], parts: &mut Parts) {
    let mut place = tokens.first().is_some_and(|t| KINDS_OF_PLACE.contains(&t.as_str()) && t != "П");
    let mut words: Vec<String> = Vec::new();
    let mut numbers: Vec<String> = Vec::new();
    let mut expected: Option<&str> = None;
    for token in tokens {
        let starts_digit = token.starts_with(|c: char| c.is_ascii_digit());
        match token.as_str() {
            "Д" | "ДОМ" if !place || !words.is_empty() || tokens.len() <= 2 => expected = Some("house"),
            "КВ" | "КВАРТИРА" => expected = Some("flat"),
            "КОРП" | "КОРПУС" | "СТР" | "СТРОЕНИЕ" | "К" => expected = Some("building"),
            t if KINDS_OF_STREET.contains(&t) => {
                // «г. Заречный ул. Ленина 5»: what stood before was the place
                if place {
                    words.clear();
                    place = false;
                }
            }
            t if KINDS_OF_PLACE.contains(&t) => {}
            _ if starts_digit => match expected.take() {
                Some("house") => parts.house = Some(token.clone()),
                Some("flat") => parts.flat = Some(token.clone()),
                Some(_) => add_building(parts, &mut numbers, token),
                None if token.len() == 6 && words.is_empty() && parts.street.is_empty() => {} // postal index
                None => numbers.push(token.clone()),
            },
            _ => {
                if !place || words.is_empty() {
                    // a number before the first word belongs to the street: «8 Марта», «40 лет Победы»
                    words.append(&mut numbers);
                }
                words.push(token.clone());
            }
        }
    }
    if !place && !words.is_empty() {
        parts.street = words;
    }
    for number in numbers {
        let slot = if parts.house.is_none() { &mut parts.house } else { &mut parts.flat };
        slot.get_or_insert(number);
    }
}

fn add_building(parts: &mut Parts, numbers: &mut [String], token: &str) {
    let house = parts.house.as_mut().or_else(|| numbers.first_mut());
    if let Some(house) = house {
        house.push('К');
        house.push_str(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_flat_are_equal() {
        for text in [
            "650000, г. Заречный, ул. Ленина, д. 30, кв. 5",
            "г. Заречный ул.Ленина 30-5",
            "Г. ЗАРЕЧНЫЙ, УЛ. ЛЕНИНА, ДОМ 30, КВ 5",
            "Ленина ул., 30/5",
            "ул. Ленина д.30 кв.5",
            "Кемеровская обл, г Кемерово, улица Ленина, дом 30, квартира 5",
        ] {
            assert_eq!(address_key(text).as_deref(), Some("ЛЕНИНА|30|5"), "{text}");
        }
    }

    #[test]
    fn streets_with_numbers_and_avenues() {
        assert_eq!(address_key("ул. 8 Марта, д. 12А, кв. 7").as_deref(), Some("8 МАРТА|12А|7"));
        assert_eq!(address_key("8 Марта ул., 12А/7").as_deref(), Some("8 МАРТА|12А|7"));
        for text in ["пр-кт Ленина 30", "пр. Ленина, 30", "просп. Ленина, д. 30"]
        {
            assert_eq!(address_key(text).as_deref(), Some("ЛЕНИНА|30|"), "{text}");
        }
        assert_eq!(
            address_key("ул. Карла Маркса, д. 3, корп. 2, кв. 1"),
            address_key("ул. Маркса Карла, дом 3 корпус 2 кв 1"),
        );
    }

    #[test]
    fn nothing_to_compare() {
        for text in ["", "б/а", "не указан", "г. Кемерово", "ул. Ленина"] {
            assert_eq!(address_key(text), None, "{text}");
        }
    }
}
