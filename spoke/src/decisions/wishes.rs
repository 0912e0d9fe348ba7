//! A proposal made by hand, and what became of a proposal as the hub's later publications tell (exchange §8).

use exchange_format::{
    answer::Text,
    record::{Body, Field, FieldProblem, Finding, Kind, Line, RecordId},
    rules::{self, Around, Rule},
};
use jiff::civil::Date;

use super::tables::Table;

/// What the hub decided about a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It publishes the wished values.
    Accepted,
    /// It publishes other values than the wished ones and than those that stood there before.
    Declined,
}

/// What `now`, a later edition of the publication `seen`, says about the wishes of `proposal`. `None`: nothing
/// yet, the fields stand as they stood.
pub fn decision(proposal: &Body, seen: &Body, now: &Body) -> Option<Decision> {
    let mut known = 0;
    let mut fulfilled = 0;
    for wish in proposal.lines() {
        let (Some(field), no) = (wish.text("field"), wish.text("line_no")) else { continue };
        if !has_field(now.kind(), field, no.is_some()) {
            continue;
        }
        known += 1;
        let says = |body| folded(field, value_of(body, field, no));
        let (wished, stands) = (folded(field, wish.text("value")), says(now));
        if stands == wished {
            fulfilled += 1;
        } else if stands != says(seen) {
            return Some(Decision::Declined);
        }
    }
    (known > 0 && fulfilled == known).then_some(Decision::Accepted)
}

fn fields_of(kind: Kind, in_line: bool) -> &'static [Field] {
    let schema = kind.schema();
    if in_line { schema.lines.map_or(&[], |lines| lines.fields) } else { schema.fields }
}

fn has_field(kind: Kind, field: &str, in_line: bool) -> bool {
    fields_of(kind, in_line).iter().any(|known| known.name == field)
}

fn line_of<'a>(body: &'a Body, no: &str) -> Option<&'a Line> {
    body.lines().iter().find(|line| line.text("no") == Some(no))
}

fn value_of<'a>(body: &'a Body, field: &str, no: Option<&str>) -> Option<&'a str> {
    match no {
        None => body.text(field),
        Some(no) => line_of(body, no)?.text(field),
    }
}

/// A value as the hub may write it otherwise: without case, punctuation, `ё`; a date with its year first; a
/// telephone number by its last ten digits.
fn folded(field: &str, value: Option<&str>) -> String {
    let text = value.unwrap_or_default().to_lowercase().replace('ё', "е");
    if field == "phone" {
        let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
        let last = |digits: String| digits[digits.len().saturating_sub(10)..].to_owned();
        return text.split([',', ';']).map(|part| last(digits(part))).collect::<Vec<_>>().join(",");
    }
    let parts: Vec<&str> = text.split('.').collect();
    if let [day, month, year] = parts[..]
        && (day.len(), month.len(), year.len()) == (2, 2, 4)
        && text.chars().all(|c| c == '.' || c.is_ascii_digit())
    {
        return format!("{year}{month}{day}");
    }
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// One wish: a column of the table, or of its line `no`; an empty value wishes it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Wish {
    /// The number of the line, if it is about one.
    pub no: Option<String>,
    /// That line is to be a new one.
    pub is_new: bool,
    /// The column.
    pub column: String,
    /// The wished value. Personal data.
    pub value: String,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wish({:?} {} [redacted])", self.no, self.column)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl std::str::FromStr for Wish {
    type Err = &'static str;

    /// Reads `COLUMN=VALUE`, `NO.COLUMN=VALUE` or, of a new line, `+NO.COLUMN=VALUE`; the error is a message of the
    /// catalogue.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (place, value) = text.split_once('=').ok_or("usage-wish")?;
        let (no, column) = match place.split_once('.') {
            Some((no, column)) if is_number(no.strip_prefix('+').unwrap_or(no)) => (Some(no), column),
            _ => (None, place),
        };
        let is_new = no.is_some_and(|no| no.starts_with('+'));
        let no = no.map(|no| no.strip_prefix('+').unwrap_or(no).to_owned());
        Ok(Self { no, is_new, column: column.to_owned(), value: value.to_owned() })
    }
}

/// Why a proposal cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproposable {
    /// Nobody but the hub says anything about rows of this table.
    Table,
    /// There is no such column, or none that a centre may wish otherwise.
    Column(String),
    /// The wished value may not stand there, by column and problem.
    Value(String, FieldProblem),
    /// The wished value breaks a rule of the domain by itself: its column, the rule's code and sentence.
    Rule(String, &'static str, Text),
    /// The reason may not stand in a proposal.
    Reason(Finding),
    /// All of it stands there already.
    Stands,
}

