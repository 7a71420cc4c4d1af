//! Carrying the outbox out: which commands make each account what it should be, and what their answers mean.

use super::account::{Wanted, create, replace, role_name};
use super::client::{Broker, BrokerError};
use super::command::{Answer, Command};
use super::seal::Seal;
use crate::storage::outbox::Due;
use service::{Secret, TopicPrefix};

/// How one device's change ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The account is what it should be.
    Done,
    /// The account does not exist and its key is gone: only a new key helps.
    Lost,
    /// The plugin refused, in its words.
    Refused(String),
}

/// What to try for one device, and what when it exists already.
#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    first: Vec<Command>,
    /// When the first says that something exists.
    when_it_exists: Vec<Command>,
    /// A missing account is what we want.
    may_be_missing: bool,
}

/// Tells the broker about all of them, in at most two batches; the outcomes are in the same order.
pub(crate) async fn apply(
    broker: &Broker,
    due: &[Due],
    prefix: &TopicPrefix,
    seal: &Seal,
    bind: bool,
) -> Result<Vec<Outcome>, BrokerError> {
    let attempts: Vec<Option<Attempt>> = due.iter().map(|due| attempt(due, prefix, seal, bind)).collect();
    let first =
        batch(broker, attempts.iter().map(|attempt| attempt.as_ref().map_or(&[][..], |attempt| &attempt.first)))
            .await?;
    let again = attempts.iter().zip(&first).map(|(attempt, answers)| match attempt {
        Some(attempt) if answers.iter().any(Answer::exists) => &attempt.when_it_exists[..],
        _ => &[],
    });
    let second = batch(broker, again).await?;
    let outcomes = attempts.iter().zip(first.iter().zip(&second)).map(|(attempt, (first, second))| match attempt {
        None => Outcome::Lost,
        Some(attempt) => outcome(attempt, if second.is_empty() { first } else { second }),
    });
    Ok(outcomes.collect())
}

/// All commands in one message, the answers split up again.
async fn batch<'a>(
    broker: &Broker,
    commands: impl Iterator<Item = &'a [Command]>,
) -> Result<Vec<Vec<Answer>>, BrokerError> {
    let commands: Vec<&[Command]> = commands.collect();
    let mut answers = broker.send(commands.concat()).await?.into_iter();
    Ok(commands.iter().map(|commands| answers.by_ref().take(commands.len()).collect()).collect())
}

/// `None`: a key is needed and there is none that opens.
fn attempt(due: &Due, prefix: &TopicPrefix, seal: &Seal, bind: bool) -> Option<Attempt> {
    let username = due.device.to_string();
    let alone = |command, may_be_missing| Attempt { first: vec![command], when_it_exists: vec![], may_be_missing };
    Some(match (due.wanted, opened(due, seal)) {
        (Wanted::Absent, _) => {
            let rolename = role_name(due.device.as_str());
            let first = vec![Command::DeleteClient { username }, Command::DeleteRole { rolename }];
            Attempt { first, when_it_exists: vec![], may_be_missing: true }
        }
        (Wanted::Closed, _) => alone(Command::DisableClient { username }, true),
        (Wanted::Open(credential), Some(key)) => Attempt {
            first: create(prefix, &due.device, credential, &key, bind).into(),
            when_it_exists: replace(prefix, &due.device, credential, &key, bind).into(),
            may_be_missing: false,
        },
        (Wanted::Open(_), None) if due.sealed.is_some() => return None,
        (Wanted::Open(_), None) => alone(Command::EnableClient { username }, false),
    })
}

fn opened(due: &Due, seal: &Seal) -> Option<Secret<String>> {
    let (sealed, credential) = (due.sealed.as_deref()?, due.sealed_for?);
    let key = seal.open(due.device.as_str(), credential, sealed);
    if key.is_none() {
        tracing::error!(device = %due.device, "a waiting key cannot be opened: was OUTBOX_KEY changed? Its device needs a new key");
    }
    key
}

fn outcome(attempt: &Attempt, answers: &[Answer]) -> Outcome {
    let errors = answers.iter().filter(|answer| answer.error.is_some());
    let counted = errors.filter(|answer| !(attempt.may_be_missing && answer.missing()));
    match counted.into_iter().next() {
        None => Outcome::Done,
        Some(answer) if answer.missing() && attempt.when_it_exists.is_empty() => Outcome::Lost,
        Some(answer) => Outcome::Refused(answer.error.clone().unwrap_or_default()),
    }
}
