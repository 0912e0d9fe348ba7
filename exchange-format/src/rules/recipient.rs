//! Rules on people: the person published, and the recipient as a centre knows it.
//!
//! The codes A… and B12 are those of the questionnaire's error log, R… are the others. Longer than 500 lines because
//! the rules of one record stand in one list.

use jiff::{ToSpan as _, civil::Date};

use super::{Around, Case, Place, Rule, Severity, any, at, text, values};
use crate::{
    record::{Body, Kind, RecordId},
    snils::Snils,
    typed,
    typed_date::parse_date,
    vocabulary,
};

use Severity::{Refuse, Warn};

const BOTH: &[(Kind, Severity)] = &[(Kind::RecipientClaim, Warn), (Kind::Person, Warn)];
const ADDRESSES: [&str; 2] = ["address_reg", "address_live"];

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "A03",
        applies: BOTH,
        sentence: text(
            "Не указаны фамилия, имя, дата рождения или пол.",
            "Surname, given name, birth date or sex is missing.",
        ),
        source: "442-ФЗ ст. 26",
        check: |c| any(&["surname", "given", "birth_date", "sex"], |field| c.text(field).is_none()),
    },
    Rule {
        code: "A04",
        applies: &[(Kind::RecipientClaim, Warn), (Kind::Person, Refuse)],
        sentence: text(
            "Контрольное число СНИЛС не сходится: вероятно, ошибка в цифре.",
            "The check number of the СНИЛС does not hold; a digit was probably mistyped.",
        ),
        source: "правила ведения индивидуального (персонифицированного) учёта (to be checked)",
        check: |c| at("snils", c.text("snils").is_some_and(|number| number.parse::<Snils>().is_err())),
    },
    Rule {
        code: "A04a",
        applies: BOTH,
        sentence: text("СНИЛС не указан.", "The СНИЛС is missing."),
        source: "442-ФЗ ст. 26",
        check: |c| at("snils", c.text("snils").is_none()),
    },
    Rule {
        code: "A05",
        applies: BOTH,
        sentence: text(
            "Серия или номер документа не той формы, что у документов этого кода.",
            "Series or number of the identity document have not the form of its code.",
        ),
        source: "коды документов ФНС; own",
        check: |c| {
            let stated = ["identity_doc_series", "identity_doc_number"].iter().any(|f| c.text(f).is_some());
            at("identity_doc_number", stated && !document_fits(c.body))
        },
    },
    Rule {
        code: "A05a",
        applies: BOTH,
        sentence: text(
            "СНИЛС или документ числится за другим человеком.",
            "The СНИЛС or the document belongs to another person.",
        ),
        source: "own",
        check: belongs_to_another,
    },
    Rule {
        code: "A06",
        applies: BOTH,
        sentence: text("Пол не соответствует отчеству.", "Sex and patronymic do not agree."),
        source: "own",
        check: |c| {
            let sex = vocabulary::code("sex", c.text("sex")?)?;
            let ending = c.text("patronymic").and_then(sex_of_patronymic)?;
            at("sex", !sex.starts_with(ending))
        },
    },
    Rule {
        code: "A07",
        applies: BOTH,
        sentence: text(
            "Гражданство должно быть указано ровно одно: РФ, без гражданства или иностранное.",
            "Exactly one citizenship must be stated: РФ, stateless or foreign.",
        ),
        source: "анкета-опросник, п. 1.3; own",
        check: |c| at("citizenship", !c.text("citizenship").is_some_and(is_citizenship)),
    },
    Rule {
        code: "A08",
        applies: BOTH,
        sentence: text(
            "В адресе нет региона, муниципального образования, населённого пункта или дома.",
            "The address lacks region, municipality, place or house.",
        ),
        source: "анкета-опросник, п. 1.2; own",
        check: |c| any(&ADDRESSES, |field| !address_is_complete(c, field)),
    },
    Rule {
        code: "A08a",
        applies: BOTH,
        sentence: text(
            "Адрес проживания не связан с объектом ГАР.",
            "The address of residence names no object of the ГАР register.",
        ),
        source: "own",
        check: |c| {
            at("address_live_gar", c.text("address_live").is_some() && c.text("address_live_gar").is_none())
        },
    },
    Rule {
        code: "B12",
        applies: BOTH,
        sentence: text(
            "Группа инвалидности указана без даты или документа, либо срок её истёк.",
            "A disability group without a date or document, or one that has expired.",
        ),
        source: "анкета-опросник; own",
        check: disability,
    },
    Rule {
        code: "R01",
        applies: BOTH,
        sentence: text(
            "Код ОКТМО должен состоять из 8 или 11 цифр; девятая и двенадцатая могут быть только контрольными.",
            "An ОКТМО code has 8 or 11 digits; a ninth or twelfth can only be its check digit.",
        ),
        source: "ОК 033-2013; ПР 50.1.024-2005 (to be checked)",
        check: |c| {
            any(&["oktmo", "address_reg_oktmo", "address_live_oktmo"], |field| {
                c.text(field).is_some_and(|code| !values::is_oktmo(code))
            })
        },
    },
    Rule {
        code: "R02",
        applies: BOTH,
        sentence: text(
            "Код КЛАДР должен состоять из 13, 17 или 19 цифр.",
            "A КЛАДР code has 13, 17 or 19 digits.",
        ),
        source: "КЛАДР",
        check: |c| {
            any(&["address_reg_kladr", "address_live_kladr"], |field| {
                c.text(field).is_some_and(|code| !values::digits(code, &[13, 17, 19]))
            })
        },
    },
    Rule {
        code: "R03",
        applies: BOTH,
        sentence: text("Код объекта ГАР должен быть UUID.", "The code of a ГАР object is a UUID."),
        source: "443-ФЗ (ГАР) (to be checked)",
        check: |c| {
            any(&["address_reg_gar", "address_live_gar"], |field| {
                c.text(field).is_some_and(|code| code.to_lowercase().parse::<RecordId>().is_err())
            })
        },
    },
    Rule {
        code: "R04",
        applies: BOTH,
        sentence: text(
            "Дата рождения нечитаема, позже сегодняшней или даёт возраст больше 115 лет.",
            "The birth date cannot be read, is in the future, or gives an age above 115.",
        ),
        source: "own",
        check: |c| {
            let typed = c.text("birth_date")?;
            let Some(birth) = parse_date(typed) else { return at("birth_date", true) };
            let today = c.around.today?;
            let eldest = today.checked_sub(116.years()).ok()?;
            at("birth_date", birth > today || birth <= eldest)
        },
    },
    Rule {
        code: "R05",
        applies: BOTH,
        sentence: text(
            "В ФИО допустимы только кириллица, пробел, дефис, апостроф и точка, до 60 знаков; отсутствующее отчество не заполняется.",
            "Names take Cyrillic letters, space, hyphen, apostrophe and dot, up to 60; an absent patronymic is left out.",
        ),
        source: "own",
        check: |c| {
            any(&["surname", "given", "patronymic"], |field| c.text(field).is_some_and(|name| !is_name(name)))
        },
    },
    Rule {
        code: "R06",
        applies: &[(Kind::RecipientClaim, Warn), (Kind::Person, Warn), (Kind::Contact, Warn)],
        sentence: text(
            "Телефон не приводится к виду +7XXXXXXXXXX.",
            "The phone number cannot be brought into the form +7XXXXXXXXXX.",
        ),
        source: "E.164",
        check: phone,
    },
    Rule {
        code: "R06a",
        applies: BOTH,
        sentence: text(
            "Адрес электронной почты должен иметь вид имя@домен.",
            "An e-mail address is of the form name@domain.",
        ),
        source: "RFC 5322",
        check: |c| at("email", c.text("email")?.split([',', ';']).any(|one| !is_email(one.trim()))),
    },
    Rule {
        code: "R07",
        applies: BOTH,
        sentence: text(
            "Номер единого полиса ОМС состоит из 16 цифр.",
            "The unified OMS policy has 16 digits.",
        ),
        source: "326-ФЗ ст. 45 (to be checked)",
        check: |c| {
            let number: String = c.text("oms_policy")?.split_whitespace().collect();
            at("oms_policy", !values::digits(&number, &[16]))
        },
    },
    Rule {
        code: "R08",
        applies: BOTH,
        sentence: text(
            "Код подразделения, выдавшего паспорт, имеет вид NNN-NNN.",
            "The code of the department that issued a passport is NNN-NNN.",
        ),
        source: "форма паспорта гражданина РФ",
        check: |c| {
            let code = c.text("identity_doc_department")?;
            let fits =
                code.split_once('-').is_some_and(|(a, b)| values::digits(a, &[3]) && values::digits(b, &[3]));
            at("identity_doc_department", !fits)
        },
    },
    Rule {
        code: "R09",
        applies: BOTH,
        sentence: text(
            "Паспорт выдан до 20- или 45-летия и подлежал замене.",
            "The passport was issued before the 20th or 45th birthday and was to be replaced.",
        ),
        source: "постановление Правительства РФ № 828 (1997) (to be checked)",
        check: stale_passport,
    },
    Rule {
        code: "R10",
        applies: BOTH,
        sentence: text(
            "Год бланка в серии паспорта далёк от года выдачи.",
            "The year in the passport's series is far from the year of issue.",
        ),
        source: "own",
        check: |c| {
            let series: String = c.text("identity_doc_series")?.split_whitespace().collect();
            let issued = c.date("identity_doc_issued")?;
            if c.text("identity_doc_code") != Some("21") || !values::digits(&series, &[4]) {
                return None;
            }
            let printed: i16 = series[2..].parse().ok()?;
            let printed = printed + if printed > 90 { 1900 } else { 2000 };
            at("identity_doc_series", (printed - issued.year()).abs() > 4)
        },
    },
    Rule {
        code: "R11",
        applies: BOTH,
        sentence: text(
            "Недееспособному или ограниченному в дееспособности нужен законный представитель с документом.",
            "Somebody without full capacity needs a legal representative with a document.",
        ),
        source: "ГК РФ ст. 29–33 (to be checked)",
        check: |c| {
            let capacity = c.text("capacity")?.to_lowercase();
            let needs = capacity.starts_with("недееспособ") || capacity.starts_with("огранич");
            any(&["representative", "representative_document"], |field| needs && c.text(field).is_none())
        },
    },
    Rule {
        code: "R12",
        applies: BOTH,
        sentence: text(
            "Состояние «выбыл», «умер», «приостановлен» требует даты.",
            "The states left, dead and suspended need their date.",
        ),
        source: "own",
        check: |c| at("status_date", has_ended(c) && c.date("status_date").is_none()),
    },
    Rule {
        code: "R13",
        applies: BOTH,
        sentence: text(
            "Среднедушевой доход указан без даты, на которую он рассчитан.",
            "A per-capita income without the date as of which it was computed.",
        ),
        source: "442-ФЗ ст. 31; постановление Правительства РФ № 1075 (2014) (to be checked)",
        check: |c| at("income_as_of", c.text("income_amount").is_some() && c.date("income_as_of").is_none()),
    },
    Rule {
        code: "R14",
        applies: BOTH,
        sentence: text(
            "Римская цифра в серии свидетельства о рождении набрана кириллицей или серия не вида I-ВЖ.",
            "The Roman numeral of a birth certificate's series is in Cyrillic letters, or the series is not like I-ВЖ.",
        ),
        source: "own",
        check: |c| {
            let birth = c.text("identity_doc_code") == Some("03");
            at("identity_doc_series", birth && !c.text("identity_doc_series").is_some_and(is_birth_series))
        },
    },
    Rule {
        code: "R15",
        applies: &[(Kind::Person, Refuse)],
        sentence: text(
            "Номер личного дела должен иметь вид RR-OKTMO8-NNNNNN-K с верной контрольной цифрой.",
            "A case number is RR-OKTMO8-NNNNNN-K with its check digit.",
        ),
        source: "own; ISO 7064 MOD 11,10",
        check: |c| {
            at("case_number", c.text("case_number").is_some_and(|number| !values::is_case_number(number)))
        },
    },
    Rule {
        code: "R16",
        applies: BOTH,
        sentence: text(
            "Код вида документа не из перечня.",
            "The code of the identity document is not in the list.",
        ),
        source: "коды документов ФНС",
        check: |c| {
            const CODES: [&str; 16] = [
                "03", "07", "08", "10", "11", "12", "13", "14", "15", "19", "21", "22", "23", "24", "27",
                "91",
            ];
            at("identity_doc_code", c.text("identity_doc_code").is_some_and(|code| !CODES.contains(&code)))
        },
    },
    Rule {
        code: "R17",
        applies: BOTH,
        sentence: text("Не указаны дееспособность или состояние.", "Capacity or status is missing."),
        source: "442-ФЗ ст. 26; own",
        check: |c| any(&["capacity", "status"], |field| c.text(field).is_none()),
    },
    Rule {
        code: "R18",
        applies: &[(Kind::RecipientClaim, Warn)],
        sentence: text(
            "Значение не из перечня: пол, группа инвалидности, дееспособность или состояние.",
            "The value is not in the list: sex, disability group, capacity or status.",
        ),
        source: "own",
        check: |c| {
            let unlisted =
                |field: &str| c.text(field).is_some_and(|text| vocabulary::code(field, text).is_none());
            any(&["sex", "disability_group", "capacity", "status"], unlisted)
        },
    },
    Rule {
        code: "R19",
        applies: BOTH,
        sentence: text(
            "Кем приходится представитель, указывается из перечня: опекун, попечитель, родитель, по доверенности.",
            "A representative is guardian, trustee, parent or one by power of attorney: опекун, попечитель, родитель, по доверенности.",
        ),
        source: "ГК РФ ст. 29–33, 185; СК РФ ст. 64 (to be checked)",
        check: |c| {
            let kinds = ["representative_kind", "representative_2_kind", "representative_3_kind"];
            any(&kinds, |field| {
                c.text(field).is_some_and(|text| vocabulary::code("representative_kind", text).is_none())
            })
        },
    },
    Rule {
        code: "R20",
        applies: &[(Kind::RecipientClaim, Warn)],
        sentence: text(
            "Доход и предельная величина указываются целым числом копеек.",
            "Income and threshold are whole numbers of kopecks.",
        ),
        source: "own",
        check: |c| {
            let (fields, _) = typed::fields(c.body.kind());
            any(&["income_amount", "income_threshold"], |name| {
                let field = fields.iter().find(|field| field.name == name);
                field.zip(c.text(name)).is_some_and(|(field, text)| typed::value(field, text).is_none())
            })
        },
    },
    Rule {
        code: "R21",
        applies: BOTH,
        sentence: text(
            "Дата документа, инвалидности, дохода или состояния нечитаема или позже сегодняшней.",
            "The date of the document, disability, income or status cannot be read or is after today.",
        ),
        source: "own",
        check: |c| {
            // of these without a date that can be read, R12 and R13 tell where it is needed
            let unneeded =
                [("income_as_of", c.text("income_amount").is_none()), ("status_date", !has_ended(c))];
            let unneeded = unneeded.into_iter().filter(|(_, unneeded)| *unneeded).map(|(field, _)| field);
            let unread = |field: &str| {
                let endless = field == "disability_until" && is_endless(c);
                c.text(field).is_some() && c.date(field).is_none() && !endless
            };
            let ahead =
                |field: &str| c.date(field).zip(c.around.today).is_some_and(|(date, today)| date > today);
            let dates = ["identity_doc_issued", "disability_from", "disability_until"].into_iter();
            let dates: Vec<&str> = dates.chain(unneeded).collect();
            any(&dates, unread).or_else(|| {
                any(&["identity_doc_issued", "disability_from", "income_as_of", "status_date"], ahead)
            })
        },
    },
    Rule {
        code: "R22",
        applies: BOTH,
        sentence: text(
            "Дата документа, инвалидности, дохода или состояния раньше рождения.",
            "The date of the document, disability, income or status is before the birth.",
        ),
        source: "own",
        check: before_birth,
    },
];

