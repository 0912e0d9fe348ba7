//! Words that people write for the codes of closed lists: what a centre typed is read by them, by rules and by the hub.
//!
//! Longer than 500 lines because the words of all lists stand in one place.

/// The codes of a field, each with the words for it in lower case, with `е` for `ё`.
type Words = &'static [(&'static str, &'static [&'static str])];

/// Sex.
const SEX: Words =
    &[("М", &["м", "m", "муж", "мужской", "мужчина", "1"]), ("Ж", &["ж", "жен", "женский", "женщина", "2"])];

/// Group of disability (ФЗ-181 art. 1), beside its numbers ([`numeral`]).
const DISABILITY: Words = &[
    ("1", &["1"]),
    ("2", &["2"]),
    ("3", &["3"]),
    ("ребёнок-инвалид", &["ребенок-инвалид", "ребенок инвалид"]),
];

/// Legal capacity (ГК РФ art. 29, 30).
const CAPACITY: Words = &[
    ("дееспособен", &["дееспособен", "дееспособна", "дееспособный", "дееспособная"]),
    (
        "ограничен",
        &[
            "ограничен",
            "ограничена",
            "ограничен в дееспособности",
            "ограничена в дееспособности",
            "ограниченно дееспособен",
            "ограниченно дееспособна",
        ],
    ),
    ("недееспособен", &["недееспособен", "недееспособна", "недееспособный", "недееспособная"]),
];

/// How a recipient stands.
const STATUS: Words = &[
    (
        "active",
        &[
            "active",
            "обслуживается",
            "на обслуживании",
            "действует",
            "активен",
            "активна",
            "состоит на учете",
            "на учете",
        ],
    ),
    ("suspended", &["suspended", "приостановлен", "приостановлена", "приостановлено"]),
    (
        "left",
        &[
            "left",
            "выбыл",
            "выбыла",
            "снят с учета",
            "снята с учета",
            "снят с обслуживания",
            "снята с обслуживания",
        ],
    ),
    ("dead", &["dead", "умер", "умерла", "скончался", "скончалась"]),
];

/// Forms of service (442-ФЗ art. 19).
const FORM: Words = &[
    (
        "home",
        &[
            "home",
            "на дому",
            "надомная",
            "надомное",
            "надомная форма",
            "в форме обслуживания на дому",
            "в форме социального обслуживания на дому",
            "форма социального обслуживания на дому",
            "социальное обслуживание на дому",
            "обслуживание на дому",
        ],
    ),
    (
        "semi-residential",
        &[
            "semi-residential",
            "полустационарная",
            "полустационарное",
            "полустационар",
            "полустационарная форма",
            "полустационарно",
            "в полустационарной форме",
            "в полустационарной форме социального обслуживания",
            "полустационарная форма социального обслуживания",
        ],
    ),
    (
        "residential",
        &[
            "residential",
            "стационарная",
            "стационарное",
            "стационар",
            "стационарная форма",
            "стационарно",
            "в стационарной форме",
            "в стационарной форме социального обслуживания",
            "стационарная форма социального обслуживания",
        ],
    ),
];

/// What makes somebody a representative.
const REPRESENTATIVE: Words = &[
    ("опекун", &["опекун", "опека"]),
    ("попечитель", &["попечитель", "попечительство"]),
    ("родитель", &["родитель", "мать", "отец"]),
    (
        "по доверенности",
        &["по доверенности", "доверенность", "доверенное лицо", "представитель по доверенности"],
    ),
];

