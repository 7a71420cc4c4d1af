//! The worker that keeps accounts in step: the outbox as soon as something is in it, everything at start and from time to time.

use super::account::{INGESTION_ROLE, Wanted, defaults, device_of, ingestion_rules};
use super::apply::{Outcome, apply};
use super::client::{Broker, BrokerError};
use super::command::{Command, ListedClient, ListedRole, RoleName};
use super::pace::Pace;
use super::reconcile::{Found, plan};
use super::seal::Seal;
use crate::storage::{self, outbox};
use service::{Secret, Shutdown, TopicPrefix};
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Corrections in one message; each may take as long as the whole store needs to be written.
const CORRECTIONS: usize = 5;

/// Accounts or roles in one answer.
const PAGE: i64 = 500;

/// How often the outbox is looked at when nobody says that there is something: another replica may have died over it.
const LOOK: Duration = Duration::from_secs(2);

/// The account of the service that reads what devices send.
#[derive(Debug, Clone)]
pub(crate) struct Ingestion {
    pub(crate) username: String,
    pub(crate) password: Secret<String>,
}

/// Keeps the accounts in step.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) pool: PgPool,
    pub(crate) broker: Broker,
    pub(crate) seal: Arc<Seal>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) prefix: TopicPrefix,
    pub(crate) ingestion: Option<Ingestion>,
    pub(crate) bind_client_id: bool,
    pub(crate) every: Duration,
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the plugin refused: {0}")]
    Refused(String),
    #[error("the plugin's list of {list} cannot be read: {source}")]
    List { list: &'static str, source: serde_json::Error },
}