/// Days that are in no life before its first one.
fn before_birth(c: &Case<'_>) -> Option<Place> {
    let birth = c.date("birth_date").filter(|birth| c.around.today.is_none_or(|today| *birth <= today))?;
    let dates = ["identity_doc_issued", "disability_from", "income_as_of", "status_date"];
    any(&dates, |field| c.date(field).is_some_and(|date| date < birth))
}

/// Whether the recipient is no longer served, or not for now.
fn has_ended(c: &Case<'_>) -> bool {
    let Some(status) = c.text("status") else { return false };
    let begins = |word: &&str| status.to_lowercase().starts_with(*word);
    ["умер", "выбыл", "приостан"].iter().any(begins)
        || matches!(vocabulary::code("status", status), Some("dead" | "left" | "suspended"))
}

/// Whether the disability is without end.
fn is_endless(c: &Case<'_>) -> bool {
    c.text("disability_until").is_some_and(|text| text.trim().to_lowercase().starts_with("бессроч"))
}

/// Whether series and number have the form of the document's code (domain: 21 `99 99 999999`, 07 `ББ 0999999`,
/// the rest free up to 25 characters).
fn document_fits(body: &Body) -> bool {
    if body.text("identity_doc_number").is_none() {
        return false;
    }
    let plain = |field: &str| -> String { body.text(field).unwrap_or_default().split_whitespace().collect() };
    let (series, number) = (plain("identity_doc_series"), plain("identity_doc_number"));
    match body.text("identity_doc_code").map(str::trim) {
        Some("21") => values::digits(&series, &[4]) && values::digits(&number, &[6]),
        Some("07") => {
            let letters = series.chars().count() == 2 && series.chars().all(is_cyrillic);
            letters && values::digits(&number, &[6, 7])
        }
        _ => series.chars().count() + number.chars().count() <= 25,
    }
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, 'А'..='я' | 'Ё' | 'ё')
}

