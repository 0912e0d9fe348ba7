//! `--help` in the language asked for. English stands at the arguments themselves; Russian is the catalogue
//! `ru/help.ftl`: `help-<program>-<command>…`, its `.long`, and an attribute for each argument of its own.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::messages::{self, Lang};

/// `command` as it speaks `lang`. It is built by this.
pub fn in_language(mut command: Command, lang: Lang) -> Command {
    command.build();
    match lang {
        Lang::En => command,
        Lang::Ru => russian(command, &mut Vec::new()),
    }
}

/// The template of clap in Russian.
const TEMPLATE: &str = "{before-help}{about-with-newline}\nВызов: {usage}\n\n{all-args}{after-help}";

fn russian(command: Command, above: &mut Vec<String>) -> Command {
    above.push(command.get_name().to_owned());
    let id = format!("help-{}", above.join("-"));
    let is_help = command.get_name() == "help";
    let say = |id: &str| messages::find(Lang::Ru, id, &[]);
    let usage = command.clone().render_usage().to_string();
    let usage = in_words(Lang::Ru, usage.trim_start_matches("Usage:").trim());
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("Команды")
        .override_usage(usage)
        .mut_args(|arg| argument(arg, &id));
    if let Some(about) = say(if is_help { "help-every-command" } else { &id }) {
        let long = say(&format!("{id}.long")).map(|long| format!("{about}\n\n{long}"));
        command = command.long_about(long.unwrap_or_else(|| about.clone())).about(about);
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| russian(sub, above));
    }
    above.pop();
    command
}

fn argument(arg: Arg, id: &str) -> Arg {
    let heading = if arg.is_positional() { "Аргументы" } else { "Параметры" };
    let name = arg.get_id().to_string();
    let words = messages::find(Lang::Ru, &format!("{id}.{name}"), &[])
        .or_else(|| messages::find(Lang::Ru, &format!("help-every.{name}"), &[]));
    let values: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| in_words(Lang::Ru, name)).collect();
    let mut words = words.or_else(|| arg.get_help().map(ToString::to_string)).unwrap_or_default();
    let possible: Vec<String> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let takes = arg.get_action().takes_values();
    if takes && !possible.is_empty() {
        let _ = write!(words, " [можно: {}]", possible.join(", "));
    }
    let usual: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if takes && !usual.is_empty() {
        let _ = write!(words, " [обычно: {}]", usual.join(", "));
    }
    let arg = arg.help_heading(heading).hide_default_value(true).hide_possible_values(true);
    let arg = if takes && !values.is_empty() { arg.value_names(values) } else { arg };
    arg.long_help(None::<&str>).help(words)
}

/// A call's line or an argument's name with the names of values in `lang`: `<FILE>` is `<ФАЙЛ>`.
pub(crate) fn in_words(lang: Lang, call: &str) -> String {
    if lang == Lang::En {
        return call.to_owned();
    }
    let mut out = String::with_capacity(call.len());
    let mut word = String::new();
    for c in call.chars().chain(['\0']) {
        if c.is_ascii_uppercase() || c == '_' && !word.is_empty() {
            word.push(c);
            continue;
        }
        let known = messages::find(lang, &format!("value-{}", word.to_lowercase()), &[]);
        out += &known.unwrap_or_else(|| word.clone());
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// What is wrong with the help of `command`: what has no words in one of the languages, headings that are missing or of
/// the other language. A test of each program holds this to be nothing.
pub fn faults(mut command: Command) -> Vec<String> {
    let mut faults = Vec::new();
    for (lang, has, lacks) in [
        (Lang::Ru, ["Вызов:", "Команды:", "Параметры:"], ["Options", "Print"]),
        (Lang::En, ["Usage:", "Commands:", "Options:"], ["Файл", "Показать"]),
    ] {
        let text = in_language(command.clone(), lang).render_long_help().to_string();
        faults.extend(has.into_iter().filter(|words| !text.contains(words)).map(str::to_owned));
        let strange = lacks.into_iter().filter(|words| text.contains(words));
        faults.extend(strange.map(|words| format!("{words} ({lang:?})")));
    }
    command.build();
    walk(&command, "help", &mut faults);
    faults
}

fn walk(command: &Command, above: &str, missing: &mut Vec<String>) {
    let id = format!("{above}-{}", command.get_name());
    let ru = |id: &str| messages::find(Lang::Ru, id, &[]).is_some();
    if command.get_about().is_none() || !ru(&id) {
        missing.push(id.clone());
    }
    if command.get_long_about().is_some() && !ru(&format!("{id}.long")) {
        missing.push(format!("{id}.long"));
    }
    for arg in command.get_arguments() {
        let name = arg.get_id();
        let known = ru(&format!("{id}.{name}")) || ru(&format!("help-every.{name}"));
        if arg.get_help().is_none() || !known {
            missing.push(format!("{id}.{name}"));
        }
        let values = arg.get_value_names().unwrap_or_default().iter();
        let english =
            values.filter(|value| in_words(Lang::Ru, value).contains(|c: char| c.is_ascii_uppercase()));
        missing.extend(
            english.filter(|_| arg.get_action().takes_values()).map(|value| format!("value-{value}")),
        );
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        walk(sub, &id, missing);
    }
}