/// The proposal that the publication `target`, which says `shown` in its version `version`, be changed, as `today`.
///
/// # Errors
/// The first wish that cannot be one.
pub fn by_hand(
    table: &Table,
    shown: &Body,
    (target, version): (RecordId, u32),
    wishes: &[Wish],
    reason: Option<&str>,
    today: Date,
) -> Result<Body, Unproposable> {
    if !table.takes_proposals() {
        return Err(Unproposable::Table);
    }
    let kind = shown.kind();
    let mut after = shown.clone();
    let mut proposal = Body::new(Kind::Proposal);
    let mut stated = Vec::new();
    add_new_lines(table, shown, wishes, &mut after, &mut proposal)?;
    for wish in wishes {
        let field =
            field_of(table, kind, shown, wish).ok_or_else(|| Unproposable::Column(wish.column.clone()))?;
        let unfit = |problem: FieldProblem| Unproposable::Value(wish.column.clone(), problem);
        let value = Some(wish.value.as_str()).filter(|value| !value.is_empty());
        if let Some(problem) = field.problem(value) {
            return Err(unfit(problem));
        }
        if wish.no.is_none() {
            after.set(field.name, &wish.value).map_err(|finding| unfit(finding.problem))?;
            stated.extend(value.map(|value| (wish, field.name, value)));
        }
        if value_of(shown, field.name, wish.no.as_deref()) == value {
            continue;
        }
        state(&mut proposal, field.name, wish.no.as_deref(), value).map_err(unfit)?;
    }
    if let Some(finding) = after.findings().into_iter().next() {
        return Err(Unproposable::Value(finding.field.to_owned(), finding.problem));
    }
    for (wish, field, value) in stated {
        if let Some(rule) = broken(&after, field, value, today) {
            return Err(Unproposable::Rule(wish.column.clone(), rule.code, rule.sentence));
        }
    }
    if proposal.lines().is_empty() {
        return Err(Unproposable::Stands);
    }
    let head = [
        ("target_kind", kind.name().to_owned()),
        ("target", target.to_string()),
        ("based_on", version.to_string()),
        ("reason", reason.unwrap_or_default().to_owned()),
    ];
    for (field, text) in head {
        proposal.set(field, &text).map_err(Unproposable::Reason)?;
    }
    match proposal.findings().into_iter().next() {
        Some(finding) if finding.field == "reason" => Err(Unproposable::Reason(finding)),
        Some(finding) => Err(Unproposable::Value(finding.field.to_owned(), finding.problem)),
        None => Ok(proposal),
    }
}

/// Begins the lines that `wishes` add: a wish for the number says that there is to be one.
fn add_new_lines(
    table: &Table,
    shown: &Body,
    wishes: &[Wish],
    after: &mut Body,
    proposal: &mut Body,
) -> Result<(), Unproposable> {
    let mut begun: Vec<&str> = Vec::new();
    for wish in wishes.iter().filter(|wish| wish.is_new) {
        let no = wish.no.as_deref().unwrap_or_default();
        if begun.contains(&no) {
            continue;
        }
        let unfit = |problem: FieldProblem| Unproposable::Value("no".to_owned(), problem);
        let number = fields_of(shown.kind(), true).iter().find(|field| field.name == "no");
        let Some(number) = number.filter(|_| table.lines.is_some() && line_of(shown, no).is_none()) else {
            return Err(Unproposable::Column(wish.column.clone()));
        };
        if let Some(problem) = number.problem(Some(no)) {
            return Err(unfit(problem));
        }
        let line = after.add_line();
        line.set("no", no).map_err(|finding| unfit(finding.problem))?;
        for said in wishes.iter().filter(|said| said.is_new && said.no.as_deref() == Some(no)) {
            let column = || said.column.clone();
            let field =
                field_of(table, shown.kind(), shown, said).ok_or_else(|| Unproposable::Column(column()))?;
            let set = line.set(field.name, &said.value);
            set.map_err(|finding| Unproposable::Value(column(), finding.problem))?;
        }
        state(proposal, "no", Some(no), Some(no)).map_err(unfit)?;
        begun.push(no);
    }
    Ok(())
}

