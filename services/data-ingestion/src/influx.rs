//! InfluxDB over HTTP: `/write` of 1.x and of VictoriaMetrics, `/api/v2/write` with a token of 2.x and 3.x.

use axum::body::Bytes;
use diagnostic::Secret;
use reqwest::{Client, StatusCode, Url};
use service::causes;
use service::config::{Environment, Invalid, Setting};
use std::time::Duration;

/// The settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `INFLUXDB_URL`
    pub url: String,
    /// Which interface.
    pub target: Target,
    /// `INFLUXDB_TIMEOUT`
    pub timeout: Duration,
}

/// Which of InfluxDB's interfaces, and what goes with it.
#[derive(Debug, Clone)]
pub enum Target {
    /// 1.x, VictoriaMetrics.
    Database {
        /// `INFLUXDB_DATABASE`
        name: String,
        /// `INFLUXDB_USERNAME` and `INFLUXDB_PASSWORD(_FILE)`
        login: Option<(String, Secret<String>)>,
    },
    /// 2.x and 3.x.
    Bucket {
        /// `INFLUXDB_ORG`
        organization: String,
        /// `INFLUXDB_BUCKET`
        bucket: String,
        /// `INFLUXDB_TOKEN(_FILE)`
        token: Secret<String>,
    },
}

/// Where InfluxDB is; paths and queries are added to it.
struct Address(String);

impl Setting for Address {
    const KIND: &'static str = "address";

    /// The text is not repeated in a mistake: it may have a password in it.
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
        let wrong = if !["http", "https"].contains(&url.scheme()) {
            "begins with neither `http://` nor `https://`"
        } else if text.contains(char::is_whitespace) {
            "has a blank in it"
        } else if url.port() == Some(0) {
            "has the port 0, on which nobody listens"
        } else if !url.username().is_empty() || url.password().is_some() {
            "has a user in it: that is for `INFLUXDB_USERNAME` and `INFLUXDB_PASSWORD`"
        } else if url.query().is_some() || url.fragment().is_some() {
            "has a query in it: that is for `INFLUXDB_DATABASE` or `INFLUXDB_BUCKET`"
        } else {
            return Ok(Self(url.as_str().trim_end_matches('/').to_owned()));
        };
        Err(wrong.to_owned())
    }
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("InfluxDB");
        let url = environment
            .variable("INFLUXDB_URL", "its address, `http://influxdb:8086`")
            .hint("write `http://host:8086`")
            .required::<Address>();
        let database =
            environment.variable("INFLUXDB_DATABASE", "database (1.x, VictoriaMetrics)").optional::<String>();
        let username = environment.variable("INFLUXDB_USERNAME", "our user (1.x)").optional::<String>();
        let password = environment.variable("INFLUXDB_PASSWORD", "password of our user (1.x)").optional_secret();
        let organization = environment.variable("INFLUXDB_ORG", "organization (2.x)").optional::<String>();
        let bucket = environment.variable("INFLUXDB_BUCKET", "bucket (2.x)").optional::<String>();
        let token = environment.variable("INFLUXDB_TOKEN", "token (2.x)").optional_secret();
        let timeout = environment
            .variable("INFLUXDB_TIMEOUT", "how long a write may take")
            .at_least(Duration::from_millis(100))
            .default("10s");
        let login = match (username?, password?) {
            (Some(username), Some(password)) => Some((username, password)),
            _ => None,
        };
        let target = match (database?, bucket?, token?, organization?) {
            (Some(name), None, None, _) => Target::Database { name, login },
            (None, Some(bucket), Some(token), organization) => {
                Target::Bucket { organization: organization.unwrap_or_default(), bucket, token }
            }
            _ => {
                let hint = "set INFLUXDB_DATABASE for 1.x, or INFLUXDB_ORG, INFLUXDB_BUCKET and INFLUXDB_TOKEN for 2.x";
                return Err(environment.mistake("INFLUXDB_DATABASE", "does not say where points go", Some(hint)));
            }
        };
        let Address(url) = url?;
        Ok(Self { url, target, timeout: timeout? })
    }
}

