//! Addresses, far enough to say that two are the same flat.

use std::sync::LazyLock;

use super::{
    is_placeholder,
    word::{is_hyphen, repair_look_alikes, upper},
};

/// What a word before or after a name says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Of which a number may be the name: «мкр. 5».
    Quarter,
    Street,
    Town,
    /// A region, a district: nearly everybody leaves them out.
    Around,
    House,
    /// A building or a letter of the house.
    Building,
    Flat,
    Room,
    /// An entrance, a floor: no part of the address.
    Passed,
}

const WORDS: [(Part, &[&str]); 9] = [
    (Part::Quarter, &["МКР", "МКРН", "МИКРОРАЙОН", "МН", "КВЛ", "КВАРТАЛ"]),
    (
        Part::Street,
        &[
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
            "ТУП",
            "ТУПИК",
            "АЛЛЕЯ",
            "СНТ",
            "ДНТ",
            "ТЕР",
            "ТЕРРИТОРИЯ",
        ],
    ),
    (
        Part::Town,
        &[
            "Г",
            "ГОР",
            "ГОРОД",
            "ПОС",
            "ПОСЕЛОК",
            "П",
            "ПГТ",
            "РП",
            "С",
            "СЕЛО",
            "ДЕР",
            "ДЕРЕВНЯ",
            "СТЦА",
            "СТАНИЦА",
            "Х",
            "ХУТОР",
            "АУЛ",
        ],
    ),
    (
        Part::Around,
        &[
            "ОБЛ",
            "ОБЛАСТЬ",
            "КРАЙ",
            "РЕСП",
            "РЕСПУБЛИКА",
            "РН",
            "РАЙОН",
            "ОКРУГ",
            "АО",
            "ГО",
            "МО",
            "СП",
            "СС",
            "РОССИЯ",
            "РФ",
            "ФЕДЕРАЦИЯ",
        ],
    ),
    (Part::House, &["Д", "ДОМ", "ВЛД", "ВЛАДЕНИЕ"]),
    (Part::Building, &["КОРП", "КОРПУС", "СТР", "СТРОЕНИЕ", "К", "ЛИТ", "ЛИТЕР", "ЛИТЕРА"]),
    (Part::Flat, &["КВ", "КВАРТИРА", "ПОМ", "ПОМЕЩЕНИЕ"]),
    (Part::Room, &["КОМ", "КОМН", "КОМНАТА"]),
    (Part::Passed, &["ПОД", "ПОДЪЕЗД", "ЭТ", "ЭТАЖ"]),
];

/// The parts of an address that tell one flat from another, in one spelling; an empty text: not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// The town or village.
    pub town: String,
    /// The street; in a village without streets the village.
    pub street: String,
    /// The house with its building: `30К2`.
    pub house: String,
    /// The flat, its room after a stroke: `5/2`.
    pub flat: String,
}

impl Address {
    /// What `text` says; `None` unless a street (or village) and a house are found: "full address" of issue rules.
    pub fn read(text: &str) -> Option<Self> {
        if is_placeholder(text) {
            return None;
        }
        let mut upper = upper(&repair_look_alikes(text));
        if upper.contains('Ё') {
            upper = upper.replace('Ё', "Е");
        }
        if upper.contains("С/") {
            upper = upper.replace("С/П", "СП").replace("С/С", "СС");
        }
        let mut reader = Reader::default();
        for piece in upper.split([',', ';']) {
            reader.piece(&tokens(piece));
        }
        reader.address()
    }

    /// `street|house|flat`, for comparing: index, region and place do not count, for half of the sources leave them out.
    pub fn door(&self) -> String {
        format!("{}|{}|{}", self.street, self.house, self.flat)
    }
}

/// [`Address::door`] of what `text` says.
pub fn address_key(text: &str) -> Option<String> {
    Address::read(text).map(|address| address.door())
}

/// Words and numbers; `12А`, `47Г` stay one token, hyphens between letters vanish, others part tokens; `КВ5` is two.
fn tokens(piece: &str) -> Vec<String> {
    let mut chars = piece.chars().peekable();
    let mut out: Vec<String> = Vec::new();
    let mut token = String::new();
    while let Some(c) = chars.next() {
        if matches!(c, 'А'..='Я') || c.is_alphanumeric() {
            if c.is_ascii_digit() && word(&token).is_some() {
                out.push(std::mem::take(&mut token));
            }
            token.push(c);
        } else if is_hyphen(c) && !token.is_empty() && !chars.peek().is_some_and(char::is_ascii_digit) {
            // пр-кт, 50-летия: one word
        } else if !token.is_empty() {
            out.push(std::mem::take(&mut token));
        }
    }
    out.extend(Some(token).filter(|token| !token.is_empty()));
    out
}

