//! Carrying the outbox out: which commands make each account what it should be, and what their answers mean.

use super::account::{Wanted, create, is_ours, replace, role_name};
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

/// The name was given to something else at the broker, by somebody else.
const FOREIGN: &str = "an account of this name is at the broker, and it is not a device's";

/// What to try for one device.
#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    username: String,
    /// Makes the account; where there is one already it changes nothing. Empty: none is to be made.
    make: Vec<Command>,
    /// When there is one, and it is ours.
    change: Vec<Command>,
    /// When there is none that is ours.
    without: Vec<Command>,
    /// What it means that there is none.
    missing: Outcome,
}

/// What is known of the account after the first look.
#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Made,
    Ours,
    /// None, or somebody else's.
    NotOurs(Option<&'static str>),
    Refused(String),
}

/// Tells the broker about all of them, in at most three messages; the outcomes are in the same order. An account that exists
/// is looked at before it is changed: a device may have been given the name of somebody who is no device.
pub(crate) async fn apply(
    broker: &Broker,
    due: &[Due],
    prefix: &TopicPrefix,
    seal: &Seal,
    bind: bool,
) -> Result<Vec<Outcome>, BrokerError> {
    let attempts: Vec<Option<Attempt>> = due.iter().map(|due| attempt(due, prefix, seal, bind)).collect();
    let first = attempts.iter().map(|attempt| attempt.as_ref().map_or_else(Vec::new, Attempt::first));
    let first = batch(broker, first).await?;
    let again = attempts.iter().zip(&first).map(|(attempt, answers)| match attempt {
        Some(attempt) if !attempt.make.is_empty() && answers.iter().any(Answer::exists) => vec![attempt.look()],
        _ => Vec::new(),
    });
    let looks = batch(broker, again).await?;
    let seen: Vec<Option<Seen>> = attempts
        .iter()
        .zip(first.iter().zip(&looks))
        .map(|(attempt, (first, look))| attempt.as_ref().map(|attempt| attempt.seen(first, look)))
        .collect();
    let last = attempts.iter().zip(&seen).map(|(attempt, seen)| match (attempt, seen) {
        (Some(attempt), Some(Seen::Ours)) => attempt.change.clone(),
        (Some(attempt), Some(Seen::NotOurs(_))) => attempt.without.clone(),
        _ => Vec::new(),
    });
    let last = batch(broker, last).await?;
    let outcomes =
        attempts.iter().zip(seen.into_iter().zip(&last)).map(|(attempt, (seen, last))| match (attempt, seen) {
            (Some(attempt), Some(seen)) => attempt.outcome(seen, last),
            _ => Outcome::Lost,
        });
    Ok(outcomes.collect())
}

/// All commands in one message, the answers split up again.
async fn batch(broker: &Broker, commands: impl Iterator<Item = Vec<Command>>) -> Result<Vec<Vec<Answer>>, BrokerError> {
    let commands: Vec<Vec<Command>> = commands.collect();
    let mut answers = broker.send(commands.concat()).await?.into_iter();
    Ok(commands.iter().map(|commands| answers.by_ref().take(commands.len()).collect()).collect())
}

impl Attempt {
    fn first(&self) -> Vec<Command> {
        if self.make.is_empty() { vec![self.look()] } else { self.make.clone() }
    }

    fn look(&self) -> Command {
        Command::GetClient { username: self.username.clone() }
    }

    fn seen(&self, first: &[Answer], look: &[Answer]) -> Seen {
        let wrong = |answers: &[Answer]| answers.iter().find_map(|answer| answer.error.clone());
        let answers = match (self.make.is_empty(), look.is_empty()) {
            (false, true) => return wrong(first).map_or(Seen::Made, Seen::Refused),
            (true, _) => first,
            (false, false) => look,
        };
        match answers.first() {
            Some(answer) if answer.missing() => Seen::NotOurs(None),
            Some(answer) => match answer.client() {
                Some(client) if is_ours(&client) => Seen::Ours,
                Some(_) => Seen::NotOurs(Some(FOREIGN)),
                None => Seen::Refused(wrong(answers).unwrap_or_else(|| "it shows no account".to_owned())),
            },
            None => Seen::Refused("it gives no answer".to_owned()),
        }
    }

    fn outcome(&self, seen: Seen, last: &[Answer]) -> Outcome {
        let wrong = last.iter().filter(|answer| !answer.missing()).find_map(|answer| answer.error.clone());
        match (seen, wrong) {
            (Seen::Made, _) => Outcome::Done,
            (Seen::Refused(words), _) | (_, Some(words)) => Outcome::Refused(words),
            (Seen::Ours, None) if last.iter().any(Answer::missing) => {
                Outcome::Refused("the account changed meanwhile".to_owned())
            }
            (Seen::Ours, None) => Outcome::Done,
            (Seen::NotOurs(Some(words)), None) if !self.make.is_empty() => Outcome::Refused(words.to_owned()),
            (Seen::NotOurs(_), None) => self.missing.clone(),
        }
    }
}