/// Why InfluxDB did not take a batch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is away, busy or misconfigured: the same batch may succeed later.
    #[error("influxdb: {0}")]
    Away(String),
    /// Something in the batch is wrong for it.
    #[error("influxdb: {0}")]
    Refused(String),
    /// The batch is too large for it.
    #[error("influxdb: the batch is too large")]
    TooLarge,
}

/// A client.
#[derive(Debug, Clone)]
pub struct Influx {
    client: Client,
    settings: Settings,
}

impl Influx {
    /// A client; connects when it is first used.
    ///
    /// # Errors
    /// No TLS on this machine.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        // A redirect leads to somebody else, a page to log in perhaps, whose `200 OK` says nothing about points.
        let builder = Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(Duration::from_secs(3))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none());
        Ok(Self { client: builder.pool_max_idle_per_host(4).build()?, settings })
    }

    /// Writes lines; all of them are stored when it succeeds.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn write(&self, lines: Bytes) -> Result<(), Error> {
        let request = match &self.settings.target {
            Target::Database { name, login } => {
                let request = self.client.post(self.address("/write", &[("db", name), ("precision", "ns")]));
                match login {
                    Some((user, password)) => request.basic_auth(user, Some(password.reveal())),
                    None => request,
                }
            }
            Target::Bucket { organization, bucket, token } => {
                let query = [("org", organization.as_str()), ("bucket", bucket), ("precision", "ns")];
                let request = self.client.post(self.address("/api/v2/write", &query));
                request.header("Authorization", format!("Token {}", token.reveal()))
            }
        };
        let response = request.body(lines).send().await.map_err(|error| Error::Away(causes(&error)))?;
        let status = response.status();
        // What 1.x, 2.x, 3.x and VictoriaMetrics say when every point is stored. Another success is not theirs, or not of all.
        if status == StatusCode::NO_CONTENT {
            return Ok(());
        }
        let mut text = response.text().await.unwrap_or_default();
        text.truncate(text.char_indices().nth(300).map_or(text.len(), |(at, _)| at));
        Err(match status {
            // Also what 1.x says to a point outside the retention policy, and to a field of another type.
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Error::Refused(text),
            StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
            _ => Error::Away(format!("status {status}: {}", text.trim())),
        })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let response =
            self.client.get(self.address("/ping", &[])).send().await.map_err(|error| Error::Away(causes(&error)))?;
        if response.status().is_success() { Ok(()) } else { Err(Error::Away(format!("status {}", response.status()))) }
    }

    /// Makes the database of 1.x if there is none; elsewhere nothing.
    ///
    /// # Errors
    /// It is away.
    pub async fn prepare(&self) -> Result<(), Error> {
        let Target::Database { name, login } = &self.settings.target else { return Ok(()) };
        let statement = format!("CREATE DATABASE \"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let mut request = self.client.post(self.address("/query", &[("q", &statement)]));
        if let Some((user, password)) = login {
            request = request.basic_auth(user, Some(password.reveal()));
        }
        let response = request.send().await.map_err(|error| Error::Away(causes(&error)))?;
        // VictoriaMetrics has no databases and knows no such statement; a user without the right finds the database made.
        if response.status().is_server_error() {
            Err(Error::Away(format!("status {}", response.status())))
        } else {
            Ok(())
        }
    }

    fn address(&self, path: &str, query: &[(&str, &str)]) -> String {
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{}", self.settings.url, pairs.join("&"))
    }
}

