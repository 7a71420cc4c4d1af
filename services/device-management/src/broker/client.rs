//! The connection to the plugin: batches of commands go to one topic, their answers come back on another.

use super::command::{Answer, Answers, Batch, Command, Marked};
use rumqttc::{
    AsyncClient, Event, EventLoop, IncomingPacketSizeLimit, MqttOptions, Packet, PublishOptions, QoS, TlsConfiguration,
    Transport,
};
use service::{Context, Retry, Shutdown, mqtt};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

const REQUESTS: &str = "$CONTROL/dynamic-security/v1";
const ANSWERS: &str = "$CONTROL/dynamic-security/v1/response";

/// The plugin works alone and blocks the broker: a batch takes seconds at worst.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the plugin was not told.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No connection, or it broke off before the answer: nobody knows whether the commands were carried out.
    #[error("the MQTT broker is away")]
    Away,
    /// The connection stands, but the plugin does not answer: it is not loaded, or our account may not talk to it.
    #[error("the broker's dynamic-security plugin does not answer within {0:?}")]
    Silent(Duration),
    /// Not the plugin's JSON.
    #[error("the broker's dynamic-security plugin answers what cannot be read: {0}")]
    Nonsense(String),
    /// Answers to only some of the commands.
    #[error("the broker's dynamic-security plugin answers {answered} of {asked} commands")]
    Incomplete {
        /// How many commands there were.
        asked: usize,
        /// How many answers.
        answered: usize,
    },
    /// A certificate or key file.
    #[error("`{path}` cannot be read")]
    File {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

struct Request {
    commands: Vec<Command>,
    reply: oneshot::Sender<Result<Vec<Answer>, BrokerError>>,
}

/// The connection to the broker; it is made again whenever it breaks off.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    requests: mpsc::Sender<Request>,
    connected: watch::Receiver<bool>,
}

impl Broker {
    /// Starts to connect.
    ///
    /// # Errors
    /// A certificate cannot be read.
    pub(crate) fn start(settings: &mqtt::Settings, context: &Context) -> Result<Self, BrokerError> {
        let options = options(settings)?;
        let (requests, incoming) = mpsc::channel(16);
        let (connected, watched) = watch::channel(false);
        let connection = Connection { options, incoming, connected, shutdown: context.shutdown.clone() };
        context.spawn("broker connection", async move {
            connection.run().await;
            Ok::<(), std::convert::Infallible>(())
        });
        Ok(Self { requests, connected: watched })
    }

