//! What centres type where papers and programs have a date, a number or a code, as the coordination centre reads it: it
//! publishes what is read here and nothing else, and the rules tell a centre of the rest.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::{
    invisible,
    record::{Body, Field, Kind, Line, Type},
    typed_date::{parse_date, parse_paper_date, parse_recent_date},
    vocabulary,
};

/// The fields that mean more than text in a contract, which stays its centre's and is text in the exchange: rules read them.
static CONTRACT: &[Field] = &[
    Field::optional("date", Type::Date),
    Field::optional("presented_date", Type::Date),
    Field::optional("form", Type::Code(&["home", "semi-residential", "residential"])),
    Field::optional("start_date", Type::Date),
    Field::optional("end_date", Type::Date),
    Field::optional("price", Type::Whole(100_000_000_000)),
    Field::optional("termination_date", Type::Date),
];

/// Those of a contract's line.
static CONTRACT_LINE: &[Field] = &[
    Field::optional("tariff", Type::Whole(100_000_000_000)),
    Field::optional("price", Type::Whole(100_000_000_000)),
];

/// The fields of the head and of a line by which what a record of `kind` says is read: those of the kind that is
/// published of its claims, of a contract the ones that rules read, else its own.
pub fn fields(kind: Kind) -> (&'static [Field], &'static [Field]) {
    let read_as = match kind {
        Kind::Contract => return (CONTRACT, CONTRACT_LINE),
        Kind::RecipientClaim => Kind::Person,
        Kind::ProgrammeClaim => Kind::Programme,
        Kind::SupplementClaim => Kind::Supplement,
        other => other,
    };
    let schema = read_as.schema();
    (schema.fields, schema.lines.map_or(&[][..], |lines| lines.fields))
}

/// What `text` says in `field` of a paper, in the form in which it is published. `None` if nothing, or if it is no good
/// value there.
pub fn value(field: &Field, text: &str) -> Option<String> {
    let text = plain(text)?;
    let value = match field.ty {
        Type::Date => parse_paper_date(&text)?.to_string(),
        Type::Code(_) => vocabulary::code(field.name, &text).map_or(text, str::to_owned),
        Type::Codes(codes) => vocabulary::codes(codes, field.name, &text).unwrap_or(text),
        Type::Whole(_) => text.parse::<u64>().ok()?.to_string(),
        _ => text,
    };
    field.problem(Some(&value)).is_none().then_some(value)
}

/// Fields in which somebody must say what nobody has: rules tell of a placeholder there.
const NAMES: [&str; 3] = ["surname", "given", "patronymic"];

/// `body` as the coordination centre reads it, for rules: what says that there is nothing is absent, what can be read is in the
/// form in which it is published, and the rest stays as typed.
pub fn read(body: &Body) -> Cow<'_, Body> {
    let (fields, of_lines) = fields(body.kind());
    let reading = |line: &Line, fields: &[Field]| -> Vec<(&'static str, Option<String>)> {
        let stated = line.iter().filter_map(|(field, text)| Some((field, text?)));
        let read = stated.filter_map(|(stated, text)| {
            let field = fields.iter().find(|field| field.name == stated.name);
            let value = as_read(body.kind(), field.unwrap_or(stated), text);
            (value.as_deref() != Some(text)).then_some((stated.name, value))
        });
        read.collect()
    };
    let head = reading(body.head(), fields);
    let lines: Vec<_> = body.lines().iter().map(|line| reading(line, of_lines)).collect();
    if head.is_empty() && lines.iter().all(Vec::is_empty) {
        return Cow::Borrowed(body);
    }
    let mut read = body.clone();
    put(read.head_mut(), head);
    for (line, values) in read.lines_mut().iter_mut().zip(lines) {
        put(line, values);
    }
    Cow::Owned(read)
}

fn put(line: &mut Line, values: Vec<(&'static str, Option<String>)>) {
    for (field, value) in values {
        match value {
            Some(value) => line.set(field, &value).expect("of text that a record carries"),
            None => line.clear(field),
        }
    }
}

/// What `text` says in `field`, as [`read`] has it.
fn as_read(kind: Kind, field: &Field, text: &str) -> Option<String> {
    if matches!(field.ty, Type::Base64(_) | Type::Reference(_)) {
        return Some(text.to_owned());
    }
    let of_person = matches!(kind, Kind::RecipientClaim | Kind::Person);
    if of_person && NAMES.contains(&field.name) {
        return Some(text.trim().to_owned());
    }
    let plain = plain(text)?;
    if !of_person || !is_day(field) {
        return value(field, text).or(Some(plain));
    }
    let none = field.name != "birth_date" && is_no_day(&plain);
    (!none).then(|| of_person_date(field.name, &plain).map_or(plain, |date| date.to_string()))
}

/// Whether `field` of a person says a day: a date, or the end of a disability, which may also be a word («бессрочно»).
pub fn is_day(field: &Field) -> bool {
    matches!(field.ty, Type::Date) || field.name == "disability_until"
}

/// Whether `text` is what programs put where there is no date.
pub fn is_no_day(text: &str) -> bool {
    ["1900-01-01", "01.01.1900"].iter().any(|none| text.starts_with(none))
}

/// The date that `text` says in a field of a person: of birth by the century in which people were born, of all else by that in
/// which it can have happened.
pub fn of_person_date(field: &str, text: &str) -> Option<Date> {
    if field == "birth_date" { parse_date(text) } else { parse_recent_date(text) }
}

/// Whether `line`, or the head of a record, says something in `field` that nobody can read.
pub fn is_unread(field: &Field, line: &Line) -> bool {
    let says = |text: &str| plain(text).is_some() && value(field, text).is_none();
    !matches!(field.ty, Type::Reference(_)) && line.text(field.name).is_some_and(says)
}

/// Whether a line of these `fields` has nothing that can be read where it must say something: it is left out whole.
pub fn lacks(field: &Field, line: &Line) -> bool {
    field.required && line.text(field.name).and_then(|text| value(field, text)).is_none()
}

/// A Russian telephone as E.164: of eleven digits from 7 or 8 on, or of the ten after it. `None` for anything else: with a digit
/// lost or one too many it would be another's.
pub fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_international = text.trim_start().starts_with('+');
    let ten = match digits.len() {
        11 if digits.starts_with('7') || digits.starts_with('8') && !is_international => &digits[1..],
        // a number that lost a digit begins with 7, 89 or 79, and no code of a place does
        10 if !is_international && digits.starts_with(['3', '4', '8', '9']) && !digits.starts_with("89") => {
            &digits
        }
        _ => return None,
    };
    ten.starts_with(['3', '4', '5', '6', '7', '8', '9']).then(|| format!("+7{ten}"))
}

/// Free text: white space collapsed, without characters that nobody sees; `None` if empty or a placeholder.
pub fn plain(text: &str) -> Option<String> {
    let joined = invisible::seen(text).split_whitespace().collect::<Vec<_>>().join(" ");
    (!vocabulary::is_placeholder(&joined)).then_some(joined)
}