/// Adds the wish that `field`, of the line `no`, be `value`.
fn state(
    proposal: &mut Body,
    field: &str,
    no: Option<&str>,
    value: Option<&str>,
) -> Result<(), FieldProblem> {
    let n = (proposal.lines().len() + 1).to_string();
    let line = proposal.add_line();
    for (name, text) in [("no", Some(n.as_str())), ("field", Some(field)), ("line_no", no), ("value", value)]
    {
        line.set(name, text.unwrap_or_default()).map_err(|finding| finding.problem)?;
    }
    Ok(())
}

/// The rule that `value` breaks in `field` both by itself and in the record as it would be, `after`: not one that only
/// tells how unlikely it is beside the other values.
fn broken(after: &Body, field: &str, value: &str, today: Date) -> Option<&'static Rule> {
    let around = Around { today: Some(today), ..Around::nothing() };
    let mut alone = Body::new(after.kind());
    alone.set(field, value).ok()?;
    let broken_by = |body: &Body| -> Vec<&'static Rule> {
        let breaches = rules::check(body, &around).into_iter();
        breaches.filter(|b| b.place.field == field && b.place.line.is_none()).map(|b| b.rule).collect()
    };
    let there = broken_by(after);
    broken_by(&alone).into_iter().find(|rule| there.iter().any(|other| other.code == rule.code))
}

/// What became of an undecided proposal when its centre wishes anew.
#[derive(Debug, PartialEq, Eq)]
pub enum Amended {
    /// It is about something else.
    Untouched,
    /// It says the same.
    Same,
    /// It says this now.
    Replaced(Body),
}

fn place(line: &Line) -> [Option<&str>; 2] {
    ["field", "line_no"].map(|name| line.text(name))
}

/// Whether `newer` is about every place that `older` is about, and wishes something else in one of them.
pub fn replaces(older: &Body, newer: &Body) -> bool {
    let wish = |wished: &Line| newer.lines().iter().find(|line| place(line) == place(wished));
    let pairs: Option<Vec<_>> = older.lines().iter().map(|line| Some((line, wish(line)?))).collect();
    pairs.is_some_and(|pairs| pairs.iter().any(|(old, new)| old.text("value") != new.text("value")))
}

/// Takes out of the proposal `newer` what `open` is about as well: of two wishes about one place the newer counts.
pub fn amend(open: &Body, newer: &mut Body) -> Amended {
    let (mut lines, mut left) = (open.lines().to_vec(), Vec::new());
    for wish in newer.lines() {
        let Some(line) = lines.iter_mut().find(|line| place(line) == place(wish)) else {
            left.push(wish.clone());
            continue;
        };
        let no = line.text("no").unwrap_or_default().to_owned();
        *line = wish.clone();
        line.set("no", &no).expect("it was in a body already");
    }
    if left.len() == newer.lines().len() {
        return Amended::Untouched;
    }
    let with_lines = |body: &Body, lines: Vec<Line>| {
        let mut body = body.clone();
        body.clear_lines();
        for line in lines {
            *body.add_line() = line;
        }
        body
    };
    let mut amended = with_lines(open, lines);
    *newer = with_lines(newer, left);
    if amended == *open {
        return Amended::Same;
    }
    for field in ["based_on", "reason"] {
        if let Some(text) = newer.text(field) {
            amended.set(field, text).expect("it was in a body already");
        }
    }
    Amended::Replaced(amended)
}

/// The field of `wish`: no reference, no number of a line, nothing that only the hub gives.
fn field_of(table: &Table, kind: Kind, shown: &Body, wish: &Wish) -> Option<&'static Field> {
    let columns = match &wish.no {
        None => &table.columns,
        Some(no) => &table.lines.as_ref().filter(|_| wish.is_new || line_of(shown, no).is_some())?.columns,
    };
    let column = columns.iter().find(|column| column.name == wish.column && column.refers_to.is_none())?;
    let given = wish.no.is_none() && table.hub_columns().contains(&column.name.as_str());
    let fields = fields_of(kind, wish.no.is_some());
    fields.iter().find(|field| field.name == column.field && field.name != "no" && !given)
}

#[cfg(test)]
mod tests {
    use super::{super::tables::table, *};

    fn target() -> RecordId {
        RecordId::from_random([7; 16])
    }

    fn person(surname: &str, phone: &str) -> Body {
        let mut body = Body::new(Kind::Person);
        let stem = "42-32701000-000001-";
        let check = char::from(exchange_format::check_digit::mod_11_10(stem));
        for (field, value) in
            [("case_number", format!("{stem}{check}").as_str()), ("surname", surname), ("phone", phone)]
        {
            body.set(field, value).expect("text");
        }
        body
    }