fn is_birth_series(series: &str) -> bool {
    series.split_once('-').is_some_and(|(roman, letters)| {
        !roman.is_empty()
            && roman.chars().all(|c| "IVXLC".contains(c))
            && letters.chars().count() == 2
            && letters.chars().all(|c| matches!(c, 'А'..='Я'))
    })
}

fn belongs_to_another(c: &Case<'_>) -> Option<Place> {
    let of = |body: &Body| {
        let text = |field| body.text(field).unwrap_or_default();
        identities(text("snils"), text("identity_doc_series"), text("identity_doc_number"))
    };
    let own = of(c.body);
    let is_others =
        |key: &Option<String>| key.is_some() && c.around.others.iter().any(|other| of(other).contains(key));
    let [snils, document] = &own;
    at("snils", is_others(snils)).or_else(|| at("identity_doc_number", is_others(document)))
}

/// By what two rows are one person: the СНИЛС, and series and number of the identity document, however they are
/// typed, Latin letters for the Cyrillic ones that look like them. What says nothing, as «нет», is no number.
pub fn identities(snils: &str, series: &str, number: &str) -> [Option<String>; 2] {
    let bare = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).map(cyrillic).collect()
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let says =
        |text: &str, least: usize| digits(text) >= least && text.chars().any(|c| matches!(c, '1'..='9'));
    let (snils, number) = (bare(snils), bare(number));
    [
        says(&snils, 9).then(|| format!("s{snils}")),
        says(&number, 4).then(|| format!("d{} {number}", bare(series))),
    ]
}