/// `None`: a key is needed and there is none that opens.
fn attempt(due: &Due, prefix: &TopicPrefix, seal: &Seal, bind: bool) -> Option<Attempt> {
    let username = due.device.to_string();
    let named = || username.clone();
    let none = |change, without, missing| Attempt { username: named(), make: vec![], change, without, missing };
    Some(match (due.wanted, opened(due, seal)) {
        (Wanted::Absent, _) => {
            let role = Command::DeleteRole { rolename: role_name(due.device.as_str()) };
            none(vec![Command::DeleteClient { username: named() }, role.clone()], vec![role], Outcome::Done)
        }
        (Wanted::Closed, _) => none(vec![Command::DisableClient { username: named() }], vec![], Outcome::Done),
        (Wanted::Open(credential), Some(key)) => Attempt {
            username: named(),
            make: create(prefix, &due.device, credential, &key, bind).into(),
            change: replace(prefix, &due.device, credential, &key, bind).into(),
            without: vec![],
            missing: Outcome::Refused("it says that the account is there, and that it is not".to_owned()),
        },
        (Wanted::Open(_), None) if due.sealed.is_some() => return None,
        (Wanted::Open(_), None) => none(vec![Command::EnableClient { username: named() }], vec![], Outcome::Lost),
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use service::config::Setting;
    use uuid::Uuid;

    fn answer(text: &str) -> Vec<Answer> {
        match text {
            "" => vec![],
            "ours" => {
                let client = serde_json::json!({"username": "dev-1", "roles": [{"rolename": "device:dev-1"}]});
                vec![Answer { data: serde_json::json!({ "client": client }), ..Answer::default() }]
            }
            "foreign" => {
                let client = serde_json::json!({"username": "dev-1", "textdescription": "by hand"});
                vec![Answer { data: serde_json::json!({ "client": client }), ..Answer::default() }]
            }
            "ok" => vec![Answer::default()],
            error => vec![Answer { error: Some(error.to_owned()), ..Answer::default() }],
        }
    }

    fn of(wanted: Wanted, keyed: bool) -> Attempt {
        let (device, credential) = ("dev-1".parse().unwrap(), Uuid::nil());
        let seal = Seal::parse(&Secret::new("0a".repeat(32))).unwrap();
        let sealed = keyed.then(|| seal.seal("dev-1", credential, &Secret::new("nbk_x".to_owned())).unwrap());
        let due = Due { device, generation: 1, wanted, sealed, sealed_for: Some(credential) };
        attempt(&due, &TopicPrefix::parse("n").unwrap(), &seal, true).unwrap()
    }

    #[rstest]
    #[case(Wanted::Open(Uuid::nil()), true, "ok", "", "", Outcome::Done)]
    #[case(Wanted::Open(Uuid::nil()), true, "Client already exists", "ours", "ok", Outcome::Done)]
    #[case(Wanted::Open(Uuid::nil()), true, "Client already exists", "foreign", "", Outcome::Refused(FOREIGN.into()))]
    #[case(Wanted::Open(Uuid::nil()), true, "Internal error", "", "", Outcome::Refused("Internal error".into()))]
    #[case(Wanted::Open(Uuid::nil()), false, "ours", "", "ok", Outcome::Done)]
    #[case(Wanted::Open(Uuid::nil()), false, "Client not found", "", "", Outcome::Lost)]
    #[case(Wanted::Open(Uuid::nil()), false, "foreign", "", "", Outcome::Lost)]
    #[case(Wanted::Closed, false, "ours", "", "ok", Outcome::Done)]
    #[case(Wanted::Closed, true, "Client not found", "", "", Outcome::Done)]
    #[case(Wanted::Closed, false, "foreign", "", "", Outcome::Done)]
    #[case(Wanted::Closed, false, "ours", "", "Internal error", Outcome::Refused("Internal error".into()))]
    #[case(Wanted::Absent, false, "Client not found", "", "Role not found", Outcome::Done)]
    #[case(Wanted::Absent, false, "foreign", "", "ok", Outcome::Done)]
    fn answers_say_how_it_ended(
        #[case] wanted: Wanted,
        #[case] keyed: bool,
        #[case] first: &str,
        #[case] look: &str,
        #[case] last: &str,
        #[case] outcome: Outcome,
    ) {
        let attempt = of(wanted, keyed);
        let seen = attempt.seen(&answer(first), &answer(look));
        assert_eq!(attempt.outcome(seen, &answer(last)), outcome);
    }

    #[test]
    fn nothing_of_somebody_elses_is_touched() {
        for wanted in [Wanted::Closed, Wanted::Absent, Wanted::Open(Uuid::nil())] {
            let without = of(wanted, false).without;
            assert!(without.iter().all(|command| matches!(command, Command::DeleteRole { .. })), "{without:?}");
        }
    }
}