/// How a programme stands (ИППСУ).
const PROGRAMME: Words = &[
    (
        "active",
        &[
            "active",
            "действует",
            "действующая",
            "действующий",
            "в силе",
            "исполняется",
            "выполняется",
            "не завершена",
            "не завершено",
            "не закрыта",
            "не прекращена",
            "первичная",
            "повторная",
            "очередная",
            "приостановлена",
            "приостановлено",
            "приостановлен",
        ],
    ),
    (
        "closed",
        &[
            "closed",
            "ended",
            "завершена",
            "завершен",
            "завершено",
            "завершилась",
            "закрыта",
            "закрыт",
            "закрыто",
            "прекращена",
            "прекращен",
            "прекращено",
            "прекращена досрочно",
            "досрочно прекращена",
            "расторгнута",
            "расторгнут",
            "аннулирована",
            "аннулирован",
            "аннулировано",
            "отменена",
            "отменен",
            "отменено",
            "недействительна",
            "недействующая",
            "не действует",
            "недействует",
            "выполнена",
            "исполнена",
            "истекла",
            "срок истек",
            "утратила силу",
        ],
    ),
];

/// What a line of a programme is, beside a refusal ([`is_refusal`]).
const PART: Words = &[
    ("service", &["service", "услуга", "услуги", "социальная услуга", "социальные услуги"]),
    ("care", &["care", "уход", "услуга по уходу", "сду"]),
    ("refusal", &["refusal"]),
    ("provider", &["provider", "поставщик", "поставщики", "поставщик услуг", "поставщик социальных услуг"]),
];

/// What happened to a recipient, beside a refusal ([`is_refusal`]).
const EVENT: Words = &[
    ("refusal", &["refusal"]),
    ("death", &["death", "смерть", "умер", "умерла", "скончался", "скончалась"]),
    ("move", &["move", "переезд", "переехал", "переехала", "смена места жительства"]),
    (
        "hospital",
        &[
            "hospital",
            "больница",
            "госпитализация",
            "госпитализирован",
            "госпитализирована",
            "стационарное лечение",
        ],
    ),
];

/// How often a programme has been drawn up.
const DRAWN_UP: Words = &[
    ("first", &["first", "первично", "первичная", "впервые"]),
    ("repeated", &["repeated", "повторно", "повторная"]),
    ("next", &["next", "очередная", "очередной"]),
];

/// Whether a programme was carried out, as [`concluded`] puts it.
const CONCLUSION: Words = &[
    ("done", &["done", "выполнена", "выполнена полностью", "полностью выполнена", "полностью"]),
    (
        "partly",
        &[
            "partly",
            "частично",
            "выполнена частично",
            "частично выполнена",
            "выполнена не полностью",
            "не полностью",
        ],
    ),
    ("not_done", &["not_done", "не выполнена"]),
];

/// For what a number of times is stated.
const PER: Words = &[
    (
        "day",
        &[
            "day",
            "день",
            "в день",
            "раз в день",
            "раза в день",
            "ежедневно",
            "каждый день",
            "сутки",
            "в сутки",
            "сут",
        ],
    ),
    (
        "week",
        &[
            "week",
            "неделя",
            "неделю",
            "неделе",
            "недели",
            "в неделю",
            "раз в неделю",
            "раза в неделю",
            "еженедельно",
            "каждую неделю",
            "нед",
            "в нед",
        ],
    ),
    (
        "month",
        &[
            "month",
            "месяц",
            "в месяц",
            "раз в месяц",
            "раза в месяц",
            "ежемесячно",
            "каждый месяц",
            "мес",
            "в мес",
        ],
    ),
    ("year", &["year", "год", "в год", "раз в год", "раза в год", "ежегодно"]),
    (
        "on_demand",
        &[
            "on_demand",
            "по потребности",
            "по мере потребности",
            "по необходимости",
            "по мере необходимости",
            "при необходимости",
            "по запросу",
            "по требованию",
            "по мере обращения",
        ],
    ),
];

/// By what somebody is reached, of what rules know.
const CONTACT: Words = &[(
    "phone",
    &[
        "phone",
        "телефон",
        "тел",
        "мобильный",
        "мобильный телефон",
        "моб",
        "мобильный тел",
        "моб. телефон",
        "моб. тел",
        "сотовый",
        "сотовый телефон",
        "домашний телефон",
        "дом. телефон",
        "рабочий телефон",
        "раб. телефон",
    ],
)];

/// Levels of care, beside their numbers ([`numeral`]).
const CARE_LEVEL: Words = &[("1", &["1"]), ("2", &["2"]), ("3", &["3"])];