/// A code as it is told apart from others: in capitals, without spaces, with Cyrillic letters for the Latin ones that look like them.
pub fn fold(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).map(cyrillic).collect()
}

/// The Cyrillic capital that looks like a Latin one.
pub(crate) fn cyrillic(latin: char) -> char {
    const ALIKE: [(char, char); 12] = [
        ('A', 'А'),
        ('B', 'В'),
        ('C', 'С'),
        ('E', 'Е'),
        ('H', 'Н'),
        ('K', 'К'),
        ('M', 'М'),
        ('O', 'О'),
        ('P', 'Р'),
        ('T', 'Т'),
        ('X', 'Х'),
        ('Y', 'У'),
    ];
    ALIKE.iter().find(|(one, _)| *one == latin).map_or(latin, |(_, other)| *other)
}

fn sex_of_patronymic(patronymic: &str) -> Option<char> {
    let lower = patronymic.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if ends(&["вна", "чна", "кызы", "кизи"]) {
        Some('Ж')
    } else if ends(&["вич", "ич", "оглы", "оглу"]) {
        Some('М')
    } else {
        None
    }
}

fn is_citizenship(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    ["рф", "россия", "российская федерация", "без гражданства", "лицо без гражданства"]
        .contains(&lower.as_str())
        || lower.starts_with("иностранн")
            && !lower.contains([',', ';', '/'])
            && !lower.split_whitespace().any(|word| word == "и" || word == "рф" || word.starts_with("росс"))
}