impl Worker {
    /// Works until the shutdown.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut broker = self.broker.clone();
        loop {
            tokio::select! {
                () = broker.connected() => {}
                () = self.gauge_while_away() => {}
                () = shutdown.wait() => return,
            }
            tokio::select! {
                () = self.while_connected() => {}
                () = broker.lost() => {}
                () = shutdown.wait() => return,
            }
        }
    }

    /// How much waits shows also while the broker is away.
    async fn gauge_while_away(&self) {
        loop {
            self.gauge().await;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn while_connected(&self) {
        let (mut reconciled, mut pace): (Option<Instant>, Pace) = (None, Pace::default());
        loop {
            self.gauge().await;
            let more = match self.carry_out(&mut pace, false).await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "accounts at the broker could not be brought into step");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    continue;
                }
            };
            // Also while more waits: after an import that takes half an hour, and without what waits in it.
            if reconciled.is_none_or(|when| when.elapsed() >= self.every) {
                match self.reconcile().await {
                    Ok(()) => reconciled = Some(Instant::now()),
                    Err(error) => tracing::warn!(%error, "accounts at the broker could not be compared"),
                }
            }
            if more {
                continue;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    async fn gauge(&self) {
        if let Ok((waiting, lost)) = outbox::counts(&self.pool).await {
            metrics::gauge!("mqtt_outbox_waiting").set(waiting as f64);
            metrics::gauge!("mqtt_accounts_lost").set(lost as f64);
        }
    }

    /// Nobody who is to be cut off waits for a comparison, which takes long when there are many accounts.
    async fn cut_off(&self) -> Result<(), Trouble> {
        while self.carry_out(&mut Pace::default(), true).await? {}
        Ok(())
    }

    /// One batch; whether there was anything to do.
    async fn carry_out(&self, pace: &mut Pace, urgent: bool) -> Result<bool, Trouble> {
        let mut transaction = self.pool.begin().await?;
        let due = outbox::due(&mut transaction, pace.batch(), urgent).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let begun = Instant::now();
        let outcomes = apply(&self.broker, &due, &self.prefix, &self.seal, self.bind_client_id).await?;
        pace.took(due.len(), begun.elapsed());
        metrics::histogram!("mqtt_accounts_batch_seconds").record(begun.elapsed().as_secs_f64());
        for (due, outcome) in due.iter().zip(&outcomes) {
            metrics::counter!("mqtt_accounts_changed_total", "outcome" => label(outcome)).increment(1);
            if let Outcome::Refused(words) = outcome {
                tracing::warn!(device = %due.device, error = words, "the plugin refused a change");
            }
        }
        outbox::settle(&mut transaction, &due, &outcomes).await?;
        transaction.commit().await?;
        let of = |wanted: Outcome| {
            let chosen = due.iter().zip(&outcomes).filter(move |(_, outcome)| **outcome == wanted);
            chosen.map(|(due, _)| due.device.to_string())
        };
        let (lost, sound) = (of(Outcome::Lost).collect::<Vec<_>>(), of(Outcome::Done).collect());
        outbox::mark_lost(&mut *self.pool.acquire().await?, &lost, &sound).await?;
        Ok(true)
    }

    /// Compares everything. Of several replicas one does it; the lock goes with the connection.
    async fn reconcile(&self) -> Result<(), Trouble> {
        let mut transaction = self.pool.begin().await?;
        if !outbox::lock_reconciliation(&mut transaction).await? {
            return Ok(());
        }
        let begun = Instant::now();
        // First the broker, then the tables: what changes from here on, also by another replica, is left out.
        let since = outbox::now(&mut transaction).await?;
        self.set_up().await?;
        let found = self.found().await?;
        let desired = storage::devices::desired(&self.pool, &since).await?;
        let known: HashSet<&str> = desired.iter().map(|device| device.id.as_str()).collect();
        let wanted: HashMap<_, Wanted> =
            desired.iter().filter(|device| !device.waiting).map(|device| (device.id.clone(), device.wanted)).collect();
        let plan = plan(&found, &wanted, |device| known.contains(device), &self.prefix);
        if !plan.commands.is_empty() || !plan.lost.is_empty() {
            tracing::warn!(changes = plan.commands.len(), lost = plan.lost.len(), "the broker was out of step");
        }
        for commands in plan.commands.chunks(CORRECTIONS) {
            self.cut_off().await?;
            let devices: Vec<&str> = commands.iter().map(device).collect();
            let changed = outbox::changed_since(&mut transaction, &since, &devices).await?;
            let commands = commands.iter().filter(|command| !changed.contains(device(command))).cloned().collect();
            for answer in self.broker.send(commands).await?.iter().filter(|answer| answer.error.is_some()) {
                tracing::warn!(error = answer.error, "the plugin refused a correction");
            }
        }
        let lost: Vec<&str> = plan.lost.iter().map(String::as_str).collect();
        let changed = outbox::changed_since(&mut transaction, &since, &lost).await?;
        let lost: Vec<String> = plan.lost.into_iter().filter(|device| !changed.contains(device)).collect();
        outbox::mark_lost(&mut transaction, &lost, &plan.sound).await?;
        outbox::forget_told(&mut transaction, &since).await?;
        transaction.commit().await?;
        metrics::histogram!("mqtt_reconcile_seconds").record(begun.elapsed().as_secs_f64());
        Ok(())
    }

    /// What must hold for everybody: nothing is allowed by default, and ingestion has its role. Only what is not so is told:
    /// with each command the plugin writes its store anew, and Mosquitto 2.0.11 writes it in place. Killed in that moment, it
    /// comes back without any account (seen).
    async fn set_up(&self) -> Result<(), Trouble> {
        let (rolename, acls) = (INGESTION_ROLE.to_owned(), ingestion_rules(&self.prefix));
        let asked = vec![Command::GetDefaultACLAccess, Command::GetRole { rolename: rolename.clone() }];
        let answers = self.broker.send(asked).await?;
        let mut commands = Vec::new();
        if !answers.first().is_some_and(|answer| answer.has_defaults(&defaults())) {
            commands.push(Command::SetDefaultACLAccess { acls: defaults() });
        }
        let known = answers.get(1).and_then(super::command::Answer::role).map(|mut role| {
            role.acls.sort();
            role.acls
        });
        match known {
            None => commands.push(Command::CreateRole { rolename, acls }),
            Some(known) if known == acls => {}
            Some(_) => commands.push(Command::ModifyRole { rolename, acls }),
        }
        if let Some(error) = self.broker.send(commands).await?.into_iter().find_map(|answer| answer.error) {
            return Err(Trouble::Refused(error));
        }
        match &self.ingestion {
            Some(ingestion) => self.ingestion_account(ingestion).await,
            None => Ok(()),
        }
    }

    /// Makes the account of data-ingestion, or gives it another password when that was changed: not at every start, since
    /// that would cut its connections.
    async fn ingestion_account(&self, Ingestion { username, password }: &Ingestion) -> Result<(), Trouble> {
        let (username, mark) = (username.clone(), self.seal.mark(password));
        let textdescription = format!("{INGESTION_ROLE} {mark}");
        let answer = self.broker.send(vec![Command::GetClient { username: username.clone() }]).await?;
        let found = answer.first().and_then(super::command::Answer::client);
        let (password, roles) = (password.clone().into(), vec![RoleName { rolename: INGESTION_ROLE.to_owned() }]);
        let command = match found.map(|client| client.textdescription.unwrap_or_default()) {
            None => Command::CreateClient { username, password, clientid: None, textdescription, roles },
            Some(known) if known == textdescription => return Ok(()),
            Some(known) if known.starts_with(INGESTION_ROLE) => {
                tracing::info!(username, "the password of data-ingestion's account was changed");
                Command::ModifyClient { username, password, clientid: None, textdescription, roles }
            }
            Some(_) => {
                tracing::warn!(username, "an account of this name was made by somebody else: it is left alone");
                return Ok(());
            }
        };
        match self.broker.send(vec![command]).await?.into_iter().next().and_then(|answer| answer.error) {
            Some(error) => Err(Trouble::Refused(error)),
            None => Ok(()),
        }
    }

    async fn found(&self) -> Result<Found, Trouble> {
        let mut found = Found::default();
        loop {
            let offset = found.clients.len() as i64;
            let page: Vec<ListedClient> =
                self.page(Command::ListClients { verbose: true, count: PAGE, offset }, "clients").await?;
            found.clients.extend(page.iter().cloned());
            if page.len() < PAGE as usize {
                break;
            }
        }
        loop {
            let offset = found.roles.len() as i64;
            let page: Vec<ListedRole> =
                self.page(Command::ListRoles { verbose: true, count: PAGE, offset }, "roles").await?;
            found.roles.extend(page.iter().cloned());
            if page.len() < PAGE as usize {
                break;
            }
        }
        Ok(found)
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        command: Command,
        list: &'static str,
    ) -> Result<Vec<T>, Trouble> {
        self.cut_off().await?;
        let mut answer = self.broker.send(vec![command]).await?.into_iter().next().unwrap_or_default();
        if let Some(error) = answer.error {
            return Err(Trouble::Refused(error));
        }
        // An answer without the list is not an empty list: by that, everybody's account would be lost.
        serde_json::from_value(answer.data.get_mut(list).map(serde_json::Value::take).unwrap_or_default())
            .map_err(|source| Trouble::List { list, source })
    }
}

/// The device of a correction.
fn device(command: &Command) -> &str {
    device_of(command.about()).unwrap_or_else(|| command.about())
}

fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Lost => "lost",
        Outcome::Refused(_) => "refused",
    }
}
