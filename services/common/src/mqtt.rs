//! How to reach the MQTT broker: settings that every service reads alike. The client is the service's own.

use crate::config::{Environment, Invalid};
use crate::device::TopicPrefix;
use diagnostic::Secret;
use std::path::PathBuf;

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `MQTT_HOST`
    pub host: String,
    /// `MQTT_PORT`
    pub port: u16,
    /// `MQTT_USERNAME` and `MQTT_PASSWORD(_FILE)`
    pub login: Option<(String, Secret<String>)>,
    /// Set when the connection is encrypted.
    pub tls: Option<Tls>,
    /// `MQTT_TOPIC_PREFIX`
    pub prefix: TopicPrefix,
}

/// How the connection is encrypted.
#[derive(Debug, Clone)]
pub struct Tls {
    /// `MQTT_TLS_CA`: certificates (PEM) that are trusted instead of the system's.
    pub authority: Option<PathBuf>,
    /// `MQTT_TLS_CERT` and `MQTT_TLS_KEY`: our own certificate and its key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("MQTT broker");
        let host = environment.variable("MQTT_HOST", "host of the broker").required();
        let encrypted = environment.variable("MQTT_TLS", "whether the connection is encrypted").default::<bool>(false);
        let standard_port = if encrypted == Ok(true) { 8883 } else { 1883 };
        let port = environment.variable("MQTT_PORT", "port of the broker").within(1, 65_535).default(standard_port);
        let username = environment.variable("MQTT_USERNAME", "our account at the broker").optional::<String>();
        let password = environment.variable("MQTT_PASSWORD", "password of our account").optional_secret();
        let authority = environment.variable("MQTT_TLS_CA", "certificates to trust, PEM").optional();
        let certificate = environment.variable("MQTT_TLS_CERT", "our certificate, PEM").optional::<PathBuf>();
        let key = environment.variable("MQTT_TLS_KEY", "file of our certificate's key, PEM").optional::<PathBuf>();
        let prefix =
            environment.variable("MQTT_TOPIC_PREFIX", "what all topics begin with").default(TopicPrefix::DEFAULT);
        let login = match (username?, password?) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(environment.mistake("MQTT_PASSWORD", "is not set, but `MQTT_USERNAME` is", None));
            }
            (None, Some(_)) => {
                return Err(environment.mistake("MQTT_USERNAME", "is not set, but `MQTT_PASSWORD` is", None));
            }
        };
        let identity = match (certificate?, key?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err(environment.mistake(
                    "MQTT_TLS_CERT",
                    "and `MQTT_TLS_KEY` go together: set both or none",
                    None,
                ));
            }
        };
        let tls = Tls { authority: authority?, identity };
        Ok(Self { host: host?, port: port?, login, tls: encrypted?.then_some(tls), prefix: prefix? })
    }
}

/// What to say of an error of the MQTT library, given its text: its own words for a certificate that is not trusted are rustls'
/// names of types.
pub fn explained(error: &str) -> String {
    let meant = if error.contains("UnknownIssuer") {
        "the broker's certificate is of no authority that is trusted: check `MQTT_TLS_CA`"
    } else if error.contains("NotValidForName") {
        "the broker's certificate is for another name than `MQTT_HOST`"
    } else if error.contains("certificate: Expired") {
        "the broker's certificate has expired, or this machine's clock is wrong"
    } else if error.contains("InvalidContentType") {
        "the broker does not speak TLS on this port: check `MQTT_PORT` and `MQTT_TLS`"
    } else {
        return error.to_owned();
    };
    format!("{meant} ({error})")
}
