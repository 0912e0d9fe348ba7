//! A command line that was not understood, in words of ours: the parser's own are English.

use std::{error::Error as _, ffi::OsString};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use exchange_format::participant::ParticipantCodeError;

use crate::{
    help,
    messages::{self, Told},
    output::{Exit, Failure, Lang},
};

/// What is wrong with the command line `args`, and how it is called. Of words that are no names of ours only place
/// and length are told: they may be personal data.
pub(crate) fn failure(error: &clap::Error, args: &[OsString]) -> Failure {
    let call = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    let call = Told::new(|lang| {
        let call = help::in_words(lang, call.trim().trim_start_matches("Usage:").trim());
        if call.is_empty() {
            String::new()
        } else {
            messages::text(lang, "usage-call", &[("call", call.into())])
        }
    });
    Failure::new(Exit::Usage, "usage").because("detail", told(error, args)).because("call", call)
}

fn told(error: &clap::Error, args: &[OsString]) -> Told {
    let id = match error.kind() {
        ErrorKind::UnknownArgument => "usage-unknown",
        ErrorKind::InvalidSubcommand => "usage-no-command",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "usage-command-missing"
        }
        ErrorKind::MissingRequiredArgument => "usage-missing",
        ErrorKind::ArgumentConflict
            if context(error, ContextKind::PriorArg) == context(error, ContextKind::InvalidArg) =>
        {
            "usage-twice"
        }
        ErrorKind::ArgumentConflict => "usage-conflict",
        ErrorKind::InvalidValue if context(error, ContextKind::InvalidValue).is_empty() => "usage-no-value",
        ErrorKind::InvalidValue if context(error, ContextKind::ValidValue).is_empty() => "usage-value",
        ErrorKind::InvalidValue => "usage-not-among",
        ErrorKind::ValueValidation if why(error).is_none() => "usage-value",
        ErrorKind::ValueValidation => "usage-value-why",
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => "usage-values",
        ErrorKind::InvalidUtf8 => "usage-utf8",
        _ => return error.kind().to_string().into(),
    };
    let why = why(error).unwrap_or_else(|| String::new().into());
    let argument = match error.kind() {
        ErrorKind::UnknownArgument => word(&context(error, ContextKind::InvalidArg), args),
        ErrorKind::InvalidSubcommand => word(&context(error, ContextKind::InvalidSubcommand), args),
        _ => Told::new(|lang| help::in_words(lang, &context(error, ContextKind::InvalidArg))),
    };
    Told::new(|lang| {
        let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
        let near = near.map(|kind| context(error, kind)).concat();
        let near = match near.as_str() {
            "" => String::new(),
            near => messages::text(lang, "usage-near", &[("near", near.into())]),
        };
        let args = [
            ("argument", argument.in_lang(lang).into()),
            ("other", help::in_words(lang, &context(error, ContextKind::PriorArg)).into()),
            ("known", context(error, ContextKind::ValidValue).into()),
            ("why", why.in_lang(lang).into()),
            ("near", near.into()),
        ];
        messages::text(lang, id, &args)
    })
}

/// What a value's own check said. Those of ours say the id of a message; the words of others may repeat the value.
fn why(error: &clap::Error) -> Option<Told> {
    let source = error.source()?;
    if let Some(code) = source.downcast_ref::<ParticipantCodeError>() {
        return Some(code.into());
    }
    let words = source.to_string();
    let within = words.split_once(" is not in ").and_then(|(_, range)| range.split_once(".."));
    if let Some((from, to)) = within {
        let to = to.trim_start_matches('=');
        return Some(Told::of(
            "usage-range",
            &[("from", from.to_owned().into()), ("to", to.to_owned().into())],
        ));
    }
    let number = source.is::<std::num::ParseIntError>();
    let id = if number { "usage-number" } else { words.as_str() };
    messages::find(Lang::En, id, &[])?;
    Some(Told::of(id, &[]))
}

/// A word that is no name of ours: its place in the command line, from 1, and its length.
fn word(typed: &str, args: &[OsString]) -> Told {
    let is = |arg: &OsString| {
        let rest = arg.to_str().and_then(|arg| arg.strip_prefix(typed));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    let place = args.iter().rposition(is).unwrap_or_default();
    Told::of("usage-word", &[("n", place.into()), ("length", typed.chars().count().into())])
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(one)) => one.clone(),
        Some(ContextValue::Strings(all)) => all.join(", "),
        Some(
            other @ (ContextValue::StyledStr(_) | ContextValue::StyledStrs(_) | ContextValue::Number(_)),
        ) => other.to_string(),
        _ => String::new(),
    }
}

/// The language that the arguments ask for, as far as they show it.
pub(crate) fn lang_asked(args: &[OsString]) -> Lang {
    asked(args, "--lang").unwrap_or_default()
}

/// The value of the option `name` as the arguments show it, understood or not.
pub(crate) fn asked<T: clap::ValueEnum>(args: &[OsString], name: &str) -> Option<T> {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let apart = words.windows(2).filter(|pair| pair[0] == name).map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    apart.chain(joined).find_map(|value| T::from_str(value, false).ok())
}