    /// Sends a batch and waits for the answer to each of its commands.
    pub(crate) async fn send(&self, commands: Vec<Command>) -> Result<Vec<Answer>, BrokerError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        if !*self.connected.borrow() {
            return Err(BrokerError::Away);
        }
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { commands, reply }).await.map_err(|_| BrokerError::Away)?;
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.unwrap_or(Err(BrokerError::Away)),
            Err(_) => Err(BrokerError::Silent(PATIENCE)),
        }
    }

    /// Returns when the connection stands.
    pub(crate) async fn connected(&mut self) {
        if self.connected.wait_for(|connected| *connected).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when the connection is lost.
    pub(crate) async fn lost(&mut self) {
        if self.connected.wait_for(|connected| !*connected).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

struct Connection {
    options: MqttOptions,
    incoming: mpsc::Receiver<Request>,
    connected: watch::Sender<bool>,
    shutdown: Shutdown,
}

impl Connection {
    async fn run(mut self) {
        let retry = Retry::between(Duration::from_millis(100), Duration::from_secs(5));
        let mut waits = retry.waits();
        let shutdown = self.shutdown.clone();
        loop {
            let was_up = tokio::select! {
                was_up = self.once() => was_up,
                () = shutdown.wait() => return,
            };
            metrics::gauge!("mqtt_broker_connected").set(0.0);
            if was_up {
                waits = retry.waits();
            }
            tokio::select! {
                () = tokio::time::sleep(waits.next().unwrap_or(Duration::from_secs(5))) => {}
                () = shutdown.wait() => return,
            }
        }
    }

    /// One connection, until it breaks off. A new client each time: rumqttc would send again what was not acknowledged, and
    /// an old command could undo a newer one.
    async fn once(&mut self) -> bool {
        let (client, mut events) = AsyncClient::builder(self.options.clone()).capacity(16).build();
        let mut waiting = Waiting::default();
        let up = loop {
            tokio::select! {
                request = self.incoming.recv(), if *self.connected.borrow() => match request {
                    Some(request) => send(&client, request, &mut waiting).await,
                    None => break true,
                },
                event = events.poll() => match event {
                    Ok(event) => self.event(&client, event, &mut waiting).await,
                    Err(error) => {
                        let was_up = *self.connected.borrow();
                        let error = mqtt::explained(&error.to_string());
                        tracing::warn!(error, "the MQTT broker is away");
                        break was_up;
                    }
                },
            }
        };
        self.connected.send_replace(false);
        // Whoever waits for an answer learns by the dropped sender that there is none.
        drop::<EventLoop>(events);
        up
    }

    async fn event(&self, client: &AsyncClient, event: Event, waiting: &mut Waiting) {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                if let Err(error) = client.subscribe(ANSWERS, QoS::AtLeastOnce).await {
                    tracing::warn!(%error, "the plugin's answers cannot be subscribed to");
                }
            }
            Event::Incoming(Packet::SubAck(_)) => {
                tracing::info!("connected to the MQTT broker");
                metrics::gauge!("mqtt_broker_connected").set(1.0);
                self.connected.send_replace(true);
            }
            Event::Incoming(Packet::Publish(publish)) if publish.topic == ANSWERS.as_bytes() => {
                match serde_json::from_slice::<Answers>(&publish.payload) {
                    Ok(answers) => waiting.answered(answers.responses),
                    Err(error) => waiting.none_is_answered(&error),
                }
            }
            _ => {}
        }
    }
}

type Reply = Result<Vec<Answer>, BrokerError>;

/// Who waits for answers, and to how many commands, by the mark that each of the commands carries: an answer that comes late, or
/// not at all, is never taken for another's. The plugin's answers go to everybody who hears its topic, other replicas and
/// operators among them, so that a mark is one in the world.
#[derive(Default)]
struct Waiting {
    replies: HashMap<String, (usize, oneshot::Sender<Reply>)>,
}

impl Waiting {
    fn mark(&mut self) -> String {
        // Whoever lost patience does not wait any more.
        self.replies.retain(|_, (_, reply)| !reply.is_closed());
        uuid::Uuid::new_v4().simple().to_string()
    }

    fn answered(&mut self, answers: Vec<Answer>) {
        let mark = answers.first().and_then(|answer| answer.mark.clone());
        let Some((asked, reply)) = mark.as_ref().and_then(|mark| self.replies.remove(mark)) else {
            tracing::debug!("the plugin answers what nobody waits for any more");
            return;
        };
        let answered = answers.iter().filter(|answer| answer.mark == mark).count();
        let whole = answered == asked && answers.len() == asked;
        let _ = reply.send(if whole { Ok(answers) } else { Err(BrokerError::Incomplete { asked, answered }) });
    }

    /// Nobody knows whose answer that was: everybody who waits asks again.
    fn none_is_answered(&mut self, error: &serde_json::Error) {
        for (_, (_, reply)) in self.replies.drain() {
            let _ = reply.send(Err(BrokerError::Nonsense(error.to_string())));
        }
    }
}

async fn send(client: &AsyncClient, Request { commands, reply }: Request, waiting: &mut Waiting) {
    let mark = waiting.mark();
    let marked = commands.iter().map(|command| Marked { command, mark: &mark }).collect();
    let body = match serde_json::to_vec(&Batch { commands: marked }) {
        Ok(body) => body,
        Err(error) => {
            let _ = reply.send(Err(BrokerError::Nonsense(error.to_string())));
            return;
        }
    };
    match client.publish(REQUESTS, body, PublishOptions::new(QoS::AtLeastOnce)).await {
        Ok(()) => {
            waiting.replies.insert(mark, (commands.len(), reply));
        }
        Err(error) => {
            tracing::warn!(%error, "commands could not be sent to the broker");
            let _ = reply.send(Err(BrokerError::Away));
        }
    }
}

