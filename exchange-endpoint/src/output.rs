//! How a program speaks to the one who started it: the result on standard output, one error on standard
//! error, and an exit code (docs/CLI_JSON.md). The only place of the project that writes to the two.

use std::{
    borrow::Cow,
    ffi::OsString,
    fmt,
    io::{self, Write as _},
    panic::{self, AssertUnwindSafe},
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
};

use clap::{Args, Parser, ValueEnum};
use serde::Serialize;
use serde_json::json;

pub use crate::messages::Lang;
use crate::{
    help,
    messages::{self, Told, Value},
    usage,
};

/// How the result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON document.
    Json,
}

/// The arguments every command takes, before or after the subcommand's own.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonArgs {
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to write the result and an error
    #[arg(long, global = true, value_enum, default_value_t)]
    pub format: Format,
    /// Language of messages
    #[arg(long, global = true, value_enum, default_value_t)]
    pub lang: Lang,
}

impl CommonArgs {
    /// Writes a command's result: `value` as JSON, or what `text` says of it to people.
    pub fn print<T: Serialize>(&self, value: &T, text: impl FnOnce(Lang) -> String) -> Result<(), Failure> {
        match self.format {
            Format::Text => print(&text(self.lang)),
            Format::Json => {
                let json = serde_json::to_string(value).map_err(|error| Failure::bug(&error))?;
                print(&json)
            }
        }
    }

    /// The path of `--config`, which this command cannot do without.
    pub fn config_file(&self) -> Result<&PathBuf, Failure> {
        self.config.as_ref().ok_or_else(|| Failure::new(Exit::Usage, "config-not-named"))
    }
}

/// What a program's end means to the script that started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or true.
    Done,
    /// 1: checked and false.
    False,
    /// 2: usage or configuration.
    Usage,
    /// 3: input refused.
    Refused,
    /// 4: temporary, try again.
    Temporary,
    /// 5: another instance owns this database.
    Owned,
    /// 70: a bug of ours.
    Bug,
}

impl Exit {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::False => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Temporary => 4,
            Self::Owned => 5,
            Self::Bug => 70,
        }
    }

    /// What it means that a file could not be read or written: 4 where there may be room, memory or an answer
    /// another time, 2 where somebody must first put something right.
    pub fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind::{
            FileTooLarge, Interrupted, OutOfMemory, QuotaExceeded, ResourceBusy, StaleNetworkFileHandle,
            StorageFull, TimedOut, WouldBlock, WriteZero,
        };
        /// EIO, ENFILE and EMFILE, which have no kind of their own.
        const PASSING: [i32; 3] = [5, 23, 24];
        match error.kind() {
            StorageFull
            | QuotaExceeded
            | FileTooLarge
            | WriteZero
            | OutOfMemory
            | Interrupted
            | WouldBlock
            | TimedOut
            | ResourceBusy
            | StaleNetworkFileHandle => Self::Temporary,
            _ if error.raw_os_error().is_some_and(|code| PASSING.contains(&code)) => Self::Temporary,
            _ => Self::Usage,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command was not done: a stable code for programs, a sentence and a next step for people.
/// Neither bears personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    exit: Exit,
    code: Cow<'static, str>,
    words: Words,
}

