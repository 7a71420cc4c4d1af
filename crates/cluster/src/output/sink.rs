//! Where everything goes out: events and errors by the chosen format, data to standard output, secrets replaced.

use super::progress::Progress;
use super::{diagnostic, json, text};
use crate::cli::{Format, Global};
use crate::context::environment;
use crate::exit::{Code, Failure};
use crate::output::Event;
use ::diagnostic::{Diagnose, Exit, Mistake, Redactor};
use owo_colors::OwoColorize;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, OnceLock};

/// The output of one command. Clones write to the same streams.
#[derive(Clone)]
pub(crate) struct Output {
    format: Format,
    verbosity: u8,
    quiet: bool,
    redactor: Redactor,
    progress: Arc<Progress>,
    renderer: Arc<text::Renderer>,
    /// One of several services whose lines come between each other.
    service: Option<Arc<str>>,
    /// Why something that was asked for could not be written, the first time.
    unwritten: Arc<OnceLock<io::Error>>,
}

impl Output {
    /// By the options and the terminal.
    pub(crate) fn new(global: &Global) -> Self {
        let verbosity = global.verbose.max(verbosity_from_environment());
        let lively = global.output == Format::Text && !global.quiet && is_lively_terminal();
        let redactor = Redactor::new();
        Self {
            format: global.output,
            verbosity,
            quiet: global.quiet,
            redactor,
            progress: Arc::new(Progress::new(lively)),
            renderer: Arc::new(text::Renderer::new(verbosity)),
            service: None,
            unwritten: Arc::default(),
        }
    }

    /// The output of one of several services: its lines begin with its name, its objects have it, and what went well is told in fewer
    /// words.
    pub(crate) fn of_service(&self, name: &str) -> Self {
        let renderer = Arc::new(text::Renderer::condensed(self.verbosity));
        Self { service: Some(name.into()), renderer, ..self.clone() }
    }

    /// How much is shown: 0 to 3 and more.
    pub(crate) fn verbosity(&self) -> u8 {
        self.verbosity
    }

    /// Whether the output is one JSON object a line.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// The secrets that must not be shown. Whoever reads one adds it here.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Tells what happened.
    pub(crate) fn event(&self, event: impl Into<Event>) {
        let event = event.into();
        match self.format {
            Format::Json => self.json(&event),
            Format::Text => {
                self.progress.follow(&event, self.service.as_deref());
                let lines = self.renderer.render(&event);
                if !lines.is_empty() && (!self.quiet || text::is_wanted_in_quiet(&event)) {
                    self.write(text::is_result(&event), &lines);
                }
                if let Some(mistake) = text::explanation(&event) {
                    self.error(mistake);
                }
            }
        }
    }

    /// Data that one might pipe, as text.
    pub(crate) fn data(&self, text: &str) {
        self.write(true, text);
    }

    /// Bytes that were asked for, exactly as they are: what `cluster vault view` shows is a secret on purpose.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        self.progress.suspended(|| {
            let mut stdout = io::stdout().lock();
            self.keep_failure(stdout.write_all(bytes).and_then(|()| stdout.flush()));
        });
    }

    /// A remark on standard error, unless the output is quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && !self.is_json() {
            self.write(false, text);
        }
    }

    /// An object that one might pipe, as a line of JSON.
    pub(crate) fn json(&self, object: &impl Serialize) {
        let line = json::line(object, self.service.as_deref(), &self.redactor);
        self.progress.suspended(|| self.keep_failure(io::stdout().lock().write_all(line.as_bytes())));
    }

    /// Something odd in a file.
    pub(crate) fn warning(&self, warning: &Mistake) {
        match self.format {
            Format::Json => self.json(&json::warning(warning)),
            Format::Text if self.quiet => {}
            Format::Text => self.write(false, &diagnostic::render_warning(warning, styled())),
        }
    }

    /// What ended the command.
    pub(crate) fn error(&self, error: &dyn Diagnose) {
        self.error_ending_with(error, error.exit().code());
    }

    /// What ended a command whose exit codes are not ours.
    pub(crate) fn error_ending_with(&self, error: &dyn Diagnose, exit_code: u8) {
        match self.format {
            Format::Json => json::errors(error, exit_code).iter().for_each(|error| self.json(error)),
            Format::Text => self.write(false, &diagnostic::render(error, styled())),
        }
    }

    /// A line of the libraries' logs.
    pub(crate) fn log(&self, line: &str) {
        self.write(false, line);
    }

    /// Clears what moves.
    pub(crate) fn clear(&self) {
        self.progress.finish();
    }

    /// The same at the end of a command, and how it ends: not well when what was asked for could not be written.
    pub(crate) fn finish(&self, code: Code) -> Code {
        self.clear();
        match self.unwritten.get() {
            Some(error) if code == Code::DONE => not_written(error),
            _ => code,
        }
    }

    fn keep_failure(&self, written: io::Result<()>) {
        if let Err(error) = kept_unless_closed(written) {
            // The first one says what happened.
            let _known = self.unwritten.set(error);
        }
    }

    /// Each line behind the name of the service, where there are several.
    fn labelled<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        let Some(service) = &self.service else { return text };
        let lines = text.trim_matches('\n').lines().map(|line| format!("{} {line}\n", format!("{service} |").dimmed()));
        Cow::Owned(lines.collect())
    }

    fn write(&self, to_stdout: bool, text: &str) {
        let text = self.labelled(self.redactor.redact(text));
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        self.progress.suspended(|| {
            if to_stdout {
                self.keep_failure(write!(anstream::stdout().lock(), "{text}{newline}"));
            } else {
                // There is no other place where one could say it.
                let _unread = write!(anstream::stderr().lock(), "{text}{newline}");
            }
        });
    }
}

/// Whether standard error shows colours: a terminal, and nobody said `NO_COLOR`.
pub(crate) fn styled() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// A reader that went away (`| head`) is no reason to fail: the work goes on, as Ansible's does.
fn kept_unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// How a command ends that only prints, such as `--help`.
pub(crate) fn ended(code: Code, written: io::Result<()>) -> Code {
    match kept_unless_closed(written) {
        Err(error) if code == Code::DONE => not_written(&error),
        _ => code,
    }
}

/// Says it as text, whatever the format: the objects go to where nothing can be written.
fn not_written(error: &io::Error) -> Code {
    let because = io::Error::new(error.kind(), error.to_string());
    let failure = Failure::new(Exit::Failed, "standard output could not be written").because(because);
    let _unread = writeln!(anstream::stderr().lock(), "{}", diagnostic::render(&failure, styled()));
    Code::from(failure.exit())
}

/// `ANSIBLE_VERBOSITY`, as `ansible-playbook` reads it.
fn verbosity_from_environment() -> u8 {
    environment("ANSIBLE_VERBOSITY").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Something that moves is shown only to a person at a terminal that can show it.
fn is_lively_terminal() -> bool {
    let in_ci = environment("CI").is_some_and(|value| value != "false");
    let dumb = environment("TERM").is_none_or(|term| term == "dumb");
    std::io::stderr().is_terminal() && !in_ci && !dumb
}
