//! Progress on standard error: a spinner for people at a terminal, a line a step elsewhere, nothing with `--format json`.

use std::{
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

use exchange_endpoint::{
    messages::{self, Lang},
    output::{self, Format},
};
use indicatif::{ProgressBar, ProgressStyle};

/// Tells the steps of the demonstration and measures them.
#[derive(Debug)]
pub struct Progress {
    lang: Lang,
    quiet: bool,
    bar: Option<ProgressBar>,
    step: Option<(&'static str, Instant)>,
    /// Seconds of each finished step.
    pub stages: Vec<(&'static str, f64)>,
}

impl Progress {
    /// Nothing told yet. Programs that read JSON are told nothing but an error.
    pub fn new(lang: Lang, format: Format) -> Self {
        let quiet = format == Format::Json;
        let bar = (!quiet && stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { lang, quiet, bar, step: None, stages: Vec::new() }
    }

    /// The step `id` of the catalogue begins; the one before has ended.
    pub fn step(&mut self, id: &'static str) {
        self.end_step();
        let text = messages::text(self.lang, id, &[]);
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None if self.quiet => {}
            None => output::note(&text),
        }
        self.step = Some((id, Instant::now()));
    }

    /// How far the step is.
    pub fn seen(&self, detail: &str) {
        if let (Some(bar), Some((id, _))) = (&self.bar, &self.step) {
            bar.set_message(format!("{} {detail}", messages::text(self.lang, id, &[])));
        }
    }

    /// All steps have ended.
    pub fn end(&mut self) {
        self.end_step();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn end_step(&mut self) {
        if let Some((id, begun)) = self.step.take() {
            let name = id.trim_start_matches("demo-step-");
            self.stages.push((name, (begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0));
        }
    }
}