#[derive(Debug, Clone, PartialEq)]
enum Words {
    /// `error-<code>` of the catalogue with these arguments, in the language asked for when it is printed.
    Catalogue(Vec<(&'static str, Argument)>),
    Plain {
        message: String,
        next: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Value(Value<'static>),
    Told(Told),
}

/// The arguments in `lang`.
fn in_lang(args: &[(&'static str, Argument)], lang: Lang) -> Vec<(&'static str, Value<'static>)> {
    let value = |argument: &Argument| match argument {
        Argument::Value(value) => value.clone(),
        Argument::Told(told) => told.in_lang(lang).to_owned().into(),
    };
    args.iter().map(|(name, argument)| (*name, value(argument))).collect()
}

impl Failure {
    /// The error `code` of the catalogue (messages `error-<code>` and `error-<code>.next`).
    pub const fn new(exit: Exit, code: &'static str) -> Self {
        Self { exit, code: Cow::Borrowed(code), words: Words::Catalogue(Vec::new()) }
    }

    /// An error whose words were made elsewhere, as by a peer or by the argument parser.
    pub fn plain(
        exit: Exit,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { exit, code: code.into(), words: Words::Plain { message: message.into(), next: next.into() } }
    }

    /// Something that cannot happen, has.
    pub fn bug(detail: &dyn fmt::Display) -> Self {
        Self::new(Exit::Bug, "bug").with("detail", detail.to_string())
    }

    /// Gives an argument of the catalogue's message its value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        if let Words::Catalogue(args) = &mut self.words {
            args.push((name, Argument::Value(value.into())));
        }
        self
    }

    /// [`with`](Self::with) for a value that prints itself: a path, a number, another error.
    #[must_use]
    pub fn told(self, name: &'static str, value: impl fmt::Display) -> Self {
        self.with(name, value.to_string())
    }

    /// [`with`](Self::with) for a cause that has its words in both languages: an error of the system, a rule.
    #[must_use]
    pub fn because(mut self, name: &'static str, cause: impl Into<Told>) -> Self {
        if let Words::Catalogue(args) = &mut self.words {
            args.push((name, Argument::Told(cause.into())));
        }
        self
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The code for programs; it never changes its meaning.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What happened.
    pub fn message(&self, lang: Lang) -> String {
        match &self.words {
            Words::Catalogue(args) => {
                messages::text(lang, &format!("error-{}", self.code), &in_lang(args, lang))
            }
            Words::Plain { message, .. } => message.clone(),
        }
    }

    /// What to do now.
    pub fn next(&self, lang: Lang) -> String {
        match &self.words {
            Words::Catalogue(args) => {
                messages::text(lang, &format!("error-{}.next", self.code), &in_lang(args, lang))
            }
            Words::Plain { next, .. } => next.clone(),
        }
    }

    /// The error as it stands on standard error, without a line end.
    pub fn render(&self, format: Format, lang: Lang) -> String {
        let (message, next) = (self.message(lang), self.next(lang));
        match format {
            Format::Json => {
                json!({"error": {"code": self.code, "message": message, "next": next}}).to_string()
            }
            Format::Text => {
                let label = messages::text(lang, "label-error", &[]);
                let arrow = if next.is_empty() { String::new() } else { format!("\n→ {next}") };
                format!("{label}: {message}{arrow}")
            }
        }
    }
}

/// In English: for logs.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Lang::En))
    }
}

impl std::error::Error for Failure {}

/// Writes `text` and a line end to standard output. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    print_to(&mut io::stdout().lock(), text)
}

fn print_to(out: &mut impl io::Write, text: &str) -> Result<(), Failure> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Temporary, "output").because("detail", error))
        }
        _ => Ok(()),
    }
}

/// Writes one line of progress or warning to standard error.
pub fn note(text: &str) {
    // Nothing is left to tell it to if standard error itself is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A program's command line, which bears the common arguments.
pub trait CommandLine: Parser {
    /// The common arguments.
    fn common(&self) -> &CommonArgs;
}

/// The whole of a `main`: reads the command line `args` (the program's name first), runs `command`, prints
/// the error if there was one, and says with which code to end. A panic ends with 70 and says only where
/// it was, because its text may hold what the data held.
pub fn run_main<C: CommandLine>(
    args: impl IntoIterator<Item = OsString>,
    command: impl FnOnce(C) -> Result<Exit, Failure>,
) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let command_line = help::in_language(C::command(), usage::lang_asked(&args));
    let parsed = command_line.try_get_matches_from(&args).and_then(|found| C::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, &args),
    };
    let CommonArgs { format, lang, .. } = *cli.common();
    let usual_hook = panic::take_hook();
    panic::set_hook(Box::new(remember_panic));
    let ended = panic::catch_unwind(AssertUnwindSafe(|| command(cli)));
    panic::set_hook(usual_hook);
    let failure = match ended {
        Ok(Ok(exit)) => return exit.into(),
        Ok(Err(failure)) => failure,
        Err(_) => {
            let place = PANICKED_AT.lock().map_or_else(|_| None, |mut place| place.take());
            Failure::bug(&place.unwrap_or_else(|| "?".to_owned()))
        }
    };
    note(&failure.render(format, lang));
    failure.exit().into()
}