/// The kinds of services (442-ФЗ art. 20) by their numbers; a name is told by a part of it.
const SERVICE_KIND: Words = &[
    ("1", &["1"]),
    ("2", &["2"]),
    ("3", &["3"]),
    ("4", &["4"]),
    ("5", &["5"]),
    ("6", &["6"]),
    ("7", &["7"]),
    ("8", &["8"]),
];

/// Of each kind of services that of its name with which a word begins.
const SERVICE_STEMS: [&str; 8] = ["быт", "мед", "псих", "пед", "труд", "прав", "коммуник", "срочн"];

/// Roman numerals from one.
const ROMAN: [&str; 8] = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"];

/// Words that say in `field` of a number what it numbers: a group of disability is no level of care.
fn numbered(field: &str) -> &'static [&'static str] {
    match field {
        "care_level" => {
            &["уровень", "уровня", "ур", "степень", "степени", "нуждаемости", "ухода", "в", "уходе", "№"]
        }
        "disability_group" => &[
            "группа",
            "группы",
            "группу",
            "гр",
            "инвалид",
            "инвалида",
            "инвалидность",
            "инвалидности",
            "с",
            "детства",
            "№",
        ],
        _ => &["вид", "услуг", "№"],
    }
}

/// What `said`, in lower case, numbers in `field`: «08», «viii», «1 уровень», «уровень 1-й», «ii гр.», «iii (третий)» are `8`,
/// `8`, `1`, `1`, `2`, `3`; anything else, and what names two numbers, is none. Roman numerals may be of the letters that look
/// alike.
fn numeral(field: &str, said: &str) -> Option<String> {
    let words = said.split([' ', '(', ')', ',']).map(|word| word.trim_matches('.'));
    let words = words.filter(|word| !word.is_empty() && !numbered(field).contains(word));
    let mut left = words.map(|word| {
        number(word.strip_suffix("гр").filter(|_| numbered(field).contains(&"гр")).unwrap_or(word))
    });
    let first = left.next()??;
    left.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The number, from one, that a word is.
fn number(word: &str) -> Option<String> {
    const ORDINALS: [[&str; 4]; 3] = [
        ["первый", "первая", "первой", "первого"],
        ["второй", "вторая", "вторую", "второго"],
        ["третий", "третья", "третьей", "третьего"],
    ];
    let word = word.trim_start_matches('№');
    let word = ["-й", "-ый", "-ий", "-я", "-ая", "-ья", "-ой", "-ей", "-го"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    let latin: String = word
        .chars()
        .map(|c| match c {
            'і' | 'l' | '|' => 'i',
            c => c,
        })
        .collect();
    if let Some(at) = ROMAN.iter().position(|roman| *roman == latin) {
        return Some((at + 1).to_string());
    }
    if let Some(at) = ORDINALS.iter().position(|words| words.contains(&word)) {
        return Some((at + 1).to_string());
    }
    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let bare = if word.len() == 2 { word.strip_prefix('0').unwrap_or(word) } else { word };
    digits.then(|| bare.to_owned())
}

/// Whether `text` tells of a recipient's refusal, and not that there is none, or that it is no more, or whose else it is.
fn is_refusal(text: &str) -> bool {
    const NOT: [&str; 9] =
        ["не", "без", "отсутств", "отозв", "отмен", "снят", "аннул", "недейств", "поставщик"];
    let mut words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let said = ["отказ", "отказы", "отказался", "отказалась", "отказались", "отказывается", "отказано"];
    words.next().is_some_and(|first| said.contains(&first))
        && !words.any(|word| ["ли", "или"].contains(&word) || NOT.iter().any(|stem| word.starts_with(stem)))
        && !text.contains('?')
}

/// A conclusion in the words of [`CONCLUSION`]: of which programme, which verb and in which gender is passed over.
fn concluded(said: &str) -> String {
    let said = said.replace("в полном объеме", "полностью").replace("в неполном объеме", "не полностью");
    let words = said.split([' ', ',', ':', ';']).filter(|word| {
        let passed =
            ["индивидуальн", "програм", "иппсу", "ипсу", "предоставлени", "социальн", "услуг", "заключение"];
        !word.is_empty() && !passed.iter().any(|stem| word.starts_with(stem))
    });
    let verb = |word: &str| ["выполнен", "исполнен", "реализован"].iter().any(|stem| word.starts_with(stem));
    let plain = words.map(|word| match word.strip_prefix("не") {
        Some(rest) if verb(rest) => "не выполнена",
        _ if verb(word) => "выполнена",
        _ => word,
    });
    plain.collect::<Vec<_>>().join(" ")
}

fn words(field: &str) -> Words {
    match field {
        "sex" => SEX,
        "disability_group" => DISABILITY,
        "capacity" => CAPACITY,
        "status" => STATUS,
        "form" | "forms" => FORM,
        "programme_status" => PROGRAMME,
        "representative_kind" => REPRESENTATIVE,
        "part" => PART,
        "contact_type" => CONTACT,
        "drawn_up" => DRAWN_UP,
        "conclusion" | "mark" => CONCLUSION,
        "type" => EVENT,
        "frequency_per" => PER,
        "care_level" => CARE_LEVEL,
        "service_kind" => SERVICE_KIND,
        _ => &[],
    }
}

/// The code that `text` says in `field` of a person, of a paper or of its lines (or as `programme_status`, `contact_type`), if it says one.
/// Latin letters that look like Cyrillic ones are read as these, where that makes a word.
pub fn code(field: &str, text: &str) -> Option<&'static str> {
    code_of(field, text).or_else(|| {
        let alike: String = text.chars().flat_map(char::to_uppercase).map(crate::rules::cyrillic).collect();
        let is_mixed = text.contains(|c: char| c.is_ascii_alphabetic());
        (is_mixed && !alike.contains(|c: char| c.is_ascii_alphabetic())).then(|| code_of(field, &alike))?
    })
}

fn code_of(field: &str, text: &str) -> Option<&'static str> {
    let said = text.to_lowercase().replace('ё', "е");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = said.trim_end_matches('.');
    let find =
        |said: &str| words(field).iter().find(|(_, words)| words.contains(&said)).map(|(code, _)| *code);
    match field {
        "care_level" => find(&numeral(field, said)?),
        "disability_group" => find(said).or_else(|| find(&numeral(field, said)?)),
        "part" | "type" => find(said).or_else(|| is_refusal(said).then(|| find("refusal")).flatten()),
        "conclusion" | "mark" => find(said).or_else(|| find(&concluded(said))),
        "service_kind" => numeral(field, said).and_then(|said| find(&said)).or_else(|| {
            let parts = || said.split(|c: char| !c.is_alphabetic());
            let mut named =
                (0_usize..).zip(SERVICE_STEMS).filter(|(_, stem)| parts().any(|part| part.starts_with(stem)));
            // what names two kinds names none
            let (Some((at, _)), None) = (named.next(), named.next()) else { return None };
            words(field).get(at).map(|(code, _)| *code)
        }),
        _ => find(said),
    }
}