fn starts_with_digit(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
}

/// What `token` says of a name beside it.
fn word(token: &str) -> Option<Part> {
    let as_long = BY_LENGTH.get(token.len())?;
    as_long.iter().find(|(word, _)| *word == token).map(|(_, part)| *part)
}

/// The words by how many bytes they have.
static BY_LENGTH: LazyLock<Vec<Vec<(&str, Part)>>> = LazyLock::new(|| {
    let mut by_length: Vec<Vec<(&str, Part)>> = Vec::new();
    for (part, words) in WORDS {
        for word in words {
            by_length.resize_with(by_length.len().max(word.len() + 1), Vec::new);
            by_length[word.len()].push((word, part));
        }
    }
    by_length
});

/// A name, a number, or a word that says of what the name or number beside it is.
struct Piece<'a> {
    tokens: &'a [String],
    words: Vec<String>,
    numbers: Vec<String>,
    /// What was last said of what follows.
    now: Option<Part>,
}

impl Piece<'_> {
    /// What the token `at` says here: «д. Ольховка» is a village, «д. 5» a house; «С. Лазо» is no village in a street's
    /// name, «Г» after a number is its letter.
    fn part(&self, at: usize) -> Option<Part> {
        let (token, next) = (self.tokens[at].as_str(), self.tokens.get(at + 1));
        let number_next = next.is_some_and(|next| starts_with_digit(next));
        if token.chars().count() > 1 {
            return word(token);
        }
        let named = !self.words.is_empty() && self.numbers.is_empty();
        let in_street = matches!(self.now, Some(Part::Street)) && self.words.is_empty();
        match (token, word(token)?) {
            (_, Part::Town | Part::Street) if number_next || in_street => None,
            (_, Part::Town | Part::Street) if next.is_none() && !named => None,
            ("Д", _) if next.is_none() => None,
            ("Д", _) if !number_next => Some(Part::Town),
            ("К", _) if !number_next => None,
            (_, part) => Some(part),
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    address: Address,
    room: String,
    /// Names that nothing says what they are.
    names: Vec<String>,
    /// The flat stands there only by its place: what is called one puts it out.
    guessed: bool,
}

impl Reader {
    fn piece(&mut self, tokens: &[String]) {
        let mut piece = Piece { tokens, words: Vec::new(), numbers: Vec::new(), now: None };
        for (at, token) in tokens.iter().enumerate() {
            let one_letter = token.chars().count() == 1;
            if starts_with_digit(token) {
                self.take_number(&mut piece, token);
            } else if let Some(part) = piece.part(at) {
                self.take_word(&mut piece, part);
            } else if !(one_letter && self.letter(&mut piece, token)) {
                // a number before a word belongs to it: «8 Марта», «40 лет Победы»
                let Piece { words, numbers, .. } = &mut piece;
                words.append(numbers);
                words.push(token.clone());
            }
        }
        self.name(piece.now, &piece.words);
        self.by_place(&mut piece.numbers);
    }

    fn take_number(&mut self, piece: &mut Piece<'_>, token: &str) {
        match piece.now {
            Some(Part::Quarter) if piece.words.is_empty() => piece.words.push(token.to_owned()),
            Some(of @ (Part::House | Part::Building | Part::Flat | Part::Room | Part::Passed)) => {
                self.number(of, token);
                piece.now = None;
            }
            // a postal index
            None if token.len() == 6 && piece.words.is_empty() && self.address.street.is_empty() => {}
            _ => piece.numbers.push(token.to_owned()),
        }
    }

    fn take_word(&mut self, piece: &mut Piece<'_>, part: Part) {
        let name = std::mem::take(&mut piece.words);
        let names = matches!(part, Part::Quarter | Part::Street | Part::Town | Part::Around);
        // «Ленина ул.»: what stands before it and is nothing else
        let is_before = names && piece.now.is_none() && !name.is_empty();
        self.name(if is_before { Some(part) } else { piece.now }, &name);
        if !names {
            self.by_place(&mut piece.numbers);
        }
        piece.now = (!is_before).then_some(part);
    }

    /// Keeps a name that is `of` something.
    fn name(&mut self, of: Option<Part>, words: &[String]) {
        if words.is_empty() {
            return;
        }
        match of {
            Some(Part::Street | Part::Quarter) => self.address.street = in_order(words),
            Some(Part::Town) => self.address.town = in_order(words),
            Some(Part::Around | Part::Passed) => {}
            _ => self.names.push(in_order(words)),
        }
    }

    /// The letter of a house: «12 а», «лит. Б».
    fn letter(&mut self, piece: &mut Piece<'_>, letter: &str) -> bool {
        let Address { house, flat, .. } = &mut self.address;
        match (&mut piece.numbers[..], piece.now) {
            ([number], None | Some(Part::Street | Part::Quarter)) => number.push_str(letter),
            ([], None | Some(Part::Building)) if !house.is_empty() && flat.is_empty() => {
                house.push_str(letter);
            }
            _ => return false,
        }
        true
    }

    fn number(&mut self, of: Part, number: &str) {
        let Address { house, flat, .. } = &mut self.address;
        match of {
            Part::House => number.clone_into(house),
            Part::Building => {
                house.push('К');
                house.push_str(number);
            }
            Part::Flat => {
                // «д. 30/2, кв. 5»: the 2 was the building
                if self.guessed {
                    house.push('К');
                    house.push_str(flat);
                    self.guessed = false;
                }
                number.clone_into(flat);
            }
            Part::Room => number.clone_into(&mut self.room),
            _ => {}
        }
    }

    /// Numbers of which nothing is said: the house, then the flat.
    fn by_place(&mut self, numbers: &mut Vec<String>) {
        let Address { house, flat, .. } = &mut self.address;
        for number in numbers.drain(..) {
            if house.is_empty() {
                *house = number;
            } else if flat.is_empty() {
                *flat = number;
                self.guessed = true;
            }
        }
    }

    fn address(mut self) -> Option<Address> {
        let mut address = self.address;
        if address.street.is_empty() {
            address.street = self.names.pop().unwrap_or_default();
        }
        if address.town.is_empty() {
            address.town = self.names.pop().unwrap_or_default();
        }
        if address.street.is_empty() {
            address.street.clone_from(&address.town);
        }
        if !self.room.is_empty() {
            address.flat = format!("{}/{}", address.flat, self.room);
        }
        (!address.street.is_empty() && !address.house.is_empty()).then_some(address)
    }
}

/// «Карла Маркса», «Маркса Карла»; initials are mostly left out.
fn in_order(words: &[String]) -> String {
    let mut long: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| word.chars().nth(1).is_some() || starts_with_digit(word))
        .collect();
    long.sort_unstable();
    long.join(" ")
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

    #[test]
    fn towns_villages_rooms_and_buildings_are_told_apart() {
        for (text, told) in [
            ("650000, г. Заречный, ул. Ленина, д. 30, кв. 5", "ЗАРЕЧНЫЙ|ЛЕНИНА|30|5"),
            ("Кемеровская обл, Кемерово г, Ленина ул, 12 а кв.5", "КЕМЕРОВО|ЛЕНИНА|12А|5"),
            ("Заречный, Ленина 30-5", "ЗАРЕЧНЫЙ|ЛЕНИНА|30|5"),
            ("д. Ольховка ул. Мира 5", "ОЛЬХОВКА|МИРА|5|"),
            ("д. Ольховка, ул. Мира, д. 5, кв. 7", "ОЛЬХОВКА|МИРА|5|7"),
            ("с. Новый Дол, дом 5", "ДОЛ НОВЫЙ|ДОЛ НОВЫЙ|5|"),
            ("ул. Мира, д. 30/2, кв. 5", "|МИРА|30К2|5"),
            ("Мира ул., 12а корп. 3/45", "|МИРА|12АК3|45"),
            ("ул. Мира, д. 3 литера Б, под. 2, эт. 4, кв. 9, ком. 2", "|МИРА|3Б|9/2"),
            ("ул. Мира, 3, комн. 14", "|МИРА|3|/14"),
            ("мкр. 5, д. 3, кв. 1", "|5|3|1"),
            ("ул. К. Маркса 5", "|МАРКСА|5|"),
            ("ул. С. Лазо, д5 кв12", "|ЛАЗО|5|12"),
            ("пр. Ленинградский 47 Г", "|ЛЕНИНГРАДСКИЙ|47Г|"),
            ("Набережная ул., 5/1", "|НАБЕРЕЖНАЯ|5|1"),
        ] {
            let told_now = Address::read(text).map(|read| format!("{}|{}", read.town, read.door()));
            assert_eq!(told_now.as_deref(), Some(told), "{text}");
        }
    }
}
