//! Questions at a terminal, for what the flags left open. Who gave all that is needed is asked nothing.

use super::args::Args;
use super::check::{DEFAULT_MOUNT, Surroundings};
use super::fields;
use crate::context::Context;
use crate::exit::{Failure, Result};
use crate::prompt;
use diagnostic::Mistake;
use std::io::{BufRead, BufReader, Write};

/// The arguments with the answers of whoever sits at the terminal; as they are where nobody does.
pub(super) fn complete(args: &Args, surroundings: &Surroundings, context: &Context) -> Result<Args> {
    let runs = args.from_chart.is_some() || args.image.is_some() && args.port.is_some();
    let is_complete = args.name.is_some() && runs;
    if is_complete || context.output.is_json() || !prompt::has_terminal() {
        return Ok(args.clone());
    }
    let terminal = prompt::terminal()?;
    let mut conversation = Conversation { input: BufReader::new(&terminal), output: &terminal };
    conversation.complete(args.clone(), surroundings)
}

struct Conversation<R, W> {
    input: R,
    output: W,
}

impl<R: BufRead, W: Write> Conversation<R, W> {
    fn complete(&mut self, mut args: Args, surroundings: &Surroundings) -> Result<Args> {
        let namespace = args.namespace.clone();
        self.needed(&mut args.name, "Name of the service", |text| surroundings.free_name(text, &namespace))?;
        if args.from_chart.is_some() {
            self.optional(&mut args.summary, "What it is, in half a line", fields::summary)?;
            return Ok(args);
        }
        self.needed(&mut args.image, "Image, with its version (redis:7.4.11)", fields::image)?;
        self.needed(&mut args.port, "Port that it listens on", fields::port)?;
        self.optional(&mut args.health, "Path that answers 200 over HTTP when it is well (/health)", fields::health)?;
        self.optional(&mut args.kind, "Kind: deployment or statefulset, empty for deployment", kind)?;
        if args.mount.is_none() {
            self.optional(&mut args.storage, "Size of a volume for its data (2Gi)", fields::size)?;
        }
        if args.storage.is_some() {
            let question = format!("Folder of the data in the container, empty for {DEFAULT_MOUNT}");
            self.optional(&mut args.mount, &question, fields::mount)?;
        }
        if !args.vault && args.secret_env.is_empty() {
            let question = "Environment variables that are secret (HUB_TOKEN,HUB_KEY)";
            let mut answer = None;
            self.optional(&mut answer, question, |text| {
                text.split(',').try_for_each(|name| fields::secret(name).map(drop))
            })?;
            args.secret_env = answer.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
        }
        self.optional(&mut args.summary, "What it is, in half a line", fields::summary)?;
        Ok(args)
    }

    /// Asks until there is a good answer.
    fn needed<T>(
        &mut self,
        answer: &mut Option<String>,
        question: &str,
        check: impl Fn(&str) -> std::result::Result<T, Mistake>,
    ) -> Result<()> {
        while answer.is_none() {
            self.optional(answer, question, &check)?;
        }
        Ok(())
    }

    /// Asks until the answer is good or empty.
    fn optional<T>(
        &mut self,
        answer: &mut Option<String>,
        question: &str,
        check: impl Fn(&str) -> std::result::Result<T, Mistake>,
    ) -> Result<()> {
        while answer.is_none() {
            let said = self.line(question)?;
            match check(&said) {
                _ if said.is_empty() => break,
                Ok(_) => *answer = Some(said),
                Err(mistake) => self.refuse(&mistake)?,
            }
        }
        Ok(())
    }

    fn line(&mut self, question: &str) -> Result<String> {
        let mut line = String::new();
        let read = write!(self.output, "{question}: ").and_then(|()| self.output.flush());
        let read = read.and_then(|()| self.input.read_line(&mut line)).map_err(lost)?;
        match read {
            0 => Err(Failure::usage("the answers ended before the questions, so nothing was written").into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    fn refuse(&mut self, mistake: &Mistake) -> Result<()> {
        let hint = mistake.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        Ok(writeln!(self.output, "  {mistake}{hint}").map_err(lost)?)
    }
}

fn kind(text: &str) -> std::result::Result<(), Mistake> {
    match text {
        "deployment" | "statefulset" => Ok(()),
        _ => Err(Mistake::new(format!("`{text}` is neither deployment nor statefulset"))),
    }
}

fn lost(error: std::io::Error) -> Failure {
    Failure::usage("the terminal does not answer").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(args: Args, answers: &str) -> (Result<Args>, String) {
        let root = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs/project");
        let surroundings = Surroundings::read(root).unwrap();
        let mut output = Vec::new();
        let mut conversation = Conversation { input: answers.as_bytes(), output: &mut output };
        let asked = conversation.complete(args, &surroundings);
        (asked, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_wrong_answer_is_asked_for_again_and_an_empty_one_means_the_default() {
        let (args, said) =
            ask(Args::default(), "web\ncache\nredis\nredis:7\n0\n6379\n\nset\nstatefulset\n1Gi\n\nA B\nA,B\n\n");
        let args = args.unwrap();
        assert_eq!(args.name.as_deref(), Some("cache"));
        assert_eq!((args.image.as_deref(), args.port.as_deref()), (Some("redis:7"), Some("6379")));
        assert_eq!((args.health, args.kind.as_deref(), args.mount), (None, Some("statefulset"), None));
        assert_eq!(args.secret_env, ["A", "B"]);
        for text in ["service `web` exists already", "image `redis` has no tag", "`0` is no port", "`set` is neither"] {
            assert!(said.contains(text), "`{text}` is not in {said}");
        }
    }

    #[test]
    fn what_was_given_is_not_asked_for() {
        let given = Args { image: Some("a:1".into()), port: Some("1".into()), ..Args::default() };
        let (args, said) = ask(given, "cache\n\n\n\n\n\n");
        assert!(args.is_ok() && !said.contains("Image") && !said.contains("Port"), "{said}");
    }

    #[test]
    fn answers_that_end_too_early_are_an_error() {
        assert!(ask(Args::default(), "cache\n").0.is_err());
    }
}