/// RFC 3986 section 2.1; everything but the unreserved.
fn percent(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn names_cannot_break_out_of_the_address() {
        let settings = Settings {
            url: "http://localhost:8086".to_owned(),
            target: Target::Database { name: "a&b=c d".to_owned(), login: None },
            timeout: Duration::from_secs(1),
        };
        let influx = Influx::new(settings).unwrap();
        assert_eq!(influx.address("/write", &[("db", "a&b=c d")]), "http://localhost:8086/write?db=a%26b%3Dc%20d");
    }

    /// Answers one request with these words.
    async fn answering(words: String) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(words.as_bytes()).await;
        });
        address
    }

    #[rstest]
    #[case("200 OK", false)]
    #[case("201 Created", false)]
    #[case("202 Accepted", false)]
    #[case("204 No Content", true)]
    #[tokio::test]
    async fn points_are_stored_when_it_says_so_and_nothing_else(#[case] status: &str, #[case] stored: bool) {
        let url = answering(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")).await;
        let answer = client(url).write("a b=1 1\n".into()).await;
        assert_eq!(answer.is_ok(), stored, "{answer:?}");
        assert!(stored || matches!(answer, Err(Error::Away(_))), "it is tried again: {answer:?}");
    }

    #[rstest]
    #[case("302 Found")]
    #[case("307 Temporary Redirect")]
    #[tokio::test]
    async fn nobody_else_is_asked(#[case] status: &str) {
        let other = answering("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned()).await;
        let head = format!("HTTP/1.1 {status}\r\nLocation: {other}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let answer = client(answering(head).await).write("a b=1 1\n".into()).await;
        assert!(matches!(&answer, Err(Error::Away(text)) if text.contains(&status[..3])), "{answer:?}");
    }

    fn client(url: String) -> Influx {
        let target = Target::Database { name: "iot".to_owned(), login: None };
        Influx::new(Settings { url, target, timeout: Duration::from_secs(5) }).unwrap()
    }

    #[test]
    fn one_target_must_be_named() {
        for variables in [vec![], vec![("INFLUXDB_DATABASE", "a"), ("INFLUXDB_BUCKET", "b"), ("INFLUXDB_TOKEN", "t")]] {
            let mut variables: Vec<(&str, &str)> = variables;
            variables.push(("INFLUXDB_URL", "http://localhost:8086"));
            let mut environment = Environment::of(variables);
            assert!(Settings::read(&mut environment).is_err());
        }
        let variables =
            [("INFLUXDB_URL", "http://h/"), ("INFLUXDB_ORG", "o"), ("INFLUXDB_BUCKET", "b"), ("INFLUXDB_TOKEN", "t")];
        let settings = Settings::read(&mut Environment::of(variables)).unwrap();
        assert!(matches!(settings.target, Target::Bucket { .. }));
    }

    fn at(url: &str) -> Result<Settings, String> {
        let mut environment = Environment::of([("INFLUXDB_URL", url), ("INFLUXDB_DATABASE", "iot")]);
        Settings::read(&mut environment).map_err(|_| environment.mistakes()[0].to_string())
    }

    #[rstest]
    #[case("http://influxdb:8086", "http://influxdb:8086")]
    #[case("https://example.org/influx/", "https://example.org/influx")]
    #[case("http://[::1]:8086/", "http://[::1]:8086")]
    fn addresses(#[case] url: &str, #[case] used: &str) {
        assert_eq!(at(url).unwrap().url, used);
    }

    #[rstest]
    #[case("http://")]
    #[case("http://foo:99999")]
    #[case("http://foo:0")]
    #[case("http://foo/ bar")]
    #[case("http://foo bar")]
    #[case("influxdb:8086")]
    #[case("influxdb")]
    #[case("ftp://foo")]
    #[case("http://foo/?db=iot")]
    #[case("http://user:secret@foo")]
    fn what_never_can_work_is_no_address(#[case] url: &str) {
        let mistake = at(url).unwrap_err();
        assert!(mistake.starts_with("error: `INFLUXDB_URL` "), "{mistake}");
        assert!(mistake.ends_with("= hint: write `http://host:8086`"), "{mistake}");
        assert!(!mistake.contains("secret"), "{mistake}");
    }
}