/// Whether an address that is stated has a region, a place and a house: in its parts, or in its text.
fn address_is_complete(c: &Case<'_>, field: &str) -> bool {
    let Some(free) = c.text(field) else { return field != "address_live" };
    let part = |name: &str| c.text(&format!("{field}_{name}")).is_some();
    let place = part("place") || part("settlement");
    let parts = part("region") && part("district") && place && part("house");
    let comma_separated = free.split(',').filter(|piece| !piece.trim().is_empty()).count();
    parts || comma_separated >= 3 && free.chars().any(|c| c.is_ascii_digit())
}

fn disability(c: &Case<'_>) -> Option<Place> {
    c.text("disability_group")?;
    let expired = |today: Date| c.date("disability_until").is_some_and(|until| until < today);
    any(&["disability_from", "disability_document"], |field| c.text(field).is_none())
        .or_else(|| at("disability_until", c.around.today.is_some_and(expired)))
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| is_cyrillic(c) || matches!(c, ' ' | '-' | '\'' | '’' | '.');
    name.chars().count() <= 60 && name.chars().all(allowed) && !vocabulary::is_placeholder(name)
}

fn phone(c: &Case<'_>) -> Option<Place> {
    let field = if c.body.kind() == Kind::Contact { "value" } else { "phone" };
    if field == "value" && !is_phone(c.text("type")?) {
        return None;
    }
    at(field, c.text(field)?.split([',', ';']).any(|number| typed::phone(number).is_none()))
}