static PANICKED_AT: Mutex<Option<String>> = Mutex::new(None);

fn remember_panic(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    tracing::error!(place, thread = std::thread::current().name(), "panicked");
    if let Ok(mut known) = PANICKED_AT.lock() {
        *known = place;
    }
}

/// Help and version are results; anything else is a usage error, told in the format and language asked for
/// as far as the arguments show them.
fn not_understood(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let text = error.render().to_string();
    let text = text.trim_end();
    if !error.use_stderr() {
        return print(text).map_or_else(|failure| failure.exit().into(), |()| ExitCode::SUCCESS);
    }
    let format = usage::asked(args, "--format").unwrap_or_default();
    note(&usage::failure(error, args).render(format, usage::lang_asked(args)));
    Exit::Usage.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_tried_again_and_a_missing_directory_is_not() {
        // ENOSPC, EDQUOT, EFBIG, EMFILE, EIO; ENOENT, EACCES, ENOTDIR, EROFS
        for code in [28, 122, 27, 24, 5] {
            assert_eq!(Exit::of_io(&io::Error::from_raw_os_error(code)), Exit::Temporary, "{code}");
        }
        for code in [2, 13, 20, 30] {
            assert_eq!(Exit::of_io(&io::Error::from_raw_os_error(code)), Exit::Usage, "{code}");
        }
    }

    #[derive(Debug, Parser)]
    struct Probe {
        #[command(flatten)]
        common: CommonArgs,
        #[arg(long)]
        panic: bool,
    }

    impl CommandLine for Probe {
        fn common(&self) -> &CommonArgs {
            &self.common
        }
    }

    fn run(args: &[&str]) -> ExitCode {
        let args = std::iter::once("probe").chain(args.iter().copied()).map(OsString::from);
        run_main::<Probe>(args, |probe| {
            assert!(!probe.panic, "Иванов Иван");
            probe.common.config_file()?;
            Ok(Exit::False)
        })
    }

    #[test]
    fn every_end_has_its_code() {
        assert_eq!(run(&["--config", "x"]), ExitCode::from(1));
        assert_eq!(run(&[]), ExitCode::from(2));
        assert_eq!(run(&["--no-such"]), ExitCode::from(2));
        assert_eq!(run(&["--help"]), ExitCode::SUCCESS);
        assert_eq!(run(&["--panic"]), ExitCode::from(70));
    }

    #[test]
    fn an_error_is_one_json_object_of_the_contract() {
        let failure = Failure::new(Exit::Usage, "config-not-named");
        let json: serde_json::Value =
            serde_json::from_str(&failure.render(Format::Json, Lang::En)).expect("JSON");
        assert_eq!(json["error"]["code"], "config-not-named");
        assert!(json["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(json["error"]["next"].as_str().is_some_and(|text| text.contains("--config")));
    }

    #[test]
    fn people_read_what_and_what_next_in_their_language() {
        let failure = Failure::new(Exit::Usage, "config-not-named");
        let text = failure.render(Format::Text, Lang::Ru);
        assert!(text.starts_with("Ошибка: ") && text.contains("\n→ "), "{text}");
        assert!(failure.to_string().is_ascii());
    }

    struct Fails(io::ErrorKind);

    impl io::Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is() {
        assert_eq!(print_to(&mut Fails(io::ErrorKind::BrokenPipe), "text"), Ok(()));
        let failure = print_to(&mut Fails(io::ErrorKind::StorageFull), "text").expect_err("told");
        assert_eq!((failure.code(), failure.exit()), ("output", Exit::Temporary));
    }

    #[test]
    fn the_codes_are_those_of_the_contract() {
        use Exit::{Bug, Done, False, Owned, Refused, Temporary, Usage};
        let codes = [Done, False, Usage, Refused, Temporary, Owned, Bug].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 70]);
    }
}