/// Those of `codes`, as they stand in the list and with single spaces between, that `text` says in `field`: codes or words for
/// them, with white space, commas, semicolons or «и» between.
pub fn codes(codes: &[&str], field: &str, text: &str) -> Option<String> {
    let text = text.to_lowercase().replace(" и ", ",");
    let mut said: Vec<&str> = Vec::new();
    for piece in text.split([',', ';', '/']).map(str::trim).filter(|piece| !piece.is_empty()) {
        let known = |word: &str| codes.iter().copied().find(|code| *code == word);
        match known(piece).or_else(|| code(field, piece).and_then(known)) {
            Some(code) => said.push(code),
            None => said.extend(piece.split_whitespace().map(known).collect::<Option<Vec<_>>>()?),
        }
    }
    let said: Vec<&str> = codes.iter().copied().filter(|code| said.contains(code)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What registrars type when a field is required and there is nothing to type (domain.md §7), upper case.
const PLACEHOLDERS: [&str; 23] = [
    "НЕТ",
    "НЕТ ДАННЫХ",
    "НЕ УКАЗАНО",
    "НЕ УКАЗАН",
    "НЕ УКАЗАНА",
    "НЕИЗВЕСТНО",
    "НЕИЗВЕСТЕН",
    "НЕИЗВЕСТНА",
    "ОТСУТСТВУЕТ",
    "НЕ ИМЕЕТСЯ",
    "НЕ ИМЕЕТ",
    "НЕ УСТАНОВЛЕНО",
    "НЕ УСТАНОВЛЕН",
    "НЕ УСТАНОВЛЕНА",
    "НЕ ИНВАЛИД",
    "БЕЗ ГРУППЫ",
    "Н Д",
    "Н/Д",
    "Б/О",
    "Б О",
    "Б/А",
    "NULL",
    "NONE",
];

/// The 32 letters.
const LARGE: [char; 32] = [
    'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж', 'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П', 'Р', 'С', 'Т', 'У', 'Ф',
    'Х', 'Ц', 'Ч', 'Ш', 'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я',
];

/// The most letters and digits that one of them has.
const LONGEST_PLACEHOLDER: usize = 13;

/// The letters of ASCII and the 32 of Russian have one large form each, which needs no table.
const fn large(c: char) -> Option<char> {
    Some(match c {
        '\0'..='`' | '{'..='\x7F' | 'А'..='Я' | 'Ё' => c,
        'a'..='z' => c.to_ascii_uppercase(),
        'а'..='я' => LARGE[c as usize - 'а' as usize],
        'ё' => 'Ё',
        _ => return None,
    })
}

/// `text` in capitals.
pub fn upper(text: &str) -> String {
    let mut upper = String::with_capacity(text.len());
    for c in text.chars() {
        match large(c) {
            Some(large) => upper.push(large),
            None => upper.extend(c.to_uppercase()),
        }
    }
    upper
}

/// As [`char::is_alphanumeric`].
fn is_alphanumeric(c: char) -> bool {
    matches!(c, 'А'..='я') || if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() }
}

/// Whether `text` says only that there is nothing to say.
pub fn is_placeholder(text: &str) -> bool {
    let mut said = text.chars().filter(|c| is_alphanumeric(*c));
    match said.next() {
        None => return true,
        // none of them begins with any other Russian or Latin letter, nor with a digit
        Some(c) if large(c).is_some() && !PLACEHOLDERS.iter().any(|one| one.chars().next() == large(c)) => {
            return false;
        }
        Some(_) if said.count() >= LONGEST_PLACEHOLDER => return false,
        Some(_) => {}
    }
    let upper = upper(text).replace('Ё', "Е");
    let words: Vec<&str> = upper.split_whitespace().collect();
    let joined = words.join(" ");
    PLACEHOLDERS.contains(&joined.trim_matches(|c: char| !c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_itself_and_no_word_says_two() {
        for field in [
            "sex",
            "disability_group",
            "capacity",
            "status",
            "form",
            "programme_status",
            "representative_kind",
            "part",
            "contact_type",
            "drawn_up",
            "conclusion",
            "frequency_per",
            "care_level",
            "service_kind",
        ] {
            let mut seen: Vec<&str> = Vec::new();
            for (said, words) in words(field) {
                assert_eq!(code(field, said), Some(*said), "{field}");
                seen.extend(*words);
            }
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "{field}");
        }
        assert_eq!(code("capacity", " Ограничена  в дееспособности."), Some("ограничен"));
        assert_eq!((code("status", "в раю"), code("surname", "м")), (None, None));
        assert_eq!(
            (code("part", "Отказ"), code("conclusion", "Не выполнена.")),
            (Some("refusal"), Some("not_done"))
        );
        assert_eq!(code("frequency_per", "По мере необходимости"), Some("on_demand"));
        // the last is the Cyrillic letter
        for one in ["1", "I", "i", "1 уровень", "уровень I", "1-й уровень", "Первый уровень", "01", "І"]
        {
            assert_eq!(code("care_level", one), Some("1"), "{one}");
        }
        for eighth in ["8", "08", "VIII", "viii", "№ 8", "Срочные", "срочные социальные услуги"]
        {
            assert_eq!(code("service_kind", eighth), Some("8"), "{eighth}");
        }
        for text in ["0", "4", "высокий", "1 2", "IX", "11", "-й"] {
            assert_eq!(code("care_level", text), None, "{text}");
        }
        for text in ["0", "9", "18", "разное", "00", "срочные бытовые", "справка", "направление", "бессрочно"]
        {
            assert_eq!(code("service_kind", text), None, "{text}");
        }
        for (text, kind) in [
            ("Социально-бытовые", "1"),
            ("социально-медицинские услуги", "2"),
            ("Социально-психологические", "3"),
            ("социально-педагогические", "4"),
            ("социально-трудовые", "5"),
            ("социально-правовые", "6"),
            ("услуги в целях повышения коммуникативного потенциала получателей социальных услуг", "7"),
        ] {
            assert_eq!(code("service_kind", text), Some(kind), "{text}");
        }
        // as art. 20 of the law has them
        for (text, kind) in LAW {
            assert_eq!(code("service_kind", text), Some(kind), "{text}");
        }
        assert_eq!((code("type", "Смерть"), code("mark", "Выполнена")), (Some("death"), Some("done")));
        assert_eq!(
            (code("type", "Отказ от услуг"), code("mark", "Не выполнена")),
            (Some("refusal"), Some("not_done"))
        );
    }

    #[test]
    fn words_that_say_a_code_in_their_own_way_are_read_and_others_are_not() {
        for (field, texts, said) in [
            (
                "disability_group",
                &[
                    "II гр.",
                    "2-я группа",
                    "ІІ",
                    "2 гр",
                    "2гр.",
                    "инвалид 2 группы",
                    "Вторая группа",
                    "II (вторая)",
                ][..],
                Some("2"),
            ),
            ("disability_group", &["Ребёнок-инвалид"], Some("ребёнок-инвалид")),
            (
                "disability_group",
                &["4", "1-2", "2 или 3", "инвалид", "группа", "инвалид с детства", "1 (вторая)"],
                None,
            ),
            (
                "care_level",
                &["вторая", "II (второй)", "2-я степень", "2-й уровень нуждаемости в уходе"],
                Some("2"),
            ),
            ("care_level", &["III (третий)", "третья", "уровень III"], Some("3")),
            ("care_level", &["2 группа инвалидности", "2 гр", "2гр", "вид 2"], None),
            ("disability_group", &["3 степень", "III степень", "2 уровень"], None),
            ("service_kind", &["2 группа", "1 уровень"], None),
            ("care_level", &["III (второй)", "не 1", "(1/2)", "уровень"], None),
            (
                "part",
                &[
                    "Отказы",
                    "отказ от соц. услуг",
                    "Отказ гражданина",
                    "Отказ от получения социальных услуг",
                    "отказалась",
                ],
                Some("refusal"),
            ),
            (
                "part",
                &[
                    "отказов нет",
                    "отказ не оформлялся",
                    "Отказ отозван",
                    "Отказ поставщика",
                    "без отказа",
                    "отказано ли",
                    "отказ?",
                ],
                None,
            ),
            (
                "conclusion",
                &[
                    "выполнена в полном объёме",
                    "Программа реализована полностью.",
                    "Индивидуальная программа исполнена",
                    "выполнено",
                ],
                Some("done"),
            ),
            (
                "conclusion",
                &[
                    "выполнена не в полном объёме",
                    "реализована частично",
                    "Частично исполнена",
                    "не полностью",
                ],
                Some("partly"),
            ),
            ("conclusion", &["невыполнена", "ИППСУ не исполнена", "не реализована"], Some("not_done")),
            (
                "conclusion",
                &["не реализована полностью", "полностью (не полностью)", "выполняется", "программа"],
                None,
            ),
        ] {
            for text in texts {
                assert_eq!(code(field, text), said, "{field} {text}");
            }
        }
    }

    const LAW: [(&str, &str); 7] = [
        (
            "социально-бытовые, направленные на поддержание жизнедеятельности получателей социальных услуг в быту",
            "1",
        ),
        (
            "социально-медицинские, направленные на поддержание и сохранение здоровья получателей социальных услуг путем организации ухода, оказания содействия в проведении оздоровительных мероприятий, систематического наблюдения за получателями социальных услуг для выявления отклонений в состоянии их здоровья",
            "2",
        ),
        (
            "социально-психологические, предусматривающие оказание помощи в коррекции психологического состояния получателей социальных услуг для адаптации в социальной среде, в том числе оказание психологической помощи анонимно с использованием телефона доверия",
            "3",
        ),
        (
            "социально-педагогические, направленные на профилактику отклонений в поведении и развитии личности получателей социальных услуг, формирование у них позитивных интересов (в том числе в сфере досуга), организацию их досуга, оказание помощи семье в воспитании детей",
            "4",
        ),
        (
            "социально-трудовые, направленные на оказание помощи в трудоустройстве и в решении других проблем, связанных с трудовой адаптацией",
            "5",
        ),
        (
            "социально-правовые, направленные на оказание помощи в получении юридических услуг, в том числе бесплатно, в защите прав и законных интересов получателей социальных услуг",
            "6",
        ),
        (
            "услуги в целях повышения коммуникативного потенциала получателей социальных услуг, имеющих ограничения жизнедеятельности, в том числе детей-инвалидов",
            "7",
        ),
    ];

    #[test]
    fn the_laws_own_names_of_services_fit_into_a_claim() {
        use crate::record::{Body, Kind};
        for (text, _) in LAW {
            let mut body = Body::new(Kind::ProgrammeClaim);
            let line = body.add_line();
            line.set("no", "1").expect("text");
            line.set("service_kind", text).expect("text");
            assert!(!body.findings().iter().any(|finding| finding.field == "service_kind"), "{text}");
        }
    }

    #[test]
    fn latin_letters_that_look_like_cyrillic_ones_are_read_as_these_and_others_are_not() {
        for (field, typed, is) in [
            ("sex", "Mуж", Some("М")),
            ("sex", "M", Some("М")),
            ("status", "yмep", Some("dead")),
            ("capacity", "нeдeecпocoбeн", None),
            ("sex", "Mуж1", None),
            ("sex", "Muzh", None),
        ] {
            let expected = if field == "capacity" { code(field, "недееспособен") } else { is };
            assert_eq!(code(field, typed), expected, "{typed}");
        }
        assert_eq!(code("disability_group", "III"), Some("3"), "a Roman numeral is none of them");
    }

    #[test]
    fn some_codes_of_a_list_are_read_however_they_are_parted() {
        let weeks = ["1", "2", "3", "4", "5"];
        for text in ["2 4", "4, 2", "2;4", "2 и 4", " 2,4 ,2"] {
            assert_eq!(codes(&weeks, "weeks", text).as_deref(), Some("2 4"), "{text}");
        }
        for text in ["", "2 6", "чётные", "2-4"] {
            assert_eq!(codes(&weeks, "weeks", text), None, "{text}");
        }
        let forms = ["home", "semi-residential", "residential"];
        assert_eq!(codes(&forms, "forms", "Стационарная, на дому").as_deref(), Some("home residential"));
    }

    #[test]
    fn a_centre_can_type_every_word_that_is_known() {
        use crate::record::{Kind, Type};
        let claims = [Kind::RecipientClaim, Kind::ProgrammeClaim, Kind::SupplementClaim, Kind::Contract];
        for schema in claims.map(Kind::schema) {
            let lines = schema.lines.map_or(&[][..], |lines| lines.fields);
            for field in schema.fields.iter().chain(lines) {
                let Type::Text(most) = field.ty else { continue };
                for word in words(field.name).iter().flat_map(|(_, words)| words.iter()) {
                    assert!(word.chars().count() <= most, "{} {}: {word}", schema.name, field.name);
                }
            }
        }
    }
}
