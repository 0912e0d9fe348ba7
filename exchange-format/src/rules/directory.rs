//! Rules on the directory of services and on providers' cards.

use jiff::civil::Date;

use super::{Rule, Severity, any, at, number, recipient::fold, text, values};
use crate::record::{Body, Kind, Line};

use Severity::{Refuse, Warn};

pub(super) static RULES: &[Rule] = &[
    Rule {
        code: "V01",
        applies: &[(Kind::Service, Refuse), (Kind::Provider, Refuse)],
        sentence: text(
            "Срок действия кончается раньше начала.",
            "The term of validity ends before it begins.",
        ),
        source: "own",
        check: |c| at("valid_until", c.date("valid_until")? < c.date("valid_from")?),
    },
    Rule {
        code: "V02",
        applies: &[(Kind::Service, Refuse)],
        sentence: text(
            "Код услуги уже занят другой действующей услугой.",
            "Another service in force has this code.",
        ),
        source: "own",
        check: |c| {
            let code = fold(c.text("code")?);
            let own = term(c.body);
            let overlaps = |(from, until): (Option<Date>, Option<Date>)| {
                let before =
                    |until: Option<Date>, from: Option<Date>| until.zip(from).is_some_and(|(u, f)| u < f);
                let ended =
                    |until: Option<Date>| until.zip(c.around.today).is_some_and(|(u, today)| u < today);
                !before(until, own.0) && !before(own.1, from) && !ended(until) && !ended(own.1)
            };
            let same = |other: &&Body| other.text("code").map(fold).as_ref() == Some(&code);
            at("code", c.around.others.iter().filter(same).any(|other| overlaps(term(other))))
        },
    },
    Rule {
        code: "V03",
        applies: &[(Kind::Service, Refuse)],
        sentence: text(
            "Замещающая или ассистирующая услуга не называет своего действия.",
            "A replacing or assisting service does not name its action.",
        ),
        source: "own",
        check: |c| at("action", c.text("variant").is_some() && c.text("action").is_none()),
    },
    Rule {
        code: "V04",
        applies: &[(Kind::Service, Refuse)],
        sentence: text(
            "Предельная периодичность указана не полностью: число раз и за какой срок.",
            "The maximum frequency is incomplete: count and period go together.",
        ),
        source: "own",
        check: |c| {
            let counted = c.text("frequency_count").is_some();
            at("frequency_count", counted != !matches!(c.text("frequency_per"), None | Some("on_demand")))
        },
    },
    Rule {
        code: "V05",
        applies: &[(Kind::Service, Refuse), (Kind::Provider, Refuse)],
        sentence: text(
            "Код или реестровый номер либо название ничего не называет: «-», «нет», «0». Укажите их, как в перечне услуг или в реестре поставщиков.",
            "The code or register number, or the name, names nothing: “-”, “нет”, “0”. State it as in the list of services or the register of providers.",
        ),
        source: "own",
        check: |c| {
            let fields: [&'static str; 2] = match c.body.kind() {
                Kind::Service => ["code", "name"],
                _ => ["register_number", "full_name"],
            };
            let says = |text: &str| text.chars().any(|c| c.is_alphanumeric() && c != '0');
            any(&fields, |field| c.typed.text(field).is_some() && !c.text(field).is_some_and(says))
        },
    },
    Rule {
        code: "O01",
        applies: &[(Kind::Provider, Refuse)],
        sentence: text("Контрольные цифры ИНН не сходятся.", "The check digits of the ИНН do not hold."),
        source: "структура ИНН, ФНС (to be checked)",
        check: |c| at("inn", c.text("inn").is_some_and(|inn| !values::is_inn(inn))),
    },
    Rule {
        code: "O02",
        applies: &[(Kind::Provider, Refuse)],
        sentence: text("Контрольная цифра ОГРН не сходится.", "The check digit of the ОГРН does not hold."),
        source: "структура ОГРН, ФНС (to be checked)",
        check: |c| at("ogrn", c.text("ogrn").is_some_and(|ogrn| !values::is_ogrn(ogrn))),
    },
    Rule {
        code: "O03",
        applies: &[(Kind::Provider, Refuse)],
        sentence: text("Код ОКТМО поставщика неверен.", "The provider's ОКТМО code is wrong."),
        source: "ОК 033-2013; ПР 50.1.024-2005 (to be checked)",
        check: |c| at("oktmo", c.text("oktmo").is_some_and(|code| !values::is_oktmo(code))),
    },
    Rule {
        code: "O04",
        applies: &[(Kind::Provider, Refuse), (Kind::FreePlaces, Refuse)],
        sentence: text("Свободных мест больше, чем всего.", "More places are free than there are."),
        source: "442-ФЗ ст. 25",
        check: |c| {
            let too_many =
                |line: &Line| number(line, "free").unwrap_or(0) > number(line, "total").unwrap_or(u64::MAX);
            match c.body.kind() {
                Kind::FreePlaces => at("free", too_many(c.body.head())),
                _ => c.line("free", too_many),
            }
        },
    },
    Rule {
        code: "O06",
        applies: &[(Kind::Provider, Warn), (Kind::FreePlaces, Warn)],
        sentence: text(
            "Свободные места указаны без общего числа мест.",
            "Free places are stated without how many there are in all.",
        ),
        source: "442-ФЗ ст. 25",
        check: |c| {
            let untotalled = |line: &Line| line.text("free").is_some() && line.text("total").is_none();
            match c.body.kind() {
                Kind::FreePlaces => at("total", untotalled(c.body.head())),
                _ => c.line("total", untotalled),
            }
        },
    },
    Rule {
        code: "O05",
        applies: &[(Kind::Provider, Warn)],
        sentence: text(
            "В карточке нет адреса, телефона, руководителя или форм обслуживания.",
            "The card lacks the address, phone, head or forms of service.",
        ),
        source: "442-ФЗ ст. 25",
        check: |c| any(&["address", "phone", "head", "forms"], |field| c.text(field).is_none()),
    },
];

/// The first and the last day on which a service is in force, as far as they are stated.
fn term(body: &Body) -> (Option<Date>, Option<Date>) {
    let day = |field| body.text(field).and_then(values::paper_date);
    (day("valid_from"), day("valid_until"))
}