fn options(settings: &mqtt::Settings) -> Result<MqttOptions, BrokerError> {
    let id = format!("device-management-{}", uuid::Uuid::new_v4().simple());
    let mut options = MqttOptions::new(id, (settings.host.clone(), settings.port));
    options.set_keep_alive(10);
    // A batch goes out when the one before is answered; rumqttc sets room aside for 65,535 otherwise, 12 MB.
    options.set_outgoing_inflight_upper_limit(8);
    // The list of all accounts comes in pages, but a page of roles with their rules is large.
    options.set_incoming_packet_size_limit(IncomingPacketSizeLimit::Unlimited);
    if let Some((username, password)) = &settings.login {
        options.set_credentials(username.clone(), password.reveal().clone());
    }
    if let Some(tls) = &settings.tls {
        options.set_transport(Transport::Tls(encryption(tls)?));
    }
    Ok(options)
}

fn encryption(tls: &mqtt::Tls) -> Result<TlsConfiguration, BrokerError> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|source| BrokerError::File { path: path.display().to_string(), source })
    };
    let client_auth = match &tls.identity {
        Some((certificate, key)) => Some((read(certificate)?, read(key)?)),
        None => None,
    };
    match &tls.authority {
        Some(path) => Ok(TlsConfiguration::Simple { ca: read(path)?, alpn: None, client_auth }),
        None => TlsConfiguration::try_default_rustls().map_err(|error| BrokerError::File {
            path: "the system's certificates".to_owned(),
            source: std::io::Error::other(error.to_string()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(marks: &[Option<&str>]) -> Vec<Answer> {
        marks.iter().map(|mark| Answer { mark: mark.map(str::to_owned), ..Answer::default() }).collect()
    }

    fn asked(waiting: &mut Waiting, commands: usize) -> (String, oneshot::Receiver<Reply>) {
        let (mark, (reply, answer)) = (waiting.mark(), oneshot::channel());
        waiting.replies.insert(mark.clone(), (commands, reply));
        (mark, answer)
    }

    #[test]
    fn answers_go_to_whoever_asked() {
        let mut waiting = Waiting::default();
        let (first, mut of_first) = asked(&mut waiting, 1);
        let (second, mut of_second) = asked(&mut waiting, 2);
        waiting.answered(answers(&[None]));
        waiting.answered(answers(&[Some(&second), Some(&second)]));
        assert!(of_first.try_recv().is_err(), "nothing came for it yet");
        assert_eq!(of_second.try_recv().unwrap().unwrap().len(), 2);
        waiting.answered(answers(&[Some(&first)]));
        assert_eq!(of_first.try_recv().unwrap().unwrap().len(), 1);
    }

    #[test]
    fn answers_to_another_replica_are_not_ours() {
        let (mut ours, mut theirs) = (Waiting::default(), Waiting::default());
        let (_, mut answer) = asked(&mut ours, 1);
        let (mark, _their_answer) = asked(&mut theirs, 1);
        ours.answered(answers(&[Some(&mark)]));
        assert!(answer.try_recv().is_err(), "nothing came for it yet");
    }

    #[test]
    fn a_late_answer_is_nobodys() {
        let mut waiting = Waiting::default();
        let (late, gone) = asked(&mut waiting, 1);
        drop(gone);
        let (_, mut next) = asked(&mut waiting, 1);
        waiting.answered(answers(&[Some(&late)]));
        assert!(next.try_recv().is_err());
        assert_eq!(waiting.replies.len(), 1, "nobody waits for the first any more");
    }

    #[test]
    fn fewer_answers_than_commands_are_an_error() {
        let mut waiting = Waiting::default();
        let (mark, mut answer) = asked(&mut waiting, 2);
        waiting.answered(answers(&[Some(&mark)]));
        let error = answer.try_recv().unwrap().unwrap_err();
        assert!(matches!(error, BrokerError::Incomplete { asked: 2, answered: 1 }), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_told_to_everybody() {
        let mut waiting = Waiting::default();
        let (_, mut answer) = asked(&mut waiting, 1);
        waiting.none_is_answered(&serde_json::from_str::<Answers>("[").unwrap_err());
        assert!(matches!(answer.try_recv().unwrap(), Err(BrokerError::Nonsense(_))));
    }
}
