//! What centres type where papers and programs have a date, a number or a code, as the coordination centre reads it: it
//! publishes what is read here and nothing else, and the rules tell a centre of the rest.

use crate::{
    record::{Field, Kind, Line, Type},
    typed_date::parse_paper_date,
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
        Type::Whole(_) => text.parse::<u64>().ok()?.to_string(),
        _ => text,
    };
    field.problem(Some(&value)).is_none().then_some(value)
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

/// Free text: white space collapsed; `None` if empty or a placeholder.
pub fn plain(text: &str) -> Option<String> {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!vocabulary::is_placeholder(&joined)).then_some(joined)
}