    fn proposed(wishes: &[&str]) -> Result<Body, Unproposable> {
        let wishes: Vec<Wish> = wishes.iter().map(|text| text.parse().expect("a wish")).collect();
        let table = table("recipient").expect("a table");
        by_hand(
            table,
            &person("Иванова", "+79000000000"),
            (target(), 3),
            &wishes,
            Some("паспорт"),
            Date::constant(2026, 11, 22),
        )
    }

    #[test]
    fn a_wish_states_what_should_stand_and_why() {
        let body = proposed(&["surname=Петрова", "phone="]).expect("a proposal");
        assert_eq!((body.text("based_on"), body.text("reason")), (Some("3"), Some("паспорт")));
        let lines: Vec<_> = body.lines().iter().map(|l| (l.text("field"), l.text("value"))).collect();
        assert_eq!(lines, [(Some("surname"), Some("Петрова")), (Some("phone"), None)]);
    }

    #[test]
    fn what_cannot_be_wished_is_refused_by_its_column() {
        let column = |name: &str| Err(Unproposable::Column(name.to_owned()));
        assert_eq!(proposed(&["case_number=1"]), column("case_number"));
        assert_eq!(proposed(&["uid=1"]), column("uid"));
        assert_eq!(proposed(&["nobody=1"]), column("nobody"));
        assert_eq!(proposed(&["1.name=x"]), column("name"));
        assert!(
            matches!(proposed(&["surname="]), Err(Unproposable::Value(column, _)) if column == "surname")
        );
        let told = proposed(&["birth_date=2.1.1950"]).expect_err("no date");
        assert!(!format!("{told:?}").contains("1950"), "{told:?}");
        assert_eq!(proposed(&["surname=Иванова"]), Err(Unproposable::Stands));
        for (wish, code) in [
            ("phone=абв", "R06"),
            ("email=anna", "R06a"),
            ("email=a@b@c.ru", "R06a"),
            ("birth_date=2031-01-01", "R04"),
            ("surname=нет данных", "R05"),
        ] {
            let told = proposed(&[wish]);
            assert!(
                matches!(&told, Err(Unproposable::Rule(_, broken, _)) if *broken == code),
                "{wish}: {told:?}"
            );
        }
        for wish in ["snils=11223344596", "birth_date=1950-02-31"] {
            assert!(matches!(proposed(&[wish]), Err(Unproposable::Value(..))), "{wish}");
        }
        // What only is unlikely beside other values, staff decide; and anything may be wished away.
        for wish in ["sex=М", "email=anna@example.ru", "phone="] {
            assert!(proposed(&[wish]).is_ok(), "{wish}: {:?}", proposed(&[wish]));
        }
        assert!(Wish::from_str("surname").is_err());
    }

    #[test]
    fn only_what_the_hub_publishes_later_decides() {
        let wish = proposed(&["phone=+79110000000"]).expect("a proposal");
        let seen = person("Иванова", "+79000000000");
        let now = |surname: &str, phone: &str| decision(&wish, &seen, &person(surname, phone));
        assert_eq!(now("Иванова", "8 (911) 000-00-00"), Some(Decision::Accepted));
        assert_eq!(now("Иванова", "+79220000000"), Some(Decision::Declined));
        assert_eq!(now("Петрова", "+79000000000"), None, "another field was corrected: no answer to this");
    }

    #[test]
    fn of_two_wishes_about_one_place_the_newer_counts() {
        let open = proposed(&["surname=Петрова", "phone=+79110000000"]).expect("a proposal");
        let amended = |wishes: &[&str]| {
            let mut newer = proposed(wishes).expect("a proposal");
            let became = amend(&open, &mut newer);
            (became, newer.lines().iter().map(|l| l.text("value").map(str::to_owned)).collect::<Vec<_>>())
        };
        assert_eq!(amended(&["phone=+79110000000"]), (Amended::Same, vec![]));
        let other = vec![Some("a@example.ru".to_owned())];
        assert_eq!(amended(&["email=a@example.ru"]), (Amended::Untouched, other.clone()));
        let (became, left) = amended(&["email=a@example.ru", "phone=+79220000000"]);
        let Amended::Replaced(body) = became else { panic!("{became:?}") };
        let said: Vec<_> = body.lines().iter().map(|l| (l.text("no"), l.text("value"))).collect();
        assert_eq!(said, [(Some("1"), Some("Петрова")), (Some("2"), Some("+79220000000"))]);
        assert_eq!((left, body.findings()), (other, vec![]));
    }

    use std::str::FromStr as _;
}