/// Whether a way to reach somebody is a telephone: by the word, or by one of several («моб.тел.», «телефон дочери»).
fn is_phone(kind: &str) -> bool {
    let kind = kind.to_lowercase();
    let names_one = |word: &str| {
        ["тел", "моб", "сот"].contains(&word)
            || ["телефон", "мобильн", "сотов"].iter().any(|stem| word.starts_with(stem))
    };
    vocabulary::code("contact_type", &kind) == Some("phone")
        || kind.split(|c: char| !c.is_alphabetic()).any(names_one)
}

fn is_email(address: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    address.split_once('@').is_some_and(|(name, domain)| {
        plain(name)
            && plain(domain)
            && domain.split('.').count() > 1
            && domain.split('.').all(|part| !part.is_empty())
    })
}

fn stale_passport(c: &Case<'_>) -> Option<Place> {
    let Around { today: Some(today), .. } = c.around else { return None };
    let (birth, issued) = (c.date("birth_date")?, c.date("identity_doc_issued")?);
    if c.text("identity_doc_code") != Some("21") {
        return None;
    }
    let stale = [20, 45].into_iter().any(|age: i32| {
        let birthday = birth.checked_add(age.years());
        // a passport stays good for 90 days after the birthday
        birthday.is_ok_and(|day| issued < day && day.checked_add(90.days()).is_ok_and(|end| end < *today))
    });
    at("identity_doc_issued", stale)
}
